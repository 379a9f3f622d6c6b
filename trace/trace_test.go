package trace

import (
	"strings"
	"testing"
)

func TestEveryCategoryHasItsName(t *testing.T) {
	if 1<<(len(names)-1) != Disk {
		t.Fatalf("%d names, and the last category is %#x", len(names), uint32(Disk))
	}
	for _, name := range Names() {
		c, err := Parse(name)
		if err != nil || c.String() != name {
			t.Errorf("%s is %v, %v", name, c, err)
		}
	}
	if c, err := Parse("exceptions,mmio"); err != nil || c != Exception|MMIO {
		t.Errorf("two categories are %v, %v", c, err)
	}
	if c, err := Parse("all"); err != nil || c&Instruction == 0 || c&Exception == 0 {
		t.Errorf("all is %v, %v", c, err)
	}
	for _, list := range []string{"", "port", "ports,", "ports, mmio"} {
		if _, err := Parse(list); err == nil {
			t.Errorf("%q was taken", list)
		}
	}
}

func TestEventsGoToTheSinkWithNamesAndPlaces(t *testing.T) {
	var out strings.Builder
	EnableTo(Port|UART, Sink{
		Out:   &out,
		Name:  func(l uint32) string { return map[uint32]string{0x1000: "start"}[l] },
		Place: func() string { return "0008:00001000" + Name(0x1000) },
	})
	defer Enable(0, nil)
	if !On(Port) || On(MMIO) {
		t.Error("other categories are on than were asked for")
	}
	Access(Port, "out", 0x3f8, 1, 0x41)
	Emit(UART, "transmit", 0x41)
	Text(UART, "says", "hello"+Name(0x2000))
	const want = "ports out 0x03f8 byte 0x41 at 0008:00001000 start\nuart transmit 0x41\nuart says hello\n"
	if out.String() != want {
		t.Errorf("traced\n%swant\n%s", &out, want)
	}
}

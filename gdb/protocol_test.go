package gdb_test

import (
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/gov86/gov86/machine"
)

func TestTheTargetDescriptionNamesWhatTheRegisterPacketHolds(t *testing.T) {
	c := start(t, loop, true).attach()
	supported := c.ask("qSupported:multiprocess+;swbreak+;hwbreak+;xmlRegisters=i386")
	for _, want := range []string{"PacketSize=4000", "qXfer:features:read+", "QStartNoAckMode+", "vContSupported+"} {
		if !strings.Contains(supported, want) {
			t.Errorf("qSupported says %s, without %s", supported, want)
		}
	}
	var text strings.Builder
	for {
		p := c.ask(fmt.Sprintf("qXfer:features:read:target.xml:%x,200", text.Len()))
		text.WriteString(p[1:])
		if p[0] == 'l' {
			break
		}
	}
	var target struct {
		Architecture string `xml:"architecture"`
		Features     []struct {
			Name string `xml:"name,attr"`
			Regs []struct {
				Name   string `xml:"name,attr"`
				Bits   int    `xml:"bitsize,attr"`
				Number int    `xml:"regnum,attr"`
			} `xml:"reg"`
		} `xml:"feature"`
	}
	if err := xml.Unmarshal([]byte(text.String()), &target); err != nil {
		t.Fatalf("%v in\n%s", err, text.String())
	}
	numbers, bits := map[string]int{}, 0
	for _, f := range target.Features {
		for _, r := range f.Regs {
			if r.Number != len(numbers) {
				t.Errorf("%s has number %d, want %d", r.Name, r.Number, len(numbers))
			}
			numbers[r.Name] = r.Number
			bits += r.Bits
		}
	}
	for name, want := range map[string]int{"eax": regEAX, "eip": regEIP, "cs": regCS, "st0": regST0, "xmm0": regXMM} {
		if numbers[name] != want {
			t.Errorf("%s has number %d, want %d", name, numbers[name], want)
		}
	}
	if g := c.ask("g"); len(g) != bits/4 {
		t.Errorf("g has %d digits, the description %d", len(g), bits/4)
	}
	if target.Architecture != "i386" {
		t.Errorf("the architecture is %q", target.Architecture)
	}
}

func TestRegistersAreReadAndWritten(t *testing.T) {
	c := start(t, loop, true).attach()
	if at := c.register(regEIP); at != codeAt {
		t.Errorf("EIP is %#x, want %#x", at, codeAt)
	}
	c.setRegister(regEAX, 0x12345678)
	c.want("p0", "78563412")
	one := "0000000000000080ff3f" // 1.0
	c.want(fmt.Sprintf("P%x=%s", regST0, one), "OK")
	c.want(fmt.Sprintf("p%x", regST0), one)
	wide := "000102030405060708090a0b0c0d0e0f"
	c.want(fmt.Sprintf("P%x=%s", regXMM+7, wide), "OK")
	c.want(fmt.Sprintf("p%x", regXMM+7), wide)

	all := c.ask("g")
	c.setRegister(regEAX, 1)
	c.want("G"+all, "OK")
	if got := c.ask("g"); got != all {
		t.Errorf("G of what g said led to\n%s, want\n%s", got, all)
	}
	// What no processor holds is refused.
	c.want(fmt.Sprintf("P%x=00000100", regCS), "E16")
	c.want(fmt.Sprintf("P%x=08000000", regCS), "E16")
	c.want("P0=1234", "E16")
	c.want("P999=00000000", "E16")
	c.want("p999", "E16")
	c.want("G"+all+"00", "E16")
}

func TestMemoryIsReadAndWritten(t *testing.T) {
	c := start(t, loop, true).attach()
	c.want(fmt.Sprintf("m%x,4", codeAt), "31c0b905")
	c.want(fmt.Sprintf("M%x,3:010203", dataAt), "OK")
	c.want(fmt.Sprintf("X%x,3:a}\x03b", dataAt+3), "OK") // the second is 23h, escaped
	c.want(fmt.Sprintf("m%x,6", dataAt), "010203612362")
	c.want(fmt.Sprintf("X%x,0:", dataAt), "OK")
	// Memory ends at 8 MiB.
	c.want("m7ffffe,4", "0000")
	c.want("m800000,4", "E0e")
	c.want("M7ffffe,4:01020304", "E0e")
	for _, bad := range []string{"m", "m100000", "m,", "mxyz,4", "m100000000,1", "m0,ffffffff", "M0,2:00", "M0,1:0",
		"M0,1", "X0,1:}"} {
		c.want(bad, "E16")
	}
}

func TestCodeThatTheDebuggerWritesIsExecuted(t *testing.T) {
	c := start(t, loop, true).attach()
	c.want(fmt.Sprintf("Z1,%x,1", loopHalt), "OK")
	c.ask("c")                                     // the loop has been executed
	c.want(fmt.Sprintf("M%x,1:48", loopInc), "OK") // DEC EAX
	c.want(fmt.Sprintf("z1,%x,1", loopHalt), "OK")
	c.want(fmt.Sprintf("Z1,%x,1", loopRead), "OK")
	c.ask(fmt.Sprintf("c%x", codeAt))
	if eax := int32(c.register(regEAX)); eax != -5 {
		t.Errorf("EAX is %d, want -5", eax)
	}
}

func TestBreakpointsStopBeforeTheirInstruction(t *testing.T) {
	for _, kind := range []struct{ typ, says string }{{"0", "swbreak:;"}, {"1", "hwbreak:;"}} {
		c := start(t, loop, true).attach()
		c.ask("qSupported:swbreak+;hwbreak+")
		c.want(fmt.Sprintf("Z%s,%x,1", kind.typ, loopDec), "OK")
		c.want("c", "T05thread:1;"+kind.says)
		if at, eax := c.register(regEIP), c.register(regEAX); at != loopDec || eax != 1 {
			t.Errorf("stopped at %#x with EAX %d, want %#x and 1", at, eax, loopDec)
		}
		c.want(fmt.Sprintf("m%x,1", loopDec), "49")
		c.want("vCont;s:1", "T05thread:1;") // passes the breakpoint
		c.want("vCont;c", "T05thread:1;"+kind.says)
		if eax := c.register(regEAX); eax != 2 {
			t.Errorf("EAX %d after the second stop, want 2", eax)
		}
		c.want(fmt.Sprintf("z%s,%x,1", kind.typ, loopDec), "OK")
		c.want(fmt.Sprintf("Z1,%x,1", loopHalt), "OK")
		if c.ask("c"); c.register(regEAX) != 5 {
			t.Errorf("EAX %d at the end, want 5", c.register(regEAX))
		}
	}
}

func TestWatchpointsStopAfterTheAccess(t *testing.T) {
	for _, kind := range []struct {
		typ, says string
		at        uint32
	}{{"2", "watch", loopDec}, {"3", "rwatch", loopHalt}, {"4", "awatch", loopDec}} {
		c := start(t, loop, true).attach()
		c.want(fmt.Sprintf("Z%s,%x,2", kind.typ, dataAt+2), "OK")
		c.want("c", fmt.Sprintf("T05thread:1;%s:%x;", kind.says, dataAt+2))
		if at := c.register(regEIP); at != kind.at {
			t.Errorf("%s stopped at %#x, want %#x", kind.says, at, kind.at)
		}
		c.want("?", fmt.Sprintf("T05thread:1;%s:%x;", kind.says, dataAt+2))
		c.want(fmt.Sprintf("z%s,%x,2", kind.typ, dataAt+2), "OK")
	}
}

func TestPointsThatCannotBeAreRefused(t *testing.T) {
	c := start(t, loop, true).attach()
	for _, bad := range []string{"Z0", "Z0,1", "Z2,0,0", "Z3,ffffffff,2", "Z1,100000000,1", "Z2,zz,1", "z4,,"} {
		c.want(bad, "E16")
	}
	c.want("Z5,0,1", "")
	c.want("Z", "")
	for i := range 1 << 10 {
		c.want(fmt.Sprintf("Z0,%x,1", i), "OK")
	}
	c.want("Z0,ffff,1", "E16")
}

func TestStepsAndRanges(t *testing.T) {
	c := start(t, loop, true).attach()
	c.want("vCont?", "vCont;c;C;s;S;r")
	for _, at := range []uint32{codeAt + 2, loopInc, loopStore} {
		c.want("s", "T05thread:1;")
		if got := c.register(regEIP); got != at {
			t.Fatalf("a step led to %#x, want %#x", got, at)
		}
	}
	// The whole loop is one range; a breakpoint in it stops.
	c.want(fmt.Sprintf("vCont;r%x,%x:1", loopInc, loopRead), "T05thread:1;")
	if at, eax := c.register(regEIP), c.register(regEAX); at != loopRead || eax != 5 {
		t.Errorf("the range ended at %#x with EAX %d", at, eax)
	}
	c.want(fmt.Sprintf("s%x", codeAt), "T05thread:1;")
	c.want(fmt.Sprintf("Z0,%x,1", loopJump), "OK")
	c.ask(fmt.Sprintf("vCont;r%x,%x;c", codeAt, loopRead))
	if at, ecx := c.register(regEIP), c.register(regECX); at != loopJump || ecx != 4 {
		t.Errorf("the range stopped at %#x with ECX %d, want the breakpoint and 4", at, ecx)
	}
	for _, bad := range []string{"vCont", "vCont;", "vCont;x", "vCont;r", "vCont;r1", "vCont;s:7", "vCont;S1"} {
		c.want(bad, "E16")
	}
}

func TestAnInterruptStopsAGuestThatRunsOrIsHalted(t *testing.T) {
	for _, code := range [][]byte{sendAndSpin, sendAndHalt} {
		g := start(t, code, true)
		c := g.attach()
		c.send("c")
		<-g.sent
		c.write("\x03")
		if got := c.receive(); got != "T02thread:1;" {
			t.Errorf("the interrupt was answered by %q", got)
		}
		c.write("\x03") // of a guest that does not run means nothing
		if at := c.register(regEIP); at < codeAt || at > codeAt+uint32(len(code)) {
			t.Errorf("stopped at %#x", at)
		}
	}
}

func TestGuestTimeStandsStillWhileTheGuestIsHeld(t *testing.T) {
	g := start(t, spin, false)
	c := g.attach()
	before := c.monitor("time")
	time.Sleep(30 * time.Millisecond)
	if after := c.monitor("time"); after != before {
		t.Errorf("guest time went from %s to %s", before, after)
	}
	c.want("s", "T05thread:1;")
	if after := c.monitor("time"); after == before {
		t.Errorf("guest time is %s before and after a step", after)
	}
}

func TestTheEndOfTheMachineIsTold(t *testing.T) {
	g := start(t, powerOff, true)
	c := g.attach()
	c.want("c", "W00")
	c.closed()
	g.ends()

	g = startMachine(t, machine.Config{Kernel: image(exit), DebugExit: 0xf4}, true)
	c = g.attach()
	c.want("s", "T05thread:1;")
	c.want("s", "W2a")
	c.closed()
	g.ends()

	g = startMachine(t, machine.Config{Kernel: image(haltForGood), HaltEnds: true}, true)
	c = g.attach()
	c.want("s", "T05thread:1;") // CLI
	c.want("s", "T05thread:1;") // HLT, which has executed
	c.want("s", "W00")
	c.closed()
	g.ends()

	g = start(t, tripleFault, true)
	c = g.attach()
	c.want("c", "T0bthread:1;") // the processor can still be looked at
	if at := c.register(regEIP); at != codeAt+7 {
		t.Errorf("EIP %#x after the triple fault, want %#x", at, codeAt+7)
	}
	c.want("c", "X0b")
	c.closed()
	g.ends()
}

func TestDetachLetsTheGuestGoOnAndAnotherDebuggerMayCome(t *testing.T) {
	g := start(t, spin, true)
	c := g.attach()
	c.want(fmt.Sprintf("Z0,%x,1", codeAt), "OK")
	c.want("D", "OK")
	c.closed()

	c = g.attach()
	c.monitor("time")
	first := c.monitor("time")
	c.conn.Close() // as when GDB is killed
	time.Sleep(20 * time.Millisecond)
	c = g.attach()
	if second := c.monitor("time"); second == first {
		t.Errorf("%s: the guest has not run meanwhile", second)
	}
	c.want("?", "T02thread:1;")
}

func TestAFrozenGuestWaitsForADebuggerThatLetsItRun(t *testing.T) {
	g := start(t, powerOff, true)
	c := g.attach()
	c.want("?", "T02thread:1;")
	c.conn.Close() // says nothing of letting it run
	c = g.attach()
	if at := c.register(regEIP); at != codeAt {
		t.Errorf("EIP %#x: the guest has run", at)
	}
	c.want("D", "OK")
	g.ends()
}

func TestKillEndsTheMachine(t *testing.T) {
	for _, how := range []string{"k", "vKill;1", "monitor quit"} {
		g := start(t, spin, false)
		c := g.attach()
		switch how {
		case "monitor quit":
			c.send("qRcmd," + hex.EncodeToString([]byte("quit")))
		default:
			c.send(how)
		}
		g.ends()
		select {
		case <-g.quit:
		default:
			t.Errorf("%s ended the machine by itself", how)
		}
	}
}

func TestMonitorCommands(t *testing.T) {
	c := start(t, loop, true).attach()
	for _, m := range []struct{ line, want string }{
		{"", "info registers"},
		{"help", "translate, gva2gpa ADDR"},
		{"registers", "EIP=00100020"},
		{"info registers", "EIP=00100020"},
		{"info devices", "uart0:"},
		{"phys 0x100020 18", "00100020  31 c0 b9 05 00 00 00 40 a3 00 00 20 00 49 75 f7\n00100030  a1 00\n"},
		{"xp 0x7ffff8", "00800000  no memory"},
		{"xp 0 0x10001", "is not a length"},
		{"xp", "an address is missing"},
		{"translate fffffffff", "is not an address"},
		{"translate 0x1234", "00001234 is at 000001234"},
		{"map", "paging is off"},
		{"info", "there is no command info"},
		{"nonsense 1", "there is no command nonsense 1"},
	} {
		if said := c.monitor(m.line); !strings.Contains(said, m.want) {
			t.Errorf("monitor %s said %q, want %q in it", m.line, said, m.want)
		}
	}
	c.want("qRcmd,zz", "E16")
}

func TestMonitorResetBeginsAgain(t *testing.T) {
	g := start(t, tripleFault, true)
	c := g.attach()
	for range 2 {
		c.want("c", "T0bthread:1;")
		c.monitor("reset")
		if at := c.register(regEIP); at != codeAt {
			t.Errorf("EIP %#x after a reset, want %#x", at, codeAt)
		}
	}
}

func TestMonitorFollowsThePageTables(t *testing.T) {
	c := start(t, loop, true).attach()
	// A page directory at dataAt: its first entry a table, its second a page of
	// 4 MiB, global.
	c.want(fmt.Sprintf("M%x,8:%s", dataAt, "03102000"+"83010000"), "OK")
	c.want(fmt.Sprintf("M%x,8:%s", dataAt+0x1000, "67001000"+"03101000"), "OK")
	const cr0, cr3, cr4 = 41, 43, 44
	c.setRegister(cr3, dataAt)
	c.setRegister(cr4, 0x90) // PSE, PGE
	c.setRegister(cr0, 0x80000011)
	want := "00000000-00001fff at 000100000: pages of 4 KiB, -wx-\n" +
		"00400000-007fffff at 000000000: pages of 4096 KiB, -wxG\n"
	if said := c.monitor("info mem"); said != want {
		t.Errorf("info mem said\n%s, want\n%s", said, want)
	}
	if said := c.monitor("gva2gpa 0x20"); said != "00000020 is at 000100020: pages of 4 KiB, -wx-AD\n" {
		t.Errorf("translate said %s", said)
	}
	if said := c.monitor("gva2gpa 0x800000"); said != "00800000 is not present\n" {
		t.Errorf("translate said %s", said)
	}
	c.want("m20,4", "31c0b905")
	c.want("m2000,4", "E0e")
}

func TestChecksumsAndAcknowledgements(t *testing.T) {
	c := start(t, loop, true).attach()
	c.write("$?#00")
	if b := c.readByte(); b != '-' {
		t.Errorf("a bad checksum was answered by %q", b)
	}
	c.write("+$qC#b4")
	if got := c.receive(); got != "QC1" {
		t.Errorf("qC was answered by %q", got)
	}
	c.write("-")
	if got := c.receive(); got != "QC1" {
		t.Errorf("after - came %q", got)
	}
	c.write("$garb$qC#b4") // a packet cut short
	if got := c.receive(); got != "QC1" {
		t.Errorf("qC was answered by %q", got)
	}
	c.want("QStartNoAckMode", "OK")
	c.acks = false
	c.want("qC", "QC1")
	c.want("vMustReplyEmpty", "")
	c.want("", "")
	c.want("!", "")
}

func TestAnotherProtocolIsHungUpOn(t *testing.T) {
	g := start(t, spin, true)
	c := g.attach()
	c.write("POST / HTTP/1.1\r\nHost: localhost\r\n\r\n" + frame("k"))
	c.closed()
	c = g.attach()
	c.write("$" + strings.Repeat("a", 0x4001))
	c.closed()
	select {
	case <-g.over:
		t.Error("the packet in the request killed the machine")
	default:
	}
	g.attach().want("qC", "QC1")
}

func TestTheEndOfTheServiceIsToldAndFreesTheAddress(t *testing.T) {
	g := start(t, sendAndSpin, true)
	c := g.attach()
	c.send("c")
	waiting := g.attach() // for its turn
	<-g.sent
	g.cancel()
	if got := c.receive(); got != "X0f" {
		t.Errorf("the end of a machine that was cancelled is %q", got)
	}
	c.closed()
	g.server.Close()
	waiting.closed()
	if conn, err := net.Dial("tcp", g.l.Addr().String()); err == nil {
		conn.Close()
		t.Error("something still listens")
	}
}

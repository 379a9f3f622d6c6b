package machine

import (
	"fmt"

	"github.com/gov86/gov86/cpu"
)

// An Event is one thing the processor did. Which fields there are depends on
// its kind.
type Event struct {
	// Kind is exception, interrupt, far, out or entered.
	Kind string `json:"kind"`
	// Vector and Name are those of an exception or interrupt, Code and CR2
	// those of an exception.
	Vector *uint8 `json:"vector,omitempty"`
	Name   string `json:"name,omitempty"`
	Code   Hex    `json:"code,omitempty"`
	CR2    Hex    `json:"cr2,omitempty"`
	// Port and Value are of a write to ports; the value's digits tell its width.
	Port  Hex `json:"port,omitempty"`
	Value Hex `json:"value,omitempty"`
	// At is where it happened, To where a far transfer led.
	At *Point `json:"at"`
	To *Point `json:"to,omitempty"`
}

// A Point is the address of an instruction. An entry has but a linear one.
type Point struct {
	Selector Hex    `json:"selector,omitempty"`
	EIP      Hex    `json:"eip,omitempty"`
	Linear   Hex    `json:"linear"`
	Symbol   string `json:"symbol,omitempty"`
}

// events are what the processor remembers, oldest first.
func (m *Machine) events() []Event {
	point := func(p cpu.Place) *Point {
		return &Point{hex16(p.Selector), hex32(p.EIP), hex32(uint32(p.Linear)), m.name(p.Linear)}
	}
	all := []Event{}
	for _, e := range m.board.cpu.Last.Events() {
		var x Event
		switch e := e.(type) {
		case cpu.Record:
			x = Event{Kind: "exception", Vector: &e.Vector, Name: cpu.Mnemonic(e.Vector), Code: hex16(e.Code),
				At: point(e.Place)}
			if e.Vector == cpu.VecPF {
				x.CR2 = hex32(e.CR2)
			}
		case cpu.Interrupt:
			x = Event{Kind: "interrupt", Vector: &e.Vector, At: point(e.Place)}
		case cpu.Branch:
			x = Event{Kind: "far", At: point(e.From), To: point(e.To)}
		case cpu.Output:
			x = Event{Kind: "out", Port: hex16(e.Port), Value: Hex(fmt.Sprintf("0x%0*x", 2*int(e.Width), e.Value)),
				At: point(e.Place)}
		case cpu.Entry:
			x = Event{Kind: "entered", At: &Point{Linear: hex32(uint32(e.Linear)), Symbol: m.name(e.Linear)}}
		}
		all = append(all, x)
	}
	return all
}

// Package apic is the local APIC of one processor, in xAPIC mode (Intel SDM
// Vol. 3A, "Advanced Programmable Interrupt Controller (APIC)"), and the
// 82093AA I/O APIC (Intel 82093AA data sheet). The two speak through Message
// and the broadcast of EOI, in place of the APIC bus.
//
// There is one processor: an interprocessor interrupt reaches it or nobody.
// INIT, SIPI and SMI messages are accepted and have no effect. Not modelled:
// x2APIC mode, the TSC-deadline timer, the focus processor and bus arbitration.
package apic

// A Mode is a delivery mode, as in the LVT, the ICR and the redirection table.
type Mode uint8

// The delivery modes.
const (
	Fixed  Mode = 0
	Lowest Mode = 1 // lowest priority
	SMI    Mode = 2
	NMI    Mode = 4
	INIT   Mode = 5
	SIPI   Mode = 6 // start-up
	ExtINT Mode = 7 // the vector comes from the 8259A
)

// Fields that the LVT, the ICR and the redirection table share.
const (
	entryVector    = 0xff
	entryModeShift = 8
	entryMode      = 7 << entryModeShift
	entryLogical   = 1 << 11
	entryStatus    = 1 << 12 // delivery status: never busy here
	entryPolarity  = 1 << 13
	entryRemoteIRR = 1 << 14
	entryLevel     = 1 << 15
	entryMask      = 1 << 16
)

// firstVector is the first vector an APIC may deliver.
const firstVector = 16

// A Message asks local APICs to accept an interrupt.
type Message struct {
	Vector  uint8
	Mode    Mode
	Level   bool // level-triggered: its EOI is broadcast
	Logical bool // Destination is a logical one
	// Destination is an APIC ID, or is matched with LDR by the model in DFR.
	Destination uint8
}

// A set is one bit for each vector: IRR, ISR and TMR are sets.
type set [8]uint32

func (s *set) has(v uint8) bool { return s[v>>5]>>(v&31)&1 != 0 }
func (s *set) add(v uint8)      { s[v>>5] |= 1 << (v & 31) }
func (s *set) remove(v uint8)   { s[v>>5] &^= 1 << (v & 31) }

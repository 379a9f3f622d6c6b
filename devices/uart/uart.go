// Package uart is the PC16550D universal asynchronous receiver/transmitter
// with FIFOs (National Semiconductor PC16550D data sheet).
//
// Bytes are sent the moment they are written, or as soon as the host takes
// them: line speed is stored and has no effect but on the receiver's time-out.
// Not modelled: DMA mode signalling and line errors other than a break.
package uart

import (
	"fmt"

	"github.com/gov86/gov86/hw"
	portio "github.com/gov86/gov86/io"
	"github.com/gov86/gov86/snapshot"
	"github.com/gov86/gov86/trace"
)

// Register offsets (PC16550D data sheet, "Summary of Registers").
const (
	regRBR = 0 // receiver buffer; when written, transmitter holding; DLL with DLAB
	regIER = 1 // interrupt enable; DLM with DLAB
	regIIR = 2 // interrupt identification; when written, FIFO control
	regLCR = 3
	regMCR = 4
	regLSR = 5
	regMSR = 6
	regSCR = 7

	ierRDA  = 1 << 0
	ierTHRE = 1 << 1
	ierRLS  = 1 << 2
	ierMS   = 1 << 3

	iirNone = 1
	iirMS   = 0
	iirTHRE = 2
	iirRDA  = 4
	iirRLS  = 6
	iirTime = 12
	iirFIFO = 0xc0

	fcrEnable  = 1 << 0
	fcrResetRx = 1 << 1
	fcrResetTx = 1 << 2
	fcrTrigger = 3 << 6

	lcrDLAB = 1 << 7

	mcrDTR  = 1 << 0
	mcrRTS  = 1 << 1
	mcrOUT1 = 1 << 2
	mcrOUT2 = 1 << 3 // on a PC lets the interrupt through
	mcrLoop = 1 << 4

	lsrDR   = 1 << 0
	lsrOE   = 1 << 1
	lsrPE   = 1 << 2
	lsrFE   = 1 << 3
	lsrBI   = 1 << 4
	lsrTHRE = 1 << 5
	lsrTEMT = 1 << 6
	lsrFIFO = 1 << 7 // an error in the receiver FIFO

	fifoSize = 16
	// backlog is how many bytes from the host wait for room in the FIFO.
	backlog = 4096
)

// The modem status inputs, as in the high half of MSR.
const (
	CTS = 1 << 4
	DSR = 1 << 5
	RI  = 1 << 6
	DCD = 1 << 7
)

// An Output takes what the UART sends. Put reports whether the byte was taken;
// if not, Ready is called later, on the machine goroutine, and it is offered again.
type Output interface{ Put(b byte) bool }

// regs is all the guest can observe, and the bytes on their way to it.
type regs struct {
	ier, fcr, lcr, mcr, msr, scr uint8
	divisor                      uint16
	rx                           []byte // receiver FIFO, or one byte without
	pending                      []byte // from the host, beyond the FIFO
	tx                           []byte // not yet taken by the host
	// errors are OE, PE, FE and BI of LSR until it is read.
	errors uint8
	// empty is the pending THRE interrupt; timedOut the receiver time-out.
	empty, timedOut bool
	timeout         uint64 // guest time of the time-out, 0 for none
}

func (r *regs) sync(c *snapshot.Codec) {
	c.Version(1)
	c.Uint8("ier", &r.ier)
	c.Uint8("fcr", &r.fcr)
	c.Uint8("lcr", &r.lcr)
	c.Uint8("mcr", &r.mcr)
	c.Uint8("msr", &r.msr)
	c.Uint8("scr", &r.scr)
	c.Uint16("divisor", &r.divisor)
	c.Bytes("rx", &r.rx, fifoSize)
	c.Bytes("pending", &r.pending, backlog)
	c.Bytes("tx", &r.tx, fifoSize)
	c.Uint8("errors", &r.errors)
	c.Bool("empty", &r.empty)
	c.Bool("timedOut", &r.timedOut)
	c.Uint64("timeout", &r.timeout)
}

// A UART is the chip. Its INTR drives line, gated by OUT2 as on a PC.
type UART struct {
	clock hw.Clock
	line  hw.Line
	timer hw.Timer
	out   Output
	// heedless is whether the host sends without RTS.
	heedless bool
	regs
}

// New returns a UART that sends to out; nil sends nowhere. The modem inputs
// say that a device is there and ready.
func New(clock hw.Clock, line hw.Line, out Output) *UART {
	u := &UART{clock: clock, line: line, out: out}
	u.timer = clock.NewTimer("uart", func(hw.Time) {
		u.timeout, u.timedOut = 0, len(u.rx) > 0
		u.update()
	})
	u.Reset()
	return u
}

// Reset implements hw.Device.
func (u *UART) Reset() {
	u.regs = regs{
		divisor: 12, msr: CTS | DSR | DCD,
		rx: make([]byte, 0, fifoSize), tx: make([]byte, 0, fifoSize), pending: u.pending[:0],
	}
	u.timer.Stop()
}

// Save implements hw.Device.
func (u *UART) Save(c *snapshot.Codec) { u.regs.sync(c) }

// Load implements hw.Device.
func (u *UART) Load(c *snapshot.Codec) error {
	var next regs
	next.sync(c)
	if _, err := c.Close(); err != nil {
		return err
	}
	if next.errors&^(lsrOE|lsrPE|lsrFE|lsrBI) != 0 {
		return fmt.Errorf("line errors %#x: %w", next.errors, snapshot.ErrCorrupt)
	}
	if next.fcr&fcrEnable == 0 && (len(next.rx) > 1 || len(next.tx) > 1) {
		return fmt.Errorf("FIFO in use while disabled: %w", snapshot.ErrCorrupt)
	}
	u.regs = next
	if u.timeout != 0 {
		u.timer.Set(hw.Time(u.timeout))
	}
	return nil
}

// depth is how many bytes a FIFO holds.
func (u *UART) depth() int {
	if u.fcr&fcrEnable != 0 {
		return fifoSize
	}
	return 1
}

// trigger is the number of bytes that makes the receiver interrupt.
func (u *UART) trigger() int {
	if u.fcr&fcrEnable == 0 {
		return 1
	}
	return [...]int{1, 4, 8, 14}[u.fcr>>6]
}

// lsr is the line status register.
func (u *UART) lsr() uint8 {
	v := u.errors
	if len(u.rx) > 0 {
		v |= lsrDR
	}
	if len(u.tx) < u.depth() && (len(u.tx) == 0 || u.fcr&fcrEnable == 0) {
		v |= lsrTHRE
	}
	if len(u.tx) == 0 {
		v |= lsrTEMT
	}
	if u.fcr&fcrEnable != 0 && u.errors&(lsrPE|lsrFE|lsrBI) != 0 {
		v |= lsrFIFO
	}
	return v
}

// identify is IIR: the pending interrupt of highest priority.
func (u *UART) identify() uint8 {
	var v uint8 = iirNone
	switch {
	case u.ier&ierRLS != 0 && u.errors != 0:
		v = iirRLS
	case u.ier&ierRDA != 0 && len(u.rx) >= u.trigger():
		v = iirRDA
	case u.ier&ierRDA != 0 && u.timedOut:
		v = iirTime
	case u.ier&ierTHRE != 0 && u.empty:
		v = iirTHRE
	case u.ier&ierMS != 0 && u.msr&15 != 0:
		v = iirMS
	}
	if u.fcr&fcrEnable != 0 {
		v |= iirFIFO
	}
	return v
}

// update drives INTR from the registers. Whatever changes one ends here.
func (u *UART) update() {
	u.line.Set(u.identify()&iirNone == 0 && u.mcr&mcrOUT2 != 0)
}

// In implements portio.Handler.
func (u *UART) In(off uint16, _ portio.Width) uint32 {
	switch off {
	case regRBR:
		if u.lcr&lcrDLAB != 0 {
			return uint32(u.divisor & 0xff)
		}
		return uint32(u.receive())
	case regIER:
		if u.lcr&lcrDLAB != 0 {
			return uint32(u.divisor >> 8)
		}
		return uint32(u.ier)
	case regIIR:
		v := u.identify()
		if v&15 == iirTHRE {
			u.empty = false
			u.update()
		}
		return uint32(v)
	case regLCR:
		return uint32(u.lcr)
	case regMCR:
		return uint32(u.mcr)
	case regLSR:
		v := u.lsr()
		u.errors = 0
		u.update()
		return uint32(v)
	case regMSR:
		v := u.modem() | u.msr&15
		u.msr &^= 15
		u.update()
		return uint32(v)
	}
	return uint32(u.scr)
}

// Out implements portio.Handler.
func (u *UART) Out(off uint16, _ portio.Width, v uint32) {
	b := uint8(v)
	switch off {
	case regRBR:
		if u.lcr&lcrDLAB != 0 {
			u.divisor = u.divisor&0xff00 | uint16(b)
			return
		}
		u.transmit(b)
	case regIER:
		if u.lcr&lcrDLAB != 0 {
			u.divisor = u.divisor&0xff | uint16(b)<<8
			return
		}
		if b&ierTHRE != 0 && u.ier&ierTHRE == 0 && u.lsr()&lsrTHRE != 0 {
			u.empty = true // enabling it while empty interrupts
		}
		u.ier = b & 15
	case regIIR:
		u.controlFIFO(b)
	case regLCR:
		u.lcr = b
	case regMCR:
		u.setModemControl(b & 31)
	case regSCR:
		u.scr = b
	}
	u.update()
}

// controlFIFO is FCR.
func (u *UART) controlFIFO(v uint8) {
	if (v^u.fcr)&fcrEnable != 0 {
		v |= fcrResetRx | fcrResetTx // changing it clears both
	}
	if v&fcrEnable == 0 {
		v &= fcrResetRx | fcrResetTx
	}
	u.fcr = v &^ (fcrResetRx | fcrResetTx)
	if v&fcrResetRx != 0 {
		u.rx = u.rx[:0]
		u.stopTimeout()
		u.refill()
	}
	if v&fcrResetTx != 0 {
		u.tx = u.tx[:0]
		u.empty = true
	}
}

// receive takes a byte from the receiver.
func (u *UART) receive() uint8 {
	if len(u.rx) == 0 {
		return 0
	}
	b := u.rx[0]
	u.rx = append(u.rx[:0], u.rx[1:]...)
	u.stopTimeout()
	u.refill()
	u.update()
	return b
}

func (u *UART) stopTimeout() {
	u.timedOut, u.timeout = false, 0
	u.timer.Stop()
}

// IgnoreRTS has the host send whatever RTS says, like a terminal with three wires:
// firmware reads what is typed and never raises it.
func (u *UART) IgnoreRTS() { u.heedless = true }

// refill moves bytes that wait into the receiver, as room allows: the host
// holds its sender back, so that none is overrun. Unless told otherwise it sends
// only while RTS is up, like a terminal with hardware flow control: a driver
// resets the FIFO when its port is opened and then raises RTS, so that nothing
// typed ahead is lost.
func (u *UART) refill() {
	n := min(u.depth()-len(u.rx), len(u.pending))
	sends := u.heedless || u.mcr&mcrRTS != 0
	if n > 0 && sends && u.mcr&mcrLoop == 0 {
		u.rx = append(u.rx, u.pending[:n]...)
		u.pending = append(u.pending[:0], u.pending[n:]...)
	}
	if len(u.rx) > 0 && u.fcr&fcrEnable != 0 && len(u.rx) < u.trigger() {
		// Four character times of 10 bits at 115200/divisor bits a second.
		character := uint64(max(u.divisor, 1)) * 10 * uint64(hw.Second) / 115200
		u.timeout = uint64(u.clock.Now()) + 4*character
		u.timer.Set(hw.Time(u.timeout))
	}
}

// Receive queues bytes from the host and returns how many it took: it takes
// fewer when a few thousand wait already.
func (u *UART) Receive(p []byte) int {
	n := min(len(p), backlog-len(u.pending))
	u.pending = append(u.pending, p[:n]...)
	u.refill()
	u.update()
	return n
}

// transmit is a byte written to THR.
func (u *UART) transmit(b uint8) {
	if trace.On(trace.UART) {
		trace.Emit(trace.UART, "transmit", uint64(b))
	}
	u.empty = false
	if u.mcr&mcrLoop != 0 {
		if len(u.rx) == u.depth() {
			u.errors |= lsrOE
		} else {
			u.rx = append(u.rx, b)
		}
		u.empty = true
		return
	}
	switch {
	case len(u.tx) < u.depth():
		u.tx = append(u.tx, b)
	case u.fcr&fcrEnable == 0:
		u.tx[0] = b // THR is overwritten; a full FIFO takes no more
	}
	u.flush()
}

// flush offers what waits to the host.
func (u *UART) flush() {
	for len(u.tx) > 0 {
		if u.out != nil && !u.out.Put(u.tx[0]) {
			return
		}
		u.tx = append(u.tx[:0], u.tx[1:]...)
	}
	u.empty = true
}

// Ready tells that the output takes bytes again.
func (u *UART) Ready() {
	if len(u.tx) > 0 {
		u.flush()
		u.update()
	}
}

// Break is a break on the line.
func (u *UART) Break() {
	u.errors |= lsrBI
	if len(u.rx) < u.depth() {
		u.rx = append(u.rx, 0)
	}
	u.update()
}

// modem is the high half of MSR: the inputs, or in loopback the outputs.
func (u *UART) modem() uint8 {
	if u.mcr&mcrLoop == 0 {
		return u.msr & 0xf0
	}
	var v uint8
	for _, w := range [...][2]uint8{{mcrRTS, CTS}, {mcrDTR, DSR}, {mcrOUT1, RI}, {mcrOUT2, DCD}} {
		if u.mcr&w[0] != 0 {
			v |= w[1]
		}
	}
	return v
}

func (u *UART) setModemControl(v uint8) {
	before := u.modem()
	u.mcr = v
	u.modemChanged(before, u.modem())
	if len(u.pending) > 0 {
		u.refill()
	}
}

// SetModem drives the modem inputs CTS, DSR, RI and DCD.
func (u *UART) SetModem(v uint8) {
	before := u.modem()
	u.msr = u.msr&15 | v&0xf0
	u.modemChanged(before, u.modem())
	u.update()
}

// modemChanged records deltas. RI counts when it goes low only.
func (u *UART) modemChanged(before, after uint8) {
	changed := before ^ after
	if after&RI != 0 {
		changed &^= RI
	}
	u.msr |= changed >> 4
}

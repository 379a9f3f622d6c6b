package apic

import "github.com/gov86/gov86/trace"

// Widths implements mem.MMIO.
func (l *Local) Widths() (smallest, largest int) { return 4, 4 }

// Read implements mem.MMIO.
func (l *Local) Read(off uint32, _ int) uint32 {
	if off >= regISR && off < regESR && off&15 == 0 {
		i := off >> 4 & 7
		switch off &^ 0x7f {
		case regISR:
			return l.isr[i]
		case regTMR:
			return l.tmr[i]
		}
		return l.irr[i]
	}
	if off >= regTimer && off <= regError && off&15 == 0 {
		return l.lvt[(off-regTimer)>>4]
	}
	switch off {
	case regID:
		return uint32(l.id) << 24
	case regVersion:
		return version
	case regTPR:
		return uint32(l.tpr)
	case regPPR:
		return uint32(l.ppr())
	case regAPR, regRRD, regEOI:
		return 0
	case regLDR:
		return uint32(l.ldr) << 24
	case regDFR:
		return uint32(l.dfr)<<28 | 0x0fffffff
	case regSVR:
		return l.svr
	case regESR:
		return uint32(l.esr)
	case regICRLow:
		return l.icrLow
	case regICRHigh:
		return l.icrHigh
	case regInitial:
		return l.initial
	case regCurrent:
		return l.current()
	case regDivide:
		return uint32(l.divide)
	}
	l.fail(esrRegister)
	l.update()
	return 0
}

// Write implements mem.MMIO.
func (l *Local) Write(off uint32, _ int, v uint32) {
	if trace.On(trace.APIC) {
		trace.Emit(trace.APIC, "write", uint64(off), uint64(v))
	}
	switch off {
	case regID:
		l.id = uint8(v >> 24)
	case regTPR:
		l.tpr = uint8(v)
	case regEOI:
		l.endOfInterrupt()
	case regLDR:
		l.ldr = uint8(v >> 24)
	case regDFR:
		l.dfr = uint8(v >> 28)
	case regSVR:
		l.setSVR(v)
	case regESR:
		// A write, of anything, shows what happened since the last one.
		l.esr, l.errors = l.errors, 0
	case regICRLow:
		l.icrLow = v & (entryVector | entryMode | entryLogical | icrLevel | entryLevel | 3<<icrShorthand)
		l.send()
	case regICRHigh:
		l.icrHigh = v & 0xff000000
	case regTimer, regThermal, regPerf, regLINT0, regLINT1, regError:
		l.setLVT(int(off-regTimer)>>4, v)
	case regInitial:
		l.initial = v
		l.start = uint64(l.clock.Now())
		l.arm()
	case regDivide:
		l.setDivide(uint8(v & divideBits))
	case regVersion, regPPR, regAPR, regRRD, regCurrent:
		// read-only
	default:
		if off&15 != 0 || off < regISR || off >= regESR {
			l.fail(esrRegister)
		}
	}
	l.update()
}

// setSVR is the spurious-interrupt vector register. Disabling masks the LVT;
// enabling leaves it masked.
func (l *Local) setSVR(v uint32) {
	enabling := v&^l.svr&svrEnable != 0
	l.svr = v & (svrFocus | svrEnable | entryVector)
	if l.svr&svrEnable == 0 {
		for i := range l.lvt {
			l.lvt[i] |= entryMask
		}
		l.arm()
	}
	if enabling && l.io != nil {
		l.io.retry()
	}
}

func (l *Local) setLVT(i int, v uint32) {
	v &= lvtWritable[i]
	if l.svr&svrEnable == 0 {
		v |= entryMask
	}
	if v&entryLevel != 0 {
		v |= l.lvt[i] & entryRemoteIRR
	}
	at, changed := l.current(), v^l.lvt[i]
	l.lvt[i] = v
	switch i {
	case lvtTimer:
		if changed&timerPeriodic != 0 {
			l.resume(at)
		}
		l.arm()
	case lvtLINT0, lvtLINT1:
		if v&entryLevel != 0 && Mode(v&entryMode>>entryModeShift) == Fixed {
			l.levelPin(i - lvtLINT0)
		}
	}
}

// send is a write to the low half of ICR: an interprocessor interrupt.
func (l *Local) send() {
	m := Message{
		Vector: uint8(l.icrLow), Mode: Mode(l.icrLow & entryMode >> entryModeShift),
		Logical: l.icrLow&entryLogical != 0, Destination: uint8(l.icrHigh >> 24),
	}
	switch l.icrLow >> icrShorthand & 3 {
	case 1, 2: // self, and all including self
		m.Destination = 0xff
	case 3: // all but self, which is nobody
		return
	}
	if (m.Mode == Fixed || m.Mode == Lowest) && m.Vector < firstVector {
		l.fail(esrSendVector)
		return
	}
	l.Accept(m)
}

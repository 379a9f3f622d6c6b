package interp

import (
	"github.com/gov86/gov86/cpu"
	"github.com/gov86/gov86/cpu/isa"
	"github.com/gov86/gov86/cpu/simd"
)

// exec and pureExec have the semantics of every operation: with the host's own
// arithmetic units, and without. TestEveryOpExecutes fails on a nil.
var exec, pureExec = table(hostX87.ops(), simdComputed(hostSIMD)), table(pureX87.ops(), simdComputed(&simd.Pure))

func table(x87Computed, vectors [isa.NumOps]func(*Engine, *isa.Inst) cpu.Trap) (t [isa.NumOps]func(*Engine, *isa.Inst) cpu.Trap) {
	t = integer
	for cc := range uint8(16) {
		t[isa.JO+isa.Op(cc)] = jcc(cc)
		t[isa.SETO+isa.Op(cc)] = setcc(cc)
		t[isa.CMOVO+isa.Op(cc)] = cmov(cc)
	}
	for _, part := range []*[isa.NumOps]func(*Engine, *isa.Inst) cpu.Trap{&environmentOps, &x87Ops, &x87Computed, &simdOps, &vectors} {
		for op, fn := range part {
			if fn != nil {
				t[op] = fn
			}
		}
	}
	for _, op := range absent {
		t[op] = undefined
	}
	return t
}

var integer = [isa.NumOps]func(*Engine, *isa.Inst) cpu.Trap{
	isa.ADD: binary(opAdd), isa.ADC: binary(opAdc), isa.SUB: binary(opSub), isa.SBB: binary(opSbb),
	isa.AND: binary(opAnd), isa.OR: binary(opOr), isa.XOR: binary(opXor),
	isa.CMP: comparison(opSub), isa.TEST: comparison(opAnd),
	isa.INC: unary(opInc), isa.DEC: unary(opDec), isa.NEG: unary(opNeg), isa.NOT: unary(opNot),
	isa.MUL: mul, isa.IMUL: imul, isa.DIV: div, isa.IDIV: idiv,
	isa.XADD: xadd, isa.CMPXCHG: cmpxchg, isa.CMPXCHG8B: cmpxchg8b,
	isa.DAA: daa, isa.DAS: das, isa.AAA: aaa, isa.AAS: aas, isa.AAM: aam, isa.AAD: aad,
	isa.CRC32: crc32, isa.POPCNT: popcnt,

	isa.SHL: shift(opShl), isa.SHR: shift(opShr), isa.SAR: shift(opSar),
	isa.ROL: shift(opRol), isa.ROR: shift(opRor), isa.RCL: shift(opRcl), isa.RCR: shift(opRcr),
	isa.SHLD: doubleShift(true), isa.SHRD: doubleShift(false),
	isa.BT:  bitTest(nil),
	isa.BTS: bitTest(func(v, bit uint32) uint32 { return v | bit }),
	isa.BTR: bitTest(func(v, bit uint32) uint32 { return v &^ bit }),
	isa.BTC: bitTest(func(v, bit uint32) uint32 { return v ^ bit }),
	isa.BSF: scan(lowest), isa.BSR: scan(highest),

	isa.MOV: mov, isa.MOVNTI: mov, isa.MOVZX: movzx, isa.MOVSX: movsx, isa.MOVBE: movbe, isa.LEA: lea,
	isa.XCHG: xchg, isa.BSWAP: bswap, isa.CBW: cbw, isa.CWDE: cbw, isa.CWD: cwd, isa.CDQ: cwd,
	isa.XLAT: xlat, isa.LAHF: lahf, isa.SAHF: sahf, isa.SALC: salc,
	isa.CLC: clc, isa.STC: stc, isa.CMC: cmc, isa.CLD: cld, isa.STD: std,
	isa.NOP: nop, isa.PAUSE: nop,

	isa.PUSH: push, isa.POP: pop, isa.PUSHA: pusha, isa.POPA: popa, isa.PUSHF: pushf, isa.POPF: popf,
	isa.ENTER: enter, isa.LEAVE: leave,

	isa.JMP: jmp, isa.CALL: call, isa.RET: ret, isa.JMPF: jmpf, isa.CALLF: callf, isa.RETF: retf, isa.IRET: iret,
	isa.LOOP:  loop(func(*flags) bool { return true }),
	isa.LOOPE: loop((*flags).zf), isa.LOOPNE: loop(func(f *flags) bool { return !f.zf() }),
	isa.JCXZ: jcxz,
	isa.LDS:  loadPointer(isa.DS), isa.LES: loadPointer(isa.ES), isa.LFS: loadPointer(isa.FS),
	isa.LGS: loadPointer(isa.GS), isa.LSS: loadPointer(isa.SS),
	isa.BOUND: bound, isa.INT: intn, isa.INT3: int3, isa.INTO: into, isa.INT1: int1,

	isa.MOVS: movs, isa.STOS: stos, isa.LODS: lods, isa.SCAS: scas, isa.CMPS: cmps, isa.INS: ins, isa.OUTS: outs,
	isa.IN: in_, isa.OUT: out,

	isa.HLT: cpl0(hlt), isa.CLI: cli, isa.STI: sti, isa.CLTS: cpl0(clts),
	isa.MOVSREG: movSegment, isa.MOVCR: cpl0(movControl), isa.MOVDR: cpl0(movDebug),
	isa.SMSW: smsw, isa.LMSW: cpl0(lmsw),
	isa.LGDT: cpl0(loadTable(gdtr)), isa.LIDT: cpl0(loadTable(idtr)),
	isa.SGDT: storeTable(gdtr), isa.SIDT: storeTable(idtr),
	isa.SLDT: protected(sldt), isa.STR: protected(str_),
	isa.LLDT: protected(cpl0(lldt)), isa.LTR: protected(cpl0(ltr)),
	isa.LAR: protected(inspect(lar)), isa.LSL: protected(inspect(lsl)),
	isa.VERR: protected(verify(false)), isa.VERW: protected(verify(true)), isa.ARPL: protected(arpl),
	isa.CLAC: userAccess(false), isa.STAC: userAccess(true),
	isa.INVLPG: cpl0(invlpg), isa.INVD: cpl0(nop), isa.WBINVD: cpl0(nop),
	isa.CPUID: cpuid, isa.RDTSC: rdtsc, isa.RDPMC: rdpmc,
	isa.RDMSR: cpl0(rdmsr), isa.WRMSR: cpl0(wrmsr),
	isa.SYSENTER: sysenter, isa.SYSEXIT: sysexit,
}

// absent are the operations that decode but that this processor does not have.
var absent = []isa.Op{isa.NoOp, isa.UD0, isa.UD1, isa.UD2, isa.RSM, isa.MONITOR, isa.MWAIT}

package amd64

import (
	"fmt"
	"strings"
	"testing"

	"golang.org/x/arch/x86/x86asm"
)

// write returns what emit writes.
func write(emit func(a *Asm)) []byte {
	a := Asm{Code: make([]byte, 64)}
	emit(&a)
	return a.Code[:a.Pos]
}

// TestEncodings compares bytes with the manual's tables, and text with what
// another decoder reads in them. It knows no VEX.
func TestEncodings(t *testing.T) {
	for _, c := range []struct {
		emit  func(a *Asm)
		bytes string
		text  string
	}{
		{func(a *Asm) { a.Mov(RCX, RAX) }, "89c1", "mov ecx, eax"},
		{func(a *Asm) { a.Mov(R9, RDI) }, "4189f9", "mov r9d, edi"},
		{func(a *Asm) { a.Mov(RBP, R15) }, "4489fd", "mov ebp, r15d"},
		{func(a *Asm) { a.MovImm(RDX, 0x12345678) }, "ba78563412", "mov edx, 0x12345678"},
		{func(a *Asm) { a.MovImm(R11, 12) }, "41bb0c000000", "mov r11d, 0xc"},

		// Every form of an address; RSP and R12 take a SIB byte, RBP and R13 a
		// displacement.
		{func(a *Asm) { a.Load(RAX, At(RCX, 0)) }, "8b01", "mov eax, dword ptr [rcx]"},
		{func(a *Asm) { a.Load(RAX, At(RSP, 0)) }, "8b0424", "mov eax, dword ptr [rsp]"},
		{func(a *Asm) { a.Load(RAX, At(R12, 0)) }, "418b0424", "mov eax, dword ptr [r12]"},
		{func(a *Asm) { a.Load(RAX, At(RBP, 0)) }, "8b4500", "mov eax, dword ptr [rbp]"},
		{func(a *Asm) { a.Load(RAX, At(R13, 0)) }, "418b4500", "mov eax, dword ptr [r13]"},
		{func(a *Asm) { a.Load(R8, At(R14, 127)) }, "458b467f", "mov r8d, dword ptr [r14+0x7f]"},
		{func(a *Asm) { a.Load(R8, At(R14, -128)) }, "458b4680", "mov r8d, dword ptr [r14-0x80]"},
		{func(a *Asm) { a.Load(R8, At(R14, 128)) }, "458b8680000000", "mov r8d, dword ptr [r14+0x80]"},
		{func(a *Asm) { a.Load(R8, At(R12, -129)) }, "458b84247fffffff", "mov r8d, dword ptr [r12+0xffffff7f]"},
		{func(a *Asm) { a.Load64(R9, Sum(R9, R8)) }, "4f8b0c01", "mov r9, qword ptr [r9+r8]"},
		{func(a *Asm) { a.Load64(R9, Sum(R13, RAX)) }, "4d8b4c0500", "mov r9, qword ptr [r13+rax]"},
		{func(a *Asm) { a.Load64(R9, Mem{Base: R13, Index: R9, Scale: 3, Disp: 0x800000}) }, "4f8b8ccd00008000",
			"mov r9, qword ptr [r13+8*r9+0x800000]"},
		{func(a *Asm) { a.Load(RSI, Mem{Base: None, Index: RBP, Scale: 2, Disp: -4}) }, "8b34adfcffffff", "mov esi, dword ptr [4*rbp+0xfffffffc]"},
		{func(a *Asm) { a.Load(RSI, Mem{Base: None, Index: R12, Scale: 1, Disp: 4}) }, "428b346504000000", "mov esi, dword ptr [2*r12+0x4]"},
		{func(a *Asm) { a.Load(RSI, Mem{Base: None, Index: None, Disp: 0x1234}) }, "8b342534120000", "mov esi, dword ptr [0x1234]"},

		{func(a *Asm) { a.Store(At(RBX, 8), RDX) }, "895308", "mov dword ptr [rbx+0x8], edx"},
		{func(a *Asm) { a.Store(Sum(R9, R15), R10) }, "4789143" + "9", "mov dword ptr [r9+r15], r10d"},
		{func(a *Asm) { a.Store64(At(R14, 16), RSP) }, "49896610", "mov qword ptr [r14+0x10], rsp"},
		{func(a *Asm) { a.StoreImm(At(R14, 64), 0xfffffffe) }, "41c74640feffffff", "mov dword ptr [r14+0x40], -0x2"},
		{func(a *Asm) { a.Lea(R8, At(R15, -4)) }, "458d47fc", "lea r8d, ptr [r15-0x4]"},
		{func(a *Asm) { a.Lea64(R12, At(R12, 5)) }, "4d8d642405", "lea r12, ptr [r12+0x5]"},

		{func(a *Asm) { a.RR(0, OneByte, 0x01, RAX, RBX) }, "01c3", "add ebx, eax"},
		{func(a *Asm) { a.RR(W, OneByte, 0x85, R9, R9) }, "4d85c9", "test r9, r9"},
		{func(a *Asm) { a.RR(P66, OneByte, 0x11, R15, RCX) }, "664411f9", "adc cx, r15w"},
		{func(a *Asm) { a.RR(0, TwoByte, 0xb7, R8, R15) }, "450fb7c7", "movzx r8d, r15w"},
		{func(a *Asm) { a.RR(0, TwoByte, 0xaf, RSI, R15) }, "410faff7", "imul esi, r15d"},
		{func(a *Asm) { a.RR(PF3, TwoByte, 0xb8, RSI, R15) }, "f3410fb8f7", "popcnt esi, r15d"},
		{func(a *Asm) { a.RR(PF2, Three38, 0xf1, RAX, R15) }, "f2410f38f1c7", "crc32 eax, r15d"},
		{func(a *Asm) { a.RR(P66, Three3A, 0x0f, 1, 2); a.Bytes(4) }, "660f3a0fca04", "palignr xmm1, xmm2, 0x4"},
		// Byte registers from SPL on need REX; AH to BH must not have it.
		{func(a *Asm) { a.RR(Byte, OneByte, 0x88, RSI, RCX) }, "4088f1", "mov cl, sil"},
		{func(a *Asm) { a.RR(Byte, OneByte, 0x88, RCX, RBP) }, "4088cd", "mov bpl, cl"},
		{func(a *Asm) { a.RR(Byte, OneByte, 0x88, RCX, RDX) }, "88ca", "mov dl, cl"},
		{func(a *Asm) { a.RR(0, OneByte, 0x88, RSI, RCX) }, "88f1", "mov cl, dh"},
		{func(a *Asm) { a.RM(Byte, OneByte, 0x8a, RDI, At(R9, 0)) }, "418a39", "mov dil, byte ptr [r9]"},
		{func(a *Asm) { a.RM(Byte, OneByte, 0x8a, RDI, At(RCX, 0)) }, "408a39", "mov dil, byte ptr [rcx]"},
		{func(a *Asm) { a.RM(Byte, TwoByte, 0x92, 0, At(R14, 1)) }, "410f924601", "setb byte ptr [r14+0x1]"},
		{func(a *Asm) { a.TestImm8(RAX, 3) }, "f6c003", "test al, 0x3"},
		{func(a *Asm) { a.TestImm8(RDI, 15) }, "40f6c70f", "test dil, 0xf"},
		{func(a *Asm) { a.TestImm8(R15, 1) }, "41f6c701", "test r15b, 0x1"},
		{func(a *Asm) { a.OpReg(0, TwoByte, 0xc8, R15) }, "410fcf", "bswap r15d"},
		{func(a *Asm) { a.OpReg(P66, OneByte, 0xb8, RBP); a.Bytes(0x34, 0x12) }, "66bd3412", "mov bp, 0x1234"},
		{func(a *Asm) { a.RM(0, TwoByte, 0x10, 7, Sum(R9, R8)) }, "430f103c01", "movups xmm7, xmmword ptr [r9+r8]"},
		{func(a *Asm) { a.RM(PF2, TwoByte, 0x58, 3, At(R9, 0)) }, "f2410f5819", "addsd xmm3, qword ptr [r9]"},

		{func(a *Asm) { a.Jmp(a.Pos + 0x105) }, "e900010000", "jmp .+0x100"},
		{func(a *Asm) { a.Call(a.Pos + 5) }, "e800000000", "call .+0x0"},
		{func(a *Asm) { a.Jcc(CondNE, a.Pos) }, "0f85faffffff", "jnz .-0x6"},
		{func(a *Asm) { a.Jcc(CondA, a.Pos+6) }, "0f8700000000", "jnbe .+0x0"},

		{func(a *Asm) { a.Mov64(RCX, R9) }, "4c89c9", "mov rcx, r9"},
		{func(a *Asm) { a.PatchShort(a.Jrcxz(), 5) }, "e303", "jrcxz .+0x3"},
		{func(a *Asm) { a.PatchShort(a.JmpShort(), 0) }, "ebfe", "jmp .-0x2"},
		{func(a *Asm) { a.Rorx(R9, RSI, 2) }, "c4637bf0ce02", ""},
		{func(a *Asm) { a.Rorx(RSI, R9, 2) }, "c4c37bf0f102", ""},
		{func(a *Asm) { a.Shrx(R9, R10, R11) }, "c44223f7ca", ""},
		{func(a *Asm) { a.Shrx(RDX, RSI, RDI) }, "c4e243f7d6", ""},
		{func(a *Asm) { a.Rorx(RAX, RAX, 8) }, "c4e37bf0c008", ""},
		{func(a *Asm) { a.Rorx(RBX, RBX, 24) }, "c4e37bf0db18", ""},
		{func(a *Asm) { a.Rorx(R15, R15, 8) }, "c4437bf0ff08", ""},
	} {
		code := write(c.emit)
		if got := fmt.Sprintf("%x", code); got != c.bytes {
			t.Errorf("%q is written as %s, want %s", c.text, got, c.bytes)
		}
		if c.text == "" {
			continue
		}
		in, err := x86asm.Decode(code, 64)
		if err != nil {
			t.Errorf("%x, %q: %v", code, c.text, err)
			continue
		}
		if got := strings.ToLower(x86asm.IntelSyntax(in, 0, nil)); got != c.text || in.Len != len(code) {
			t.Errorf("%x reads %q, %d bytes, want %q", code, got, in.Len, c.text)
		}
	}
}

// TestPatch leads a jump elsewhere, and back.
func TestPatch(t *testing.T) {
	a := Asm{Code: make([]byte, 64), Pos: 16}
	at := a.Jcc(CondE, 40)
	if got := a.Target(at); got != 40 {
		t.Errorf("it leads to %d", got)
	}
	a.Patch(at, 3)
	if got := a.Target(at); got != 3 || a.Pos != 22 {
		t.Errorf("patched it leads to %d, at %d", got, a.Pos)
	}
}

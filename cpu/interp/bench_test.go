package interp

import "testing"

// BenchmarkRun executes a loop with memory operands, branches, calls and a
// stack: what the engine's fast path is for.
func BenchmarkRun(b *testing.B) {
	p := newMachine(b)
	p.write(
		0xbe, 0, 0x80, 0, 0, // MOV ESI, 8000h
		0xb9, 100, 0, 0, 0, // MOV ECX, 100
		0x8b, 0x04, 0x8e, // MOV EAX, [ESI+ECX*4]
		0x01, 0xc8, // ADD EAX, ECX
		0x89, 0x04, 0x8e, // MOV [ESI+ECX*4], EAX
		0xe8, 0x05, 0, 0, 0, // CALL the function
		0x49,       // DEC ECX
		0x75, 0xf0, // JNZ to MOV EAX
		0xeb, 0xe4, // JMP to the start
		// The function: PUSH EBX; MOV EBX, EAX; SHR EBX, 3; XOR EAX, EBX; POP EBX; RET
		0x53, 0x89, 0xc3, 0xc1, 0xeb, 0x03, 0x31, 0xd8, 0x5b, 0xc3)
	var retired uint64
	for b.Loop() {
		n, _ := p.Run(10_000)
		retired += n
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(retired), "ns/instruction")
	if p.Halted || p.EIP < codeAt || p.EIP > codeAt+0x40 {
		b.Errorf("the loop was left for %#x", p.EIP)
	}
}

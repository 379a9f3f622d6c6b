// Command gen writes the fast handlers of package interp: for each common form
// of an instruction the code that executes it, the constant that names it and
// the rule that chooses it. The table is here; run it with go generate.
package main

import (
	"bytes"
	"fmt"
	"go/format"
	"log"
	"os"
	"strings"
)

// A form is one handler: the instructions it takes and what it does.
type form struct {
	name string // of the constant
	op   string // isa operation
	when string // further condition on in and m, in Go
	body string
}

var forms []form

// add enters a form. One with a memory operand gets a second, tried first, for
// addresses without an index: the most common, and much shorter code.
func add(name, op, when, body string) {
	if strings.Contains(body, address) {
		forms = append(forms, form{name + "B", op, when + " && in.Index == isa.NoReg", strings.ReplaceAll(body, address, simple)})
	}
	forms = append(forms, form{name, op, when, body})
}

// Conditions on operands.
func args(kinds ...string) string {
	var c []string
	for i, k := range kinds {
		c = append(c, fmt.Sprintf("in.Args[%d].Kind() == isa.%s", i, k))
	}
	return strings.Join(c, " && ")
}

const (
	flatMemory = "flat(in, m)"
	flatStack  = "stack(m)"
	flatCode   = "m&cpu.ModeFlatCS != 0 && in.OpSize == 4"
	wide       = "in.OpSize == 4"
)

// Operands.
const (
	dst     = "uint32(g[in.Args[0]&15])"
	src     = "uint32(g[in.Args[1]&15])"
	simple  = "uint32(g[in.Base&15]) + in.Disp + e.base[in.Seg&7]"
	address = "uint32(g[in.Base&15]) + uint32(g[in.Index&15])<<(in.Scale&3) + in.Disp + e.base[in.Seg&7]"
	next    = "e.start + uint32(in.Off) + uint32(in.Len)"
	slow    = ` else if !e.general(in, b) {
		break run
	}`
)

func setDst(v string) string { return "g[in.Args[0]&7] = uint64(" + v + ")\n" }

func access(table, typ string, width int, body, otherwise string) string {
	return fmt.Sprintf(`if p := %s[l>>12]; p != 0 && l&0xfff <= %d {
		at := (*%s)(unsafe.Add(nil, p+uintptr(l)))
		%s
	}%s
`, table, 4096-width, typ, body, otherwise)
}

func atMemory(table, typ string, width int, body string) string {
	return "l := " + address + "\n" + access(table, typ, width, body, slow)
}

// An operation computes r from a and b and sets the flags.
type operation struct {
	name, op string
	body     string
	writes   bool
}

const (
	sumFlags  = "e.flags.result, e.flags.carries = r, (a&v|(a|v)&^r)&carryMask\n"
	diffFlags = "e.flags.result, e.flags.carries = r, (^a&v|(^a|v)&r)&carryMask\n"
	bitFlags  = "e.flags.result, e.flags.carries = r, 0\n"
)

var operations = []operation{
	{"Add", "ADD", "r := a + v\n" + sumFlags, true},
	{"Or", "OR", "r := a | v\n" + bitFlags, true},
	{"And", "AND", "r := a & v\n" + bitFlags, true},
	{"Sub", "SUB", "r := a - v\n" + diffFlags, true},
	{"Xor", "XOR", "r := a ^ v\n" + bitFlags, true},
	{"Cmp", "CMP", "r := a - v\n" + diffFlags, false},
	{"Test", "TEST", "r := a & v\n" + bitFlags, false},
	{"Adc", "ADC", "r := a + v + e.flags.carries>>31\n" + sumFlags, true},
	{"Sbb", "SBB", "r := a - v - e.flags.carries>>31\n" + diffFlags, true},
}

func arithmetic() {
	for _, o := range operations {
		set, store := "", ""
		if o.writes {
			set, store = setDst("r"), "*at = r\n"
		}
		table := "rd"
		if o.writes {
			table = "wr"
		}
		add(o.name+"RR", o.op, args("Reg32", "Reg32"), "a, v := "+dst+", "+src+"\n"+o.body+set)
		add(o.name+"RI", o.op, args("Reg32", "Imm"), "a, v := "+dst+", in.Imm\n"+o.body+set)
		add(o.name+"RM", o.op, args("Reg32", "Mem")+" && "+flatMemory,
			atMemory("rd", "uint32", 4, "a, v := "+dst+", *at\n"+o.body+set))
		add(o.name+"MR", o.op, args("Mem", "Reg32")+" && "+flatMemory,
			atMemory(table, "uint32", 4, "a, v := *at, "+src+"\n"+o.body+store))
		add(o.name+"MI", o.op, args("Mem", "Imm")+" && in.Width == 4 && "+flatMemory,
			atMemory(table, "uint32", 4, "a, v := *at, in.Imm\n"+o.body+store))
	}
}

const (
	dst8 = "uint32(s.Reg8(uint8(in.Args[0]&7)))"
	src8 = "uint32(s.Reg8(uint8(in.Args[1]&7)))"
)

func set8(v string) string { return "s.SetReg8(uint8(in.Args[0]&7), uint8(" + v + "))\n" }

// arithmetic8 is the byte forms.
func arithmetic8() {
	body := map[string]string{
		"Add": "r := e.flags.add(a, v, 0, 1)\n", "Sub": "r := e.flags.sub(a, v, 0, 1)\n",
		"And": "r := e.flags.logic(a&v, 1)\n", "Or": "r := e.flags.logic(a|v, 1)\n", "Xor": "r := e.flags.logic(a^v, 1)\n",
		"Cmp": "e.flags.sub(a, v, 0, 1)\n", "Test": "e.flags.logic(a&v, 1)\n",
	}
	for _, o := range operations[:7] {
		set, store, table := "", "", "rd"
		if o.writes {
			set, store, table = set8("r"), "*at = uint8(r)\n", "wr"
		}
		add(o.name+"8RR", o.op, args("Reg8", "Reg8"), "a, v := "+dst8+", "+src8+"\n"+body[o.name]+set)
		add(o.name+"8RI", o.op, args("Reg8", "Imm"), "a, v := "+dst8+", in.Imm\n"+body[o.name]+set)
		add(o.name+"8RM", o.op, args("Reg8", "Mem")+" && "+flatMemory,
			atMemory("rd", "uint8", 1, "a, v := "+dst8+", uint32(*at)\n"+body[o.name]+set))
		add(o.name+"8MR", o.op, args("Mem", "Reg8")+" && "+flatMemory,
			atMemory(table, "uint8", 1, "a, v := uint32(*at), "+src8+"\n"+body[o.name]+store))
		add(o.name+"8MI", o.op, args("Mem", "Imm")+" && in.Width == 1 && "+flatMemory,
			atMemory(table, "uint8", 1, "a, v := uint32(*at), in.Imm\n"+body[o.name]+store))
	}
}

func moves() {
	add("MovRR", "MOV", args("Reg32", "Reg32"), setDst(src))
	add("MovRI", "MOV", args("Reg32", "Imm"), setDst("in.Imm"))
	add("MovRM", "MOV", args("Reg32", "Mem")+" && "+flatMemory, atMemory("rd", "uint32", 4, setDst("*at")))
	add("MovMR", "MOV", args("Mem", "Reg32")+" && "+flatMemory, atMemory("wr", "uint32", 4, "*at = "+src))
	add("MovMI", "MOV", args("Mem", "Imm")+" && in.Width == 4 && "+flatMemory, atMemory("wr", "uint32", 4, "*at = in.Imm"))
	add("Mov8RR", "MOV", args("Reg8", "Reg8"), set8(src8))
	add("Mov8RI", "MOV", args("Reg8", "Imm"), set8("in.Imm"))
	add("Mov8RM", "MOV", args("Reg8", "Mem")+" && "+flatMemory, atMemory("rd", "uint8", 1, set8("*at")))
	add("Mov8MR", "MOV", args("Mem", "Reg8")+" && "+flatMemory, atMemory("wr", "uint8", 1, "*at = uint8("+src8+")"))
	add("Mov8MI", "MOV", args("Mem", "Imm")+" && in.Width == 1 && "+flatMemory, atMemory("wr", "uint8", 1, "*at = uint8(in.Imm)"))
	add("Mov16RR", "MOV", args("Reg16", "Reg16"), "s.SetReg16(uint8(in.Args[0]&7), uint16("+src+"))")
	add("Mov16RM", "MOV", args("Reg16", "Mem")+" && "+flatMemory,
		atMemory("rd", "uint16", 2, "s.SetReg16(uint8(in.Args[0]&7), *at)"))
	add("Mov16MR", "MOV", args("Mem", "Reg16")+" && "+flatMemory, atMemory("wr", "uint16", 2, "*at = uint16("+src+")"))
	add("Mov16MI", "MOV", args("Mem", "Imm")+" && in.Width == 2 && "+flatMemory, atMemory("wr", "uint16", 2, "*at = uint16(in.Imm)"))
	for _, x := range []struct{ name, op, signed string }{{"Movzx", "MOVZX", ""}, {"Movsx", "MOVSX", "int"}} {
		convert := func(v string, bits int) string {
			if x.signed == "" {
				return fmt.Sprintf("uint%d(%s)", bits, v)
			}
			return fmt.Sprintf("uint32(int32(int%d(%s)))", bits, v)
		}
		add(x.name+"8R", x.op, args("Reg32", "Reg8"), setDst(convert("s.Reg8(uint8(in.Args[1]&7))", 8)))
		add(x.name+"16R", x.op, args("Reg32", "Reg16"), setDst(convert(src, 16)))
		add(x.name+"8M", x.op, args("Reg32", "Mem")+" && in.Width == 1 && "+flatMemory, atMemory("rd", "uint8", 1, setDst(convert("*at", 8))))
		add(x.name+"16M", x.op, args("Reg32", "Mem")+" && in.Width == 2 && "+flatMemory, atMemory("rd", "uint16", 2, setDst(convert("*at", 16))))
	}
	add("Lea", "LEA", args("Reg32")+" && in.AddrSize == 4",
		setDst("uint32(g[in.Base&15]) + uint32(g[in.Index&15])<<(in.Scale&3) + in.Disp"))
	add("XchgRR", "XCHG", args("Reg32", "Reg32"), "g[in.Args[0]&7], g[in.Args[1]&7] = g[in.Args[1]&7], g[in.Args[0]&7]")
	add("Cdq", "CDQ", wide, "g[cpu.EDX] = uint64(uint32(int32(g[cpu.EAX]) >> 31))")
	add("Bswap", "BSWAP", args("Reg32"), setDst("bits.ReverseBytes32("+dst+")"))
	add("Nop", "NOP", "", "")
	for cc, name := range conditionNames {
		add("Cmov"+name+"RR", "CMOVO+"+fmt.Sprint(cc), args("Reg32", "Reg32"), "if "+condition(cc)+" {\n"+setDst(src)+"}")
		add("Set"+name, "SETO+"+fmt.Sprint(cc), args("Reg8"), "var v uint8\nif "+condition(cc)+" {\nv = 1\n}\ns.SetReg8(uint8(in.Args[0]&7), v)")
	}
}

func unary() {
	add("IncR", "INC", args("Reg32"), "r := "+dst+" + 1\n"+incFlags+setDst("r"))
	add("DecR", "DEC", args("Reg32"), "r := "+dst+" - 1\n"+decFlags+setDst("r"))
	add("IncM", "INC", args("Mem")+" && in.Width == 4 && "+flatMemory, atMemory("wr", "uint32", 4, "r := *at + 1\n"+incFlags+"*at = r"))
	add("DecM", "DEC", args("Mem")+" && in.Width == 4 && "+flatMemory, atMemory("wr", "uint32", 4, "r := *at - 1\n"+decFlags+"*at = r"))
	add("NegR", "NEG", args("Reg32"), "a, v := uint32(0), "+dst+"\nr := a - v\n"+diffFlags+setDst("r"))
	add("NotR", "NOT", args("Reg32"), setDst("^"+dst))
	for _, o := range []struct{ name, op, r, out string }{
		{"Shl", "SHL", "a << n", "a >> (32 - n)"},
		{"Shr", "SHR", "a >> n", "a >> (n - 1)"},
		{"Sar", "SAR", "uint32(int32(a) >> n)", "uint32(int32(a) >> (n - 1))"},
	} {
		overflow := "of := cf" // SAR by one clears OF: the carry into the sign is the carry
		switch o.op {
		case "SHL":
			overflow = "of := r >> 31" // OF is the sign xored with CF, so the carry in is the sign
		case "SHR":
			overflow = "of := cf ^ a>>31" // OF is the old sign
		}
		body := "r, cf := " + o.r + ", (" + o.out + ")&1\n" + overflow + "\ne.flags.result, e.flags.carries = r, cf<<31|of<<30\n" + setDst("r")
		add(o.name+"RI", o.op, args("Reg32", "Imm")+" && in.Imm&31 != 0", "a, n := "+dst+", in.Imm&31\n"+body)
		add(o.name+"RC", o.op, args("Reg32", "Reg8"), "if n := uint32(g[cpu.ECX]) & 31; n != 0 {\na := "+dst+"\n"+body+"}")
	}
	add("RolRI", "ROL", args("Reg32", "Imm")+" && in.Imm&31 != 0",
		"r := bits.RotateLeft32("+dst+", int(in.Imm&31))\ne.flags.setCFOF(r&1 != 0, (r^r>>31)&1 != 0)\n"+setDst("r"))
	add("RorRI", "ROR", args("Reg32", "Imm")+" && in.Imm&31 != 0",
		"r := bits.RotateLeft32("+dst+", -int(in.Imm&31))\ne.flags.setCFOF(r>>31 != 0, (r^r<<1)>>31 != 0)\n"+setDst("r"))
	product := "e.flags.product(v)\n" + setDst("uint32(v)")
	add("ImulRR", "IMUL", args("Reg32", "Reg32", "None"), "v := int64(int32("+dst+")) * int64(int32("+src+"))\n"+product)
	add("ImulRRI", "IMUL", args("Reg32", "Reg32", "Imm"), "v := int64(int32("+src+")) * int64(int32(in.Imm))\n"+product)
	add("ImulRM", "IMUL", args("Reg32", "Mem", "None")+" && "+flatMemory,
		atMemory("rd", "uint32", 4, "v := int64(int32("+dst+")) * int64(int32(*at))\n"+product))
	wideProduct := func(operand string) string {
		return "v := g[cpu.EAX] * " + operand + "\ng[cpu.EAX], g[cpu.EDX] = v&0xffffffff, v>>32\n" +
			"e.flags.result, e.flags.carries = uint32(v), 0\nif v>>32 != 0 {\ne.flags.carries = carryCF\n}"
	}
	add("MulR", "MUL", args("Reg32"), wideProduct("g[in.Args[0]&15]"))
	add("MulM", "MUL", args("Mem")+" && in.Width == 4 && "+flatMemory, atMemory("rd", "uint32", 4, wideProduct("uint64(*at)")))
	double := func(name, op, r, out string) {
		add(name, op, args("Reg32", "Reg32", "Imm")+" && in.Imm&31 != 0", "a, v, n := "+dst+", "+src+", in.Imm&31\n"+
			"r, cf := "+r+", ("+out+")&1\ne.flags.result, e.flags.carries = r, cf<<31|(cf^(r^a)>>31)<<30\n"+setDst("r"))
	}
	double("ShldRRI", "SHLD", "a<<n | v>>(32-n)", "a >> (32 - n)")
	double("ShrdRRI", "SHRD", "a>>n | v<<(32-n)", "a >> (n - 1)")
}

// INC and DEC keep CF: its bit stays, and the carry in is made to give OF.
const (
	incFlags = `cf := e.flags.carries & carryCF
	carries := cf | cf>>1
	if r == 0x80000000 {
		carries ^= carryIn
	}
	if r&15 == 0 {
		carries |= carryAF
	}
	e.flags.result, e.flags.carries = r, carries
	`
	decFlags = `cf := e.flags.carries & carryCF
	carries := cf | cf>>1
	if r == 0x7fffffff {
		carries ^= carryIn
	}
	if r&15 == 15 {
		carries |= carryAF
	}
	e.flags.result, e.flags.carries = r, carries
	`
)

// fromMemory finds the host's address of a doubleword that is to be pushed; if
// there is none, it makes the push take the slow path.
const fromMemory = "q := rd[from>>12]\nif q == 0 || from&0xfff > 4092 {\nl = 0xfff // a doubleword here crosses a page\n}\n"

func stack() {
	push := func(v string) string {
		return "v := " + v + "\nl := uint32(g[cpu.ESP]) - 4 + e.base[isa.SS]\n" +
			access("wr", "uint32", 4, "*at = v\ng[cpu.ESP] = uint64(uint32(g[cpu.ESP]) - 4)", slow)
	}
	add("PushR", "PUSH", args("Reg32")+" && "+flatStack, push(dst))
	add("PushI", "PUSH", args("Imm")+" && "+wide+" && "+flatStack, push("in.Imm"))
	add("PushM", "PUSH", args("Mem")+" && in.Width == 4 && "+flatStack+" && "+flatMemory,
		"from := "+address+"\nl := uint32(g[cpu.ESP]) - 4 + e.base[isa.SS]\n"+
			fromMemory+
			access("wr", "uint32", 4, "*at = *(*uint32)(unsafe.Add(nil, q+uintptr(from)))\ng[cpu.ESP] = uint64(uint32(g[cpu.ESP]) - 4)", slow))
	add("PopR", "POP", args("Reg32")+" && "+flatStack, "l := uint32(g[cpu.ESP]) + e.base[isa.SS]\n"+
		access("rd", "uint32", 4, "v := *at\ng[cpu.ESP] = uint64(uint32(g[cpu.ESP]) + 4)\n"+setDst("v"), slow))
	add("Leave", "LEAVE", wide+" && "+flatStack, "l := uint32(g[cpu.EBP]) + e.base[isa.SS]\n"+
		access("rd", "uint32", 4, "g[cpu.ESP] = uint64(uint32(g[cpu.EBP]) + 4)\ng[cpu.EBP] = uint64(*at)", slow))
}

var conditionNames = []string{"O", "NO", "B", "NB", "Z", "NZ", "BE", "NBE", "S", "NS", "P", "NP", "L", "NL", "LE", "NLE"}

// condition is a test of the lazy flags in Go.
func condition(cc int) string {
	c := []string{"e.flags.of()", "e.flags.carries>>31 != 0", "e.flags.result == 0", "(e.flags.carries>>31 != 0 || e.flags.result == 0)",
		"e.flags.sf()", "e.flags.pf()", "e.flags.sf() != e.flags.of()", "(e.flags.result == 0 || e.flags.sf() != e.flags.of())"}[cc>>1]
	if cc&1 != 0 {
		return "!(" + c + ")"
	}
	return c
}

const jump = "e.eip = " + next + " + in.Imm\ne.taken = 1\n"

func control() {
	add("Jmp", "JMP", args("Rel")+" && "+flatCode, jump)
	for cc, name := range conditionNames {
		add("J"+name, "JO+"+fmt.Sprint(cc), args("Rel")+" && "+flatCode,
			"to := "+next+"\nif "+condition(cc)+" {\nto += in.Imm\ne.taken = 1\n}\ne.eip = to")
	}
	pushNext := func(target string) string {
		return "l := uint32(g[cpu.ESP]) - 4 + e.base[isa.SS]\n" +
			access("wr", "uint32", 4, "to := "+target+"\n*at = "+next+"\ng[cpu.ESP] = uint64(uint32(g[cpu.ESP]) - 4)\ne.eip = to\ne.taken = 1", slow)
	}
	add("Call", "CALL", args("Rel")+" && "+flatCode+" && "+flatStack, pushNext(next+" + in.Imm"))
	add("CallR", "CALL", args("Reg32")+" && "+flatCode+" && "+flatStack, pushNext(dst))
	// The target is loaded first, and on the fast path only; then as above.
	add("CallM", "CALL", args("Mem")+" && in.Width == 4 && "+flatCode+" && "+flatStack+" && "+flatMemory,
		"from := "+address+"\nl := uint32(g[cpu.ESP]) - 4 + e.base[isa.SS]\n"+fromMemory+
			access("wr", "uint32", 4, "to := *(*uint32)(unsafe.Add(nil, q+uintptr(from)))\n*at = "+next+
				"\ng[cpu.ESP] = uint64(uint32(g[cpu.ESP]) - 4)\ne.eip = to\ne.taken = 1", slow))
	add("JmpR", "JMP", args("Reg32")+" && "+flatCode, "e.eip = "+dst+"\ne.taken = 1")
	add("JmpM", "JMP", args("Mem")+" && in.Width == 4 && "+flatCode+" && "+flatMemory,
		"l := "+address+"\n"+access("rd", "uint32", 4, "e.eip = *at\ne.taken = 1", slow))
	add("Ret", "RET", flatCode+" && "+flatStack, "l := uint32(g[cpu.ESP]) + e.base[isa.SS]\n"+
		access("rd", "uint32", 4, "e.eip = *at\ne.taken = 1\ng[cpu.ESP] = uint64(uint32(g[cpu.ESP]) + 4 + in.Imm)", slow))
}

// A pair is an instruction fused with the conditional jump that follows it.
type pair struct {
	first string // the form of the first
	cc    []int
	body  func(cc int) string
}

var compared = map[int]string{2: "a < v", 3: "a >= v", 4: "a == v", 5: "a != v", 6: "a <= v", 7: "a > v",
	12: "int32(a) < int32(v)", 13: "int32(a) >= int32(v)", 14: "int32(a) <= int32(v)", 15: "int32(a) > int32(v)"}

var tested = map[int]string{4: "r == 0", 5: "r != 0", 8: "int32(r) < 0", 9: "int32(r) >= 0", 14: "int32(r) <= 0", 15: "int32(r) > 0"}

func pairs() []pair {
	fuse := func(operands, body string, tests map[int]string) func(int) string {
		return func(cc int) string {
			return operands + body + `p = unsafe.Add(p, instSize)
			in = (*isa.Inst)(p)
			to := ` + next + `
			if ` + tests[cc] + ` {
				to += in.Imm
				e.taken = 1
			}
			e.eip = to`
		}
	}
	compare := "r := a - v\n" + diffFlags
	test := "r := a & v\n" + bitFlags
	all := []int{2, 3, 4, 5, 6, 7, 12, 13, 14, 15}
	few := []int{4, 5, 8, 9, 14, 15}
	return []pair{
		{"CmpRR", all, fuse("a, v := "+dst+", "+src+"\n", compare, compared)},
		{"CmpRI", all, fuse("a, v := "+dst+", in.Imm\n", compare, compared)},
		{"TestRR", few, fuse("a, v := "+dst+", "+src+"\n", test, tested)},
		{"TestRI", []int{4, 5}, fuse("a, v := "+dst+", in.Imm\n", test, tested)},
		{"Cmp8RI", []int{2, 3, 4, 5, 6, 7}, fuse("a, v := "+dst8+", in.Imm&0xff\n", "e.flags.sub(a, v, 0, 1)\n", compared)},
		{"Test8RR", []int{4, 5}, fuse("a, v := "+dst8+", "+src8+"\n", "r := e.flags.logic(a&v, 1)\n", tested)},
		{"Test8RI", []int{4, 5}, fuse("a, v := "+dst8+", in.Imm&0xff\n", "r := e.flags.logic(a&v, 1)\n", tested)},
		{"DecR", []int{4, 5}, fuse("r := "+dst+" - 1\n", decFlags+setDst("r"), tested)},
		{"SubRI", []int{4, 5}, fuse("a, v := "+dst+", in.Imm\n", "r := a - v\n"+diffFlags+setDst("r"), tested)},
		{"AddRI", []int{4, 5}, fuse("a, v := "+dst+", in.Imm\n", "r := a + v\n"+sumFlags+setDst("r"), tested)},
	}
}

func main() {
	log.SetFlags(0)
	moves()
	arithmetic()
	arithmetic8()
	unary()
	stack()
	control()
	var w bytes.Buffer
	writeConstants(&w)
	writeChoose(&w)
	writeFuse(&w)
	writeExecute(&w)
	out, err := format.Source(w.Bytes())
	if err != nil {
		os.WriteFile("fast_unsafe.go", w.Bytes(), 0o644)
		log.Fatal(err)
	}
	if err := os.WriteFile("fast_unsafe.go", out, 0o644); err != nil {
		log.Fatal(err)
	}
}

func fusedName(p pair, cc int) string { return p.first + "J" + conditionNames[cc] }

func writeConstants(w *bytes.Buffer) {
	fmt.Fprint(w, `// Code generated by gen; DO NOT EDIT.

package interp

import (
	"math/bits"
	"unsafe"

	"github.com/gov86/gov86/cpu"
	"github.com/gov86/gov86/cpu/block"
	"github.com/gov86/gov86/cpu/isa"
)

// The handlers. Zero is the general one.
const (
	hGeneral uint16 = iota
`)
	for _, f := range forms {
		fmt.Fprintf(w, "h%s\n", f.name)
	}
	for _, p := range pairs() {
		for _, cc := range p.cc {
			fmt.Fprintf(w, "h%s\n", fusedName(p, cc))
		}
	}
	fmt.Fprint(w, ")\n\n")
}

func writeChoose(w *bytes.Buffer) {
	fmt.Fprint(w, "// choose returns the handler for in, decoded in mode m.\nfunc choose(in *isa.Inst, m cpu.Mode) uint16 {\nswitch in.Op {\n")
	var order []string
	byOp := map[string][]form{}
	for _, f := range forms {
		if byOp[f.op] == nil {
			order = append(order, f.op)
		}
		byOp[f.op] = append(byOp[f.op], f)
	}
	for _, op := range order {
		fmt.Fprintf(w, "case isa.%s:\nswitch {\n", op)
		for _, f := range byOp[op] {
			if f.when == "" {
				fmt.Fprintf(w, "default:\nreturn h%s\n", f.name)
			} else {
				fmt.Fprintf(w, "case %s:\nreturn h%s\n", f.when, f.name)
			}
		}
		fmt.Fprint(w, "}\n")
	}
	fmt.Fprint(w, "}\nreturn hGeneral\n}\n\n")
}

func writeFuse(w *bytes.Buffer) {
	fmt.Fprint(w, "// fuse returns the handler for the pair of the handler first and a Jcc with\n// condition cc, or first.\nfunc fuse(first uint16, cc uint8) uint16 {\nswitch first {\n")
	for _, p := range pairs() {
		fmt.Fprintf(w, "case h%s:\nswitch cc {\n", p.first)
		for _, cc := range p.cc {
			fmt.Fprintf(w, "case %d:\nreturn h%s\n", cc, fusedName(p, cc))
		}
		fmt.Fprint(w, "}\n")
	}
	fmt.Fprint(w, "}\nreturn first\n}\n\n")
}

func writeExecute(w *bytes.Buffer) {
	fmt.Fprint(w, executeHead)
	for _, f := range forms {
		fmt.Fprintf(w, "case h%s:\n%s\n", f.name, f.body)
	}
	for _, p := range pairs() {
		for _, cc := range p.cc {
			fmt.Fprintf(w, "case h%s:\n%s\n", fusedName(p, cc), p.body(cc))
		}
	}
	fmt.Fprint(w, executeTail)
}

const executeHead = `// instSize is the distance of instructions in memory.
const instSize = unsafe.Sizeof(isa.Inst{})

// execute runs b, which lies at EIP, and the blocks known to follow, until the
// budget is spent, something asks for attention, or the next block is not
// known. It leaves EIP at the next instruction, or has delivered a fault.
//
// Little is kept in variables: what a handler does not need in a register would
// be spilled around every one of them.
//
// SAFETY: an addend in a view is that of a page of guest memory, which is
// mapped as long as the machine lives; each access stays within its page. An
// addend plus a linear address is a whole host address, hence the base nil.
// The instructions from p to end are a block's, in an arena that is never moved.
func (e *Engine) execute(b *block.Block) {
	s := e.State
	g := &s.GPR
	rd, wr := e.read, e.write
	e.start = s.EIP
	e.fault = cpu.NoTrap
	for {
		insts := e.cache.Insts(b)
		e.left -= int64(len(insts))
		e.taken = 0
		p := unsafe.Pointer(unsafe.SliceData(insts))
		end := unsafe.Add(p, uintptr(len(insts))*instSize)
	run:
		for ; p != end; p = unsafe.Add(p, instSize) {
			in := (*isa.Inst)(p)
			switch in.Handler {
`

const executeTail = `
			default:
				if !e.general(in, b) {
					break run
				}
			}
		}
		if p != end {
			e.leave(b, (*isa.Inst)(p))
			return
		}
		eip := e.eip
		if !b.Ends {
			eip = e.start + uint32(b.Bytes)
		}
		s.EIP = eip
		if e.left <= 0 || e.Attention() != 0 {
			return
		}
		l := eip + e.codeBase
		n := e.cache.At(b.Link[e.taken&1])
		if n.Linear != l || n.Epoch != e.TLB.Epoch || n.Mode != e.mode {
			j := e.lookup(l)
			if j == 0 {
				e.from, e.fromTaken = b, int(e.taken)
				return
			}
			b.Link[e.taken&1] = j
			n = e.cache.At(j)
		}
		if !e.withinLimit(n) {
			return
		}
		b, e.start = n, eip
	}
}
`

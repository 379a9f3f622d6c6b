package gdb

import (
	"fmt"
	"strings"
)

// description is the target description (Debugging with GDB, "Target
// Descriptions"): it gives every register its name, width and type.
var description = describe()

// flags are the fields of a register as GDB is to show them.
func flags(id string, fields map[int]string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "<flags id=%q size=\"4\">", id)
	for bit := range 32 {
		if name := fields[bit]; name != "" {
			fmt.Fprintf(&b, "<field name=%q start=\"%d\" end=\"%d\"/>", name, bit, bit)
		}
	}
	b.WriteString("</flags>\n")
	return b.String()
}

var (
	eflagsFields = map[int]string{0: "CF", 2: "PF", 4: "AF", 6: "ZF", 7: "SF", 8: "TF", 9: "IF", 10: "DF", 11: "OF",
		14: "NT", 16: "RF", 17: "VM", 18: "AC", 19: "VIF", 20: "VIP", 21: "ID"}
	mxcsrFields = map[int]string{0: "IE", 1: "DE", 2: "ZE", 3: "OE", 4: "UE", 5: "PE", 6: "DAZ", 7: "IM", 8: "DM",
		9: "ZM", 10: "OM", 11: "UM", 12: "PM", 15: "FZ"}
	cr0Fields = map[int]string{0: "PE", 1: "MP", 2: "EM", 3: "TS", 4: "ET", 5: "NE", 16: "WP", 18: "AM", 29: "NW",
		30: "CD", 31: "PG"}
	cr4Fields = map[int]string{0: "VME", 1: "PVI", 2: "TSD", 3: "DE", 4: "PSE", 5: "PAE", 6: "MCE", 7: "PGE",
		8: "PCE", 9: "OSFXSR", 10: "OSXMMEXCPT", 20: "SMEP", 21: "SMAP"}
)

const vectorTypes = `<vector id="v4f" type="ieee_single" count="4"/>
<vector id="v2d" type="ieee_double" count="2"/>
<vector id="v16i8" type="int8" count="16"/>
<vector id="v8i16" type="int16" count="8"/>
<vector id="v4i32" type="int32" count="4"/>
<vector id="v2i64" type="int64" count="2"/>
<union id="vec128"><field name="v4_float" type="v4f"/><field name="v2_double" type="v2d"/>` +
	`<field name="v16_int8" type="v16i8"/><field name="v8_int16" type="v8i16"/><field name="v4_int32" type="v4i32"/>` +
	`<field name="v2_int64" type="v2i64"/><field name="uint128" type="uint128"/></union>
`

func describe() string {
	var b strings.Builder
	b.WriteString("<?xml version=\"1.0\"?>\n<!DOCTYPE target SYSTEM \"gdb-target.dtd\">\n" +
		"<target version=\"1.0\">\n<architecture>i386</architecture>\n")
	feature := func(name, types string, first, end int) {
		fmt.Fprintf(&b, "<feature name=%q>\n%s", name, types)
		for n, r := range registers[first:end] {
			fmt.Fprintf(&b, "<reg name=%q bitsize=\"%d\" type=%q regnum=\"%d\"", r.name, r.bits, r.typ, first+n)
			if r.group != "" {
				fmt.Fprintf(&b, " group=%q", r.group)
			}
			b.WriteString("/>\n")
		}
		b.WriteString("</feature>\n")
	}
	feature("org.gnu.gdb.i386.core", flags("i386_eflags", eflagsFields), 0, firstSSE)
	feature("org.gnu.gdb.i386.sse", vectorTypes+flags("i386_mxcsr", mxcsrFields), firstSSE, firstSystem)
	feature("org.gov86.i386.system", flags("gov86_cr0", cr0Fields)+flags("gov86_cr4", cr4Fields), firstSystem,
		len(registers))
	b.WriteString("</target>\n")
	return b.String()
}

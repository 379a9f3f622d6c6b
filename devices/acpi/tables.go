package acpi

import "encoding/binary"

// A Board is what the tables tell the guest.
type Board struct {
	// PMBase is the first port of the power-management registers.
	PMBase uint16
	// SCI is the interrupt of power management.
	SCI uint8
	// PCIWires are the interrupts of the wires PIRQA# to PIRQD#.
	PCIWires [4]uint8
	// PCIMemory is the first address above RAM that PCI may use.
	PCIMemory uint32
	// Floppy says that there are floppy disk drives.
	Floppy bool
	// APIC says that the local APIC and the I/O APIC are to be described.
	APIC bool
}

const (
	localAPIC  = 0xfee00000
	ioAPIC     = 0xfec00000
	pciWindow  = 0xfebfffff // the last address of the PCI window
	headerSize = 36
	checksumAt = 9 // in a header
)

// Tables returns the tables for memory at address at, below 4 GiB and a
// multiple of 64; the root pointer is their first byte.
func Tables(at uint32, b Board) []byte {
	const rsdpRoom = alignment // 20 bytes, kept apart
	t, root := b.lay()
	t.locate(at + rsdpRoom)
	out := make([]byte, rsdpRoom, rsdpRoom+len(t.out))
	copy(out, rsdp(at+rsdpRoom+root))
	return append(out, t.out...)
}

// lay lays out the tables; root is the offset of the RSDT.
func (b Board) lay() (t *builder, root uint32) {
	t = new(builder)
	facs := t.add(facs(), nil)
	dsdt := t.add(table("DSDT", 2, b.dsdt()), nil)
	list := []uint32{t.add(table("FACP", 3, b.fadt(facs, dsdt)), []int{36, 40})}
	if b.APIC {
		list = append(list, t.add(table("APIC", 1, b.madt()), nil))
	}
	var pointers []byte
	var fields []int
	for _, p := range list {
		fields = append(fields, headerSize+len(pointers))
		pointers = binary.LittleEndian.AppendUint32(pointers, p)
	}
	return t, t.add(table("RSDT", 1, pointers), fields)
}

// alignment is that of a table: the FACS demands it.
const alignment = 64

// A builder lays tables one after the other. Pointers among them are offsets
// until locate makes addresses of them.
type builder struct {
	out      []byte
	pointers []int    // where there are pointers
	tables   [][2]int // first byte and length of what has a checksum
}

// add appends a table that has pointers to others at the given offsets.
func (t *builder) add(p []byte, pointers []int) uint32 {
	for len(t.out)%alignment != 0 {
		t.out = append(t.out, 0)
	}
	at := len(t.out)
	t.out = append(t.out, p...)
	for _, off := range pointers {
		t.pointers = append(t.pointers, at+off)
	}
	if len(pointers) > 0 {
		t.tables = append(t.tables, [2]int{at, len(p)})
	}
	return uint32(at)
}

// locate makes the tables right for memory at address at.
func (t *builder) locate(at uint32) {
	for _, off := range t.pointers {
		field := t.out[off:]
		binary.LittleEndian.PutUint32(field, binary.LittleEndian.Uint32(field)+at)
	}
	for _, x := range t.tables {
		p := t.out[x[0]:][:x[1]]
		p[checksumAt] = 0
		p[checksumAt] = sum(p)
	}
}

// sum is the byte that makes p add up to zero.
func sum(p []byte) byte {
	var s byte
	for _, b := range p {
		s -= b
	}
	return s
}

// table puts the header that all tables share before a body.
func table(signature string, revision byte, body []byte) []byte {
	p := make([]byte, headerSize, headerSize+len(body))
	copy(p, signature)
	p[8] = revision
	copy(p[10:], "GOV86 GOV86PC ")
	binary.LittleEndian.PutUint32(p[24:], 1)
	copy(p[28:], "GV86")
	binary.LittleEndian.PutUint32(p[32:], 1)
	p = append(p, body...)
	binary.LittleEndian.PutUint32(p[4:], uint32(len(p)))
	p[checksumAt] = sum(p)
	return p
}

// Offsets in the root pointer.
const (
	rsdpChecksum = 8
	rsdpRoot     = 16
)

func rsdp(rsdt uint32) []byte {
	p := make([]byte, 20)
	copy(p, "RSD PTR ")
	copy(p[9:], "GOV86 ")
	binary.LittleEndian.PutUint32(p[rsdpRoot:], rsdt)
	p[rsdpChecksum] = sum(p)
	return p
}

func facs() []byte {
	p := make([]byte, 64)
	copy(p, "FACS")
	p[4] = 64
	return p
}

// fadt is the Fixed ACPI Description Table, with offsets counted from the end
// of the header.
func (b Board) fadt(facs, dsdt uint32) []byte {
	const (
		bootLegacy = 1 << 0 // devices of the ISA bus are there
		boot8042   = 1 << 1
		wbinvd     = 1 << 0
		procC1     = 1 << 2
		sleepFixed = 1 << 5 // no sleep button among the fixed events
		rtcFixed   = 1 << 6
		resetReg   = 1 << 10
		total      = 244 - headerSize
	)
	p := make([]byte, total)
	put := func(off int, v uint32) { binary.LittleEndian.PutUint32(p[off-headerSize:], v) }
	put(36, facs)
	put(40, dsdt)
	binary.LittleEndian.PutUint16(p[46-headerSize:], uint16(b.SCI))
	put(48, APMCPort)
	p[52-headerSize], p[53-headerSize] = ACPIEnable, ACPIDisable
	put(56, uint32(b.PMBase)+pm1Status)
	put(64, uint32(b.PMBase)+pm1Control)
	put(76, uint32(b.PMBase)+pmTimer)
	put(80, uint32(b.PMBase)+gpStatus)
	p[88-headerSize] = 4    // PM1_EVT_LEN
	p[89-headerSize] = 2    // PM1_CNT_LEN
	p[91-headerSize] = 4    // PM_TMR_LEN
	p[92-headerSize] = 4    // GPE0_BLK_LEN
	p[96-headerSize] = 0xff // P_LVL2_LAT: above 100 means no C2
	p[98-headerSize] = 0xff
	p[99-headerSize] = 0x0f // P_LVL3_LAT: above 1000 means no C3
	p[97-headerSize] = 0x0f
	p[108-headerSize] = 0x32 // century in CMOS
	binary.LittleEndian.PutUint16(p[109-headerSize:], bootLegacy|boot8042)
	put(112, wbinvd|procC1|sleepFixed|rtcFixed|resetReg)
	// RESET_REG: a byte in I/O space, and what to write there.
	p[116-headerSize], p[117-headerSize] = 1, 8
	p[119-headerSize] = 1
	put(120, ResetPort)
	p[128-headerSize] = 0x06
	return p
}

// madt is the Multiple APIC Description Table: one processor, one I/O APIC,
// and where the ISA interrupts differ from its inputs.
func (b Board) madt() []byte {
	p := binary.LittleEndian.AppendUint32(nil, localAPIC)
	p = append(p, 1, 0, 0, 0)             // PCAT_COMPAT: 8259s are there too
	p = append(p, 0, 8, 0, 0, 1, 0, 0, 0) // processor 0 with APIC 0, enabled
	p = append(p, 1, 12, 1, 0)            // I/O APIC 1
	p = binary.LittleEndian.AppendUint32(p, ioAPIC)
	p = binary.LittleEndian.AppendUint32(p, 0)
	override := func(irq, input uint8, flags uint16) {
		p = append(p, 2, 10, 0, irq, input, 0, 0, 0, byte(flags), byte(flags>>8))
	}
	const activeHigh, levelTriggered = 1, 3 << 2
	override(0, 2, 0)
	override(b.SCI, b.SCI, activeHigh|levelTriggered)
	// Wires of PCI are level-triggered, and this board drives them high.
	for i, w := range b.PCIWires {
		if i == 0 || w != b.PCIWires[0] && (i == 1 || w != b.PCIWires[1]) {
			override(w, w, activeHigh|levelTriggered)
		}
	}
	return append(p, 4, 6, 0, 0, 0, 1) // LINT1 of all processors is NMI
}

// dsdt is the description of the board in AML.
func (b Board) dsdt() []byte {
	serial := func(n uint32, s string, first uint16, line uint) []byte {
		return device(s, define("_HID", eisaID("PNP0501")), define("_UID", integer(n)),
			define("_CRS", resources(ports(first, 8), irq(line))))
	}
	isa := func(s, id string, descriptors ...[]byte) []byte {
		return device(s, define("_HID", eisaID(id)), define("_CRS", resources(descriptors...)))
	}
	return join(
		define("\\_S5_", pack(integer(softOff), integer(softOff), integer(0), integer(0))),
		scope("\\_SB_",
			device("PCI0",
				define("_HID", eisaID("PNP0A03")),
				define("_ADR", integer(0)),
				define("_BBN", integer(0)),
				define("_CRS", resources(busNumbers(0, 255), ports(0xcf8, 8), ioWindow(0, 0xcf7), ioWindow(0xd00, 0xffff),
					memoryWindow(0xa0000, 0xbffff), memoryWindow(b.PCIMemory, pciWindow))),
				define("_PRT", b.routing()),
				device("ISA_",
					define("_ADR", integer(0x00010000)),
					isa("KBD_", "PNP0303", ports(0x60, 1), ports(0x64, 1), irq(1)),
					isa("MOU_", "PNP0F13", irq(12)),
					isa("RTC_", "PNP0B00", ports(0x70, 2), irq(8)),
					isa("TIMR", "PNP0100", ports(0x40, 4), irq(0)),
					isa("PIC_", "PNP0000", ports(0x20, 2), ports(0xa0, 2), irq(2)),
					isa("SPKR", "PNP0800", ports(0x61, 1)),
					b.floppy(isa),
					serial(1, "COM1", 0x3f8, 4), serial(2, "COM2", 0x2f8, 3),
					serial(3, "COM3", 0x3e8, 4), serial(4, "COM4", 0x2e8, 3),
				),
			),
		),
	)
}

// floppy is the floppy disk controller, if it has drives: firmware and drivers
// that read the tables look for drives there only.
func (b Board) floppy(isa func(s, id string, descriptors ...[]byte) []byte) []byte {
	if !b.Floppy {
		return nil
	}
	return isa("FDC0", "PNP0700", ports(0x3f0, 6), ports(0x3f7, 1), irq(6), dma(2))
}

// routing is _PRT: for each pin of each device its interrupt, wired as package
// pci has it.
func (b Board) routing() []byte {
	var entries [][]byte
	for dev := range uint32(32) {
		for pin := range uint32(4) {
			wire := (pin + dev + 3) & 3
			entries = append(entries, pack(integer(dev<<16|0xffff), integer(pin), integer(0), integer(uint32(b.PCIWires[wire]))))
		}
	}
	return pack(entries...)
}

package pci

// A rom is what an expansion ROM shows.
type rom struct{ image []byte }

// Widths implements mem.MMIO.
func (r *rom) Widths() (smallest, largest int) { return 1, 4 }

// Read implements mem.MMIO. Behind the image there are ones.
func (r *rom) Read(off uint32, w int) uint32 {
	v := uint32(1<<(8*w) - 1)
	for i := range w {
		if at := int(off) + i; at < len(r.image) {
			v &^= uint32(^r.image[at]) << (8 * i)
		}
	}
	return v
}

// Write implements mem.MMIO.
func (r *rom) Write(uint32, int, uint32) {}

package cpu

import "unsafe"

// allocate reserves the tables: sparse, outside the Go heap.
func (t *TLB) allocate() ([]byte, error) {
	const tableBytes = Apart * int(unsafe.Sizeof(Table{}))
	b, err := reserve(int(views+1)*tableBytes + pages*4)
	if err != nil {
		return nil, err
	}
	// SAFETY: b is page-aligned, released only with the TLB, holds no Go pointers, and each
	// table lies wholly within it.
	for v := range t.View {
		t.View[v] = (*Table)(unsafe.Pointer(&b[v*tableBytes]))
	}
	t.Blank = (*Table)(unsafe.Pointer(&b[int(views)*tableBytes]))
	t.entry = (*[pages]uint32)(unsafe.Pointer(&b[int(views+1)*tableBytes]))
	t.global, t.local = make([]uint32, 0, capacity), make([]uint32, 0, capacity)
	return b, nil
}

// addend is what makes a host address of a linear address in page.
func addend(host []byte, page uint32) uintptr {
	// SAFETY: guest memory is outside the Go heap or, on hosts without mmap, in
	// an allocation the memory space keeps alive; neither moves.
	return uintptr(unsafe.Pointer(unsafe.SliceData(host))) - uintptr(page)<<12
}

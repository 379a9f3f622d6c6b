package cpu

import "unsafe"

// allocateState makes a zero State outside the Go heap.
func (c *CPU) allocateState() error {
	b, err := reserve(int(unsafe.Sizeof(State{})))
	if err != nil {
		return err
	}
	c.reserved = append(c.reserved, b)
	// SAFETY: b is page-aligned, large enough, not released before Close takes
	// State away, and holds no Go pointers, and State has none.
	c.State = (*State)(unsafe.Pointer(unsafe.SliceData(b)))
	return nil
}

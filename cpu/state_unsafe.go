package cpu

import "unsafe"

// allocateState returns a zero State outside the Go heap.
func allocateState() (*State, error) {
	b, err := reserve(int(unsafe.Sizeof(State{})))
	if err != nil {
		return nil, err
	}
	// SAFETY: b is page-aligned, large enough, never released and holds no Go
	// pointers, and State has none.
	return (*State)(unsafe.Pointer(unsafe.SliceData(b))), nil
}

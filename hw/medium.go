package hw

// A Medium is what a drive holds: bytes that the board keeps, on the host or in
// memory. Its methods are called on the machine goroutine.
//
// Read, Write, Zero and Flush call done once, on the machine goroutine, with nil or
// what went wrong: before they return, or later. Until then p is the medium's,
// and the drive starts nothing else on it. A drive that was reset meanwhile
// takes no notice of done and touches p no more.
type Medium interface {
	// Size is in bytes and stays the same.
	Size() uint64
	// ReadOnly says that Write fails.
	ReadOnly() bool
	// Read fills p with what is stored from byte off on. All of it lies within Size.
	Read(p []byte, off uint64, done func(error))
	// Write stores p from byte off on. All of it lies within Size.
	Write(p []byte, off uint64, done func(error))
	// Zero makes zeroes of the n bytes from byte off on, and may give up the room
	// they take. All of it lies within Size.
	Zero(off, n uint64, done func(error))
	// Flush makes lasting what was written before.
	Flush(done func(error))
}

package jit

// A WindowMode says which address spaces get windows.
type WindowMode uint8

// The modes. WindowsAuto opens one for an address space that lives, WindowsAlways
// for each at once, for tests.
const (
	WindowsOff WindowMode = iota
	WindowsAuto
	WindowsAlways
)

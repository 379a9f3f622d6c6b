//go:build !linux

package disk

import "os"

// syncData waits until what was written to f is on the medium.
func syncData(f *os.File) error { return f.Sync() }

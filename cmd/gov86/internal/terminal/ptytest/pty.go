// Package ptytest opens pseudo-terminals for tests.
package ptytest

import (
	"os"
	"testing"
)

// Open returns both sides of a new pseudo-terminal, closed when the test ends.
// It skips the test where there is none.
func Open(t *testing.T) (master, slave *os.File) {
	t.Helper()
	master, slave, err := open()
	if err != nil {
		t.Skipf("no pseudo-terminal to test with: %v", err)
	}
	t.Cleanup(func() {
		master.Close()
		slave.Close()
	})
	return master, slave
}

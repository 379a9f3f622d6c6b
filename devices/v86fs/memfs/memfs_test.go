package memfs

import (
	"testing"

	"github.com/gov86/gov86/devices/v86fs"
	"github.com/gov86/gov86/devices/v86fs/v86fstest"
)

func TestBackend(t *testing.T) {
	v86fstest.Run(t, func(*testing.T) v86fs.Backend { return New(DefaultLimit, nil) })
}

func TestFullTreeIsENOSPC(t *testing.T) {
	f := New(2*blockSize, nil)
	a, err := f.Create(f.root.attr.Node, "f", v86fs.NewFile{Mode: v86fs.ModeRegular | 0o644})
	if err != nil {
		t.Fatal(err)
	}
	if _, n, err := f.Write(a.Node, [][]byte{make([]byte, 3*blockSize)}, 0, 0); err != nil || n != 2*blockSize {
		t.Errorf("wrote %d, %v, want what fits", n, err)
	}
	if _, _, err := f.Write(a.Node, [][]byte{[]byte("x")}, 3*blockSize, 0); err != v86fs.ENOSPC {
		t.Errorf("write into a full tree: %v", err)
	}
	if err := f.Unlink(f.root.attr.Node, "f"); err != nil || f.used != 0 {
		t.Errorf("after removal %d bytes are used, %v", f.used, err)
	}
}

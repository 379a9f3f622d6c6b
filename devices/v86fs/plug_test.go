package v86fs_test

import (
	"testing"

	"github.com/gov86/gov86/devices/v86fs"
	"github.com/gov86/gov86/devices/v86fs/memfs"
	"github.com/gov86/gov86/devices/v86fs/wire"
)

func named(name string) v86fs.Export {
	return v86fs.Export{Name: name, Backend: memfs.New(memfs.DefaultLimit, nil)}
}

// TestExportsComeAndGo has several exports on one device, adds one and removes one
// while files are open in it.
func TestExportsComeAndGo(t *testing.T) {
	d := newDriver(t, allFeatures, nil, named("a"), named("b"))
	list := func() (names []string) {
		a := d.call(wire.Exports, 0, &wire.ExportsRequest{Size: 1000}, nil)
		for p := a.data; len(p) > 0; {
			var e wire.ExportEntry
			rest, err := wire.CutMessage(p, &e)
			if err != nil {
				t.Fatal(err)
			}
			names, p = append(names, e.Name), rest
		}
		return names
	}
	d.fails(v86fs.ENOENT, wire.Mount2, 0, &wire.Mount2Request{Name: "c"})
	if err := d.dev.AddExport(named("c")); err != nil {
		t.Fatal(err)
	}
	if d.dev.AddExport(named("b")) == nil {
		t.Error("two exports have one name")
	}
	if got := list(); len(got) != 3 || got[2] != "c" {
		t.Errorf("exports %q", got)
	}
	mounts := map[string][2]uint64{}
	for _, name := range []string{"a", "b", "c"} {
		d.mountExport(name, 0)
		d.create("of "+name, 2)
		mounts[name] = [2]uint64{uint64(d.mount), d.root}
	}
	if err := d.dev.RemoveExport("b"); err != nil {
		t.Fatal(err)
	}
	if d.dev.RemoveExport("b") == nil {
		t.Error("what is gone is removed again")
	}
	for name, m := range mounts {
		d.mount = uint32(m[0])
		if name == "b" {
			d.fails(v86fs.ESTALE, wire.Lookup2, m[1], &wire.Name2Request{Name: "of b"})
			continue
		}
		d.lookup(m[1], "of "+name)
	}
	if got := list(); len(got) != 2 {
		t.Errorf("exports %q", got)
	}
	d.mount = 0
	d.fails(v86fs.ENOENT, wire.Mount2, 0, &wire.Mount2Request{Name: "b"})
	if err := d.dev.AddExport(named("b")); err != nil {
		t.Fatal(err)
	}
	d.mountExport("b", 0)
	d.fails(v86fs.ENOENT, wire.Lookup2, d.root, &wire.Name2Request{Name: "of b"})
}

// TestWhatWasNowhereStaysThere has the base protocol mount a name that is none, and
// an export come afterwards, which must not be found by the old number.
func TestWhatWasNowhereStaysThere(t *testing.T) {
	c := newClient(t, named("a"))
	nowhere, root := c.mount("none"), c.mount("a")
	if err := c.dev.AddExport(named("none")); err != nil {
		t.Fatal(err)
	}
	if status, _ := c.call(wire.Create, entry(nowhere, "f", 0o100644)); status != uint32(v86fs.EROFS) {
		t.Errorf("create where nothing was: %d, want EROFS", status)
	}
	if status, _ := c.call(wire.Create, entry(c.mount("none"), "f", 0o100644)); status != 0 {
		t.Errorf("create where something is now: %d", status)
	}
	if err := c.dev.RemoveExport("a"); err != nil {
		t.Fatal(err)
	}
	if status, _ := c.call(wire.Create, entry(root, "f", 0o100644)); status != uint32(v86fs.EROFS) {
		t.Errorf("create in what is gone: %d, want EROFS", status)
	}
}

package cowfs

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/gov86/gov86/devices/v86fs"
	"github.com/gov86/gov86/devices/v86fs/memfs"
)

// A tree is a backend that is worked on by paths.
type tree struct{ v86fs.Backend }

func (t tree) at(path string) (v86fs.Node, error) {
	a, err := t.Root()
	for name := range strings.SplitSeq(path, "/") {
		if name != "" && err == nil {
			a, err = t.Lookup(a.Node, name)
		}
	}
	return a.Node, err
}

// split is the directory of a path, and its last name.
func (t tree) split(path string) (v86fs.Node, string, error) {
	i := strings.LastIndexByte(path, '/')
	d, err := t.at(path[:max(i, 0)])
	return d, path[i+1:], err
}

// dump is all of a tree, by path.
func (t tree) dump() (map[string]string, error) {
	out := map[string]string{}
	var walk func(n v86fs.Node, at string) error
	walk = func(n v86fs.Node, at string) error {
		a, err := t.Getattr(n)
		if err != nil {
			return fmt.Errorf("%s: %w", at, err)
		}
		line := fmt.Sprintf("%o %d:%d %d:%d links %d", a.Mode, a.UID, a.GID, a.RdevMajor, a.RdevMinor, a.Nlink)
		names, err := t.Listxattr(n)
		if err != nil {
			return err
		}
		for _, name := range names {
			v, err := t.Getxattr(n, name)
			if err != nil {
				return err
			}
			line += fmt.Sprintf(" %s=%q", name, v)
		}
		switch a.Mode & v86fs.ModeType {
		case v86fs.ModeRegular:
			p := make([]byte, a.Size+10)
			k, err := t.Read(n, [][]byte{p}, 0)
			if err != nil {
				return fmt.Errorf("%s: %w", at, err)
			}
			line += fmt.Sprintf(" %q", p[:k])
		case v86fs.ModeSymlink:
			target, err := t.Readlink(n)
			if err != nil {
				return err
			}
			line += " " + target
		case v86fs.ModeDir:
			list, err := t.Readdir(n)
			if err != nil {
				return fmt.Errorf("%s: %w", at, err)
			}
			for _, e := range list {
				b, err := t.Lookup(n, e.Name)
				if err != nil {
					return fmt.Errorf("%s/%s: %w", at, e.Name, err)
				}
				if err := walk(b.Node, at+"/"+e.Name); err != nil {
					return err
				}
				t.Forget(b.Node, 1)
			}
		}
		out[at] = line
		return nil
	}
	a, err := t.Root()
	if err != nil {
		return nil, err
	}
	return out, walk(a.Node, "")
}

// An act is a change, made by paths.
type act struct {
	kind     int
	a, b     string
	v        uint32
	contents string
}

const acts = 13

func randomAct(r *rand.Rand) act {
	path := func() string {
		p := ""
		for range 1 + r.IntN(3) {
			p += "/" + string(rune('a'+r.IntN(4)))
		}
		return p[1:]
	}
	return act{r.IntN(acts), path(), path(), r.Uint32(), strings.Repeat(fmt.Sprint(r.IntN(100)), r.IntN(50))}
}

// do makes a change, and returns what a caller would see of it.
func (t tree) do(c act) error {
	if c.kind <= 5 || c.kind == 6 || c.kind == 7 {
		d, name, err := t.split(c.a)
		if err != nil {
			return err
		}
		w := v86fs.NewFile{Mode: v86fs.ModeRegular | c.v&0o7777, UID: c.v % 3, GID: c.v % 5}
		switch c.kind {
		case 1, 2:
			w.Mode = v86fs.ModeDir | c.v&0o7777
		case 3:
			w.Mode, w.Target = v86fs.ModeSymlink|0o777, "t"+c.b
		case 4:
			w.Mode, w.Major, w.Minor = v86fs.ModeBlock|0o600, 8, c.v%16
		case 5:
			into, to, err := t.split(c.b)
			if err != nil {
				return err
			}
			flags := []uint32{0, 0, v86fs.RenameNoReplace, v86fs.RenameExchange}[c.v%4]
			return t.Rename(d, name, into, to, flags)
		case 6:
			return t.Unlink(d, name)
		case 7:
			return t.Rmdir(d, name)
		}
		_, err = t.Create(d, name, w)
		return err
	}
	n, err := t.at(c.a)
	if err != nil {
		return err
	}
	a, err := t.Getattr(n)
	if err != nil {
		return err
	}
	kind := a.Mode & v86fs.ModeType
	switch {
	case c.kind == 8 && kind == v86fs.ModeRegular:
		_, _, err = t.Write(n, [][]byte{[]byte(c.contents)}, uint64(c.v%300), 0)
	case c.kind == 9 && kind == v86fs.ModeRegular:
		_, err = t.Setattr(n, v86fs.Change{Valid: v86fs.SetSize, Size: uint64(c.v % 200)})
	case c.kind == 10 && kind != v86fs.ModeSymlink:
		_, err = t.Setattr(n, v86fs.Change{Valid: v86fs.SetMode | v86fs.SetUID, Mode: c.v & 0o777, UID: c.v % 7})
	case c.kind == 11:
		d, name, err := t.split(c.b)
		if err != nil {
			return err
		}
		_, err = t.Link(n, d, name)
		return err
	case c.kind == 12 && c.v%3 == 0:
		err = t.Removexattr(n, "user.x")
	case c.kind == 12:
		err = t.Setxattr(n, "user.x", []byte(c.contents), 0)
	}
	return err
}

func errno(err error) (e v86fs.Errno) {
	errors.As(err, &e)
	return e
}

// TestRandomChangesAreThoseOfTheModel makes the same changes in an overlay and in
// a tree that has what the base has: errors, and all that can be seen, are the same,
// also after the overlay was left as by a kill and opened anew. Then the changes are
// applied, and the base is what the model is.
func TestRandomChangesAreThoseOfTheModel(t *testing.T) {
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 1))
		base, model := tree{memfs.New(memfs.DefaultLimit, nil)}, tree{memfs.New(memfs.DefaultLimit, nil)}
		for range 60 {
			c := randomAct(r)
			base.do(c)
			model.do(c)
		}
		overlay := t.TempDir()
		f := over(t, base.Backend, overlay)
		for i := range 150 {
			c := randomAct(r)
			got, want := tree{f}.do(c), model.do(c)
			if errno(got) != errno(want) {
				t.Fatalf("seed %d, step %d, %+v: %v, want %v", seed, i, c, got, want)
			}
			if r.IntN(40) == 0 {
				if err := f.shut(); err != nil { // the journal's lock goes, as with the process
					t.Fatal(err)
				}
				f = over(t, base.Backend, overlay)
			}
			if r.IntN(10) == 0 || i == 149 {
				compare(t, fmt.Sprintf("seed %d, step %d, %+v", seed, i, c), tree{f}, model)
			}
		}
		if lost, err := f.Apply(); err != nil || len(lost) > 0 {
			t.Fatalf("seed %d: apply: %v, %v", seed, lost, err)
		}
		compare(t, fmt.Sprintf("seed %d, applied", seed), base, model)
		f.Shut()
	}
}

func compare(t *testing.T, when string, got, want tree) {
	t.Helper()
	a, err := got.dump()
	if err != nil {
		t.Fatalf("%s: %v", when, err)
	}
	b, err := want.dump()
	if err != nil {
		t.Fatal(err)
	}
	if reflect.DeepEqual(a, b) {
		return
	}
	for path := range b {
		if a[path] != b[path] {
			t.Errorf("%s: %s is %s, want %s", when, path, a[path], b[path])
		}
	}
	for path := range a {
		if b[path] == "" {
			t.Errorf("%s: %s is there: %s", when, path, a[path])
		}
	}
	t.FailNow()
}

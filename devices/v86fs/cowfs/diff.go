package cowfs

import (
	"cmp"
	"errors"
	"maps"
	"path"
	"slices"

	"github.com/gov86/gov86/devices/v86fs"
)

// A Difference is a name that an overlay has otherwise than its base.
type Difference struct {
	// Kind is A for added, M for modified or replaced, D for removed, and R for
	// renamed, from From.
	Kind string `json:"kind"`
	Path string `json:"path"`
	From string `json:"from,omitempty"`
}

// Diff lists what the overlay changes, by path. Of a directory that is removed or
// renamed what is in it, and not changed, is not listed.
func (f *FS) Diff() []Difference {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []Difference
	if f.root.saved != nil {
		if f.root.modified() {
			out = append(out, Difference{Kind: "M", Path: "."})
		}
		f.diff(&out, f.root, "", f.origins())
	}
	slices.SortFunc(out, func(a, b Difference) int { return cmp.Compare(a.Path, b.Path) })
	return out
}

// origins are the files of the base that have records, by their paths.
func (f *FS) origins() map[string]*node {
	m := map[string]*node{}
	for _, n := range f.saved {
		if n.saved.based {
			m[n.saved.origin] = n
		}
	}
	return m
}

// modified reports whether a file that began in the base is otherwise than there,
// but for its name and a directory's names.
func (n *node) modified() bool {
	return n.saved.content || n.saved.touched != 0 || n.saved.xattrs != nil
}

func (f *FS) diff(out *[]Difference, d *node, prefix string, origins map[string]*node) {
	for _, name := range slices.Sorted(maps.Keys(d.saved.entries)) {
		e := d.saved.entries[name]
		at := prefix + name
		was := ""
		if d.saved.based && e.hid.kind != 0 {
			was = path.Join(d.saved.origin, name)
		}
		if e.id == 0 {
			if origins[was] == nil {
				*out = append(*out, Difference{Kind: "D", Path: at})
			}
			continue
		}
		n := f.saved[e.id]
		switch {
		case n.saved.based && n.saved.origin == was:
			if n.modified() {
				*out = append(*out, Difference{Kind: "M", Path: at})
			}
		case n.saved.based && !f.inPlace(origins, n):
			*out = append(*out, Difference{Kind: "R", Path: at, From: n.saved.origin})
		case e.hid.kind != 0:
			*out = append(*out, Difference{Kind: "M", Path: at})
		default:
			*out = append(*out, Difference{Kind: "A", Path: at})
		}
		if n.isDir() {
			f.diff(out, n, at+"/", origins)
		}
	}
}

// inPlace reports whether a file of the base still has the name there that it
// began with.
func (f *FS) inPlace(origins map[string]*node, n *node) bool {
	if n == f.root {
		return true
	}
	dir, name := path.Split(n.saved.origin)
	d := origins[path.Clean(dir)]
	if d == nil {
		return false // the directory was removed
	}
	e, ok := d.saved.entries[name]
	return !ok || e.id == n.saved.id
}

// Conflicts are the paths in the base at which somebody else changed what the
// overlay changes, too.
func (f *FS) Conflicts() ([]string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []string
	for _, d := range f.saved {
		if !d.saved.based || !d.isDir() {
			continue
		}
		if d.base == 0 {
			out = append(out, d.saved.origin)
			continue
		}
		for name, e := range d.saved.entries {
			now, err := f.current(d.base, name)
			if err != nil {
				return nil, err
			}
			if now != e.hid {
				out = append(out, path.Join(d.saved.origin, name))
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

// current is the stamp of what the base has under a name.
func (f *FS) current(dir v86fs.Node, name string) (stamp, error) {
	a, err := f.base.Lookup(dir, name)
	if errors.Is(err, v86fs.ENOENT) {
		return stamp{}, nil
	}
	if err != nil {
		return stamp{}, err
	}
	f.base.Forget(a.Node, 1)
	return stampOf(&a), nil
}

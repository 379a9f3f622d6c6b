package cowfs

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/gov86/gov86/devices/v86fs"
)

// staging is where, in the root of the base, renamed files are while others make
// way.
const staging = ".gov86-apply"

// A Conflict is the error of changes that the base cannot take any more.
type Conflict struct{ Paths []string }

func (c *Conflict) Error() string {
	return "changed in the directory, too: " + strings.Join(c.Paths, ", ")
}

// An application is the writing of an overlay into its base.
type application struct {
	f       *FS
	origins map[string]*node
	stage   v86fs.Node
	staged  map[*node]bool
	placed  map[*node]v86fs.Node // records that have their place, by the base's node
	lost    []string
}

// Apply makes the changes of the overlay in the base, which must be one that can be
// written to, and not in use. It changes nothing if the base changed where the
// overlay does: the error is then a *Conflict. lost tells what the base cannot
// keep, such as owners. Afterwards the overlay is to be discarded.
func (f *FS) Apply() (lost []string, err error) {
	if paths, err := f.Conflicts(); err != nil {
		return nil, err
	} else if len(paths) > 0 {
		return nil, &Conflict{paths}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.root.saved == nil {
		return nil, nil
	}
	a := &application{f: f, origins: f.origins(), staged: map[*node]bool{}, placed: map[*node]v86fs.Node{}}
	s, err := f.base.Create(f.root.base, staging, v86fs.NewFile{Mode: v86fs.ModeDir | 0o700})
	if err != nil {
		return nil, fmt.Errorf("%s in the directory: %w", staging, err)
	}
	a.stage = s.Node
	for _, step := range []func() error{
		a.moveAway, a.removeAll, func() error { return a.place(f.root) }, a.rest, a.fill, a.permit,
		func() error { return a.remove(f.root.base, staging) }, a.date,
	} {
		if err := step(); err != nil {
			return a.lost, err
		}
	}
	return a.lost, f.base.Sync()
}

// stagedName is what a file is called while it has no place.
func stagedName(n *node) string { return dataName(n.saved.id) }

// moveAway takes what was renamed away from where it is, the deepest first: then
// what is above it still has its path.
func (a *application) moveAway() error {
	all := slices.SortedFunc(maps.Values(a.f.saved), func(p, q *node) int {
		return cmp.Compare(strings.Count(q.saved.origin, "/"), strings.Count(p.saved.origin, "/"))
	})
	for _, n := range all {
		if !n.saved.based || n.base == 0 || a.f.inPlace(a.origins, n) {
			continue
		}
		dir, name, err := a.origin(n)
		if err != nil {
			return err
		}
		if err := a.f.base.Rename(dir, name, a.stage, stagedName(n), 0); err != nil {
			return fmt.Errorf("%s: %w", n.saved.origin, err)
		}
		a.staged[n] = true
	}
	return nil
}

// origin is the directory of the base, and the name in it, of a file in its first
// place.
func (a *application) origin(n *node) (v86fs.Node, string, error) {
	i := strings.LastIndexByte(n.saved.origin, '/')
	name := n.saved.origin[i+1:]
	at := a.f.root.base
	for step := range strings.SplitSeq(n.saved.origin[:max(i, 0)], "/") {
		if step == "" {
			continue
		}
		b, err := a.f.base.Lookup(at, step)
		if err != nil {
			return 0, "", fmt.Errorf("%s: %w", n.saved.origin, err)
		}
		at = b.Node
	}
	return at, name, nil
}

// removeAll removes what the overlay has not, or has otherwise.
func (a *application) removeAll() error {
	for _, d := range a.f.saved {
		if !d.isDir() || d.base == 0 {
			continue
		}
		for name, e := range d.saved.entries {
			b, err := a.f.base.Lookup(d.base, name)
			if errors.Is(err, v86fs.ENOENT) {
				continue
			}
			if err == nil && (e.id == 0 || a.f.saved[e.id].base != b.Node) {
				err = a.remove(d.base, name)
			}
			if err != nil {
				return fmt.Errorf("%s/%s: %w", d.saved.origin, name, err)
			}
		}
	}
	return nil
}

// remove removes a name with all below it.
func (a *application) remove(dir v86fs.Node, name string) error {
	b := a.f.base
	n, err := b.Lookup(dir, name)
	if err != nil {
		return err
	}
	defer b.Forget(n.Node, 1)
	if n.Mode&v86fs.ModeType != v86fs.ModeDir {
		return b.Unlink(dir, name)
	}
	list, err := b.Readdir(n.Node)
	if err != nil {
		return err
	}
	for _, e := range list {
		if err := a.remove(n.Node, e.Name); err != nil {
			return err
		}
	}
	return b.Rmdir(dir, name)
}

// place gives everything in a directory its place.
func (a *application) place(d *node) error {
	if a.placed[d] == 0 {
		a.placed[d] = d.base
	}
	for name, e := range d.saved.entries {
		if e.id == 0 {
			continue
		}
		n := a.f.saved[e.id]
		if err := a.put(a.placed[d], name, n); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if n.isDir() {
			if err := a.place(n); err != nil {
				return err
			}
		}
	}
	return nil
}

// put has a name lead to a file.
func (a *application) put(dir v86fs.Node, name string, n *node) error {
	b, r := a.f.base, n.saved
	if a.staged[n] {
		delete(a.staged, n)
		a.placed[n] = n.base
		return b.Rename(a.stage, stagedName(n), dir, name, 0)
	}
	at := a.placed[n]
	if at == 0 {
		at = n.base
	}
	if at == 0 {
		w := v86fs.NewFile{Mode: r.mode, UID: r.uid, GID: r.gid, Major: r.major, Minor: r.minor, Target: r.target}
		made, err := b.Create(dir, name, w)
		a.placed[n] = made.Node
		return err
	}
	a.placed[n] = at
	if found, err := b.Lookup(dir, name); err == nil {
		b.Forget(found.Node, 1)
		return nil // it is there
	}
	_, err := b.Link(at, dir, name)
	return err
}

// rest finds what has no name in the overlay, but one of its names in the base.
func (a *application) rest() error {
	for _, n := range a.f.saved {
		if a.placed[n] == 0 && n.base != 0 {
			a.placed[n] = n.base
		}
	}
	return nil
}

// fill writes contents.
func (a *application) fill() error {
	for n, at := range a.placed {
		if n.data == 0 {
			continue
		}
		c, err := a.f.data.Getattr(n.data)
		if err != nil {
			return err
		}
		if _, err := a.f.base.Setattr(at, v86fs.Change{Valid: v86fs.SetSize}); err != nil {
			return err
		}
		if err := pour(a.f.data, n.data, a.f.base, at, c.Size); err != nil {
			return err
		}
	}
	return nil
}

// permit sets owners, permissions and extended attributes.
func (a *application) permit() error {
	for n, at := range a.placed {
		r := n.saved
		if !r.own {
			continue
		}
		if err := a.attributes(n, at); err != nil {
			return err
		}
		now, err := a.f.base.Getattr(at)
		if err != nil {
			return err
		}
		if now.UID != r.uid || now.GID != r.gid {
			_, err := a.f.base.Setattr(at, v86fs.Change{Valid: v86fs.SetUID | v86fs.SetGID, UID: r.uid, GID: r.gid})
			if err := a.unlessLost(err, "owner of "+n.name); err != nil {
				return err
			}
		}
		if n.kind != v86fs.ModeSymlink && now.Mode != r.mode {
			_, err := a.f.base.Setattr(at, v86fs.Change{Valid: v86fs.SetMode, Mode: r.mode & 0o7777})
			if err := a.unlessLost(err, "permissions of "+n.name); err != nil {
				return err
			}
		}
	}
	return nil
}

// unlessLost is an error, but for what a base says of what it cannot keep.
func (a *application) unlessLost(err error, what string) error {
	if errors.Is(err, v86fs.EPERM) || errors.Is(err, v86fs.EOPNOTSUPP) {
		a.lost = append(a.lost, what)
		return nil
	}
	return err
}

func (a *application) attributes(n *node, at v86fs.Node) error {
	b, want := a.f.base, n.saved.xattrs
	if want == nil {
		return nil
	}
	have, err := b.Listxattr(at)
	if err != nil && !errors.Is(err, v86fs.EOPNOTSUPP) {
		return err
	}
	for _, name := range have {
		if _, ok := want[name]; !ok {
			if err := a.unlessLost(b.Removexattr(at, name), name+" of "+n.name); err != nil {
				return err
			}
		}
	}
	for name, value := range want {
		if old, err := b.Getxattr(at, name); err == nil && bytes.Equal(old, value) {
			continue
		}
		if err := a.unlessLost(b.Setxattr(at, name, value, 0), name+" of "+n.name); err != nil {
			return err
		}
	}
	return nil
}

// date sets times, last of all.
func (a *application) date() error {
	for n, at := range a.placed {
		if !n.saved.own {
			continue
		}
		t, err := a.f.attr(n)
		if err != nil {
			return err
		}
		_, err = a.f.base.Setattr(at, v86fs.Change{Valid: v86fs.SetAtime | v86fs.SetAtimeTo | v86fs.SetMtime | v86fs.SetMtimeTo, Atime: t.Atime, Mtime: t.Mtime})
		if err := a.unlessLost(err, "times of "+n.name); err != nil {
			return err
		}
	}
	return nil
}

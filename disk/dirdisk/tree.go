// Package dirdisk makes disks of directories of the host: a CD-ROM with the
// files' data read when it is asked for, and a floppy disk in memory.
package dirdisk

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"time"

	"github.com/gov86/gov86/disk"
)

// maxNodes bounds how much there may be in a directory.
const maxNodes = 1 << 20

// A node is a file, a directory or a symbolic link.
type node struct {
	name     string // on the host; empty for the root
	path     string
	mode     fs.FileMode
	size     int64
	modified time.Time
	target   string // of a link
	children []*node
	parent   *node // of the root, itself
}

func (n *node) isDir() bool { return n.mode.IsDir() }

func (n *node) isLink() bool { return n.mode&fs.ModeSymlink != 0 }

// read is the tree below dir: what can be on a disk. Links are not followed, so
// that nothing from outside gets in.
func read(dir string) (*node, error) {
	info, err := os.Stat(dir)
	if err != nil {
		return nil, refused(dir, err)
	}
	if !info.IsDir() {
		return nil, &disk.Error{Name: dir, What: "it is no directory", Remedy: "give a directory, or an image in a file"}
	}
	root := &node{path: dir, mode: info.Mode(), modified: info.ModTime()}
	root.parent = root
	count := 0
	return root, root.fill(&count)
}

func refused(name string, err error) error {
	what := err.Error()
	if path, ok := err.(*fs.PathError); ok {
		what = path.Err.Error()
	}
	return &disk.Error{Name: name, What: what, Remedy: "give a directory all of which can be read"}
}

// fill reads a directory and those below it.
func (n *node) fill(count *int) error {
	entries, err := os.ReadDir(n.path)
	if err != nil {
		return refused(n.path, err)
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			return refused(filepath.Join(n.path, e.Name()), err)
		}
		c := &node{name: e.Name(), path: filepath.Join(n.path, e.Name()), mode: info.Mode(), modified: info.ModTime(), parent: n}
		switch {
		case c.isDir():
			err = c.fill(count)
		case c.isLink():
			if c.target, err = os.Readlink(c.path); err != nil {
				err = refused(c.path, err)
			}
		case c.mode.IsRegular():
			c.size = info.Size()
		default:
			continue // devices, sockets: nothing that a disk holds
		}
		if err != nil {
			return err
		}
		if *count++; *count > maxNodes {
			return &disk.Error{Name: n.path, What: fmt.Sprintf("there are more than %d files", maxNodes), Remedy: "give a smaller directory"}
		}
		n.children = append(n.children, c)
	}
	sort.Slice(n.children, func(i, k int) bool { return n.children[i].name < n.children[k].name })
	return nil
}

package cowfs

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path"
	"strings"

	"github.com/gov86/gov86/devices/v86fs"
)

// A journal is a file of steps, each a head of 8 bytes, the length of its items
// and their CRC-32C, and the items. What a step says counts if all of it is there.
type journal interface {
	append(items []byte) error
	sync() error
}

const (
	magic    = "gov86 overlay 1\n"
	headSize = 8
	stepMost = 64 << 20
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// frame is a step as it stands in the file.
func frame(items []byte) []byte {
	b := make([]byte, headSize, headSize+len(items))
	binary.LittleEndian.PutUint32(b, uint32(len(items)))
	binary.LittleEndian.PutUint32(b[4:], crc32.Checksum(items, castagnoli))
	return append(b, items...)
}

// parse reads a journal. end is where the last step that is whole ends: what
// follows was being written when gov86 or the host stopped. A step that is not as
// it was written, with others after it, is an error.
func parse(b []byte) (records map[uint64]*record, end int, err error) {
	records = map[uint64]*record{}
	if !strings.HasPrefix(string(b), magic) {
		return nil, 0, errors.New("this is no overlay's journal, or one of another version")
	}
	for at := len(magic); ; {
		rest := b[at:]
		if len(rest) < headSize {
			return records, at, nil
		}
		size := uint64(binary.LittleEndian.Uint32(rest))
		if size > uint64(len(rest)-headSize) {
			if size > stepMost {
				return nil, at, fmt.Errorf("%w at byte %d", errDamaged, at)
			}
			return records, at, nil
		}
		items := rest[headSize : headSize+size]
		if crc32.Checksum(items, castagnoli) != binary.LittleEndian.Uint32(rest[4:]) {
			if at+headSize+int(size) == len(b) {
				return records, at, nil
			}
			return nil, at, fmt.Errorf("%w at byte %d", errDamaged, at)
		}
		if err := replay(records, items); err != nil {
			return nil, at, fmt.Errorf("%w at byte %d", err, at)
		}
		at += headSize + int(size)
	}
}

// whole is a journal that says what there is, and nothing of how it came.
func whole(records map[uint64]*record) []byte {
	var w writer
	for _, r := range records {
		w.record(r)
	}
	for _, r := range records {
		for name, e := range r.entries {
			w.entry(r.id, name, e)
		}
	}
	if len(w.b) == 0 {
		return []byte(magic)
	}
	return append([]byte(magic), frame(w.b)...)
}

// A file is a journal on the host.
type file struct{ f *os.File }

func (j *file) append(items []byte) error {
	_, err := j.f.Write(frame(items))
	return err
}

func (j *file) sync() error { return j.f.Sync() }

// load gives the records of an overlay their nodes.
func (f *FS) load(records map[uint64]*record) error {
	paths := map[string]v86fs.Node{".": f.root.base}
	for id, r := range records {
		f.lastID = max(f.lastID, id)
		n := f.root
		if !r.based || r.origin != "." {
			n = &node{kind: r.mode & v86fs.ModeType}
			if r.based {
				n.base = f.resolve(paths, r.origin, n.kind)
			}
			if _, err := f.add(n); err != nil {
				return err
			}
		}
		n.saved = r
		f.saved[id] = n
		if r.content {
			a, err := f.data.Lookup(f.dataRoot, dataName(id))
			if err != nil && !errors.Is(err, v86fs.ENOENT) {
				return err
			}
			n.data = a.Node
		}
	}
	for _, d := range f.saved {
		for name, e := range d.saved.entries {
			if e.id == 0 {
				continue
			}
			n := f.saved[e.id]
			if n == nil {
				return fmt.Errorf("%w: %s leads nowhere", errDamaged, name)
			}
			n.parent, n.name = d, name
			n.places++
		}
	}
	return f.sweep()
}

// resolve finds a path of the base, 0 if it is not there any more, or another kind
// of file. The lookups on its way are kept.
func (f *FS) resolve(paths map[string]v86fs.Node, at string, kind uint32) v86fs.Node {
	if n, ok := paths[at]; ok {
		return n
	}
	dir, name := path.Split(at)
	dir = path.Clean(dir)
	d := f.resolve(paths, dir, v86fs.ModeDir)
	if d == 0 {
		return 0
	}
	a, err := f.base.Lookup(d, name)
	if err != nil || a.Mode&v86fs.ModeType != kind {
		return 0
	}
	paths[at] = a.Node
	return a.Node
}

// sweep removes content that no record has: of files that had no names any more
// when gov86 ended.
func (f *FS) sweep() error {
	list, err := f.data.Readdir(f.dataRoot)
	if err != nil {
		return err
	}
	used := map[string]bool{}
	for id, n := range f.saved {
		used[dataName(id)] = n.data != 0
	}
	for _, e := range list {
		if !used[e.Name] {
			err = errors.Join(err, f.data.Unlink(f.dataRoot, e.Name))
		}
	}
	return err
}

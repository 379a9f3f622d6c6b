package dirdisk

import (
	"encoding/binary"
	"errors"
	"os"
	"slices"
	"sort"
	"sync"
	"time"

	"github.com/gov86/gov86/disk"
)

// Sizes and places on a disc (ECMA-119, "Volume structure").
const (
	frame        = 2048
	firstVolume  = 16
	volumes      = 3 // primary, supplementary, terminator
	maxExtent    = 1<<32 - frame
	maxSize      = 1<<32*frame - 1<<20
	pathTables   = firstVolume + volumes
	leadOutSpare = 150 // frames that old readers read ahead
)

// An extent is where the data of a file is, in frames.
type extent struct {
	at   uint32
	node *node
}

// An iso is a disc made of a directory. What describes the files is in memory,
// their data is read when it is asked for, as it is then.
type iso struct {
	mu      sync.Mutex
	head    []byte // from the first frame on
	extents []extent
	frames  uint32
	// file is the one that was read last.
	file *os.File
	open *node
}

// ISO makes a CD-ROM of a directory, with Joliet's names and Rock Ridge's, rights
// and links.
func ISO(dir string) (disk.Image, error) {
	root, err := read(dir)
	if err != nil {
		return nil, err
	}
	d := new(iso)
	l := newLayout(root)
	l.place()
	if d.extents = l.extents; l.end > maxSize/frame {
		return nil, &disk.Error{Name: dir, What: "its files are larger than a disc can be", Remedy: "give a smaller directory"}
	}
	d.frames = uint32(l.end)
	d.head = l.render()
	return d, nil
}

// Size implements disk.Image.
func (d *iso) Size() int64 { return int64(d.frames) * frame }

// ReadOnly implements disk.Image.
func (d *iso) ReadOnly() bool { return true }

var errReadOnly = errors.New("the disc is read-only")

// WriteAt implements disk.Image.
func (d *iso) WriteAt([]byte, int64) (int, error) { return 0, errReadOnly }

// Zero implements disk.Image.
func (d *iso) Zero(int64, int64) error { return errReadOnly }

// Flush implements disk.Image.
func (d *iso) Flush() error { return nil }

// Close implements disk.Image.
func (d *iso) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.file == nil {
		return nil
	}
	err := d.file.Close()
	d.file, d.open = nil, nil
	return err
}

// ReadAt implements disk.Image.
func (d *iso) ReadAt(p []byte, off int64) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	done := 0
	if off < int64(len(d.head)) {
		done = copy(p, d.head[off:])
	}
	for done < len(p) {
		n, err := d.readData(p[done:], off+int64(done))
		if err != nil {
			return done, err
		}
		done += n
	}
	return done, nil
}

// readData reads from the file that lies at off, or zeroes behind it.
func (d *iso) readData(p []byte, off int64) (int, error) {
	i := sort.Search(len(d.extents), func(i int) bool { return int64(d.extents[i].at)*frame > off }) - 1
	next := d.Size()
	if i+1 < len(d.extents) {
		next = int64(d.extents[i+1].at) * frame
	}
	p = p[:min(int64(len(p)), next-off)]
	if i < 0 {
		clear(p)
		return len(p), nil
	}
	n := d.extents[i].node
	within := off - int64(d.extents[i].at)*frame
	have := max(0, min(int64(len(p)), n.size-within))
	clear(p[have:])
	if have == 0 {
		return len(p), nil
	}
	if d.open != n {
		f, err := os.Open(n.path)
		if err != nil {
			return 0, err
		}
		if d.file != nil {
			d.file.Close()
		}
		d.file, d.open = f, n
	}
	got, err := d.file.ReadAt(p[:have], within)
	if int64(got) < have && got >= 0 && isEOF(err) {
		clear(p[got:have]) // it has become shorter
		err = nil
	}
	return len(p), err
}

// A layout is where everything is to be.
type layout struct {
	root    *node
	trees   [2]*hierarchy // primary and Joliet's
	extents []extent
	at      map[*node]uint32 // the data of files
	end     uint64
	made    time.Time
}

// A hierarchy is the directories as one volume descriptor shows them.
type hierarchy struct {
	joliet bool
	dirs   []*node // in the order of the path table
	number map[*node]int
	ids    map[*node][]byte // identifiers
	at     map[*node]uint32
	size   map[*node]uint32
	// tableAt is the path table with the numbers of Intel's order; Motorola's
	// follows.
	tableAt, tableLen uint32
	// more is what did not fit into directory records, at moreAt.
	more   []byte
	moreAt uint32
	layout *layout
}

func newLayout(root *node) *layout {
	l := &layout{root: root, at: map[*node]uint32{}, made: root.modified}
	for i := range l.trees {
		l.trees[i] = newHierarchy(l, i == 1)
	}
	return l
}

func newHierarchy(l *layout, joliet bool) *hierarchy {
	h := &hierarchy{joliet: joliet, number: map[*node]int{}, ids: map[*node][]byte{}, at: map[*node]uint32{},
		size: map[*node]uint32{}, layout: l}
	h.ids[l.root] = []byte{0}
	for level := []*node{l.root}; len(level) > 0; {
		var next []*node
		for _, d := range level {
			h.dirs = append(h.dirs, d)
			h.number[d] = len(h.dirs)
			for _, c := range h.entries(d) {
				if c.isDir() {
					next = append(next, c)
				}
			}
		}
		level = next
	}
	return h
}

// entries are the children of a directory in the order of their identifiers,
// which it gives them.
func (h *hierarchy) entries(d *node) (all []*node) {
	if h.joliet {
		for c, name := range jolietNames(d.children) {
			id := make([]byte, 0, 2*len(name)+4)
			for _, u := range name {
				id = binary.BigEndian.AppendUint16(id, u)
			}
			if !c.isDir() {
				id = append(id, 0, ';', 0, '1')
			}
			h.ids[c] = id
			all = append(all, c)
		}
	} else {
		for c, name := range shortNames(d.children) {
			if !c.isDir() {
				if !slices.Contains([]byte(name), '.') {
					name += "."
				}
				name += ";1"
			}
			h.ids[c] = []byte(name)
			all = append(all, c)
		}
	}
	sort.Slice(all, func(i, k int) bool { return string(h.ids[all[i]]) < string(h.ids[all[k]]) })
	return all
}

func frames(bytes uint64) uint64 { return (bytes + frame - 1) / frame }

// place decides where everything is.
func (l *layout) place() {
	at := uint64(pathTables)
	for _, h := range l.trees {
		h.tableLen = uint32(len(h.pathTable(binary.LittleEndian)))
		h.tableAt = uint32(at)
		at += 2 * frames(uint64(h.tableLen))
		for _, d := range h.dirs {
			h.size[d] = uint32(len(h.directory(d)))
			h.at[d] = uint32(at)
			at += frames(uint64(h.size[d]))
		}
		h.moreAt = uint32(at)
		at += frames(uint64(len(h.more)))
	}
	for _, d := range l.trees[0].dirs {
		for _, c := range d.children {
			if c.mode.IsRegular() && c.size > 0 {
				l.at[c] = uint32(at)
				l.extents = append(l.extents, extent{uint32(at), c})
				at += frames(uint64(c.size))
			}
		}
	}
	l.end = at + leadOutSpare
}

// render is everything in front of the files' data.
func (l *layout) render() []byte {
	last := l.trees[1]
	p := make([]byte, uint64(last.moreAt)*frame+frames(uint64(len(last.more)))*frame)
	put := func(at uint32, b []byte) { copy(p[uint64(at)*frame:], b) }
	for i, h := range l.trees {
		put(uint32(firstVolume+i), h.descriptor())
		put(h.tableAt, h.pathTable(binary.LittleEndian))
		put(h.tableAt+uint32(frames(uint64(h.tableLen))), h.pathTable(binary.BigEndian))
		h.more = nil
		for _, d := range h.dirs {
			put(h.at[d], h.directory(d))
		}
		put(h.moreAt, h.more)
	}
	put(firstVolume+2, []byte{255, 'C', 'D', '0', '0', '1', 1})
	return p
}

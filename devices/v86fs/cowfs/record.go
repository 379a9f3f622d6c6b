package cowfs

import (
	"encoding/binary"
	"errors"
	"maps"
	"slices"

	"github.com/gov86/gov86/devices/v86fs"
)

// Bits of record.touched: what was changed of a file of the base.
const (
	touchedMode = 1 << iota
	touchedOwner
	touchedTimes // set, not as a change of content moves them
)

// A record is what an overlay holds of a file.
type record struct {
	id uint64
	// origin is the path in the base of what it began as; without based it has
	// none.
	origin string
	based  bool
	// own says that the attributes are the record's, not the base's.
	own     bool
	touched uint32
	// content says that the overlay has the file's content.
	content bool

	mode, uid, gid             uint32
	major, minor               uint32
	ino                        uint64
	links                      uint32 // what stat shows
	atime, mtime, ctime, btime v86fs.Time
	hasBtime                   bool
	target                     string
	// xattrs are all extended attributes; nil while they are those of the base.
	xattrs map[string][]byte
	// entries are a directory's names that are not as in the base.
	entries map[string]entry
}

// An entry is a name in a directory: the number of a record, 0 for a name that is
// not there. hid is what the base has under the name.
type entry struct {
	id  uint64
	hid stamp
}

// A stamp is what a file of the base was like when a name of the overlay first hid
// it; kind 0 is no file.
type stamp struct {
	kind  uint32
	size  uint64
	mtime v86fs.Time
}

func stampOf(a *v86fs.Attr) stamp {
	s := stamp{kind: a.Mode & v86fs.ModeType}
	if s.kind == v86fs.ModeRegular {
		s.size, s.mtime = a.Size, a.Mtime
	}
	return s
}

// take has the record begin with attributes.
func (r *record) take(a *v86fs.Attr) {
	r.mode, r.uid, r.gid, r.major, r.minor, r.ino, r.links = a.Mode, a.UID, a.GID, a.RdevMajor, a.RdevMinor, a.Ino, a.Nlink
	r.atime, r.mtime, r.ctime, r.btime = a.Atime, a.Mtime, a.Ctime, a.Btime
	r.hasBtime = a.Flags&v86fs.AttrBtime != 0
}

// lay has attributes be the record's.
func (r *record) lay(a *v86fs.Attr) {
	a.Mode, a.UID, a.GID, a.RdevMajor, a.RdevMinor = r.mode, r.uid, r.gid, r.major, r.minor
	a.Atime, a.Mtime, a.Ctime, a.Btime = r.atime, r.mtime, r.ctime, r.btime
	a.Flags = 0
	if r.hasBtime {
		a.Flags = v86fs.AttrBtime
	}
	a.Change = uint64(r.ctime.Sec)*1e9 + uint64(r.ctime.Nsec)
}

// Kinds of items in a journal.
const (
	itemRecord = 1 + iota // a record, but for its entries
	itemEntry             // a name in a directory
	itemAsBase            // a name is as in the base again
	itemDrop              // a record is no more
)

// A writer puts items together.
type writer struct{ b []byte }

func (w *writer) num(v uint64) { w.b = binary.AppendUvarint(w.b, v) }
func (w *writer) text(s string) {
	w.num(uint64(len(s)))
	w.b = append(w.b, s...)
}
func (w *writer) time(t v86fs.Time) {
	w.b = binary.AppendVarint(w.b, t.Sec)
	w.num(uint64(t.Nsec))
}

func (w *writer) flags(list ...bool) {
	v := uint64(0)
	for i, on := range list {
		if on {
			v |= 1 << i
		}
	}
	w.num(v)
}

func (w *writer) record(r *record) {
	w.num(itemRecord)
	w.num(r.id)
	w.flags(r.based, r.own, r.content, r.hasBtime, r.xattrs != nil)
	w.text(r.origin)
	for _, v := range []uint32{r.touched, r.mode, r.uid, r.gid, r.major, r.minor, r.links} {
		w.num(uint64(v))
	}
	w.num(r.ino)
	for _, t := range []v86fs.Time{r.atime, r.mtime, r.ctime, r.btime} {
		w.time(t)
	}
	w.text(r.target)
	if r.xattrs != nil {
		w.num(uint64(len(r.xattrs)))
		for _, name := range slices.Sorted(maps.Keys(r.xattrs)) {
			w.text(name)
			w.text(string(r.xattrs[name]))
		}
	}
}

func (w *writer) entry(dir uint64, name string, e entry) {
	w.num(itemEntry)
	w.num(dir)
	w.text(name)
	w.num(e.id)
	w.num(uint64(e.hid.kind))
	w.num(e.hid.size)
	w.time(e.hid.mtime)
}

// A reader takes items apart. After a failure it yields zeros.
type reader struct {
	b      []byte
	failed bool
}

func (r *reader) num() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.failed, r.b = true, nil
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *reader) text() string {
	n := r.num()
	if n > uint64(len(r.b)) {
		r.failed, r.b = true, nil
		return ""
	}
	s := string(r.b[:n])
	r.b = r.b[n:]
	return s
}

func (r *reader) time() v86fs.Time {
	v, n := binary.Varint(r.b)
	if n <= 0 {
		r.failed, r.b = true, nil
		return v86fs.Time{}
	}
	r.b = r.b[n:]
	return v86fs.Time{Sec: v, Nsec: uint32(r.num())}
}

func (r *reader) record() *record {
	out := &record{id: r.num()}
	flags := r.num()
	for i, p := range []*bool{&out.based, &out.own, &out.content, &out.hasBtime} {
		*p = flags>>i&1 != 0
	}
	out.origin = r.text()
	for _, p := range []*uint32{&out.touched, &out.mode, &out.uid, &out.gid, &out.major, &out.minor, &out.links} {
		*p = uint32(r.num())
	}
	out.ino = r.num()
	for _, p := range []*v86fs.Time{&out.atime, &out.mtime, &out.ctime, &out.btime} {
		*p = r.time()
	}
	out.target = r.text()
	if flags&(1<<4) != 0 {
		out.xattrs = map[string][]byte{}
		for n := r.num(); n > 0 && !r.failed; n-- {
			name := r.text()
			out.xattrs[name] = []byte(r.text())
		}
	}
	return out
}

var errDamaged = errors.New("the overlay's journal is damaged")

// replay changes records as the items of one step of a journal say.
func replay(records map[uint64]*record, items []byte) error {
	r := reader{b: items}
	for len(r.b) > 0 {
		switch kind := r.num(); kind {
		case itemRecord:
			n := r.record()
			if old := records[n.id]; old != nil {
				n.entries = old.entries
			}
			if n.entries == nil && n.mode&v86fs.ModeType == v86fs.ModeDir {
				n.entries = map[string]entry{}
			}
			records[n.id] = n
		case itemEntry, itemAsBase:
			dir, name := records[r.num()], r.text()
			var e entry
			if kind == itemEntry {
				e = entry{r.num(), stamp{uint32(r.num()), r.num(), r.time()}}
			}
			if dir == nil || dir.entries == nil {
				return errDamaged
			}
			if kind == itemEntry {
				dir.entries[name] = e
			} else {
				delete(dir.entries, name)
			}
		case itemDrop:
			delete(records, r.num())
		default:
			return errDamaged
		}
		if r.failed {
			return errDamaged
		}
	}
	return nil
}

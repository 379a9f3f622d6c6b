package dirdisk

import (
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"strings"
	"time"
)

func isEOF(err error) bool { return errors.Is(err, io.EOF) }

// both32 and both16 are numbers in both byte orders (ECMA-119, "Numerical
// values").
func both32(p []byte, v uint32) {
	binary.LittleEndian.PutUint32(p, v)
	binary.BigEndian.PutUint32(p[4:], v)
}

func both16(p []byte, v uint16) {
	binary.LittleEndian.PutUint16(p, v)
	binary.BigEndian.PutUint16(p[2:], v)
}

// date is a time in seven bytes, of Greenwich.
func date(t time.Time) []byte {
	t = t.UTC()
	year := min(max(t.Year()-1900, 0), 255)
	return []byte{uint8(year), uint8(t.Month()), uint8(t.Day()), uint8(t.Hour()), uint8(t.Minute()), uint8(t.Second()), 0}
}

// descriptor is the volume descriptor, primary or supplementary (ECMA-119,
// "Primary Volume Descriptor").
func (h *hierarchy) descriptor() []byte {
	p := make([]byte, frame)
	text := func(at, n int, s string) {
		field := p[at : at+n]
		for i := range field {
			field[i] = ' '
			if h.joliet && i&1 == 0 && i+1 < n {
				field[i] = 0
			}
		}
		for i := range min(len(s), n) {
			if h.joliet {
				if 2*i+1 < n {
					field[2*i], field[2*i+1] = 0, s[i]
				}
			} else {
				field[i] = s[i]
			}
		}
	}
	p[0], p[6] = 1, 1
	copy(p[1:], "CD001")
	text(8, 32, "")
	text(40, 32, "GOV86")
	both32(p[80:], uint32(h.layout.end))
	if h.joliet {
		p[0] = 2
		copy(p[88:], "%/E") // UCS-2, level 3
	}
	both16(p[120:], 1)
	both16(p[124:], 1)
	both16(p[128:], frame)
	both32(p[132:], h.tableLen)
	binary.LittleEndian.PutUint32(p[140:], h.tableAt)
	binary.BigEndian.PutUint32(p[148:], h.tableAt+uint32(frames(uint64(h.tableLen))))
	copy(p[156:], h.record(h.layout.root, []byte{0}, h.at[h.layout.root], h.size[h.layout.root], 0, nil))
	for _, f := range [][2]int{{190, 128}, {318, 128}, {446, 128}, {574, 128}, {702, 37}, {739, 37}, {776, 37}} {
		text(f[0], f[1], "")
	}
	made := h.layout.made.UTC().Format("20060102150405") + "00\x00"
	copy(p[813:], made)
	copy(p[830:], made)
	const never = "0000000000000000\x00"
	copy(p[847:], never)
	copy(p[864:], never)
	p[881] = 1
	return p
}

// pathTable is the path table in a byte order (ECMA-119, "Path Table").
func (h *hierarchy) pathTable(order interface {
	binary.ByteOrder
	binary.AppendByteOrder
}) (p []byte) {
	for _, d := range h.dirs {
		id := h.ids[d]
		p = append(p, uint8(len(id)), 0)
		p = order.AppendUint32(p, h.at[d])
		p = order.AppendUint16(p, uint16(h.number[d.parent]))
		p = append(p, id...)
		if len(id)&1 != 0 {
			p = append(p, 0)
		}
	}
	return p
}

// Flags of a directory record.
const (
	flagDirectory = 1 << 1
	flagMore      = 1 << 7 // the file goes on in the next record
)

// record is a directory record (ECMA-119, "Directory Record").
func (h *hierarchy) record(n *node, id []byte, at, size uint32, flags uint8, system []byte) []byte {
	if n.isDir() {
		flags |= flagDirectory
	}
	length := (33+len(id)+1)&^1 + (len(system)+1)&^1
	p := make([]byte, length)
	p[0], p[25], p[32] = uint8(length), flags, uint8(len(id))
	both32(p[2:], at)
	both32(p[10:], size)
	copy(p[18:], date(n.modified))
	both16(p[28:], 1)
	copy(p[33:], id)
	copy(p[(33+len(id)+1)&^1:], system)
	return p
}

// directory is the content of a directory: records that do not cross frames.
func (h *hierarchy) directory(d *node) (p []byte) {
	add := func(r []byte) {
		if room := frame - len(p)%frame; len(r) > room {
			p = append(p, make([]byte, room)...)
		}
		p = append(p, r...)
	}
	add(h.record(d, []byte{0}, h.at[d], h.size[d], 0, h.systemUse(d, 1, selfEntry)))
	add(h.record(d.parent, []byte{1}, h.at[d.parent], h.size[d.parent], 0, h.systemUse(d.parent, 1, parentEntry)))
	for _, c := range h.entries(d) {
		id := h.ids[c]
		if c.isDir() {
			add(h.record(c, id, h.at[c], h.size[c], 0, h.systemUse(c, len(id), namedEntry)))
			continue
		}
		system := h.systemUse(c, len(id), namedEntry)
		at, left := h.layout.at[c], c.size
		for ; left > maxExtent; left -= maxExtent {
			add(h.record(c, id, at, maxExtent, flagMore, system))
			at += maxExtent / frame
		}
		add(h.record(c, id, at, uint32(left), 0, system))
	}
	return append(p, make([]byte, (frame-len(p)%frame)%frame)...)
}

// Which of a directory's records it is.
const (
	selfEntry = iota
	parentEntry
	namedEntry
)

// maxRecord is the longest record, and continuation is the length of the entry
// that says where the rest is.
const (
	maxRecord    = 254
	continuation = 28
	// maxPiece is the most text in one entry.
	maxPiece = 200
)

// systemUse is what Rock Ridge says of a node (System Use Sharing Protocol;
// Rock Ridge Interchange Protocol), in a record whose identifier has idLen bytes.
func (h *hierarchy) systemUse(n *node, idLen, kind int) []byte {
	if h.joliet {
		return nil
	}
	var entries [][]byte
	if kind == selfEntry && n == h.layout.root {
		entries = append(entries, []byte{'S', 'P', 7, 1, 0xbe, 0xef, 0})
	}
	entries = append(entries, h.attributes(n), append([]byte{'T', 'F', 12, 1, 2}, date(n.modified)...))
	if kind == namedEntry {
		entries = append(entries, pieces("NM", n.name)...)
	}
	if n.isLink() {
		entries = append(entries, linkEntries(n.target)...)
	}
	if kind == selfEntry && n == h.layout.root {
		const id, text, source = "RRIP_1991A", "ROCK RIDGE", "IEEE P1282"
		er := append([]byte{'E', 'R', uint8(8 + len(id) + len(text) + len(source)), 1, uint8(len(id)), uint8(len(text)), uint8(len(source)), 1},
			id+text+source...)
		entries = append(entries, er)
	}
	return h.fit(entries, maxRecord-(33+idLen+1)&^1)
}

// fit is as many entries as there is room for, and a continuation with the rest.
func (h *hierarchy) fit(entries [][]byte, room int) (p []byte) {
	total := 0
	for _, e := range entries {
		total += len(e)
	}
	if total > room {
		room -= continuation
	}
	for len(entries) > 0 && len(p)+len(entries[0]) <= room {
		p = append(p, entries[0]...)
		entries = entries[1:]
	}
	if len(entries) == 0 {
		return p
	}
	rest := h.fit(entries, frame)
	if used := len(h.more) % frame; used+len(rest) > frame {
		h.more = append(h.more, make([]byte, frame-used)...)
	}
	ce := make([]byte, continuation)
	copy(ce, []byte{'C', 'E', continuation, 1})
	both32(ce[4:], h.moreAt+uint32(len(h.more)/frame))
	both32(ce[12:], uint32(len(h.more)%frame))
	both32(ce[20:], uint32(len(rest)))
	h.more = append(h.more, rest...)
	return append(p, ce...)
}

// attributes is PX: the mode as POSIX has it, links and owner.
func (h *hierarchy) attributes(n *node) []byte {
	mode := uint32(n.mode.Perm())
	links := uint32(1)
	switch {
	case n.isDir():
		mode |= 0o040000
		links = 2
	case n.isLink():
		mode |= 0o120000
	default:
		mode |= 0o100000
	}
	for _, bit := range []struct {
		host  fs.FileMode
		posix uint32
	}{{fs.ModeSetuid, 0o4000}, {fs.ModeSetgid, 0o2000}, {fs.ModeSticky, 0o1000}} {
		if n.mode&bit.host != 0 {
			mode |= bit.posix
		}
	}
	p := make([]byte, 36)
	copy(p, []byte{'P', 'X', 36, 1})
	both32(p[4:], mode)
	both32(p[12:], links)
	return p
}

// pieces are entries that hold a text together: NM.
func pieces(kind, text string) (all [][]byte) {
	const goesOn = 1
	for {
		piece := cut(text, maxPiece)
		text = text[len(piece):]
		e := append([]byte{kind[0], kind[1], uint8(5 + len(piece)), 1, 0}, piece...)
		if text != "" {
			e[4] = goesOn
		}
		if all = append(all, e); text == "" {
			return all
		}
	}
}

// linkEntries are SL: the components of a link's target.
func linkEntries(target string) (all [][]byte) {
	const goesOn, current, parent, root = 1, 2, 4, 8
	var components [][]byte
	for i, c := range strings.Split(target, "/") {
		switch {
		case c == "" && i == 0:
			components = append(components, []byte{root, 0})
		case c == "":
		case c == ".":
			components = append(components, []byte{current, 0})
		case c == "..":
			components = append(components, []byte{parent, 0})
		default:
			for _, piece := range pieces("SL", c) {
				text := piece[5:]
				components = append(components, append([]byte{piece[4] & goesOn, uint8(len(text))}, text...))
			}
		}
	}
	e := []byte{'S', 'L', 0, 1, 0}
	for _, c := range components {
		if len(e)+len(c) > 250 {
			e[2], e[4] = uint8(len(e)), goesOn
			all = append(all, e)
			e = []byte{'S', 'L', 0, 1, 0}
		}
		e = append(e, c...)
	}
	e[2] = uint8(len(e))
	return append(all, e)
}

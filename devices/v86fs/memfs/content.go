package memfs

import (
	"maps"
	"slices"

	"github.com/gov86/gov86/devices/v86fs"
)

const (
	maxSize = 1<<63 - 1
	// copyMost is how much one CopyRange copies.
	copyMost = 1 << 20
)

// Open implements v86fs.Backend.
func (f *FS) Open(n v86fs.Node, writable bool) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	p, err := f.file(n)
	switch {
	case err != nil:
		return err
	case p.isDir() && writable:
		return v86fs.EISDIR
	case !p.isDir() && p.kind() != v86fs.ModeRegular:
		return v86fs.EACCES
	}
	p.opens++
	return nil
}

// Close implements v86fs.Backend.
func (f *FS) Close(n v86fs.Node) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if p, ok := f.files[n]; ok && p.opens > 0 {
		p.opens--
		f.drop(p)
	}
}

// Read implements v86fs.Backend.
func (f *FS) Read(n v86fs.Node, buffers [][]byte, off uint64) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	p, err := f.regular(n)
	if err != nil {
		return 0, err
	}
	done := 0
	for _, b := range buffers {
		done += p.read(b, off+uint64(done))
	}
	p.attr.Atime = f.time()
	return done, nil
}

func (p *file) read(b []byte, off uint64) int {
	if off >= p.attr.Size {
		return 0
	}
	b = b[:min(uint64(len(b)), p.attr.Size-off)]
	for done := 0; done < len(b); {
		at := off + uint64(done)
		k := min(len(b)-done, blockSize-int(at%blockSize))
		if page := p.pages[at/blockSize]; page != nil {
			copy(b[done:done+k], page[at%blockSize:])
		} else {
			clear(b[done : done+k])
		}
		done += k
	}
	return len(b)
}

// Write implements v86fs.Backend.
func (f *FS) Write(n v86fs.Node, buffers [][]byte, off uint64, flags uint32) (uint64, int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	p, err := f.regular(n)
	if err != nil {
		return 0, 0, err
	}
	if flags&v86fs.WriteAppend != 0 {
		off = p.attr.Size
	}
	size := 0
	for _, b := range buffers {
		size += len(b)
	}
	if off > maxSize-uint64(size) {
		return off, 0, v86fs.EFBIG
	}
	done := 0
	for _, b := range buffers {
		k := f.write(p, b, off+uint64(done))
		if done += k; k < len(b) {
			break
		}
	}
	if done == 0 && size > 0 {
		return off, 0, v86fs.ENOSPC
	}
	f.wrote(p, flags)
	return off, done, nil
}

// wrote notes a change of content with flags of WRITE2.
func (f *FS) wrote(p *file, flags uint32) {
	if kill := flags&v86fs.WriteKillPriv != 0; kill {
		p.kill(true, true, true)
	}
	f.modified(p)
}

// write is short when the tree has reached its limit.
func (f *FS) write(p *file, b []byte, off uint64) int {
	done := 0
	for done < len(b) {
		at := off + uint64(done)
		page := f.page(p, at/blockSize)
		if page == nil {
			break
		}
		done += copy(page[at%blockSize:], b[done:])
	}
	if done > 0 {
		p.attr.Size = max(p.attr.Size, off+uint64(done))
	}
	return done
}

// page is a page of a file, made if it is a hole; nil at the tree's limit.
func (f *FS) page(p *file, number uint64) *[blockSize]byte {
	page := p.pages[number]
	if page == nil && f.used+blockSize <= f.limit {
		f.used += blockSize
		page = new([blockSize]byte)
		p.pages[number] = page
	}
	return page
}

// truncate drops what lies beyond size.
func (f *FS) truncate(p *file, size uint64) {
	f.punch(p, size, maxSize+1)
	p.attr.Size = size
	f.modified(p)
}

// punch makes a hole from off to end.
func (f *FS) punch(p *file, off, end uint64) {
	for number, page := range p.pages {
		first, last := max(number*blockSize, off), min(number*blockSize+blockSize, end)
		switch {
		case first >= last:
		case last-first == blockSize:
			delete(p.pages, number)
			f.used -= blockSize
		default:
			clear(page[first-number*blockSize : last-number*blockSize])
		}
	}
}

// Fsync implements v86fs.Backend.
func (f *FS) Fsync(n v86fs.Node, _ bool) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	_, err := f.file(n)
	return err
}

// Fallocate implements v86fs.Backend.
func (f *FS) Fallocate(n v86fs.Node, mode, flags uint32, off, length uint64) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	p, err := f.regular(n)
	if err != nil {
		return err
	}
	end := off + length
	switch mode &^ v86fs.FallocKeepSize {
	case 0, v86fs.FallocUnshare:
		err = f.allocate(p, off, end)
	case v86fs.FallocPunch:
		f.punch(p, off, end)
	case v86fs.FallocZero:
		f.punch(p, off, end)
		err = f.allocate(p, off, end)
	case v86fs.FallocCollapse:
		err = f.collapse(p, mode, off, length)
	case v86fs.FallocInsert:
		err = f.insert(p, mode, off, length)
	default:
		err = v86fs.EOPNOTSUPP
	}
	if err != nil {
		return err
	}
	if mode&(v86fs.FallocKeepSize|v86fs.FallocCollapse|v86fs.FallocInsert) == 0 {
		p.attr.Size = max(p.attr.Size, end)
	}
	f.wrote(p, flags)
	return nil
}

// allocate makes the pages from off to end, or none.
func (f *FS) allocate(p *file, off, end uint64) error {
	first, last := off/blockSize, (end-1)/blockSize
	if last-first+1 > (f.limit-f.used)/blockSize+uint64(len(p.pages)) {
		return v86fs.ENOSPC
	}
	var fresh []uint64
	for i := first; i <= last; i++ {
		had := p.pages[i] != nil
		if f.page(p, i) == nil {
			for _, k := range fresh {
				delete(p.pages, k)
				f.used -= blockSize
			}
			return v86fs.ENOSPC
		}
		if !had {
			fresh = append(fresh, i)
		}
	}
	return nil
}

// collapse takes a range out, and insert puts a hole in; both of whole blocks
// and within the file.
func (f *FS) collapse(p *file, mode uint32, off, length uint64) error {
	if mode&v86fs.FallocKeepSize != 0 || off%blockSize != 0 || length%blockSize != 0 || off+length >= p.attr.Size {
		return v86fs.EINVAL
	}
	f.punch(p, off, off+length)
	p.shift(off+length, -int64(length/blockSize))
	p.attr.Size -= length
	return nil
}

func (f *FS) insert(p *file, mode uint32, off, length uint64) error {
	switch {
	case mode&v86fs.FallocKeepSize != 0 || off%blockSize != 0 || length%blockSize != 0 || off >= p.attr.Size:
		return v86fs.EINVAL
	case length > maxSize-p.attr.Size:
		return v86fs.EFBIG
	}
	p.shift(off, int64(length/blockSize))
	p.attr.Size += length
	return nil
}

// shift moves the pages from off on by a number of blocks.
func (p *file) shift(off uint64, by int64) {
	moved := map[uint64]*[blockSize]byte{}
	for number, page := range p.pages {
		if number*blockSize >= off {
			number += uint64(by)
		}
		moved[number] = page
	}
	p.pages = moved
}

// Seek implements v86fs.Backend.
func (f *FS) Seek(n v86fs.Node, off uint64, whence uint32) (uint64, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	p, err := f.regular(n)
	switch {
	case err != nil:
		return 0, err
	case off >= p.attr.Size:
		return 0, v86fs.ENXIO
	case whence == v86fs.SeekData:
		return p.data(off)
	}
	for at := off / blockSize; p.pages[at] != nil; {
		at++
		off = at * blockSize
	}
	return min(off, p.attr.Size), nil
}

// data is the first place with data from off on.
func (p *file) data(off uint64) (uint64, error) {
	for _, number := range slices.Sorted(maps.Keys(p.pages)) {
		if at := number * blockSize; at+blockSize > off && at < p.attr.Size {
			return max(at, off), nil
		}
	}
	return 0, v86fs.ENXIO
}

// CopyRange implements v86fs.Backend. There is no storage to share.
func (f *FS) CopyRange(from v86fs.Node, off uint64, to v86fs.Node, toOff, length uint64, flags uint32) (uint64, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	p, err := f.regular(from)
	if err != nil {
		return 0, err
	}
	q, err := f.regular(to)
	if err != nil {
		return 0, err
	}
	if flags&v86fs.CopyClone != 0 {
		return 0, v86fs.EOPNOTSUPP
	}
	b := make([]byte, min(length, copyMost))
	b = b[:p.read(b, off)]
	done := f.write(q, b, toOff)
	if done == 0 && len(b) > 0 {
		return 0, v86fs.ENOSPC
	}
	f.wrote(q, flags)
	return uint64(done), nil
}

package dirfs

import (
	"encoding/binary"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/gov86/gov86/devices/v86fs"
)

// watchLimit bounds the directories watched; what lies in others is found out
// when the guest asks again.
const watchLimit = 8192

// A watcher hears from the host what changes in the directories the guest has
// looked into. Its goroutine only reads; what it hears is worked through on the
// machine goroutine.
type watcher struct {
	fs     *FS
	file   *os.File // the inotify descriptor
	notify v86fs.Notifier
	nodes  map[int32]*node
}

const watchMask = unix.IN_CREATE | unix.IN_DELETE | unix.IN_MOVED_FROM | unix.IN_MOVED_TO | unix.IN_MODIFY |
	unix.IN_CLOSE_WRITE | unix.IN_ATTRIB | unix.IN_ONLYDIR | unix.IN_EXCL_UNLINK

// aboutNames are the events that change what a name leads to.
const aboutNames = unix.IN_CREATE | unix.IN_DELETE | unix.IN_MOVED_FROM | unix.IN_MOVED_TO

// A stamp is what tells whether content or attributes changed.
type stamp struct {
	size         uint64
	mtime, ctime unix.StatxTimestamp
}

func stampOf(st *unix.Statx_t) stamp { return stamp{st.Size, st.Mtime, st.Ctime} }

// A watchState is what a node has so that the host's changes can be told from the
// guest's own.
type watchState struct {
	watch int32 // inotify watch of a directory, or -1
	// expected counts, by name and event, what will be heard of the guest's own
	// changes to a directory's names.
	expected map[happening]int
	// seen is the file as the guest's own last change left it, busy how many of
	// those are under way, and foreign that one of them found another file than
	// was seen.
	seen    stamp
	busy    int
	foreign bool
	// moved says that the guest changed names in a directory since it was seen.
	moved bool
	// bare says that there were no extended attributes when it was seen.
	bare bool
}

// saw notes what a node is like when nothing of the guest's is under way.
func (n *node) saw(st *unix.Statx_t) {
	if now := stampOf(st); now != n.seen {
		n.seen, n.bare = now, false
	}
	n.moved = false
}

// A happening is an event of one kind about a name.
type happening struct {
	name string
	mask uint32
}

// An event is one thing heard.
type event struct {
	watch  int32
	mask   uint32
	cookie uint32
	name   string
}

// expect notes that the guest's own change of a directory will be heard of.
func (f *FS) expect(d *node, name string, mask uint32) {
	if d.watch < 0 {
		return
	}
	if d.expected == nil {
		d.expected = map[happening]int{}
	}
	d.expected[happening{name, mask}]++
}

// begin and end enclose a change by the guest; mu is held.
func (f *FS) begin(n *node) {
	if f.watch == nil {
		return
	}
	var st unix.Statx_t
	if n.busy == 0 && !n.moved && f.stat(n, &st) == nil && stampOf(&st) != n.seen {
		n.foreign, n.bare = true, false
	}
	n.busy++
}

func (f *FS) end(n *node) {
	if f.watch == nil {
		return
	}
	n.busy--
	var st unix.Statx_t
	if f.stat(n, &st) == nil {
		n.seen, n.moved = stampOf(&st), false
	}
}

// watched reports whether every change of a node by the host will be heard of:
// a file with several names may change by one that lies elsewhere.
func (f *FS) watched(n *node, links uint32) bool {
	switch {
	case f.watch == nil:
		return false
	case n.mode&unix.S_IFMT == unix.S_IFDIR:
		return n.watch >= 0
	}
	return n.parent != nil && n.parent.watch >= 0 && links == 1
}

// Watch implements v86fs.Backend.
func (f *FS) Watch(n v86fs.Notifier, post func(func())) error {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return err
	}
	w := &watcher{fs: f, file: os.NewFile(uintptr(fd), "inotify"), notify: n, nodes: map[int32]*node{}}
	f.mu.Lock()
	f.watch = w
	f.mu.Unlock()
	go w.read(post)
	return nil
}

// read posts what it hears until the descriptor is closed.
func (w *watcher) read(post func(func())) {
	buf := make([]byte, 64<<10)
	for {
		n, err := w.file.Read(buf)
		if err != nil {
			return
		}
		events := parse(buf[:n])
		post(func() { w.handle(events) })
	}
}

// parse takes a buffer of struct inotify_event apart.
func parse(b []byte) []event {
	var out []event
	for len(b) >= unix.SizeofInotifyEvent {
		size := int(binary.NativeEndian.Uint32(b[12:]))
		e := event{watch: int32(binary.NativeEndian.Uint32(b)), mask: binary.NativeEndian.Uint32(b[4:]),
			cookie: binary.NativeEndian.Uint32(b[8:])}
		b = b[unix.SizeofInotifyEvent:]
		if size > len(b) {
			break
		}
		e.name = strings.TrimRight(string(b[:size]), "\x00")
		b = b[size:]
		out = append(out, e)
	}
	return out
}

// handle tells the guest, on the machine goroutine.
func (w *watcher) handle(events []event) {
	for _, e := range events {
		w.fs.mu.Lock()
		tell := w.consider(e)
		w.fs.mu.Unlock()
		if tell != nil {
			tell()
		}
	}
}

// consider finds out what the guest is to be told of an event, if anything.
func (w *watcher) consider(e event) (tell func()) {
	if e.mask&unix.IN_Q_OVERFLOW != 0 {
		for _, d := range w.nodes {
			d.expected = nil
		}
		return w.notify.InvalidateAll
	}
	d, ok := w.nodes[e.watch]
	if !ok {
		return nil
	}
	if e.mask&unix.IN_IGNORED != 0 {
		delete(w.nodes, e.watch)
		d.watch, d.expected = -1, nil
		return func() { w.notify.InvalidateDir(d.number) }
	}
	kind := e.mask & (aboutNames | unix.IN_CLOSE_WRITE | unix.IN_MODIFY | unix.IN_ATTRIB)
	if h := (happening{e.name, kind}); d.expected[h] > 0 {
		// Two closes are heard of as one if nothing came between them.
		if d.expected[h]--; d.expected[h] == 0 || kind == unix.IN_CLOSE_WRITE {
			delete(d.expected, h)
		}
		return nil
	}
	switch {
	case kind&aboutNames != 0:
		return w.renamed(d, &e)
	case e.name == "":
		var st unix.Statx_t
		if w.fs.stat(d, &st) != nil {
			return nil
		}
		return w.changed(d, e.mask, &st)
	}
	return w.modified(d, &e)
}

// renamed is an event about what a name leads to.
func (w *watcher) renamed(d *node, e *event) func() {
	var child v86fs.Node
	if e.mask&(unix.IN_CREATE|unix.IN_MOVED_TO) != 0 {
		var st unix.Statx_t
		if n := w.at(d, e.name, &st); n != nil {
			child = n.number
		}
	}
	w.refresh(d)
	return func() { w.notify.Entry(d.number, e.name, child, e.mask&(aboutNames|unix.IN_ISDIR), e.cookie) }
}

// at is the node that a name leads to, nil if the guest has none for it.
func (w *watcher) at(d *node, name string, st *unix.Statx_t) *node {
	dir, err := w.fs.directory(d)
	if err != nil {
		return nil
	}
	if unix.Statx(dir, name, unix.AT_SYMLINK_NOFOLLOW, statMask, st) != nil {
		return nil
	}
	return w.fs.known[identityOf(st)]
}

// refresh notes what a node is like now.
func (w *watcher) refresh(n *node) {
	var st unix.Statx_t
	if n.busy == 0 && w.fs.stat(n, &st) == nil {
		n.saw(&st)
	}
}

// changed tells of a node that is not as the guest's own last change left it; st
// is what it is like.
func (w *watcher) changed(n *node, mask uint32, st *unix.Statx_t) func() {
	if n.busy == 0 && !n.foreign && stampOf(st) == n.seen {
		return nil
	}
	what := uint32(v86fs.InvalAttr | v86fs.InvalXattr)
	if n.foreign || n.busy == 0 {
		what |= v86fs.InvalSure
	}
	if mask&unix.IN_MODIFY != 0 || n.foreign {
		what |= v86fs.InvalData
	}
	n.foreign = false
	// Closing follows a change and tells nothing new, but who waits for it is to hear.
	if n.busy == 0 && mask&unix.IN_MODIFY == 0 {
		n.saw(st)
	}
	return func() {
		w.notify.Changed(n.number, what, mask&(unix.IN_MODIFY|unix.IN_ATTRIB|unix.IN_CLOSE_WRITE), 0, 0)
	}
}

func (w *watcher) modified(d *node, e *event) func() {
	var st unix.Statx_t
	n := w.at(d, e.name, &st)
	if n == nil {
		return nil
	}
	return w.changed(n, e.mask, &st)
}

// watchDir watches a directory the guest looks into.
func (f *FS) watchDir(d *node, dir int) {
	w := f.watch
	if w == nil || d.watch >= 0 || len(w.nodes) >= watchLimit {
		return
	}
	c, err := w.file.SyscallConn()
	if err != nil {
		return
	}
	c.Control(func(fd uintptr) {
		wd, err := unix.InotifyAddWatch(int(fd), descriptorPath(dir), watchMask)
		if err == nil {
			d.watch = int32(wd)
			w.nodes[d.watch] = d
			w.refresh(d)
		}
	})
}

// remove ends the watch of a directory that is gone.
func (w *watcher) remove(d *node) {
	if w == nil || d.watch < 0 {
		return
	}
	delete(w.nodes, d.watch)
	if c, err := w.file.SyscallConn(); err == nil {
		wd := uint32(d.watch)
		c.Control(func(fd uintptr) { unix.InotifyRmWatch(int(fd), wd) })
	}
	d.watch, d.expected = -1, nil
}

// stop ends the watching.
func (w *watcher) stop() {
	if w != nil {
		w.file.Close()
	}
}

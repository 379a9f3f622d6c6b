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
	unix.IN_ATTRIB | unix.IN_ONLYDIR | unix.IN_DONT_FOLLOW | unix.IN_EXCL_UNLINK

// An event is one thing heard.
type event struct {
	watch int32
	mask  uint32
	name  string
}

// Watch implements v86fs.Backend.
func (f *FS) Watch(n v86fs.Notifier, post func(func())) error {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return err
	}
	w := &watcher{fs: f, file: os.NewFile(uintptr(fd), "inotify"), notify: n, nodes: map[int32]*node{}}
	f.watch = w
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
		e := event{watch: int32(binary.NativeEndian.Uint32(b)), mask: binary.NativeEndian.Uint32(b[4:])}
		b = b[unix.SizeofInotifyEvent:]
		e.name = strings.TrimRight(string(b[:size]), "\x00")
		b = b[size:]
		out = append(out, e)
	}
	return out
}

// handle tells the guest, on the machine goroutine.
func (w *watcher) handle(events []event) {
	for _, e := range events {
		if e.mask&unix.IN_Q_OVERFLOW != 0 {
			w.notify.InvalidateAll()
			continue
		}
		d, ok := w.nodes[e.watch]
		if !ok {
			continue
		}
		if e.mask&unix.IN_IGNORED != 0 {
			delete(w.nodes, e.watch)
			d.watch = -1
			continue
		}
		if e.mask&(unix.IN_CREATE|unix.IN_DELETE|unix.IN_MOVED_FROM|unix.IN_MOVED_TO) != 0 && w.foreign(d) {
			w.notify.InvalidateDir(d.number)
		}
		if e.mask&(unix.IN_MODIFY|unix.IN_ATTRIB) != 0 && e.name != "" {
			w.modified(d, e.name)
		}
	}
}

// foreign reports whether a directory is not as the guest's own last change
// left it.
func (w *watcher) foreign(d *node) bool {
	var st unix.Statx_t
	if w.fs.stat(d, &st) != nil {
		return true
	}
	was := d.seen
	d.seen = stampOf(&st)
	return was != d.seen
}

// modified tells of a file that is not as the guest's own last change left it.
func (w *watcher) modified(d *node, name string) {
	dir, err := w.fs.directory(d)
	if err != nil {
		return
	}
	var st unix.Statx_t
	if unix.Statx(dir, name, unix.AT_SYMLINK_NOFOLLOW, statMask, &st) != nil {
		return
	}
	n, ok := w.fs.known[identityOf(&st)]
	if !ok || n.seen == stampOf(&st) {
		return
	}
	n.seen = stampOf(&st)
	w.notify.Changed(n.number, v86fs.InvalAttr|v86fs.InvalData, v86fs.EventModify, 0, 0)
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
		wd, err := unix.InotifyAddWatch(int(fd), descriptorPath(dir), watchMask&^unix.IN_DONT_FOLLOW)
		if err == nil {
			d.watch = int32(wd)
			w.nodes[d.watch] = d
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
	d.watch = -1
}

// stop ends the watching.
func (w *watcher) stop() {
	if w != nil {
		w.file.Close()
	}
}

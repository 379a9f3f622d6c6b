package cowfs

import "github.com/gov86/gov86/devices/v86fs"

// A relay tells of changes of the base, as far as the overlay lets them be seen.
type relay struct {
	f    *FS
	next v86fs.Notifier
}

// Watch implements v86fs.Backend. Nobody else changes the overlay.
func (f *FS) Watch(n v86fs.Notifier, post func(func())) error {
	return f.base.Watch(&relay{f, n}, post)
}

// seen is the node of a file of the base, nil for one the guest never saw.
func (r *relay) seen(base v86fs.Node) *node {
	r.f.mu.Lock()
	defer r.f.mu.Unlock()
	return r.f.known[base]
}

// Changed implements v86fs.Notifier.
func (r *relay) Changed(base v86fs.Node, what, events uint32, off, size uint64) {
	if n := r.seen(base); n != nil {
		r.next.Changed(n.number, what, events, off, size)
	}
}

// Entry implements v86fs.Notifier.
func (r *relay) Entry(dir v86fs.Node, name string, base v86fs.Node, events, cookie uint32) {
	d, child := r.seen(dir), v86fs.Node(0)
	if d == nil {
		return
	}
	if n := r.seen(base); n != nil {
		child = n.number
	}
	r.next.Entry(d.number, name, child, events, cookie)
}

// InvalidateDir implements v86fs.Notifier.
func (r *relay) InvalidateDir(dir v86fs.Node) {
	if d := r.seen(dir); d != nil {
		r.next.InvalidateDir(d.number)
	}
}

// InvalidateAll implements v86fs.Notifier.
func (r *relay) InvalidateAll() { r.next.InvalidateAll() }

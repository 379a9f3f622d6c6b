package v86fs

import (
	"log/slog"
	"testing"

	"github.com/gov86/gov86/snapshot"
	"github.com/gov86/gov86/snapshot/snapshottest"
)

func TestStateIsSavedWhole(t *testing.T) {
	snapshottest.Complete(t, (*state).sync, nil)
}

// kept is an empty directory that is found again.
type kept struct{ empty }

func (kept) Keep(Node) (Place, error)         { return Place{}, nil }
func (kept) Find(Place, uint64) (Attr, error) { return emptyRoot, nil }

func FuzzLoad(f *testing.F) {
	d := New([]Export{{Name: "x", Backend: kept{}}}, slog.New(slog.DiscardHandler))
	m := &mount{id: 1, x: &d.exports[0], nodes: map[uint64]*node{}, known: map[Node]*node{}}
	d.session.mounts[1], d.session.lastMount = m, 1
	m.root, _ = d.session.meet(m, &emptyRoot)
	h, _ := d.session.open(m, m.root, false)
	h.entries = []Entry{{Name: "a"}}
	d.session.locks.set(lockKey{0, 1, true}, heldLock{lockOwner: lockOwner{1, 2}, handle: h.id, Lock: Lock{true, LockRead, 0, 9}})
	d.handles[d.next] = handle{d.numbered(inode{0, 1})}
	d.next++
	s := snapshot.NewSaver()
	d.Save(s)
	b, err := s.Close()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		if d.Load(snapshot.NewLoader(b)) == nil {
			d.Resume()
			for id := range uint64(10) {
				d.target(id)
			}
			d.Reset()
		}
	})
}

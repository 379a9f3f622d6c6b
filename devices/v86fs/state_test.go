package v86fs

import (
	"log/slog"
	"testing"

	"github.com/gov86/gov86/snapshot"
	"github.com/gov86/gov86/snapshot/snapshottest"
)

func TestStateIsSavedWhole(t *testing.T) {
	snapshottest.Complete(t, (*state).sync, func(s *state) {
		s.exports, s.nodes = []uint32{1, 2, 3}, []uint64{4, 5, 6}
	})
}

func FuzzLoad(f *testing.F) {
	d := New(nil, slog.New(slog.DiscardHandler))
	d.numbered(inode{7, 8})
	s := snapshot.NewSaver()
	d.Save(s)
	b, _ := s.Close()
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		if d.Load(snapshot.NewLoader(b)) == nil {
			for id := range uint64(10) {
				d.target(id)
			}
			d.Reset()
		}
	})
}

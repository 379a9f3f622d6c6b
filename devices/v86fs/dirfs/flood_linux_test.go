package dirfs

import (
	"bytes"
	"encoding/binary"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gov86/gov86/devices/v86fs"
	"github.com/gov86/gov86/devices/v86fs/wire"
	"github.com/gov86/gov86/devices/virtio"
	"github.com/gov86/gov86/devices/virtio/virtiotest"
)

// TestAFloodOfChangesIsToldAsOne has the host change more than it remembers while
// nobody listens: the guest is told that everything may have changed.
func TestAFloodOfChangesIsToldAsOne(t *testing.T) {
	const tooMany = 1 << 17
	most := tooMany
	if b, err := os.ReadFile("/proc/sys/fs/inotify/max_queued_events"); err == nil {
		most, _ = strconv.Atoi(strings.TrimSpace(string(b)))
	}
	if most >= tooMany {
		t.Skipf("the host remembers %d events", most)
	}
	dir := t.TempDir()
	put(t, filepath.Join(dir, "f"), "")
	put(t, filepath.Join(dir, "g"), "")
	f := share(t, dir)
	n := &news{make(chan v86fs.Node, 8*most), make(chan v86fs.Node, 8*most), make(chan v86fs.Node, 10)}
	work := make(chan func())
	if err := f.Watch(n, func(fn func()) { work <- fn }); err != nil {
		t.Skipf("changes are not watched: %v", err)
	}
	look(t, f, "f")
	for i := range most + 5000 { // in turn: events that are the same are joined
		if err := os.Chmod(filepath.Join(dir, []string{"f", "g"}[i%2]), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	late := time.After(30 * time.Second)
	for {
		select {
		case fn := <-work:
			fn()
		case <-n.all:
			return
		case <-late:
			t.Fatal("nothing was told of what was lost")
		}
	}
}

// TestRandomRequestsStayInside sends a device requests with numbers, lengths and
// names at random. A file beside the shared directory stays as it is.
func TestRandomRequestsStayInside(t *testing.T) {
	parent := t.TempDir()
	dir := filepath.Join(parent, "shared")
	if err := os.MkdirAll(filepath.Join(dir, "d"), 0o755); err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(parent, "canary"), "alive")
	put(t, filepath.Join(dir, "f"), "content")
	if err := os.Symlink("../canary", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	b := virtiotest.NewBoard(t)
	dev := v86fs.New([]v86fs.Export{{Name: "x", Backend: share(t, dir)}}, slog.New(slog.DiscardHandler))
	virtio.NewPCI(dev, b.Bus, 14, [4]uint16{0xf800, 0xf900, 0xf700, 0xf600}, b.Memory)
	d := virtiotest.Find(t, b, 14)
	if !d.Start(virtio.FeatureVersion1|wire.FeatureExtended|wire.FeatureAsync, 3, 128) {
		t.Fatal("the device refuses the features")
	}
	mount := wire.Request{Type: wire.Mount2}
	d.Request(1, mount.Append(nil, &wire.Mount2Request{}), 512)
	r := rand.New(rand.NewPCG(86, 86))
	names := []string{"..", "../canary", "link", "f", "d", "/", "", "link/x", "\x00", ".", "new", strings.Repeat("n", 300), parent}
	answered := 0
	for range 20000 {
		name := names[r.IntN(len(names))]
		q := wire.Request{Type: wire.FirstExtended + wire.Type(r.IntN(int(wire.LastExtended-wire.FirstExtended)+1)), Mount: uint32(1 + r.IntN(8)/7), Node: uint64(r.IntN(6))}
		if q.Type == wire.Umount || q.Type == wire.Setlk {
			continue
		}
		body := make([]byte, 8*r.IntN(9))
		for i := range body {
			if r.IntN(3) == 0 {
				body[i] = byte(r.IntN(4))
			}
		}
		if len(body) >= 4 && r.IntN(2) == 0 {
			at := 4 * r.IntN(len(body)/4)
			binary.LittleEndian.PutUint16(body[at:], uint16(len(name)))
		}
		p := append(append(q.Append(nil, nil), body...), name...)
		binary.LittleEndian.PutUint32(p, uint32(len(p)-r.IntN(2)*r.IntN(9)))
		if a := d.Request(1, p, 4096); len(a) > 8 && binary.LittleEndian.Uint32(a[8:]) == 0 {
			answered++
			if bytes.Contains(a, []byte("alive")) {
				t.Fatalf("% x reads the canary", p)
			}
		}
	}
	if answered < 100 {
		t.Errorf("only %d requests were carried out", answered)
	}
	list, err := os.ReadDir(parent)
	if content, _ := os.ReadFile(filepath.Join(parent, "canary")); err != nil || len(list) != 2 || string(content) != "alive" {
		t.Errorf("beside the directory there are %v with %q, %v", list, content, err)
	}
}

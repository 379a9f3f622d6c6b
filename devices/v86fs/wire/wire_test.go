package wire

import (
	"bytes"
	"encoding/hex"
	"path/filepath"
	"reflect"
	"testing"
)

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil || s == "" {
		t.Fatalf("%q: %v", s, err)
	}
	return b
}

type decoder interface{ Decode(*Reader) error }

var requests = []struct {
	name string
	kind Type
	tag  uint16
	into decoder
	want decoder
}{
	{"MOUNT without a name", Mount, 1, &NameRequest{}, &NameRequest{""}},
	{"MOUNT ws", Mount, 1, &NameRequest{}, &NameRequest{"ws"}},
	{"LOOKUP a", Lookup, 2, &EntryRequest{}, &EntryRequest{1, "a"}},
	{"GETATTR", Getattr, 3, &InodeRequest{}, &InodeRequest{2}},
	{"OPEN", Open, 5, &OpenRequest{}, &OpenRequest{2, 0x8000}},
	{"READ", Read, 6,
		&ReadRequest{}, &ReadRequest{1<<32 | 1, 0, 12}},
	{"CREATE f", Create, 7,
		&CreateRequest{}, &CreateRequest{1, "f", 0o100644}},
	{"WRITE hi", Write, 8,
		&WriteRequest{}, &WriteRequest{2, 4096, []byte("hi")}},
	{"RENAME f to gg", Rename, 10,
		&RenameRequest{}, &RenameRequest{1, "f", 3, "gg"}},
	{"SYMLINK l", Symlink, 11,
		&SymlinkRequest{}, &SymlinkRequest{1, "l", "t/u"}},
	{"SETATTR of a large size", Setattr, 1,
		&SetattrRequest{}, &SetattrRequest{2, 8, 0, 0x1_2a00_0000}},
}

func TestRequestsDecode(t *testing.T) {
	all := vectors(t, filepath.Join("testdata", "vectors.txt"), mark)
	for _, c := range requests {
		t.Run(c.name, func(t *testing.T) {
			b := unhex(t, all[c.name])
			r := NewReader(b)
			if h := r.Header(); h != (Header{uint32(len(b)), c.kind, c.tag}) {
				t.Errorf("header %+v", h)
			}
			if err := c.into.Decode(&r); err != nil || !reflect.DeepEqual(c.into, c.want) {
				t.Errorf("decoded %+v, %v, want %+v", c.into, err, c.want)
			}
			for n := HeaderSize; n < len(b); n++ {
				r := NewReader(b[:n])
				r.Header()
				if c.into.Decode(&r) != ErrShort {
					t.Errorf("the first %d bytes decode", n)
				}
			}
		})
	}
}

// ok is the body of a response with status 0.
func ok(body func(*Writer)) func(*Writer) {
	return func(w *Writer) { w.U32(0); body(w) }
}

var responses = []struct {
	name string
	kind Type
	tag  uint16
	body func(*Writer)
}{
	{"MOUNT_R", Mount | Response, 1,
		ok((&NodeResponse{1, 0o40755}).Encode)},
	{"LOOKUP_R", Lookup | Response, 2,
		ok((&LookupResponse{2, 0o100644, 12}).Encode)},
	{"GETATTR_R", Getattr | Response, 3,
		ok((&GetattrResponse{0o100644, 12, 1711500000, 0}).Encode)},
	{"READDIR_R", Readdir | Response, 4,
		ok(func(w *Writer) { w.U32(2); AppendEntry(w, 2, 8, "a"); AppendEntry(w, 3, 4, "bc") })},
	{"OPEN_R", Open | Response, 5,
		ok(func(w *Writer) { w.U64(1<<32 | 1) })},
	{"READ_R", Read | Response, 6,
		ok(func(w *Writer) { w.U32(3); w.B = append(w.B, "abc"...) })},
	{"READLINK_R", Readlink | Response, 12, ok(func(w *Writer) { w.Text("t/u") })},
	{"STATFS_R", Statfs | Response, 13,
		ok((&StatfsResponse{1 << 20, 1 << 19, 1 << 19, 1 << 20, 1 << 19, 4096}).Encode)},
	{"INVALIDATE", Invalidate, 0,
		func(w *Writer) { AppendInvalidate(w, 2, 4096, 4096) }},
	{"INVALIDATE_DIR", InvalidateDir, 0, func(w *Writer) { w.U64(1) }},
	{"MOUNT_NOTIFY", MountNotify, 0, func(w *Writer) { w.Text("ws"); w.Text("/d") }},
	{"UMOUNT_NOTIFY", UmountNotify, 0, func(w *Writer) { w.Text("/d") }},
}

func TestResponsesEncode(t *testing.T) {
	all := vectors(t, filepath.Join("testdata", "vectors.txt"), mark)
	for _, c := range responses {
		t.Run(c.name, func(t *testing.T) {
			var w Writer
			w.Begin(c.kind, c.tag)
			c.body(&w)
			if got, want := w.End(), unhex(t, all[c.name]); !bytes.Equal(got, want) {
				t.Errorf("encoded % x\nwant    % x", got, want)
			}
		})
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte{0, 0, 0, 0, 8, 1, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, c := range requests {
			r := NewReader(b)
			r.Header()
			if err := c.into.Decode(&r); err != nil && err != ErrShort {
				t.Error(err)
			}
		}
	})
}

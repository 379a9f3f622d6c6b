package wire

import (
	"bytes"
	"encoding/hex"
	"reflect"
	"strings"
	"testing"
)

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

type decoder interface{ Decode(*Reader) error }

var requests = []struct {
	name  string
	bytes string
	kind  Type
	tag   uint16
	into  decoder
	want  decoder
}{
	{"MOUNT without a name", "09 00 00 00 00 01 00 00 00", Mount, 1, &NameRequest{}, &NameRequest{""}},
	{"MOUNT ws", "0b 00 00 00 00 01 00 02 00 77 73", Mount, 1, &NameRequest{}, &NameRequest{"ws"}},
	{"LOOKUP a", "12 00 00 00 01 02 00 01 00 00 00 00 00 00 00 01 00 61", Lookup, 2, &EntryRequest{}, &EntryRequest{1, "a"}},
	{"GETATTR", "0f 00 00 00 02 03 00 02 00 00 00 00 00 00 00", Getattr, 3, &InodeRequest{}, &InodeRequest{2}},
	{"OPEN", "13 00 00 00 04 05 00 02 00 00 00 00 00 00 00 00 80 00 00", Open, 5, &OpenRequest{}, &OpenRequest{2, 0x8000}},
	{"READ", "1b 00 00 00 06 06 00 01 00 00 00 01 00 00 00 00 00 00 00 00 00 00 00 0c 00 00 00", Read, 6,
		&ReadRequest{}, &ReadRequest{1<<32 | 1, 0, 12}},
	{"CREATE f", "16 00 00 00 07 07 00 01 00 00 00 00 00 00 00 01 00 66 a4 81 00 00", Create, 7,
		&CreateRequest{}, &CreateRequest{1, "f", 0o100644}},
	{"WRITE hi", "1d 00 00 00 08 08 00 02 00 00 00 00 00 00 00 00 10 00 00 00 00 00 00 02 00 00 00 68 69", Write, 8,
		&WriteRequest{}, &WriteRequest{2, 4096, []byte("hi")}},
	{"RENAME f to gg", "1e 00 00 00 0d 0a 00 01 00 00 00 00 00 00 00 01 00 66 03 00 00 00 00 00 00 00 02 00 67 67", Rename, 10,
		&RenameRequest{}, &RenameRequest{1, "f", 3, "gg"}},
	{"SYMLINK l", "17 00 00 00 0e 0b 00 01 00 00 00 00 00 00 00 01 00 6c 03 00 74 2f 75", Symlink, 11,
		&SymlinkRequest{}, &SymlinkRequest{1, "l", "t/u"}},
	{"SETATTR of a large size", "1f 00 00 00 0a 01 00 02 00 00 00 00 00 00 00 08 00 00 00 00 00 00 00 00 00 00 2a 01 00 00 00", Setattr, 1,
		&SetattrRequest{}, &SetattrRequest{2, 8, 0, 0x1_2a00_0000}},
}

func TestRequestsDecode(t *testing.T) {
	for _, c := range requests {
		t.Run(c.name, func(t *testing.T) {
			b := unhex(t, c.bytes)
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

func TestResponsesEncode(t *testing.T) {
	ok := func(body func(*Writer)) func(*Writer) {
		return func(w *Writer) { w.U32(0); body(w) }
	}
	for _, c := range []struct {
		name  string
		bytes string
		kind  Type
		tag   uint16
		body  func(*Writer)
	}{
		{"MOUNT_R", "17 00 00 00 80 01 00 00 00 00 00 01 00 00 00 00 00 00 00 ed 41 00 00", Mount | Response, 1,
			ok((&NodeResponse{1, 0o40755}).Encode)},
		{"LOOKUP_R", "1f 00 00 00 81 02 00 00 00 00 00 02 00 00 00 00 00 00 00 a4 81 00 00 0c 00 00 00 00 00 00 00", Lookup | Response, 2,
			ok((&LookupResponse{2, 0o100644, 12}).Encode)},
		{"GETATTR_R", "23 00 00 00 82 03 00 00 00 00 00 a4 81 00 00 0c 00 00 00 00 00 00 00 e0 6a 03 66 00 00 00 00 00 00 00 00", Getattr | Response, 3,
			ok((&GetattrResponse{0o100644, 12, 1711500000, 0}).Encode)},
		{"READDIR_R", "28 00 00 00 83 04 00 00 00 00 00 02 00 00 00 02 00 00 00 00 00 00 00 08 01 00 61 03 00 00 00 00 00 00 00 04 02 00 62 63", Readdir | Response, 4,
			ok(func(w *Writer) { w.U32(2); AppendEntry(w, 2, 8, "a"); AppendEntry(w, 3, 4, "bc") })},
		{"OPEN_R", "13 00 00 00 84 05 00 00 00 00 00 01 00 00 00 01 00 00 00", Open | Response, 5,
			ok(func(w *Writer) { w.U64(1<<32 | 1) })},
		{"READ_R", "12 00 00 00 86 06 00 00 00 00 00 03 00 00 00 61 62 63", Read | Response, 6,
			ok(func(w *Writer) { w.U32(3); w.B = append(w.B, "abc"...) })},
		{"READLINK_R", "10 00 00 00 8f 0c 00 00 00 00 00 03 00 74 2f 75", Readlink | Response, 12, ok(func(w *Writer) { w.Text("t/u") })},
		{"STATFS_R", "37 00 00 00 90 0d 00 00 00 00 00 00 00 10 00 00 00 00 00 00 00 08 00 00 00 00 00 00 00 08 00 00 00 00 00" +
			"00 00 10 00 00 00 00 00 00 00 08 00 00 00 00 00 00 10 00 00", Statfs | Response, 13,
			ok((&StatfsResponse{1 << 20, 1 << 19, 1 << 19, 1 << 20, 1 << 19, 4096}).Encode)},
		{"INVALIDATE", "1f 00 00 00 20 00 00 02 00 00 00 00 00 00 00 00 10 00 00 00 00 00 00 00 10 00 00 00 00 00 00", Invalidate, 0,
			func(w *Writer) { AppendInvalidate(w, 2, 4096, 4096) }},
		{"INVALIDATE_DIR", "0f 00 00 00 21 00 00 01 00 00 00 00 00 00 00", InvalidateDir, 0, func(w *Writer) { w.U64(1) }},
		{"MOUNT_NOTIFY", "0f 00 00 00 22 00 00 02 00 77 73 02 00 2f 64", MountNotify, 0, func(w *Writer) { w.Text("ws"); w.Text("/d") }},
		{"UMOUNT_NOTIFY", "0b 00 00 00 23 00 00 02 00 2f 64", UmountNotify, 0, func(w *Writer) { w.Text("/d") }},
	} {
		t.Run(c.name, func(t *testing.T) {
			var w Writer
			w.Begin(c.kind, c.tag)
			c.body(&w)
			if got, want := w.End(), unhex(t, c.bytes); !bytes.Equal(got, want) {
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

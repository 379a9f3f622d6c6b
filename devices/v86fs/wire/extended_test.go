package wire

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// An example is a message of the extended protocol as values; its bytes are in
// testdata/vectors.txt under its name, as those of requests and responses are.
type example struct {
	name   string
	prefix prefix
	body   Message
}

type prefix interface {
	Append(b []byte, body Message) []byte
	Decode(b []byte) ([]byte, error)
}

// ask and answer are prefixes with something in each field.
func ask(t Type, node uint64) *Request {
	return &Request{Type: t, Tag: 0x1234, Mount: 3, UID: 1000, GID: 100, PID: 4242, Node: node}
}

func answer(t Type) *Reply { return &Reply{Type: t | Response, Tag: 0x1234, Version: 7} }

func news(t Type) *Notice { return &Notice{Type: t, Mount: 3, Version: 8} }

// attr has another value in each field.
var attr = Attr{
	Node: 0x105, Ino: 0x1_0000_0002, Generation: 3, Change: 4, Size: 5 << 32, Blocks: 6,
	Atime: Time{-1, 999_999_999}, Mtime: Time{1711500000, 1}, Ctime: Time{1711500001, 2}, Btime: Time{1711500002, 3},
	Mode: 0o100644, Nlink: 2, UID: 1000, GID: 100, RdevMajor: 8, RdevMinor: 1, Blksize: 4096,
	Flags: AttrBtime | AttrNoXattr, AttrValid: 1000, EntryValid: Forever,
}

const someHandle = 0x1_0000_0009

var examples = []example{
	{"MOUNT2", &Request{Type: Mount2, Tag: 1, PID: 1}, &Mount2Request{MountReadOnly, "ws"}},
	{"MOUNT2_R", answer(Mount2), &Mount2Response{3, MountWatched | MountXattr, attr}},
	{"UMOUNT", ask(Umount, 0), nil},
	{"UMOUNT_R", answer(Umount), nil},
	{"EXPORTS", &Request{Type: Exports, Tag: 2}, &ExportsRequest{1, 4096}},
	{"EXPORTS_R", &Reply{Type: Exports | Response, Tag: 2, Flags: ReplyEnd, Data: 6, Version: 7}, nil},
	{"LOOKUP2", ask(Lookup2, 0x101), &Name2Request{"a\xff"}},
	{"LOOKUP2_R", answer(Lookup2), &attr},
	{"LOOKUP2_R that there is none", &Reply{Type: Lookup2 | Response, Tag: 0x1234, Status: 2, Version: 7}, &Attr{EntryValid: 1000}},
	{"FORGET", ask(Forget, 0), &ForgetRequest{[]Forgotten{{0x105, 2}, {0x106, 1}}}},
	{"GETATTR2", ask(Getattr2, 0x105), &HandleRequest{someHandle}},
	{"GETATTR2_R", answer(Getattr2), &attr},
	{"GETATTR2_R that the file is gone", &Reply{Type: Getattr2 | Response, Tag: 0x1234, Status: 116, Version: 7}, nil},
	{"SETATTR2", ask(Setattr2, 0x105), &Setattr2Request{someHandle, SetMode | SetUID | SetGID | SetSize | SetAtime | SetMtime | SetAtimeTo,
		0o600, 1, 2, 5 << 32, Time{-2, 1}, Time{1711500000, 2}, Time{1711500001, 3}}},
	{"SETATTR2_R", answer(Setattr2), &attr},
	{"CREATE2", ask(Create2, 0x101), &Create2Request{2 | OpenExcl | OpenAppend, 0o100666, 0o22, "f"}},
	{"CREATE2_R", answer(Create2), &OpenResponse{attr, someHandle, OpenedCreated}},
	{"OPEN2", ask(Open2, 0x105), &Open2Request{1 | OpenTrunc}},
	{"OPEN2_R", answer(Open2), &OpenResponse{attr, someHandle, OpenedKeep}},
	{"RELEASE", ask(Release, 0x105), &HandleRequest{someHandle}},
	{"RELEASE_R", answer(Release), nil},
	{"READ2", ask(Read2, 0x105), &Read2Request{someHandle, 5 << 32, 1 << 20, IODirect}},
	{"READ2_R of 3 bytes", &Reply{Type: Read2 | Response, Tag: 0x1234, Data: 3, Version: 7}, nil},
	{"WRITE2", ask(Write2, 0x105), &Write2Request{someHandle, 5 << 32, 2, WriteAppend | WriteKillPriv}},
	{"WRITE2_R", answer(Write2), &Write2Response{5 << 32, 2, attr}},
	{"FSYNC2", ask(Fsync2, 0x105), &Fsync2Request{someHandle, FsyncData}},
	{"FSYNC2_R", answer(Fsync2), nil},
	{"FALLOCATE", ask(Fallocate, 0x105), &FallocateRequest{someHandle, FallocKeepSize | FallocPunch, WriteKillPriv, 4096, 5 << 32}},
	{"FALLOCATE_R", answer(Fallocate), &attr},
	{"SEEK", ask(Seek, 0x105), &SeekRequest{someHandle, 4096, SeekHole}},
	{"SEEK_R", answer(Seek), &SeekResponse{5 << 32}},
	{"COPY_RANGE", ask(CopyRange, 0x105), &CopyRangeRequest{someHandle, 4096, 0x106, someHandle + 1, 5 << 32, 1 << 33, CopyClone}},
	{"COPY_RANGE_R", answer(CopyRange), &CopyRangeResponse{1 << 33, attr}},
	{"MKNOD", ask(Mknod, 0x101), &MknodRequest{0o060660, 0o22, 8, 17, "sdb1"}},
	{"MKNOD_R", answer(Mknod), &attr},
	{"MKDIR2", ask(Mkdir2, 0x101), &Mkdir2Request{0o040777, 0o22, "d"}},
	{"MKDIR2_R", answer(Mkdir2), &attr},
	{"SYMLINK2", ask(Symlink2, 0x101), &Symlink2Request{"l", "t/u"}},
	{"SYMLINK2_R", answer(Symlink2), &attr},
	{"LINK", ask(Link, 0x101), &LinkRequest{0x105, "h"}},
	{"LINK_R", answer(Link), &attr},
	{"UNLINK2", ask(Unlink2, 0x101), &Name2Request{"f"}},
	{"UNLINK2_R", answer(Unlink2), nil},
	{"RMDIR", ask(Rmdir, 0x101), &Name2Request{"d"}},
	{"RMDIR_R", answer(Rmdir), nil},
	{"RENAME2", ask(Rename2, 0x101), &Rename2Request{0x102, RenameExchange, "f", "gg"}},
	{"RENAME2_R", answer(Rename2), nil},
	{"TMPFILE", ask(Tmpfile, 0x101), &TmpfileRequest{2 | OpenExcl, 0o100600, 0o77}},
	{"TMPFILE_R", answer(Tmpfile), &OpenResponse{attr, someHandle, OpenedCreated}},
	{"READLINK2", ask(Readlink2, 0x107), nil},
	{"READLINK2_R of 3 bytes", &Reply{Type: Readlink2 | Response, Tag: 0x1234, Data: 3, Version: 7}, nil},
	{"READDIR2", ask(Readdir2, 0x101), &Readdir2Request{someHandle, 2, 32768, ReaddirPlus}},
	{"READDIR2_R at the end", &Reply{Type: Readdir2 | Response, Tag: 0x1234, Flags: ReplyEnd, Data: 200, Version: 7}, nil},
	{"STATFS2", ask(Statfs2, 0x101), nil},
	{"STATFS2_R", answer(Statfs2), &Statfs2Response{1 << 40, 1 << 39, 1 << 38, 1 << 20, 1 << 19, 4096, 4096, 255, 0xef53, 0x1122334455667788, 0x400}},
	{"SYNCFS", ask(Syncfs, 0), nil},
	{"SYNCFS_R", answer(Syncfs), nil},
	{"GETXATTR", ask(Getxattr, 0x105), &GetxattrRequest{256, "user.a"}},
	{"GETXATTR_R", &Reply{Type: Getxattr | Response, Tag: 0x1234, Data: 5, Version: 7}, &XattrResponse{5}},
	{"SETXATTR", ask(Setxattr, 0x105), &SetxattrRequest{5, XattrReplace, "user.a"}},
	{"SETXATTR_R", answer(Setxattr), nil},
	{"LISTXATTR", ask(Listxattr, 0x105), &ListxattrRequest{65536}},
	{"LISTXATTR_R", &Reply{Type: Listxattr | Response, Tag: 0x1234, Data: 7, Version: 7}, &XattrResponse{7}},
	{"REMOVEXATTR", ask(Removexattr, 0x105), &Name2Request{"user.a"}},
	{"REMOVEXATTR_R", answer(Removexattr), nil},
	{"GETLK", ask(Getlk, 0x105), &LockRequest{someHandle, 0x77, 10, 19, LockWrite, 0}},
	{"GETLK_R", answer(Getlk), &LockResponse{0, 1<<63 - 1, LockRead, 99}},
	{"SETLK", ask(Setlk, 0x105), &LockRequest{someHandle, 0x77, 0, 1<<63 - 1, LockWrite, LockFlock | LockWait}},
	{"SETLK_R", answer(Setlk), nil},
	{"INTERRUPT", &Request{Type: Interrupt, Tag: 9}, &InterruptRequest{0x1234}},
	{"INTERRUPT_R", &Reply{Type: Interrupt | Response, Tag: 9, Version: 7}, nil},
	{"INVAL_NODE", news(InvalNode), &InvalNodeNotice{0x105, InvalAttr | InvalData, EventModify, 4096, 5 << 32}},
	{"INVAL_ENTRY", news(InvalEntry), &InvalEntryNotice{0x101, 0x105, EventMovedTo | EventIsDir, 17, "new"}},
	{"INVAL_DIR", news(InvalDir), &InvalDirNotice{0x101}},
	{"INVAL_MOUNT", news(InvalMount), nil},
}

// lists are what is in data, and the configuration space: messages without a
// prefix.
var lists = []struct {
	name string
	body Message
}{
	{"entry of EXPORTS", &ExportEntry{1, "ws"}},
	{"entry of READDIR2", &DirEntry{Cookie: 1, Ino: 0x1_0000_0002, Type: 8, Name: "f"}},
	{"entry of READDIR2 with PLUS", &DirEntry{Cookie: 2, Ino: 0x1_0000_0002, Type: 8, Name: "12345678", Attr: &attr}},
	{"configuration space", &Config{Version, MaxData, 64, MaxName, NotifySize, MaxForget, 65536, 2}},
}

// mark is the line before the first vector.
const mark = "# name: bytes"

// vectors reads a file of names, each ended by a colon, and bytes, in the same
// line or in lines that begin with a space, from the line that is mark on.
func vectors(t *testing.T, file, mark string) map[string]string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	_, text, ok := strings.Cut(string(b), mark+"\n")
	if !ok {
		t.Fatalf("%s has no line %q", file, mark)
	}
	all, name := map[string]string{}, ""
	for _, line := range strings.Split(text, "\n") {
		line, _ = strings.CutPrefix(line, "    ")
		if n, first, ok := strings.Cut(line, ":"); ok {
			name, line = n, first
		}
		if name != "" {
			all[name] += strings.ReplaceAll(line, " ", "")
		}
	}
	return all
}

// page is the protocol's document.
var page = filepath.Join("..", "..", "..", "docs", "v86fs-protocol.md")

func TestVectorsAreThoseOfTheDocument(t *testing.T) {
	ours, theirs := vectors(t, filepath.Join("testdata", "vectors.txt"), mark), vectors(t, page, "    "+mark)
	if !reflect.DeepEqual(ours, theirs) {
		for n := range ours {
			if ours[n] != theirs[n] {
				t.Errorf("%s: testdata has %s, the document %s", n, ours[n], theirs[n])
			}
		}
		t.Errorf("testdata has %d vectors, the document %d", len(ours), len(theirs))
	}
	if want := len(requests) + len(responses) + len(examples) + len(lists); len(ours) != want {
		t.Errorf("there are %d vectors of %d examples", len(ours), want)
	}
}

// empty is a new value of the type m points to, with an attribute block where
// m has one.
func empty(m Message) Message {
	if m == nil {
		return nil
	}
	fresh := reflect.New(reflect.TypeOf(m).Elem()).Interface().(Message)
	if e, ok := m.(*DirEntry); ok && e.Attr != nil {
		fresh.(*DirEntry).Attr = &Attr{}
	}
	return fresh
}

func TestVectorsEncodeAndDecode(t *testing.T) {
	all := vectors(t, filepath.Join("testdata", "vectors.txt"), mark)
	for _, e := range examples {
		want, err := hex.DecodeString(all[e.name])
		if err != nil {
			t.Fatalf("%s: %v", e.name, err)
		}
		if got := e.prefix.Append(nil, e.body); !bytes.Equal(got, want) {
			t.Errorf("%s is encoded\n% x, want\n% x", e.name, got, want)
			continue
		}
		got := reflect.New(reflect.TypeOf(e.prefix).Elem()).Interface().(prefix)
		body, err := got.Decode(append(want, 0xee))
		if err != nil || !reflect.DeepEqual(got, e.prefix) {
			t.Errorf("%s has the prefix %+v, %v", e.name, got, err)
		}
		if m := empty(e.body); m != nil {
			if err := DecodeBody(body, m); err != nil || !reflect.DeepEqual(m, e.body) {
				t.Errorf("%s is decoded %+v, %v, want %+v", e.name, m, err, e.body)
			}
			for n := range body {
				if DecodeBody(body[:n], empty(e.body)) != ErrShort {
					t.Errorf("the first %d bytes of %s decode", n, e.name)
				}
			}
		}
		if _, err := got.Decode(want[:len(want)-1]); err != ErrShort {
			t.Errorf("%s without its last byte: %v", e.name, err)
		}
	}
	for _, e := range lists {
		if got, want := hex.EncodeToString(AppendMessage(nil, e.body)), all[e.name]; got != want {
			t.Errorf("%s is encoded %s, want %s", e.name, got, want)
		}
		m, b := empty(e.body), AppendMessage(nil, e.body)
		if rest, err := CutMessage(append(b, 0xee), m); err != nil || len(rest) != 1 || !reflect.DeepEqual(m, e.body) {
			t.Errorf("%s is decoded %+v, %v", e.name, m, err)
		}
	}
}

// fixedSizes are sizes of messages without their strings and lists.
func fixedSizes() map[string]int {
	sizes := map[string]int{}
	for _, e := range examples {
		fresh := empty(e.body)
		name := strings.Fields(e.name)[0]
		if strings.Contains(e.name, "gone") {
			continue
		}
		sizes[name] = len(e.prefix.Append(nil, fresh))
	}
	return sizes
}

var (
	heading = regexp.MustCompile(`^#### 0x([0-9A-F]{2}) ([A-Z_0-9]+)$`)
	part    = regexp.MustCompile(`(Request|Response|Notification) \((\d+)[^)]*\)(:|\.|, and data)`)
	field   = regexp.MustCompile("`(\\d+) (u8|u16|u32|u64|s64|attr|bytes) (\\w+)`")
)

// fieldSize is the size of a type of the document's.
var fieldSize = map[string]int{"u8": 1, "u16": 2, "u32": 4, "u64": 8, "s64": 8, "attr": AttrSize, "bytes": 0}

// checkFields checks that the fields in text follow each other without a gap
// and without a crooked place, and returns where they end.
func checkFields(t *testing.T, what, text string, at int) int {
	t.Helper()
	for _, f := range field.FindAllStringSubmatch(text, -1) {
		off, _ := strconv.Atoi(f[1])
		size := fieldSize[f[2]]
		if off != at {
			t.Errorf("%s: %s is at %d, the field before it ends at %d", what, f[3], off, at)
		}
		if align := min(size, 8); size > 0 && off%align != 0 && !(off == 5 && f[2] == "u16") {
			t.Errorf("%s: %s of %s at %d is not aligned", what, f[3], f[2], off)
		}
		at = off + size
	}
	return at
}

// TestLayoutsOfTheDocument adds up the fields that the document lists for each
// message, and compares with what the code encodes.
func TestLayoutsOfTheDocument(t *testing.T) {
	b, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	sizes, name, seen := fixedSizes(), "", 0
	for _, paragraph := range strings.Split(string(b), "\n\n") {
		text := strings.ReplaceAll(paragraph, "\n", " ")
		if head, rest, ok := strings.Cut(paragraph, "\n"); ok && strings.HasPrefix(head, "#### 0x") {
			h := heading.FindStringSubmatch(head)
			if h == nil {
				t.Fatalf("heading %q", head)
			}
			n, _ := strconv.ParseUint(h[1], 16, 8)
			if name = h[2]; Type(n).String() != name {
				t.Errorf("the document has %s as %#x, the code %v", name, n, Type(n))
			}
			text = strings.ReplaceAll(rest, "\n", " ")
		} else if head, ok := strings.CutPrefix(paragraph, "#### 0x"); ok {
			t.Fatalf("nothing under %s", head)
		}
		at := part.FindAllStringSubmatchIndex(text, -1)
		for i, m := range at {
			end := len(text)
			if i+1 < len(at) {
				end = at[i+1][0]
			}
			size, _ := strconv.Atoi(text[m[4]:m[5]])
			key, from := name, RequestSize
			switch text[m[2]:m[3]] {
			case "Response":
				key, from = name+"_R", ReplySize
			case "Notification":
				from = NoticeSize
			}
			fields, _, _ := strings.Cut(text[m[1]:end], "entries `")
			if sum := checkFields(t, key, fields, from); sum != size || sizes[key] != size {
				t.Errorf("%s: the document says %d bytes and lists %d, the code has %d", key, size, sum, sizes[key])
			}
			seen++
		}
	}
	if want := len(sizes); seen != want {
		t.Errorf("the document has %d layouts of %d", seen, want)
	}
}

// TestPrefixesOfTheDocument does the same for the lists before the messages.
func TestPrefixesOfTheDocument(t *testing.T) {
	b, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.ReplaceAll(string(b), "\n", " ")
	for _, c := range []struct {
		after string
		size  int
	}{
		{"Read-only, 32 bytes", len((&Config{}).Append(nil))},
		{"Request prefix, 32 bytes", len((&Request{}).Append(nil, nil))},
		{"Response prefix, 24 bytes", len((&Reply{}).Append(nil, nil))},
		{"### Attribute block, 136 bytes", len(AppendMessage(nil, &Attr{}))},
		{"An entry is", len(AppendMessage(nil, &DirEntry{}))},
		{"Prefix, 24 bytes", len((&Notice{}).Append(nil, nil))},
	} {
		_, rest, ok := strings.Cut(text, c.after)
		if !ok {
			t.Errorf("the document has no %q", c.after)
			continue
		}
		list := regexp.MustCompile("(`[^`]*`( ·)? *)+").FindString(rest[strings.Index(rest, "`"):])
		if sum := checkFields(t, c.after, list, 0); sum != c.size {
			t.Errorf("%s: the fields listed end at %d, those of the code at %d", c.after, sum, c.size)
		}
	}
}

func TestNumbersHaveNamesAndBodies(t *testing.T) {
	named := map[string]bool{}
	for _, e := range examples {
		named[strings.Fields(e.name)[0]] = true
	}
	for n := FirstExtended; n <= LastExtended; n++ {
		name := n.String()
		if !named[name] || n != Forget && !named[name+"_R"] {
			t.Errorf("%#x %s has no example", uint8(n), name)
		}
	}
}

func FuzzDecodeExtended(f *testing.F) {
	for _, e := range examples {
		f.Add(e.prefix.Append(nil, e.body))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, e := range examples {
			p := reflect.New(reflect.TypeOf(e.prefix).Elem()).Interface().(prefix)
			body, err := p.Decode(b)
			if err != nil || e.body == nil {
				continue
			}
			m := empty(e.body)
			if DecodeBody(body, m) == nil {
				// What was read is written, but for fields that are zero and bytes beyond.
				again := empty(e.body)
				if err := DecodeBody(AppendMessage(nil, m), again); err != nil || !reflect.DeepEqual(m, again) {
					t.Errorf("%s: %+v becomes %+v, %v", e.name, m, again, err)
				}
			}
		}
	})
}

func ExampleRequest_Append() {
	r := Request{Type: Lookup2, Mount: 1, Node: 2}
	fmt.Println(len(r.Append(nil, &Name2Request{"name"})))
	// Output: 40
}

package fwcfg

import (
	"bytes"
	"encoding/binary"
	"testing"

	portio "github.com/gov86/gov86/io"
	"github.com/gov86/gov86/mem"
	"github.com/gov86/gov86/snapshot"
	"github.com/gov86/gov86/snapshot/snapshottest"
)

func newTest(t testing.TB) (*Device, *mem.Space) {
	t.Helper()
	m, err := mem.New(mem.MinRAM)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	d := New(m)
	d.Set(CPUs, 2, 0x102)
	d.Add("etc/one", []byte("one"))
	d.AddNumber("etc/two", 2)
	return d, m
}

// read selects an item and reads n bytes of it.
func read(d *Device, key uint16, n int) []byte {
	d.Out(0, portio.Word, uint32(key))
	p := make([]byte, n)
	for i := range p {
		p[i] = byte(d.In(1, portio.Byte))
	}
	return p
}

func TestItemsAreReadByteByByteAndEndInZeros(t *testing.T) {
	d, _ := newTest(t)
	if p := read(d, Signature, 6); string(p) != "QEMU\x00\x00" {
		t.Errorf("signature %q", p)
	}
	if p := read(d, ID, 4); p[0] != 3 {
		t.Errorf("features % x, want bytes and DMA", p)
	}
	if p := read(d, CPUs, 3); !bytes.Equal(p, []byte{2, 1, 0}) {
		t.Errorf("a number of two bytes reads % x", p)
	}
	if p := read(d, 0x3fff, 2); !bytes.Equal(p, []byte{0, 0}) {
		t.Errorf("an item that is not there reads % x", p)
	}
}

func TestTheDirectoryLeadsToTheFiles(t *testing.T) {
	d, _ := newTest(t)
	p := read(d, directory, 4+2*64)
	if n := binary.BigEndian.Uint32(p); n != 2 {
		t.Fatalf("%d files", n)
	}
	for i, want := range []struct {
		name string
		data []byte
	}{{"etc/one", []byte("one")}, {"etc/two", []byte{2, 0, 0, 0, 0, 0, 0, 0}}} {
		e := p[4+64*i:]
		size, key := binary.BigEndian.Uint32(e), binary.BigEndian.Uint16(e[4:])
		name, _, _ := bytes.Cut(e[8:64], []byte{0})
		if data := read(d, key, int(size)); string(name) != want.name || !bytes.Equal(data, want.data) {
			t.Errorf("file %d is %s, % x", i, name, data)
		}
	}
}

// request does one by DMA and returns the control that it leaves.
func request(t *testing.T, d *Device, m *mem.Space, control, n uint32, to uint64) uint32 {
	t.Helper()
	const at = 0x1000
	var p []byte
	p = binary.BigEndian.AppendUint32(p, control)
	p = binary.BigEndian.AppendUint32(p, n)
	p = binary.BigEndian.AppendUint64(p, to)
	if err := m.WriteAt(p, at); err != nil {
		t.Fatal(err)
	}
	d.DMA().Out(0, portio.DWord, 0)
	d.DMA().Out(4, portio.DWord, swap(at))
	m.ReadAt(p[:4], at)
	return binary.BigEndian.Uint32(p)
}

func TestDMASelectsSkipsAndReads(t *testing.T) {
	d, m := newTest(t)
	m.Write(0x2004, 4, 0xffffffff)
	if v := request(t, d, m, Signature<<16|dmaSelect|dmaSkip, 1, 0); v != 0 {
		t.Errorf("skipping ends with %#x", v)
	}
	if v := request(t, d, m, dmaRead, 6, 0x2000); v != 0 {
		t.Errorf("reading ends with %#x", v)
	}
	var p [8]byte
	m.ReadAt(p[:], 0x2000)
	if string(p[:]) != "EMU\x00\x00\x00\xff\xff" {
		t.Errorf("read %q", p)
	}
}

func TestDMAThatCannotBeIsAnError(t *testing.T) {
	d, m := newTest(t)
	for name, v := range map[string]uint32{
		"a read to nowhere":      request(t, d, m, dmaRead, 4, 0x80000000),
		"a read beyond memory":   request(t, d, m, dmaRead, 0xffffffff, 0x2000),
		"a read above 4 GiB":     request(t, d, m, dmaRead, 4, 1<<32),
		"a write to what is set": request(t, d, m, dmaWrite, 4, 0x2000),
	} {
		if v != dmaError {
			t.Errorf("%s ends with %#x", name, v)
		}
	}
	d.DMA().Out(4, portio.DWord, 0xffffffff) // a request that is nowhere itself
}

func TestTheDMAPortTellsThatItIsThere(t *testing.T) {
	d, _ := newTest(t)
	if a, b := d.DMA().In(0, portio.DWord), d.DMA().In(4, portio.DWord); a != 0x554d4551 || b != 0x47464320 {
		t.Errorf("reads %#x %#x", a, b)
	}
}

func TestStateListIsComplete(t *testing.T) { snapshottest.Complete(t, (*regs).sync, nil) }

func FuzzLoad(f *testing.F) {
	d, _ := newTest(f)
	c := snapshot.NewSaver()
	d.Save(c)
	p, err := c.Close()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(p)
	f.Fuzz(func(t *testing.T, p []byte) {
		d, _ := newTest(t)
		before := d.regs
		if d.Load(snapshot.NewLoader(p)) != nil && d.regs != before {
			t.Error("a refused state was taken")
		}
		d.In(1, portio.Byte)
	})
}

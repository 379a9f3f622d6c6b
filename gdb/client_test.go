package gdb_test

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gov86/gov86/gdb"
	"github.com/gov86/gov86/machine"
)

// patience is more than anything here takes.
const patience = 30 * time.Second

// A client is a debugger that says exactly what a test wants.
type client struct {
	t    testing.TB
	conn net.Conn
	r    *bufio.Reader
	acks bool // still exchanged
}

func (c *client) write(s string) {
	c.t.Helper()
	c.conn.SetDeadline(time.Now().Add(patience))
	if _, err := c.conn.Write([]byte(s)); err != nil {
		c.t.Fatalf("sending %q: %v", s, err)
	}
}

// frame is p as a packet.
func frame(p string) string {
	sum := byte(0)
	for i := range len(p) {
		sum += p[i]
	}
	return fmt.Sprintf("$%s#%02x", p, sum)
}

func (c *client) send(p string) { c.write(frame(p)) }

func (c *client) readByte() byte {
	c.t.Helper()
	c.conn.SetDeadline(time.Now().Add(patience))
	b, err := c.r.ReadByte()
	if err != nil {
		c.t.Fatal(err)
	}
	return b
}

// receive returns the next packet's data.
func (c *client) receive() string {
	c.t.Helper()
	for b := c.readByte(); b != '$'; b = c.readByte() {
		if b != '+' || !c.acks {
			c.t.Fatalf("%q between packets", b)
		}
	}
	var data strings.Builder
	for b := c.readByte(); b != '#'; b = c.readByte() {
		data.WriteByte(b)
	}
	sum := string([]byte{c.readByte(), c.readByte()})
	if want := frame(data.String()); !strings.HasSuffix(want, sum) {
		c.t.Fatalf("packet %q has checksum %s", data.String(), sum)
	}
	if c.acks {
		c.write("+")
	}
	return data.String()
}

// ask sends p and returns the answer.
func (c *client) ask(p string) string {
	c.t.Helper()
	c.send(p)
	return c.receive()
}

// want asks p and expects an answer.
func (c *client) want(p, answer string) {
	c.t.Helper()
	if got := c.ask(p); got != answer {
		c.t.Errorf("%s was answered by %q, want %q", p, got, answer)
	}
}

// register is the value of register n, of 32 bits.
func (c *client) register(n int) uint32 {
	c.t.Helper()
	answer := c.ask(fmt.Sprintf("p%x", n))
	p, err := hex.DecodeString(answer)
	if err != nil || len(p) != 4 {
		c.t.Fatalf("register %d is %q", n, answer)
	}
	return binary.LittleEndian.Uint32(p)
}

// setRegister sets register n, of 32 bits.
func (c *client) setRegister(n int, v uint32) {
	c.t.Helper()
	c.want(fmt.Sprintf("P%x=%x", n, binary.LittleEndian.AppendUint32(nil, v)), "OK")
}

// monitor is GDB's command of that name.
func (c *client) monitor(line string) string {
	c.t.Helper()
	c.send("qRcmd," + hex.EncodeToString([]byte(line)))
	var said []byte
	for {
		p := c.receive()
		if p == "OK" {
			return string(said)
		}
		text, err := hex.DecodeString(strings.TrimPrefix(p, "O"))
		if err != nil || !strings.HasPrefix(p, "O") {
			c.t.Fatalf("monitor %s was answered by %q", line, p)
		}
		said = append(said, text...)
	}
}

// closed expects the other side to hang up.
func (c *client) closed() {
	c.t.Helper()
	c.conn.SetDeadline(time.Now().Add(patience))
	if b, err := c.r.ReadByte(); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		c.t.Errorf("read %q, %v, want the end of the connection", b, err)
	}
}

// Registers by their numbers.
const (
	regEAX = 0
	regECX = 1
	regEIP = 8
	regCS  = 10
	regST0 = 16
	regXMM = 32
)

// A guest is a machine that runs and can be debugged.
type guest struct {
	t      testing.TB
	l      net.Listener
	server *gdb.Server
	cancel func()
	quit   chan struct{} // closed when the debugger wants the end
	over   chan struct{} // closed when Run has returned
	sent   sender
}

// A sender gets what the guest's first serial port sends.
type sender chan byte

// Put implements uart.Output.
func (s sender) Put(b byte) bool {
	select {
	case s <- b:
	default:
	}
	return true
}

// Where a guest has what.
const (
	imageAt = 0x100000
	codeAt  = imageAt + 32
	dataAt  = 0x200000
)

// image is a Multiboot image of code (Multiboot Specification, "Header Layout").
func image(code []byte) []byte {
	const magic, flags = 0x1badb002, 1 << 16
	var p []byte
	for _, v := range []uint32{magic, flags, 1<<32 - magic - flags, imageAt, imageAt, 0, 0, codeAt} {
		p = binary.LittleEndian.AppendUint32(p, v)
	}
	return append(p, code...)
}

// start runs code. With freeze it waits for a debugger.
func start(t testing.TB, code []byte, freeze bool) *guest {
	t.Helper()
	return startMachine(t, machine.Config{Kernel: image(code)}, freeze)
}

// startMachine is start for a machine that is not the usual one.
func startMachine(t testing.TB, cfg machine.Config, freeze bool) *guest {
	t.Helper()
	cfg.Memory = 8 << 20
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	host := machine.Host{Time: time.Unix(1e9, 0)}
	sent := make(sender, 1)
	host.Serial[0] = sent
	m, err := machine.New(cfg, host)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	g := &guest{t: t, l: l, cancel: cancel, quit: make(chan struct{}), over: make(chan struct{}), sent: sent}
	quit := sync.OnceFunc(func() {
		close(g.quit)
		cancel()
	})
	g.server = gdb.Serve(l, m.Debug(freeze, quit))
	go func() {
		defer close(g.over)
		m.Run(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		<-g.over
		g.server.Close()
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	})
	return g
}

// attach connects a debugger.
func (g *guest) attach() *client {
	g.t.Helper()
	conn, err := net.Dial("tcp", g.l.Addr().String())
	if err != nil {
		g.t.Fatal(err)
	}
	c := &client{g.t, conn, bufio.NewReader(conn), true}
	g.t.Cleanup(func() { conn.Close() })
	return c
}

// ends waits for the machine's end.
func (g *guest) ends() {
	g.t.Helper()
	select {
	case <-g.over:
	case <-time.After(patience):
		g.t.Fatal("the machine still runs")
	}
}

// loop stores 1 to 5 and halts for ever.
var loop = []byte{
	0x31, 0xc0, // 100020 XOR EAX, EAX
	0xb9, 5, 0, 0, 0, // 100022 MOV ECX, 5
	0x40,                         // 100027 INC EAX
	0xa3, 0x00, 0x00, 0x20, 0x00, // 100028 MOV [dataAt], EAX
	0x49,       // 10002d DEC ECX
	0x75, 0xf7, // 10002e JNZ 100027
	0xa1, 0x00, 0x00, 0x20, 0x00, // 100030 MOV EAX, [dataAt]
	0xf4,       // 100035 HLT
	0xeb, 0xfd, // 100036 JMP 100035
}

// Addresses in loop.
const (
	loopInc   = codeAt + 7
	loopStore = codeAt + 8
	loopDec   = codeAt + 13
	loopJump  = codeAt + 14
	loopRead  = codeAt + 16 // behind the loop
	loopHalt  = codeAt + 21
)

var (
	spin = []byte{0xeb, 0xfe} // JMP $
	// send writes AL to the first serial port.
	send        = []byte{0x66, 0xba, 0xf8, 0x03, 0xee}
	sendAndSpin = slices.Concat(send, spin)
	sendAndHalt = slices.Concat(send, []byte{0xf4, 0xeb, 0xfd}) // HLT; JMP to it
	// powerOff writes SLP_EN and SLP_TYP 0, which is S5 here, to PM1_CNT.
	powerOff = []byte{0x66, 0xba, 0x04, 0x06, 0x66, 0xb8, 0x00, 0x20, 0x66, 0xef, 0xeb, 0xfe}
	// exit is MOV AL, 2Ah; OUT F4h, AL; JMP $.
	exit = []byte{0xb0, 0x2a, 0xe6, 0xf4, 0xeb, 0xfe}
	// haltForGood is CLI; HLT; JMP $.
	haltForGood = []byte{0xfa, 0xf4, 0xeb, 0xfe}
	// tripleFault loads an empty IDT, from memory that is zero, and executes INT3.
	tripleFault = []byte{0x0f, 0x01, 0x1d, 0x00, 0x00, 0x20, 0x00, 0xcc}
)

package gdb_test

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"testing"
	"time"
)

// packets are a packet of every kind, in an order in which each finds something
// to do.
var packets = []string{
	"qSupported:swbreak+;hwbreak+", "vMustReplyEmpty", "QStartNoAckMode", "!", "?", "Hg0", "Hc-1", "qC", "qAttached",
	"qfThreadInfo", "qsThreadInfo", "qThreadExtraInfo,1", "T1", "T2", "qXfer:features:read:target.xml:0,ffb",
	"qXfer:features:read:target.xml:ffffffff,1", "qXfer:features:read::,", "g", "G00000000", "G", "p0", "p8", "p10",
	"p20", "p29", "p35", "P0=01020304", "P9=ffffffff", "P9=00000000", "Pa=08000000", "Pb=18000000", "Pc=ffff0000",
	"P18=ffff0000", "P1a=ffffffff", "P20=ffffffffffffffffffffffffffffffff", "P28=ffff0000", "P2b=00002000",
	"P2c=ffffffff", "P2c=90000000", "P29=11000080", "P29=ffffffff", "P4=00000000", "m100020,10", "m0,1000", "mffffffff,2",
	"M200000,4:03002000", "M100020,2:ebfe", "X100020,1:\x90", "Z0,100020,1", "Z1,100021,1", "Z2,200000,4",
	"Z3,200000,4", "Z4,0,ffffffff", "z0,100020,1", "z4,0,ffffffff", "s", "s100020", "S05", "c", "C05;100022",
	"vCont?", "vCont;s:1;c", "vCont;r0,ffffffff", "vCont;c:-1", "vCont;t", "qRcmd,68656c70", "qRcmd,6d6170",
	"qRcmd,6465766963657320", "qRcmd,7265736574", "qRcmd,70687973203020363535333620", "qRcmd,7472616e736c6174652030",
	"qRcmd,74696d65", "qRcmd,706f776572", "vKill;1", "D", "k",
}

// talk has a debugger send packets and then go. It waits for each answer, or
// for the end of the conversation: a guest that was let run is interrupted.
func talk(t testing.TB, g *guest, packets []string) {
	conn, err := net.Dial("tcp", g.l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(patience))
	answers := make([]byte, 0x4100)
	for _, p := range packets {
		if _, err := io.WriteString(conn, frame(p)+"\x03"); err != nil {
			return // told to go
		}
		var got []byte
		for !answered(got) {
			n, err := conn.Read(answers)
			if ne, ok := err.(net.Error); ok && ne.Timeout() {
				t.Fatalf("%q was not answered", p)
			}
			if err != nil {
				return
			}
			got = append(got, answers[:n]...)
		}
	}
}

// answered reports whether p ends with a whole answer. The output of a monitor
// command comes before one.
func answered(p []byte) bool {
	end := len(p) - 3
	if end < 0 || p[end] != '#' {
		return len(p) == 1 && p[0] == '-' // what we sent was no packet
	}
	last := p[bytes.LastIndexByte(p, '$')+1 : end]
	return len(last) == 0 || last[0] != 'O' || string(last) == "OK"
}

// alive checks that the machine still listens, unless it has ended.
func alive(t testing.TB, g *guest) {
	select {
	case <-g.over:
		return
	default:
	}
	talk(t, g, []string{"?", "g", "m100000,100"})
}

// FuzzPackets sends what no GDB would. A line is a packet, in which # and $ end
// it early.
func FuzzPackets(f *testing.F) {
	f.Add(strings.Join(packets, "\n"))
	for i := range packets {
		f.Add(strings.Join(packets[max(0, i-3):i+1], "\n"))
	}
	f.Fuzz(func(t *testing.T, lines string) {
		g := start(t, loop, true)
		var sound []string
		for p := range strings.SplitSeq(lines, "\n") {
			if !strings.ContainsAny(p, "#$") && len(p) < 0x4000 {
				sound = append(sound, p)
			}
		}
		talk(t, g, sound)
		alive(t, g)
	})
}

// FuzzBytes sends what is no protocol at all.
func FuzzBytes(f *testing.F) {
	for _, p := range packets {
		f.Add([]byte("+" + frame(p) + "+\x03" + frame("?")))
	}
	f.Add([]byte("$#00$$#$}#-----"))
	f.Fuzz(func(t *testing.T, p []byte) {
		g := start(t, loop, true)
		conn, err := net.Dial("tcp", g.l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		conn.SetDeadline(time.Now().Add(patience))
		if _, err := conn.Write(p); err == nil {
			conn.(*net.TCPConn).CloseWrite()
			io.Copy(io.Discard, conn)
		}
		conn.Close()
		alive(t, g)
	})
}

func TestNoPacketCrashesTheMachine(t *testing.T) {
	random := rand.New(rand.NewPCG(8, 6))
	for round := range 150 {
		var sent []string
		for range 20 {
			sent = append(sent, mutate(random, packets[random.IntN(len(packets)-3)]))
		}
		t.Run(fmt.Sprint(round), func(t *testing.T) {
			g := start(t, loop, true)
			talk(t, g, sent)
			alive(t, g)
			if t.Failed() {
				t.Logf("sent %q", sent)
			}
		})
	}
}

// mutate changes a byte or two of p, mostly to one that means something.
func mutate(r *rand.Rand, p string) string {
	const telling = "0123456789abcdef,;:=-+gGmMXZzscCSrvPpQq"
	b := []byte(p)
	for range r.IntN(3) {
		at := r.IntN(len(b) + 1)
		c := telling[r.IntN(len(telling))]
		switch {
		case at == len(b), r.IntN(3) == 0:
			b = append(b[:at], append([]byte{c}, b[at:]...)...)
		case r.IntN(4) == 0:
			b = append(b[:at], b[at+1:]...)
		default:
			b[at] = c
		}
	}
	return string(b)
}

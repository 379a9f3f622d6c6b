package gdb

import (
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/gov86/gov86/cpu"
)

// query is q: a question, or a command that GDB passes on.
func (s *session) query(args string) {
	name, rest, _ := strings.Cut(args, ":")
	switch {
	case name == "Supported":
		s.supported(rest)
	case name == "C":
		s.reply("QC1")
	case name == "fThreadInfo":
		s.reply("m1")
	case name == "sThreadInfo":
		s.reply("l")
	case name == "Attached":
		s.reply("1") // leaving it is detaching
	case name == "Xfer":
		s.transfer(rest)
	case strings.HasPrefix(name, "ThreadExtraInfo,"):
		s.reply(hex.EncodeToString([]byte(s.describeThread())))
	case strings.HasPrefix(args, "Rcmd,"):
		s.monitor(strings.TrimPrefix(args, "Rcmd,"))
	default:
		s.reply("")
	}
}

// supported tells what there is, and learns what the debugger understands.
func (s *session) supported(theirs string) {
	for _, feature := range strings.Split(theirs, ";") {
		switch feature {
		case "swbreak+":
			s.knows.swbreak = true
		case "hwbreak+":
			s.knows.hwbreak = true
		}
	}
	s.reply(fmt.Sprintf("PacketSize=%x;QStartNoAckMode+;qXfer:features:read+;vContSupported+;swbreak+;hwbreak+", maxPacket))
}

// transfer is qXfer:features:read:target.xml:offset,length.
func (s *session) transfer(args string) {
	f := strings.Split(args, ":")
	if len(f) != 4 || f[0] != "features" || f[1] != "read" {
		s.reply("")
		return
	}
	if f[2] != "target.xml" {
		s.reply("E00") // no such annex
		return
	}
	from, length, _ := strings.Cut(f[3], ",")
	at, ok1 := number32(from)
	n, ok2 := number32(length)
	if !ok1 || !ok2 || uint64(at) > uint64(len(description)) {
		s.reply(errInvalid)
		return
	}
	part := description[at:]
	// Nothing in the description needs an escape.
	if most := min(n, maxPacket-1); uint64(len(part)) > uint64(most) {
		s.reply("m" + part[:most])
		return
	}
	s.reply("l" + part)
}

func (s *session) describeThread() string {
	text := ""
	s.target.Do(func(c *cpu.CPU) {
		text = fmt.Sprintf("processor, CPL %d", c.CPL)
		switch {
		case c.Shutdown:
			text += ", shut down"
		case c.Halted:
			text += ", halted"
		}
	})
	return text
}

// monitor is qRcmd. What the command says is sent in pieces of console output,
// since it may be longer than a packet.
func (s *session) monitor(args string) {
	line, err := hex.DecodeString(args)
	if err != nil {
		s.reply(errInvalid)
		return
	}
	const piece = maxPacket/2 - 1
	text := s.target.Command(string(line))
	for len(text) > 0 && s.err == nil {
		n := min(len(text), piece)
		s.reply("O" + hex.EncodeToString([]byte(text[:n])))
		text = text[n:]
	}
	s.reply("OK")
}

// set is Q.
func (s *session) set(args string) {
	if args != "StartNoAckMode" {
		s.reply("")
		return
	}
	s.reply("OK")
	s.noAck = true
}

// verbose is v: packets with a long name.
func (s *session) verbose(args string) {
	name, rest, _ := strings.Cut(args, ";")
	switch name {
	case "Cont?":
		s.reply("vCont;c;C;s;S;r")
	case "Cont":
		s.cont(rest)
	case "Kill":
		s.reply("OK")
		s.kill()
	default:
		s.reply("")
	}
}

// cont is vCont;action[:thread]... There is one thread: its first action counts.
func (s *session) cont(actions string) {
	for _, action := range strings.Split(actions, ";") {
		what, thread, named := strings.Cut(action, ":")
		if n, ok := number(thread); named && thread != "-1" && !(ok && n <= 1) {
			continue
		}
		s.act(what)
		return
	}
	s.reply(errInvalid)
}

func (s *session) act(what string) {
	switch {
	case what == "c", what == "s":
		s.goOn(what[0], "")
	case len(what) == 3 && (what[0] == 'C' || what[0] == 'S'):
		s.goOn(what[0]|0x20, "")
	case strings.HasPrefix(what, "r"):
		first, end, _ := strings.Cut(what[1:], ",")
		a, ok1 := number32(first)
		b, ok2 := number32(end)
		if !ok1 || !ok2 {
			s.reply(errInvalid)
			return
		}
		s.resume(func() { s.target.Step(Span{a, b}) })
	default:
		s.reply(errInvalid)
	}
}

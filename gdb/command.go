package gdb

import (
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/gov86/gov86/cpu"
)

// Error replies: the number is the errno of that name.
const (
	errFault   = "E0e" // EFAULT: no memory there
	errInvalid = "E16" // EINVAL
)

// Signals as GDB numbers them.
const (
	sigInt  = 2
	sigTrap = 5
	sigSegv = 11
	sigTerm = 15
)

// command executes the packet p. An empty reply says that we do not know it.
func (s *session) command(p string) {
	if p == "" {
		s.reply("")
		return
	}
	args := p[1:]
	switch p[0] {
	case '?':
		s.reply(s.stopReply())
	case 'g':
		s.readRegisters()
	case 'G':
		s.writeRegisters(args)
	case 'p':
		s.readRegister(args)
	case 'P':
		s.writeRegister(args)
	case 'm':
		s.readMemory(args)
	case 'M', 'X':
		s.writeMemory(args, p[0] == 'X')
	case 'Z':
		s.insert(args)
	case 'z':
		s.remove(args)
	case 'c', 's':
		s.goOn(p[0], args)
	case 'C', 'S':
		// The signal is for a process; a processor has none.
		_, at, _ := strings.Cut(args, ";")
		s.goOn(p[0]|0x20, at)
	case 'H':
		s.reply("OK")
	case 'T':
		s.thread(args)
	case 'D':
		s.reply("OK")
		s.over, s.detached = true, true
	case 'k':
		s.kill()
	case 'q':
		s.query(args)
	case 'Q':
		s.set(args)
	case 'v':
		s.verbose(args)
	default:
		s.reply("")
	}
}

// stopReply is what ? and the packets that resume are answered with.
func (s *session) stopReply() string {
	signal, why := sigTrap, ""
	switch s.stop.Reason {
	case Interrupted:
		signal = sigInt
	case Breakpoint:
		switch {
		case s.points.at(s.stop.At) == hardwarePoint && s.knows.hwbreak:
			why = "hwbreak:;"
		case s.points.at(s.stop.At) == softwarePoint && s.knows.swbreak:
			why = "swbreak:;"
		}
	case Watchpoint:
		name := "awatch"
		if !s.stop.Watch.Read {
			name = "watch"
		} else if !s.stop.Watch.Write {
			name = "rwatch"
		}
		why = fmt.Sprintf("%s:%x;", name, uint32(s.stop.At))
	case Crashed:
		signal = sigSegv
	case PoweredOff:
		return "W00"
	case Exited:
		return fmt.Sprintf("W%02x", s.stop.Status)
	case TripleFault:
		return fmt.Sprintf("X%02x", sigSegv)
	case Cancelled:
		return fmt.Sprintf("X%02x", sigTerm)
	}
	return fmt.Sprintf("T%02xthread:1;%s", signal, why)
}

// goOn is c and s, with the address to go on from or nothing.
func (s *session) goOn(how byte, at string) {
	if at != "" {
		eip, ok := number32(at)
		if !ok {
			s.reply(errInvalid)
			return
		}
		s.target.Do(func(c *cpu.CPU) { setEIP(c, [2]uint64{uint64(eip)}) })
	}
	if how == 's' {
		s.resume(func() { s.target.Step(Span{}) })
	} else {
		s.resume(s.target.Continue)
	}
}

func (s *session) readRegisters() {
	var p []byte
	s.target.Do(func(c *cpu.CPU) {
		for i := range registers {
			p = append(p, registers[i].bytes(c)...)
		}
	})
	s.reply(hex.EncodeToString(p))
}

// writeRegisters is G. GDB sends all registers it knows; a packet may end early.
func (s *session) writeRegisters(args string) {
	p, err := hex.DecodeString(args)
	ok := err == nil
	s.target.Do(func(c *cpu.CPU) {
		for i := 0; ok && len(p) > 0 && i < len(registers); i++ {
			r := &registers[i]
			if len(p) < r.size() {
				ok = false
				break
			}
			ok = r.setBytes(c, p[:r.size()])
			p = p[r.size():]
		}
	})
	s.done(ok && len(p) == 0)
}

// done replies whether a request was carried out.
func (s *session) done(ok bool) {
	if ok {
		s.reply("OK")
	} else {
		s.reply(errInvalid)
	}
}

// numbered is the register with a number in hexadecimal, or nil.
func numbered(digits string) *register {
	n, ok := number(digits)
	if !ok || n >= uint64(len(registers)) {
		return nil
	}
	return &registers[n]
}

func (s *session) readRegister(args string) {
	r := numbered(args)
	if r == nil {
		s.reply(errInvalid)
		return
	}
	var p []byte
	s.target.Do(func(c *cpu.CPU) { p = r.bytes(c) })
	s.reply(hex.EncodeToString(p))
}

// writeRegister is P number=value.
func (s *session) writeRegister(args string) {
	digits, value, _ := strings.Cut(args, "=")
	r := numbered(digits)
	p, err := hex.DecodeString(value)
	if r == nil || err != nil || len(p) != r.size() {
		s.reply(errInvalid)
		return
	}
	ok := false
	s.target.Do(func(c *cpu.CPU) { ok = r.setBytes(c, p) })
	s.done(ok)
}

// extent reads "addr,length".
func extent(args string) (at cpu.Linear, n int, ok bool) {
	first, second, _ := strings.Cut(args, ",")
	a, ok1 := number32(first)
	length, ok2 := number32(second)
	return cpu.Linear(a), int(length), ok1 && ok2 && length <= maxPacket
}

// readMemory is m addr,length. It may reply with less than was asked for.
func (s *session) readMemory(args string) {
	at, n, ok := extent(args)
	if !ok {
		s.reply(errInvalid)
		return
	}
	p := make([]byte, min(n, maxPacket/2))
	got := s.target.ReadMemory(p, at)
	if got == 0 && n > 0 {
		s.reply(errFault)
		return
	}
	s.reply(hex.EncodeToString(p[:got]))
}

// writeMemory is M addr,length:hex and X addr,length:binary. All or nothing is
// reported, though a part may have been written.
func (s *session) writeMemory(args string, binary bool) {
	where, data, found := strings.Cut(args, ":")
	at, n, ok := extent(where)
	var p []byte
	if binary {
		var whole bool
		p, whole = unescape([]byte(data))
		ok = ok && whole
	} else {
		var err error
		p, err = hex.DecodeString(data)
		ok = ok && err == nil
	}
	switch {
	case !found || !ok || len(p) != n:
		s.reply(errInvalid)
	case s.target.WriteMemory(p, at) != n:
		s.reply(errFault)
	default:
		s.reply("OK")
	}
}

// thread is T: is the thread alive?
func (s *session) thread(args string) {
	n, ok := number(args)
	s.done(ok && n == 1)
}

// kill is k and vKill: the machine ends, and so does the conversation.
func (s *session) kill() {
	s.target.Quit()
	s.over = true
}

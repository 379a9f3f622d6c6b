package gdb

import (
	"strings"

	"github.com/gov86/gov86/cpu"
)

// A pointType is the digit of a Z packet.
type pointType byte

const (
	softwarePoint pointType = '0'
	hardwarePoint pointType = '1'
	writePoint    pointType = '2'
	readPoint     pointType = '3'
	accessPoint   pointType = '4'
)

// A point is a breakpoint or watchpoint that the debugger has inserted.
type point struct {
	typ pointType
	at  uint32
	// size is a watchpoint's length. For a breakpoint it means nothing here.
	size uint32
}

// points are those inserted. Inserting one twice is inserting it once.
type points map[point]struct{}

// maxPoints bounds what a debugger can make us keep.
const maxPoints = 1 << 10

// parsePoint reads "type,addr,kind".
func parsePoint(args string) (p point, ok bool) {
	f := strings.Split(args, ",")
	if len(f) != 3 || len(f[0]) != 1 {
		return p, false
	}
	at, ok1 := number32(f[1])
	size, ok2 := number32(f[2])
	p = point{pointType(f[0][0]), at, size}
	if p.typ == softwarePoint || p.typ == hardwarePoint {
		return p, ok1 && ok2
	}
	return p, ok1 && ok2 && size > 0 && uint64(at)+uint64(size) <= 1<<32
}

func (p point) watch() cpu.Watchpoint {
	return cpu.Watchpoint{At: cpu.Linear(p.at), Len: p.size, Read: p.typ != writePoint, Write: p.typ != readPoint}
}

// insert and remove are the packets Z and z.
func (s *session) insert(args string) { s.change(args, true) }
func (s *session) remove(args string) { s.change(args, false) }

func (s *session) change(args string, insert bool) {
	if args == "" || args[0] < byte(softwarePoint) || args[0] > byte(accessPoint) {
		s.reply("")
		return
	}
	p, ok := parsePoint(args)
	if !ok || insert && len(s.points) >= maxPoints {
		s.reply(errInvalid)
		return
	}
	if insert {
		s.points[p] = struct{}{}
	} else {
		delete(s.points, p)
	}
	var breaks []cpu.Linear
	var watches []cpu.Watchpoint
	for p := range s.points {
		if p.typ == softwarePoint || p.typ == hardwarePoint {
			breaks = append(breaks, cpu.Linear(p.at))
		} else {
			watches = append(watches, p.watch())
		}
	}
	if p.typ == softwarePoint || p.typ == hardwarePoint {
		s.target.SetBreakpoints(breaks)
	} else {
		s.target.SetWatchpoints(watches)
	}
	s.reply("OK")
}

// at returns the type of a breakpoint at l.
func (p points) at(l cpu.Linear) pointType {
	for q := range p {
		if q.typ == hardwarePoint && q.at == uint32(l) {
			return hardwarePoint
		}
	}
	return softwarePoint
}

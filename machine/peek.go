package machine

import (
	"github.com/gov86/gov86/cpu"
	"github.com/gov86/gov86/mem"
)

// Memory as a debugger sees it: RAM and ROM, read and written without any
// effect but the bytes themselves. Devices are not touched. These belong to
// the machine goroutine, and to who knows that Run is not running.

// ReadPhysical reads memory from at on. It returns how many bytes there were.
func (m *Machine) ReadPhysical(p []byte, at mem.Addr) int {
	return pieces(p, func(b []byte, done int) bool {
		return m.board.memory.ReadAt(b, at+mem.Addr(done)) == nil
	}, uint64(at))
}

// WritePhysical writes memory from at on. It returns how many bytes it could.
func (m *Machine) WritePhysical(p []byte, at mem.Addr) int {
	return pieces(p, func(b []byte, done int) bool {
		return m.board.memory.WriteAt(b, at+mem.Addr(done)) == nil
	}, uint64(at))
}

// ReadLinear reads memory through the guest's page tables, whatever rights they
// give. It returns how many bytes were mapped to memory.
func (m *Machine) ReadLinear(p []byte, at cpu.Linear) int {
	return pieces(p, func(b []byte, done int) bool {
		l := at + cpu.Linear(done)
		page := m.board.cpu.Look(l)
		return page.Present && m.ReadPhysical(b, page.At(l)) == len(b)
	}, uint64(at))
}

// WriteLinear writes memory through the guest's page tables, also where they
// say that it is read-only. It returns how many bytes it could.
func (m *Machine) WriteLinear(p []byte, at cpu.Linear) int {
	return pieces(p, func(b []byte, done int) bool {
		l := at + cpu.Linear(done)
		page := m.board.cpu.Look(l)
		return page.Present && m.WritePhysical(b, page.At(l)) == len(b)
	}, uint64(at))
}

// pieces calls fn for the parts of p that lie in one page each, when p begins
// at address at, until one fails. It returns how many bytes were done.
func pieces(p []byte, fn func(b []byte, done int) bool, at uint64) int {
	done := 0
	for done < len(p) {
		n := min(len(p)-done, mem.PageSize-int((at+uint64(done))%mem.PageSize))
		if !fn(p[done:done+n], done) {
			break
		}
		done += n
	}
	return done
}

package jit

import (
	"errors"

	processor "github.com/gov86/gov86/cpu"
	"github.com/gov86/gov86/jit/window"
)

// A scope gets a window once so many instructions were executed there without,
// and loses it when its balance is used up: every instruction executed with it
// pays in one, every page shown or hidden costs what so many instructions gain.
const (
	openAfter = 20_000_000
	// All that the kernel runs often is made anew then, which is more than what a
	// program does.
	kernelAfter = 60_000_000
	pageCost    = 150_000
	credit      = 200 * pageCost
	// wealth bounds what may be saved up, so that a change is noticed.
	wealth = 5 * credit
	// again is how much longer than it has lived a scope waits for its next window.
	again = 4
	// maxScopes is how many address spaces are known at a time, maxWindows how many
	// of them have windows.
	maxScopes  = 64
	maxWindows = 12
	// maxPieces bounds the mappings of one engine; the system allows a process
	// 65,530 by default, and each of ours may cut another in two.
	maxPieces = 12_000
)

// noPage is the number of no page.
const noPage = ^uint32(0)

// A class is what kind of pages a window shows.
type class uint8

const (
	unpagedScope class = iota // linear addresses are physical
	userScope                 // pages of one address space that the user may access
	kernelScope               // the supervisor's global pages
)

// A scope is what may have a window: an address space of the user, the kernel, or
// physical memory without paging.
type scope struct {
	class
	cr3  uint32
	open bool
	window.Window
	// paging are the bits of control registers that the pages shown depend on.
	paging  uint64
	regions []*shown
	// awaited is a page whose access faulted in the guest, which will try again; none
	// if it is noPage.
	awaited uint32
	// flushes is which of the flushes that concern the scope it has seen.
	flushes uint64
	pieces  int
	// spent and wait are instructions executed without a window, and how many
	// make it worth one; balance is what the window has earned.
	spent, wait uint64
	balance     int64
	doomed      bool
	// used tells which scope was used last.
	used uint64
}

// windows are an engine's.
type windows struct {
	*processor.CPU
	mode WindowMode
	// users are address spaces, current that of CR3 if it is known already.
	users           []*scope
	current         *scope
	kernel, unpaged scope
	// running is the scope whose instructions are counted.
	running *scope
	// flushes counts those of everything, locals all.
	flushes, locals uint64
	clock           uint64
	pieces          int
	// slow are the instructions whose accesses are made through the TLB, by
	// physical address and privilege.
	slow    map[slowID]bool
	release func()
	stats   *Stats
	// gone are the pages of a region to be hidden.
	gone []uint16
}

// A slowID names an instruction: its key's privilege bits tell which accesses.
type slowID struct {
	frame uint32
	off   uint16
	key   key
}

// LacksWindows says why this host cannot have windows, or nothing.
func LacksWindows() error { return window.Lacking() }

// Windows chooses which address spaces get windows. Where the host cannot have
// any, it says why.
func (e *Engine) Windows(mode WindowMode) error {
	w := &e.windows
	w.close()
	*w = windows{CPU: e.CPU, mode: mode, slow: map[slowID]bool{}, stats: &e.Stats}
	w.kernel.class, w.unpaged.class = kernelScope, unpagedScope
	w.kernel.awaited, w.unpaged.awaited = noPage, noPage
	w.kernel.wait, w.unpaged.wait = kernelAfter, openAfter
	e.TLB.Shadow = nil
	if mode == WindowsOff {
		return nil
	}
	err := LacksWindows()
	if _, ok := e.Mem.File(); err == nil && !ok {
		err = errors.New("guest memory is in no file")
	}
	if err == nil {
		w.release, err = window.Catch(e.region.code, &e.region.fault)
	}
	if err != nil {
		w.mode = WindowsOff
		return err
	}
	e.TLB.Shadow = w
	return nil
}

// close returns the memory of all windows.
func (w *windows) close() {
	for _, p := range append(w.users, &w.kernel, &w.unpaged) {
		w.shut(p)
	}
	if w.release != nil {
		w.release()
		w.release = nil
	}
}

// shut takes a scope its window away.
func (w *windows) shut(p *scope) {
	p.doomed = false
	if !p.open {
		return
	}
	w.stats.WindowsShut++
	w.pieces -= p.pieces
	p.open, p.regions, p.pieces = false, nil, 0
	if err := p.Window.Close(); err != nil {
		panic("BUG: " + err.Error()) // the range is ours, and whole
	}
}

// keyOf is keyOf with windows: the scope at hand may have one.
func (w *windows) keyOf(c *processor.CPU, m processor.Mode) (key, bool) {
	k, ok := keyOf(c, m)
	if ok && k&keySegmented == 0 && w.mode != WindowsOff {
		if p := w.scope(m); p != nil && w.opened(p) {
			k |= keyWindow
		}
	}
	return k, ok
}

// scope is the one of code that runs in a mode, nil if it cannot have a window.
func (w *windows) scope(m processor.Mode) *scope {
	switch {
	case w.CR0&processor.CR0PG == 0:
		return &w.unpaged
	case m&processor.ModeUser != 0:
		if w.current == nil {
			w.current = w.find(w.CR3)
		}
		return w.current
	case w.CR4&processor.CR4PGE != 0:
		return &w.kernel
	}
	return nil
}

// find is the address space of a CR3, which may be new: then the one that was used
// longest ago makes room.
func (w *windows) find(cr3 uint32) *scope {
	w.clock++
	var oldest *scope
	for _, p := range w.users {
		if p.cr3 == cr3 {
			p.used = w.clock
			return p
		}
		if oldest == nil || p.used < oldest.used {
			oldest = p
		}
	}
	if len(w.users) < maxScopes {
		oldest = &scope{}
		w.users = append(w.users, oldest)
	}
	w.shut(oldest)
	*oldest = scope{class: userScope, cr3: cr3, awaited: noPage, wait: openAfter, used: w.clock}
	return oldest
}

// opened reports whether p has a window, opening or shutting it if it is time.
func (w *windows) opened(p *scope) bool {
	if p.doomed {
		p.wait, p.spent = again*p.wait, 0
		w.shut(p)
	}
	if p.open || p.spent < p.wait && w.mode != WindowsAlways {
		return p.open
	}
	w.makeRoom(p)
	var err error
	if p.Window, err = window.New(); err != nil {
		p.wait, p.spent = again*p.wait, 0
		return false
	}
	w.stats.WindowsOpened++
	p.open, p.spent, p.balance, p.paging = true, 0, credit+int64(p.wait), w.paging(p)
	p.flushes = w.seen(p)
	return true
}

// makeRoom shuts the window used longest ago if there are too many.
func (w *windows) makeRoom(but *scope) {
	n := 0
	var oldest *scope
	for _, p := range w.users {
		if p.open && p != but {
			n++
			if oldest == nil || p.used < oldest.used {
				oldest = p
			}
		}
	}
	if n >= maxWindows {
		w.shut(oldest)
	}
}

// enter returns the base of the window of code with key k that is about to run, 0
// if it has none. What it shows is then true.
func (w *windows) enter(k key) uintptr {
	if w.mode == WindowsOff {
		return 0
	}
	p := w.scope(processor.Mode(k))
	w.running = p
	if k&keyWindow == 0 {
		return 0
	}
	if p.flushes != w.seen(p) {
		w.check(p)
	}
	if p.awaited != noPage {
		w.showAwaited(p)
	}
	return p.Base()
}

// count books n instructions on the scope that runs.
func (w *windows) count(n int64) {
	p := w.running
	switch {
	case p == nil || n <= 0:
	case p.open:
		p.balance = min(p.balance+n, wealth)
		w.stats.Windowed += uint64(n)
	default:
		p.spent += uint64(n)
	}
}

// charge books the cost of n pages shown or hidden.
func (w *windows) charge(p *scope, n int) {
	p.balance -= int64(n) * pageCost
	if p.balance < 0 && w.mode != WindowsAlways {
		p.doomed = true
	}
}

package jit

import (
	"github.com/gov86/gov86/cpu"
	"github.com/gov86/gov86/cpu/isa"
)

// Where the guest's flags are, and how they are kept.

// A flagPlace says where the guest's status flags are, as far as anything will
// read them.
type flagPlace uint8

const (
	inHost   flagPlace = 1 << iota // in the host's flags
	inSaved                        // in context.saved
	inRecipe                       // what translator.recipe makes
)

func place(live bool, p flagPlace) flagPlace {
	if live {
		return p
	}
	return 0
}

// clobber makes the host's flags free for use before step i, or within it before
// it has read them.
func (t *translator) clobber(live isa.Flags) {
	if live != 0 && t.flags&inSaved == 0 && (t.flags&inRecipe == 0 || live&^t.recipe.covers != 0) {
		saveFlags(&t.e.asm, live)
		t.flags |= inSaved
	}
	if t.flags &^= inHost; t.flags&inSaved != 0 {
		t.flags = inSaved
	}
	if live == 0 {
		t.flags = 0
	}
}

// supply puts the flags into the host's if any is live.
func (t *translator) supply(live isa.Flags) {
	if live != 0 && t.flags&inHost == 0 {
		if t.flags == inRecipe {
			t.recipe.write(&t.e.asm, t.moved)
		} else {
			restoreFlags(&t.e.asm, live)
		}
		t.flags |= inHost
	}
}

// needs prepares the host's flags for an instruction that reads some of them, or
// leaves some as they were.
func (t *translator) needs(s *step) {
	read, written, _ := s.Flags()
	if (read|written)&status == 0 {
		return
	}
	if kept := before(&s.Inst, s.after); kept != 0 || t.e.exact {
		t.supply(s.before)
	}
}

// wrote notes what s did to the flags.
func (t *translator) wrote(s *step) {
	if _, written, undefined := s.Flags(); (written|undefined)&status != 0 {
		t.flags = inHost
		t.recipe = recipeFor(s)
		if t.segmented() && t.recipe.reads&(1<<cpu.ESP) != 0 {
			return // pushes and pops are of any size
		}
		if t.recipe.covers != 0 {
			t.flags |= inRecipe
		}
	}
}

// exit jumps to where generated code is left, with the flags at f, and the stack
// pointer where it belongs.
func (t *translator) exit(f flagPlace, r *recipe) {
	switch f {
	case inSaved:
		t.e.asm.Jmp(t.e.stubs.leaveSaved)
		return
	case inRecipe:
		r.write(&t.e.asm, 0)
	}
	t.e.asm.Jmp(t.e.stubs.leave)
}

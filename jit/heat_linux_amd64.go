package jit

const (
	// warm is how often a place is met before it is translated.
	warm     = 16
	heatSize = 1 << 16
	// maxReluctance bounds by how many powers of two more often that is where
	// units do not live long, and short is how long that is, in instructions.
	maxReluctance = 3
	short         = 1 << 20
)

// A heat says of the places of one hash how often they were met.
type heat struct {
	met        uint8
	reluctance uint8
	// units is how many there are of these places, or many.
	units uint16
}

// many is a number of units that is not counted any more.
const many = 1<<16 - 1

// made counts a new unit, gone one that is no more.
func (e *Engine) made(u *unit) {
	if h := e.heatOf(u.linear); h.units != many {
		h.units++
	}
}

func (e *Engine) gone(u *unit) {
	if h := e.heatOf(u.linear); h.units != many {
		h.units--
	}
}

func (e *Engine) heatOf(l uint32) *heat { return &e.heat[(l^l>>16)%heatSize] }

// isWarm notes that l was met, and reports whether it is to be translated.
func (e *Engine) isWarm(l uint32) bool {
	h := e.heatOf(l)
	if h.met >= warm<<h.reluctance || e.eager {
		return true
	}
	h.met++
	return false
}

// cool makes a place cold whose unit is killed. The sooner that is, the more
// reluctantly another one is made.
func (e *Engine) cool(u *unit) {
	h := e.heatOf(u.linear)
	h.met = 0
	if e.executed-u.born > short {
		h.reluctance = 0
	} else if h.reluctance < maxReluctance {
		h.reluctance++
	}
}

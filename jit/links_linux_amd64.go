package jit

// A link is a jump that leads from one unit to another. Both know it, so that
// either can go.
type link struct {
	// at is its displacement, exit where it led before: to the engine.
	at, exit int32
	from, to *unit
	// The neighbours among those that leave from, and that lead to to; 0 is none.
	nextOut, previousOut, nextIn, previousIn int32
}

// links are those there are, by number. The number 0 is none.
type links struct {
	link []link
	free int32 // the first that is unused, by nextOut
}

func (k *links) reset() {
	k.link = append(k.link[:0], link{})
	k.free = 0
}

// add enters a link.
func (k *links) add(l link) {
	n := k.free
	if n != 0 {
		k.free = k.link[n].nextOut
	} else {
		n = int32(len(k.link))
		k.link = append(k.link, link{})
	}
	l.nextOut, l.nextIn = l.from.outgoing, l.to.incoming
	k.link[n] = l
	k.link[l.nextOut].previousOut, k.link[l.nextIn].previousIn = n, n
	l.from.outgoing, l.to.incoming = n, n
}

// remove takes link n out of both lists.
func (k *links) remove(n int32) {
	l := k.link[n]
	if l.previousOut != 0 {
		k.link[l.previousOut].nextOut = l.nextOut
	} else {
		l.from.outgoing = l.nextOut
	}
	k.link[l.nextOut].previousOut = l.previousOut
	if l.previousIn != 0 {
		k.link[l.previousIn].nextIn = l.nextIn
	} else {
		l.to.incoming = l.nextIn
	}
	k.link[l.nextIn].previousIn = l.previousIn
	k.link[n] = link{nextOut: k.free}
	k.free = n
}

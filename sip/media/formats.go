package media

// numbers are the payload types agreed on with a port's peer.
type numbers struct {
	in  []Format // as the peer may send: our numbers, then its own
	out []Format // as the peer wants to receive: its own
}

// SetFormats gives what was agreed on with the peer: ours is what our
// description said, theirs what the peer's said. RFC 3264 section 5.1: each
// side receives with the numbers of its own description. A relay translates;
// what was not agreed on is not listened to when a source is learnt.
func (p *Port) SetFormats(ours, theirs []Format) {
	in := make([]Format, 0, len(ours)+len(theirs))
	in = append(append(in, ours...), theirs...)
	out := append([]Format(nil), theirs...)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.numbers = numbers{in: in, out: out}
}

// format is what a received payload type means; false when it was not agreed on.
func (n *numbers) format(pt uint8) (Format, bool) {
	for _, f := range n.in {
		if f.PT == pt {
			return f, true
		}
	}
	return Format{}, false
}

// takes reports whether a packet of the type may come from the peer. Nothing
// agreed on: any.
func (n *numbers) takes(pt uint8) bool {
	if len(n.in) == 0 {
		return true
	}
	_, ok := n.format(pt)
	return ok
}

// number is the payload type to send a packet of the other side with; false
// when the peer would take it for something else. Comfort noise (13) and other
// static types mean the same everywhere and pass as they are.
func (n *numbers) number(pt uint8, f Format, known bool) (uint8, bool) {
	switch {
	case len(n.out) == 0:
		return pt, true
	case !known:
		return pt, pt < firstDynamic
	}
	for _, g := range n.out {
		if g.Is(f) {
			return g.PT, true
		}
	}
	return 0, false
}

const firstDynamic = 96

package routing

import "slices"

// prune forgets what only versions without a call needed, until the slice is
// over: a version may have tens of thousands of demands.
func (e *Engine) prune() {
	if len(e.gone) == 0 {
		return
	}
	for len(e.gone) > 0 && !e.slice.over() {
		p := e.gone[0]
		last := len(p.demands) - 1
		if last < 0 {
			e.gone = e.gone[1:]
			continue
		}
		d := p.demands[last]
		p.demands = p.demands[:last]
		d.closed = true
		delete(e.demandBy, d.key)
		e.index.close(d)
		e.spend(2 * indexUnits)
	}
	if len(e.gone) > 0 {
		return
	}
	for _, f := range e.figures {
		if f.cap != nil {
			f.cap.demands = slices.DeleteFunc(f.cap.demands, func(d *demand) bool { return d.closed })
		}
	}
}

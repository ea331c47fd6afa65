package media

import "time"

// dtmfVanish is how long after the last packet of a key that never ended the
// key counts as pressed: all its end packets were lost.
const dtmfVanish = 250 * time.Millisecond

const dtmfKeys = "0123456789*#ABCD"

// dtmfDecoder reads telephone events (RFC 4733 section 2.3). A key counts at
// the first packet with the E bit of its timestamp, or when the event vanishes.
type dtmfDecoder struct {
	seen    bool
	ts      uint32 // of the event that was seen last
	event   byte
	pending bool // seen, not yet reported
}

// packet takes the payload of one telephone-event packet and returns the keys
// it completes (two when it ends one and tells that the former has vanished).
func (d *dtmfDecoder) packet(ts uint32, payload []byte) []byte {
	if len(payload) < 4 {
		return nil
	}
	event, end := payload[0], payload[1]&0x80 != 0
	if int(event) >= len(dtmfKeys) {
		return nil // hook flash, fax tones: not keys
	}
	var out []byte
	switch {
	case d.seen && ts == d.ts:
	case d.seen && int32(ts-d.ts) < 0:
		return nil // late packet of a former event
	case d.pending && event == d.event && ts-d.ts == 0xffff:
		// A key held so long that its duration ran over goes on in the next
		// segment (section 2.5.1.3): one key.
		d.ts = ts
	default:
		out = d.flush(out)
		d.seen, d.pending, d.ts, d.event = true, true, ts, event
	}
	if end {
		out = d.flush(out)
	}
	return out
}

// flush reports the pending key, if any.
func (d *dtmfDecoder) flush(out []byte) []byte {
	if !d.pending {
		return out
	}
	d.pending = false
	return append(out, dtmfKeys[d.event])
}

// OnDTMF gives the function that is told each key ('0'-'9', '*', '#', 'A'-'D')
// as telephone events of the last Play's DTMFPT tell it. It must not block and
// must not call Engine.Close. nil: nobody listens.
func (p *Port) OnDTMF(f func(digit byte)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.onDigit = f
}

// digits returns the keys that the packet completes and whom to tell; p.mu is
// held.
func (p *Port) digits(h rtpHeader) ([]byte, func(byte)) {
	if p.dtmfPT == 0 || h.pt != p.dtmfPT || p.onDigit == nil {
		return nil, nil
	}
	got := p.dtmf.packet(h.ts, h.payload)
	switch {
	case !p.dtmf.pending:
		if p.vanish != nil {
			p.vanish.Stop()
		}
	case p.vanish == nil:
		p.vanish = time.AfterFunc(dtmfVanish, p.digitVanished)
	default:
		p.vanish.Reset(dtmfVanish)
	}
	return got, p.onDigit
}

func (p *Port) digitVanished() {
	defer p.recovered("key")
	p.mu.Lock()
	var got []byte
	if !p.closed {
		got = p.dtmf.flush(nil)
	}
	call := p.onDigit
	p.mu.Unlock()
	if call == nil {
		return
	}
	for _, k := range got {
		call(k)
	}
}

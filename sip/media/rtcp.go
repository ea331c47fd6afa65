package media

import (
	"encoding/binary"
	"time"
)

// reportEvery is the RTCP interval (RFC 3550 section 6.2: 5 s at least).
const reportEvery = 5 * time.Second

// reporter counts what a port has sent, for its sender reports.
type reporter struct {
	packets, octets uint32
	at              time.Time
}

func (r *reporter) start(now time.Time) { r.at = now.Add(reportEvery) }

func (r *reporter) count(octets uint32) {
	r.packets++
	r.octets += octets
}

// reportDue sends a sender report when it is time; p.mu is held.
func (p *Port) reportDue(now time.Time) {
	if now.Before(p.play.report.at) {
		return
	}
	p.play.report.at = now.Add(reportEvery)
	p.sendControl(p.senderReport(now))
}

// sayBye ends our stream at the peer, if there was one; p.mu is held.
func (p *Port) sayBye() {
	if p.play.report.packets == 0 {
		return
	}
	b := p.senderReport(time.Now())
	b = append(b, 2<<6|1, 203, 0, 1) // BYE, one source
	b = binary.BigEndian.AppendUint32(b, p.play.ssrc)
	p.sendControl(b)
}

func (p *Port) sendControl(b []byte) {
	if to := p.control.dest(); to.IsValid() {
		p.pair.rtcp.send(b, to)
	}
}

// senderReport builds SR without report blocks and SDES with the CNAME that a
// compound packet must hold (RFC 3550 sections 6.1, 6.4.1, 6.5).
func (p *Port) senderReport(now time.Time) []byte {
	pl := &p.play
	b := make([]byte, 0, 64)
	b = append(b, 2<<6, 200, 0, 6)
	b = binary.BigEndian.AppendUint32(b, pl.ssrc)
	const from1900 = 2208988800 // seconds to the Unix epoch
	b = binary.BigEndian.AppendUint32(b, uint32(now.Unix()+from1900))
	b = binary.BigEndian.AppendUint32(b, uint32(uint64(now.Nanosecond())<<32/1e9))
	ts := pl.ts0 + uint32(now.Sub(pl.epoch)*frameSamples/frameTime)
	b = binary.BigEndian.AppendUint32(b, ts)
	b = binary.BigEndian.AppendUint32(b, pl.report.packets)
	b = binary.BigEndian.AppendUint32(b, pl.report.octets)

	// The CNAME says nothing about the host (RFC 7022 section 4.2): it is the
	// stream's own random number.
	const hex = "0123456789abcdef"
	sdes := len(b)
	b = append(b, 2<<6|1, 202, 0, 0)
	b = binary.BigEndian.AppendUint32(b, pl.ssrc)
	b = append(b, 1, 8)
	for shift := 28; shift >= 0; shift -= 4 {
		b = append(b, hex[pl.ssrc>>shift&0xf])
	}
	b = append(b, 0)
	for len(b)%4 != 0 {
		b = append(b, 0)
	}
	binary.BigEndian.PutUint16(b[sdes+2:], uint16((len(b)-sdes)/4-1))
	return b
}

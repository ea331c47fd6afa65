package media

import "encoding/binary"

// rtpHeader is what we need of an RTP packet (RFC 3550 section 5.1).
type rtpHeader struct {
	pt      uint8
	marker  bool
	seq     uint16
	ts      uint32
	ssrc    uint32
	payload []byte
}

// parseRTP reads a packet; false for anything that is not RTP version 2 or
// whose lengths do not fit. payload points into b.
func parseRTP(b []byte) (rtpHeader, bool) {
	if len(b) < rtpHeaderLen || b[0]>>6 != 2 {
		return rtpHeader{}, false
	}
	h := rtpHeader{
		pt:     b[1] & 0x7f,
		marker: b[1]&0x80 != 0,
		seq:    binary.BigEndian.Uint16(b[2:]),
		ts:     binary.BigEndian.Uint32(b[4:]),
		ssrc:   binary.BigEndian.Uint32(b[8:]),
	}
	rest := b[rtpHeaderLen:]
	csrc := 4 * int(b[0]&0x0f)
	if len(rest) < csrc {
		return rtpHeader{}, false
	}
	rest = rest[csrc:]
	if b[0]&0x10 != 0 { // header extension
		if len(rest) < 4 {
			return rtpHeader{}, false
		}
		ext := 4 + 4*int(binary.BigEndian.Uint16(rest[2:]))
		if len(rest) < ext {
			return rtpHeader{}, false
		}
		rest = rest[ext:]
	}
	if b[0]&0x20 != 0 { // padding: the last octet counts it, itself included
		if len(rest) == 0 || int(rest[len(rest)-1]) > len(rest) || rest[len(rest)-1] == 0 {
			return rtpHeader{}, false
		}
		rest = rest[:len(rest)-int(rest[len(rest)-1])]
	}
	h.payload = rest
	return h, true
}

const rtpHeaderLen = 12

// putRTP writes a header without CSRC and extension into b, which has room.
func putRTP(b []byte, h rtpHeader) {
	b[0] = 2 << 6
	b[1] = h.pt & 0x7f
	if h.marker {
		b[1] |= 0x80
	}
	binary.BigEndian.PutUint16(b[2:], h.seq)
	binary.BigEndian.PutUint32(b[4:], h.ts)
	binary.BigEndian.PutUint32(b[8:], h.ssrc)
}

// isRTCP tells RTCP by version and packet type (RFC 5761 section 4).
func isRTCP(b []byte) bool {
	return len(b) >= 8 && b[0]>>6 == 2 && b[1] >= 192 && b[1] <= 223
}

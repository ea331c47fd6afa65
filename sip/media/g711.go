package media

import (
	"math/bits"

	"github.com/cordboard/cordboard/sip/media/internal/wav"
)

// G.711 (ITU-T G.711, 1988): 8 bits a sample. Encoding goes through tables of
// all 16-bit samples' upper 14 (mu-law) or 13 (A-law) bits.
var (
	ulawDecode, alawDecode = decodeTables()
	ulawEncode, alawEncode = encodeTables()
)

const (
	silenceULaw = 0xff
	silenceALaw = 0xd5
)

func decodeTables() (u, a [256]int16) {
	for i := range 256 {
		c := ^uint8(i)
		v := (int16(c&0x0f)<<3 + 0x84) << (c >> 4 & 7)
		v -= 0x84
		if c&0x80 != 0 {
			v = -v
		}
		u[i] = v

		c = uint8(i) ^ 0x55
		v = int16(c&0x0f)<<4 + 8
		if seg := c >> 4 & 7; seg > 0 {
			v = (v + 0x100) << (seg - 1)
		}
		if c&0x80 == 0 {
			v = -v
		}
		a[i] = v
	}
	return u, a
}

func encodeTables() (u, a *[1 << 14]uint8) {
	u, a = new([1 << 14]uint8), new([1 << 14]uint8)
	for i := range 1 << 14 {
		s := int16(uint16(i) << 2)
		u[i], a[i] = toULaw(s), toALaw(s)
	}
	return u, a
}

func toULaw(s int16) uint8 {
	v, sign := int(s), uint8(0)
	if v < 0 {
		v, sign = -v, 0x80
	}
	v = min(v, 32635) + 0x84
	seg := bits.Len(uint(v)) - 8
	return ^(sign | uint8(seg)<<4 | uint8(v>>(seg+3))&0x0f)
}

func toALaw(s int16) uint8 {
	v, sign := int(s), uint8(0x80)
	if v < 0 {
		v, sign = -v-1, 0
	}
	v >>= 4
	var c uint8
	if v < 32 {
		c = uint8(v)
		if v >= 16 {
			c = 0x10 | uint8(v)&0x0f
		}
	} else {
		seg := bits.Len(uint(v)) - 4
		c = uint8(seg)<<4 | uint8(v>>(seg-1))&0x0f
	}
	return (sign | c) ^ 0x55
}

// WAV is a file of samples in G.711: PCMA, or else PCMU.
func WAV(codec string, samples []byte) []byte {
	return wav.AppendG711(nil, codec == "PCMA", samples)
}

// Encode turns samples into G.711; nil when the codec is not PCMU or PCMA.
func Encode(codec string, pcm []int16) []byte {
	var t *[1 << 14]uint8
	switch codec {
	case "PCMU":
		t = ulawEncode
	case "PCMA":
		t = alawEncode
	default:
		return nil
	}
	out := make([]byte, len(pcm))
	for i, s := range pcm {
		out[i] = t[uint16(s)>>2]
	}
	return out
}

// Decode turns G.711 into samples; nil when the codec is not PCMU or PCMA.
func Decode(codec string, payload []byte) []int16 {
	var t *[256]int16
	switch codec {
	case "PCMU":
		t = &ulawDecode
	case "PCMA":
		t = &alawDecode
	default:
		return nil
	}
	out := make([]int16, len(payload))
	for i, c := range payload {
		out[i] = t[c]
	}
	return out
}

package e2e

const sampleRate = 8000

// ulaw decodes one G.711 mu-law byte.
func ulaw(b byte) int16 {
	b = ^b
	t := (int(b&0x0f)<<3 + 0x84) << (b >> 4 & 7)
	if b&0x80 != 0 {
		return int16(0x84 - t)
	}
	return int16(t - 0x84)
}

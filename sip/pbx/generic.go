package pbx

// Generic asks in every way that phones are known to follow at once: each
// passes over what it does not know.
type Generic struct{}

// AutoAnswer gives Call-Info with answer-after (Polycom, Snom, Grandstream,
// Yealink, baresip), Alert-Info with the info parameter (Cisco, Yealink,
// Aastra) and Answer-Mode (RFC 5373; without "require", so that a phone that
// will not do it rings instead of refusing).
func (Generic) AutoAnswer(host string) []Header {
	return []Header{
		{"Call-Info", "<sip:" + host + ">;answer-after=0"},
		{"Alert-Info", "<http://127.0.0.1>;info=alert-autoanswer"},
		{"Answer-Mode", "Auto"},
	}
}

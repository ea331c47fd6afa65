package configs

import (
	"strings"
	"testing"
)

// What trunks and the DNS are given is refused where it stands, each by itself.
func TestServerRefusesTrunkKeys(t *testing.T) {
	for line, want := range map[string]string{
		`dns: [192.0.2.53:0]`:                     `sip.dns[0]: "192.0.2.53:0" is not the address of a DNS server`,
		`dns: [ns.example.com]`:                   `sip.dns[0]: "ns.example.com" is not the address of a DNS server`,
		`trunks: {a: {pass: [Call-Info]}}`:        `"Call-Info" is not passed to telephones`,
		`trunks: {a: {pass: [X-Cordboard-Call]}}`: `"X-Cordboard-Call" is not passed to telephones`,
		`trunks: {a: {pass: ["X-a: b"]}}`:         `"X-a: b" is not passed to telephones`,
		`trunks: {a: {pass: [X-A, x-a]}}`:         `pass: x-a is listed twice`,
		`trunks: {a: {max_calls: 0}}`:             `max_calls: want a whole number 1 to 100000, not "0"`,
		`trunks: {a: {calls_per_second: 1.5}}`:    `calls_per_second: want a whole number 1 to 10000, not "1.5"`,
	} {
		_, findings := ParseServer("cordboard.yaml", []byte("cordboard: server/1\nrouting: r.yaml\nsip:\n  listen: [\"udp:127.0.0.1:5060\"]\n  "+line+"\nmedia: {address: 127.0.0.1}\n"))
		told := false
		for _, f := range findings {
			told = told || strings.Contains(f.Msg, want) && f.Line == 5
		}
		if !told {
			t.Errorf("%s: %+v, want %q in line 5", line, findings, want)
		}
	}
}

// Of a trunk's name the usual port and transport are kept where they are written: they
// say what the DNS is asked for. Of an address they say nothing.
func TestTrunkName(t *testing.T) {
	for to, want := range map[string][2]string{
		"sip:sip.Example.com":                    {"sip.example.com", ""},
		"sip:sip.example.com:5060":               {"sip.example.com:5060", ""},
		"sip:sip.example.com;transport=udp":      {"sip.example.com", "udp"},
		"sip:sip.example.com:5080;transport=tcp": {"sip.example.com:5080", "tcp"},
		"sip:192.0.2.11:5060;transport=udp":      {"192.0.2.11", ""},
		"sip:[2001:db8::1]:5060":                 {"[2001:db8::1]", ""},
	} {
		s, findings := ParseServer("cordboard.yaml", []byte("cordboard: server/1\nrouting: r.yaml\nsip:\n  listen: [\"udp:127.0.0.1:5060\"]\n  trunks: {a: {from: [192.0.2.1], out: {to: \""+to+"\", number: \"+441632960001\"}}}\nmedia: {address: 127.0.0.1}\n"))
		if s == nil {
			t.Errorf("%s: %+v", to, findings)
		} else if o := s.SIP.Trunks[0].Out; o.Host != want[0] || o.Transport != want[1] {
			t.Errorf("%s: %q by %q, want %q", to, o.Host, o.Transport, want)
		}
	}
}

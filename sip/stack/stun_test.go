package stack

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"net/netip"
	"testing"
)

// The answers of RFC 5769 2.2 and 2.3: the same transaction, the same addresses,
// and their XOR-MAPPED-ADDRESS.
func TestMappedAddressOfTheRFC(t *testing.T) {
	request, _ := hex.DecodeString("000100002112a442b7e7a701bc34d686fa87dfae")
	for from, want := range map[string]string{
		"192.0.2.1:32853": "0101000c2112a442b7e7a701bc34d686fa87dfae" + "00200008" + "0001a147e112a643",
		"[2001:db8:1234:5678:11:2233:4455:6677]:32853": "010100182112a442b7e7a701bc34d686fa87dfae" + "00200014" + "0002a1470113a9faa5d3f179bc25f4b5bed2b9d9",
	} {
		if got := hex.EncodeToString(mapped(request, netip.MustParseAddrPort(from))); got != want {
			t.Errorf("%s: %s, want %s", from, got, want)
		}
	}
}

// binding is a Binding request with attributes behind its head.
func binding(attributes string) []byte {
	a, _ := hex.DecodeString(attributes)
	b := binary.BigEndian.AppendUint16(nil, stunRequest)
	b = binary.BigEndian.AppendUint16(b, uint16(len(a)))
	b = binary.BigEndian.AppendUint32(b, stunCookie)
	return append(append(b, "keeps-alive!"...), a...)
}

// A phone that is registered keeps its flow alive on the port of SIP, by STUN,
// CRLF or whatever it has; nobody else is answered, and nothing that is broken.
func TestKeepAliveOverUDP(t *testing.T) {
	side := &oneHome{phoneSide: phoneSide{make(chan netip.AddrPort, 10)}, home: netip.MustParseAddr("127.0.0.2")}
	l := newLab(t, func(o *Options) {
		o.Phones, o.Allow = side, func(netip.Addr) bool { return false }
	})
	p, q := peerFrom(t, l.Stack, "127.0.0.2"), peerFrom(t, l.Stack, "127.0.0.3")
	long := binding("")
	binary.BigEndian.PutUint16(long[2:], 8)
	for _, b := range [][]byte{
		[]byte("\r\n\r\n"), []byte("\r\n"), {0}, {0, 0, 0, 0}, nil, long, binding("")[:19],
		binding("00060004616e6e65"),                  // USERNAME: a check of ICE
		binding("80220009436f7264"), binding("8022"), // attributes that end too early
		append([]byte{1, 1}, binding("")[2:]...),                  // an answer
		append([]byte{0, 3}, binding("")[2:]...),                  // Allocate, of TURN
		bytes.Replace(binding(""), []byte{0x42}, []byte{0x43}, 1), // no cookie
	} {
		p.raw(b)
	}
	q.raw(binding(""))
	// What was read before it has got nothing: this is the first answer.
	p.raw(binding("8022000463622d31" + "80280004deadbeef"))
	p.ask(ask{method: "REGISTER", cseq: 1})
	got := take(t, p.in, "the answer to STUN")
	want := mapped(binding(""), addrPort(p.udp.LocalAddr().String()))
	if !bytes.Equal([]byte(got.raw), want) {
		t.Errorf("answered %q, want %q", got.raw, want)
	}
	p.expect("200 REGISTER")
	q.ask(ask{method: "REGISTER", cseq: 1})
	q.expect("200 REGISTER")
}

// oneHome is a registrar with phones at one address.
type oneHome struct {
	phoneSide
	home netip.Addr
}

func (o *oneHome) Hears(from netip.Addr, method string) bool {
	return method == "REGISTER" || method == "OPTIONS" && from == o.home
}

// Whom we do not know is not told by what he is refused; who is known is.
func TestStrangersAreNotToldWhoWeAre(t *testing.T) {
	l := newLab(t)
	for from, want := range map[string]string{"127.0.0.1": "Cordboard", "127.0.0.2": ""} {
		p := peerFrom(t, l.Stack, from)
		branch := p.ask(ask{method: "INVITE", cseq: 1, uri: "sip:x@127.0.0.1", extra: "Require: foo", body: "v=0"})
		m := take(t, p.in, "a refusal")
		if got := m.get("Server"); got != want {
			t.Errorf("%s is told %q, want %q: %s", from, got, want, m.raw)
		}
		p.ask(ask{method: "ACK", cseq: 1, branch: branch, to: m.get("To")})
	}
}

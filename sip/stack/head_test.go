package stack

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"
)

// received reads a message as if it had come.
func received(t testing.TB, text string) *Message {
	t.Helper()
	h, fields, ok := readHead([]byte(text), nil)
	if !ok {
		t.Fatalf("can't be read: %q", text)
	}
	return h.message([]byte(text), fields, netip.MustParseAddrPort("127.0.0.1:9"), "udp", time.Now())
}

// messages are those of RFC 4475 and 5118, and some that telephones send.
func messages(t testing.TB) [][]byte {
	t.Helper()
	files, err := filepath.Glob("testdata/rfc*/*.dat")
	if err != nil || len(files) != 61 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	var all [][]byte
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, data)
	}
	for _, start := range []string{
		"INVITE sip:02079460000@192.0.2.1:5060;user=phone SIP/2.0", "ACK sip:x@[2001:db8::1]:5060 SIP/2.0", "BYE sips:x@pbx.example;lr SIP/2.0",
		"REGISTER sip:pbx.example SIP/2.0", "SIP/2.0 200 OK", "SIP/2.0 180 Ringing",
	} {
		method, _, _ := strings.Cut(start, " ")
		if method == "SIP/2.0" {
			method = "INVITE"
		}
		all = append(all, []byte(start+"\r\nVia: SIP/2.0/UDP 192.0.2.9:5066;rport;branch=z9hG4bKa,SIP/2.0/TCP gw.example;branch=z9hG4bKb;x=\"y\"\r\n"+
			"Record-Route: <sip:192.0.2.3;lr>, <sip:192.0.2.4;lr>\r\nFrom: \"A. \\\"Caller\\\"\" <sip:07700900123@gw.example>;tag=from1\r\nt: <sip:x@y>;tag=to1\r\n"+
			"Call-ID: 1@gw\r\nCSeq: 7 "+method+"\r\nContact: <sip:a@192.0.2.9:5066;transport=udp>;expires=60\r\nMax-Forwards: 70\r\n"+
			"X-Long: a\r\n  b\r\nUser-Agent: Telephone\r\nContent-Type: application/sdp\r\nContent-Length: 3\r\n\r\nv=0"))
	}
	return all
}

// What is found in a message that is sound, but as unusual as may be (RFC 4475
// 3.1.1.1), and in those of IPv6 (RFC 5118).
func TestWhatIsFound(t *testing.T) {
	for name, want := range map[string]string{
		"rfc4475/wsinv":                         "INVITE 192.0.2.2 0 390skdjuw false 3 9 INVITE 98asjd8 1918181833n 68 sip:jdrosen@example.com",
		"rfc4475/semiuri":                       "OPTIONS 192.0.2.1 0 z9hG4bKkdjuw false 1 8 OPTIONS 33242  3 ",
		"rfc4475/unreason":                      "INVITE 192.0.2.198 0 z9hG4bK1324923 false 1 35 INVITE 11141343 2229 -1 sip:user@host198.example.com",
		"rfc4475/cparam01":                      "REGISTER saturn.example.com 5060 z9hG4bKkdjuw false 1 2 REGISTER DkfVgjkrtMwaerKKpe  70 sip:+19725552222@gw1.example.net",
		"rfc5118/ipv6-good":                     "REGISTER 2001:db8::9:1 0 z9hG4bKas3-111 false 1 98176 REGISTER 81x2  70 sip:caller@[2001:db8::1]",
		"rfc5118/port-ambiguous":                "REGISTER 2001:db8::9:1 0 z9hG4bKas3-111 false 1 98176 REGISTER 81x2  70 sip:caller@[2001:db8::1]",
		"rfc5118/ipv4-mapped-ipv6":              "INVITE ::ffff:192.0.2.10 19823 z9hG4bKbh19 false 2 612 INVITE 81x2  70 sip:ted@[::ffff:192.0.2.2]",
		"rfc5118/mult-ip-in-header":             "BYE 2001:db8::9:1 6050 z9hG4bKas3-111 false 3 89187 BYE 81x2 9817--94 70 ",
		"rfc5118/via-received-param-with-delim": "BYE 2001:db8::9:1 0 z9hG4bKas3-111 false 1 321 BYE 81x2 bd76ya 70 ",
	} {
		data, err := os.ReadFile("testdata/" + name + ".dat")
		if err != nil {
			t.Error(err)
			continue
		}
		m := received(t, string(data))
		got := fmt.Sprint(m.Method, " ", m.via.host, " ", m.via.port, " ", m.via.branch, " ", m.via.rport, " ", m.vias, " ", m.cseq, " ", m.cseqMethod,
			" ", m.fromTag, " ", m.toTag, " ", m.maxForwards, " ", m.contact)
		if got != want || m.fault != "" {
			t.Errorf("%s: %s %s", name, got, m.fault)
		}
	}
}

// What the library's parser can't read, or reads otherwise, is not let in: this
// one may be stricter, nowhere laxer. It is tried on messages spoiled at random,
// the same each time.
func TestReadsNoMoreThanTheLibrary(t *testing.T) {
	setLibrary()
	dice := rand.New(rand.NewPCG(1, 2))
	good, let, bad := messages(t), 0, 0
	for n := range 60_000 {
		data := spoiled(dice, good)
		in, odd := otherwise(data)
		if in {
			let++
		}
		if len(odd) > 0 {
			t.Errorf("message %d: %s\n%q", n, strings.Join(odd, "; "), data)
			if bad++; bad == 10 {
				t.FailNow()
			}
		}
	}
	if let < 5000 {
		t.Errorf("only %d were let in: this test proves little", let)
	}
}

// FuzzRead is TestReadsNoMoreThanTheLibrary without an end.
func FuzzRead(f *testing.F) {
	setLibrary()
	for _, data := range messages(f) {
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if _, odd := otherwise(data); len(odd) > 0 {
			t.Fatalf("%s\n%q", strings.Join(odd, "; "), data)
		}
	})
}

// An answer has the lines of its request as they stood there (RFC 3261 8.2.6,
// 12.1.1, 18.2.1; RFC 3581), whatever their shape, and each once that may be there
// once.
func TestAnswersCopyTheirRequest(t *testing.T) {
	s := &Stack{o: Options{UserAgent: "Cordboard", Allow: func(netip.Addr) bool { return true }}}
	head := "INVITE sip:x@127.0.0.1 SIP/2.0\r\nv: SIP / 2.0 / UDP  gw.example:5099 ; rport ;received=192.0.2.66;x=\"a;b\"; branch=z9hG4bKcopy, SIP/2.0/TCP a.example;branch=z9hG4bK2\r\n" +
		"Via: SIP/2.0/UDP b.example;branch=z9hG4bK3\r\nRecord-Route: <sip:p1.example;lr>;x=y, <sip:p2.example;lr>\r\nf: \"A, B\" <sip:a@b>;tag=1;y=z\r\n" +
		"To:\r\n  sip:x@y\r\ni: 7@x\r\nCSeq: 007   INVITE\r\nTimestamp: 54\r\nSubject: secret\r\n"
	via := "Via: SIP / 2.0 / UDP  gw.example:5099 ;rport=9;x=\"a;b\"; branch=z9hG4bKcopy;received=127.0.0.1\r\nVia: SIP/2.0/TCP a.example;branch=z9hG4bK2\r\n" +
		"Via: SIP/2.0/UDP b.example;branch=z9hG4bK3\r\n"
	routes := "Record-Route: <sip:p1.example;lr>;x=y\r\nRecord-Route: <sip:p2.example;lr>\r\n"
	rest := "From: \"A, B\" <sip:a@b>;tag=1;y=z\r\nTo: sip:x@y;tag=ours\r\nCall-ID: 7@x\r\nCSeq: 007   INVITE\r\n"
	own := []Header{{"Reason", "Q.850"}, {"Via", "evil"}, {"X-A", "a\r\nb"}, {"Bad Name", "x"}}
	for _, tt := range []struct {
		request, want string
		code          int
		more          []Header
	}{
		{head, "SIP/2.0 100 Trying\r\n" + via + rest + "Timestamp: 54\r\nContent-Length: 0\r\n\r\n", 100, nil},
		{head, "SIP/2.0 180 Ringing\r\n" + via + routes + rest + "Contact: <sip:me>\r\nServer: Cordboard\r\nContent-Length: 0\r\n\r\n", 180, []Header{{"Contact", "<sip:me>"}}},
		{head + "To: <sip:two@y>\r\nFrom: <sip:two@y>\r\n", "SIP/2.0 486 Busy Here\r\n" + via + rest + "Server: Cordboard\r\nContent-Length: 0\r\n\r\n", 486, nil},
	} {
		m := received(t, tt.request+"\r\n")
		in := &inbound{msg: m, method: m.Method, tag: "ours"}
		if got := string(s.response(in, tt.code, "", nil, tt.more, nil)); got != tt.want {
			t.Errorf("%d:\n%s\nwant\n%s", tt.code, got, tt.want)
		}
	}
	m := received(t, head+"\r\n")
	got := string(s.response(&inbound{msg: m, method: m.Method}, 200, "Fine\r\nX: y", own, nil, []byte("v=0")))
	if !strings.HasPrefix(got, "SIP/2.0 200 FineX: y\r\n") || !strings.Contains(got, "\r\nReason: Q.850\r\nX-A: ab\r\n") || strings.Contains(got, "evil") || strings.Contains(got, "Bad Name") ||
		!strings.HasSuffix(got, "\r\nContent-Type: application/sdp\r\nContent-Length: 3\r\n\r\nv=0") {
		t.Errorf("200:\n%s", got)
	}
}

// What lists of Via and routes are to those on the way who know no brackets in
// the one, and what is to be made of a route that is empty.
func TestListsAreCutAsOthersDo(t *testing.T) {
	head, rest := "BYE sip:x@y SIP/2.0\r\n", "From: <sip:a@b>;tag=1\r\nTo: <sip:x@y>;tag=2\r\nCall-ID: 7\r\nCSeq: 2 BYE\r\n"
	for _, tt := range []struct {
		lines, branch string
		vias, routes  int
	}{
		{"Via: SIP/2.0/UDP a;x=<;branch=z9hG4bK1, SIP/2.0/UDP b;branch=z9hG4bK2>\r\n", "z9hG4bK1", 2, 0},
		{"Via: SIP/2.0/UDP a;x=\"<,\";branch=z9hG4bK1, SIP/2.0/UDP b;y=\",>\";branch=z9hG4bK2\r\n", "z9hG4bK1", 2, 0},
		{"Via: SIP/2.0/UDP a;branch=z9hG4bK1\r\nRoute:\r\nRecord-Route: \r\nRoute: \"a, <b\" <sip:a,b@c;lr>, <sip:d;lr>;x=\",\"\r\nRecord-Route:\r\n  <sip:e;lr>\r\n", "z9hG4bK1", 1, 3},
	} {
		m := received(t, head+tt.lines+rest+"\r\n")
		routes := append(m.Values("Route"), m.Values("Record-Route")...)
		if m.via.branch != tt.branch || m.vias != tt.vias || len(m.Values("Via")) != tt.vias || len(routes) != tt.routes || validate(m) != nil {
			t.Errorf("%q: branch %s, %d vias, routes %q", tt.lines, m.via.branch, m.vias, routes)
		}
	}
	for _, bad := range []string{"Via: \r\n", "Via: SIP/2.0/UDP a,\r\n", "Contact:\r\n", "Route: <sip:a;lr>,\r\n", "Route: ,<sip:a;lr>\r\n"} {
		if _, _, ok := readHead([]byte(head+bad+rest+"\r\n"), nil); ok {
			t.Errorf("%q can be read", bad)
		}
	}
}

// spoiled takes one of the messages and changes it in some places.
func spoiled(dice *rand.Rand, good [][]byte) []byte {
	data := bytes.Clone(good[dice.IntN(len(good))])
	pieces := []string{
		"\r\n", "\r\n ", " ", "\t", ":", ";", ",", "<", ">", "\"", "\\", "@", "[", "]", "=", "?", "*", "/", "%", "\x00", "\n", "\r", "é", "0", "9", "sip:", "tel:", ";tag=", ";branch=", ";rport",
		"\r\nVia: SIP/2.0/UDP 192.0.2.7;branch=z9hG4bKz", "\r\nf: <sip:c@d>;tag=2", "\r\nl: 0", "\r\nCSeq: 8 INVITE", "\r\nContact: *", "\r\nRoute: <sip:a;lr>", "\r\nCall-ID:",
	}
	for range dice.IntN(4) {
		at := dice.IntN(len(data) + 1)
		switch dice.IntN(4) {
		case 0:
			data = slices.Insert(data, at, []byte(pieces[dice.IntN(len(pieces))])...)
		case 1:
			data = slices.Delete(data, at, min(at+1+dice.IntN(4), len(data)))
		case 2:
			if at < len(data) {
				data[at] = byte(dice.IntN(256))
			}
		case 3: // a line once more, or never
			lines := bytes.SplitAfter(data, []byte("\r\n"))
			i := dice.IntN(len(lines))
			if dice.IntN(2) == 0 {
				lines = slices.Insert(lines, i, lines[dice.IntN(len(lines))])
			} else {
				lines = slices.Delete(lines, i, i+1)
			}
			data = bytes.Join(lines, nil)
		}
		if len(data) == 0 {
			data = []byte("x")
		}
	}
	return data
}

// otherwise says what the library makes otherwise of a message that is let in.
func otherwise(data []byte) (in bool, odd []string) {
	h, fields, ok := readHead(data, nil)
	if !ok || h.fault != "" {
		return false, nil
	}
	m := h.message(data, fields, netip.MustParseAddrPort("192.0.2.1:5060"), "udp", time.Time{})
	if !h.response && validate(m) != nil {
		return false, nil
	}
	theirs, err := sip.NewParser().ParseSIP(data)
	if err != nil && strings.Contains(err.Error(), "IPV6") {
		return true, nil // it looks for addresses in a URI's parameters
	}
	if h.response && len(h.reason) >= 3 && strings.EqualFold(h.reason[:3], "sip") {
		return true, nil // it takes such a reason for a request's version
	}
	if err != nil {
		return true, []string{"the library refuses it: " + err.Error()}
	}
	say := func(what string, ours, its any) {
		if ours != its {
			odd = append(odd, fmt.Sprintf("%s: %v, the library's %v", what, ours, its))
		}
	}
	say("body", string(m.Body), string(theirs.Body()))
	if req, ok := theirs.(*sip.Request); ok {
		say("method", m.Method, string(req.Method))
	} else if res, ok := theirs.(*sip.Response); ok {
		say("status", fmt.Sprint(m.Status, m.Reason), fmt.Sprint(res.StatusCode, res.Reason))
	}
	if cseq := theirs.CSeq(); cseq != nil {
		say("CSeq", fmt.Sprint(m.cseq, m.cseqMethod), fmt.Sprint(cseq.SeqNo, strings.Trim(string(cseq.MethodName), " \t")))
	} else {
		say("CSeq", m.cseqMethod, "")
	}
	if id := theirs.CallID(); id != nil {
		say("Call-ID", m.callID, id.Value())
	}
	say("From", m.from, theirs.From() != nil)
	say("To", m.to, theirs.To() != nil)
	if m.from && m.to {
		tag := func(what, ours string, ps sip.HeaderParams) {
			if !strings.Contains(ours, "=") { // it cuts at the last one
				say(what, ours, libraryParam(ps, "tag"))
			}
		}
		tag("From's tag", m.fromTag, theirs.From().Params)
		tag("To's tag", m.toTag, theirs.To().Params)
	}
	// It loses transport and host after spaces, and cuts lists at parameters only.
	if via := theirs.Via(); via != nil && via.Transport != "" && via.Host != "" && len(theirs.GetHeaders("Via")) == m.vias {
		say("Via", fmt.Sprint(m.via.host, m.via.port), fmt.Sprint(via.Host, via.Port))
		if branch := libraryParam(via.Params, "branch"); branch != "" { // it loses some
			say("branch", m.via.branch, branch)
		}
	}
	return true, odd
}

func libraryParam(ps sip.HeaderParams, name string) string {
	for _, kv := range ps {
		if strings.EqualFold(strings.TrimSpace(kv.K), name) {
			return strings.Trim(kv.V, " \t")
		}
	}
	return ""
}

// BenchmarkRead is what one message costs from the datagram to the Message.
func BenchmarkRead(b *testing.B) {
	for _, start := range []string{"INVITE sip:02079460000@192.0.2.1:5060 SIP/2.0", "SIP/2.0 200 OK", "ACK sip:x@192.0.2.1:5060 SIP/2.0", "BYE sip:x@192.0.2.1:5060 SIP/2.0"} {
		method, _, _ := strings.Cut(start, " ")
		text, cseq, body := start, method, "v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\nm=audio 9 RTP/AVP 8 101\r\n"
		if method == "SIP/2.0" {
			cseq = "INVITE"
		}
		if method == "ACK" || method == "BYE" {
			body = ""
		}
		text += "\r\nVia: SIP/2.0/UDP 192.0.2.9:5066;rport;branch=z9hG4bKnashds8\r\nMax-Forwards: 70\r\nFrom: \"A Caller\" <sip:07700900123@gw.example>;tag=1928301774\r\n" +
			"To: <sip:02079460000@cordboard.example>;tag=a6c85cf\r\nCall-ID: a84b4c76e66710@192.0.2.9\r\nCSeq: 1 " + cseq + "\r\nContact: <sip:caller@192.0.2.9:5066>\r\n" +
			"User-Agent: Telephone 1.0\r\nP-Asserted-Identity: <sip:+447700900123@gw.example>\r\nContent-Type: application/sdp\r\nContent-Length: " + fmt.Sprint(len(body)) + "\r\n\r\n" + body
		data, from := []byte(text), netip.MustParseAddrPort("192.0.2.9:5066")
		b.Run(strings.ReplaceAll(method, "/", " ")+" "+cseq, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				var room [32]Header
				h, fields, ok := readHead(data, room[:0])
				if m := h.message(data, fields, from, "udp", time.Time{}); !ok || m.fault != "" || h.response == (validate(m) == nil) {
					b.Fatal("not let in")
				}
			}
		})
	}
}

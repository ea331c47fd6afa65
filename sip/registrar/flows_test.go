package registrar

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/cordboard/cordboard/sip/digest"
	"github.com/cordboard/cordboard/sip/stack"
)

// overFlow registers one flow of ann's phone, over a connection from a port.
func (w *world) overFlow(number int, from netip.AddrPort, headers ...string) stack.Answer {
	w.t.Helper()
	return w.registerBy(digest.MD5, "tcp", "ann", "ann's secret", from, append([]string{
		"Via: SIP/2.0/TCP 10.0.0.5;branch=z9hG4bK1",
		fmt.Sprintf(`Contact: <sip:ann@10.0.0.5:5060;transport=tcp>;reg-id=%d;+sip.instance="<urn:uuid:1>"`, number),
	}, headers...)...)
}

// RFC 5626 6: each flow of a phone is a binding of its own though its Contact is
// the same; one that comes anew takes the place of the last one of its number;
// the phone is reachable while one of them is.
func TestFlows(t *testing.T) {
	const supported = "Supported: path, Outbound"
	at := func(port uint16) netip.AddrPort { return netip.AddrPortFrom(home.Addr(), port) }
	w := newWorld(t)
	a := w.overFlow(1, at(40001), supported)
	want(t, "the first", a, 200)
	if got := contacts(a); !strings.Contains(got, ";reg-id=1") || !strings.Contains(got, `+sip.instance="<urn:uuid:1>"`) {
		t.Errorf("its binding: %s", got)
	}
	for name, value := range map[string]string{"Require": "outbound", "Flow-Timer": "30"} {
		if got := get(a, name); got != value {
			t.Errorf("%s: %q, want %s", name, got, value)
		}
	}
	w.pass(time.Second)
	want(t, "the second", w.overFlow(2, at(40002), supported), 200)
	if got := contacts(w.ann(home)); strings.Count(got, "<sip:") != 2 {
		t.Errorf("two flows: %s", got)
	}
	is := func(what string, port uint16, tells string) {
		t.Helper()
		next := netip.AddrPort{}
		if port > 0 {
			next = at(port)
		}
		if _, _, n := w.Find("ann"); n != next && tells != "ann false" {
			t.Errorf("%s: called at %s, want %s", what, n, next)
		}
		if got := w.says(); got != tells {
			t.Errorf("%s: told %q, want %q", what, got, tells)
		}
	}
	is("both are there", 40002, "ann true")
	w.Closed(at(40002))
	is("the second is gone", 40001, "")
	w.Closed(at(40001))
	is("both are gone", 0, "ann false")
	want(t, "the second, anew", w.overFlow(2, at(40003), supported), 200)
	is("the second is back", 40003, "ann true")
	if got := contacts(w.ann(home)); strings.Count(got, "<sip:") != 2 {
		t.Errorf("the second has not taken its own place: %s", got)
	}
	if len(w.rows) != 2 {
		t.Errorf("kept: %v", w.rows)
	}
	want(t, "taken back", w.overFlow(2, at(40003), supported, "Expires: 0"), 200)
	if got := contacts(w.ann(home)); strings.Contains(got, "reg-id=2") || !strings.Contains(got, "reg-id=1") {
		t.Errorf("one taken back: %s", got)
	}

	// What does not ask for it, or has come through a proxy, is one phone that moves.
	for name, header := range map[string]string{
		"not asked for": "Supported: path", "through a proxy": supported + "\nVia: SIP/2.0/TCP 10.0.0.9;branch=z9hG4bK2",
	} {
		w.start()
		for n := range 2 {
			h := strings.Split(header, "\n")
			a = w.overFlow(n+1, at(uint16(41001+n)), h...)
			want(t, name, a, 200)
		}
		if got := contacts(a); strings.Count(got, "<sip:") != 1 || get(a, "Require") != "" || strings.Contains(got, "reg-id") {
			t.Errorf("%s: %s, %+v", name, got, a)
		}
	}
	// Nor has another phone of hers anything to do with it.
	w.start()
	want(t, "flow", w.overFlow(1, at(40001), supported), 200)
	a = w.ann(office, `Contact: <sip:ann@192.0.2.20>;+sip.instance="<urn:uuid:2>"`)
	if strings.Count(contacts(a), "<sip:") != 2 || get(a, "Require") != "" {
		t.Errorf("a second phone: %+v", a)
	}
	for _, bad := range []string{"0", "-1", "x", "2147483648", ""} {
		if _, err := parseContact("<sip:ann@192.0.2.1>;reg-id=" + bad); err == nil {
			t.Errorf("reg-id=%s is taken", bad)
		}
	}
}

// A flow over UDP outlives a restart under its number.
func TestFlowsRestart(t *testing.T) {
	w := newWorld(t)
	contact := `Contact: <sip:ann@10.0.0.5>;reg-id=1;+sip.instance="<urn:uuid:1>"`
	headers := []string{"Via: SIP/2.0/UDP 10.0.0.5;branch=z9hG4bK1", "Supported: outbound", contact}
	want(t, "before", w.ann(home, headers...), 200)
	w.start()
	a := w.ann(netip.AddrPortFrom(home.Addr(), 50001), headers...)
	want(t, "after", a, 200)
	if got := contacts(a); strings.Count(got, "<sip:") != 1 || !strings.Contains(got, ";reg-id=1") || len(w.rows) != 1 {
		t.Errorf("%s, kept %v", got, w.rows)
	}
}

// get is the answer's header.
func get(a stack.Answer, name string) string {
	for _, h := range a.Headers {
		if h.Name == name {
			return h.Value
		}
	}
	return ""
}

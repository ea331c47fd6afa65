package app

import (
	"encoding/json"
	"math"
	"net/netip"
	"reflect"
	"testing"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/sip/stack"
)

// TestAppendJSON: what is written by hand is what encoding/json writes.
func TestAppendJSON(t *testing.T) {
	texts := []string{"", "painted", "a\"b\\c", "<sip:x@y;lr>", "a&b", "<>&", "<\"", "\x01\x7f", "é\u2028", "\xff"}
	var all []map[string]any
	for i, s := range texts {
		all = append(all, map[string]any{
			s: s, "first": i%2 == 0, "n": -i, "version": int64(1) << 60, "ms": float64(i) * 1.001, "panels": map[string]string{s: s, "who": "shown"},
		})
	}
	for _, f := range []float64{0, math.Copysign(0, -1), -2.5, 1e-6, 9.9e-7, 1e20, 1e21, -1e300, 0.1} {
		all = append(all, map[string]any{"ms": f})
	}
	all = append(all, nil, map[string]any{}, map[string]any{"panels": map[string]string(nil)}, map[string]any{"panels": map[string]string{}},
		map[string]any{"facts": []string{"a"}, "mode": "x"}, map[string]any{"agent": agents.ID("ann"), "z": nil})
	for _, data := range all {
		want, err := json.Marshal(data)
		if err != nil {
			t.Fatal(err)
		}
		if data == nil {
			want = []byte("{}") // is never asked for
		}
		got, err := appendData([]byte("x"), data)
		if err != nil || string(got) != "x"+string(want) {
			t.Errorf("%v: %v:\n%s, encoding/json has\n%s", data, err, got, want)
		}
	}
	for _, f := range []float64{math.NaN(), math.Inf(1)} {
		if b, err := appendData(make([]byte, 0, dataRoom), map[string]any{"ms": f}); err == nil || b != nil {
			t.Errorf("%v has the form %q, %v", f, b, err)
		}
	}
	for i, s := range texts {
		for _, state := range []stack.DialogState{
			{}, {Routes: []string{}, Peer: netip.MustParseAddrPort("[2001:db8::1%eth0]:5060")},
			{
				CallID: s, LocalTag: s, RemoteTag: s, LocalURI: s, RemoteURI: s, RemoteTarget: s, Routes: texts[:i], LocalCSeq: math.MaxUint32, RemoteCSeq: 7,
				UAS: i%2 == 0, Confirmed: i%2 == 1, Transport: s, Peer: netip.MustParseAddrPort("192.0.2.1:5060"),
			},
		} {
			want, err := json.Marshal(state)
			if err != nil {
				t.Fatal(err)
			}
			got, err := appendDialog([]byte("x"), &state)
			if err != nil || string(got) != "x"+string(want) {
				t.Errorf("%v:\n%s, encoding/json has\n%s", err, got, want)
			}
		}
	}
	// A field that is added must be written too.
	if n := reflect.TypeFor[stack.DialogState]().NumField(); n != 13 {
		t.Errorf("a dialog has %d fields, 13 are written", n)
	}
}

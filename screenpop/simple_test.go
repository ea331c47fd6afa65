package screenpop

import (
	"reflect"
	"testing"
	"unicode/utf8"
)

// Frames as the desktops send them, and many that are nearly so.
var simpleFrames = []string{
	`{"t":"pop_ack","d":{"call":12,"attempt":1,"mode":"painted","version":7,"panels":{"bar":"shown","who":"late","path":"empty"}}}`,
	`{"d":{"attempt":1,"call":12,"mode":"hidden","panels":{},"version":0},"t":"pop_ack"}`,
	`{"t":"wrap_up","id":9007199254740992,"d":{"call":12,"attempt":3,"disposition":"fixed","note":"Ирина rang – twice"}}`,
	` { "t" : "accept" , "id" : 7 , "d" : { "call" : 1 , "attempt" : -1 } } ` + "\n\t\r",
	`{"t":"ping","id":1,"d":{}}`, `{"t":"ping"}`, `{"t":"hold","d":{"call":1,"attempt":2,"on":true}}`,
}

var nearlySimple = []string{
	``, `{`, `{}`, `null`, `[]`, `"t"`, `{"t":"ping"} x`, `{"t":"ping"}{}`, `{"t":"ping",}`, `{"t":"ping" "id":1}`, `{t:"ping"}`, `{"t":ping}`,
	`{"T":"ping"}`, `{"t":"ping","t":"note"}`, `{"t":"ping","x":1}`, `{"t":"a\u0062"}`, `{"t":null}`, `{"t":"ping","id":null}`, `{"t":"ping","d":null}`,
	`{"t":"ping","id":01}`, `{"t":"ping","id":-0}`, `{"t":"ping","id":1.0}`, `{"t":"ping","id":1e3}`, `{"t":"ping","id":+1}`, `{"t":"ping","id":-}`,
	`{"t":"ping","id":9223372036854775808}`, `{"t":"ping","id":"1"}`, `{"t":"ping","id":--1}`, `{"t":"ping","id":1-1}`, "{\"t\":\"a\nb\"}", "{\"t\":\"\x7f\"}",
	`{"t":"ping","d":{"a":{"b":{"c":{"d":{"e":1}}}}}}`, `{"t":"ping","d":{"a":tru}}`, `{"t":"ping","d":{"a":truefalse}}`, `{"t":"ping","d":{"a":[1]}}`,
	`{"t":"ping","d":"x"}`, `{"t":"ping","d":5}`, `{"t":"ping","d":true}`, `{"t":"ping","d":{"a"}}`, `{"t":"ping","d":{"a":}}`, `{"t":"ping","d":{,}}`,
	`{"t":"x","d":{"call":1,"call":2,"attempt":1,"panels":{"who":"shown"},"panels":{"bar":"late"}}}`, `{"t":"x","d":{"call":1,"panels":null}}`,
	`{"t":"x","d":{"call":true}}`, `{"t":"x","d":{"Call":1}}`, `{"t":"x","d":{"call":1,"note":"a \"word\""}}`, `{"t":"x","d":{"call":1,"version":1e2}}`,
	`{"t":"x","d":{"call":1,"note":"<&>"}}`, `{"t":"x","d":{"call":1} }`, `{"t":"x","d":{"panels":{"who":1}}}`, `{"t":"x","d":{"panels":"who"}}`,
}

// What is read the short way is what encoding/json reads, to the byte.
func FuzzSimple(f *testing.F) {
	for _, text := range append(simpleFrames, nearlySimple...) {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		got, ok := parseFrame(true, text)
		want, wantOK := slowFrame(text)
		if ok != wantOK || !reflect.DeepEqual(got, want) {
			t.Fatalf("%q: %+v %t, want %+v %t", text, got, ok, want, wantOK)
		}
		if !ok {
			return
		}
		sameD[ackFrame](t, got.D)
		sameD[wrapUpFrame](t, got.D)
		sameD[offerRef](t, got.D)
		sameD[holdFrame](t, got.D)
		sameD[noteFrame](t, got.D)
	})
}

// slowFrame is parseFrame by encoding/json alone.
func slowFrame(text []byte) (f deskFrame, ok bool) {
	if !utf8.Valid(text) || !strict(text, &f) {
		return deskFrame{}, false
	}
	return f.checked()
}

func sameD[F any](t *testing.T, text []byte) {
	t.Helper()
	var want F
	ok := strict(text, &want)
	if got, gotOK := readD[F](text); gotOK != ok || ok && !reflect.DeepEqual(got, want) {
		t.Fatalf("%T of %q: %+v %t, want %+v %t", want, text, got, gotOK, want, ok)
	}
}

// The frames of every call are read the short way.
func TestSimple(t *testing.T) {
	for _, text := range simpleFrames {
		if _, ok := simpleFrame([]byte(text)); !ok {
			t.Errorf("%s is read the long way", text)
		}
	}
	n := testing.AllocsPerRun(100, func() { parseFrame(true, []byte(simpleFrames[0])) })
	if n > 4 {
		t.Errorf("%v allocations for a frame", n)
	}
}

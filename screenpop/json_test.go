package screenpop

import (
	"encoding/json"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"
)

// What is written by hand is what encoding/json writes, whatever the fields
// hold: full, empty, in any mixture.
func TestJSON(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	same := func(t *testing.T, got []byte, v any) {
		t.Helper()
		want, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != string(want) {
			t.Fatalf("wrote\n%s\nwant\n%s", got, want)
		}
	}
	for name, one := range map[string]func() (body, any){
		"status":   func() (body, any) { v := filled[statusView](rnd); return v, v },
		"phase":    func() (body, any) { v := filled[phaseView](rnd); return v, v },
		"withdraw": func() (body, any) { v := filled[withdrawView](rnd); return v, v },
		"consult":  func() (body, any) { v := filled[askingView](rnd); return v, v },
		"card":     func() (body, any) { v := filled[cardView](rnd); return &v, v },
	} {
		t.Run(name, func(t *testing.T) {
			for range 2000 {
				v, plain := one()
				seq, at := rnd.Int64N(9)+1, rnd.Int64()+1
				same(t, appendFrame([]byte("kept")[4:], name, seq, at, v), serverFrame{name, seq, at, plain})
			}
		})
	}
	t.Run("result", func(t *testing.T) {
		for range 2000 {
			v := filled[resultView](rnd)
			same(t, v.appendJSON(nil), serverFrame{T: "result", D: v})
		}
	})
	t.Run("colleague", func(t *testing.T) {
		for range 200 {
			v := filled[colleagueView](rnd)
			same(t, appendColleague(nil, &v, true), v)
		}
	})
}

// An instant that has no JSON form does not cost the agent the card.
func TestJSONOfNoInstant(t *testing.T) {
	if got := string(appendTime(nil, `"at":`, time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC))); got != `"at":"0001-01-01T00:00:00Z"` {
		t.Error(got)
	}
}

// filled is a T with something, or nothing, in every field.
func filled[T any](rnd *rand.Rand) (v T) {
	fill(rnd, reflect.ValueOf(&v).Elem())
	return v
}

var texts = []string{
	"", "Dana Petrova", "Ирина", "a \"quoted\" word", `back\slash`, "two\nlines\tand a tab", "<b>&amp;</b>", "\x00\x1f\x7f",
	"not \xff UTF-8", "\u2028 and \u2029", "ends in a half \xe2\x80", "\ufffd", "😀", "é",
}

func fill(rnd *rand.Rand, v reflect.Value) {
	if v.Type() == reflect.TypeFor[time.Time]() {
		at := time.Unix(rnd.Int64N(4e9), rnd.Int64N(2)*rnd.Int64N(1e9))
		v.Set(reflect.ValueOf([]time.Time{{}, at.UTC(), at.In(time.FixedZone("", 19800))}[rnd.IntN(3)]))
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(texts[rnd.IntN(len(texts))])
	case reflect.Bool:
		v.SetBool(rnd.IntN(2) == 0)
	case reflect.Int, reflect.Int64:
		v.SetInt([]int64{0, 1, -1, 48, 1 << 53, -1 << 63}[rnd.IntN(6)])
	case reflect.Pointer:
		if rnd.IntN(2) == 0 {
			v.Set(reflect.New(v.Type().Elem()))
			fill(rnd, v.Elem())
		}
	case reflect.Slice:
		if n := rnd.IntN(4); n > 0 { // nil, empty, one, two
			v.Set(reflect.MakeSlice(v.Type(), n-1, n-1))
			for i := range n - 1 {
				fill(rnd, v.Index(i))
			}
		}
	case reflect.Map: // a customer's own fields
		if n := rnd.IntN(3); n > 0 { // nil, empty, one
			v.Set(reflect.MakeMap(v.Type()))
			if n > 1 {
				v.SetMapIndex(reflect.ValueOf(filled[string](rnd)), reflect.ValueOf([]any{"gold", float64(3), true, []any{"a", "b"}}[rnd.IntN(4)]))
			}
		}
	case reflect.Struct:
		for i := range v.NumField() {
			fill(rnd, v.Field(i))
		}
	default:
		panic("fields of kind " + v.Kind().String() + " are not filled")
	}
}

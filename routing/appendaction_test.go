package routing

import (
	"encoding/json"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"
)

// everyAction holds one action of each type.
func everyAction() []Action {
	return []Action{
		ResolveCustomer{}, AnswerCaller{}, Wait{}, PassOut{}, Enqueued{}, StepReached{}, StepSkipped{}, Relaxed{}, Held{}, OfferCall{}, MayAccept{}, Ring{}, Withdraw{}, Connect{},
		ConsultStarted{}, ConsultEnded{}, HandedOver{}, Release{}, Hold{}, Transferred{}, Treat{}, Treat{Number: "+441632960012", Music: "default"}, EndCall{}, AgentChanged{}, WrapUpStarted{}, WrapUpFinished{}, Probe{}, Refused{}, PolicyLive{}, ReserveChanged{},
		OfferCallback{}, CallbackTaken{}, CallCustomer{}, DropCustomer{}, CallbackMissed{}, CallbackReached{}, MessageTaken{}, Treat{Voicemail: "main", Queue: "a", Language: "en"}, EarlyMedia{}, Announce{},
	}
}

// filled sets a value and all in it at random, a third of it to nothing.
func filled(draw *rand.Rand, v reflect.Value) {
	if draw.IntN(3) == 0 {
		v.SetZero()
		return
	}
	if v.Type() == reflect.TypeFor[time.Time]() {
		zones := []*time.Location{time.UTC, time.FixedZone("", 5*3600+1800), time.FixedZone("", -3600)}
		at := time.Unix(draw.Int64N(4e9), draw.Int64N(3)*draw.Int64N(1e9)).In(zones[draw.IntN(len(zones))])
		v.Set(reflect.ValueOf(at))
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			filled(draw, v.Field(i))
		}
	case reflect.Slice:
		n := draw.IntN(4)
		v.Set(reflect.MakeSlice(v.Type(), n, n))
		for i := range n {
			filled(draw, v.Index(i))
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		filled(draw, v.Elem())
	case reflect.String:
		texts := []string{"a\"\\b", "<&>", "\x00\x1f\x7f", "é\u2028\u2029\ufffd", "\xff!", "ok", "line_fault"}
		v.SetString(texts[draw.IntN(len(texts))])
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(draw.Int64() >> draw.IntN(62) * (1 - 2*draw.Int64N(2)))
	}
}

// TestAppendAction: each action is written as encoding/json writes it, whatever
// is in it.
func TestAppendAction(t *testing.T) {
	draw := rand.New(rand.NewPCG(11, 7))
	kinds, usual := map[string]bool{}, 0
	for _, empty := range everyAction() {
		kinds[empty.Kind()] = true
		if _, ok := appendUsualAction(nil, empty); ok {
			usual++
		}
		for range 300 {
			v := reflect.New(reflect.TypeOf(empty)).Elem()
			for i := range v.NumField() {
				filled(draw, v.Field(i))
			}
			a := v.Interface().(Action)
			want, err := json.Marshal(a)
			if err != nil {
				t.Fatal(err)
			}
			got, err := AppendAction([]byte("line "), a)
			if err != nil || string(got) != "line "+string(want) {
				t.Fatalf("%s: %v:\n%s, encoding/json has\n%s", a.Kind(), err, got, want)
			}
		}
	}
	if len(kinds) != 38 || usual != 12 {
		t.Errorf("%d kinds, %d of them written by hand", len(kinds), usual)
	}
	for _, a := range []Action{Ring{Until: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)}, WrapUpStarted{Until: time.Date(-1, 1, 1, 0, 0, 0, 0, time.UTC)}} {
		if got, err := AppendAction([]byte("line"), a); err == nil || string(got) != "line" {
			t.Errorf("an instant without a form: %s, %v", got, err)
		}
	}
}

package routing

import (
	"encoding/json"
	"reflect"
	"testing"
)

func TestLeftOutsByCode(t *testing.T) {
	for want, l := range map[string]LeftOuts{
		`null`: nil,
		`{}`:   {},
		`{"away:lunch":["bob"],"busy":["ann","dee"],"wrap_up":["carl"]}`: {{"ann", "busy"}, {"bob", "away:lunch"}, {"carl", "wrap_up"}, {"dee", "busy"}},
		`{"\u003c\"":["\u0026"]}`: {{"&", `<"`}},
	} {
		b, err := json.Marshal(l)
		if err != nil || string(b) != want {
			t.Errorf("%v: %v: %s, want %s", l, err, b, want)
		}
		if len(l) == 0 {
			continue
		}
		reason := Reason{Rule: "net", LeftOut: l}
		var back Reason
		if b, err = json.Marshal(reason); err == nil {
			err = json.Unmarshal(b, &back)
		}
		if err != nil || !reflect.DeepEqual(back, reason) {
			t.Errorf("%s: %v: %+v", b, err, back)
		}
	}
	if err := json.Unmarshal([]byte(`{"busy":"ann"}`), &LeftOuts{}); err == nil {
		t.Error("a name is taken for a list")
	}
}

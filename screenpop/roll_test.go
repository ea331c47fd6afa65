package screenpop

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/cordboard/cordboard/agents"
)

// A desk gets everybody but its own agent, as if it had been written for it.
func TestRoll(t *testing.T) {
	all := []colleagueView{{"ann", "Ann, \"A\"", agents.Available, 1}, {"bob", "Bob", agents.Talking, 2}, {"carl", "Carl", agents.SignedOut, 0}}
	for n := range len(all) + 1 {
		r := newRoll(all[:n])
		for _, self := range []agents.ID{"ann", "bob", "carl", "nobody"} {
			want, err := json.Marshal(slices.DeleteFunc(slices.Clone(all[:n]), func(v colleagueView) bool { return v.ID == self }))
			if err != nil {
				t.Fatal(err)
			}
			if got := r.without(self); string(got) != string(want) {
				t.Errorf("%d without %s: %s, want %s", n, self, got, want)
			}
		}
	}
}

// Of the colleagues frames kept for a resume only the last one has its list,
// and what is kept is counted right.
func TestThin(t *testing.T) {
	h := &Hub{opt: Options{}}
	h.opt.fill()
	s := &session{agent: "ann"}
	list := newRoll([]colleagueView{{"ann", "Ann", agents.Available, 1}, {"bob", "Bob", agents.Talking, 2}})
	h.pushColleagues(s, list)
	h.push(s, "status", 1)
	h.pushColleagues(s, list)
	frames, ok := s.replay(0)
	if !ok || len(frames) != 3 {
		t.Fatalf("replay %v %v", frames, ok)
	}
	bytes := 0
	for i, want := range []int{0, -1, 1} {
		var f struct {
			T   string
			Seq int64
			D   json.RawMessage
		}
		if err := json.Unmarshal(frames[i].text, &f); err != nil || f.Seq != int64(i+1) {
			t.Fatalf("frame %s: %v", frames[i].text, err)
		}
		var colleagues []colleagueView
		if want >= 0 && (json.Unmarshal(f.D, &colleagues) != nil || f.T != "colleagues" || len(colleagues) != want) {
			t.Errorf("frame %s, want %d colleagues", frames[i].text, want)
		}
		bytes += len(frames[i].text)
	}
	if bytes != s.bytes {
		t.Errorf("%d bytes kept, counted %d", bytes, s.bytes)
	}
	// One that is not kept any more is nobody's loss.
	s.ring = s.ring[2:]
	s.thin(1)
	if len(s.ring) != 1 {
		t.Error("thinned what was gone")
	}
}

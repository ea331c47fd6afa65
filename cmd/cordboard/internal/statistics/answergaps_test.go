package statistics

import (
	"encoding/json"
	"path/filepath"
	"testing"
	"time"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/store"
)

// TestAnswerGaps: of what was asked in four weeks, what has no answer comes first, with
// who would know one; answers fall due on the day of the centre's own calendar.
func TestAnswerGaps(t *testing.T) {
	s := openStore(t, filepath.Join(t.TempDir(), "ledger.db"))
	t.Cleanup(func() { _ = s.Close() })
	p := policy(t, "")
	p.Zone = time.FixedZone("east", 3*3600)
	p.Topics = map[string]*routing.Topic{"refund": {Title: routing.Title{"en": "Refund"}, Specialists: []agents.ID{"ann", "gone"}}}
	p.Agents = map[agents.ID]agents.Agent{"ann": {Name: "Ann Ames"}}
	now := time.Date(2026, 11, 24, 22, 0, 0, 0, time.UTC) // the 25th there
	for topic, times := range map[string][]time.Duration{
		"refund": {-time.Hour, -27 * 24 * time.Hour, -29 * 24 * time.Hour}, "bill": {-time.Hour, -time.Hour, -time.Hour}, "": {-time.Minute},
	} {
		for _, ago := range times {
			at := now.Add(ago)
			id := s.NextCall()
			s.Arrived(store.Arrival{Call: id, Trunk: "main", Number: "+447700900417", Dialled: "+448081570142", At: at})
			s.Do(at, []routing.Action{routing.Enqueued{Call: id, Queue: "care", Topic: topic, Since: at, Entered: at}})
			s.Do(at, []routing.Action{routing.EndCall{Call: id, Outcome: routing.Abandoned, By: routing.ByCaller}})
		}
	}
	if err := s.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	err := s.SaveAnswers(t.Context(),
		store.Answer{ID: "higher", Topic: "bill", Lang: "en", Title: "Higher bill", Say: "Let us look.", Owner: "ann", Review: "2026-11-25"},
		store.Answer{ID: "higher", Topic: "bill", Lang: "ru", Title: "Счёт больше", Say: "Посмотрим.", Owner: "gone", Review: "2026-10-01"},
		store.Answer{ID: "split", Topic: "bill", Lang: "en", Title: "Instalments", Say: "Three parts.", Review: "2026-11-26"},
		store.Answer{ID: "hello", Lang: "bg", Title: "Поздрав", Say: "Добър ден."})
	if err != nil {
		t.Fatal(err)
	}
	g, err := BuildAnswerGaps(t.Context(), s, p, now)
	if err != nil {
		t.Fatal(err)
	}
	got, err := json.Marshal(g)
	want := `{"from":1793138400000000,"to":1795557600000000,"langs":["bg","en","ru"],"topics":[` +
		`{"name":"refund","title":{"en":"Refund"},"calls":2,"answers":{},"specialists":["Ann Ames","gone"]},` +
		`{"name":"care","title":null,"calls":1,"answers":{},"specialists":[]},` +
		`{"name":"bill","title":null,"calls":3,"answers":{"en":2,"ru":1},"specialists":[]}],` +
		`"due":[{"id":"higher","lang":"ru","topic":"bill","title":"Счёт больше","owner":"gone","review":"2026-10-01"},` +
		`{"id":"higher","lang":"en","topic":"bill","title":"Higher bill","owner":"Ann Ames","review":"2026-11-25"}],"answers":4,"unowned":2}`
	if err != nil || string(got) != want {
		t.Errorf("%v\ngot  %s\nwant %s", err, got, want)
	}
}

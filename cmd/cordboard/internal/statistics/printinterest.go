package statistics

import (
	"encoding/json"
	"math"
	"slices"

	"github.com/cordboard/cordboard/cmd/cordboard/internal/statistics/trend"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/routing/figures"
)

type interestView struct {
	Weeks     []int64            `json:"weeks"`
	Forgotten bool               `json:"callers_forgotten"`
	LeftOut   int                `json:"left_out"`
	Lines     []interestLineView `json:"lines"`
}

type interestLineView struct {
	interestKeyView
	Calls  int        `json:"calls"`
	Weekly []int      `json:"weekly"`
	State  string     `json:"state"`
	Change *shareView `json:"change"`
	Was    string     `json:"was"`
	Since  int64      `json:"since"`
}

type interestKeyView struct {
	By      string        `json:"by"`
	Service string        `json:"service"`
	Queue   bool          `json:"queue"`
	Title   routing.Title `json:"title"`
	Segment string        `json:"segment"`
	Region  string        `json:"region"`
}

// MarshalJSON gives INTEREST of docs/http-api.md.
func (in *Interest) MarshalJSON() ([]byte, error) {
	v := interestView{Weeks: []int64{}, Forgotten: in.Forgotten, LeftOut: in.LeftOut, Lines: []interestLineView{}}
	for _, w := range in.Weeks {
		v.Weeks = append(v.Weeks, w.UnixMicro())
	}
	for i := range in.Lines {
		l := &in.Lines[i]
		line := interestLineView{interestKeyView: in.viewKey(l.InterestKey), Calls: l.Total, Weekly: l.Calls, State: string(l.State), Change: viewChange(l.Trend)}
		if s := in.states[l.stored()]; s.Was != "" && s.State == line.State {
			line.Was, line.Since = s.Was, s.Since.UnixMicro()
		}
		v.Lines = append(v.Lines, line)
	}
	return json.Marshal(v)
}

func (in *Interest) viewKey(k InterestKey) interestKeyView {
	v := interestKeyView{By: k.By, Service: k.Service, Queue: k.Queue, Segment: k.Segment, Region: k.Region}
	if !k.Queue {
		v.Title = titleOf(in.policy, figures.OfTopic, k.Service)
	}
	return v
}

// viewChange is percent a month; nil where there is too little to tell.
func viewChange(t trend.Trend) *shareView {
	tenths := func(x float64) float64 { return math.Round(min(x, 99.99)*1000) / 10 } // a start from nothing has no end
	if !t.Known {
		return nil
	}
	return &shareView{tenths(t.Value), tenths(t.Low), tenths(t.High)}
}

// Hint is where a price or an offer may follow: of which service, with whom, which way.
type Hint struct {
	interestKeyView
	Way     string       `json:"way"` // up, down
	Reasons []HintReason `json:"reasons"`
}

// HintReason is why.
type HintReason struct {
	What   string     `json:"what"` // calls
	State  string     `json:"state"`
	Change *shareView `json:"change"`
	Calls  int        `json:"calls"`
}

// Hints are those for services, the clearest first: by the rule of docs/interest.md.
func (in *Interest) Hints(services []string) []Hint {
	out := []Hint{}
	for i := range in.Lines {
		l := &in.Lines[i]
		if l.By == figures.OfAll || !slices.Contains(services, l.Service) || l.State != trend.Rising && l.State != trend.Falling {
			continue
		}
		way := "up"
		if l.State == trend.Falling {
			way = "down"
		}
		out = append(out, Hint{in.viewKey(l.InterestKey), way, []HintReason{{"calls", string(l.State), viewChange(l.Trend), l.Total}}})
	}
	return out
}

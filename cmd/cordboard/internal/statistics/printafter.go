package statistics

import (
	"encoding/json"
	"math"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/routing/figures"
)

type afterView struct {
	From  int64           `json:"from"`
	To    int64           `json:"to"`
	Now   int64           `json:"now"`
	Lines []afterLineView `json:"lines"`
}

type afterLineView struct {
	By          string        `json:"by"`
	Name        string        `json:"name"`
	Title       routing.Title `json:"title"`
	Calls       int           `json:"calls"`
	Answered    int           `json:"answered"`
	Alone       int           `json:"self_service"`
	Transferred int           `json:"transferred"`
	Rate        *shareView    `json:"transfer_rate"`
	Hops        *float64      `json:"hops_mean"`
	Back        int           `json:"transferred_back"`
	Unknown     int           `json:"unknown_caller"`
	Running     int           `json:"not_known_yet"`
	Followed    int           `json:"followed"`
	Repeated    int           `json:"repeated"`
	Repeat      *shareView    `json:"repeat_contact"`
	First       int           `json:"first_contacts"`
	Solved      int           `json:"solved"`
	SolvedShare *shareView    `json:"solved_share"`
	AloneSolved int           `json:"self_service_solved"`
	AloneShare  *shareView    `json:"self_service_share"`
}

// shareView is a share in percent with one decimal, and its interval.
type shareView struct {
	Value float64 `json:"value"`
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
}

func viewShare(part, of int) *shareView {
	s, ok := figures.ShareOf(part, of)
	if !ok {
		return nil
	}
	tenths := func(x float64) float64 { return math.Round(x*1000) / 10 }
	return &shareView{tenths(s.Value), tenths(s.Low), tenths(s.High)}
}

// MarshalJSON gives AFTER of docs/http-api.md.
func (a *AfterCall) MarshalJSON() ([]byte, error) {
	v := afterView{From: a.From.UnixMicro(), To: a.To.UnixMicro(), Now: a.Now.UnixMicro(), Lines: []afterLineView{}}
	for i := range a.Lines {
		line := viewAfter(&a.Lines[i])
		line.Title = titleOf(a.policy, line.By, line.Name)
		v.Lines = append(v.Lines, line)
	}
	return json.Marshal(v)
}

// titleOf is how a document names a topic or an agent; nil for one that it has
// no more, and for a team.
func titleOf(p *routing.Policy, by, name string) routing.Title {
	switch by {
	case figures.OfTopic:
		if t := p.Topics[name]; t != nil {
			return t.Title
		}
	case figures.OfAgent:
		if a, ok := p.Agents[agents.ID(name)]; ok {
			return routing.Title{"": a.Name}
		}
	}
	return nil
}

func viewAfter(l *figures.AfterLine) afterLineView {
	v := afterLineView{
		By: l.By, Name: l.Name, Calls: l.Calls, Answered: l.Answered, Alone: l.Alone,
		Transferred: l.Transferred, Rate: viewShare(l.Transferred, l.Answered), Back: l.Back,
		Unknown: l.Unknown, Running: l.Running, Followed: l.Followed,
		Repeated: l.Repeated, Repeat: viewShare(l.Repeated, l.Followed),
		First: l.First, Solved: l.Solved, SolvedShare: viewShare(l.Solved, l.First),
		AloneSolved: l.AloneSolved, AloneShare: viewShare(l.AloneSolved, l.Followed),
	}
	if l.Answered > 0 {
		mean := math.Round(100*float64(l.Hops)/float64(l.Answered)) / 100
		v.Hops = &mean
	}
	return v
}

package statistics

import (
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"slices"
	"time"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/routing/figures"
	"github.com/cordboard/cordboard/store"
)

// gapWeeks is how far back it is looked what callers asked about.
const gapWeeks = 4

// AnswerBase is the standard answers, and what calls were about.
type AnswerBase interface {
	Answers(ctx context.Context) ([]store.Answer, error)
	ContactCounts(ctx context.Context, from, to time.Time, prefix int, do func(store.ContactCount)) error
}

// AnswerGaps is where the standard answers fall short, by docs/answers.md.
type AnswerGaps struct {
	From, To time.Time
	Langs    []string      // that there are answers in
	Topics   []AnswerTopic // asked about in the period: those without an answer first, then by calls
	Due      []store.Answer
	Answers  int // all there are
	Unowned  int // of them

	policy *routing.Policy
}

// AnswerTopic is a topic, or the queue of calls without one, and how many answers it
// has in each language.
type AnswerTopic struct {
	Name    string
	Calls   int
	Answers map[string]int
}

// BuildAnswerGaps counts them as of now.
func BuildAnswerGaps(ctx context.Context, base AnswerBase, p *routing.Policy, now time.Time) (*AnswerGaps, error) {
	g := &AnswerGaps{From: now.AddDate(0, 0, -7*gapWeeks), To: now, policy: p}
	all, err := base.Answers(ctx)
	if err != nil {
		return nil, err
	}
	asked := map[string]int{}
	err = base.ContactCounts(ctx, g.From, g.To, 0, func(c store.ContactCount) {
		if topic := cmp.Or(c.Topic, c.Queue); topic != "" {
			asked[topic] += c.Calls
		}
	})
	if err != nil {
		return nil, err
	}
	g.Due = DueAnswers(all, p, now)
	g.count(all)
	g.topics(all, asked)
	return g, nil
}

// DueAnswers are those whose day of review has come where the centre is, the oldest first.
func DueAnswers(all []store.Answer, p *routing.Policy, now time.Time) (due []store.Answer) {
	today := now.In(p.Zone).Format(time.DateOnly)
	for _, a := range all {
		if a.Review != "" && a.Review <= today {
			due = append(due, a)
		}
	}
	slices.SortStableFunc(due, func(a, b store.Answer) int { return cmp.Compare(a.Review, b.Review) })
	return due
}

func (g *AnswerGaps) count(all []store.Answer) {
	g.Answers = len(all)
	langs := map[string]bool{}
	for _, a := range all {
		langs[a.Lang] = true
		if a.Owner == "" {
			g.Unowned++
		}
	}
	g.Langs = slices.Sorted(maps.Keys(langs))
}

func (g *AnswerGaps) topics(all []store.Answer, asked map[string]int) {
	has := map[string]map[string]int{}
	for _, a := range all {
		if has[a.Topic] == nil {
			has[a.Topic] = map[string]int{}
		}
		has[a.Topic][a.Lang]++
	}
	for name, calls := range asked {
		g.Topics = append(g.Topics, AnswerTopic{Name: name, Calls: calls, Answers: has[name]})
	}
	slices.SortFunc(g.Topics, func(a, b AnswerTopic) int {
		return cmp.Or(cmp.Compare(min(1, len(a.Answers)), min(1, len(b.Answers))), cmp.Compare(b.Calls, a.Calls), cmp.Compare(a.Name, b.Name))
	})
}

type gapsView struct {
	From    int64          `json:"from"`
	To      int64          `json:"to"`
	Langs   []string       `json:"langs"`
	Topics  []gapTopicView `json:"topics"`
	Due     []dueView      `json:"due"`
	Answers int            `json:"answers"`
	Unowned int            `json:"unowned"`
}

type gapTopicView struct {
	Name        string         `json:"name"`
	Title       routing.Title  `json:"title"`
	Calls       int            `json:"calls"`
	Answers     map[string]int `json:"answers"`
	Specialists []string       `json:"specialists"` // their names
}

type dueView struct {
	ID     string `json:"id"`
	Lang   string `json:"lang"`
	Topic  string `json:"topic"`
	Title  string `json:"title"`
	Owner  string `json:"owner"` // the name, or the id of who is no agent any more
	Review string `json:"review"`
}

// MarshalJSON gives GAPS of docs/http-api.md.
func (g *AnswerGaps) MarshalJSON() ([]byte, error) {
	v := gapsView{From: g.From.UnixMicro(), To: g.To.UnixMicro(), Langs: append([]string{}, g.Langs...), Topics: []gapTopicView{}, Due: []dueView{}, Answers: g.Answers, Unowned: g.Unowned}
	for _, t := range g.Topics {
		line := gapTopicView{Name: t.Name, Title: titleOf(g.policy, figures.OfTopic, t.Name), Calls: t.Calls, Answers: t.Answers, Specialists: []string{}}
		if line.Answers == nil {
			line.Answers = map[string]int{}
		}
		if topic := g.policy.Topics[t.Name]; topic != nil {
			for _, id := range topic.Specialists {
				line.Specialists = append(line.Specialists, g.nameOf(string(id)))
			}
		}
		v.Topics = append(v.Topics, line)
	}
	for _, a := range g.Due {
		v.Due = append(v.Due, dueView{ID: a.ID, Lang: a.Lang, Topic: a.Topic, Title: a.Title, Owner: g.nameOf(a.Owner), Review: a.Review})
	}
	return json.Marshal(v)
}

func (g *AnswerGaps) nameOf(agent string) string {
	return cmp.Or(g.policy.Agents[agents.ID(agent)].Name, agent)
}

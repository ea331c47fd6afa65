package demo

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/store"
)

// past is what the half year before the demo was about: invented calls, one topic of
// which grows and one of which fades, so that the page of interest has something to tell.
var past = []struct {
	topic   string
	weekly  float64 // calls, in the middle
	monthly float64 // by how much more each month
}{{"contract_end", 22, 0.14}, {"roaming_refund", 14, -0.16}, {"billing_question", 16, 0}, {"fibre_drops", 3, 0}}

const pastWeeks = 27 // the first of which is not known whole

// fillPast writes those calls into the ledger. Nobody talked: no agent's figures move.
func (c *centre) fillPast(ctx context.Context, now time.Time) error {
	s, r := c.app.Store(), rand.New(rand.NewPCG(seed, pastWeeks))
	var calls []store.Arrival
	topics := map[routing.CallID]string{}
	for ago := pastWeeks; ago > 0; ago-- {
		for _, p := range past {
			months := float64(pastWeeks/2-ago) * 7 / 30
			for range int(math.Round(p.weekly*math.Pow(1+p.monthly, months))) + r.IntN(5) - 2 {
				at := now.AddDate(0, 0, -7*ago).Add(time.Duration(r.Int64N(int64(7 * 24 * time.Hour))))
				number := c.numbers[r.IntN(len(c.numbers))]
				id := s.NextCall()
				calls = append(calls, store.Arrival{Call: id, Trunk: "demo", Number: number, Dialled: lines[0].dialled, Customer: c.records[number].ID, At: at})
				topics[id] = p.topic
			}
		}
	}
	slices.SortFunc(calls, func(a, b store.Arrival) int { return a.At.Compare(b.At) })
	for _, a := range calls {
		s.Arrived(a)
		s.Do(a.At, []routing.Action{
			routing.Enqueued{Call: a.Call, Queue: c.policy.Topics[topics[a.Call]].Queue, Topic: topics[a.Call], Since: a.At, Entered: a.At},
			routing.EndCall{Call: a.Call, Outcome: routing.Abandoned, By: routing.ByCaller},
		})
	}
	return s.Flush(ctx)
}

package statistics

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/cordboard/cordboard/cmd/cordboard/internal/statistics/trend"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/routing/figures"
	"github.com/cordboard/cordboard/store"
)

// ContactLedger counts what calls were about (store.Store).
type ContactLedger interface {
	ContactCounts(ctx context.Context, from, to time.Time, prefix int, do func(store.ContactCount)) error
}

// InterestQuery is what a reading of interest is asked for: so many whole weeks that
// are over, by the document's clock.
type InterestQuery struct {
	Weeks int
	// Callers is how long calls have their callers (retention.calls), 0 for ever: who
	// called longer ago has neither segment nor number.
	Callers time.Duration
}

// Interest is how often each service was asked about, week by week, and which way that
// goes, by docs/interest.md.
type Interest struct {
	Weeks     []time.Time // their beginnings, oldest first; fewer than asked for while fewer are known
	Lines     []InterestLine
	LeftOut   int  // lines beyond mostLines
	Forgotten bool // segments and regions are not told: callers of these weeks are forgotten

	policy *routing.Policy
	states map[store.InterestKey]store.InterestState // of Remembered; nil: not asked for
}

// WatchedWeeks is the span whose words are remembered from one reading to the next.
const WatchedWeeks = 26

// Remember adds since when each line goes the way it goes: of readings of WatchedWeeks.
func (in *Interest) Remember(states map[store.InterestKey]store.InterestState) { in.states = states }

// Changes are the states that are new, and those that are others than before. Too little
// to say changes nothing: what was certain holds until something else is. Of a line that
// nothing was said of before, there is nothing to tell.
func (in *Interest) Changes(before map[store.InterestKey]store.InterestState) (out []store.InterestState) {
	if len(in.Weeks) == 0 {
		return nil
	}
	for i := range in.Lines {
		l := &in.Lines[i]
		old, known := before[l.stored()]
		if l.State == trend.Unclear || known && old.State == string(l.State) {
			continue
		}
		out = append(out, store.InterestState{InterestKey: l.stored(), State: string(l.State), Was: old.State, Since: in.Weeks[len(in.Weeks)-1].AddDate(0, 0, 7), Told: !known})
	}
	return out
}

func (k InterestKey) stored() store.InterestKey {
	return store.InterestKey{Division: k.By, Service: k.Service, Queue: k.Queue, Segment: k.Segment, Region: k.Region}
}

// InterestKey says what a line counts. By is figures.OfAll, OfService, or what the service is
// divided by: OfSegment, OfRegion, OfBoth.
type InterestKey struct {
	By, Service     string
	Queue           bool // the service is a queue: its calls had no topic
	Segment, Region string
}

// Dimensions of an InterestKey.
const (
	OfService = "service"
	OfSegment = "segment"
	OfRegion  = "region"
	OfBoth    = "segment_region"
)

// InterestLine is the calls of a line, each week.
type InterestLine struct {
	InterestKey
	Total int
	Calls []int
	trend.Trend
}

// mostLines are tested: those with the most calls.
const mostLines = 2000

// BuildInterest counts the weeks one by one and tests all lines together.
func BuildInterest(ctx context.Context, from ContactLedger, p *routing.Policy, q InterestQuery, now time.Time) (*Interest, error) {
	weeks := wholeWeeks(now.In(p.Zone), q.Weeks)
	out := &Interest{Weeks: weeks[:q.Weeks], policy: p}
	out.Forgotten = q.Callers > 0 && weeks[0].Before(now.Add(-q.Callers))
	all := InterestKey{By: figures.OfAll}
	lines := map[InterestKey][]int{all: make([]int, q.Weeks)}
	prefix := longestPrefix(p.Regions)
	for i := range out.Weeks {
		err := from.ContactCounts(ctx, weeks[i], weeks[i+1], prefix, func(c store.ContactCount) {
			for _, key := range keysOf(p, &c, out.Forgotten) {
				if lines[key] == nil {
					lines[key] = make([]int, q.Weeks)
				}
				lines[key][i] += c.Calls
			}
		})
		if err != nil {
			return nil, err
		}
	}
	first := firstKnown(lines[all])
	out.Weeks = out.Weeks[first:]
	for key, calls := range lines {
		line := InterestLine{InterestKey: key, Calls: calls[first:]}
		for _, n := range line.Calls {
			line.Total += n
		}
		if line.Total > 0 {
			out.Lines = append(out.Lines, line)
		}
	}
	slices.SortFunc(out.Lines, func(a, b InterestLine) int { return cmp.Or(cmp.Compare(b.Total, a.Total), a.compare(b.InterestKey)) })
	if len(out.Lines) > mostLines {
		out.LeftOut = len(out.Lines) - mostLines
		out.Lines = out.Lines[:mostLines]
	}
	out.judge()
	return out, nil
}

// judge tests the lines together.
func (in *Interest) judge() {
	series := make([][]int, len(in.Lines))
	for i := range in.Lines {
		series[i] = in.Lines[i].Calls
	}
	for i, t := range trend.Judge(series) {
		in.Lines[i].Trend = t
	}
}

// wholeWeeks are the beginnings of the last weeks that are over, and that of this one.
// They begin on Mondays.
func wholeWeeks(now time.Time, n int) []time.Time {
	y, m, d := now.Date()
	monday := d - (int(now.Weekday())+6)%7
	out := make([]time.Time, n+1)
	for i := range out {
		out[i] = time.Date(y, m, monday-7*(n-i), 0, 0, 0, 0, now.Location())
	}
	return out
}

// firstKnown is the first week that can be compared. Where the ledger begins later than
// the span, its first week is not whole.
func firstKnown(all []int) int {
	i := slices.IndexFunc(all, func(n int) bool { return n > 0 })
	switch {
	case i < 0:
		return len(all)
	case i == 0:
		return 0
	}
	return i + 1
}

// longestPrefix is how many characters of a number tell its region.
func longestPrefix(regions *routing.Regions) (n int) {
	for _, r := range regions.All() {
		for _, p := range r.Prefix {
			n = max(n, len(p))
		}
	}
	return n
}

// keysOf are the lines that calls count in.
func keysOf(p *routing.Policy, c *store.ContactCount, forgotten bool) []InterestKey {
	keys := []InterestKey{{By: figures.OfAll}}
	k := InterestKey{By: OfService, Service: c.Topic}
	if c.Topic == "" {
		k.Service, k.Queue = cmp.Or(p.Renamed()[c.Queue], c.Queue), true
	}
	if k.Service == "" {
		return keys
	}
	keys = append(keys, k)
	if forgotten {
		return keys
	}
	both := k
	both.By, both.Segment, both.Region = OfBoth, c.Segment, p.Regions.Of(c.Prefix, c.Trunk)
	segment, region := k, k
	segment.By, segment.Segment = OfSegment, both.Segment
	if len(p.Regions.All()) == 0 {
		return append(keys, segment)
	}
	region.By, region.Region = OfRegion, both.Region
	return append(keys, segment, region, both)
}

func (k InterestKey) compare(o InterestKey) int {
	return cmp.Or(cmp.Compare(k.By, o.By), cmp.Compare(k.Service, o.Service), cmp.Compare(k.Segment, o.Segment), cmp.Compare(k.Region, o.Region))
}

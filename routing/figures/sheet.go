package figures

import (
	"cmp"
	"slices"
	"time"
)

// Centre is the name of the line that counts each call once, whatever the
// number of its queues. No queue has it.
const Centre = ""

// Sheet counts the visits of calls whose instant lies in a period: one line a
// queue and one of the centre, and, if asked for, the same for each interval.
type Sheet struct {
	rules    Rules
	within   func(queue string) time.Duration
	from, to int64
	now      int64
	lines    map[lineKey]*Counts
	whole    bool // no intervals
}

type lineKey struct {
	queue string
	from  int64
}

// SheetOptions say what a Sheet counts. Within gives T of a queue,
// 0 for one that the document does not have. Now is the
// instant as of which calls wait still.
type SheetOptions struct {
	Rules     Rules
	Within    func(queue string) time.Duration
	From, To  time.Time
	Now       time.Time
	Intervals bool
}

// NewSheet makes an empty one.
func NewSheet(o SheetOptions) *Sheet {
	return &Sheet{
		rules: o.Rules, within: o.Within, from: o.From.UnixMicro(), to: o.To.UnixMicro(), now: o.Now.UnixMicro(),
		lines: map[lineKey]*Counts{}, whole: !o.Intervals,
	}
}

// Add counts one call.
func (s *Sheet) Add(c *Call) {
	for i := range c.Visits {
		s.add(c.Visits[i].Queue, &c.Visits[i])
	}
	if whole, ok := c.Whole(); ok {
		s.add(Centre, &whole)
	}
}

func (s *Sheet) add(line string, v *Visit) {
	at, counts := s.rules.Count(v, s.within(v.Queue), s.now)
	if at < s.from || at >= s.to {
		return
	}
	key := lineKey{line, s.from}
	if !s.whole {
		key.from = s.interval(at)
	}
	sum := s.lines[key]
	if sum == nil {
		sum = &Counts{}
		s.lines[key] = sum
	}
	sum.Add(counts, 1)
}

// interval is the beginning of the interval that holds an instant. Intervals
// divide the hour, and are counted from the beginning of the period.
func (s *Sheet) interval(at int64) int64 {
	length := max(s.rules.Interval.Microseconds(), minute)
	return s.from + (at-s.from)/length*length
}

// Line is what a queue, or the centre, did in the period or in one interval.
type Line struct {
	Queue string
	From  time.Time
	Counts
}

// Lines are the sums of the whole period: the centre first, then the queues by
// name. The centre has its line always.
func (s *Sheet) Lines() []Line {
	sums := map[string]*Counts{Centre: {}}
	for key, c := range s.lines {
		if sums[key.queue] == nil {
			sums[key.queue] = &Counts{}
		}
		sums[key.queue].Add(*c, 1)
	}
	out := make([]Line, 0, len(sums))
	for queue, c := range sums {
		out = append(out, Line{queue, time.UnixMicro(s.from).UTC(), *c})
	}
	sortLines(out)
	return out
}

// Intervals are the lines of each interval in which something counts, in order
// of time.
func (s *Sheet) Intervals() []Line {
	out := make([]Line, 0, len(s.lines))
	for key, c := range s.lines {
		out = append(out, Line{key.queue, time.UnixMicro(key.from).UTC(), *c})
	}
	sortLines(out)
	return out
}

func sortLines(lines []Line) {
	slices.SortFunc(lines, func(a, b Line) int {
		return cmp.Or(a.From.Compare(b.From), cmp.Compare(a.Queue, b.Queue))
	})
}

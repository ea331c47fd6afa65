package statistics

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/cordboard/cordboard/routing/figures"
)

// centreName stands for the centre's line where people read it.
const centreName = "(centre)"

type reportView struct {
	From      int64       `json:"from"`
	To        int64       `json:"to"`
	Now       int64       `json:"now"`
	Version   int         `json:"version"`
	Formula   formulaView `json:"formula"`
	NotQueued int         `json:"not_queued"`
	Lines     []lineView  `json:"lines"`
	Intervals []lineView  `json:"intervals,omitempty"`
	Pain      *painView   `json:"pain,omitempty"`
}

type formulaView struct {
	Name    figures.Formula `json:"name"`
	Text    string          `json:"text"`
	CountIn string          `json:"count_in"`
	ShortMS int64           `json:"short_abandon_ms"`
}

type lineView struct {
	Queue     string   `json:"queue"` // "" is the centre
	From      int64    `json:"from"`
	WithinMS  int64    `json:"answer_within_ms"` // 0 for the centre and for queues that are gone, where each call has its own
	Offered   int      `json:"offered"`
	Answered  int      `json:"answered"`
	InTime    int      `json:"answered_in_time"`
	Abandoned int      `json:"abandoned"`
	Short     int      `json:"short_abandons"`
	MovedOn   int      `json:"moved_on"`
	Treated   int      `json:"treated"`
	Failed    int      `json:"failed"`
	Waiting   int      `json:"waiting"`
	Decided   int      `json:"decided"`
	Level     *float64 `json:"service_level"` // percent with one decimal, null for none
	WaitMS    *int64   `json:"wait_ms"`       // mean wait of those answered
	Callbacks int      `json:"callbacks"`     // taken by callers
	BackDone  int      `json:"callbacks_done"`
	BackLost  int      `json:"callbacks_failed"`
}

func (r *Report) formula() formulaView {
	in := "event"
	if r.Rules.ByArrival {
		in = "arrival"
	}
	name := r.Rules.Formula
	if name == "" {
		name = figures.AbandonsIgnored
	}
	return formulaView{name, r.Rules.String(), in, r.Rules.Short.Milliseconds()}
}

func (r *Report) view(l *figures.Line) lineView {
	v := lineView{
		Queue: l.Queue, From: l.From.UnixMicro(), Offered: l.Offered, Answered: l.Answered, InTime: l.InTime,
		Abandoned: l.Abandoned, Short: l.Short, MovedOn: l.MovedOn, Treated: l.Treated, Failed: l.Failed,
		Waiting: l.Waiting, Decided: l.Decided, Callbacks: l.CalledBack, BackDone: l.BackDone, BackLost: l.BackLost,
	}
	if l.Queue != figures.Centre {
		v.WithinMS = r.within(l.Queue).Milliseconds()
	}
	if tenths, ok := r.Rules.Tenths(l.Counts); ok {
		level := float64(tenths) / 10
		v.Level = &level
	}
	if l.Answered > 0 {
		mean := l.Wait / int64(l.Answered) / 1000
		v.WaitMS = &mean
	}
	return v
}

// MarshalJSON writes the report as REPORT of docs/http-api.md.
func (r *Report) MarshalJSON() ([]byte, error) {
	v := reportView{
		From: r.From.UnixMicro(), To: r.To.UnixMicro(), Now: r.Now.UnixMicro(), Version: r.Version,
		Formula: r.formula(), NotQueued: r.NotQueued, Lines: []lineView{},
	}
	for i := range r.Lines {
		v.Lines = append(v.Lines, r.view(&r.Lines[i]))
	}
	for i := range r.Intervals {
		v.Intervals = append(v.Intervals, r.view(&r.Intervals[i]))
	}
	if r.Pain != nil {
		v.Pain = r.Pain.view()
	}
	return json.Marshal(v)
}

// listed are the lines that are printed: the intervals where they were asked
// for, then the whole period.
func (r *Report) listed() []figures.Line {
	return append(append([]figures.Line{}, r.Intervals...), r.Lines...)
}

// Print writes the report as a table.
func (r *Report) Print(w io.Writer) error {
	zone := r.Rules.Zone
	if zone == nil {
		zone = time.UTC
	}
	const form = "2006-01-02 15:04"
	fmt.Fprintf(w, "%s to %s (%s)\n", r.From.In(zone).Format(form), r.To.In(zone).Format(form), zone)
	fmt.Fprintf(w, "service level by %s; counted by %s\n\n", &r.Rules, r.formula().CountIn)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	head := "QUEUE\tOFFERED\tANSWERED\tIN TIME\tABANDONED\tSHORT\tMOVED ON\tTREATED\tFAILED\tWAITING\tLEVEL\tWAIT\tCALLBACKS\tDONE"
	if len(r.Intervals) > 0 {
		head = "FROM\t" + head
	}
	fmt.Fprintln(table, head)
	for i, l := range r.listed() {
		if len(r.Intervals) > 0 {
			from := "all"
			if i < len(r.Intervals) {
				from = l.From.In(zone).Format("01-02 15:04")
			}
			fmt.Fprint(table, from, "\t")
		}
		v := r.view(&l)
		fmt.Fprintf(table, "%s\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%s\t%s\t%d\t%d\n", lineName(l.Queue), v.Offered, v.Answered, v.InTime,
			v.Abandoned, v.Short, v.MovedOn, v.Treated, v.Failed, v.Waiting, percent(v.Level), wait(v.WaitMS), v.Callbacks, v.BackDone)
	}
	if r.NotQueued > 0 {
		fmt.Fprintf(table, "\n%d calls came to no queue.\n", r.NotQueued)
	}
	if err := table.Flush(); err != nil || r.Pain == nil {
		return err
	}
	return r.Pain.print(w)
}

func lineName(queue string) string {
	if queue == figures.Centre {
		return centreName
	}
	return queue
}

// percent writes a service level; no calls are a dash.
func percent(level *float64) string {
	if level == nil {
		return "-"
	}
	return strconv.FormatFloat(*level, 'f', 1, 64) + " %"
}

func wait(ms *int64) string {
	if ms == nil {
		return "-"
	}
	return (time.Duration(*ms) * time.Millisecond).Round(100 * time.Millisecond).String()
}

// csvHead are the columns of PrintCSV.
var csvHead = []string{
	"from", "to", "queue", "answer_within_ms", "offered", "answered", "answered_in_time", "abandoned", "short_abandons", "moved_on",
	"treated", "failed", "waiting", "decided", "service_level", "formula", "wait_ms",
	"callbacks", "callbacks_done", "callbacks_failed",
}

// PrintCSV writes the lines as a table for programs: instants in RFC 3339 UTC,
// nothing where there is no figure.
func (r *Report) PrintCSV(w io.Writer) error {
	out := csv.NewWriter(w)
	if err := out.Write(csvHead); err != nil {
		return err
	}
	for i, l := range r.listed() {
		to := r.To
		if i < len(r.Intervals) {
			if to = l.From.Add(r.Rules.Interval); to.After(r.To) {
				to = r.To
			}
		}
		v := r.view(&l)
		level, mean := "", ""
		if v.Level != nil {
			level = strconv.FormatFloat(*v.Level, 'f', 1, 64)
		}
		if v.WaitMS != nil {
			mean = strconv.FormatInt(*v.WaitMS, 10)
		}
		row := []string{l.From.UTC().Format(time.RFC3339), to.UTC().Format(time.RFC3339), l.Queue}
		for _, n := range []int64{
			v.WithinMS, int64(v.Offered), int64(v.Answered), int64(v.InTime), int64(v.Abandoned), int64(v.Short), int64(v.MovedOn),
			int64(v.Treated), int64(v.Failed), int64(v.Waiting), int64(v.Decided),
		} {
			row = append(row, strconv.FormatInt(n, 10))
		}
		row = append(row, level, string(r.formula().Name), mean)
		for _, n := range []int{v.Callbacks, v.BackDone, v.BackLost} {
			row = append(row, strconv.Itoa(n))
		}
		if err := out.Write(row); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

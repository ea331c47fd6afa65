package routingtest

import (
	"fmt"
	"strings"
	"time"

	"github.com/cordboard/cordboard/routing/figures"
)

// statistics reads "statistics formula=... window=30m".
func (c *Case) statistics(l line) (err error) {
	r := &c.policy.Service
	for key, v := range l.opts {
		switch key {
		case "formula":
			r.Formula = figures.Formula(v)
		case "switches":
			r.Switches = figures.Switches{
				FlowOuts: strings.Contains(v, "flow_outs"), Short: strings.Contains(v, "short"), Abandons: strings.Contains(v, "abandons"),
			}
		case "count_in":
			r.ByArrival = v == "arrival"
		case "short_abandon":
			r.Short, err = time.ParseDuration(v)
		case "window":
			r.Window, err = time.ParseDuration(v)
		default:
			err = fmt.Errorf("statistics: %q is not understood", key)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// figures shows what conditions would see of a queue now.
func (r *runner) figures(name string) error {
	for _, q := range r.engine.Snapshot(r.now).Queues {
		if q.Name != name {
			continue
		}
		oldest := time.Duration(0)
		if !q.OldestSince.IsZero() {
			oldest = r.now.Sub(q.OldestSince)
		}
		ewt := "unknown"
		if q.Expected.Known {
			ewt = fmt.Sprintf("%ds", q.Expected.Seconds)
		}
		if q.Expected.Method != "" {
			ewt += " (" + q.Expected.Method + ")"
		}
		r.out = append(r.out, fmt.Sprintf("%-8s figures %s waiting=%d oldest=%ds sl=%d ewt=%s", r.since(r.now), name, q.Waiting, oldest/time.Second, q.ServiceLevel, ewt)+r.wordKept(q))
		return nil
	}
	return fmt.Errorf("queue %s is not there", name)
}

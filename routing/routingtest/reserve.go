package routingtest

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/cordboard/cordboard/routing"
)

// staffOption reads the options about who may take a queue's calls: its reserve
// and its bound. "reserve=backoffice join.oldest=90s leave.waiting=0" is one
// reserve; of several, each word is TEAM.key: "reserve=a,b a.join.waiting=3".
func staffOption(q *routing.Queue, key, v string) (err error) {
	if key == "max_talking" {
		q.MaxTalking, err = strconv.Atoi(v)
		return err
	}
	if key == "reserve" {
		return nil // read by reserves
	}
	for i := range q.Reserve {
		r := &q.Reserve[i]
		own, of := strings.CutPrefix(key, r.Team+".")
		if of || len(q.Reserve) == 1 {
			return reserveOption(r, strings.TrimPrefix(own, "reserve."), v)
		}
	}
	return fmt.Errorf("unknown option")
}

// reserves names the queue's reserves, before their options are read.
func reserves(q *routing.Queue, list string) {
	for team := range strings.SplitSeq(list, ",") {
		if team != "" {
			q.Reserve = append(q.Reserve, routing.Reserve{Team: team, Leave: routing.ReserveLeave{For: 2 * time.Minute}, Stay: 5 * time.Minute})
		}
	}
}

func reserveOption(r *routing.Reserve, key, v string) (err error) {
	length := func() *time.Duration {
		d, wrong := time.ParseDuration(v)
		err = wrong
		return &d
	}
	switch key {
	case "join.oldest":
		r.Join.Oldest = *length()
	case "join.ewt":
		r.Join.EWT = *length()
	case "join.waiting":
		r.Join.Waiting, err = strconv.Atoi(v)
	case "join.sl_below":
		r.Join.SLBelow, err = strconv.Atoi(strings.TrimSuffix(v, "%"))
	case "leave.waiting":
		r.Leave.Waiting, err = strconv.Atoi(v)
	case "leave.oldest":
		r.Leave.Oldest = length()
	case "leave.ewt":
		r.Leave.EWT = length()
	case "leave.for":
		r.Leave.For = *length()
	case "stay":
		r.Stay = *length()
	default:
		return fmt.Errorf("unknown option")
	}
	return err
}

// reserve shows a reserve that joins or leaves.
func (r *runner) reserve(a routing.ReserveChanged) string {
	if a.Joined {
		return fmt.Sprintf("reserve %s joins %s (%s)", a.Team, a.Queue, a.Why)
	}
	return fmt.Sprintf("reserve %s leaves %s (%s since %s, joined at %s)", a.Team, a.Queue, a.Why, r.since(a.Quiet), r.since(a.Since))
}

// wrapQueue is the queue of the call that an agent who begins in wrap-up has
// had, and its trunk.
func wrapQueue(d time.Duration) string { return "wrap_up_" + strings.ReplaceAll(d.String(), "µ", "u") }

// wrapping makes that queue, and the route to it.
func (c *Case) wrapping(d time.Duration) {
	name := wrapQueue(d)
	if c.policy.Queues[name] != nil {
		return
	}
	q := newQueue(name)
	q.WrapUp.Time = d
	c.policy.Queues[name] = q
}

package pops

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cordboard/cordboard/configs"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/screenpop"
	"github.com/cordboard/cordboard/sip/subscription"
	"github.com/cordboard/cordboard/web"
)

// said is what was done, in words: the agents by name, the calls by number.
func (r *rim) said() (out []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, action := range r.actions {
		switch a := action.(type) {
		case routing.OfferCall:
			out = append(out, fmt.Sprintf("offer %d %s", a.Call, a.Agent))
		case routing.Ring:
			out = append(out, fmt.Sprintf("ring %d %s", a.Call, a.Agent))
		case routing.Connect:
			out = append(out, fmt.Sprintf("connect %d %s", a.Call, a.Agent))
		case routing.Transferred:
			out = append(out, fmt.Sprintf("passed %d %s", a.Call, a.ToAgent))
		case routing.Withdraw:
			out = append(out, fmt.Sprintf("withdraw %d %s %s", a.Call, a.Agent, a.Why))
		case routing.WrapUpStarted:
			out = append(out, fmt.Sprintf("note %d %s", a.Call, a.Agent))
		case routing.EndCall:
			out = append(out, strings.TrimSpace(fmt.Sprintf("end %d %s %s %s", a.Call, a.Outcome, a.By, a.Reason)))
		}
	}
	return out
}

// What dialog events tell is one call with what is told by name, whichever is first,
// and none goes on when its telephones have ended it.
func TestDialogs(t *testing.T) {
	dialog := func(number int64, extension string, state subscription.State, from ...string) func(*Calls) {
		d := subscription.Call{Source: "office", Extension: extension, Number: number, From: "07700900417", State: state}
		if len(from) > 0 {
			d.From = from[0]
		}
		return func(c *Calls) { c.Dialog(d) }
	}
	ended := func(number int64, why string) func(*Calls) {
		return func(c *Calls) {
			c.Dialog(subscription.Call{Source: "office", Extension: "101", Number: number, State: subscription.Over, Ended: why})
		}
	}
	webhook := func(event, call string, users ...string) func(*Calls) {
		return func(c *Calls) { tell(c, event, call, users...) }
	}
	const rings, talks, over = subscription.Rings, subscription.Talks, subscription.Over
	for name, test := range map[string]struct {
		steps []func(*Calls)
		want  string
	}{
		"rings, talks, over": {[]func(*Calls){dialog(1, "101", rings), dialog(1, "101", rings), dialog(1, "101", talks), dialog(1, "101", talks), dialog(1, "101", over), dialog(1, "101", over)},
			"offer 1 anna, ring 1 anna, connect 1 anna, note 1 anna, end 1 answered server"},
		"given up":       {[]func(*Calls){dialog(1, "101", rings), ended(1, "cancelled")}, "offer 1 anna, ring 1 anna, withdraw 1 anna abandoned, end 1 abandoned caller"},
		"refused":        {[]func(*Calls){dialog(1, "101", rings), ended(1, "rejected")}, "offer 1 anna, ring 1 anna, withdraw 1 anna abandoned, end 1 failed server rejected"},
		"talks already":  {[]func(*Calls){dialog(1, "101", talks)}, "offer 1 anna, ring 1 anna, connect 1 anna"},
		"nobody's":       {[]func(*Calls){dialog(1, "999", rings), dialog(1, "999", talks), dialog(1, "999", over)}, ""},
		"not of a PBX":   {[]func(*Calls){func(c *Calls) { c.Dialog(subscription.Call{Source: "x", Extension: "101", Number: 1}) }}, ""},
		"after the stop": {[]func(*Calls){(*Calls).Close, dialog(1, "101", rings)}, ""},
		"named before": {[]func(*Calls){webhook(web.PBXNewCall, "x", "anna"), dialog(1, "101", rings), dialog(1, "101", talks), webhook(web.PBXAnswered, "x", "anna"), webhook(web.PBXHangup, "x"), dialog(1, "101", over)},
			"offer 1 anna, ring 1 anna, connect 1 anna, note 1 anna, end 1 answered server"},
		"named after": {[]func(*Calls){dialog(1, "101", rings), webhook(web.PBXNewCall, "x", "anna"), webhook(web.PBXAnswered, "x", "anna"), dialog(1, "101", talks), dialog(1, "101", over), webhook(web.PBXHangup, "x"), webhook(web.PBXNewCall, "x", "anna")},
			"offer 1 anna, ring 1 anna, connect 1 anna, note 1 anna, end 1 answered server"},
		"named by its answer": {[]func(*Calls){dialog(1, "101", rings), webhook(web.PBXAnswered, "x", "anna"), dialog(1, "101", talks), webhook(web.PBXHangup, "x"), dialog(1, "101", over)},
			"offer 1 anna, ring 1 anna, connect 1 anna, note 1 anna, end 1 answered server"},
		"a withheld number": {[]func(*Calls){webhook(web.PBXNewCall, "x", "anna"), dialog(1, "101", rings, "anonymous"), dialog(1, "101", over)},
			"offer 1 anna, ring 1 anna, withdraw 1 anna abandoned"}, // its hangup is still to be told
		"another's number": {[]func(*Calls){webhook(web.PBXNewCall, "x", "anna"), dialog(1, "101", rings, "07700900499")}, "offer 1 anna, ring 1 anna, offer 2 anna, ring 2 anna"},
		"a group": {[]func(*Calls){dialog(1, "101", rings), dialog(2, "102", rings), dialog(2, "102", talks), dialog(1, "101", over), dialog(2, "102", over)},
			"offer 1 anna, ring 1 anna, offer 1 b2, ring 1 b2, connect 1 b2, withdraw 1 anna answered_elsewhere, note 1 b2, end 1 answered server"},
		"a group, the others first": {[]func(*Calls){dialog(1, "101", rings), dialog(2, "102", rings), dialog(1, "101", over), dialog(2, "102", talks), dialog(2, "102", over)},
			"offer 1 anna, ring 1 anna, offer 1 b2, ring 1 b2, withdraw 1 anna abandoned, connect 1 b2, note 1 b2, end 1 answered server"},
		"two callers of one number": {[]func(*Calls){dialog(1, "101", rings), dialog(2, "102", rings), dialog(1, "101", talks), dialog(2, "102", talks), dialog(1, "101", over), dialog(2, "102", over)},
			"offer 1 anna, ring 1 anna, offer 1 b2, ring 1 b2, connect 1 anna, withdraw 1 b2 answered_elsewhere, offer 2 b2, connect 2 b2, note 1 anna, end 1 answered server, note 2 b2, end 2 answered server"},
		"withheld numbers are no group": {[]func(*Calls){dialog(1, "101", rings, "anonymous"), dialog(2, "102", rings, "anonymous")}, "offer 1 anna, ring 1 anna, offer 2 b2, ring 2 b2"},
		"one after the other":           {[]func(*Calls){dialog(1, "101", rings), dialog(1, "101", over), dialog(2, "101", rings)}, "offer 1 anna, ring 1 anna, withdraw 1 anna abandoned, end 1 abandoned caller, offer 2 anna, ring 2 anna"},
	} {
		t.Run(name, func(t *testing.T) {
			c, r := made(t, Options{})
			for _, step := range test.steps {
				step(c)
			}
			if got := strings.Join(r.said(), ", "); got != test.want {
				t.Errorf("%s\nwant\n%s", got, test.want)
			}
		})
	}
}

// The Call-ID by which the PBX names the call is worth more than what looks alike.
func TestDialogOfAName(t *testing.T) {
	c, r := made(t, Options{})
	tell(c, web.PBXNewCall, "x", "anna")
	tell(c, web.PBXNewCall, "y", "b2")
	c.Dialog(subscription.Call{Source: "office", Extension: "101", Number: 1, ID: "y", From: "07700900417"})
	tell(c, web.PBXHangup, "z")
	c.Dialog(subscription.Call{Source: "office", Extension: "101", Number: 2, ID: "z", From: "07700900417"}) // it is over
	if got := strings.Join(r.said(), ", "); got != "offer 1 anna, ring 1 anna, offer 2 b2, ring 2 b2, offer 2 anna, ring 2 anna" {
		t.Error(got)
	}
}

// A telephone that rang before we knew is told to ring when the desk has painted, or
// had the time, and as one that rang before.
func TestDialogRingsLate(t *testing.T) {
	c, r := made(t, Options{AckWithin: time.Hour})
	c.Submit(routing.DeskChanged{Agent: "anna", Up: true})
	c.Dialog(subscription.Call{Source: "office", Extension: "101", Number: 1})
	if got := r.said(); !slices.Equal(got, []string{"offer 1 anna"}) {
		t.Errorf("before the paint: %q", got)
	}
	c.Submit(routing.PopAcked{Offer: routing.Offer{Call: 1, Attempt: 1, Agent: "anna"}})
	unacked := func(a routing.Action) bool { ring, is := a.(routing.Ring); return is && ring.Unacked }
	if got := r.said(); !slices.Equal(got, []string{"offer 1 anna", "ring 1 anna"}) || !slices.ContainsFunc(r.actions, unacked) {
		t.Errorf("after it: %q", got)
	}

	c, r = made(t, Options{AckWithin: time.Millisecond, Sources: []configs.Pops{{Name: "office", WrapUp: time.Hour, Longest: time.Hour}}})
	c.Submit(routing.DeskChanged{Agent: "anna", Up: true})
	c.Dialog(subscription.Call{Source: "office", Extension: "101", Number: 1})
	r.comes(t, "the ring without a paint", unacked)
}

// A call that comes by is the one that rings then; one that is given up meanwhile, or
// never rings her, does not stay.
func TestChosen(t *testing.T) {
	number := screenpop.CallerInfo{Number: "+447700900417", Source: "pai"}
	c, r := made(t, Options{})
	ctx := t.Context()
	c.Chosen(ctx, "office", "101", number, "+442079460100")
	c.Chosen(ctx, "office", "101", number, "+442079460100") // sent by once more
	c.Chosen(ctx, "office", "999", number, "")
	c.Chosen(ctx, "elsewhere", "101", number, "")
	c.Dialog(subscription.Call{Source: "office", Extension: "101", Number: 1, From: "07700900417"})
	c.Dialog(subscription.Call{Source: "office", Extension: "101", Number: 1, State: subscription.Over})
	if got := strings.Join(r.said(), ", "); got != "offer 1 anna, ring 1 anna, withdraw 1 anna abandoned, end 1 abandoned caller" {
		t.Error(got)
	}
	c, r = made(t, Options{AckWithin: time.Hour})
	c.Submit(routing.DeskChanged{Agent: "anna", Up: true})
	gone, cancel := context.WithCancel(ctx)
	cancel()
	c.Chosen(gone, "office", "101", number, "")
	if got := strings.Join(r.said(), ", "); got != "offer 1 anna, withdraw 1 anna abandoned, end 1 abandoned caller" {
		t.Error(got)
	}
}

package store

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
)

// Kinds of legs.
const (
	LegWait   = "wait"   // nobody talks to the caller: in a queue, while phones ring, at an announcement
	LegTalk   = "talk"   // with the agent
	LegHold   = "hold"   // the agent's, who has put him on hold or asks somebody
	LegNumber = "number" // with a telephone number
)

// Leg is a part of a call in which one party had the caller.
type Leg struct {
	Kind     string
	Agent    agents.ID // of talk and hold
	From, To time.Time
}

// Legs splits a call that has ended by who had the caller, without a gap: together
// they are as long as the call. The events are those of the call, in order.
func Legs(events []Event) ([]Leg, error) {
	var out []Leg
	now := Leg{Kind: LegWait}
	turn := func(at time.Time, kind string, agent agents.ID) {
		if kind == now.Kind && agent == now.Agent {
			return
		}
		if at = later(at, now.From); at.After(now.From) {
			now.To = at
			out = append(out, now)
		}
		now = Leg{Kind: kind, Agent: agent, From: at}
	}
	for i := range events {
		e := &events[i]
		if i == 0 {
			now.From = e.At
		}
		var d struct {
			Answered time.Time `json:"answered"`
			On       bool      `json:"on"`
			Why      string    `json:"why"`
		}
		switch e.Kind {
		case (routing.Connect{}).Kind(), (routing.Hold{}).Kind(), (routing.Withdraw{}).Kind():
			if err := json.Unmarshal(e.Data, &d); err != nil {
				return nil, fmt.Errorf("call %d: event %d (%s): %w", e.Call, e.Seq, e.Kind, err)
			}
		}
		switch e.Kind {
		case (routing.Connect{}).Kind():
			if d.Answered.IsZero() {
				d.Answered = e.At
			}
			turn(d.Answered, LegTalk, e.Agent)
		case (routing.HandedOver{}).Kind():
			turn(e.At, LegTalk, e.Agent)
		case (routing.Hold{}).Kind():
			turn(e.At, map[bool]string{true: LegHold, false: LegTalk}[d.On], e.Agent)
		case (routing.Withdraw{}).Kind():
			if d.Why == "join_failed" && now.Agent == e.Agent { // there was no talk
				now.Kind, now.Agent = LegWait, ""
				if n := len(out) - 1; n >= 0 && out[n].Kind == LegWait {
					now.From, out = out[n].From, out[:n]
				}
			}
		case (routing.Transferred{}).Kind(), (routing.Wait{}).Kind():
			turn(e.At, LegWait, "")
		case (routing.NumberAnswered{}).Kind():
			turn(e.At, LegNumber, "")
		case (routing.EndCall{}).Kind():
			turn(e.At, "", "")
			return out, nil
		}
	}
	return out, nil // it goes on: the last of them has not ended
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

package configs

import (
	"slices"
	"time"

	"github.com/cordboard/cordboard/routing"
)

// Values of a queue's answer.
const (
	atQueue    = "at_queue"
	earlyMedia = "early_media"
	withAgent  = "with_agent"
)

// announces are the product's defaults of what is said every so often.
func announces() routing.AnnouncePolicy {
	return routing.AnnouncePolicy{
		Say: []string{routing.SayPosition}, PositionUpTo: 20, From: 30 * time.Second, To: 20 * time.Minute, Round: time.Minute,
	}
}

// announce reads what the callers of a queue hear over the music.
func (c *compiler) announce(n *node) routing.AnnouncePolicy {
	a, o := announces(), c.object(n)
	if g := o.get("greeting"); g != nil {
		a.Greeting = c.name(g)
	}
	a.Every = c.duration(o.get("every"), 15*time.Second, 10*time.Minute, 0)
	if say := o.get("say"); say != nil {
		a.Say = nil
		items := c.list(say, 0)
		for _, item := range items {
			if what := c.choice(item, "", []string{routing.SayPosition, routing.SayWait}); slices.Contains(a.Say, what) {
				c.errorf(item, CodeDuplicate, "%s: %s is said already", say.label(), what)
			} else if what != "" {
				a.Say = append(a.Say, what)
			}
		}
		if say.kind == kindSequence && len(say.items) == 0 {
			c.errorf(say, CodeMissing, "%s: say position, wait, or both", say.label())
		}
		if !o.has("every") {
			c.errorf(say, CodeConflict, "%s needs every: how often it is said", say.label())
		}
	}
	a.PositionUpTo = c.integer(o.get("position_up_to"), 1, 1000, a.PositionUpTo)
	if w := o.get("wait"); w != nil {
		c.announceWait(w, &a)
	}
	o.close()
	return a
}

func (c *compiler) announceWait(n *node, a *routing.AnnouncePolicy) {
	o := c.object(n)
	from, to, round := o.get("from"), o.get("to"), o.get("round")
	a.From = c.duration(from, 0, 2*time.Hour, a.From)
	a.To = c.duration(to, 0, 2*time.Hour, a.To)
	a.Round = c.duration(round, 0, 2*time.Hour, a.Round)
	if a.From >= a.To {
		at := from
		if at == nil {
			at = to
		}
		c.errorf(at, CodeConflict, "%s: from, %s, must be under to, %s", n.label(), durationText(a.From), durationText(a.To))
	}
	if a.Round == 0 {
		c.errorf(round, CodeValue, "%s: 0s rounds nothing", round.label())
	}
	o.close()
}

// readAnswer reads when the callers of a queue are answered.
func (c *compiler) readAnswer(n *node, q *routing.Queue) {
	v := c.choice(n, atQueue, []string{atQueue, earlyMedia, withAgent})
	q.AnswerWithAgent, q.EarlyMedia = v == withAgent, v == earlyMedia
}

// checkAnswer refuses what a caller would have to hear who hears the network's
// ringing.
func (c *compiler) checkAnswer(q *routing.Queue, src *queueSource) {
	if !q.AnswerWithAgent {
		return
	}
	const hears = "%s cannot stand beside answer: with_agent: the caller hears the network's ringing"
	if n := src.options["music"]; n != nil {
		c.errorf(n, CodeConflict, hears, "music")
	}
	if a := &q.Announce; a.Greeting != "" || a.Every != 0 || src.options["announce"] != nil && !src.options["announce"].isNone() {
		at := src.options["announce"]
		if at == nil {
			at = src.at("answer")
		}
		c.errorf(at, CodeConflict, hears, "announce")
	}
}

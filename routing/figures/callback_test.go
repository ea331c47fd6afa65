package figures

import (
	"testing"
	"time"
)

// A visit that ended in a callback counts as that for good: neither a reload
// that tells of its queue again, nor the customer's answer, nor the call's end
// makes another thing of it.
func TestCalledBackForGood(t *testing.T) {
	second := time.Second.Microseconds()
	var c Call
	c.Enter("q", 0, 0)
	c.CallBack(30 * second)
	c.Enter("q", 40*second, 0)
	c.Answer(50*second, 1)
	c.End(60*second, Abandoned)
	want := Visit{Queue: "q", Ended: 30 * second, State: CalledBack, back: backDone, attempt: 1}
	if len(c.Visits) != 1 || c.Visits[0] != want {
		t.Fatalf("%+v, want %+v", c.Visits, want)
	}
	rules := Defaults()
	at, n := rules.Count(&c.Visits[0], 20*time.Second, 60*second)
	if at != 20*second || n != (Counts{Offered: 1, CalledBack: 1, BackDone: 1, Decided: 1}) {
		t.Errorf("counts %+v at %d", n, at)
	}
	if _, n = rules.Count(&c.Visits[0], time.Minute, 60*second); n.Decided != 0 {
		t.Errorf("decided before T was over: %+v", n)
	}
}

// Who finds the queue closed, and takes a callback, has left the line when the
// announcement began; a visit elsewhere is its own.
func TestCalledBackWhileTurnedAway(t *testing.T) {
	second := time.Second.Microseconds()
	var c Call
	c.Enter("a", 0, 0)
	c.Enter("b", 10*second, 0)
	c.Leave(10 * second)
	c.CallBack(15 * second)
	c.End(90*second, Treated)
	if c.Visits[0].State != MovedOn || c.Visits[1].State != CalledBack || c.Visits[1].Ended != 10*second {
		t.Fatalf("%+v", c.Visits)
	}
	if whole, ok := c.Whole(); !ok || whole.State != CalledBack {
		t.Errorf("the whole call %+v", whole)
	}
}

// What becomes of a callback: owed until an agent has the customer on the line, or
// it is over; a join that fails takes nothing from what is owed, and a move to
// another queue leaves it where it was taken.
func TestWhatBecomesOfACallback(t *testing.T) {
	rules := Defaults()
	counts := func(do func(*Call)) (out Counts) {
		var c Call
		c.Enter("q", 0, 0)
		c.CallBack(10)
		c.Enter("r", 20, 0)
		do(&c)
		_, out = rules.Count(&c.Visits[0], time.Hour, 100)
		return out
	}
	for name, test := range map[string]struct {
		do         func(*Call)
		done, lost int
	}{
		"owed":       {func(*Call) {}, 0, 0},
		"talked":     {func(c *Call) { c.Answer(30, 4); c.End(40, Abandoned) }, 1, 0},
		"not joined": {func(c *Call) { c.Answer(30, 4); c.Unanswer(4) }, 0, 0},
		"withdrawn":  {func(c *Call) { c.Answer(30, 4); c.Unanswer(3) }, 1, 0},
		"expired":    {func(c *Call) { c.End(40, Failed) }, 0, 1},
		"rings in":   {func(c *Call) { c.TakeOver(); c.End(40, Failed) }, 1, 0},
	} {
		if got := counts(test.do); got.CalledBack != 1 || got.BackDone != test.done || got.BackLost != test.lost {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

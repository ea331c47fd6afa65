package routing

import "fmt"

// tapeTold is what the callers of a tape have heard.
type tapeTold struct {
	early    map[CallID]bool
	queue    map[CallID]string // in which it waits; none: nowhere
	greeting map[string]bool   // by call and queue
	band     map[CallID]Band   // told last in this visit
	at       map[CallID]int64  // and since when
	says     int
}

// heard says that the caller can hear us.
func (p *tape) heard(id CallID) bool { return p.greeted[id] || p.told.early[id] }

// tells checks what callers are told: who waits and hears us, each greeting once
// a queue, and no longer wait than before within a minute.
func (p *tape) tells(a Action, fail func(string)) {
	t := &p.told
	if t.early == nil {
		*t = tapeTold{map[CallID]bool{}, map[CallID]string{}, map[string]bool{}, map[CallID]Band{}, map[CallID]int64{}, 0}
	}
	switch a := a.(type) {
	case EarlyMedia:
		if p.heard(a.Call) || p.ended[a.Call] {
			fail("early media twice, or after the answer")
		}
		t.early[a.Call] = true
	case Enqueued:
		if a.Reason.Trigger != reloaded && a.Reason.Trigger != "late_record" || t.queue[a.Call] != a.Queue {
			delete(t.at, a.Call)
		}
		t.queue[a.Call] = a.Queue
	case Wait:
		t.queue[a.Call] = "?"
	case Connect:
		delete(t.queue, a.Call)
		delete(t.at, a.Call)
	case Treat:
		delete(t.queue, a.Call)
	case EndCall:
		delete(t.queue, a.Call)
	case Announce:
		t.says++
		if !p.heard(a.Call) || t.queue[a.Call] == "" || (a.Greeting == "") == (len(a.Say) == 0) {
			fail("told who does not wait, or nothing")
		}
		p.told.check(a, p.now.UnixMicro(), fail)
	}
}

func (t *tapeTold) check(a Announce, now int64, fail func(string)) {
	if a.Greeting != "" {
		key := fmt.Sprint(a.Call, a.Greeting)
		if t.greeting[key] {
			fail("greeted twice in one queue")
		}
		t.greeting[key] = true
	}
	for _, s := range a.Say {
		switch {
		case s.Wait == nil && (s.Position < 1 || s.Position > 3):
			fail("a place further back than is said")
		case s.Wait == nil:
		case s.Wait.Most%30 != 0 || s.Wait.Most > 0 && s.Wait.Least > s.Wait.Most || *s.Wait == (Band{}):
			fail("a wait that is none")
		default:
			since, told := t.at[a.Call]
			if told && s.Wait.longer(t.band[a.Call]) && now-since < 60e6 {
				fail("told more than last time")
			}
			if !told || *s.Wait != t.band[a.Call] {
				t.at[a.Call] = now
			}
			t.band[a.Call] = *s.Wait
		}
	}
}

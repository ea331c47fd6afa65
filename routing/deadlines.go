package routing

import "strings"

// timerKind orders deadlines that fall due at one instant (routing document,
// section 15).
type timerKind uint8

const (
	recordDue timerKind = iota + 1
	popDue
	leadDue
	ringDue
	barDue
	agentDue
	probeDue
	holdDue
	stepDue
	relaxDue
	reserveDue
	lateDue
	nobodyDue
	closeDue
	siteDue // the site of the caller's region opens or closes
	returnDue
	callbackDue
	callbackOver
	aheadDue // expected waits are looked at again
	sayDue
	numberDue // a number that the caller is sent to rings no longer
	watchDue  // a phone is asked whether its agent is signed in
)

// timer is one deadline. It belongs to a call, an agent or both (a bar), and
// is taken out when its reason goes, never left to expire.
type timer struct {
	due    int64
	call   *call
	agent  *agent
	demand *demand // of a vacancy: it stands for call and those after it
	next   *timer  // the call's next
	at     int32   // place in the heap plus one; 0 when not armed
	kind   timerKind
}

func (t *timer) armed() bool { return t != nil && t.at > 0 }

func (t *timer) before(o *timer) bool {
	if t.due != o.due {
		return t.due < o.due
	}
	if t.kind != o.kind {
		return t.kind < o.kind
	}
	if a, b := t.callID(), o.callID(); a != b {
		return a < b
	}
	return strings.Compare(t.agentID(), o.agentID()) < 0
}

func (t *timer) callID() CallID {
	if t.call == nil {
		return 0
	}
	return t.call.id
}

func (t *timer) agentID() string {
	if t.agent == nil {
		return ""
	}
	return string(t.agent.id)
}

// timers is a binary heap of deadlines that knows each one's place.
type timers []*timer

// arm sets or moves a deadline.
func (h *timers) arm(t *timer, kind timerKind, due int64) {
	t.kind, t.due = kind, due
	if t.at == 0 {
		*h = append(*h, t)
		t.at = int32(len(*h))
	}
	h.up(int(t.at) - 1)
	h.down(int(t.at) - 1)
}

// disarm takes a deadline out, if it is in.
func (h *timers) disarm(t *timer) {
	if t.at == 0 {
		return
	}
	i, last := int(t.at)-1, len(*h)-1
	h.swap(i, last)
	(*h)[last] = nil
	*h = (*h)[:last]
	t.at = 0
	if i < last {
		h.up(i)
		h.down(i)
	}
}

func (h *timers) swap(i, j int) {
	s := *h
	s[i], s[j] = s[j], s[i]
	s[i].at, s[j].at = int32(i+1), int32(j+1)
}

func (h *timers) up(i int) {
	for i > 0 {
		parent := (i - 1) / 2
		if !(*h)[i].before((*h)[parent]) {
			return
		}
		h.swap(i, parent)
		i = parent
	}
}

func (h *timers) down(i int) {
	for {
		least := i
		for child := 2*i + 1; child <= 2*i+2 && child < len(*h); child++ {
			if (*h)[child].before((*h)[least]) {
				least = child
			}
		}
		if least == i {
			return
		}
		h.swap(i, least)
		i = least
	}
}

package screenpop

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
)

// reader is a desk that keeps the list of its colleagues by what it is sent.
type reader struct {
	conn    *conn
	changes bool
	list    map[agents.ID]colleagueView
	session string
	seq     int64
	frames  map[string]int
}

// take reads what the hub has for the desk; lost, the socket has taken it along.
func (d *reader) take(t *testing.T, lost bool) {
	t.Helper()
	all, _, _ := d.conn.take()
	for _, frame := range all {
		if lost {
			return
		}
		var f struct {
			T   string
			Seq int64
			D   json.RawMessage
		}
		text := frame.appendTo(nil)
		if err := json.Unmarshal(text, &f); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if d.frames[f.T]++; f.T == "welcome" {
			d.welcome(t, f.D)
			continue
		}
		if f.Seq != d.seq+1 {
			t.Fatalf("frame %d after %d", f.Seq, d.seq)
		}
		d.seq = f.Seq
		if f.T == frameColleagues || f.T == frameChanges {
			d.told(t, f.T, f.D)
		}
	}
}

func (d *reader) welcome(t *testing.T, text []byte) {
	t.Helper()
	var w welcomeView
	if err := json.Unmarshal(text, &w); err != nil {
		t.Fatal(err)
	}
	if !w.Resumed {
		d.session, d.seq = w.Session, 0
	}
	d.list = map[agents.ID]colleagueView{}
	for _, v := range w.Colleagues {
		d.list[v.ID] = v
	}
}

func (d *reader) told(t *testing.T, kind string, text []byte) {
	t.Helper()
	var list []colleagueView
	if err := json.Unmarshal(text, &list); err != nil {
		t.Fatal(err)
	}
	if kind == frameColleagues {
		d.list = map[agents.ID]colleagueView{}
	} else if !d.changes {
		t.Fatal("a desk was told of changes it does not know")
	}
	for _, v := range list {
		if v.Name == "" {
			if v.Name = d.list[v.ID].Name; v.Name == "" {
				t.Fatalf("%s is new and has no name", v.ID)
			}
		}
		d.list[v.ID] = v
	}
}

// crowd is a centre whose people come, go and are renamed.
type crowd struct {
	nowhere
	*rand.Rand
	t      *testing.T
	hub    *Hub
	names  map[agents.ID]string
	policy *routing.Policy
	desks  []*reader
}

// people work there; the first of them have desks.
const people, peopleWithDesks = 40, 12

func person(i int) agents.ID { return agents.ID(fmt.Sprintf("agent%02d", i)) }

func (c *crowd) Agent(id agents.ID) (agents.Agent, bool) {
	return agents.Agent{Name: c.names[id]}, c.names[id] != ""
}

func newCrowd(t *testing.T, seed uint64) *crowd {
	c := &crowd{
		Rand: rand.New(rand.NewPCG(seed, 3)), t: t, names: map[agents.ID]string{},
		policy: &routing.Policy{Agents: map[agents.ID]agents.Agent{}}, desks: make([]*reader, peopleWithDesks),
	}
	for i := range people {
		c.names[person(i)], c.policy.Agents[person(i)] = fmt.Sprint("Agent ", i), agents.Agent{}
	}
	c.policy.Agents["temp"] = agents.Agent{}
	c.hub = New(Options{Engine: c, Directory: c, Policy: func() *routing.Policy { return c.policy }, Log: zap.NewNop()})
	for i := range c.desks {
		c.desks[i] = &reader{changes: i%3 > 0, frames: map[string]int{}}
		c.sit(i, false)
	}
	return c
}

// sit opens a desk, or opens it again.
func (c *crowd) sit(i int, resume bool) {
	d := c.desks[i]
	d.conn = newConn(nil, nowire{}, nil)
	hello := helloFrame{Changes: d.changes}
	if resume {
		hello.Resume = &resumePoint{d.session, d.seq}
	}
	c.hub.call(func() { c.hub.attach(d.conn, hello, ticket{agent: person(i)}); d.conn.seated() })
}

func (c *crowd) lose(i int) { c.hub.call(func() { c.hub.detach(c.desks[i].conn) }) }

// delay gives a desk more than it reads at once.
func (c *crowd) delay(i int) {
	c.hub.call(func() {
		for range crowded + 1 {
			c.hub.push(c.desks[i].conn.session, "status", statusView{})
		}
	})
}

func (c *crowd) change(who agents.ID, s agents.State) {
	st := agents.Status{Agent: who, State: s, Since: time.Now()}
	c.hub.Do(time.Now(), []routing.Action{routing.AgentChanged{Status: st}})
}

func (c *crowd) pause(atMost time.Duration) { time.Sleep(time.Duration(c.Int64N(int64(atMost)))) }

// something happens.
func (c *crowd) something() {
	i := c.IntN(peopleWithDesks)
	switch n := c.IntN(20); {
	case n < 10:
		c.change(person(c.IntN(people)), agents.Talking)
	case n == 10: // a name is told with the next change
		who, name := person(c.IntN(people)), fmt.Sprint("Name ", c.Int())
		c.hub.call(func() { c.names[who] = name })
	case n == 11: // somebody who was never seen leaves the centre, or comes back
		who := person(peopleWithDesks + c.IntN(people-peopleWithDesks))
		c.hub.call(func() {
			if _, there := c.policy.Agents[who]; there && c.hub.desks[who] == nil {
				delete(c.policy.Agents, who)
			} else {
				c.policy.Agents[who] = agents.Agent{}
			}
		})
	case n < 14:
		c.desks[i].take(c.t, c.IntN(2) == 0)
		c.lose(i)
		if c.IntN(2) == 0 {
			c.pause(3 * time.Second)
		}
		c.sit(i, c.IntN(4) > 0)
	case n == 14:
		c.delay(i)
	case n < 18:
		c.desks[i].take(c.t, false)
	default:
		c.pause(2 * time.Second)
	}
}

// lastChange finds some desks slow, and with it somebody leaves; later some lose
// their socket, with the frames about it, and resume.
func (c *crowd) lastChange() {
	for i := range peopleWithDesks / 2 {
		c.delay(i)
	}
	c.hub.call(func() { delete(c.policy.Agents, "temp") })
	c.change(person(0), agents.WrapUp)
	time.Sleep(5 * c.hub.opt.Gather)
	unlucky := func(i int) bool { return i >= peopleWithDesks*3/4 }
	for i, d := range c.desks {
		d.take(c.t, unlucky(i))
	}
	time.Sleep(5 * c.hub.opt.Gather)
	for i := range c.desks {
		if unlucky(i) {
			c.lose(i)
			c.sit(i, true)
		}
	}
	time.Sleep(5 * c.hub.opt.Gather)
}

// Whatever changes, and whatever a desk misses - it was slow, its socket was
// lost with or without frames on it, it resumed or began anew - when all is quiet
// it has the list of its colleagues, be it told whole lists or changes.
func TestColleaguesConverge(t *testing.T) {
	for seed := range uint64(8) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCrowd(t, seed)
				defer func() { _ = c.hub.Close(t.Context()) }()
				for range 400 {
					c.something()
				}
				c.lastChange()
				changes := 0
				for i, d := range c.desks {
					d.take(t, false)
					var want []colleagueView
					c.hub.call(func() { want = c.hub.colleagues(person(i)) })
					if got := d.sorted(); !slices.Equal(got, want) {
						t.Errorf("desk %d has\n%v, want\n%v\nframes %v", i, got, want, d.frames)
					}
					changes += d.frames[frameChanges]
				}
				if changes < peopleWithDesks {
					t.Errorf("%d frames of changes", changes)
				}
			})
		})
	}
}

func (d *reader) sorted() []colleagueView {
	return slices.SortedFunc(maps.Values(d.list), func(a, b colleagueView) int { return cmp.Compare(a.ID, b.ID) })
}

// A desk that knows changes is told of nobody twice, and not of its own agent.
func TestChangesAreSmall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := New(Options{Engine: nowhere{}, Directory: nowhere{}, Policy: func() *routing.Policy { return nil }, Log: zap.NewNop()})
		defer func() { _ = h.Close(t.Context()) }()
		var c *conn
		h.call(func() {
			for i := range 50 {
				c = h.seat(agents.ID(fmt.Sprintf("agent%02d", i)))
			}
			c.changes = true
		})
		change := func(who agents.ID, s agents.State) string {
			h.Do(time.Now(), []routing.Action{routing.AgentChanged{Status: agents.Status{Agent: who, State: s}}})
			time.Sleep(2 * h.opt.Gather)
			synctest.Wait()
			all, _, _ := c.take()
			out := ""
			for _, f := range all {
				if text := string(f.appendTo(nil)); strings.Contains(text, `"colleagues`) {
					_, list, _ := strings.Cut(text, `"d":`)
					out += list
				}
			}
			return out
		}
		change("agent07", agents.Talking)
		for _, step := range []struct {
			who   agents.ID
			state agents.State
			want  string
		}{
			{"agent07", agents.WrapUp, `[{"id":"agent07","state":"wrap_up","since":0}]}`},
			{"agent08", agents.Talking, `[{"id":"agent08","state":"talking","since":0}]}`},
			{"agent08", agents.Talking, ``},
			{"agent49", agents.Talking, ``},
			{"new", agents.Available, `[{"id":"new","name":"new","state":"available","since":0}]}`},
		} {
			if got := change(step.who, step.state); got != step.want {
				t.Errorf("%s %s: %s, want %s", step.who, step.state, got, step.want)
			}
		}
	})
}

// Of the colleagues frames that a desk has missed, one that knows whole lists only
// gets the list once, with the last; one that knows changes has it already.
func TestReplayOfColleagues(t *testing.T) {
	h := &Hub{opt: Options{Policy: func() *routing.Policy { return nil }, Directory: nowhere{}}, desks: map[agents.ID]*desk{}}
	h.opt.fill()
	c := h.seat("ann")
	h.desk("bob")
	h.gather.known = h.colleagues("")
	for range 2 {
		h.gather.round++
		h.pushColleagues(c.session)
		h.push(c.session, "status", statusView{})
	}
	for changes, lists := range map[bool][]string{false: {`[]`, `[{"id":"bob"`}, true: {`[]`, `[]`}} {
		c.changes = changes
		frames, ok := c.session.replay(0)
		if !ok || len(frames) != 4 {
			t.Fatalf("%d frames, %t", len(frames), ok)
		}
		for i, f := range h.replayed(c, frames) {
			text := string(f.appendTo(nil))
			if !strings.Contains(text, fmt.Sprintf(`"seq":%d,`, i+1)) || !json.Valid([]byte(text)) {
				t.Errorf("frame %d: %s", i+1, text)
			}
			if i%2 == 0 && (!strings.Contains(text, `"d":`+lists[i/2]) || strings.Contains(text, frameChanges) != changes) {
				t.Errorf("changes %t: %s", changes, text)
			}
		}
	}
}

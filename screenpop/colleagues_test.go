package screenpop

import (
	"encoding/json"
	"fmt"
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
	names  map[agents.ID]string
	policy *routing.Policy
}

func (c *crowd) Agent(id agents.ID) (agents.Agent, bool) {
	return agents.Agent{Name: c.names[id]}, c.names[id] != ""
}

// Whatever changes, and whatever a desk misses - it was slow, its socket was
// lost with or without frames on it, it resumed or began anew - when all is quiet
// it has the list of its colleagues, be it told whole lists or changes.
func TestColleaguesConverge(t *testing.T) {
	for seed := range uint64(8) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { converge(t, rand.New(rand.NewPCG(seed, 3))) })
		})
	}
}

func converge(t *testing.T, rnd *rand.Rand) {
	const people, desks = 40, 12
	id := func(i int) agents.ID { return agents.ID(fmt.Sprintf("agent%02d", i)) }
	c := &crowd{names: map[agents.ID]string{}, policy: &routing.Policy{Agents: map[agents.ID]agents.Agent{}}}
	h := New(Options{Engine: c, Directory: c, Policy: func() *routing.Policy { return c.policy }, Log: zap.NewNop()})
	defer func() { _ = h.Close(t.Context()) }()
	h.call(func() {
		for i := range people {
			c.names[id(i)], c.policy.Agents[id(i)] = "Agent "+fmt.Sprint(i), agents.Agent{}
		}
	})
	all := make([]*reader, desks)
	for i := range all {
		all[i] = &reader{changes: i%3 > 0, frames: map[string]int{}}
	}
	sit := func(i int) {
		d := all[i]
		d.conn = newConn(nil, nowire{}, nil)
		hello := helloFrame{Changes: d.changes}
		if d.session != "" && rnd.IntN(4) > 0 {
			hello.Resume = &resumePoint{d.session, d.seq}
		}
		h.call(func() { h.attach(d.conn, hello, ticket{agent: id(i)}); d.conn.seated() })
	}
	for i := range all {
		sit(i)
	}
	for range 400 {
		switch n := rnd.IntN(20); {
		case n < 10:
			st := agents.Status{Agent: id(rnd.IntN(people)), State: agents.Talking, Since: time.Now()}
			h.Do(time.Now(), []routing.Action{routing.AgentChanged{Status: st}})
		case n == 10: // a name is told with the next change
			h.call(func() { c.names[id(rnd.IntN(people))] = fmt.Sprint("Name ", rnd.Int()) })
		case n == 11: // somebody who was never seen leaves the centre, or comes back
			h.call(func() {
				if who := id(desks + rnd.IntN(people-desks)); h.desks[who] == nil && c.names[who] != "" {
					delete(c.policy.Agents, who)
				} else {
					c.policy.Agents[who] = agents.Agent{}
				}
			})
		case n < 14:
			i := rnd.IntN(desks)
			all[i].take(t, rnd.IntN(2) == 0)
			h.call(func() { h.detach(all[i].conn) })
			if rnd.IntN(2) == 0 {
				time.Sleep(time.Duration(rnd.Int64N(int64(3 * time.Second))))
			}
			sit(i)
		case n == 14: // other frames, enough to be slow
			i := rnd.IntN(desks)
			h.call(func() {
				for range crowded + 1 {
					h.push(all[i].conn.session, "status", statusView{})
				}
			})
		case n < 18:
			all[rnd.IntN(desks)].take(t, false)
		default:
			time.Sleep(time.Duration(rnd.Int64N(int64(2 * time.Second))))
		}
	}
	// The last change finds some desks slow; later some lose their socket, with
	// the frames about it, and resume.
	h.call(func() {
		for _, d := range all[:desks/2] {
			for range crowded + 1 {
				h.push(d.conn.session, "status", statusView{})
			}
		}
	})
	h.Do(time.Now(), []routing.Action{routing.AgentChanged{Status: agents.Status{Agent: id(0), State: agents.WrapUp}}})
	time.Sleep(5 * h.opt.Gather)
	for i, d := range all {
		d.take(t, i >= desks*3/4)
	}
	time.Sleep(5 * h.opt.Gather)
	for i, d := range all[desks*3/4:] {
		h.call(func() { h.detach(d.conn) })
		d.conn = newConn(nil, nowire{}, nil)
		hello := helloFrame{Changes: d.changes, Resume: &resumePoint{d.session, d.seq}}
		h.call(func() { h.attach(d.conn, hello, ticket{agent: id(desks*3/4 + i)}) })
	}
	time.Sleep(5 * h.opt.Gather)
	changes := 0
	for i, d := range all {
		d.take(t, false)
		var want []colleagueView
		h.call(func() { want = h.colleagues(id(i)) })
		got := make([]colleagueView, 0, len(d.list))
		for _, v := range d.list {
			got = append(got, v)
		}
		slices.SortFunc(got, func(a, b colleagueView) int { return strings.Compare(string(a.ID), string(b.ID)) })
		if !slices.Equal(got, want) {
			t.Errorf("desk %d has\n%v, want\n%v\nframes %v", i, got, want, d.frames)
		}
		changes += d.frames[frameChanges]
	}
	if changes < desks {
		t.Errorf("%d frames of changes", changes)
	}
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

package screenpop

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
)

// A desk gets everybody but its own agent, as if it had been written for it.
func TestRoll(t *testing.T) {
	all := []colleagueView{{"ann", "Ann, \"A\"", agents.Available, 1}, {"bob", "Bob", agents.Talking, 2}, {"carl", "Carl", agents.SignedOut, 0}}
	for n := range len(all) + 1 {
		r := newRoll(all[:n])
		for _, self := range []agents.ID{"ann", "bob", "carl", "nobody"} {
			want, err := json.Marshal(slices.DeleteFunc(slices.Clone(all[:n]), func(v colleagueView) bool { return v.ID == self }))
			if err != nil {
				t.Fatal(err)
			}
			before, after := r.without(r.at[self])
			if got := "[" + string(before) + string(after) + "]"; got != string(want) {
				t.Errorf("%d without %s: %s, want %s", n, self, got, want)
			}
		}
	}
}

// What a resume can no longer ask for is not kept: a quiet desk does not hold a
// megabyte of old cards.
func TestKeptForAResume(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &Hub{opt: Options{}}
		h.opt.fill()
		s := &session{agent: "ann"}
		for range 50 {
			h.run(func() { h.push(s, "status", statusView{}) })
			time.Sleep(10 * time.Second)
		}
		oldest := int64(50 - h.opt.resumable()/(10*time.Second))
		for seq := range s.seq + 1 {
			frames, ok := s.replay(seq)
			if ok != (seq >= oldest-1) || ok && int64(len(frames)) != s.seq-seq {
				t.Errorf("after %d: %d frames, %t", seq, len(frames), ok)
			}
		}
		bytes := 0
		for _, f := range s.ring {
			bytes += len(f.text)
		}
		if bytes != s.bytes {
			t.Errorf("%d bytes kept, counted %d", bytes, s.bytes)
		}
	})
}

// A large centre is told of its colleagues a few desks at a time, each desk
// once a round, and of what changed meanwhile in the next one.
func TestRounds(t *testing.T) {
	const desks = 500
	synctest.Test(t, func(t *testing.T) {
		h := New(Options{
			Engine: nowhere{}, Directory: nowhere{}, Policy: func() *routing.Policy { return nil }, Log: zap.NewNop(),
		})
		conns := make([]*conn, desks)
		h.call(func() {
			for i := range conns {
				conns[i] = h.seat(agents.ID(fmt.Sprintf("agent%03d", i)))
			}
		})
		change := func() {
			h.Do(time.Now(), []routing.Action{routing.AgentChanged{Status: agents.Status{Agent: "agent007", State: agents.Talking}}})
			synctest.Wait()
		}
		// told counts the desks with so many colleagues frames.
		told := func(frames int) (n int) {
			for _, c := range conns {
				got := 0
				c.mu.Lock()
				for _, f := range c.out {
					if bytes.HasPrefix(f.plain, []byte(`{"t":"colleagues"`)) {
						got++
					}
				}
				c.mu.Unlock()
				if got == frames {
					n++
				}
			}
			return n
		}
		change()
		if n := told(1); n == 0 || n > desks/20 {
			t.Errorf("%d desks were told in the first moment", n)
		}
		change() // while the round goes on
		time.Sleep(h.gap() - time.Millisecond)
		if n := told(1); n != desks {
			t.Errorf("%d of %d desks were told once in the first round", n, desks)
		}
		time.Sleep(h.gap())
		if n := told(2); n != desks {
			t.Errorf("%d of %d desks were told twice in two rounds", n, desks)
		}
		time.Sleep(10 * h.gap())
		if n := told(2); n != desks {
			t.Error("desks are told though nothing has changed")
		}
		if err := h.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// nowhere is an engine and a directory of a test that needs neither.
type nowhere struct{}

func (nowhere) Submit(routing.Event)                     {}
func (nowhere) Agent(agents.ID) (a agents.Agent, _ bool) { return a, false }

package store_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/store"
)

// callLife is what one call hands to the store, by the tick after its arrival:
// one of 300 a second.
type callLife struct {
	s        *store.Store
	call     routing.CallID
	customer string
	number   string
	state    json.RawMessage
	sdp      []byte
}

// lifeTicks is when a call's last change comes.
const lifeTicks = 330

func (c *callLife) dialog(leg string, at time.Time) {
	c.s.SaveDialog(store.Dialog{Call: c.call, Leg: leg, State: c.state, LocalSDP: c.sdp, RemoteSDP: c.sdp, UpdatedAt: at})
}

func (c *callLife) tick(n int) {
	at, s := time.Now(), c.s
	o := routing.Offer{Call: c.call, Attempt: 1, Agent: "priya"}
	seen := func(kind string) {
		s.Event(store.Event{Call: c.call, At: at, Kind: kind, Agent: "priya", Attempt: 1, Data: json.RawMessage(`{"version":4}`)})
	}
	switch n {
	case 0:
		c.call = s.NextCall()
		s.Arrived(store.Arrival{Call: c.call, Trunk: "main", Number: c.number, Dialled: "+448081570142", At: at})
		s.Do(at, []routing.Action{routing.ResolveCustomer{Call: c.call}})
	case 1:
		s.Identified(c.call, c.customer)
		s.Do(at, []routing.Action{
			routing.AnswerCaller{Call: c.call, Music: "default"},
			routing.Enqueued{Call: c.call, Queue: "care", Rule: "net", Topic: "line_fault", Since: at, Entered: at, Version: 3},
			routing.OfferCall{Offer: o, Queue: "care"},
		})
		c.dialog("caller", at)
	case 2:
		seen("pop_acked")
	case 20:
		s.Do(at, []routing.Action{routing.Ring{Offer: o}})
	case 21:
		seen("phone_ringing")
	case 22:
		c.dialog("agent/1", at)
		s.Do(at, []routing.Action{routing.Connect{Offer: o, Answered: at}})
	case 24:
		c.dialog("caller", at)
		c.dialog("agent/1", at)
		seen("joined")
	case 325:
		s.Do(at, []routing.Action{
			routing.Release{Offer: o, Why: "caller"},
			routing.EndCall{Call: c.call, Outcome: routing.Answered, By: routing.ByCaller},
			routing.WrapUpStarted{Offer: o},
		})
		s.RemoveDialog(c.call, "agent/1")
		s.RemoveDialog(c.call, "caller")
	case lifeTicks:
		s.SaveContact(store.Contact{Call: c.call, Attempt: 1, Customer: c.customer, Agent: "priya", Queue: "care", Topic: "line_fault", At: at, Talk: time.Second, Disposition: "fixed"})
		s.Do(at, []routing.Action{routing.WrapUpFinished{Offer: o, Disposition: "fixed"}})
	}
}

func processorTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// groupTicks are the ticks of one group of the writer's at 300 calls a second.
const groupTicks = 30

// BenchmarkCallRows is all that a call has the store write, in groups as they
// are at 300 calls a second, on one processor.
func BenchmarkCallRows(b *testing.B) {
	const customers = 20_000
	stores := map[string]func() store.Options{
		"sqlite":   func() store.Options { return store.Options{Path: filepath.Join(b.TempDir(), "cordboard.db")} },
		"postgres": func() store.Options { return store.Options{Postgres: pg.Database(b)} },
	}
	for _, name := range []string{"sqlite", "postgres"} {
		b.Run(name, func(b *testing.B) {
			o := stores[name]()
			o.Spill = filepath.Join(b.TempDir(), "spill")
			s := openWith(b, o)
			defer func() { _ = s.Close() }()
			if err := s.SaveCustomers(b.Context(), someCustomers(customers)); err != nil {
				b.Fatal(err)
			}
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
			state, err := json.Marshal(map[string]string{"CallID": "f81d4fae-7dec-11d0", "RemoteTarget": "sip:agent@192.0.2.7:5060", "state": string(bytes.Repeat([]byte("x"), 300))})
			if err != nil {
				b.Fatal(err)
			}
			lives := make([]callLife, b.N)
			sdp := bytes.Repeat([]byte("a=x\r\n"), 60)
			runtime.GC()
			b.ReportAllocs()
			b.ResetTimer()
			before := processorTime()
			for now := range b.N + lifeTicks {
				if now < b.N {
					who := now * 7919 % customers
					lives[now] = callLife{s: s, customer: fmt.Sprintf("LW-%07d", who), number: fmt.Sprintf("+7000%07d", who), state: state, sdp: sdp}
				}
				for _, n := range []int{0, 1, 2, 20, 21, 22, 24, 325, lifeTicks} {
					if i := now - n; i >= 0 && i < b.N {
						lives[i].tick(n)
					}
				}
				if now%groupTicks == 0 {
					if err := s.Flush(b.Context()); err != nil {
						b.Fatal(err)
					}
				}
			}
			if err := s.Flush(b.Context()); err != nil {
				b.Fatal(err)
			}
			b.StopTimer()
			b.ReportMetric(float64((processorTime()-before).Microseconds())/float64(b.N), "cpu-us/op")
		})
	}
}

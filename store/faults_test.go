package store_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/screenpop/customer"
	"github.com/cordboard/cordboard/store"
	"github.com/cordboard/cordboard/store/storetest/pgtest"
)

// outage is a server on a Postgres of its own that something happens to.
type outage struct {
	*testing.T
	cluster *pgtest.Cluster
	proxy   *pgtest.Proxy
	name    string // of the database
	opts    store.Options
	s       *store.Store
	calls   []routing.CallID
}

const caller = "+447700900417"

// startOutage gives the case a database of the cluster.
func startOutage(t *testing.T, from *pgtest.Shared) *outage {
	t.Helper()
	o := &outage{T: t, cluster: from.Cluster(t)}
	o.name = o.cluster.Database(t, from.Template(t))
	o.proxy = pgtest.NewProxy(t, o.cluster)
	o.opts = store.Options{Postgres: o.proxy.URL(o.name), Spill: filepath.Join(t.TempDir(), "spill"), CloseWait: time.Millisecond}
	o.open()
	o.must(o.s.SaveCustomers(t.Context(), []customer.Record{{ID: "LW-1", Name: "Dana Whitcombe", Numbers: []customer.Number{{E164: caller}}}}))
	return o
}

func (o *outage) must(err error) {
	o.Helper()
	if err != nil {
		o.Fatal(err)
	}
}

func (o *outage) open() {
	o.Helper()
	s := openWith(o, o.opts)
	o.s = s
	o.Cleanup(func() { _ = s.Close() })
}

// play puts whole calls through the ledger, with a contact each. None of it may
// wait for the database.
func (o *outage) play(n int) {
	o.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range n {
			o.calls = append(o.calls, oneCall(o.s))
		}
	}()
	select {
	case <-done:
	case <-time.After(20 * time.Second):
		o.Fatal("the ledger holds up the calls")
	}
}

func oneCall(s *store.Store) routing.CallID {
	call, at := s.NextCall(), time.Now()
	of := routing.Offer{Call: call, Attempt: 1, Agent: "priya"}
	s.Arrived(store.Arrival{Call: call, Trunk: "main", Number: caller, At: at})
	s.Do(at, []routing.Action{routing.AnswerCaller{Call: call}, routing.Enqueued{Call: call, Queue: "care", Rule: "r", Since: at, Version: 1}})
	s.Do(at, []routing.Action{routing.OfferCall{Offer: of}})
	s.Event(store.Event{Call: call, At: at, Kind: "pop_acked", Agent: "priya", Attempt: 1})
	s.Do(at, []routing.Action{routing.Connect{Offer: of, Answered: at}})
	s.Do(at, []routing.Action{routing.EndCall{Call: call, Outcome: routing.Answered, By: routing.ByCaller}})
	s.SaveContact(store.Contact{Call: call, Attempt: 1, Customer: "LW-1", Agent: "priya", Queue: "care", At: at, Talk: time.Second, Note: "Wants a date.", Disposition: "fixed"})
	return call
}

var wholeCall = []string{"arrived", "answer_caller", "enqueued", "offer_call", "pop_acked", "connect", "end_call"}

// notice waits until the store knows of the trouble.
func (o *outage) notice(what string, is func(store.Stats) bool) {
	o.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for !is(o.s.Stats()) {
		if time.Now().After(deadline) {
			o.Fatalf("never %s: %+v", what, o.s.Stats())
		}
		time.Sleep(time.Millisecond)
	}
}

func spilled(st store.Stats) bool { return st.Spilled > 0 && st.Spilled == st.Queued }

// settled checks that the ledger has every call once, whole and gapless, and
// nothing else.
func (o *outage) settled() {
	o.Helper()
	ctx, cancel := context.WithTimeout(o.Context(), 30*time.Second)
	defer cancel()
	o.must(o.s.Flush(ctx))
	n, err := o.s.CountOutcomes(ctx)
	o.must(err)
	if want := int64(len(o.calls)); n.Total != want || n.By[routing.Answered] != want {
		o.Fatalf("%d calls were made, the ledger has %+v", want, n)
	}
	for _, call := range o.calls {
		row, err := o.s.LedgerRow(ctx, call)
		o.must(err)
		if !row.Note || row.Disposition != "fixed" || row.Offers != 1 || row.Number != caller || row.Agent != "priya" {
			o.Fatalf("call %d: %+v", call, row)
		}
		events, err := o.s.Events(ctx, call)
		o.must(err)
		var kinds []string
		for i, e := range events {
			kinds = append(kinds, e.Kind)
			if e.Seq != int64(i+1) {
				o.Fatalf("call %d: event %d has the number %d", call, i+1, e.Seq)
			}
		}
		if !reflect.DeepEqual(kinds, wholeCall) {
			o.Fatalf("call %d: events %v", call, kinds)
		}
	}
	r, err := o.s.Customer(ctx, "LW-1")
	o.must(err)
	if r.Contacts != len(o.calls) || r.Version != int64(1+len(o.calls)) {
		o.Fatalf("%d calls were made, the customer has %d contacts and version %d", len(o.calls), r.Contacts, r.Version)
	}
	if st := o.s.Stats(); st != (store.Stats{}) {
		o.Fatalf("afterwards: %+v", st)
	}
	if info, err := os.Stat(o.opts.Spill); err == nil && info.Size() > 0 {
		o.Fatalf("%d bytes are left in the spill file", info.Size())
	}
}

// quick checks that a look-up ends with its deadline, whatever it brings.
func (o *outage) quick() error {
	o.Helper()
	ctx, cancel := context.WithTimeout(o.Context(), 200*time.Millisecond)
	defer cancel()
	done := make(chan error, 1)
	go func() {
		_, err := o.s.Lookup(ctx, caller)
		done <- err
	}()
	select {
	case err := <-done:
		return err
	case <-time.After(10 * time.Second):
		o.Fatal("a look-up outlives its deadline")
		return nil
	}
}

// poolsBack checks that the store has no more connections than it may, and that
// it answers.
func (o *outage) poolsBack() {
	o.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for o.quick() != nil || o.proxy.Open() > 4+3+1 {
		if time.Now().After(deadline) {
			o.Fatalf("%d connections, look-up: %v", o.proxy.Open(), o.quick())
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// TestCluster does to a whole cluster what no other test would like.
func TestCluster(t *testing.T) {
	t.Parallel()
	own := pgtest.Shared{Fill: pg.Fill}
	t.Cleanup(func() { own.Stop(t) })
	for _, c := range []struct {
		name string
		run  func(*testing.T, *pgtest.Shared)
	}{
		{"stopped", databaseStopped}, {"stopped and the server killed", databaseStoppedServerKilled},
		{"hangs", databaseHangs}, {"read-only", databaseReadOnly},
	} {
		t.Run(c.name, func(t *testing.T) { c.run(t, &own) })
	}
}

// F-08.
func databaseStopped(t *testing.T, own *pgtest.Shared) {
	o := startOutage(t, own)
	o.play(20)
	o.must(o.cluster.Crash())
	o.play(40)
	o.notice("spilled", spilled)
	o.play(40)
	o.notice("spilled again", spilled)
	if o.quick() == nil {
		t.Error("a look-up found something in a database that is away")
	}
	o.must(o.cluster.Run())
	o.play(5)
	o.settled()
	o.poolsBack()
}

// F-08, and a kill -9 on top.
func databaseStoppedServerKilled(t *testing.T, own *pgtest.Shared) {
	o := startOutage(t, own)
	o.play(20)
	o.must(o.cluster.Crash())
	o.play(80)
	o.notice("spilled", spilled)
	store.Abandon(o.s)
	o.must(o.cluster.Run())
	o.open()
	o.play(5)
	o.settled()
}

// TestDatabaseSlow: F-09.
func TestDatabaseSlow(t *testing.T) {
	t.Parallel()
	o := startOutage(t, &pg)
	o.proxy.Delay(2 * time.Second)
	o.play(50)
	if err := o.quick(); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("look-up: %v", err)
	}
	o.notice("spilled", spilled)
	o.play(50)
	o.proxy.Delay(0)
	o.settled()
	o.poolsBack()
}

// F-10, sessions and new connections alike.
func databaseHangs(t *testing.T, own *pgtest.Shared) {
	o := startOutage(t, own)
	o.play(20)
	o.must(o.cluster.Freeze())
	o.play(50)
	o.notice("spilled", spilled)
	for range 10 {
		if err := o.quick(); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("look-up: %v", err)
		}
	}
	o.must(o.cluster.Thaw())
	o.settled()
	o.poolsBack()
}

// TestConnectionsCut: F-11, also in the instant of COMMIT, where nobody knows
// whether the database did it.
func TestConnectionsCut(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		commit pgtest.Commit
	}{
		{"between commits", pgtest.CommitPasses}, {"commit done and unheard", pgtest.CommitUnheard}, {"commit lost", pgtest.CommitLost},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := startOutage(t, &pg)
			for range 5 {
				o.proxy.AtCommit(c.commit)
				o.play(10)
				if c.commit == pgtest.CommitPasses {
					o.proxy.Cut()
				} else {
					before := o.proxy.Cuts()
					o.notice("cut", func(store.Stats) bool { return o.proxy.Cuts() >= before })
				}
				o.play(10)
			}
			o.settled()
			if c.commit != pgtest.CommitPasses && o.proxy.Cuts() == 0 {
				t.Error("no commit was cut")
			}
			o.poolsBack()
		})
	}
}

// TestCommitLate: the connection is gone while the database is still at the
// commit, and the next attempt meets it there.
func TestCommitLate(t *testing.T) {
	t.Parallel()
	o := startOutage(t, &pg)
	o.play(5)
	o.must(o.s.Flush(t.Context()))
	o.proxy.AtCommit(pgtest.CommitLate)
	o.play(10)
	conn, err := pgx.Connect(t.Context(), o.cluster.URL(o.name))
	o.must(err)
	defer func() { o.must(conn.Close(context.Background())) }()
	o.notice("waited for", func(store.Stats) (waits bool) {
		o.must(conn.QueryRow(t.Context(), "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')").Scan(&waits))
		return waits
	})
	o.proxy.Late()
	o.settled() // the customer's version tells of a contact written twice
}

// TestKilledInDoubt: the commit was done and nobody heard, the server is killed,
// and the spill file still has the batch.
func TestKilledInDoubt(t *testing.T) {
	t.Parallel()
	o := startOutage(t, &pg)
	o.proxy.Delay(time.Hour)
	o.play(30)
	o.notice("spilled", spilled)
	kept, err := os.ReadFile(o.opts.Spill)
	o.must(err)
	o.proxy.Delay(0)
	flush, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	o.must(o.s.Flush(flush))
	store.Abandon(o.s)
	o.must(os.WriteFile(o.opts.Spill, kept, 0o600)) // as if it had not been emptied
	o.open()
	o.settled() // the customer's version tells of a contact written twice
}

// F-12.
func databaseReadOnly(t *testing.T, own *pgtest.Shared) {
	o := startOutage(t, own)
	o.play(10)
	o.must(o.cluster.Exec("postgres", "ALTER SYSTEM SET default_transaction_read_only = on"))
	o.must(o.cluster.Exec("postgres", "SELECT pg_reload_conf()"))
	o.notice("failing", func(st store.Stats) bool { o.play(1); return st.Failing })
	o.notice("spilled", spilled)
	read, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if _, err := o.s.Lookup(read, caller); err != nil {
		t.Errorf("a read-only database can be read: %v", err)
	}
	o.must(o.cluster.Exec("postgres", "ALTER SYSTEM RESET default_transaction_read_only"))
	o.must(o.cluster.Exec("postgres", "SELECT pg_reload_conf()"))
	o.settled()
}

// TestSpillDiskFull: F-13 for the spill file. Nothing is lost while the server
// lives.
func TestSpillDiskFull(t *testing.T) {
	t.Parallel()
	o := startOutage(t, &pg)
	o.must(os.Symlink("/dev/full", o.opts.Spill))
	o.proxy.Delay(time.Hour)
	o.play(20)
	o.notice("exposed", func(st store.Stats) bool { return st.Exposed && st.Spilled == 0 })
	o.play(20)
	o.proxy.Delay(0)
	o.must(os.Remove(o.opts.Spill))
	o.settled()
}

// TestUnreadableEventSpoilsNothing: an event whose data is no JSON stands in the
// way of no other, neither in the spill file nor in the database.
func TestUnreadableEventSpoilsNothing(t *testing.T) {
	t.Parallel()
	o := startOutage(t, &pg)
	o.proxy.Delay(time.Hour)
	call := o.s.NextCall()
	o.s.Arrived(store.Arrival{Call: call, Trunk: "main", Number: caller, At: time.Now()})
	o.s.Event(store.Event{Call: call, At: time.Now(), Kind: "odd", Data: json.RawMessage(`{"a":`)})
	o.s.Event(store.Event{Call: call, At: time.Now(), Kind: "bare", Data: json.RawMessage{}})
	o.play(20)
	o.notice("spilled", spilled)
	o.proxy.Delay(0)
	o.notice("caught up", func(st store.Stats) bool { return st.Queued == 0 && !st.Failing })
	events, err := o.s.Events(o.Context(), call)
	o.must(err)
	if len(events) != 3 || events[1].Kind != "odd" || events[2].Kind != "bare" || len(events[1].Data)+len(events[2].Data) != 0 {
		o.Errorf("the odd call's events: %+v", events)
	}
	sum, err := o.s.CountOutcomes(o.Context())
	o.must(err)
	if st := o.s.Stats(); sum.Total != 21 || sum.Open != 1 || st.Dropped != 0 {
		o.Errorf("the ledger has %+v, %d changes were given up", sum, st.Dropped)
	}
}

// TestRestartAtOnce: the lock is free when a server has ended, however slow the
// way to the database is.
func TestRestartAtOnce(t *testing.T) {
	t.Parallel()
	o := startOutage(t, &pg)
	o.proxy.Delay(50 * time.Millisecond)
	o.opts.CloseWait = 10 * time.Second
	o.must(o.s.Close())
	o.opts.Postgres = o.cluster.URL(o.name)
	o.open()
}

// TestServersAfterEachOther: the lock dies with its session, the next server may
// take over, and the one before writes nothing more.
func TestServersAfterEachOther(t *testing.T) {
	t.Parallel()
	o := startOutage(t, &pg)
	second := o.opts
	second.Postgres, second.Spill = o.cluster.URL(o.name), filepath.Join(t.TempDir(), "spill")
	if _, err := store.Open(t.Context(), second); err == nil || !strings.Contains(err.Error(), "another server") {
		t.Fatalf("two servers on one database: %v", err)
	}
	o.play(5)
	o.must(o.s.Flush(t.Context()))

	// The first is cut off and its sessions die.
	o.proxy.Delay(time.Hour)
	live := o.s.NextCall()
	o.s.Arrived(store.Arrival{Call: live, Number: caller, At: time.Now()})
	o.must(o.cluster.Exec("postgres", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '"+o.name+"'"))
	var next *store.Store
	o.notice("taken over", func(store.Stats) bool { // sessions end some time after they are told to
		var err error
		next, err = store.Open(t.Context(), second)
		return err == nil
	})
	t.Cleanup(func() { _ = next.Close() })
	mine := oneCall(next)
	flush, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	o.must(next.Flush(flush))

	// It comes back and must not write beside its successor.
	o.proxy.Delay(0)
	select {
	case <-o.s.Fenced():
	case <-time.After(30 * time.Second):
		t.Fatal("the server before does not see that its time is over")
	}
	if err := o.s.SaveUser(t.Context(), store.User{ID: "late", Role: "agent"}); !errors.Is(err, store.ErrFenced) {
		t.Errorf("a write of the server before: %v", err)
	}
	n, err := next.CountOutcomes(t.Context())
	o.must(err)
	if n.Total != 6 || mine <= o.calls[4] {
		t.Errorf("the ledger has %+v, the next server's first call is %d", n, mine)
	}
	o.must(o.s.Close()) // what it could not write is in its spill file
	if info, err := os.Stat(o.opts.Spill); err != nil || info.Size() == 0 {
		t.Errorf("spill file of the server before: %v", err)
	}
	o.must(next.Close())

	// It starts again. Its last call's number is another's by now: put aside.
	o.open()
	o.calls = append(o.calls, mine)
	if live != mine {
		o.calls = append(o.calls, live)
	}
	n, err = o.s.CountOutcomes(t.Context())
	o.must(err)
	if n.Total != int64(len(o.calls)) || n.Open != 0 {
		t.Errorf("after the first has come back: %+v", n)
	}
}

// TestIdleServerSeesItsSuccessor: a server that has nothing to write learns that
// its lock was another's meanwhile, whether that one still lives or not, and
// leaves the lock to the next.
func TestIdleServerSeesItsSuccessor(t *testing.T) {
	t.Parallel()
	for _, lives := range []bool{true, false} {
		t.Run(fmt.Sprint("successor lives ", lives), func(t *testing.T) {
			t.Parallel()
			o := startOutage(t, &pg)
			o.must(o.s.Flush(t.Context()))
			second := o.opts
			second.Postgres, second.Spill = o.cluster.URL(o.name), filepath.Join(t.TempDir(), "spill")
			o.must(o.cluster.Exec("postgres", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '"+o.name+"'"))
			var next *store.Store
			o.notice("taken over", func(store.Stats) bool { // sessions end some time after they are told to
				var err error
				next, err = store.Open(t.Context(), second)
				return err == nil
			})
			t.Cleanup(func() { _ = next.Close() })
			if !lives {
				o.must(next.Close())
			}
			select {
			case <-o.s.Fenced():
			case <-time.After(30 * time.Second):
				t.Fatal("an idle server does not see that its time is over")
			}
			if !o.s.Stats().Failing {
				t.Error("nothing can be written, and nobody is told")
			}
			o.must(next.Close())
			o.notice("the lock is left to the next", func(store.Stats) bool {
				third, err := store.Open(t.Context(), second)
				return err == nil && third.Close() == nil
			})
		})
	}
}

// TestEpochIsAskedUntilAnswered: when the lock was lost and the epoch can't be
// read in that moment, it is asked again, although the lock is ours again.
func TestEpochIsAskedUntilAnswered(t *testing.T) {
	t.Parallel()
	c := pg.Cluster(t)
	name := c.Database(t, pg.Template(t))
	asked := make(chan int, 16)
	n := 0
	lock, err := store.LockAsking(t.Context(), store.Options{Postgres: c.URL(name)}, func(context.Context) (bool, error) {
		n++
		asked <- n
		if n == 1 {
			return false, errors.New("away")
		}
		return true, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Exec("postgres", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '"+name+"'"); err != nil {
		t.Fatal(err)
	}
	for want := 1; want <= 2; want++ {
		select {
		case <-asked:
		case <-time.After(30 * time.Second):
			t.Fatalf("asked %d times", want-1)
		}
	}
	_ = lock.Close()
}

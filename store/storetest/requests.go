package storetest

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/cordboard/cordboard/screenpop/customer"
	"github.com/cordboard/cordboard/store"
)

// wish is a request, due so many hours after T0.
func wish(ref, owner, team string, due int) store.Request {
	return store.Request{
		Ref: ref, Kind: "repair", Title: "Line is dead", Detail: "since Monday", OpenedBy: "ann", OpenedAt: T0, State: store.RequestOpen,
		Owner: owner, Team: team, DueAt: T0.Add(time.Duration(due) * time.Hour), NextAt: T0.Add(time.Duration(due-1) * time.Hour),
	}
}

func stepOf(kind, who, word string) store.RequestStep {
	return store.RequestStep{At: T0, Who: who, Kind: kind, Word: word}
}

func openWish(t *testing.T, s *store.Store, who store.Person, r store.Request, tell ...store.Notice) store.Request {
	t.Helper()
	got, _, err := s.OpenRequest(t.Context(), who, r, stepOf("opened", r.OpenedBy, ""), tell)
	ok(t, err)
	return got
}

func twoCustomers(t *testing.T, f Fixture) *store.Store {
	t.Helper()
	s := open(t, f)
	both := customer.Number{E164: "+447700900499", Label: "home"}
	ok(t, s.SaveCustomers(t.Context(), []customer.Record{
		{ID: "C-7", Name: "Dana Hale", Numbers: append(number("+447700900417"), both)},
		{ID: "C-8", Name: "Ola Berg", Numbers: append(number("+447700900418"), both)},
	}))
	return s
}

// testRequests: a request goes from open to closed, and each step is kept.
func testRequests(t *testing.T, f Fixture) {
	s := twoCustomers(t, f)
	ctx := t.Context()
	want := wish("R-1", "ben", "", 8)
	want.Call = 4711
	got := openWish(t, s, store.Person{Customer: "C-7"}, want)
	want.Customer, want.Name = "C-7", "Dana Hale"
	equal(t, "opened", got, want)

	changed, err := s.ChangeRequest(ctx, "R-1", func(r *store.Request) ([]store.RequestStep, []store.Notice, error) {
		equal(t, "as it is", *r, want)
		r.State, r.Left, r.NextAt, r.Owner = store.RequestWaiting, 90*time.Minute, time.Time{}, "cas"
		return []store.RequestStep{stepOf("given", "ben", "cas"), {At: T0.Add(time.Minute), Who: "cas", Kind: "word", Word: "which floor?", Shown: true}}, nil, nil
	})
	ok(t, err)
	want.State, want.Left, want.NextAt, want.Owner = store.RequestWaiting, 90*time.Minute, time.Time{}, "cas"
	equal(t, "changed", changed, want)
	no := errors.New("no")
	if _, err := s.ChangeRequest(ctx, "R-1", func(r *store.Request) ([]store.RequestStep, []store.Notice, error) {
		r.State = store.RequestClosed
		return []store.RequestStep{stepOf("closed", "ben", "")}, nil, no
	}); !errors.Is(err, no) {
		t.Fatalf("a change that is refused: %v", err)
	}
	got, err = s.Request(ctx, "R-1")
	ok(t, err)
	equal(t, "read", got, want)
	_, err = s.ChangeRequest(ctx, "R-1", func(r *store.Request) ([]store.RequestStep, []store.Notice, error) {
		r.State, r.Left, r.Outcome, r.ClosedAt = store.RequestClosed, 0, "mended", T0.Add(time.Hour)
		return []store.RequestStep{stepOf("closed", "cas", "mended")}, nil, nil
	})
	ok(t, err)
	want.State, want.Left, want.Outcome, want.ClosedAt = store.RequestClosed, 0, "mended", T0.Add(time.Hour)
	got, err = s.Request(ctx, "R-1")
	ok(t, err)
	equal(t, "closed", got, want)
	steps, err := s.RequestSteps(ctx, "R-1")
	ok(t, err)
	equal(t, "steps", steps, []store.RequestStep{
		{Seq: 1, At: T0, Who: "ann", Kind: "opened"}, {Seq: 2, At: T0, Who: "ben", Kind: "given", Word: "cas"},
		{Seq: 3, At: T0.Add(time.Minute), Who: "cas", Kind: "word", Word: "which floor?", Shown: true}, {Seq: 4, At: T0, Who: "cas", Kind: "closed", Word: "mended"},
	})

	_, err = s.Request(ctx, "R-9")
	missing(t, "read", err)
	_, err = s.ChangeRequest(ctx, "R-9", nil)
	missing(t, "change", err)
}

// testRequestLists: who asks for what, and whose are whose.
func testRequestLists(t *testing.T, f Fixture) {
	s := twoCustomers(t, f)
	ctx := t.Context()
	openWish(t, s, store.Person{Customer: "C-7"}, wish("R-1", "ben", "", 8))
	openWish(t, s, store.Person{Number: "+447700900417"}, wish("R-2", "", "field", 4))
	openWish(t, s, store.Person{Number: "+447700900777"}, wish("R-3", "cas", "", 6)) // of nobody yet
	late := wish("R-4", "cas", "", 2)
	late.TaskOf, late.TaskAt = "lena", T0.Add(2*time.Hour)
	openWish(t, s, store.Person{Customer: "C-8"}, late)
	asleep := wish("R-5", "ben", "", 1)
	asleep.State, asleep.Left, asleep.NextAt = store.RequestWaiting, time.Minute, time.Time{}
	openWish(t, s, store.Person{}, asleep)
	done := wish("R-6", "ben", "", 1)
	done.State, done.Outcome, done.ClosedAt, done.NextAt = store.RequestClosed, "mended", T0, time.Time{}
	openWish(t, s, store.Person{Customer: "C-7"}, done)

	if _, _, err := s.OpenRequest(ctx, store.Person{Number: "+447700900499"}, wish("R-7", "ben", "", 1), stepOf("opened", "", ""), nil); !errors.As(err, new(*store.SeveralError)) {
		t.Fatalf("a number of two customers: %v", err)
	}
	for _, k := range []struct {
		what string
		list func() ([]store.Request, error)
		want string
	}{
		{"all open", func() ([]store.Request, error) { return s.Requests(ctx, store.RequestFilter{}) }, "R-5 R-4 R-2 R-3 R-1"},
		{"two", func() ([]store.Request, error) { return s.Requests(ctx, store.RequestFilter{Most: 2}) }, "R-5 R-4"},
		{"an agent's", func() ([]store.Request, error) {
			return s.Requests(ctx, store.RequestFilter{Owner: "ben", Team: "field"})
		}, "R-5 R-2 R-1"},
		{"one's of no team", func() ([]store.Request, error) { return s.Requests(ctx, store.RequestFilter{Owner: "cas"}) }, "R-4 R-3"},
		{"late", func() ([]store.Request, error) {
			return s.Requests(ctx, store.RequestFilter{LateAt: T0.Add(5 * time.Hour)})
		}, "R-4 R-2"},
		{"tasks", func() ([]store.Request, error) { return s.Requests(ctx, store.RequestFilter{TaskOf: "lena"}) }, "R-4"},
		{"a lead's", func() ([]store.Request, error) { return s.Requests(ctx, store.RequestFilter{Owner: "lena"}) }, "R-4"},
		{"a customer's", func() ([]store.Request, error) { return s.RequestsOf(ctx, "C-7", 0) }, "R-2 R-1 R-6"},
		{"nobody's", func() ([]store.Request, error) { return s.RequestsOf(ctx, "C-9", 0) }, ""},
	} {
		list, err := k.list()
		ok(t, err)
		equal(t, k.what, refs(list), k.want)
	}
	due, err := s.DueRequests(ctx, T0.Add(3*time.Hour))
	ok(t, err)
	equal(t, "to be escalated", due, []string{"R-4", "R-2"})

	// Who asked from a number is a customer by now.
	ok(t, s.SaveCustomers(ctx, []customer.Record{{ID: "C-9", Name: "Ida Roe", Numbers: number("+447700900777")}}))
	list, err := s.RequestsOf(ctx, "C-9", 0)
	ok(t, err)
	equal(t, "of who is a customer now", refs(list), "R-3")

	// Two who are one have what either has asked for, until they are two again.
	m, err := s.Merge(ctx, "C-7", "C-9", customer.Colleague{Agent: "lena", Name: "Lena"}, T0)
	ok(t, err)
	list, err = s.RequestsOf(ctx, "C-7", 0)
	ok(t, err)
	equal(t, "of both", refs(list), "R-2 R-3 R-1 R-6")
	_, err = s.UndoMerge(ctx, m.ID, T0)
	ok(t, err)
	list, err = s.RequestsOf(ctx, "C-7", 0)
	ok(t, err)
	equal(t, "of one of two", refs(list), "R-2 R-1 R-6")
}

func refs(list []store.Request) (out string) {
	for _, r := range list {
		if out != "" {
			out += " "
		}
		out += r.Ref
	}
	return out
}

// An outside system's request is there once, however often and at once it is sent.
func testRequestAtOnce(t *testing.T, f Fixture) {
	s := twoCustomers(t, f)
	sent := func(ref, id string) store.Request {
		r := wish(ref, "ben", "", 8)
		r.Source, r.SourceID, r.OpenedBy = "site", id, ""
		return r
	}
	var all sync.WaitGroup
	var mu sync.Mutex
	seen, opened := map[string]int{}, 0
	for _, ref := range []string{"R-1", "R-2", "R-3", "R-4"} {
		all.Go(func() {
			got, first, err := s.OpenRequest(t.Context(), store.Person{Customer: "C-7"}, sent(ref, "17"), stepOf("opened", "", ""), nil)
			mu.Lock()
			defer mu.Unlock()
			if seen[got.Ref]++; err != nil {
				t.Error(err)
			}
			if first {
				opened++
			}
		})
	}
	all.Wait()
	if len(seen) != 1 || opened != 1 {
		t.Fatalf("opened %d times: %v", opened, seen)
	}
	other := openWish(t, s, store.Person{Customer: "C-7"}, sent("R-5", "18"))
	equal(t, "another", other.Ref, "R-5")
	_, _, err := s.OpenRequest(t.Context(), store.Person{Customer: "C-9"}, sent("R-6", "19"), stepOf("opened", "", ""), nil)
	missing(t, "a customer who is none", err)
	kept := openWish(t, s, store.Person{Customer: "X-1"}, wish("R-7", "ben", "", 8)) // on a desk, from another system
	equal(t, "a record of another system", kept.Customer, "X-1")
}

// testNotices: what is to be told is there with what it tells of, until it is sent
// or given up.
func testNotices(t *testing.T, f Fixture) {
	s := twoCustomers(t, f)
	ctx := t.Context()
	ok(t, s.SaveUser(ctx, store.User{ID: "ben", Role: "agent", Name: "Ben", PasswordHash: "x"}))
	ok(t, s.SaveReach(ctx, "ben", store.Reach{Mail: "ben@example.com", Mobile: "+447700900001"}))
	ok(t, s.SaveUser(ctx, store.User{ID: "ben", Role: "agent", Name: "Ben C", PasswordHash: "y"})) // leaves it
	reach, err := s.Reach(ctx, "ben")
	ok(t, err)
	equal(t, "reach", reach, store.Reach{Mail: "ben@example.com", Mobile: "+447700900001"})
	missing(t, "no user", s.SaveReach(ctx, "nobody", reach))
	_, err = s.Reach(ctx, "nobody")
	missing(t, "no user", err)

	notice := func(id, channel string) store.Notice {
		return store.Notice{ID: id, Ref: "R-1", What: "late", Who: "ben", Channel: channel, MadeAt: T0, NextAt: T0}
	}
	r := openWish(t, s, store.Person{Customer: "C-7"}, wish("R-1", "ben", "", 8), notice("n-1", store.ByMail), notice("n-2", store.BySMS), notice("n-3", store.ByWebhook))
	due := func(at time.Time) (out []store.Notice) {
		t.Helper()
		out, err := s.DueNotices(ctx, at)
		ok(t, err)
		return out
	}
	equal(t, "too early", len(due(T0.Add(-time.Second))), 0)
	got := due(T0)
	want := notice("n-1", store.ByMail)
	want.Request = r
	equal(t, "due", len(got), 3)
	equal(t, "first", got[0], want)
	ok(t, s.NoticeSent(ctx, &got[0]))
	got[1].Tries, got[1].NextAt = 1, T0.Add(time.Minute)
	ok(t, s.NoticeLater(ctx, &got[1], "refused"))
	got[2].Tries = 9
	ok(t, s.NoticeDead(ctx, &got[2], "gone", stepOf("untold", "", "ben")))
	equal(t, "none at once", len(due(T0.Add(time.Second))), 0)
	later := due(T0.Add(time.Minute))
	if len(later) != 1 || later[0].ID != "n-2" || later[0].Tries != 1 || !later[0].Request.Dead {
		t.Fatalf("later: %s", show(later))
	}
	steps, err := s.RequestSteps(ctx, "R-1")
	ok(t, err)
	equal(t, "steps", steps, []store.RequestStep{{Seq: 1, At: T0, Who: "ann", Kind: "opened"}, {Seq: 2, At: T0, Kind: "untold", Word: "ben"}})
}

// What somebody has asked for goes with him, and so does what was said and is to be
// told about it; what others have asked for stays.
func testEraseRequests(t *testing.T, f Fixture) {
	s := twoCustomers(t, f)
	ctx := t.Context()
	notice := func(id, ref string) store.Notice {
		return store.Notice{ID: id, Ref: ref, What: "late", Who: "ben", Channel: store.ByMail, MadeAt: T0, NextAt: T0}
	}
	openWish(t, s, store.Person{Customer: "C-7"}, wish("R-1", "ben", "", 8), notice("n-1", "R-1"))
	openWish(t, s, store.Person{Customer: "C-8"}, wish("R-2", "ben", "", 8), notice("n-2", "R-2"))
	openWish(t, s, store.Person{Number: "+447700900777"}, wish("R-3", "ben", "", 8))
	call := story{s, s.NextCall()}
	call.arrives(0)
	s.Identified(call.call, "C-7")
	flush(t, s)

	kept, err := s.Export(ctx, store.Person{Customer: "C-7"})
	ok(t, err)
	if len(kept.Requests) != 1 || kept.Requests[0].Title != "Line is dead" || len(kept.Requests[0].Steps) != 1 {
		t.Fatalf("exported: %s", show(kept.Requests))
	}
	gone, err := s.Erase(ctx, store.Person{Customer: "C-7"})
	ok(t, err)
	equal(t, "erased", gone, store.Erased{Customer: true, Accounts: 1, Calls: 1, Requests: 1})
	_, err = s.Request(ctx, "R-1")
	missing(t, "his", err)
	steps, err := s.RequestSteps(ctx, "R-1")
	ok(t, err)
	equal(t, "his steps", len(steps), 0)
	due, err := s.DueNotices(ctx, T0)
	ok(t, err)
	if len(due) != 1 || due[0].Ref != "R-2" {
		t.Fatalf("left to be told: %s", show(due))
	}
	ok(t, s.NoticeSent(ctx, &store.Notice{ID: "n-1", Ref: "R-1"}))
	late := wish("R-4", "ben", "", 8)
	late.Call = call.call
	_, _, err = s.OpenRequest(ctx, store.Person{Customer: "C-7"}, late, stepOf("opened", "ben", ""), nil)
	missing(t, "in the call he had when he was erased", err)

	kept, err = s.Export(ctx, store.Person{Number: "+447700900777"})
	ok(t, err)
	equal(t, "exported by number", len(kept.Requests), 1)
	gone, err = s.Erase(ctx, store.Person{Number: "+447700900777"})
	ok(t, err)
	equal(t, "erased by number", gone, store.Erased{Requests: 1})
	list, err := s.Requests(ctx, store.RequestFilter{})
	ok(t, err)
	equal(t, "left", refs(list), "R-2")
}

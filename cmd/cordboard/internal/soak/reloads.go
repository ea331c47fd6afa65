package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/store"
)

// reloads makes versions of the routing document live one after the other while
// calls come and wait, by turns with keep and with apply. No call may be lost by
// that, no counter may go back, and the order of those who wait stays.
type reloads struct {
	o           *office
	live, apply int
	longest     time.Duration // from the request to its answer
	before      map[string]float64
	looks       int
	resets      int
	bad         []string
}

// reloadVariants are how many documents take turns.
const reloadVariants = 5

// looksEvery so many reloads the counters are held against what they were.
const looksEvery = 20

func (r *reloads) wrong(format string, args ...any) {
	if len(r.bad) < 20 {
		r.bad = append(r.bad, fmt.Sprintf(format, args...))
	}
}

// run makes as many reloads as the settings say, evenly over the run.
func (r *reloads) run(ctx context.Context) {
	numbers, err := r.save(ctx)
	if err != nil {
		r.wrong("the versions could not be saved: %v", err)
		return
	}
	every := r.o.length / time.Duration(r.o.reloads+1)
	next := time.Now()
	for r.live < r.o.reloads {
		next = next.Add(every)
		pause(ctx, time.Until(next))
		if ctx.Err() != nil {
			return
		}
		waiting := []string{routing.KeepWaiting, routing.ApplyWaiting}[r.live%2]
		begun := time.Now()
		status, err := r.ask(ctx, "activations", "", map[string]any{"version": numbers[r.live%len(numbers)], "waiting": waiting, "ticked": true}, nil)
		if err != nil || status != http.StatusOK {
			if ctx.Err() == nil {
				r.wrong("reload %d: HTTP %d, %v", r.live+1, status, err)
			}
			return
		}
		r.longest = max(r.longest, time.Since(begun))
		r.live++
		if waiting == routing.ApplyWaiting {
			r.apply++
		}
		if r.live%looksEvery == 0 {
			r.look(ctx)
		}
	}
}

// save stores the documents that take turns, each made from the one before.
func (r *reloads) save(ctx context.Context) (numbers []int, err error) {
	var now struct {
		Latest struct{ SHA256 string }
	}
	if status, err := r.ask(ctx, "", "", nil, &now); err != nil || status != http.StatusOK {
		return nil, fmt.Errorf("HTTP %d: %w", status, err)
	}
	parent := now.Latest.SHA256
	for n := range reloadVariants {
		var saved struct {
			Version struct {
				Version int
				SHA256  string
			}
		}
		in := map[string]any{"document": document(r.o.ids, r.o.contact, n+1), "comment": "a turn"}
		if status, err := r.ask(ctx, "versions", parent, in, &saved); err != nil || status != http.StatusCreated {
			return nil, fmt.Errorf("HTTP %d: %w", status, err)
		}
		parent = saved.Version.SHA256
		numbers = append(numbers, saved.Version.Version)
	}
	return numbers, nil
}

// ask makes one request of the routing part of the API, or of the board.
func (r *reloads) ask(ctx context.Context, what, parent string, in, out any) (status int, err error) {
	base := "http://" + r.o.server.web
	method, path := http.MethodGet, strings.TrimSuffix("/api/v1/routing/"+what, "/")
	if what == "board" {
		path = "/api/v1/board"
	}
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return 0, err
		}
		method, body = http.MethodPost, bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, base+path, body)
	if err != nil {
		return 0, err
	}
	req.Header.Set("Origin", base)
	if parent != "" {
		req.Header.Set("If-Match", `"`+parent+`"`)
	}
	req.AddCookie(&http.Cookie{Name: "cordboard." + adminID, Value: r.o.server.admins})
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err == nil && out != nil {
		err = json.Unmarshal(text, out)
	}
	return res.StatusCode, err
}

// look holds the counters of /metrics and of the board against those of the
// look before.
func (r *reloads) look(ctx context.Context) {
	now := map[string]float64{}
	g, err := r.o.server.gauges(ctx)
	if err != nil {
		return
	}
	for name, v := range g.value {
		if strings.HasPrefix(name, "cordboard_") && strings.Contains(name, "_total") {
			now[name] = v
		}
	}
	var board struct {
		Queues []struct {
			Name                         string
			Offered, Answered, Abandoned float64
		}
	}
	if status, err := r.ask(ctx, "board", "", nil, &board); err != nil || status != http.StatusOK {
		return
	}
	for _, q := range board.Queues {
		now[q.Name+" offered"], now[q.Name+" answered"], now[q.Name+" abandoned"] = q.Offered, q.Answered, q.Abandoned
	}
	for name, v := range r.before {
		if now[name] < v {
			r.resets++
			r.wrong("the counter %s went from %.0f to %.0f", name, v, now[name])
		}
	}
	r.before = now
	r.looks++
}

// verdict says how it went, with the ledger's word on what became of the calls.
func (r *reloads) verdict(outcomes map[string]int64, order *turns) []string {
	c := r.o.callers
	// Who is refused before being taken met a machine that could not keep up.
	lost := c.silent.Load() + c.overdue.Load()
	if r.live != r.o.reloads {
		r.wrong("%d of %d reloads", r.live, r.o.reloads)
	}
	if lost > 0 || outcomes[string(routing.Failed)] > 0 {
		r.wrong("%d calls had no answer or no end, %d failed", lost, outcomes[string(routing.Failed)])
	}
	if r.looks == 0 {
		r.wrong("nobody looked at the counters")
	}
	overtaken, waited := order.count()
	for _, line := range overtaken {
		r.wrong("%s", line)
	}
	fmt.Printf("soak: reloads: %d of %d live, %d of them with apply, the longest answered in %v\n", r.live, r.o.reloads, r.apply, r.longest.Round(time.Millisecond))
	fmt.Printf("soak: reloads: dropped: %d of %d calls; counters: %d reset, in %d looks; order: %d of %d first offers out of turn, %d of them had waited\n",
		lost+outcomes[string(routing.Failed)], c.heard.Load(), r.resets, r.looks, len(overtaken), len(order.offers), waited)
	return r.bad
}

// turns are the calls of the queues whose need and priority are one: whoever
// waits longest is offered first.
type turns struct{ offers []turn }

type turn struct {
	call           routing.CallID
	since          time.Time // it arrived
	queued, offers time.Time // zero: never offered
	ended          time.Time
}

// add notes a call up to its first offer; what an agent passed on has a turn of
// its own.
func (t *turns) add(row store.LedgerRow, events []store.Event) {
	out := turn{call: row.Call, since: row.ArrivedAt, ended: row.EndedAt}
	for _, e := range events {
		switch e.Kind {
		case (routing.Enqueued{}).Kind():
			if out.queued.IsZero() {
				out.queued = e.At
				var told struct{ Since time.Time }
				if json.Unmarshal(e.Data, &told) == nil && !told.Since.IsZero() {
					out.since = told.Since // the engine's, which the order goes by
				}
			}
		case (routing.OfferCall{}).Kind():
			if out.offers.IsZero() {
				out.offers = e.At
			}
		}
	}
	if !out.queued.IsZero() {
		t.offers = append(t.offers, out)
	}
}

// sameInstant is how far apart the ledger's instants of one step may stand.
const sameInstant = 2 * time.Millisecond

// count tells of first offers at which an older call waited that had none yet,
// and how many calls waited at all.
func (t *turns) count() (bad []string, waited int) {
	slices.SortFunc(t.offers, func(a, b turn) int { return a.queued.Compare(b.queued) })
	for i, b := range t.offers {
		if b.offers.IsZero() {
			continue
		}
		if b.offers.Sub(b.queued) > sameInstant {
			waited++
		}
		for _, a := range t.offers[max(0, i-5000):] {
			if a.queued.After(b.offers) {
				break
			}
			gone := a.offers
			if gone.IsZero() {
				gone = a.ended
			}
			if a.since.Before(b.since.Add(-sameInstant)) && a.queued.Before(b.offers.Add(-sameInstant)) && gone.After(b.offers.Add(sameInstant)) && len(bad) < 20 {
				bad = append(bad, fmt.Sprintf("call %d was offered at %s, before call %d, which had come %s earlier", b.call, b.offers.Format("15:04:05.000"), a.call, b.since.Sub(a.since)))
			}
		}
	}
	return bad, waited
}

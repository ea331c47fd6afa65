package app

import (
	"bytes"
	"encoding/json"
	"net"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/store"
)

// told checks the log's line of a call against its row in the ledger.
func (w *world) told(r store.LedgerRow) {
	w.Helper()
	var lines []observer.LoggedEntry
	w.eventually("the call's end in the log", func() bool {
		lines = w.logs.FilterMessage("call ended").FilterField(zap.Int64("call", int64(r.Call))).All()
		return len(lines) > 0
	})
	want := map[string]any{
		"call": int64(r.Call), "queue": r.Queue, "agent": string(r.Agent), "outcome": string(r.Outcome), "by": string(r.EndedBy), "reason": r.Reason,
		"wait_ms": r.Wait.Milliseconds(), "talk_ms": r.Talk.Milliseconds(), "offers": int64(r.Offers), "transfers": int64(r.Transfers),
	}
	got := lines[0].ContextMap()
	total, _ := got["total_ms"].(int64)
	// Since the engine heard of it, a moment after the edge; the ledger's instants are in microseconds.
	from := w.heardOf(r.Call)
	if slices.Contains(w.restored, r.Call) {
		from = r.ArrivedAt // as the ledger had it at the start
	}
	if lived := r.EndedAt.Sub(from).Milliseconds(); total < lived-1 || total > lived+1 {
		w.Errorf("call %d: the log says that it lived %d ms, the ledger %d", r.Call, total, lived)
	}
	delete(got, "total_ms")
	// A call that never waited nor talked waited from its arrival on.
	if r.QueuedAt.IsZero() {
		delete(got, "wait_ms")
		delete(want, "wait_ms")
	}
	if len(lines) != 1 || !reflect.DeepEqual(got, want) {
		w.Errorf("%d lines in the log, the first\n%v\nledger\n%v", len(lines), got, want)
	}
}

// heardOf is when the engine first spoke of a call.
func (w *world) heardOf(call routing.CallID) time.Time {
	w.Helper()
	events, err := w.app.Store().Events(w.Context(), call)
	w.must(err)
	for _, e := range events {
		switch e.Kind {
		case routing.ResolveCustomer{}.Kind(), routing.Enqueued{}.Kind(), routing.EndCall{}.Kind():
			return e.At
		}
	}
	w.Fatalf("call %d: no word of the engine among %d events", call, len(events))
	return time.Time{}
}

// What comes after a call's end opens it no more, and nothing is kept of it.
func TestTallyForgetsWhatHasEnded(t *testing.T) {
	core, logs := observer.New(zap.InfoLevel)
	l := newCallLog(zap.New(core))
	at := time.UnixMicro(1_000_000)
	offer := routing.Offer{Call: 7, Agent: "anna", Attempt: 1}
	l.Do(at, []routing.Action{routing.ResolveCustomer{Call: 7}, routing.Enqueued{Call: 7, Queue: "care", Since: at}})
	l.Do(at.Add(2*time.Second), []routing.Action{routing.Connect{Offer: offer, Answered: at.Add(2 * time.Second)}})
	l.Do(at.Add(5*time.Second), []routing.Action{routing.EndCall{Call: 7, Outcome: routing.Answered, By: routing.ByCaller}, routing.WrapUpStarted{Offer: offer}})
	l.Do(at.Add(9*time.Second), []routing.Action{routing.WrapUpFinished{Offer: offer}, routing.EndCall{Call: 8, Outcome: routing.Failed, By: routing.ByServer, Reason: "x"}})
	want := []map[string]any{
		{"call": int64(7), "queue": "care", "agent": "anna", "outcome": "answered", "by": "caller", "reason": "", "wait_ms": int64(2000), "talk_ms": int64(3000), "total_ms": int64(5000), "offers": int64(0), "transfers": int64(0)},
		{"call": int64(8), "queue": "", "agent": "", "outcome": "failed", "by": "server", "reason": "x", "wait_ms": int64(0), "talk_ms": int64(0), "total_ms": int64(0), "offers": int64(0), "transfers": int64(0)},
	}
	var got []map[string]any
	for _, e := range logs.All() {
		got = append(got, e.ContextMap())
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("logged\n%v\nwant\n%v", got, want)
	}
	if live := l.tally.Live(); live != 0 {
		t.Errorf("%d calls are kept after their end", live)
	}
}

// What net/http has to say goes into the log as everything else does.
func TestHTTPErrorsGoThroughTheLog(t *testing.T) {
	core, logs := observer.New(zap.InfoLevel)
	a := serving(t, zap.New(core))
	c, err := net.Dial("tcp", a.WebAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Write([]byte("GET / HTTP/1.0\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	var answer bytes.Buffer
	if _, err := answer.ReadFrom(c); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(20 * time.Second)
	for logs.FilterMessage("a TLS handshake failed").Len() == 0 {
		if time.Now().After(deadline) {
			t.Fatalf("the log says %v", logs.All())
		}
		time.Sleep(time.Millisecond) // until net/http has said it
	}
	e := logs.FilterMessage("a TLS handshake failed").All()[0].ContextMap()
	if e["source"] != c.LocalAddr().String() || !strings.Contains(e["reason"].(string), "HTTP request") {
		t.Errorf("logged %v", e)
	}
	start := logs.FilterMessage("serving").All()
	if len(start) != 1 {
		t.Fatalf("%d lines at the start", len(start))
	}
	text, err := json.Marshal(start[0].ContextMap()["sip"])
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"udp:" + a.stack.Addr("udp").String(), "tls:" + a.stack.Addr("tls").String()}
	var listed []string
	if err := json.Unmarshal(text, &listed); err != nil || !slices.Equal(listed, want) {
		t.Errorf("serving SIP at %s, want %v", text, want)
	}
}

package app

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/screenpop/customer"
	"github.com/cordboard/cordboard/screenpop/desktest"
	"github.com/cordboard/cordboard/store"
)

// balanceOfDana stands in what the billing system says of her, and nowhere else.
const balanceOfDana = -987654

// billingSystem is an outside system that does as it is told.
type billingSystem struct {
	*httptest.Server
	how   atomic.Value // "" as it should, else by which fault
	asked atomic.Int32
	hung  chan struct{} // closed at the end
}

func newBilling(t *testing.T) *billingSystem {
	b := &billingSystem{hung: make(chan struct{})}
	b.how.Store("")
	b.Server = httptest.NewServer(http.HandlerFunc(b.serve))
	t.Cleanup(func() { close(b.hung); b.Close() })
	return b
}

func (b *billingSystem) serve(w http.ResponseWriter, r *http.Request) {
	b.asked.Add(1)
	w.Header().Set("Content-Type", "application/json")
	switch how := b.how.Load(); how {
	case "hung":
		select {
		case <-b.hung:
		case <-r.Context().Done():
		}
	case "refuses":
		w.WriteHeader(http.StatusInternalServerError)
	case "rubbish":
		fmt.Fprint(w, `{"balance": "plenty"`)
	case "huge":
		fmt.Fprint(w, `"`+strings.Repeat("x", 2<<20)+`"`)
	case "lies":
		fmt.Fprint(w, `{"customer": "LW-2", "minor": 1}`)
	default:
		fmt.Fprintf(w, `{"customer": %q, "minor": %d}`, strings.TrimPrefix(r.URL.Path, "/"), balanceOfDana)
	}
}

func (b *billingSystem) section(more string) string {
	return `sources:
  billing:
    kind: http
    url: "` + b.URL + `/{id}"
    about: body.customer
    record: {billing: '{balance: {minor: body.minor, currency: "GBP"}}'}
` + more
}

// source waits until anna's desk shows a card in the talk whose billing is so.
func (w *world) source(state string) (card desktest.Card) {
	w.Helper()
	w.screen(anna, "billing that is "+state, func(s desktest.State) bool {
		for _, card = range s.Cards {
			if card.Phase == "talking" && len(card.Sources) == 1 && card.Sources[0].State == state {
				return true
			}
		}
		return false
	})
	return card
}

// TestSources: what an outside system knows of the caller comes onto the desk; whatever
// it does instead, SIPp's call is answered, its pop is painted before the ring and says
// how the system does, and neither log nor database has heard of any of it.
func TestSources(t *testing.T) {
	for _, db := range Databases {
		t.Run(db.Case("known"), func(t *testing.T) {
			t.Parallel()
			b := newBilling(t)
			w := newWorld(t, setup{at: []agents.ID{anna}, store: db, filled: b.section("    fresh: 1h\n")})
			for n := 1; n <= 2; n++ { // the second time it need not be asked
				c := w.dial(dial{to: toCare})
				card := w.source("ok")
				want := customer.Money{Minor: balanceOfDana, Currency: "GBP"}
				if x := card.Record.Billing; x == nil || x.Balance != want || x.Source != "billing" || x.At.IsZero() || b.asked.Load() != 1 {
					t.Errorf("call %d: %+v, asked %d times", n, x, b.asked.Load())
				}
				c.hears(agentTone[anna])
				c.hangsUp()
				w.state(anna, "available")
			}
			w.settled(answeredByCaller, answeredByCaller)
			if left := w.found([]string{fmt.Sprint(balanceOfDana)}); len(left) > 0 {
				t.Errorf("kept: %v", left)
			}
			_, err := AskToErase(w.ctx, w.app.Server(), store.Person{Customer: "LW-1"}, "me")
			w.must(err)
			told := make(chan customer.Told, 1)
			if now := w.app.beside.Ask(customer.Subject{ID: "LW-1", Number: dana}, func(t customer.Told) { told <- t }); now[0].Part != nil {
				t.Error("what was said of somebody who was erased is remembered")
			}
			<-told // nobody is left behind
		})
	}
	for _, fault := range []string{"hung", "refuses", "rubbish", "huge", "lies", "dead"} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			b := newBilling(t)
			b.how.Store(fault)
			filled := b.section("    timeout: 300ms\n")
			if fault == "dead" {
				l, err := net.Listen("tcp", "127.0.0.1:0")
				if err != nil {
					t.Fatal(err)
				}
				filled = strings.Replace(filled, b.URL, "http://"+l.Addr().String(), 1)
				_ = l.Close()
			}
			w := newWorld(t, setup{at: []agents.ID{anna}, filled: filled})
			c := w.dial(dial{to: toCare})
			card := w.source("failed")
			if card.Record == nil || card.Record.ID != "LW-1" || card.Record.Billing != nil || card.Match != "exact" {
				t.Errorf("%+v", card.Record)
			}
			c.hears(agentTone[anna])
			c.hangsUp()
			w.settled(answeredByCaller)
			for _, e := range w.logs.All() {
				if line := fmt.Sprint(e.Message, e.ContextMap()); strings.Contains(line, "LW-1") || strings.Contains(line, strings.TrimPrefix(dana, "+")) {
					t.Errorf("logged: %s", line)
				}
			}
		})
	}
}

package screenpop_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/screenpop"
	"github.com/cordboard/cordboard/screenpop/customer"
)

// A caller who withholds the number is found by it, and no desk is told it: the
// record comes without it, the customer's other numbers stay.
func TestWithheldNumberIsNotSent(t *testing.T) {
	const withheld, other = "+447700900417", "+441632960118"
	one, two := dana(), dana()
	one.Numbers = []customer.Number{{E164: other, Label: "home"}, {E164: withheld, Label: "mobile"}}
	two.ID, two.Numbers = "LW-2002", []customer.Number{{E164: withheld}}
	for name, m := range map[string]customer.Match{
		"exact":   {Record: &one},
		"several": {Candidates: []customer.Record{one, two}},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.find(func(_ context.Context, number string) (customer.Match, error) {
				if number != withheld {
					t.Errorf("looked up by %q", number)
				}
				return m, nil
			})
			r.hub.OpenCard(screenpop.NewCall{
				Call: 1, At: time.Now(), Lookup: withheld, Dialled: "+448081570142",
				Caller: screenpop.CallerInfo{Source: "pai", Trusted: true, Restricted: true},
			})
			r.do(routing.ResolveCustomer{Call: 1})
			r.do(routing.Enqueued{Call: 1, Queue: "care", Since: time.Now(), Entered: time.Now()})
			<-r.resolved
			d := r.dial("priya")
			r.offer(offerOf(1, 1, "priya"), "care", routing.RingAuto)
			event(r, anyOf[routing.PopAcked])
			card := d.Seen()[0].Card
			text, err := json.Marshal(card)
			if err != nil {
				t.Fatal(err)
			}
			if card.Match != name || strings.Contains(string(text), withheld) || !strings.Contains(string(text), other) {
				t.Errorf("match %s, the desk was sent %s", card.Match, text)
			}
		})
	}
	if one.Numbers[1].E164 != withheld || two.Numbers[0].E164 != withheld {
		t.Error("the cache's record has lost the number")
	}
}

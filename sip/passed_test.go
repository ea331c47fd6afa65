package sip

import (
	"slices"
	"strings"
	"testing"

	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/sip/stack"
)

// The agent's telephone is shown those headers of the caller's that his trunk lets
// pass, the next agent's too, and a number that is called by a trunk none.
func TestPassedHeaders(t *testing.T) {
	t.Parallel()
	far, phone := newPeer(t), newPeer(t)
	w := newWorld(t, worldOptions{media: MediaRelay, tune: func(g *Gateway) {
		out(g, "carrier", far, Outward{})
		for i := range g.trunks {
			g.trunks[i].Pass = []string{"X-Account", "User-to-User", "X-Long"}
		}
	}})
	_, a := w.arrives(newPeer(t), stack.Header{Name: "x-account", Value: "4711, and more"}, stack.Header{Name: "X-Account", Value: "4712"},
		stack.Header{Name: "User-to-User", Value: "56a390f3;encoding=hex"}, stack.Header{Name: "X-Long", Value: strings.Repeat("x", longestPassed+1)},
		stack.Header{Name: "X-Secret", Value: "partner"}, stack.Header{Name: "Call-Info", Value: "<sip:x>;answer-after=0"}, stack.Header{Name: "Alert-Info", Value: "<urn:x>"})
	of := func(m *stack.Message) (out []string) {
		for _, h := range m.Headers {
			if n := strings.ToLower(h.Name); n != "x-cordboard-call" && (strings.HasPrefix(n, "x-") || strings.HasSuffix(n, "-info") || n == "user-to-user") {
				out = append(out, h.Name+": "+h.Value)
			}
		}
		slices.Sort(out)
		return out
	}
	o := routing.Offer{Call: a.Call, Attempt: 1, Agent: "anna"}
	want := []string{"User-to-User: 56a390f3;encoding=hex", "X-Account: 4711, and more", "X-Account: 4712"}
	if got := of(w.ringing(phone, o).invite); !slices.Equal(got, want) {
		t.Errorf("the telephone is shown %q, want %q", got, want)
	}
	w.do(sendTo(a.Call))
	if got := of(get(t, "INVITE to the number", far.calls).invite); len(got) != 0 {
		t.Errorf("what leaves by a trunk: %q", got)
	}
	w.do(routing.EndCall{Call: a.Call, Outcome: routing.Treated, By: routing.ByServer})
}

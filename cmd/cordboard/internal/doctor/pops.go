package doctor

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/cordboard/cordboard/configs"
	"github.com/cordboard/cordboard/sip/locate"
	"github.com/cordboard/cordboard/sip/stack"
)

// subscribing is asked for a telephone's dialog events. For none at all Asterisk is
// not to be asked first (RFC 6665 4.4.3 has it so): for as long as the server asks,
// then, and taken back.
func subscribing(long time.Duration) string {
	return fmt.Sprintf("Event: dialog\r\nAccept: application/dialog-info+xml\r\nExpires: %d\r\n", int(long/time.Second))
}

// telephones asks each PBX that is to tell of its telephones' calls by SIP for the
// state of each.
func telephones(ctx context.Context, p Patient) (out []Line) {
	for _, source := range p.Server.Pops {
		i := slices.IndexFunc(p.Server.SIP.Trunks, func(t configs.Trunk) bool { return t.Name == source.Trunk })
		if i < 0 || p.Server.SIP.Trunks[i].Out == nil {
			continue // it tells by HTTP
		}
		out = append(out, watched(ctx, p.Server, source, p.Server.SIP.Trunks[i])...)
	}
	return out
}

func watched(ctx context.Context, s *configs.Server, source configs.Pops, t configs.Trunk) []Line {
	of := "pops." + source.Name + ".extensions"
	to, err := servers(ctx, s, t.Out)
	if err != nil {
		return nil // names has said it
	}
	login, err := loginOf(t)
	if err != nil {
		return nil // trunks has
	}
	var asked sync.WaitGroup
	places, refused, without := make(chan struct{}, phonesAtOnce), make([]string, len(source.Extensions)), make([]bool, len(source.Extensions))
	for i, extension := range source.Extensions {
		asked.Go(func() {
			places <- struct{}{}
			defer func() { <-places }()
			refused[i], without[i] = telephone(ctx, s, kind{"SUBSCRIBE", subscribing(source.Expires)}, stack.EscapeUser(extension)+"@"+t.Out.Host, to, login)
			if refused[i] != "" {
				refused[i] = extension + " (" + refused[i] + ")"
			}
		})
	}
	asked.Wait()
	refused = slices.DeleteFunc(refused, func(r string) bool { return r == "" })
	all := len(source.Extensions)
	says := fmt.Sprintf("of %d of %d telephones the PBX tells", all-len(refused), all)
	switch {
	case len(refused) == 0:
		return []Line{ok(of, "%s", says)}
	case slices.Contains(without, true):
		return []Line{bad(Fail, of, says+": it knows no dialog events (489 Bad Event)", "Switch them on there, or have it tell by HTTP")}
	}
	if more := len(refused) - mostNamed; more > 0 {
		refused = append(refused[:mostNamed], fmt.Sprintf("and %d more", more))
	}
	return []Line{bad(Warn, of, says+"; not of "+strings.Join(refused, ", "), "It wants a hint for each of them, and to let this machine ask; no record pops for the others' calls")}
}

// mostNamed is how many telephones are named that are not told of.
const mostNamed = 20

// telephone says why a PBX does not tell of one; "" where it does. without: it knows
// no dialog events.
func telephone(ctx context.Context, s *configs.Server, what kind, uri string, to []locate.Server, login *stack.Login) (why string, without bool) {
	for _, at := range to {
		a, err := ask(ctx, s, what, uri, at, login)
		switch {
		case err != nil:
			why = err.Error()
			continue
		case a.code/100 == 2:
			return "", false
		}
		return fmt.Sprintf("%d %s", a.code, a.reason), a.code == 489
	}
	return why, false
}

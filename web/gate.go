package web

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
)

// gate lets outside systems in, each by a token of its own. They come from no page:
// neither Origin nor cookie counts for them.
type gate struct {
	what      string // for the log: "a PBX"
	systems   []outsider
	strangers *limiter // by address
	each      *limiter // by system
	counted   *prometheus.CounterVec
	log       *zap.Logger
}

type outsider struct {
	token [sha256.Size]byte
	name  string
}

// What one system may send at once, and then one each interval: a call of a PBX has
// three or four events.
const (
	gateBurst = 500
	gateEach  = 10 * time.Millisecond
)

func newGate(what string, tokens map[string]string, counter prometheus.CounterOpts, log *zap.Logger) *gate {
	g := &gate{
		what: what, strangers: newLimiter(20, 3*time.Second), each: newLimiter(gateBurst, gateEach), log: log,
		counted: prometheus.NewCounterVec(counter, []string{"source", "result"}),
	}
	for token, name := range tokens {
		g.systems = append(g.systems, outsider{sha256.Sum256([]byte(token)), name})
	}
	return g
}

var problemToken = &problem{Status: 401, Code: "bad_token", Title: "The token is not known"}

// let is the system that shows its token and has not sent too much. Nothing that
// strangers do holds one up: behind a proxy they have one address.
func (g *gate) let(r *http.Request, now time.Time) (name string, err error) {
	name, ok := g.whose(r)
	if !ok {
		from := source(r)
		if wait, ok := g.strangers.try(from, now); !ok {
			g.counted.WithLabelValues("", "too_many").Inc()
			return "", tooMany(wait)
		}
		g.counted.WithLabelValues("", "bad_token").Inc()
		g.log.Warn(g.what+"'s token was refused", zap.String("source", from))
		return "", problemToken
	}
	if wait, ok := g.each.try(name, now); !ok {
		g.counted.WithLabelValues(name, "too_many").Inc()
		return "", tooMany(wait)
	}
	return name, nil
}

func tooMany(wait time.Duration) error {
	p := *problemTooMany
	p.retryAfter = int(wait/time.Second) + 1
	return &p
}

// whose is the system that shows the token, as a bearer's or in the address. All
// are looked at, so that the time it takes says nothing.
func (g *gate) whose(r *http.Request) (name string, ok bool) {
	shown := r.PathValue("token")
	if scheme, token, is := strings.Cut(r.Header.Get("Authorization"), " "); is && strings.EqualFold(scheme, "Bearer") && shown == "" {
		shown = strings.TrimSpace(token)
	}
	sum := sha256.Sum256([]byte(shown))
	for _, s := range g.systems {
		if subtle.ConstantTimeCompare(sum[:], s.token[:]) == 1 {
			name, ok = s.name, true
		}
	}
	return name, ok
}

// fromOutside says whether a request is a system's, to be let in by its token.
func fromOutside(r *http.Request) bool {
	for _, path := range []string{pbxPath, sentPath, askedPath, requestsPath, consentsPath, decisionsPath} {
		if r.URL.Path == path || strings.HasPrefix(r.URL.Path, path+"/") {
			return true
		}
	}
	return false
}

package web

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// NewOrigins returns the check of a request's Origin: its own host, or one of
// those allowed ("https://desk.example.com"). A request without an Origin is
// not let through: browsers send one with everything that changes something.
func NewOrigins(allowed []string) (func(*http.Request) bool, error) {
	set := make(map[string]bool, len(allowed))
	for _, a := range allowed {
		u, err := url.Parse(a)
		if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.Path != "" || u.RawQuery != "" {
			return nil, fmt.Errorf("web: %q is no origin (https://host[:port])", a)
		}
		set[strings.ToLower(u.Scheme+"://"+u.Host)] = true
	}
	return func(r *http.Request) bool {
		origins := r.Header.Values("Origin")
		if len(origins) != 1 {
			return false
		}
		origin := strings.ToLower(origins[0])
		if set[origin] {
			return true
		}
		u, err := url.Parse(origin)
		if err != nil || u.Path != "" || u.RawQuery != "" || u.User != nil {
			return false
		}
		// A proxy may speak https for us, so http at our end says nothing; a
		// plain page is foreign to a server reached by TLS.
		scheme := u.Scheme == "https" || (u.Scheme == "http" && r.TLS == nil)
		return scheme && u.Host != "" && strings.EqualFold(u.Host, r.Host)
	}, nil
}

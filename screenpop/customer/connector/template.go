package connector

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/cordboard/cordboard/screenpop/customer"
)

// template is a request with places in it: {id}, the customer number, {number}, the
// caller's in E.164, {digits}, the same without +, and {token}, our own, for systems
// that want it there.
type template struct {
	method, url, body string
	token             string
}

var placePattern = regexp.MustCompile(`\{[^{}]*\}`)

func readTemplate(s Settings) template {
	t := template{method: http.MethodGet, url: s.Must("url"), body: s.Text("body")}
	if t.body != "" {
		t.method = http.MethodPost
		var any any
		if err := json.Unmarshal([]byte(placePattern.ReplaceAllStringFunc(t.body, func(p string) string {
			if isPlace(p) {
				return ""
			}
			return p
		})), &any); err != nil {
			s.Wrong("body", "this is no JSON (places stand inside of texts, \"{id}\")")
		}
	}
	if t.url == "" {
		return t
	}
	u, err := url.Parse(placePattern.ReplaceAllString(t.url, "0"))
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		s.Wrong("url", "this is no http or https address")
	case u.User != nil:
		s.Wrong("url", "a name and a password do not belong into an address: user and password_file")
	case strings.ContainsAny(hostOf(t.url), "{}"):
		s.Wrong("url", "who is asked is not the caller's choice: places stand behind the host")
	}
	for _, p := range placePattern.FindAllString(t.url, -1) {
		if !isPlace(p) {
			s.Wrong("url", "%s is not known; there are {id}, {number}, {digits} and {token}", p)
		}
	}
	if !strings.Contains(t.url+t.body, "{id}") && !t.byNumber() {
		s.Wrong("url", "it does not say whom it asks about: {id}, {number} or {digits}, here or in body")
	}
	return t
}

const tokenPlace = "{token}"

func isPlace(p string) bool {
	return p == "{id}" || p == "{number}" || p == "{digits}" || p == "{token}"
}

// hostOf is all before the path.
func hostOf(address string) string {
	_, rest, _ := strings.Cut(address, "://")
	return rest[:strings.IndexAny(rest+"/", "/?#")]
}

func (t template) byNumber() bool {
	all := t.url + t.body
	return strings.Contains(all, "{number}") || strings.Contains(all, "{digits}")
}

// fits says whether there is what the places want. A dot segment as id would lead to
// another address (RFC 3986 section 5.2.4).
func (t template) fits(who customer.Subject) bool {
	return who.ID != "." && who.ID != ".." && (who.Number != "" || !t.byNumber())
}

// make fills the places in. What stands there is escaped as its place asks: a
// customer number can't lead anywhere else.
func (t template) make(ctx context.Context, who customer.Subject) (*http.Request, error) {
	path, query, asks := strings.Cut(t.url, "?")
	address := t.filled(path, who, url.PathEscape)
	if asks {
		address += "?" + t.filled(query, who, url.QueryEscape)
	}
	body := t.filled(t.body, who, escapedJSON)
	req, err := http.NewRequestWithContext(ctx, t.method, address, strings.NewReader(body))
	if err != nil {
		return nil, withoutURL(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	return req, nil
}

func (t template) filled(text string, who customer.Subject, escape func(string) string) string {
	return strings.NewReplacer(
		"{id}", escape(who.ID), "{number}", escape(who.Number), "{digits}", escape(strings.TrimPrefix(who.Number, "+")), tokenPlace, escape(t.token),
	).Replace(text)
}

// escapedJSON is what stands between the quotes of a JSON text.
func escapedJSON(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		return ""
	}
	return string(b[1 : len(b)-1])
}

package web

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/cordboard/cordboard/screenpop/customer"
)

// Bounds of an interaction's texts, in bytes.
const (
	maxSentID    = 64
	maxSentTitle = 200
	maxSentText  = 2000
	maxSentWord  = 100
	maxSentURL   = 1000
	maxSentLinks = 10
	maxTalk      = 7 * 24 * 60 * 60 // seconds
)

// sentAhead is how far the sender's clock may be ahead of ours.
const sentAhead = 5 * time.Minute

// sentChannels are the ways that an interaction may have come by.
var sentChannels = []string{"call", "web", "chat", "mail", "sms", "shop", "visit", "fax"}

var problemSent = &problem{Status: 422, Code: "bad_interaction", Title: "The interaction cannot be taken"}

// sentWire is the body of PUT /api/v1/interactions/{source}/{id}.
type sentWire struct {
	Customer    string          `json:"customer"`
	Number      string          `json:"number"`
	At          string          `json:"at"`
	Channel     string          `json:"channel"`
	Title       string          `json:"title"`
	Detail      string          `json:"detail"`
	Topic       string          `json:"topic"`
	By          string          `json:"by"`
	Note        string          `json:"note"`
	Disposition string          `json:"disposition"`
	DurationS   int             `json:"duration_s"`
	PromisedBy  string          `json:"promised_by"`
	Kept        *bool           `json:"kept"`
	Links       []customer.Link `json:"links"`
}

// badSent names a field, never what stands in it.
func badSent(format string, args ...any) error {
	p := *problemSent
	p.Detail = fmt.Sprintf(format, args...)
	return &p
}

func readSent(w http.ResponseWriter, r *http.Request, now time.Time) (out SentInteraction, err error) {
	var in sentWire
	if err := body(w, r, &in); err != nil {
		return out, err
	}
	if err := in.check(r.PathValue("id")); err != nil {
		return out, err
	}
	at, err := instantOf("at", in.At)
	if err == nil && at.After(now.Add(sentAhead)) {
		err = badSent("at: lies ahead, it has not been yet")
	}
	if err != nil {
		return out, err
	}
	out = SentInteraction{ID: r.PathValue("id"), Customer: in.Customer, Number: in.Number, Interaction: customer.Interaction{
		At: at, Channel: in.Channel, Title: in.Title, Detail: in.Detail, Topic: in.Topic, Note: in.Note,
		Disposition: in.Disposition, DurationS: in.DurationS, Kept: in.Kept, Links: in.Links,
	}}
	if in.PromisedBy != "" {
		by, err := instantOf("promised_by", in.PromisedBy)
		if err != nil {
			return out, err
		}
		out.PromisedBy = &by
	}
	if in.By != "" {
		out.Agent = &customer.Colleague{Name: in.By}
	}
	if len(out.Links) == 0 {
		out.Links = nil
	}
	return out, nil
}

// instantOf reads an instant as it is kept.
func instantOf(name, text string) (time.Time, error) {
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return at, badSent("%s: want an instant of RFC 3339, such as 2026-11-23T10:00:00Z", name)
	}
	if at = at.UTC().Truncate(time.Microsecond); at.Year() < 1970 || at.Year() > 9999 {
		return at, badSent("%s: the year is not within 1970 to 9999", name)
	}
	return at, nil
}

func (in *sentWire) check(id string) error {
	for _, f := range []struct {
		name, text string
		most       int
		lines      bool
	}{
		{"id in the address", id, maxSentID, false}, {"customer", in.Customer, maxSentID, false}, {"number", in.Number, maxSentWord, false},
		{"title", in.Title, maxSentTitle, false}, {"detail", in.Detail, maxSentText, true}, {"topic", in.Topic, maxSentWord, false},
		{"by", in.By, maxSentWord, false}, {"note", in.Note, maxSentText, true}, {"disposition", in.Disposition, maxSentWord, false},
	} {
		if len(f.text) > f.most {
			return badSent("%s: at most %d bytes", f.name, f.most)
		}
		if strings.ContainsFunc(f.text, func(c rune) bool { return unprintable(c, f.lines) }) {
			return badSent("%s: a control character, or one that turns the direction of writing", f.name)
		}
	}
	switch {
	case (in.Customer == "") == (in.Number == ""):
		return badSent("customer, number: want one of them")
	case in.At == "":
		return badSent("at: is missing")
	case !slices.Contains(sentChannels, in.Channel):
		return badSent("channel: want one of %s", strings.Join(sentChannels, ", "))
	case strings.TrimSpace(in.Title) == "":
		return badSent("title: is missing")
	case in.DurationS < 0 || in.DurationS > maxTalk:
		return badSent("duration_s: want 0 to %d", maxTalk)
	case len(in.Links) > maxSentLinks:
		return badSent("links: at most %d", maxSentLinks)
	}
	for i, l := range in.Links {
		if why := linkFault(l); why != "" {
			return badSent("links[%d].%s", i, why)
		}
	}
	return nil
}

// unprintable are control characters, and those that would have a desk show
// something else than is written.
func unprintable(c rune, lines bool) bool {
	if lines && (c == '\n' || c == '\t') {
		return false
	}
	return unicode.IsControl(c) || unicode.Is(unicode.Bidi_Control, c)
}

// linkFault says what is wrong with a link, "" for nothing.
func linkFault(l customer.Link) string {
	if len(l.Title) > maxSentTitle || strings.ContainsFunc(l.Title, func(c rune) bool { return unprintable(c, false) }) {
		return fmt.Sprintf("title: at most %d bytes, without control characters", maxSentTitle)
	}
	if len(l.URL) > maxSentURL || strings.ContainsFunc(l.URL, func(c rune) bool { return c <= ' ' || c > '~' }) {
		return fmt.Sprintf("url: at most %d printable characters of ASCII", maxSentURL)
	}
	u, err := url.Parse(l.URL)
	switch {
	case err != nil || u.Scheme != "https" || u.Hostname() == "" || u.Opaque != "":
		return "url: want https://HOST/..."
	case u.User != nil:
		return "url: a user's name or password does not belong in it"
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return "url: the query cannot be read"
	}
	for key := range query {
		if isSecret(key) {
			return "url: a token, key or signature does not belong in it: whoever sees the record could use it"
		}
	}
	return ""
}

// isSecret says whether a key of a query names something that lets its bearer in.
func isSecret(key string) bool {
	key = strings.ToLower(key)
	for _, word := range []string{"token", "secret", "password", "passwd", "signature", "credential", "api_key", "apikey", "access_key", "session"} {
		if strings.Contains(key, word) {
			return true
		}
	}
	return slices.Contains([]string{"sig", "key", "auth", "jwt", "pwd", "code", "sid"}, key)
}

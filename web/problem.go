package web

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"go.uber.org/zap"
)

// problem is an error as a client is told of it (RFC 9457).
type problem struct {
	Status int    `json:"status"`
	Code   string `json:"code"`
	Title  string `json:"title"`
	Detail string `json:"detail"`

	retryAfter int // seconds
}

func (p *problem) Error() string { return p.Code }

var (
	problemBadRequest  = &problem{Status: 400, Code: "bad_request", Title: "The request cannot be read"}
	problemNoSession   = &problem{Status: 401, Code: "no_session", Title: "Sign in first"}
	problemWhichSeat   = &problem{Status: 401, Code: "which_seat", Title: "Several users are signed in here", Detail: "Name one by the header Cordboard-Seat or the query seat."}
	problemBadLogin    = &problem{Status: 401, Code: "bad_login", Title: "User or password is wrong"}
	problemForbidden   = &problem{Status: 403, Code: "forbidden", Title: "Your role does not allow this"}
	problemOrigin      = &problem{Status: 403, Code: "bad_origin", Title: "This page may not change anything here", Detail: "The Origin is neither the server's own nor a configured one."}
	problemNotFound    = &problem{Status: 404, Code: "not_found", Title: "There is nothing here"}
	problemNoCustomer  = &problem{Status: 404, Code: "no_customer", Title: "There is no such customer"}
	problemMethod      = &problem{Status: 405, Code: "method_not_allowed", Title: "This call has another method"}
	problemSeveral     = &problem{Status: 409, Code: "several", Title: "Several customers have the number"}
	problemTooLarge    = &problem{Status: 413, Code: "too_large", Title: "The request is too large"}
	problemBadSearch   = &problem{Status: 422, Code: "bad_search", Title: "Nothing can be looked for so"}
	problemTooMany     = &problem{Status: 429, Code: "too_many", Title: "Too many attempts"}
	problemInternal    = &problem{Status: 500, Code: "internal", Title: "The server could not do this"}
	problemUnavailable = &problem{Status: 503, Code: "unavailable", Title: "The server is busy", retryAfter: 2}
)

// fail answers with a problem; an error that is none is logged and told as
// internal.
func (s *Server) fail(w http.ResponseWriter, err error) {
	var p *problem
	var told any
	if full := (*refused)(nil); errors.As(err, &full) {
		p, told = &full.problem, full
	} else if found := (*notRead)(nil); errors.As(err, &found) {
		p, told = &found.problem, found
	} else if !errors.As(err, &p) {
		s.log.Error("request failed", zap.Error(err))
		p = problemInternal
	}
	if told == nil {
		told = p
	}
	h := w.Header()
	h.Set("Content-Type", "application/problem+json")
	h.Set("Cache-Control", "no-store")
	if p.retryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(p.retryAfter))
	}
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(told) // a client that has gone is not our error
}

func reply(w http.ResponseWriter, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return replyJSON(w, b)
}

func replyStatus(w http.ResponseWriter, status int, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(b) // a client that has gone is not our error
	return nil
}

func replyJSON(w http.ResponseWriter, b []byte) error {
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(b) // a client that has gone is not our error
	return nil
}

const maxBody = 16 << 10

// body reads a JSON object strictly.
func body(w http.ResponseWriter, r *http.Request, into any) error {
	return bodyOf(w, r, into, maxBody)
}

// bodyOf reads one of at most so many bytes.
func bodyOf(w http.ResponseWriter, r *http.Request, into any, most int64) error {
	text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, most))
	if err != nil {
		var large *http.MaxBytesError
		if errors.As(err, &large) {
			return problemTooLarge
		}
		return problemBadRequest
	}
	if at := notUTF8(text); at >= 0 { // the decoder would put something else in its place
		return malformed("byte %d is not UTF-8 (RFC 8259 8.1)", at+1)
	}
	if at := halfCharacter(text); at >= 0 { // nor from this
		return malformed("byte %d begins half a character: a surrogate without its other one (RFC 8259 8.2)", at+1)
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		return unread(err)
	}
	end := dec.InputOffset()
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return malformed("something follows the JSON object, which ends at byte %d", end)
	}
	return nil
}

// malformed is a request that cannot be read, with what is wrong and where.
func malformed(format string, args ...any) *problem {
	p := *problemBadRequest
	p.Detail = fmt.Sprintf(format, args...)
	return &p
}

// unread says where a body is no JSON, or not the object that is wanted. It names
// fields and kinds, never what stands in them.
func unread(err error) *problem {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	const unknown = "json: unknown field "
	switch {
	case errors.Is(err, io.EOF):
		return malformed("the body is empty")
	case errors.Is(err, io.ErrUnexpectedEOF):
		return malformed("the body ends in the middle")
	case errors.As(err, &syntax):
		return malformed("not JSON at byte %d", syntax.Offset)
	case errors.As(err, &kind) && kind.Field != "":
		return malformed("%s: a %s does not fit here", kind.Field, strings.SplitN(kind.Value, " ", 2)[0])
	case errors.As(err, &kind):
		return malformed("want a JSON object, and this is another kind: %s", strings.SplitN(kind.Value, " ", 2)[0])
	case strings.HasPrefix(err.Error(), unknown):
		return malformed("%.64s: there is no such field", strings.Trim(strings.TrimPrefix(err.Error(), unknown), `"`))
	}
	return problemBadRequest
}

// notUTF8 is where text is not UTF-8 any more, -1 for nowhere.
func notUTF8(text []byte) int {
	if utf8.Valid(text) {
		return -1
	}
	for at := 0; ; {
		r, n := utf8.DecodeRune(text[at:])
		if r == utf8.RuneError && n <= 1 {
			return at
		}
		at += n
	}
}

// halfCharacter is where an escape stands for a surrogate that lacks its other half,
// -1 for nowhere. What is no JSON is for the decoder to refuse.
func halfCharacter(text []byte) int {
	for at := 0; at < len(text); {
		i := bytes.IndexByte(text[at:], '\\')
		if i < 0 {
			return -1
		}
		at += i
		switch first := escaped(text[at:]); {
		case first < 0:
			at += 2 // another escape, of a backslash for one
		case !utf16.IsSurrogate(first):
			at += escapeLength
		case utf16.DecodeRune(first, escaped(text[at+escapeLength:])) == utf8.RuneError:
			return at
		default:
			at += 2 * escapeLength
		}
	}
	return -1
}

const escapeLength = len(`\u0000`)

// escaped is the code unit that text begins with an escape of, -1 for none.
func escaped(text []byte) rune {
	if len(text) < escapeLength || text[0] != '\\' || text[1] != 'u' {
		return -1
	}
	n, err := strconv.ParseUint(string(text[2:escapeLength]), 16, 16)
	if err != nil {
		return -1
	}
	return rune(n)
}

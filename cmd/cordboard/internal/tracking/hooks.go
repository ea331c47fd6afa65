package tracking

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/cordboard/cordboard/configs"
	"github.com/cordboard/cordboard/store"
)

// hooks sends what goes by HTTP. An answer that leads elsewhere is none: what is sent
// is signed, or shows a token.
var hooks = &http.Client{
	Timeout:       sendTime,
	Transport:     &http.Transport{Proxy: http.ProxyFromEnvironment, DisableKeepAlives: true},
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// post sends a request. Its errors hold neither the address, which may let its bearer
// in, nor what was answered, which may repeat to whom.
func post(ctx context.Context, to, kind string, body []byte, headers map[string]string) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, to, bytes.NewReader(body))
	if err != nil {
		return errors.New("the address cannot be asked")
	}
	r.Header.Set("Content-Type", kind)
	for name, value := range headers {
		r.Header.Set(name, value)
	}
	res, err := hooks.Do(r)
	var where *url.Error
	switch {
	case errors.As(err, &where):
		return where.Err
	case err != nil:
		return err
	}
	defer func() { _ = res.Body.Close() }()
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, 1<<16)) // of no interest
	if res.StatusCode/100 != 2 {
		return fmt.Errorf("the answer was HTTP %d", res.StatusCode)
	}
	return nil
}

// webhook sends every notice to one address, signed.
type webhook struct {
	url, secret, desk string
	now               func() time.Time
}

// Name implements Channel.
func (w *webhook) Name() string { return store.ByWebhook }

// Reaches implements Channel: whoever it is, the other end knows how to tell.
func (w *webhook) Reaches(store.Reach) bool { return true }

// hookWire is the body.
type hookWire struct {
	ID    string    `json:"id"`
	What  string    `json:"what"`
	User  string    `json:"user"`
	Ref   string    `json:"ref"`
	Type  string    `json:"type"`
	Title string    `json:"title"` // the type's
	DueAt time.Time `json:"due_at"`
	Desk  string    `json:"desk"`
}

// Send implements Channel.
func (w *webhook) Send(ctx context.Context, _ store.Reach, n Notice) error {
	return w.post(ctx, hookWire{n.ID, n.What, n.User, n.Ref, n.Kind, n.Title, n.DueAt, w.desk})
}

// Post posts something else than a notice to the webhook, signed as they are. Without
// one there is nobody to tell.
func (q *Requests) Post(ctx context.Context, what any) error {
	if w, ok := q.channels[store.ByWebhook].(*webhook); ok {
		return w.post(ctx, what)
	}
	return nil
}

func (w *webhook) post(ctx context.Context, what any) error {
	body, err := json.Marshal(what)
	if err != nil {
		return err
	}
	at := strconv.FormatInt(w.now().Unix(), 10)
	return post(ctx, w.url, "application/json", body, map[string]string{"Cordboard-Signature": "t=" + at + ",v1=" + signature(w.secret, at, body)})
}

// signature is the HMAC-SHA256 of time, dot and body, in hex.
func signature(secret, at string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(at + "."))
	mac.Write(body)
	return hex.EncodeToString(mac.Sum(nil))
}

// sms sends notices by a gateway that takes HTTP requests.
type sms struct {
	url, form, body, token string
}

// Name implements Channel.
func (s *sms) Name() string { return store.BySMS }

// Reaches implements Channel.
func (s *sms) Reaches(r store.Reach) bool { return r.Mobile != "" }

// Send implements Channel.
func (s *sms) Send(ctx context.Context, to store.Reach, n Notice) error {
	kind, quoted := "application/json", inJSON
	if s.form == "urlencoded" {
		kind, quoted = "application/x-www-form-urlencoded", url.QueryEscape
	}
	body := strings.NewReplacer("{to}", quoted(to.Mobile), "{text}", quoted(n.text()), "{id}", quoted(n.ID)).Replace(s.body)
	headers := map[string]string{}
	if s.token != "" {
		headers["Authorization"] = "Bearer " + s.token
	}
	return post(ctx, s.url, kind, []byte(body), headers)
}

// inJSON is a text as it stands between the quotes of a JSON string.
func inJSON(text string) string {
	b, err := json.Marshal(text)
	if err != nil { // there is none: a text
		return ""
	}
	return string(b[1 : len(b)-1])
}

// Channels are those that the server file has.
func Channels(c *configs.Notify, now func() time.Time) ([]Channel, error) {
	if c == nil {
		return nil, nil
	}
	var out []Channel
	if c.Mail != nil {
		m, err := newMailer(c.Mail, c.Desk)
		if err != nil {
			return nil, err
		}
		out = append(out, m)
	}
	if c.SMS != nil {
		token, err := c.SMS.Token()
		if err != nil {
			return nil, err
		}
		out = append(out, &sms{c.SMS.URL, c.SMS.Form, c.SMS.Body, token})
	}
	if c.Webhook != nil {
		secret, err := c.Webhook.Secret()
		if err != nil {
			return nil, err
		}
		out = append(out, &webhook{c.Webhook.URL, secret, c.Desk, now})
	}
	return out, nil
}

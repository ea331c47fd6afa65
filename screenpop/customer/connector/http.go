package connector

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/cordboard/cordboard/screenpop/customer"
)

func init() { kinds["http"] = readHTTP }

// maxAnswer is how much of an answer is read, in bytes: what is longer has failed.
const maxAnswer = 1 << 20

// httpConfig is kind http: a system that answers in JSON.
type httpConfig struct {
	request  template
	headers  map[string]string
	token    func() (string, error)
	user     string
	password func() (string, error)
	oauth    *oauthConfig
	ca       string
	cert     string
	key      string
	*mapping
}

type oauthConfig struct {
	url, client string
	secret      func() (string, error)
	scopes      []string
}

func readHTTP(s Settings) Config {
	c := &httpConfig{headers: s.Texts("headers"), token: s.Secret("token"), ca: s.File("ca"), cert: s.File("certificate"), key: s.File("key")}
	c.request = readTemplate(s)
	c.user, c.password = s.Text("user"), s.Secret("password")
	if (c.user == "") != (c.password == nil) {
		s.Wrong("user", "user and password (password_file) belong together")
	}
	if (c.cert == "") != (c.key == "") {
		s.Wrong("certificate", "certificate and key belong together")
	}
	if o := s.Section("oauth"); o != nil {
		c.oauth = &oauthConfig{url: o.Must("url"), client: o.Must("client"), secret: o.Secret("secret"), scopes: strings.Fields(o.Text("scope"))}
		if c.oauth.secret == nil {
			o.Wrong("secret", "secret_file, or secret: ${NAME}, must be there")
		}
		if u, err := url.Parse(c.oauth.url); c.oauth.url != "" && (err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http") {
			o.Wrong("url", "this is no http or https address")
		}
	}
	if n := count(c.token != nil, c.user != "", c.oauth != nil); n > 1 {
		s.Wrong("token", "one of token, user and oauth is enough")
	}
	for name, value := range c.headers {
		if strings.EqualFold(name, "Authorization") && !strings.Contains(value, tokenPlace) {
			s.Wrong("headers", "who we are stands under token, user or oauth, where it is no text of this file")
		}
	}
	if c.placed() && c.token == nil {
		s.Wrong("token", "token_file, or token: ${NAME}, must be there: {token} is to be filled in")
	}
	c.mapping = readMapping(s)
	return c
}

// placed says whether the token goes to a place of its own, and not into
// Authorization: Bearer.
func (c *httpConfig) placed() bool {
	for _, value := range c.headers {
		if strings.Contains(value, tokenPlace) {
			return true
		}
	}
	return strings.Contains(c.request.url+c.request.body, tokenPlace)
}

func count(all ...bool) (n int) {
	for _, yes := range all {
		if yes {
			n++
		}
	}
	return n
}

// Panels implements Config.
func (c *httpConfig) Panels() []string { return c.panels() }

// Open implements Config.
func (c *httpConfig) Open() (customer.Connector, error) {
	secure, err := c.tls()
	if err != nil {
		return nil, err
	}
	transport := &http.Transport{
		Proxy: http.ProxyFromEnvironment, TLSClientConfig: secure, ForceAttemptHTTP2: true,
		MaxIdleConnsPerHost: 8, IdleConnTimeout: time.Minute, TLSHandshakeTimeout: 10 * time.Second,
		MaxResponseHeaderBytes: 64 << 10, DisableCompression: true, // what is small packed may be huge unpacked
	}
	h := &httpConnector{
		httpConfig: c,
		// Who answers from elsewhere is not the one who was asked.
		client: &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
		header: http.Header{"Accept": {"application/json"}, "User-Agent": {"Cordboard"}},
	}
	token := ""
	if c.token != nil {
		if token, err = c.token(); err != nil {
			return nil, err
		}
	}
	h.request = c.request
	h.request.token = token
	for name, value := range c.headers {
		h.header.Set(name, strings.ReplaceAll(value, tokenPlace, token))
	}
	switch {
	case c.token != nil && !c.placed():
		h.header.Set("Authorization", "Bearer "+token)
	case c.user != "":
		password, err := c.password()
		if err != nil {
			return nil, err
		}
		r := http.Request{Header: h.header}
		r.SetBasicAuth(c.user, password)
	case c.oauth != nil:
		secret, err := c.oauth.secret()
		if err != nil {
			return nil, err
		}
		cc := clientcredentials.Config{ClientID: c.oauth.client, ClientSecret: secret, TokenURL: c.oauth.url, Scopes: c.oauth.scopes}
		h.source = func(ctx context.Context) (*oauth2.Token, error) {
			return cc.Token(context.WithValue(ctx, oauth2.HTTPClient, h.client))
		}
		h.grant = make(chan *oauth2.Token, 1)
		h.grant <- nil
	}
	return h, nil
}

func (c *httpConfig) tls() (*tls.Config, error) {
	t := &tls.Config{MinVersion: tls.VersionTLS12}
	if c.ca != "" {
		b, err := os.ReadFile(c.ca)
		if err != nil {
			return nil, fmt.Errorf("ca: %w", err)
		}
		if t.RootCAs = x509.NewCertPool(); !t.RootCAs.AppendCertsFromPEM(b) {
			return nil, fmt.Errorf("ca: %s has no certificate", c.ca)
		}
	}
	if c.cert != "" {
		pair, err := tls.LoadX509KeyPair(c.cert, c.key)
		if err != nil {
			return nil, fmt.Errorf("certificate: %w", err)
		}
		t.Certificates = []tls.Certificate{pair}
	}
	return t, nil
}

type httpConnector struct {
	*httpConfig
	request template // with our token
	client  *http.Client
	header  http.Header
	source  func(context.Context) (*oauth2.Token, error)
	grant   chan *oauth2.Token // the latest token, in the hands of one at a time
}

// Ask implements customer.Connector.
func (h *httpConnector) Ask(ctx context.Context, who customer.Subject) (customer.Part, error) {
	if !h.request.fits(who) {
		return customer.Part{}, nil // there is nothing to ask by
	}
	req, err := h.request.make(ctx, who)
	if err != nil {
		return customer.Part{}, err
	}
	for name, values := range h.header {
		req.Header[name] = values
	}
	if err := h.authorize(ctx, req); err != nil {
		return customer.Part{}, err
	}
	res, err := h.client.Do(req)
	if err != nil {
		return customer.Part{}, withoutURL(err)
	}
	defer func() { _ = res.Body.Close() }()
	switch {
	case res.StatusCode == http.StatusNotFound, res.StatusCode == http.StatusNoContent:
		return customer.Part{}, nil
	case res.StatusCode == http.StatusUnauthorized:
		h.refused()
		fallthrough
	case res.StatusCode != http.StatusOK:
		return customer.Part{}, fmt.Errorf("status %d", res.StatusCode)
	}
	body, err := decoded(res)
	if err != nil {
		return customer.Part{}, err
	}
	return h.part(body, who)
}

// Close implements io.Closer.
func (h *httpConnector) Close() error {
	h.client.CloseIdleConnections()
	return nil
}

// decoded reads an answer's JSON.
func decoded(res *http.Response) (any, error) {
	kind, _, err := mime.ParseMediaType(res.Header.Get("Content-Type"))
	if err != nil || kind != "application/json" && !strings.HasSuffix(kind, "+json") {
		return nil, errors.New("the answer is no JSON by its Content-Type")
	}
	b, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	if err != nil {
		return nil, withoutURL(err)
	}
	if len(b) > maxAnswer {
		return nil, fmt.Errorf("the answer is longer than %d bytes", maxAnswer)
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	var body any
	if err := dec.Decode(&body); err != nil {
		return nil, errors.New("the answer is no JSON")
	}
	if dec.More() {
		return nil, errors.New("something follows the answer's JSON")
	}
	return body, nil
}

// authorize shows a token of the client credentials grant (RFC 6749 section 4.4), a
// new one when the last is over.
func (h *httpConnector) authorize(ctx context.Context, req *http.Request) error {
	if h.source == nil {
		return nil
	}
	var t *oauth2.Token
	select {
	case t = <-h.grant:
	case <-ctx.Done():
		return ctx.Err()
	}
	if !t.Valid() {
		fresh, err := h.source(ctx)
		if err != nil {
			h.grant <- nil
			var refused *oauth2.RetrieveError
			if errors.As(err, &refused) && refused.Response != nil {
				return fmt.Errorf("oauth: status %d", refused.Response.StatusCode) // and not what it says: that may be the secret
			}
			return fmt.Errorf("oauth: %w", withoutURL(err))
		}
		t = fresh
	}
	h.grant <- t
	t.SetAuthHeader(req)
	return nil
}

// refused has the next question ask for a token anew.
func (h *httpConnector) refused() {
	if h.grant == nil {
		return
	}
	select {
	case <-h.grant:
		h.grant <- nil
	default: // whoever has it asks for one just now
	}
}

// withoutURL takes the address off an error of package http: it has the customer's
// number in it.
func withoutURL(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

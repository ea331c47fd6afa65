package siptest

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Registration is what a phone registers with.
type Registration struct {
	Registrar string // host:port
	Password  string
	Expires   time.Duration // asked for; 0 takes the registration back
}

// Register sends REGISTER for the phone's contact from where the phone hears
// calls, answers an MD5 challenge once (RFC 7616), and returns the final code,
// 408 for none, with the seconds of its Retry-After.
func (p *Phone) Register(ctx context.Context, r Registration) (code int, retryAfter time.Duration, err error) {
	u := p.ua
	aor := fmt.Sprintf("sip:%s@%s", u.name, r.Registrar)
	uri := "sip:" + r.Registrar
	if u.tp.network != "udp" {
		uri += ";transport=" + u.tp.network
	}
	p.mu.Lock()
	if p.registers == "" {
		p.registers = token()
	}
	callID := p.registers
	p.mu.Unlock()
	credentials := ""
	for {
		p.mu.Lock()
		p.cseq++
		cseq := p.cseq
		p.mu.Unlock()
		m := &Message{Method: "REGISTER", URI: uri}
		m.add("Via", u.via())
		m.add("Max-Forwards", "70")
		m.add("From", "<"+aor+">;tag="+token())
		m.add("To", "<"+aor+">")
		m.add("Call-ID", callID)
		m.add("CSeq", strconv.Itoa(cseq)+" REGISTER")
		m.add("Contact", "<"+u.contact()+">")
		m.add("Expires", strconv.Itoa(int(r.Expires/time.Second)))
		if credentials != "" {
			m.add("Authorization", credentials)
		}
		answer, err := u.ask(ctx, m)
		if err != nil {
			return 0, 0, err
		}
		if answer == nil {
			return 408, 0, nil
		}
		if answer.Status == 401 && credentials == "" {
			if credentials = digest(answer, u.name, r.Password, "REGISTER", uri); credentials != "" {
				continue
			}
		}
		wait, _ := strconv.Atoi(answer.Get("Retry-After"))
		return answer.Status, time.Duration(wait) * time.Second, nil
	}
}

// ask sends a request outside of dialogs and returns its final response; nil
// when none came.
func (u *ua) ask(ctx context.Context, m *Message) (*Message, error) {
	result := make(chan *Message, 1)
	u.mu.Lock()
	if u.closed {
		u.mu.Unlock()
		return nil, fmt.Errorf("siptest: %s: off the network", m.Method)
	}
	err := u.send(m, func(r *Message) {
		if r == nil || r.Status >= 200 {
			result <- r
		}
	})
	u.mu.Unlock()
	if err != nil {
		return nil, err
	}
	select {
	case r := <-result:
		return r, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("siptest: %s: %w", m.Method, ctx.Err())
	}
}

// digest answers the MD5 challenge of a 401; "" when it has none.
func digest(m *Message, user, password, method, uri string) string {
	for _, v := range m.All("WWW-Authenticate") {
		scheme, rest, _ := strings.Cut(v, " ")
		p := map[string]string{}
		for part := range strings.SplitSeq(rest, ",") {
			k, v, _ := strings.Cut(strings.TrimSpace(part), "=")
			p[strings.ToLower(k)] = strings.Trim(v, `"`)
		}
		if !strings.EqualFold(scheme, "Digest") || p["algorithm"] != "" && !strings.EqualFold(p["algorithm"], "MD5") {
			continue
		}
		sum := func(parts ...string) string {
			h := md5.Sum([]byte(strings.Join(parts, ":")))
			return hex.EncodeToString(h[:])
		}
		cnonce := token()
		response := sum(sum(user, p["realm"], password), p["nonce"], "00000001", cnonce, "auth", sum(method, uri))
		return fmt.Sprintf(`Digest username="%s", realm="%s", nonce="%s", uri="%s", response="%s", algorithm=MD5, qop=auth, nc=00000001, cnonce="%s"`,
			user, p["realm"], p["nonce"], uri, response, cnonce)
	}
	return ""
}

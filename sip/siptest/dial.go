package siptest

import (
	"context"
	"fmt"
	"net/url"
)

// Dial has a phone that is registered call a user at its registrar. A challenge is
// answered once, as Register does; the phone's Behaviour has no say.
func (p *Phone) Dial(ctx context.Context, r Registration, to string) (*Call, error) {
	c, err := newCall(p.ua)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	c.beh = Behaviour{Tone: p.beh.Tone}
	p.mu.Unlock()
	c.callID = token()
	c.target = "sip:" + to + "@" + r.Registrar
	if p.ua.tp.network != "udp" {
		c.target += ";transport=" + p.ua.tp.network
	}
	c.remoteURI, c.localURI, c.password = "<"+c.target+">", "<sip:"+p.ua.name+"@"+r.Registrar+">", r.Password
	p.ua.mu.Lock()
	defer p.ua.mu.Unlock()
	if p.ua.closed {
		c.audio.Close()
		return nil, fmt.Errorf("siptest: the phone is closed")
	}
	if err := c.dial(nil); err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, c.Hangup)
	c.onOver = func() { stop() }
	return c, nil
}

// authorized sends the INVITE anew with the credentials that the 401 asks for. False:
// there are none. ua.mu is held.
func (c *Call) authorized(r *Message) bool {
	credentials := ""
	if c.password != "" && c.state == early {
		credentials = digest(r, c.ua.name, c.password, "INVITE", c.invite.URI)
	}
	c.password = ""
	if credentials == "" {
		return false
	}
	c.cseq++
	m := c.build("INVITE", c.cseq)
	m.Headers = append(m.Headers, Header{"Authorization", credentials})
	m.Body = c.invite.Body
	c.invite, c.ringing = m, false
	return c.ua.send(m, c.progressed) == nil
}

// Replaces names the call's dialog in a Refer-To (RFC 3891), as the peer knows it.
func (c *Call) Replaces() string {
	c.ua.mu.Lock()
	defer c.ua.mu.Unlock()
	tag := c.remoteTag
	if tag == "" {
		tag = c.earlyTag
	}
	return "Replaces=" + url.QueryEscape(c.callID+";to-tag="+tag+";from-tag="+c.localTag)
}

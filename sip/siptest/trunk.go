package siptest

import (
	"context"
	"crypto/tls"
	"fmt"
	"slices"
	"strings"
	"time"
)

// TrunkOptions is what a Trunk needs.
type TrunkOptions struct {
	Addr      string        // "127.0.0.1:0" when empty
	Transport string        // udp, tcp, tls; udp when empty
	TLS       *tls.Config   // by which it dials, over tls
	T1        time.Duration // as of a phone
	Through   *Lossy        // as of a phone
	// Target is the host:port that calls go to.
	Target string
}

// CallOptions is one call to place.
type CallOptions struct {
	From    string // user part or whole URI; "anonymous" for one withheld
	Display string
	PAI     string // P-Asserted-Identity as it stands on the wire, "" for none
	RPID    string // Remote-Party-ID, likewise
	Privacy string
	To      string // user part or whole URI
	Headers []Header
	Codecs  []uint8 // payload types offered, 8 and 0 when empty
	Behaviour
}

// Trunk places calls. Safe for concurrent use.
type Trunk struct {
	ua     *ua
	target string
}

// NewTrunk starts a trunk that lives until the context ends or Close.
func NewTrunk(ctx context.Context, o TrunkOptions) (*Trunk, error) {
	u, err := openUA(ctx, "trunk", network{o.Transport, o.TLS, o.Addr, o.T1, o.Through}, nil)
	if err != nil {
		return nil, err
	}
	return &Trunk{ua: u, target: o.Target}, nil
}

// Addr is the trunk's host:port.
func (t *Trunk) Addr() string { return t.ua.tp.local.String() }

// Call sends the INVITE and returns at once; when the context ends before the
// call does, the call is hung up. Behaviour's Tone, HangupAfter,
// RefuseReinvite and LateOffer count.
func (t *Trunk) Call(ctx context.Context, o CallOptions) (*Call, error) {
	c, err := newCall(t.ua)
	if err != nil {
		return nil, err
	}
	c.beh = o.Behaviour
	if len(o.Codecs) > 0 {
		c.pts = o.Codecs
	}
	c.callID = token() + "@" + t.ua.tp.local.Addr().String()
	c.target = t.uri(o.To, t.target)
	c.remoteURI = "<" + c.target + ">"
	c.localURI = "<" + t.uri(o.From, t.Addr()) + ">"
	if strings.EqualFold(o.From, "anonymous") {
		c.localURI = "<sip:anonymous@anonymous.invalid>"
	}
	if o.Display != "" {
		c.localURI = `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(o.Display) + `" ` + c.localURI
	}
	headers := slices.Clone(o.Headers)
	for _, h := range []Header{{"P-Asserted-Identity", o.PAI}, {"Remote-Party-ID", o.RPID}, {"Privacy", o.Privacy}} {
		if h.Value != "" {
			headers = append(headers, h)
		}
	}
	t.ua.mu.Lock()
	defer t.ua.mu.Unlock()
	if t.ua.closed {
		c.audio.Close()
		return nil, fmt.Errorf("siptest: the trunk is closed")
	}
	if err := c.dial(headers); err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, c.Hangup)
	c.onOver = func() { stop() }
	return c, nil
}

func (t *Trunk) uri(user, host string) string {
	if strings.Contains(user, ":") {
		return user
	}
	uri := "sip:" + user + "@" + host
	if t.ua.tp.network != "udp" {
		uri += ";transport=" + t.ua.tp.network
	}
	return uri
}

// Close drops the trunk off the network: its peers hear nothing more.
func (t *Trunk) Close() { t.ua.close() }

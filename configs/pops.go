package configs

import (
	"regexp"
	"slices"
	"strings"
	"time"
)

// Pops is a PBX that keeps its queues and tells us of its calls, for the record
// to be on the agent's desk.
type Pops struct {
	Name      string
	Token     string `key:"token"`      // ${NAME}: a reference until Secret resolves it
	TokenFile string `key:"token_file"` // holds it on its first line
	Region    string `key:"region"`     // national numbers are read as that country's; "": none are
	// WrapUp is the agent's time for notes after a call, 0 for none; Longest ends a
	// call whose end is never told.
	WrapUp  time.Duration `key:"wrap_up"`
	Longest time.Duration `key:"longest"`
	// Extensions are the telephones whose calls the PBX behind Trunk tells of by SIP
	// (RFC 4235), asked anew each Expires; none: it tells by HTTP alone.
	Trunk      string        `key:"trunk"`
	Extensions []string      `key:"extensions"`
	Expires    time.Duration `key:"expires"`
	// Header of an INVITE by the trunk that names the extension which is rung next, for
	// the record to be there before; "": none does.
	Header string `key:"header"`
}

const (
	maxPops       = 64
	maxExtensions = 2000
)

// Secret is what the PBX shows, for the HTTP edge alone: never to be logged. Its
// errors don't repeat it.
func (p Pops) Secret() (string, error) { return tokenOf("pops."+p.Name, p.Token, p.TokenFile) }

// PopTokens are the tokens of the sources that tell by HTTP, by token. No two may have
// the same.
func (s *Server) PopTokens() (map[string]string, error) {
	byHTTP := slices.DeleteFunc(slices.Clone(s.Pops), func(p Pops) bool { return p.Token == "" && p.TokenFile == "" })
	return tokensOf("pops", byHTTP, func(p Pops) (string, func() (string, error)) { return p.Name, p.Secret })
}

func (s *serverReader) pops(n *node) {
	if n == nil {
		return
	}
	for i, p := range s.object(n).pairs {
		if i == maxPops {
			s.add(p.line, p.col, CodeLimit, "", "pops: at most %d", maxPops)
			return
		}
		if s.checkName(p, "") {
			s.out.Pops = append(s.out.Pops, s.popSource(p.key, p.value))
		}
	}
}

func (s *serverReader) popSource(name string, n *node) Pops {
	o := s.object(n)
	p := Pops{Name: name}
	if !o.has("extensions") || o.has("token") || o.has("token_file") { // else it tells by SIP alone
		p.Token, p.TokenFile = s.token(n, o, "the PBX")
	} else {
		o.get("token")
		o.get("token_file")
	}
	if r := o.get("region"); r != nil {
		p.Region = s.region(r)
	}
	p.WrapUp = s.duration(o.get("wrap_up"), 0, time.Hour, 30*time.Second)
	p.Longest = s.duration(o.get("longest"), time.Minute, 24*time.Hour, 4*time.Hour)
	s.watched(o, &p)
	o.close()
	return p
}

var chosenHeader = regexp.MustCompile(`^(?i:X-[A-Z0-9][A-Z0-9-]{0,61})$`)

var extensionForm = regexp.MustCompile(`^[A-Za-z0-9_.+*-]{1,64}$`)

// watched reads the telephones whose calls the PBX tells of by SIP.
func (s *serverReader) watched(o *object, p *Pops) {
	list, trunk, expires, header := o.get("extensions"), o.get("trunk"), o.get("expires"), o.get("header")
	if list == nil {
		for _, key := range []string{"trunk", "expires", "header"} {
			o.conflict(key, "%s belongs to extensions, which are not there", key)
		}
		return
	}
	for _, item := range s.list(list, maxExtensions) {
		name, ok := s.scalar(item, "an extension, such as 101")
		switch {
		case !ok:
		case !extensionForm.MatchString(name):
			s.wrong(item, "%s is not an extension, such as 101", quote(name))
		case slices.Contains(p.Extensions, name):
			s.errorf(item, CodeDuplicate, "%s: %s is listed twice", item.label(), name)
		default:
			p.Extensions = append(p.Extensions, name)
		}
	}
	if list.kind == kindSequence && len(list.items) == 0 {
		s.errorf(list, CodeMissing, "%s: say whose calls the PBX is to tell of", list.label())
	}
	p.Expires = s.duration(expires, time.Minute, 24*time.Hour, 5*time.Minute)
	if header != nil {
		if p.Header, _ = s.scalar(header, "a header, such as X-Agent"); !chosenHeader.MatchString(p.Header) || strings.HasPrefix(strings.ToLower(p.Header), "x-cordboard") {
			s.wrong(header, "%s names no agent: X- and a name, but not X-Cordboard", quote(p.Header))
		}
	}
	if trunk == nil {
		if !o.has("trunk") {
			o.must("trunk")
		}
		return
	}
	p.Trunk, _ = s.scalar(trunk, "the name of a trunk")
	i := slices.IndexFunc(s.out.SIP.Trunks, func(t Trunk) bool { return t.Name == p.Trunk })
	switch {
	case p.Trunk == "":
	case i < 0:
		s.wrong(trunk, "there is no trunk %s", quote(p.Trunk))
	case s.out.SIP.Trunks[i].Out == nil:
		s.errorf(trunk, CodeConflict, "%s: trunk %s has no out, so that there is nobody to ask", trunk.label(), p.Trunk)
	case slices.ContainsFunc(s.out.Pops, func(other Pops) bool { return other.Trunk == p.Trunk }):
		s.errorf(trunk, CodeDuplicate, "%s: another of pops has trunk %s", trunk.label(), p.Trunk)
	}
}

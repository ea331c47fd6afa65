package configs

import (
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/cordboard/cordboard/sip/identity"
)

const (
	maxTrunks    = 256
	maxTrunkNets = 256
	maxCountries = 256
)

func (s *serverReader) trunks(n *node) {
	if n == nil {
		return
	}
	o := s.object(n)
	owner := map[netip.Prefix]string{}
	for i, p := range o.pairs {
		if i == maxTrunks {
			s.add(p.line, p.col, CodeLimit, "", "sip.trunks: at most %d", maxTrunks)
			return
		}
		if !s.checkName(p, "") {
			continue
		}
		s.out.SIP.Trunks = append(s.out.SIP.Trunks, s.trunk(p.key, p.value.in("trunk "+p.key), owner))
	}
}

func (s *serverReader) trunk(name string, n *node, owner map[netip.Prefix]string) Trunk {
	o := s.object(n)
	t := Trunk{Name: name, Trust: identity.Trust{Trunk: name}}
	from := o.must("from")
	for _, item := range s.list(from, maxTrunkNets) {
		p, ok := s.network(item)
		if !ok {
			continue
		}
		if other, taken := owner[p]; taken {
			s.errorf(item, CodeConflict, "from: %s belongs to trunk %s already", p, other)
			continue
		}
		owner[p] = name
		t.Trust.Sources = append(t.Trust.Sources, p)
	}
	if from != nil && from.kind == kindSequence && len(from.items) == 0 {
		s.errorf(from, CodeMissing, "from: say from which addresses the trunk sends")
	}
	for _, item := range s.list(o.get("headers"), 4) {
		h := identity.Source(s.choice(item, "", []string{string(identity.FromPAI), string(identity.FromRPID)}))
		if slices.Contains(t.Trust.Headers, h) {
			s.errorf(item, CodeDuplicate, "headers: %s is listed twice", h)
		} else if h != "" {
			t.Trust.Headers = append(t.Trust.Headers, h)
		}
	}
	t.Trust.Diversion = s.flag(o.get("diversion"), false)
	if r := o.get("region"); r != nil {
		t.Trust.Region = s.region(r)
	}
	t.Media = s.choice(o.get("media"), "auto", []string{"auto", "direct", "relay"})
	t.Redirect = s.flag(o.get("redirect"), false)
	t.Pass = s.passed(o.get("pass"))
	if n := o.get("max_calls"); n != nil {
		t.MaxCalls = s.integer(n, 1, 100_000, 0)
	}
	if n := o.get("calls_per_second"); n != nil {
		t.Rate = s.integer(n, 1, 10_000, 0)
	}
	t.Out = s.outward(o, t.Trust.Region)
	t.Login = s.login(o, t.Out)
	if n := o.get("register"); n != nil {
		if !o.has("user") {
			o.conflict("register", "register needs the user who is registered")
		}
		t.Register = s.duration(n, time.Minute, 24*time.Hour, 0)
		t.Trust.Account = t.Login.User
	}
	o.close()
	return t
}

// passedHeader is a header that carries what a partner says and nothing that a
// telephone goes by. Call-Info or Alert-Info of a caller's would have it answer by
// itself, P-Asserted-Identity show a number of his choice.
var passedHeader = regexp.MustCompile(`^(?i:X-[A-Z0-9][A-Z0-9-]{0,61}|User-to-User)$`)

// passed reads the headers that go on to the agents' telephones.
func (s *serverReader) passed(n *node) (out []string) {
	for _, item := range s.list(n, 8) {
		name, ok := s.scalar(item, "a header, such as X-Account or User-to-User")
		switch {
		case !ok:
		case !passedHeader.MatchString(name) || strings.HasPrefix(strings.ToLower(name), "x-cordboard"):
			s.wrong(item, "%s is not passed to telephones: X- and a name, but not X-Cordboard, or User-to-User", quote(name))
		case slices.ContainsFunc(out, func(o string) bool { return strings.EqualFold(o, name) }):
			s.errorf(item, CodeDuplicate, "pass: %s is listed twice", name)
		default:
			out = append(out, name)
		}
	}
	return out
}

var dialPrefix = regexp.MustCompile(`^[0-9*#]{1,8}$`)

// outward reads how calls leave by a trunk; nil: none do.
func (s *serverReader) outward(trunk *object, region string) *Out {
	n := trunk.get("out")
	if n == nil {
		return nil
	}
	o := s.object(n)
	out := &Out{}
	if to := o.must("to"); to != nil {
		out.Host, out.Transport = s.trunkHost(to)
		if out.Transport == "tls" && !slices.ContainsFunc(s.out.SIP.Listen, func(l Listen) bool { return l.Transport == "tls" }) {
			s.errorf(to, CodeConflict, "%s: no call leaves by TLS while no listener of sip.listen is tls", to.label())
		}
	}
	shown := o.get("caller")
	out.Callers = s.choice(shown, "own", []string{"own", "caller"}) == "caller"
	switch number := o.get("number"); {
	case number != nil:
		out.Number = s.e164(number)
	case !out.Callers && !o.bad:
		o.must("number")
	}
	format := o.get("format")
	out.Format = identity.DialFormat(s.choice(format, string(identity.DialE164),
		[]string{string(identity.DialE164), string(identity.DialDigits), string(identity.DialNational)}))
	if out.Format == identity.DialNational && region == "" && !trunk.has("region") {
		s.errorf(format, CodeMissing, "format: national needs the trunk's region")
	}
	if p := o.get("prefix"); p != nil {
		if out.Prefix = s.text(p, 8); out.Prefix != "" && !dialPrefix.MatchString(out.Prefix) {
			s.wrong(p, "%s is not digits that are dialled before a number", quote(out.Prefix))
		}
	}
	out.Calls = s.integer(o.get("calls"), 1, 100_000, 30)
	out.Back = s.callableBack(o.get("callback"), region, out.Number)
	o.close()
	return out
}

// callableBack reads the countries whose numbers are called back: callers show what
// number they like, and a trunk may lead to any.
func (s *serverReader) callableBack(n *node, region, number string) (out []string) {
	if n == nil {
		if region == "" {
			own, _ := identity.ParseNumber(number, "", nil)
			region = identity.Country(own)
		}
		if region == "" {
			return nil
		}
		return []string{region}
	}
	for _, item := range s.list(n, maxCountries) {
		r := s.region(item)
		if slices.Contains(out, r) {
			s.errorf(item, CodeDuplicate, "callback: %s is listed twice", r)
		} else if r != "" {
			out = append(out, r)
		}
	}
	return out
}

// trunkHost reads sip:HOST[:PORT][;transport=udp|tcp|tls].
func (s *serverReader) trunkHost(n *node) (host, transport string) {
	text, ok := s.scalar(n, "where calls are sent, such as sip:192.0.2.10")
	if !ok {
		return "", ""
	}
	rest, isSIP := strings.CutPrefix(text, "sip:")
	uri, err := contact("sip:x@" + rest)
	if !isSIP || err != nil || strings.Contains(rest, "@") {
		s.wrong(n, "%s is not where calls are sent, such as sip:192.0.2.10 or sip:sip.example.com:5080;transport=tcp", quote(text))
		return "", ""
	}
	host, params, _ := strings.Cut(strings.TrimPrefix(uri, "sip:x@"), ";")
	if _, err := netip.ParseAddr(strings.Trim(hostAlone(host), "[]")); err != nil {
		// Of a name the usual port and transport say, where they are written, that the
		// DNS is not to be asked for others (RFC 3263 section 4).
		host, params, _ = strings.Cut(strings.ToLower(rest), ";")
	}
	return host, strings.TrimPrefix(params, "transport=")
}

// e164 reads a telephone number, written in full.
func (s *serverReader) e164(n *node) string {
	text, ok := s.scalar(n, "a telephone number, such as +441632960000")
	if !ok {
		return ""
	}
	if !isE164(text) {
		s.wrong(n, "%s is not a telephone number, such as +441632960000", quote(text))
		return ""
	}
	return text
}

// isE164 reports whether the text is a number with its country, as it would be
// dialled: its length is right for the country.
func isE164(text string) bool {
	if !e164Form.MatchString(text) {
		return false
	}
	_, err := identity.ParseNumber(text, "", nil)
	return err == nil
}

var e164Form = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`)

// network reads 192.0.2.0/24, or one address.
func (s *serverReader) network(n *node) (netip.Prefix, bool) {
	text, ok := s.scalar(n, "an address or a network, such as 192.0.2.0/24")
	if !ok {
		return netip.Prefix{}, false
	}
	if addr, err := netip.ParseAddr(text); err == nil && addr.Zone() == "" {
		return netip.PrefixFrom(addr, addr.BitLen()), true
	}
	p, err := netip.ParsePrefix(text)
	if err != nil {
		s.wrong(n, "%s is not an address or a network, such as 192.0.2.0/24", quote(text))
		return netip.Prefix{}, false
	}
	if p != p.Masked() {
		s.wrong(n, "%s has bits beyond its length, do you mean %s?", text, p.Masked())
		return netip.Prefix{}, false
	}
	return p, true
}

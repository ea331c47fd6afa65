package configs

import (
	"net/netip"
	"slices"

	"github.com/cordboard/cordboard/sip/identity"
)

const (
	maxTrunks    = 256
	maxTrunkNets = 256
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
	o.close()
	return t
}

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

// region reads an ISO 3166 code that numbers can be read in.
func (s *serverReader) region(n *node) string {
	text, ok := s.scalar(n, "a country code, such as GB")
	if !ok {
		return ""
	}
	if err := CheckRegion(text); err != nil {
		s.wrong(n, "%v", err)
		return ""
	}
	return text
}

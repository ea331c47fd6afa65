package configs

import (
	"net/netip"
	"regexp"
	"slices"
	"time"
)

// Registrar is where agents' telephones register; nil in SIP for nowhere.
type Registrar struct {
	Realm   string         `key:"realm"`      // of the digest; the telephones' secrets are made with it
	From    []netip.Prefix `key:"from"`       // networks that telephones may be in; none: anywhere
	Expires time.Duration  `key:"expires"`    // the longest registration granted
	Qualify time.Duration  `key:"qualify"`    // how often a telephone is asked for life
	Rate    int            `key:"per_second"` // telephones that may begin to register in a second
}

const maxPhoneNets = 256

var realmForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9 ._-]{0,62}$`)

func (s *serverReader) registrar(n *node) *Registrar {
	if n == nil {
		return nil
	}
	o := s.object(n)
	r := &Registrar{}
	if realm := o.must("realm"); realm != nil {
		if r.Realm = s.text(realm, 63); r.Realm != "" && !realmForm.MatchString(r.Realm) {
			s.wrong(realm, "%s is not a realm: letters, digits, space, dot, dash and underscore", quote(r.Realm))
		}
	}
	for _, item := range s.list(o.get("from"), maxPhoneNets) {
		p, ok := s.network(item)
		if ok && slices.Contains(r.From, p) {
			s.errorf(item, CodeDuplicate, "%s: %s is listed twice", item.label(), p)
		} else if ok {
			r.From = append(r.From, p)
		}
	}
	r.Expires = s.duration(o.get("expires"), time.Minute, 24*time.Hour, 10*time.Minute)
	r.Qualify = s.duration(o.get("qualify"), time.Second, time.Hour, 30*time.Second)
	r.Rate = s.integer(o.get("per_second"), 1, 10_000, 100)
	o.close()
	return r
}

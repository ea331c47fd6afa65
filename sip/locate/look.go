package locate

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/miekg/dns"
)

// Host is one that serves a name.
type Host struct {
	Transport string
	Name      string
	Port      uint16
	Rank      int // of its transport, as NAPTR ranks them: the least first
	Priority  uint16
	Weight    uint16
	Addrs     []netip.Addr // IPv4 first
}

// before compares where two stand in the order, all lots apart.
func (h Host) before(o Host) int {
	return cmp.Or(h.Rank-o.Rank, int(h.Priority)-int(o.Priority))
}

// Found is what the DNS says of a name.
type Found struct {
	By    []string      // NAPTR, SRV, A, or the hosts file
	Hosts []Host        // in the order in which they are tried, all lots apart
	TTL   time.Duration // of what of it runs out first
}

// Look asks, and keeps nothing. With ErrMissing the TTL alone is set.
func (f *Finder) Look(ctx context.Context, q Query) (Found, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	l := &look{f: f, ttl: keepLongest, q: q}
	out, err := l.name(ctx)
	out.TTL = max(l.ttl, keepLeast)
	if err == nil && len(out.Hosts) == 0 {
		err = fmt.Errorf("%w: %s", ErrMissing, q.Host)
	}
	return out, err
}

// look is one look-up.
type look struct {
	f      *Finder
	q      Query
	config *dns.ClientConfig

	mu  sync.Mutex
	ttl time.Duration
}

// usual is the port of a transport.
func usual(transport string) uint16 {
	if transport == "tls" {
		return 5061
	}
	return 5060
}

// name is RFC 3263 section 4.
func (l *look) name(ctx context.Context) (Found, error) {
	q := l.q
	transport := cmp.Or(q.Transport, strings.Split(q.Speaks, ",")[0])
	plain := Host{Transport: transport, Name: q.Host, Port: cmp.Or(uint16(q.Port), usual(transport))}
	if plain.Addrs = hostsFile(q.Host); len(plain.Addrs) > 0 { // whoever wrote it there has decided
		l.lasts(keepLeast)
		return Found{By: []string{"hosts file"}, Hosts: []Host{plain}}, nil
	}
	l.configure()
	if q.Port != 0 {
		return l.addressed(ctx, nil, []Host{plain})
	}
	var by []string
	var hosts []Host
	var err error
	if q.Transport == "" {
		if by, hosts, err = l.byNAPTR(ctx); err != nil {
			return Found{}, err
		}
	}
	if by == nil {
		// Without NAPTR the transport that has SRV records (section 4.1).
		tried := strings.Split(q.Speaks, ",")
		if q.Transport != "" {
			tried = []string{q.Transport}
		}
		for _, t := range tried {
			var any bool
			if hosts, any, err = l.srv(ctx, srvName(t, q.Host), t, 0); err != nil {
				return Found{}, err
			}
			if any {
				by = []string{"SRV"}
				break
			}
		}
	}
	if by == nil {
		hosts = []Host{plain}
	}
	return l.addressed(ctx, by, hosts)
}

func srvName(transport, host string) string {
	switch transport {
	case "tls":
		return "_sips._tcp." + host
	case "tcp":
		return "_sip._tcp." + host
	}
	return "_sip._udp." + host
}

// services are those of NAPTR that name a transport of ours.
var services = map[string]string{"SIP+D2U": "udp", "SIP+D2T": "tcp", "SIPS+D2T": "tls"}

// byNAPTR gives the hosts of the transports that NAPTR names, by order and
// preference; of those of a higher order none (RFC 3403 section 4.1). by is nil where
// there is no record for us. There are resolvers that have never heard of NAPTR:
// where that is not answered, and the rest is, there is none.
func (l *look) byNAPTR(ctx context.Context) (by []string, hosts []Host, err error) {
	short, cancel := context.WithTimeout(ctx, patience/3)
	defer cancel()
	answers, err := l.ask(short, l.q.Host, dns.TypeNAPTR)
	if err != nil {
		l.lasts(again)
		return nil, nil, nil
	}
	var use []*dns.NAPTR
	for _, r := range answers {
		n, ok := r.(*dns.NAPTR)
		t := ""
		if ok {
			t = services[strings.ToUpper(n.Service)]
		}
		if t != "" && strings.EqualFold(n.Flags, "s") && n.Regexp == "" && slices.Contains(strings.Split(l.q.Speaks, ","), t) {
			use = append(use, n)
		}
	}
	slices.SortStableFunc(use, func(a, b *dns.NAPTR) int {
		return cmp.Or(int(a.Order)-int(b.Order), int(a.Preference)-int(b.Preference))
	})
	for _, n := range use {
		if n.Order != use[0].Order {
			break
		}
		more, _, err := l.srv(ctx, strings.TrimSuffix(n.Replacement, "."), services[strings.ToUpper(n.Service)], int(n.Preference))
		if err != nil {
			return nil, nil, err
		}
		hosts = append(hosts, more...)
	}
	if len(hosts) == 0 {
		return nil, nil, nil
	}
	return []string{"NAPTR", "SRV"}, hosts, nil
}

// srv gives the hosts of a service. any is true where there are records, though it
// be the one that says that there is no such service (RFC 2782: ".").
func (l *look) srv(ctx context.Context, name, transport string, rank int) (out []Host, any bool, err error) {
	answers, err := l.ask(ctx, name, dns.TypeSRV)
	if err != nil {
		return nil, false, err
	}
	for _, r := range answers {
		if v, ok := r.(*dns.SRV); ok {
			any = true
			if v.Target != "." && v.Port != 0 && len(out) < 4*maxServers {
				out = append(out, Host{transport, strings.TrimSuffix(v.Target, "."), v.Port, rank, v.Priority, v.Weight, nil})
			}
		}
	}
	return out, any, nil
}

// addressed gives the hosts their addresses, all at once. One host without is left
// out where others have some.
func (l *look) addressed(ctx context.Context, by []string, hosts []Host) (Found, error) {
	errs := make([]error, 2*len(hosts))
	got := make([][]netip.Addr, 2*len(hosts))
	var asked sync.WaitGroup
	for i, h := range hosts {
		for j, kind := range []uint16{dns.TypeA, dns.TypeAAAA} {
			asked.Go(func() { got[2*i+j], errs[2*i+j] = l.addresses(ctx, h.Name, kind) })
		}
	}
	asked.Wait()
	out := Found{By: append(by, "A")}
	var silent error
	for i, h := range hosts {
		if h.Addrs = append(got[2*i], got[2*i+1]...); len(h.Addrs) > 0 {
			out.Hosts = append(out.Hosts, h)
		}
		silent = cmp.Or(silent, errs[2*i], errs[2*i+1])
	}
	slices.SortStableFunc(out.Hosts, Host.before)
	if len(out.Hosts) == 0 && silent != nil {
		return Found{}, silent
	}
	return out, nil
}

func (l *look) addresses(ctx context.Context, host string, kind uint16) (out []netip.Addr, err error) {
	answers, err := l.ask(ctx, host, kind)
	for _, r := range answers {
		var ip net.IP
		switch r := r.(type) {
		case *dns.A:
			ip = r.A
		case *dns.AAAA:
			ip = r.AAAA
		}
		if a, ok := netip.AddrFromSlice(ip); ok {
			out = append(out, a.Unmap())
		}
	}
	return out, err
}

// lasts notes for how long something that was used holds.
func (l *look) lasts(ttl time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ttl = min(l.ttl, ttl)
}

// configure finds whom to ask. The system's file may change at any time.
func (l *look) configure() {
	l.config = &dns.ClientConfig{Ndots: 1}
	if len(l.f.dns) > 0 {
		for _, a := range l.f.dns {
			l.config.Servers = append(l.config.Servers, a.String())
		}
		return
	}
	if c, err := dns.ClientConfigFromFile(resolvConf); err == nil && len(c.Servers) > 0 {
		for i, s := range c.Servers {
			c.Servers[i] = net.JoinHostPort(s, c.Port)
		}
		l.config = c
		return
	}
	l.config.Servers = []string{"127.0.0.1:53"} // resolv.conf(5)
}

const resolvConf, etcHosts = "/etc/resolv.conf", "/etc/hosts"

// ask gives the records of a name: none where the DNS says that there are none. A
// name that does not exist is looked for in the system's search domains.
func (l *look) ask(ctx context.Context, name string, kind uint16) ([]dns.RR, error) {
	for _, full := range l.config.NameList(name) {
		m, err := l.exchange(ctx, full, kind)
		if err != nil {
			return nil, err
		}
		if m.Rcode == dns.RcodeSuccess {
			if len(m.Answer) == 0 {
				l.lasts(negative(m))
			}
			for _, r := range m.Answer {
				l.lasts(time.Duration(r.Header().Ttl) * time.Second)
			}
			return m.Answer, nil
		}
		l.lasts(negative(m))
	}
	return nil, nil
}

// negative is for how long a name has no such record (RFC 2308 section 5).
func negative(m *dns.Msg) time.Duration {
	for _, r := range m.Ns {
		if soa, ok := r.(*dns.SOA); ok {
			return time.Duration(min(soa.Minttl, soa.Hdr.Ttl)) * time.Second
		}
	}
	return missingLongest
}

// exchange asks one server after the other, each twice, within the time there is.
func (l *look) exchange(ctx context.Context, name string, kind uint16) (*dns.Msg, error) {
	m := new(dns.Msg)
	m.SetQuestion(dns.Fqdn(name), kind)
	m.SetEdns0(1232, false)
	each := max(patience/time.Duration(2*len(l.config.Servers)), 300*time.Millisecond)
	var last error
	for range 2 {
		for _, server := range l.config.Servers {
			in, err := once(ctx, m, server, each)
			if err == nil {
				return in, nil
			}
			last = fmt.Errorf("locate: the DNS server %s does not say %s of %s: %w", server, dns.TypeToString[kind], strings.TrimSuffix(name, "."), err)
			if ctx.Err() != nil {
				return nil, last
			}
		}
	}
	return nil, last
}

var errOther = errors.New("the answer is to another question")

func once(ctx context.Context, m *dns.Msg, server string, patience time.Duration) (*dns.Msg, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	m = m.Copy()
	m.Id = dns.Id()
	in, _, err := (&dns.Client{Timeout: patience}).ExchangeContext(ctx, m, server)
	if err == nil && in.Truncated {
		in, _, err = (&dns.Client{Net: "tcp", Timeout: patience}).ExchangeContext(ctx, m, server)
	}
	switch {
	case err != nil:
		return nil, err
	case len(in.Question) != 1 || in.Question[0].Qtype != m.Question[0].Qtype || !strings.EqualFold(in.Question[0].Name, m.Question[0].Name):
		return nil, errOther
	case in.Rcode != dns.RcodeSuccess && in.Rcode != dns.RcodeNameError:
		return nil, errors.New(dns.RcodeToString[in.Rcode])
	}
	return in, nil
}

// hostsFile gives what the hosts file has for a name.
func hostsFile(name string) (out []netip.Addr) {
	f, err := os.Open(etcHosts)
	if err != nil {
		return nil
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		line, _, _ := strings.Cut(lines.Text(), "#")
		words := strings.Fields(line)
		if len(words) < 2 || !slices.ContainsFunc(words[1:], func(w string) bool { return strings.EqualFold(w, name) }) {
			continue
		}
		if a, err := netip.ParseAddr(words[0]); err == nil {
			out = append(out, a.Unmap())
		}
	}
	slices.SortStableFunc(out, func(a, b netip.Addr) int { return a.BitLen() - b.BitLen() })
	return out
}

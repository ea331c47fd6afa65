package doctor

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"github.com/cordboard/cordboard/configs"
	"github.com/cordboard/cordboard/sip/locate"
)

// names looks up the host names that the file has.
func names(ctx context.Context, p Patient) (out []Line) {
	if host := p.Server.SIP.Advertise; host != "" && net.ParseIP(strings.Trim(host, "[]")) == nil {
		const of = "sip.advertise"
		ips, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
		if err != nil || len(ips) == 0 {
			out = append(out, bad(Fail, of, fmt.Sprintf("the name %s has no address: %v", host, err), "Look at the name and at this machine's DNS"))
		} else {
			out = append(out, ok(of, "%s is %s", host, ips[0].Unmap()))
		}
	}
	lines := make([]Line, len(p.Server.SIP.Trunks))
	var asked sync.WaitGroup
	for i, t := range p.Server.SIP.Trunks {
		if t.Out != nil && net.ParseIP(t.Host()) == nil {
			asked.Go(func() { lines[i] = trunkName(ctx, p.Server, t) })
		}
	}
	asked.Wait()
	return append(out, slices.DeleteFunc(lines, func(l Line) bool { return l.Of == "" })...)
}

// finder asks the DNS that the server asks.
func finder(s *configs.Server) *locate.Finder {
	return locate.New(locate.Options{DNS: s.SIP.DNS})
}

// query is what the server asks for a trunk.
func query(s *configs.Server, o *configs.Out) locate.Query {
	host, port := hostPort(o.Host)
	n, _ := strconv.Atoi(port)
	speaks := []string{"tcp"} // the stack's order
	has := func(transport string) bool {
		return slices.ContainsFunc(s.SIP.Listen, func(l configs.Listen) bool { return l.Transport == transport })
	}
	if has("udp") {
		speaks = slices.Insert(speaks, 0, "udp")
	}
	if has("tls") {
		speaks = append(speaks, "tls")
	}
	return locate.Query{Host: host, Port: n, Transport: o.Transport, Speaks: strings.Join(speaks, ",")}
}

// trunkName says where a trunk's name leads, in which order, and which of its servers
// could not call us.
func trunkName(ctx context.Context, s *configs.Server, t configs.Trunk) Line {
	of, host := "sip.trunks."+t.Name+".out", t.Host()
	found, err := finder(s).Look(ctx, query(s, t.Out))
	switch {
	case errors.Is(err, locate.ErrMissing):
		return bad(Fail, of, fmt.Sprintf("the name %s has no address", host), "Look at the name and at this machine's DNS")
	case err != nil:
		return bad(Fail, of, fmt.Sprintf("the name %s has no address: %v", host, err), "Look at the name, and at sip.dns or this machine's /etc/resolv.conf")
	}
	var order, strange []string
	for _, h := range found.Hosts {
		var at []string
		for _, a := range h.Addrs {
			at = append(at, netip.AddrPortFrom(a, h.Port).String())
			if !slices.ContainsFunc(t.Trust.Sources, func(p netip.Prefix) bool { return p.Contains(a) }) {
				strange = append(strange, a.String())
			}
		}
		order = append(order, fmt.Sprintf("%s %s (%d/%d)", h.Transport, strings.Join(at, ", "), h.Priority, h.Weight))
	}
	says := fmt.Sprintf("%s by %s: %s; kept for %v", host, strings.Join(found.By, ", "), strings.Join(order, ", then "), found.TTL)
	if len(strange) > 0 {
		slices.Sort(strange)
		says += "; not in from, so no call is taken from there: " + strings.Join(slices.Compact(strange), ", ")
	}
	return ok(of, "%s", says)
}

// hostPort takes HOST or HOST:PORT apart.
func hostPort(s string) (host, port string) {
	if h, p, err := net.SplitHostPort(s); err == nil {
		return h, p
	}
	return strings.Trim(s, "[]"), ""
}

// ports looks whether the server's ports are free, or its own.
func ports(_ context.Context, p Patient) (out []Line) {
	s := p.Server
	for i, l := range s.SIP.Listen {
		network := "tcp"
		if l.Transport == "udp" {
			network = "udp"
		}
		out = append(out, port(p, fmt.Sprintf("sip.listen[%d]", i), network, l.Addr.String()))
	}
	out = append(out, port(p, "web.listen", "tcp", s.Web.Listen))
	if s.Admin != "" {
		out = append(out, port(p, "admin", "tcp", s.Admin))
	}
	return append(out, mediaPorts(p))
}

// port looks at one. Of who has it the system says nothing to everybody: while our
// server runs it is taken for its own.
func port(p Patient, of, network, addr string) Line {
	err := take(network, addr)
	switch {
	case err == nil && p.Running && !strings.HasSuffix(addr, ":0"):
		return bad(Fail, of, network+" "+addr+" is free, though the server runs", "It was started with another file, or could not take it: look at its log")
	case err == nil:
		return ok(of, "%s %s is free", network, addr)
	case errors.Is(err, syscall.EADDRINUSE) && p.Running:
		return ok(of, "%s %s is held, and the server runs", network, addr)
	case errors.Is(err, syscall.EADDRINUSE):
		return bad(Fail, of, network+" "+addr+" is held by another program", "ss -lnp shows by which; end it or give another port")
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return bad(Fail, of, addr+" is no address of this machine", "ip addr shows them")
	case errors.Is(err, syscall.EACCES):
		return bad(Fail, of, network+" "+addr+" may not be taken by this account", "Below 1024 it needs CAP_NET_BIND_SERVICE")
	}
	return bad(Fail, of, err.Error(), "")
}

// take binds an address and lets it go.
func take(network, addr string) error {
	if network == "udp" {
		c, err := net.ListenPacket(network, addr)
		if err != nil {
			return err
		}
		return c.Close()
	}
	l, err := net.Listen(network, addr)
	if err != nil {
		return err
	}
	return l.Close()
}

// mediaPorts looks how many pairs of the range are free.
func mediaPorts(p Patient) Line {
	m, free, pairs := p.Server.Media, 0, 0
	if p.Running { // a call might want the very pair
		return ok("media.ports", "not tried while calls may be taken from %d-%d", m.PortMin, m.PortMax)
	}
	for n := int(m.PortMin); n+1 <= int(m.PortMax); n += 2 {
		pairs++
		if take("udp", pairAddr(m, n)) == nil && take("udp", pairAddr(m, n+1)) == nil {
			free++
		}
	}
	says := fmt.Sprintf("%d of %d pairs from %d to %d are free, sip.max_calls is %d", free, pairs, m.PortMin, m.PortMax, p.Server.SIP.MaxCalls)
	switch {
	case free == 0:
		return bad(Fail, "media.ports", says, "Callers get 503: give another range, or end what holds these")
	case free < p.Server.SIP.MaxCalls:
		return bad(Warn, "media.ports", says, "Other programs hold some: give another range, beside net.ipv4.ip_local_port_range")
	}
	return ok("media.ports", "%s", says)
}

func pairAddr(m configs.Media, n int) string {
	return netip.AddrPortFrom(m.Addr, uint16(n)).String()
}

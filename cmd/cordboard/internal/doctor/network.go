package doctor

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"syscall"

	"github.com/cordboard/cordboard/configs"
)

// names looks up the host names that the file has.
func names(ctx context.Context, p Patient) (out []Line) {
	look := func(of, host string, srv string) {
		if host == "" || net.ParseIP(strings.Trim(host, "[]")) != nil {
			return
		}
		if srv != "" {
			if _, all, err := net.DefaultResolver.LookupSRV(ctx, "sip", srv, host); err == nil && len(all) > 0 {
				out = append(out, ok(of, "%s has %d SRV records, the first for %s:%d", host, len(all), all[0].Target, all[0].Port))
				return
			}
		}
		ips, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
		if err != nil || len(ips) == 0 {
			out = append(out, bad(Fail, of, fmt.Sprintf("the name %s has no address: %v", host, err), "Look at the name and at this machine's DNS"))
			return
		}
		out = append(out, ok(of, "%s is %s", host, ips[0].Unmap()))
	}
	look("sip.advertise", p.Server.SIP.Advertise, "")
	for _, t := range p.Server.SIP.Trunks {
		if t.Out != nil {
			host, port := hostPort(t.Out.Host)
			srv := ""
			if port == "" {
				srv = t.Out.Transport
			}
			look("sip.trunks."+t.Name+".out", host, srv)
		}
	}
	return out
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

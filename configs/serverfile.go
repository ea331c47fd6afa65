package configs

import (
	"fmt"
	"net/netip"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// serverVersion is the format that this program reads.
const serverVersion = "server/1"

// LoadServer reads the server file at path. Paths in it are resolved against
// its folder. The server is nil when there is any finding.
func LoadServer(path string) (*Server, []Finding) {
	b, err := ReadFile(path)
	if err != nil {
		return nil, []Finding{{File: path, Line: 1, Col: 1, Code: CodeSyntax, Msg: err.Error()}}
	}
	return ParseServer(path, b)
}

// ParseServer reads a server file; path stands in the findings and its folder
// is what paths in the file are resolved against. It reads nothing but b.
func ParseServer(path string, b []byte) (*Server, []Finding) {
	s := &serverReader{reader: &reader{file: path}, folder: filepath.Dir(path), out: &Server{}}
	root := s.parse(b)
	if root == nil {
		return nil, s.result()
	}
	s.noReferences(root)
	s.document(s.object(root))
	if findings := s.result(); len(findings) > 0 {
		return nil, findings
	}
	return s.out, nil
}

// Named gives the documents that a server file names, which may have errors
// elsewhere; "" for what it does not say.
func Named(path string) (routes, directory string) {
	b, err := ReadFile(path)
	if err != nil {
		return "", ""
	}
	s := &serverReader{reader: &reader{file: path}, folder: filepath.Dir(path), out: &Server{}}
	root := s.parse(b)
	if root == nil {
		return "", ""
	}
	o := s.object(root)
	return s.path(o.get("routing"), ""), s.path(o.get("directory"), "")
}

type serverReader struct {
	*reader
	folder string
	out    *Server
	claims []claim
}

func (s *serverReader) document(o *object) {
	if o.bad {
		return
	}
	if n := o.must("cordboard"); n != nil && n.text != serverVersion {
		s.wrong(n, "this is not a server file of this program: want %s, not %s", serverVersion, quote(n.text))
		return
	}
	s.out.Routes = s.path(o.must("routing"), "")
	s.out.Directory = s.path(o.get("directory"), "")
	s.out.WatchRoutes = s.flag(o.get("routing_watch"), false)
	sipNode := o.must("sip")
	s.sip(s.object(sipNode))
	s.media(s.object(o.get("media")))
	s.web(s.object(o.get("web")))
	s.out.Admin = "127.0.0.1:9090"
	admin := o.get("admin")
	if admin != nil {
		s.out.Admin = s.address(admin)
	}
	s.claim(admin, "admin", "tcp", s.out.Admin)
	s.checkClaims()
	s.store(s.object(o.get("store")))
	s.voicemail(s.object(o.get("voicemail")))
	s.trace(s.object(o.get("trace")))
	s.pops(o.get("pops"))
	s.out.Senders = s.senders(ofInteractions, o.get(ofInteractions))
	s.out.Askers = s.senders(ofCallbacks, o.get(ofCallbacks))
	s.out.Requests = s.senders(ofRequests, o.get(ofRequests))
	s.out.Consents = s.senders(ofConsents, o.get(ofConsents))
	s.contact(s.object(o.get("contact")))
	s.out.Notify = s.notify(o.get("notify"))
	s.retention(s.object(o.get("retention")))
	s.sources(o.get("sources"))
	o.close()
}

// noReferences refuses ${NAME}: only secrets may come from the environment,
// and of the keys of this file only these are.
func (s *serverReader) noReferences(n *node) {
	if n.path == "store.postgres" || secretKeys.MatchString(n.path) {
		return
	}
	if n.kind == kindScalar && strings.Contains(n.text, "${") {
		s.wrong(n, "references to the environment are for secrets only, and this is none")
		n.kind = kindBad
	}
	for _, p := range n.pairs {
		s.noReferences(p.value)
	}
	for _, item := range n.items {
		s.noReferences(item)
	}
}

// path reads a path, resolved against the file's folder.
func (s *serverReader) path(n *node, otherwise string) string {
	p := otherwise
	if n != nil {
		p = s.text(n, 1000)
	}
	if p == "" || filepath.IsAbs(p) {
		return p
	}
	return filepath.Join(s.folder, p)
}

func (s *serverReader) sip(o *object) {
	listen := o.get("listen")
	if listen == nil && !o.bad {
		o.must("listen")
	}
	for _, item := range s.list(listen, 16) {
		if l, ok := s.listen(item); ok {
			if slices.Contains(s.out.SIP.Listen, l) {
				s.errorf(item, CodeDuplicate, "%s: %s is listed twice", item.label(), item.text)
			} else {
				s.claim(item, item.label(), l.Transport, l.Addr.String())
			}
			s.out.SIP.Listen = append(s.out.SIP.Listen, l)
		}
	}
	if listen != nil && listen.kind == kindSequence && len(listen.items) == 0 {
		s.errorf(listen, CodeMissing, "sip.listen: there must be a listener")
	}
	if n := o.get("advertise"); n != nil {
		s.out.SIP.Advertise = s.host(n)
	}
	for _, item := range s.list(o.get("dns"), 8) {
		if a, ok := s.dnsServer(item); ok {
			s.out.SIP.DNS = append(s.out.SIP.DNS, a)
		}
	}
	s.out.SIP.MaxCalls = s.integer(o.get("max_calls"), 1, 100_000, 1000)
	s.out.SIP.Rate = s.integer(o.get("calls_per_second"), 1, 10_000, 50)
	s.sipTLS(o.get("tls"), listen)
	s.trunks(o.get("trunks"))
	s.out.SIP.Registrar = s.registrar(o.get("registrar"))
	o.close()
}

// dnsServer reads ADDRESS or ADDRESS:PORT.
func (s *serverReader) dnsServer(n *node) (netip.AddrPort, bool) {
	text, ok := s.scalar(n, "the address of a DNS server, such as 192.0.2.53")
	if !ok {
		return netip.AddrPort{}, false
	}
	if a, err := netip.ParseAddr(text); err == nil {
		return netip.AddrPortFrom(a, 53), true
	}
	a, err := netip.ParseAddrPort(text)
	if err != nil || a.Port() == 0 {
		s.wrong(n, "%s is not the address of a DNS server, such as 192.0.2.53 or [2001:db8::53]:5353", quote(text))
		return netip.AddrPort{}, false
	}
	return a, true
}

// listen reads udp:127.0.0.1:5060 or tcp:[::1]:5060.
func (s *serverReader) listen(n *node) (Listen, bool) {
	text, ok := s.scalar(n, "a listener, such as udp:127.0.0.1:5060")
	if !ok {
		return Listen{}, false
	}
	transport, addr, _ := strings.Cut(text, ":")
	switch transport {
	case "udp", "tcp", "tls":
	case "ws", "wss":
		s.unsupported(n, transport)
		return Listen{}, false
	default:
		s.wrong(n, "want udp:, tcp: or tls:ADDRESS:PORT, not %s", quote(text))
		return Listen{}, false
	}
	a, err := netip.ParseAddrPort(addr)
	if err != nil || a.Addr().Zone() != "" {
		s.wrong(n, "%s is not an address and port, such as 127.0.0.1:5060", quote(addr))
		return Listen{}, false
	}
	return Listen{Transport: transport, Addr: a}, true
}

// sipTLS reads sip.tls, which a tls listener must have and nothing else may.
func (s *serverReader) sipTLS(n, listen *node) {
	used := slices.ContainsFunc(s.out.SIP.Listen, func(l Listen) bool { return l.Transport == "tls" })
	switch {
	case n == nil && used:
		s.errorf(listen, CodeMissing, "sip.tls is missing: a tls listener needs a certificate and its key")
		return
	case n == nil:
		return
	case !used && listen != nil:
		s.errorf(n, CodeConflict, "sip.tls: no listener of sip.listen is tls")
	}
	t := s.object(n)
	s.out.SIP.TLS = &TLS{
		Certificate: s.path(t.must("certificate"), ""), Key: s.path(t.must("key"), ""), CA: s.path(t.get("ca"), ""),
	}
	t.close()
}

// host reads an address or a host name without a port.
func (s *serverReader) host(n *node) string {
	h := s.text(n, 253)
	if h == "" {
		return ""
	}
	if addr, err := netip.ParseAddr(h); err == nil {
		if addr.IsUnspecified() || addr.Zone() != "" {
			s.wrong(n, "%s is not a host that others can send to", quote(h))
		}
		return h
	}
	if !hostname.MatchString(h) {
		s.wrong(n, "%s is not a host: an address or a name, without a port", quote(h))
	}
	return h
}

func (s *serverReader) media(o *object) {
	m := &s.out.Media
	m.PortMin, m.PortMax = 20000, 29999
	addr := o.get("address")
	if addr != nil {
		m.Addr = s.addr(addr)
	} else if len(s.out.SIP.Listen) > 0 {
		m.Addr = s.out.SIP.Listen[0].Addr.Addr()
	}
	switch adv := o.get("advertise"); {
	case adv != nil:
		if m.Advertise = s.addr(adv); m.Advertise.IsValid() && m.Advertise.IsUnspecified() {
			s.wrong(adv, "%s is not an address that others can send to", m.Advertise)
		}
	case m.Addr.IsValid() && m.Addr.IsUnspecified():
		at := o.node
		if addr != nil {
			at = addr
		}
		if at.line == 0 { // no media section
			at = &node{line: 1, col: 1}
		}
		s.errorf(at, CodeMissing, "media.advertise is missing: phones cannot send to %s, say which address they should use", m.Addr)
	default:
		m.Advertise = m.Addr
	}
	ports := o.get("ports")
	if ports != nil {
		m.PortMin, m.PortMax = s.ports(ports)
	}
	if pairs := (int(m.PortMax) - int(m.PortMin) + 1) / 2; pairs > 0 && m.PortMax > 0 && pairs < s.out.SIP.MaxCalls {
		at := ports
		if at == nil {
			at = &node{line: 1, col: 1}
		}
		s.errorf(at, CodeConflict, "media.ports: %d pairs of ports, and sip.max_calls lets in %d calls", pairs, s.out.SIP.MaxCalls)
	}
	m.Sounds = s.path(o.get("sounds"), "")
	for _, item := range s.list(o.get("mutual"), 256) {
		if p, ok := s.network(item); ok {
			m.Mutual = append(m.Mutual, p)
		}
	}
	o.close()
}

func (s *serverReader) addr(n *node) netip.Addr {
	text, ok := s.scalar(n, "an address")
	if !ok {
		return netip.Addr{}
	}
	a, err := netip.ParseAddr(text)
	if err != nil || a.Zone() != "" {
		s.wrong(n, "%s is not an IP address", quote(text))
		return netip.Addr{}
	}
	return a
}

var portsForm = regexp.MustCompile(`^([0-9]{4,5})-([0-9]{4,5})$`)

// ports reads 20000-29999. RTP takes the even port of a pair, RTCP the odd one.
func (s *serverReader) ports(n *node) (low, high uint16) {
	text, ok := s.scalar(n, "a range of ports, such as 20000-29999")
	if !ok {
		return 0, 0
	}
	parts := portsForm.FindStringSubmatch(text)
	if parts == nil {
		s.wrong(n, "%s is not a range of ports, such as 20000-29999", quote(text))
		return 0, 0
	}
	a, err1 := strconv.ParseUint(parts[1], 10, 16)
	b, err2 := strconv.ParseUint(parts[2], 10, 16)
	if err1 != nil || err2 != nil || a < 1024 || a%2 != 0 || b%2 != 1 || a >= b {
		s.wrong(n, "want an even port from 1024 and an odd one above it, up to 65535")
		return 0, 0
	}
	return uint16(a), uint16(b)
}

func (s *serverReader) web(o *object) {
	w := &s.out.Web
	w.Listen = "127.0.0.1:8080"
	listen := o.get("listen")
	if listen != nil {
		w.Listen = s.address(listen)
	}
	s.claim(listen, "web.listen", "tcp", w.Listen)
	for _, item := range s.list(o.get("origins"), 64) {
		if origin := s.origin(item); origin != "" {
			w.Origins = append(w.Origins, origin)
		}
	}
	if n := o.get("tls"); n != nil {
		t := s.object(n)
		w.TLSCert = s.path(t.must("certificate"), "")
		w.TLSKey = s.path(t.must("key"), "")
		t.close()
	}
	w.Session = s.duration(o.get("session"), 5*time.Minute, 7*24*time.Hour, 12*time.Hour)
	o.close()
}

// address reads HOST:PORT of a listener; the host may be left out.
func (s *serverReader) address(n *node) string {
	text, ok := s.scalar(n, "an address and port, such as 127.0.0.1:8080")
	if !ok {
		return ""
	}
	i := strings.LastIndexByte(text, ':')
	if i < 0 {
		s.wrong(n, "%s is not an address and port, such as 127.0.0.1:8080", quote(text))
		return ""
	}
	host, port := text[:i], text[i+1:]
	if v, err := strconv.ParseUint(port, 10, 16); err != nil || fmt.Sprint(v) != port {
		s.wrong(n, "%s is not a port", quote(port))
		return ""
	}
	if host != "" && !hostOK(host) {
		s.wrong(n, "%s is not a host: an IPv4 address, an IPv6 address in brackets, or a name", quote(host))
		return ""
	}
	return text
}

// origin reads https://desk.example.com as browsers write it in Origin.
func (s *serverReader) origin(n *node) string {
	text := s.text(n, 300)
	if text == "" {
		return ""
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || text != u.Scheme+"://"+strings.ToLower(u.Host) {
		s.wrong(n, "%s is not an origin, such as https://desk.example.com", quote(text))
		return ""
	}
	return text
}

// Package configs reads the two files that run a server: the server file
// (ports, trunks, store) and the routing document. It reads strictly, reports
// every error of a file at once with file:line:col, and compiles the routing
// document into a routing.Policy.
package configs

import (
	"net/netip"
	"time"

	"github.com/cordboard/cordboard/sip/identity"
)

// Server is the server file, "cordboard: server/1", with defaults filled in.
type Server struct {
	SIP    SIP
	Media  Media
	Web    Web
	Admin  string // address of /metrics, /-/healthy, /-/ready; loopback by default
	Store  Store
	Routes string // path of the routing document, resolved against the server file's folder
}

// SIP is where calls come in.
type SIP struct {
	Listen []Listen
	// Advertise is the host put into Contact and Via when it differs from the
	// listening address; "" for none.
	Advertise string
	Trunks    []Trunk
	Registrar *Registrar
	MaxCalls  int // admission: calls at once; over it 503 + Retry-After
	Rate      int // admission: new calls a second
	TLS       *TLS
}

// TLS is what the tls listeners show, and whom calls by TLS trust.
type TLS struct {
	Certificate, Key string // PEM files
	CA               string // PEM file of the roots to trust; "" for the system's
}

// Listen is one SIP listener.
type Listen struct {
	Transport string // udp, tcp, tls
	Addr      netip.AddrPort
}

// Trunk is one neighbour that sends calls.
type Trunk struct {
	Name  string
	Trust identity.Trust
	Media string // direct, relay, auto
}

// Media is the RTP side.
type Media struct {
	Addr      netip.Addr
	Advertise netip.Addr // in SDP; Addr when not given
	PortMin   uint16
	PortMax   uint16
	Sounds    string // folder of WAV files beside the built-in ones, "" for none
	// Mutual lists networks that reach each other's media addresses without us
	// (media: auto joins directly only between addresses within these).
	Mutual []netip.Prefix
}

// Web is the desktop's side.
type Web struct {
	Listen  string
	Origins []string // allowed besides the server's own
	TLSCert string
	TLSKey  string
	Session time.Duration // how long a login lasts
}

// Store is where things are kept.
type Store struct {
	Path     string   // SQLite file, "" with Postgres
	Postgres Postgres // instead of the file
	Journal  string   // folder of the engine's journal, and of what waits for the database
}

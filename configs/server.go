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
// Tags name the keys; docs/server-file.md says what each does.
type Server struct {
	SIP    SIP    `key:"sip"`
	Media  Media  `key:"media"`
	Web    Web    `key:"web"`
	Admin  string `key:"admin"` // address of /metrics, /-/healthy, /-/ready; loopback by default
	Store  Store  `key:"store"`
	Routes string `key:"routing"` // path of the routing document, resolved against the server file's folder
	// Directory is the path of the agents' directory, resolved likewise; "" when
	// the document lists its agents itself.
	Directory string `key:"directory"`
	// WatchRoutes has document and directory read again when their file changes.
	WatchRoutes bool      `key:"routing_watch"`
	Voicemail   Voicemail `key:"voicemail"`
	Trace       Trace     `key:"trace"`
	Pops        []Pops    `key:"pops"`
	Senders     []Sender  `key:"interactions"`
	Askers      []Sender  `key:"callbacks"`
	Requests    []Sender  `key:"requests"`
	Consents    []Sender  `key:"consents"`
	Contact     Contact   `key:"contact"`
	Notify      *Notify   `key:"notify"`
	Retention   Retention `key:"retention"`
	Sources     []Source  `key:"sources"`
}

// SIP is where calls come in.
type SIP struct {
	Listen []Listen `key:"listen"`
	// Advertise is the host put into Contact and Via when it differs from the
	// listening address; "" for none.
	Advertise string `key:"advertise"`
	// DNS are the servers that are asked for the names of trunks; none: the system's.
	DNS       []netip.AddrPort `key:"dns"`
	Trunks    []Trunk          `key:"trunks"`
	Registrar *Registrar       `key:"registrar"`
	MaxCalls  int              `key:"max_calls"`        // admission: calls at once; over it 503 + Retry-After
	Rate      int              `key:"calls_per_second"` // admission: new calls a second
	TLS       *TLS             `key:"tls"`
}

// TLS is what the tls listeners show, and whom calls by TLS trust.
type TLS struct {
	Certificate string `key:"certificate"` // PEM file
	Key         string `key:"key"`         // PEM file
	CA          string `key:"ca"`          // PEM file of the roots to trust; "" for the system's
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
	Media string `key:"media"` // direct, relay, auto
	// Redirect: the trunk rings the agents' telephones itself (302, REFER).
	Redirect bool  `key:"redirect"`
	Out      *Out  `key:"out"` // nil: no call leaves by it
	Login    Login `key:""`
	// Register is how long a registration with who takes our calls is asked for; 0:
	// none is.
	Register time.Duration `key:"register"`
	Pass     []string      `key:"pass"` // headers of its callers that the agents' telephones are shown
	// What it may carry, in and out; 0 for no cap of its own.
	MaxCalls int `key:"max_calls"`
	Rate     int `key:"calls_per_second"`
}

// Login is what a trunk is shown that asks who we are. The password is a reference
// until Secret resolves it.
type Login struct {
	User         string `key:"user"`          // "": none
	Realm        string `key:"realm"`         // the only one that is answered
	Password     string `key:"password"`      // ${NAME}
	PasswordFile string `key:"password_file"` // holds it on its first line
}

// Out is how calls leave by a trunk: to numbers and to agents' mobiles.
type Out struct {
	Host      string              `key:"to"` // host[:port] as in a URI
	Transport string              `key:"to"`
	Number    string              `key:"number"` // E.164; "" with Callers
	Callers   bool                `key:"caller"` // the caller's number is shown, where it may be
	Format    identity.DialFormat `key:"format"`
	Prefix    string              `key:"prefix"`
	Calls     int                 `key:"calls"` // at once
	// Back lists the countries (ISO 3166) whose numbers are called back.
	Back []string `key:"callback"`
}

// Media is the RTP side.
type Media struct {
	Addr      netip.Addr `key:"address"`
	Advertise netip.Addr `key:"advertise"` // in SDP; Addr when not given
	PortMin   uint16     `key:"ports"`
	PortMax   uint16     `key:"ports"`
	Sounds    string     `key:"sounds"` // folder of WAV files beside the built-in ones, "" for none
	// Mutual lists networks that reach each other's media addresses without us
	// (media: auto joins directly only between addresses within these).
	Mutual []netip.Prefix `key:"mutual"`
}

// Web is the desktop's side.
type Web struct {
	Listen  string        `key:"listen"`
	Origins []string      `key:"origins"` // allowed besides the server's own
	TLSCert string        `key:"tls.certificate"`
	TLSKey  string        `key:"tls.key"`
	Session time.Duration `key:"session"` // how long a login lasts
}

// Store is where things are kept.
type Store struct {
	Path     string   `key:"path"`    // SQLite file, "" with Postgres
	Postgres Postgres `key:""`        // instead of the file
	Journal  string   `key:"journal"` // folder of the engine's journal, and of what waits for the database
}

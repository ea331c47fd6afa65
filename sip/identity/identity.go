// Package identity says who is calling and which number was dialled, from the
// headers a trunk is trusted for (RFC 3325, RFC 3323, RFC 5806, RFC 7044). It
// is pure: text in, a Caller out.
package identity

import "net/netip"

// Source is the header that a caller's number was taken from.
type Source string

const (
	FromPAI  Source = "pai"  // P-Asserted-Identity, RFC 3325
	FromRPID Source = "rpid" // Remote-Party-ID, the expired draft PBXs still send
	FromFrom Source = "from" // From, RFC 3261
	FromNone Source = "none" // withheld, or no number anywhere
)

// Header is one header field: name and raw value, in message order.
type Header struct{ Name, Value string }

// Trust is what one trunk is believed about (spec: configured per trunk, empty
// means From only).
type Trust struct {
	Trunk      string
	Sources    []netip.Prefix // addresses the trunk sends from
	Headers    []Source       // believed, in this order; FromFrom is always last
	Diversion  bool           // believe Diversion and History-Info
	Region     string         // ISO 3166: national numbers are read in this region
	ShortCodes []string       // dialled numbers that are not E.164, read first
	// Account is the user that calls are sent to where the trunk is registered: what
	// was dialled stands elsewhere then.
	Account string
}

// Caller is who is calling, as far as the trunk can be believed.
type Caller struct {
	Number     Number // zero when withheld or unreadable
	Display    string // display name, control characters removed
	Source     Source
	Trusted    bool   // from a header that only a trusted trunk may set
	Restricted bool   // Privacy asks that nobody be shown the number
	Country    string // ISO 3166 of the number, "" when unknown
}

// Dialled is the number the caller dialled: E.164, or a short code as it stands.
type Dialled struct {
	Number string
	// Redirected holds the first number dialled when the call was diverted on
	// the way (bottom Diversion, first History-Info entry), else "".
	Redirected string
}

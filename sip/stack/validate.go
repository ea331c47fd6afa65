package stack

import "strings"

// capabilities is what OPTIONS is told and what goes into 2xx.
var capabilities = []Header{
	{"Allow", allow},
	{"Accept", "application/sdp"},
	{"Accept-Encoding", "identity"},
	{"Supported", "timer, 100rel"}, // RFC 4028 is the dialog's owner's
}

// allow is what is done here. MESSAGE is known, and refused, and so is REFER but
// from those called with Outgoing.Refer. NOTIFY is for who was subscribed at.
const allow = "INVITE, ACK, CANCEL, BYE, OPTIONS, PRACK, UPDATE, INFO, NOTIFY"

// allowed is the Allow of a dialog.
func allowed(refer bool) string {
	if refer {
		return allow + ", REFER"
	}
	return allow
}

// known are the methods that have a meaning outside or inside a dialog here.
var known = map[string]bool{
	"INVITE": true, "ACK": true, "CANCEL": true, "BYE": true, "OPTIONS": true,
	"UPDATE": true, "INFO": true, "REFER": true, "MESSAGE": true,
	"REGISTER": true, "SUBSCRIBE": true, "NOTIFY": true, "PUBLISH": true, "PRACK": true,
}

// check is validate and what depends on who we are: a request that we have
// sent ourselves has come round (RFC 3261 16.3, 4.; known by its branch, for
// two networks may use one private address), and sips is by TLS alone.
func (s *Stack) check(m *Message) *verdict {
	if v := validate(m); v != nil {
		return v
	}
	if m.target.scheme == "sips" && m.Transport != "tls" {
		return refuse(416)
	}
	if m.Method != "INVITE" {
		return nil
	}
	ours := s.branchOurs()
	for _, h := range m.Headers {
		if h.Name != "Via" || !strings.Contains(h.Value, ours) {
			continue
		}
		if v, _ := readVia(h.Value); strings.HasPrefix(v.branch, ours) {
			return refuse(482)
		}
	}
	return nil
}

// validate checks a request that could be read: nil for a sound one.
func validate(m *Message) *verdict {
	if !strings.EqualFold(m.version, "SIP/2.0") {
		return refuse(505)
	}
	if m.fault != "" {
		return &verdict{code: 400, reason: m.fault}
	}
	if !m.from || !m.to || m.callID == "" {
		return &verdict{code: 400, reason: "Missing Header"}
	}
	if m.fromTag == "" {
		return &verdict{code: 400, reason: "Missing From Tag"}
	}
	if m.cseqMethod != m.Method {
		return &verdict{code: 400, reason: "CSeq Method Mismatch"}
	}
	if !known[m.Method] {
		return refuse(405, Header{"Allow", allow})
	}
	switch uri := m.target; {
	case uri.scheme != "sip" && uri.scheme != "sips" && uri.scheme != "tel":
		return refuse(416)
	case uri.headers:
		return &verdict{code: 400, reason: "Headers In Request-URI"}
	case uri.scheme != "tel" && !hostOK(uri.host):
		return &verdict{code: 400, reason: "Bad Request-URI"}
	}
	if m.Method == "ACK" || m.Method == "CANCEL" || m.Method == "BYE" {
		return nil // what follows is no reason to go on with a call that is over
	}
	if bad := unsupported(m); bad != "" {
		return refuse(420, Header{"Unsupported", bad})
	}
	if m.Method == "INVITE" {
		// A B2BUA would send the call on; everything else ends here.
		if m.maxForwards == 0 {
			return refuse(483)
		}
		if !acceptsSDP(m) {
			return refuse(406)
		}
	}
	return bodyOK(m)
}

// unsupported lists what a request requires and we cannot do.
func unsupported(m *Message) string {
	var bad []string
	for _, v := range m.Values("Require") {
		for tag := range strings.SplitSeq(v, ",") {
			tag = strings.TrimSpace(tag)
			switch {
			case strings.EqualFold(tag, "timer"):
			case m.Method == "INVITE" && strings.EqualFold(tag, tag100rel):
			case m.Method == "REFER" && strings.EqualFold(tag, "norefersub"): // RFC 4488
			default:
				bad = append(bad, tag)
			}
		}
	}
	return strings.Join(bad, ", ")
}

func hostOK(host string) bool {
	if strings.HasPrefix(host, "[") {
		return numericHost(host).IsValid()
	}
	if host == "" || strings.ContainsAny(host, " <>\"@:,") {
		return false
	}
	return true
}

func bodyOK(m *Message) *verdict {
	if len(m.Body) == 0 {
		return nil
	}
	if enc := m.Get("Content-Encoding"); enc != "" && !strings.EqualFold(enc, "identity") {
		return refuse(415, Header{"Accept-Encoding", "identity"})
	}
	if m.Method != "INVITE" && m.Method != "UPDATE" && m.Method != "PRACK" {
		return nil
	}
	// What is in a multipart body the owner of the dialog finds out.
	if kind := mediaType(m.Get("Content-Type")); kind != "application/sdp" && !strings.HasPrefix(kind, "multipart/") {
		return refuse(415, Header{"Accept", "application/sdp"})
	}
	return nil
}

func mediaType(v string) string {
	v, _, _ = strings.Cut(v, ";")
	return strings.ToLower(strings.TrimSpace(v))
}

func acceptsSDP(m *Message) bool {
	all := m.Values("Accept")
	if len(all) == 0 {
		return true
	}
	for _, v := range strings.Split(strings.Join(all, ","), ",") {
		switch mediaType(v) {
		case "application/sdp", "application/*", "*/*":
			return true
		}
	}
	return false
}

// reasons are the phrases of the codes sent from here, as the RFCs have them
// (RFC 3261 21, 3329, 3515, 4028, 6086, 6665).
var reasons = map[int]string{
	100: "Trying", 180: "Ringing", 181: "Call Is Being Forwarded", 182: "Queued", 183: "Session Progress",
	200: "OK", 202: "Accepted", 302: "Moved Temporarily",
	400: "Bad Request", 401: "Unauthorized", 402: "Payment Required", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed", 406: "Not Acceptable",
	407: "Proxy Authentication Required", 408: "Request Timeout", 410: "Gone", 412: "Conditional Request Failed",
	413: "Request Entity Too Large", 414: "Request-URI Too Long", 415: "Unsupported Media Type", 416: "Unsupported URI Scheme",
	420: "Bad Extension", 421: "Extension Required", 422: "Session Interval Too Small", 423: "Interval Too Brief",
	433: "Anonymity Disallowed", 469: "Bad Info Package", 480: "Temporarily Unavailable", 481: "Call/Transaction Does Not Exist",
	482: "Loop Detected", 483: "Too Many Hops", 484: "Address Incomplete", 485: "Ambiguous", 486: "Busy Here",
	487: "Request Terminated", 488: "Not Acceptable Here", 489: "Bad Event", 491: "Request Pending",
	493: "Undecipherable", 494: "Security Agreement Required",
	500: "Server Internal Error", 501: "Not Implemented", 502: "Bad Gateway", 503: "Service Unavailable",
	504: "Server Time-out", 505: "Version Not Supported", 513: "Message Too Large", 580: "Precondition Failure",
	600: "Busy Everywhere", 603: "Decline", 604: "Does Not Exist Anywhere", 606: "Not Acceptable",
}

// Phrase is what a status code means (RFC 3261 21 and the registry of IANA), "" for
// one that we do not know.
func Phrase(code int) string { return reasons[code] }

func reasonOf(code int) string {
	if r := Phrase(code); r != "" {
		return r
	}
	return "SIP " + string(rune('0'+code/100)) + "xx"
}

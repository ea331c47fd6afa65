// Package stack is the SIP ground: transports, transactions, dialogs and
// guards, on sipgo's transports. It is the only importer of sipgo; everything
// above sees the types of this file. Events of one dialog
// arrive in order, one at a time, at the sink its owner gave.
//
// Traps of the library that are fenced off here are named at the place that
// does it, with the test that would catch the fence falling.
package stack

import (
	"net/netip"
	"time"
)

// Header is one header field, in message order.
type Header struct{ Name, Value string }

// Message is a SIP request or response as received: our own copy, safe to keep.
type Message struct {
	Method  string // of a request, or of the CSeq of a response
	Status  int    // 0 for a request
	Reason  string
	URI     string // request URI
	Headers []Header
	Body    []byte
	Source  netip.AddrPort // where it came from
	// Transport is "udp", "tcp" or "tls".
	Transport string
	At        time.Time // when the datagram or the message's last byte was read

	found // by readHead
}

// Get returns the first value of the header, compact forms folded, "" if none.
func (m *Message) Get(name string) string { return get(m.Headers, name) }

// DialogState is what is needed to continue a dialog from a stored row
// (Dialogs port; fields as in RFC 3261 section 12).
type DialogState struct {
	CallID, LocalTag, RemoteTag string
	LocalURI, RemoteURI         string
	RemoteTarget                string
	Routes                      []string
	LocalCSeq, RemoteCSeq       uint32
	UAS, Confirmed              bool
	Transport                   string
	Peer                        netip.AddrPort
}

// Event is something that happened in one dialog.
type Event interface{ isEvent() }

type (
	// Progress is a 1xx other than 100 to our INVITE.
	Progress struct{ Response *Message }
	// Answered is the first 2xx to our INVITE. The owner must call Dialog.Ack.
	// Further 2xx of the same dialog are ACKed here; a 2xx of another dialog
	// (forking) is ACKed and BYEd here.
	Answered struct{ Response *Message }
	// Routed: our INVITE goes to a server of the name that it is for, the first or,
	// where the last has given no answer or said 503, the next (RFC 3263 4.3): what
	// was silent until now was the DNS, or another server.
	Routed struct{}
	// Failed is the end of our INVITE without 2xx. Response is nil for a
	// time-out (Code 408) and for a transport error (Code 503). Err is ErrPassword
	// where it was shown our password and asked once more.
	Failed struct {
		Code     int
		Response *Message
		Err      error
	}
	// Canceled: the caller sent CANCEL (or BYE) before our final response; 200
	// and 487 have been sent. Reason is the request's Reason header (RFC 3326).
	Canceled struct{ Reason string }
	// Acked is the ACK of our 2xx (first one only; retransmissions are eaten).
	Acked struct{ Request *Message }
	// AckMissing: no ACK for our 2xx within 64*T1 (RFC 3261 13.3.1.4).
	AckMissing struct{}
	// Pracked is the PRACK of the provisional response in which our offer went, to
	// an INVITE without one: the answer is its body.
	Pracked struct{ Request *Message }
	// PrackMissing: no PRACK for a provisional response within 64*T1 (RFC 3262 3).
	// The INVITE has been refused with 504; the dialog is gone.
	PrackMissing struct{}
	// Requested is a request inside the dialog that the owner must answer with
	// Dialog.Reply: INVITE (re-INVITE), UPDATE, PRACK with an offer, INFO, REFER,
	// OPTIONS, MESSAGE, NOTIFY.
	// CSeq order is checked, glare (491) and lone retransmissions are handled
	// here. Unanswered, a re-INVITE gets 500 after 3 minutes, others after 64*T1.
	Requested struct{ Request *Message }
	// Withdrawn: a Requested INVITE or UPDATE that was not yet replied to has
	// been answered here: 487 to the peer's CANCEL, or 500 because its time was
	// up. Reply gives ErrGone from now on; what was agreed before stands.
	Withdrawn struct{ Request *Message }
	// Ended: the peer's BYE. 200 has been sent; the dialog is gone.
	Ended struct{ Request *Message }
	// Replied is the final response to a request of ours inside the dialog.
	// For a 2xx to re-INVITE the owner must call Dialog.Ack. Code 408/503 with
	// nil Response: time-out, transport error. 481 and 408 mean that the dialog
	// is gone at the peer (RFC 5057).
	Replied struct {
		Method   string
		CSeq     uint32
		Code     int
		Response *Message
		Err      error
	}
	// FlowLost: the TCP connection the dialog ran on is gone and no other can
	// be made. It comes at most once. An incoming call that has not been
	// answered is over then; an answered one is the owner's to end.
	FlowLost struct{ Err error }
)

func (Progress) isEvent()     {}
func (Answered) isEvent()     {}
func (Routed) isEvent()       {}
func (Failed) isEvent()       {}
func (Canceled) isEvent()     {}
func (Acked) isEvent()        {}
func (AckMissing) isEvent()   {}
func (Pracked) isEvent()      {}
func (PrackMissing) isEvent() {}
func (Requested) isEvent()    {}
func (Withdrawn) isEvent()    {}
func (Ended) isEvent()        {}
func (Replied) isEvent()      {}
func (FlowLost) isEvent()     {}

// Sink receives a dialog's events. It must not block, nor call the dialog: it
// posts to a mailbox. It may run while a method of the dialog, called by its
// owner, has not returned, and on the goroutine that reads all datagrams.
type Sink func(Event)

// Handler is the application's side for requests outside any dialog.
type Handler interface {
	// Invite is a new call. The stack has sent nothing but, when needed, 100.
	// The owner calls d.Bind(sink) before it returns and must end the dialog
	// with a final response sooner or later. It runs on its own goroutine, may
	// take a moment, and a panic in it ends this call with 500 and no other.
	Invite(d *Dialog, req *Message)
	// Other is any other request outside a dialog that the stack does not answer
	// itself (OPTIONS is answered 200 here): it returns what to answer.
	Other(req *Message) (code int, reason string)
}

// Outgoing is an INVITE to be sent.
type Outgoing struct {
	URI     string // request URI and, unless Next is set, where it goes
	From    string // name-addr without tag
	To      string // name-addr
	Headers []Header
	// Body is the SDP, or nil for a late offer: then Headers must not say that 100rel
	// is supported, for nobody answers an offer in a provisional response here.
	Body []byte
	// Transport is "udp", "tcp" or "tls"; empty: from the URI's scheme and
	// transport parameter, else udp.
	Transport string
	// Next is where this request and those of its dialog go, whatever the URIs
	// say, as long as no proxy records its route: the address that a phone behind
	// NAT is seen at or, over a stream, the connection it made and no other.
	// Transport must be given with it. Zero: by the URI.
	Next netip.AddrPort
	// Spent is what Max-Forwards is below 70: what the call that this one goes on
	// from had used up, and one, so that a loop through several servers ends
	// (RFC 7332).
	Spent int
	// Refer says that the one called may send REFER: it stands in Allow.
	Refer bool
	// Login answers challenges to this request and those of its dialog; nil: they
	// are its end.
	Login *Login
}

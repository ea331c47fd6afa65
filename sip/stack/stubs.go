package stack

import "context"

func get(h []Header, name string) string { panic("to be written") }

// Dialog is one leg. All methods are safe for use by one owner goroutine, never
// block, and report their outcome as Events.
type Dialog struct{}

// Bind gives the owner's sink; events that came before are delivered first.
func (d *Dialog) Bind(Sink) { panic("to be written") }

// Progress sends a 1xx to the initial INVITE (UAS).
func (d *Dialog) Progress(code int, reason string, h []Header, body []byte) error {
	panic("to be written")
}

// Accept sends 200 to the initial INVITE (UAS) and retransmits it until the ACK.
func (d *Dialog) Accept(h []Header, sdp []byte) error { panic("to be written") }

// Reject sends a final 3xx-6xx to the initial INVITE (UAS); the dialog is gone.
func (d *Dialog) Reject(code int, reason string, h []Header) error { panic("to be written") }

// Reply answers a Requested event's request.
func (d *Dialog) Reply(req *Message, code int, reason string, h []Header, body []byte) error {
	panic("to be written")
}

// Ack acknowledges the 2xx of the INVITE or re-INVITE that was last answered;
// body carries our answer when the 2xx held the offer.
func (d *Dialog) Ack(body []byte) error { panic("to be written") }

// Cancel gives up our INVITE (UAC): CANCEL after the first provisional; on a
// 2xx that crosses it ACK and BYE follow by themselves. The owner gets Failed
// (487 or whatever came), never Answered, after Cancel.
func (d *Dialog) Cancel() { panic("to be written") }

// Reinvite sends a re-INVITE; its outcome is Replied. 491 is retried here by
// RFC 3261 14.1 timers before it is reported.
func (d *Dialog) Reinvite(h []Header, sdp []byte) (cseq uint32, err error) { panic("to be written") }

// Request sends any other request inside the dialog; its outcome is Replied.
func (d *Dialog) Request(method string, h []Header, contentType string, body []byte) (cseq uint32, err error) {
	panic("to be written")
}

// Bye ends the dialog from our side. Safe in every state: before the ACK of
// our 2xx came it waits for it or for its time-out (RFC 3261 15), before any
// final response it cancels or rejects.
func (d *Dialog) Bye(h []Header) { panic("to be written") }

// State is the dialog as a row can hold it.
func (d *Dialog) State() DialogState { panic("to be written") }

// Stack is the running SIP endpoint.
type Stack struct{}

// Invite starts a new outgoing dialog; events go to sink.
func (s *Stack) Invite(o Outgoing, sink Sink) (*Dialog, error) { panic("to be written") }

// Options asks a URI for life (OPTIONS outside a dialog): status code, 408 for
// no answer, 503 for a transport error.
func (s *Stack) Options(ctx context.Context, uri string) int { panic("to be written") }

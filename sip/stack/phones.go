package stack

import (
	"bytes"
	"errors"
	"net/netip"
)

// Answer is the response to a request outside a dialog. Unlike elsewhere its
// headers may hold Contact: the bindings in the answer to a REGISTER.
type Answer struct {
	Code    int
	Reason  string // "" for the usual one
	Headers []Header
}

// Phones is the side of telephones that register here: strangers by their
// addresses, known by their credentials. Its methods are called from many
// goroutines.
type Phones interface {
	// Hears reports whether a request of the method, outside any dialog, is heard
	// from an address that Options.Allow does not know. One whose OPTIONS are heard
	// is taken for known. It must be quick.
	Hears(from netip.Addr, method string) bool
	// Register answers a REGISTER. It must not wait for anything.
	Register(req *Message) Answer
	// Challenge answers an INVITE, outside any dialog and from no trunk, that brings no
	// credentials; Code 0: it does. It must be quick.
	Challenge(req *Message) Answer
	// Closed says that a connection which the peer had made has ended.
	Closed(peer netip.AddrPort)
}

var errFlow = errors.New("stack: the connection that the phone made is gone")

// hears reports whether a registrar wants a request that no trunk sent.
func (s *Stack) hears(from netip.Addr, method string) bool {
	return s.o.Phones != nil && s.o.Phones.Hears(from, method)
}

// hearsRaw is hears for a datagram that has not been parsed.
func (s *Stack) hearsRaw(from netip.Addr, data []byte) bool {
	method, _, ok := bytes.Cut(data[:min(len(data), 16)], []byte(" "))
	return ok && s.hears(from, string(method))
}

// answerRegister gives the registrar's answer.
func (s *Stack) answerRegister(in *inbound) {
	a := Answer{Code: 500}
	func() {
		defer s.recovered("registrar")
		a = s.o.Phones.Register(in.msg)
	}()
	if from := in.msg.Source; a.Code == 200 && stream(in.msg.Transport) && !s.flows.prove(in.msg.Transport, from) {
		s.o.Phones.Closed(from) // it went while it was being answered
	}
	var contacts []Header
	for _, h := range a.Headers {
		if is(h.Name, "contact") { // not one of ours
			contacts = append(contacts, h)
		}
	}
	s.answerOther(in, &verdict{code: a.Code, reason: a.Reason, headers: a.Headers}, contacts)
}

// fix sends the request to the address, unless it has a route to take.
func (sp *spec) fix(next netip.AddrPort, over string) {
	if len(sp.routes) == 0 {
		sp.fixed, sp.fixedOver = next, over
	}
}

// fixedHop is the way that Outgoing.Next gives. A connection that the peer made
// can't be made anew from here.
func (s *Stack) fixedHop(sp *spec) (string, netip.AddrPort, error) {
	a := sp.fixed.Addr()
	if a.IsUnspecified() || a.IsMulticast() || s.isOurs(sp.fixedOver, sp.fixed) {
		return "", netip.AddrPort{}, errTarget
	}
	if sp.fixedOver != "udp" && !s.alive(sp.fixedOver, sp.fixed) {
		return "", netip.AddrPort{}, errFlow
	}
	return sp.fixedOver, sp.fixed, nil
}

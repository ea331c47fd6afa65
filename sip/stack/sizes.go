package stack

// Sizes is what the stack remembers at the moment. Dialogs and what was
// received are kept for 64*T1 after their end (RFC 3261 17.2.1, 13.3.1.4); a
// stack without calls comes down to zeros.
type Sizes struct {
	Dialogs int // of calls in and out, those that have ended a moment ago included
	Invites int // INVITE transactions received
	Clients int // requests of ours, until their transaction's end
	Peers   int // addresses that are heard because a request of ours went there
}

// Sizes counts what is remembered.
func (s *Stack) Sizes() Sizes {
	s.mu.Lock()
	defer s.mu.Unlock()
	return Sizes{Dialogs: len(s.dialogs), Invites: len(s.invites), Clients: len(s.clients), Peers: len(s.peers)}
}

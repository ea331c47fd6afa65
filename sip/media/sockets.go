package media

import "net/netip"

// sockets opens UDP sockets and reads them all. How depends on the system:
// newSockets.
type sockets interface {
	// open binds a socket. What arrives on it is handed to the receiver that
	// newSockets was given, until it is closed and perhaps once more.
	open(at netip.AddrPort) (socket, error)
	// close stops the readers and waits for them. All sockets are closed by then.
	close()
}

// socket is one UDP socket. send is called by one goroutine at a time, and not
// after close.
type socket interface {
	// send never waits; b is not empty. A datagram that cannot be sent is a lost datagram: RTP
	// lives with that, and a dead peer is found by its signalling.
	send(b []byte, to netip.AddrPort)
	close()
}

// receiver is told each datagram and the port it came to. pkt is valid until
// it returns.
type receiver func(port uint16, pkt []byte, src netip.AddrPort)

package stack

// Listening are the addresses of all listeners, as udp:127.0.0.1:5060, in the
// order UDP, TCP and TLS as given.
func (s *Stack) Listening() []string {
	var out []string
	for _, c := range s.udp {
		out = append(out, "udp:"+c.LocalAddr().String())
	}
	for _, l := range s.tcp {
		out = append(out, l.transport()+":"+l.Listener.Addr().String())
	}
	return out
}

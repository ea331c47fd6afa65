package configs

import (
	"net/netip"
	"strconv"
	"strings"
)

// claim is an address that the server will listen on.
type claim struct {
	at        *node // where it stands; nil: nowhere, it is a default
	label     string
	transport string // udp or tcp
	host      string
	port      uint16
}

// claim notes a listener's address. Port 0 is whichever is free.
func (s *serverReader) claim(at *node, label, transport, address string) {
	i := strings.LastIndexByte(address, ':')
	if i < 0 { // was found wrong already
		return
	}
	port, err := strconv.ParseUint(address[i+1:], 10, 16)
	if err != nil || port == 0 {
		return
	}
	if transport == "tls" {
		transport = "tcp"
	}
	host := strings.ToLower(strings.Trim(address[:i], "[]"))
	s.claims = append(s.claims, claim{at, label, transport, host, uint16(port)})
}

// checkClaims finds listeners that cannot both be had.
func (s *serverReader) checkClaims() {
	for i, c := range s.claims {
		for _, other := range s.claims[:i] {
			if !c.meets(other) {
				continue
			}
			at, also := c, other
			if at.at == nil {
				at, also = other, c
			}
			if at.at == nil {
				at.at = &node{line: 1, col: 1}
			}
			s.errorf(at.at, CodeConflict, "%s: %s is listened on for %s already", at.label, at.address(), also.label)
			break
		}
	}
}

func (c claim) address() string {
	return c.transport + " port " + strconv.Itoa(int(c.port))
}

// meets says that one listener keeps the other from its address.
func (c claim) meets(other claim) bool {
	if c.transport != other.transport || c.port != other.port {
		return false
	}
	return c.host == other.host || c.takes(other.host) || other.takes(c.host)
}

// takes says that the claim is on every address of the machine, host's too.
func (c claim) takes(host string) bool {
	switch c.host {
	case "", "::": // IPv4 as well
		return true
	case "0.0.0.0":
		a, err := netip.ParseAddr(host)
		return err != nil || a.Unmap().Is4() || host == "::"
	}
	return false
}

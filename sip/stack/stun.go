package stack

import (
	"encoding/binary"
	"net/netip"
	"time"
)

// STUN (RFC 5389) as far as a phone keeps its UDP flow alive by it on the port
// of SIP (RFC 5626 5.4): a Binding request is answered with where it came from,
// by which the phone sees that we hear it and whether its NAT has moved it.
const (
	stunHead     = 20
	stunCookie   = 0x2112A442
	stunRequest  = 0x0001
	stunSuccess  = 0x0101
	stunAddress  = 0x0020 // XOR-MAPPED-ADDRESS
	stunOptional = 0x8000 // attributes from here on may be passed over
)

// isSTUN reports a STUN message: SIP begins with a letter (RFC 5764 5.1.2).
func isSTUN(data []byte) bool {
	return len(data) >= stunHead && data[0] < 2 && binary.BigEndian.Uint32(data[4:]) == stunCookie
}

// answerSTUN answers a keep-alive of one who is known. What cannot be read, and
// what asks for more than a Binding, gets nothing.
func (s *Stack) answerSTUN(data []byte, from netip.AddrPort, socket *packetConn) {
	if socket == nil || !plainBinding(data) || !s.crowd.take(from.Addr(), false, time.Now()) {
		return
	}
	_ = socket.send(mapped(data, from), from) // best effort, as all of UDP
}

// plainBinding reports a whole Binding request without an attribute that must
// be understood, such as those of ICE.
func plainBinding(data []byte) bool {
	if binary.BigEndian.Uint16(data) != stunRequest || int(binary.BigEndian.Uint16(data[2:])) != len(data)-stunHead {
		return false
	}
	for rest := data[stunHead:]; len(rest) > 0; {
		if len(rest) < 4 || binary.BigEndian.Uint16(rest) < stunOptional {
			return false
		}
		n := 4 + (int(binary.BigEndian.Uint16(rest[2:]))+3)&^3
		if n > len(rest) {
			return false
		}
		rest = rest[n:]
	}
	return true
}

// mapped is the answer: the request's transaction and where it came from.
func mapped(request []byte, from netip.AddrPort) []byte {
	b := binary.BigEndian.AppendUint16(make([]byte, 0, 64), stunSuccess)
	addr, family := from.Addr().Unmap().AsSlice(), byte(1)
	if len(addr) > 4 {
		family = 2
	}
	b = binary.BigEndian.AppendUint16(b, uint16(8+len(addr)))
	b = append(b, request[4:stunHead]...)
	b = binary.BigEndian.AppendUint16(b, stunAddress)
	b = binary.BigEndian.AppendUint16(b, uint16(4+len(addr)))
	b = append(b, 0, family)
	b = binary.BigEndian.AppendUint16(b, from.Port()^stunCookie>>16)
	for i, c := range addr {
		b = append(b, c^request[4+i]) // cookie and transaction, RFC 5389 15.2
	}
	return b
}

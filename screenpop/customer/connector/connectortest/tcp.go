package connectortest

import (
	"io"
	"net"
	"testing"

	"github.com/cordboard/cordboard/screenpop/customer"
)

// RunTCP runs the part of the suite that a connector must pass whatever it speaks: the
// system is dead, hung, or closes the door; open makes one that asks at an address.
func RunTCP(t *testing.T, open func(t *testing.T, address string) customer.Connector) {
	at := func(t *testing.T, do func(net.Conn)) string {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = l.Close() })
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				go func() { defer func() { _ = c.Close() }(); do(c) }()
			}
		}()
		return l.Addr().String()
	}
	refuses := func(t *testing.T, address string) {
		got, err := open(t, address).Ask(t.Context(), Who)
		Fails(t, got, err)
	}
	t.Run("dead", func(t *testing.T) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		address := l.Addr().String()
		_ = l.Close()
		refuses(t, address)
	})
	t.Run("closes the door", func(t *testing.T) { refuses(t, at(t, func(net.Conn) {})) })
	t.Run("rubbish", func(t *testing.T) {
		refuses(t, at(t, func(c net.Conn) {
			_, _ = c.Read(make([]byte, 512))
			_, _ = io.WriteString(c, "HTTP/1.1 400 "+Who.ID+" "+Who.Number+"\r\n\r\n")
		}))
	})
	t.Run("hung", func(t *testing.T) {
		Outlives(t, func(address string) customer.Connector { return open(t, address) }, "")
	})
}

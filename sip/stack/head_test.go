package stack

import (
	"net/netip"
	"testing"
	"time"
)

// received reads a message as if it had come.
func received(t testing.TB, text string) *Message {
	t.Helper()
	h, ok := readHead([]byte(text), nil)
	if !ok {
		t.Fatalf("can't be read: %q", text)
	}
	return h.message([]byte(text), netip.MustParseAddrPort("127.0.0.1:9"), "udp", time.Now())
}

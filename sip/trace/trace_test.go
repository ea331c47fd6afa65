package trace

import (
	"bytes"
	"fmt"
	"net/netip"
	"sync"
	"testing"
	"time"
)

var peer = netip.MustParseAddrPort("192.0.2.9:5070")

func message(start, callID, cseq string) []byte {
	return fmt.Appendf(nil, "%s\r\nVia: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKa\r\nCall-ID: %s\r\nCSeq: %s\r\nContent-Length: 0\r\n\r\n", start, callID, cseq)
}

func TestRecorderGivesACallItsDialogs(t *testing.T) {
	t.Parallel()
	r, now := New(1<<20, time.Hour), time.Now()
	six := netip.MustParseAddrPort("[2001:db8::9]:5061")
	r.Message(now, false, "udp", peer, message("INVITE sip:a@b SIP/2.0", "one", "1 INVITE"))
	r.Leg(now, Leg{Call: 7, Name: "caller", CallID: "one"})
	r.Leg(now, Leg{Call: 8, Name: "caller", CallID: "other"})
	r.Message(now.Add(time.Second), true, "tls", six, message("INVITE sip:c@d SIP/2.0", "two", "1 INVITE"))
	r.Leg(now, Leg{Call: 7, Name: "agent/1", Agent: "ann", CallID: "two"})
	r.Message(now, true, "udp", peer, message("SIP/2.0 200 OK", "other", "1 INVITE"))
	for _, none := range []string{"OPTIONS sip:a@b SIP/2.0", "REGISTER sip:b SIP/2.0"} {
		r.Message(now, true, "udp", peer, message(none, "one", "1 X"))
	}
	for _, cseq := range []string{"1 OPTIONS", "22   REGISTER"} {
		r.Message(now, true, "udp", peer, message("SIP/2.0 200 OK", "one", cseq))
	}
	r.Message(now, false, "udp", peer, []byte("\r\n\r\n"))
	legs, ms := r.Call(7)
	if len(legs) != 2 || legs[1] != (Leg{7, "agent/1", "ann", "two"}) || len(ms) != 2 {
		t.Fatalf("legs %+v, %d messages", legs, len(ms))
	}
	if m := ms[0]; m.Sent || m.Peer != peer || m.Transport != "udp" || !m.At.Equal(now) || m.CallID != "one" || !bytes.HasPrefix(m.Data, []byte("INVITE sip:a@b")) {
		t.Errorf("first %+v", m)
	}
	if m := ms[1]; !m.Sent || m.Peer != six || m.Transport != "tls" || m.CallID != "two" {
		t.Errorf("second %+v", m)
	}
	if legs, ms := r.Dialog("other"); len(ms) != 1 || legs[0].Call != 8 {
		t.Errorf("by Call-ID: %+v, %d messages", legs, len(ms))
	}
	if legs, ms := r.Call(9); legs != nil || ms != nil {
		t.Errorf("a call that never was: %v %v", legs, ms)
	}
	if legs, _ := r.Dialog("never"); legs != nil {
		t.Errorf("a dialog that never was: %v", legs)
	}
}

// However much comes, no more is kept than may be, and it is the latest.
func TestRecorderIsBounded(t *testing.T) {
	t.Parallel()
	const most = 4 * chunkSize
	r, now := New(most, time.Hour), time.Now()
	for i := range 5000 {
		id := fmt.Sprint("call-", i)
		r.Leg(now, Leg{Call: int64(i), CallID: id})
		m := message("INVITE sip:a@b SIP/2.0", id, "1 INVITE")
		if i%1000 == 999 {
			m = append(m, make([]byte, 65000)...)
		}
		r.Message(now, false, "udp", peer, m)
		if r.bytes > most {
			t.Fatalf("%d bytes are kept after %d, %d may be", r.bytes, i, most)
		}
	}
	if _, ms := r.Call(4999); len(ms) != 1 {
		t.Error("the latest is not kept")
	}
	if _, ms := r.Call(0); ms != nil {
		t.Error("the first is still kept")
	}
}

func TestRecorderForgetsWithTime(t *testing.T) {
	t.Parallel()
	r, now := New(1<<20, time.Minute), time.Now()
	r.Leg(now.Add(-2*time.Minute), Leg{Call: 1, CallID: "old"})
	r.Message(now.Add(-2*time.Minute), false, "udp", peer, message("BYE sip:a@b SIP/2.0", "old", "1 BYE"))
	if legs, ms := r.Call(1); legs != nil || ms != nil {
		t.Error("what is too old is shown")
	}
	for i := 0; len(r.chunks) < 2 && i < 10_000; i++ {
		r.Message(now, false, "udp", peer, message("BYE sip:a@b SIP/2.0", "new", "1 BYE"))
	}
	r.Message(now.Add(2*time.Minute), false, "udp", peer, make([]byte, 65500))
	if len(r.chunks) != 1 {
		t.Errorf("%d chunks are held of what is too old", len(r.chunks)-1)
	}
}

// A recorder that is switched off takes everything and keeps nothing.
func TestNoRecorder(t *testing.T) {
	t.Parallel()
	r := New(0, time.Hour)
	r.Message(time.Now(), false, "udp", peer, message("BYE sip:a@b SIP/2.0", "x", "1 BYE"))
	r.Leg(time.Now(), Leg{Call: 1})
	if legs, ms := r.Call(1); r != nil || legs != nil || ms != nil || !r.Since().IsZero() {
		t.Error("it keeps something")
	}
}

// Who reads holds up nobody and sees whole entries: run with -race.
func TestRecorderIsReadWhileWritten(t *testing.T) {
	t.Parallel()
	r := New(2*chunkSize, time.Hour)
	var work sync.WaitGroup
	for w := range 4 {
		work.Go(func() {
			for i := range 500 {
				r.Leg(time.Now(), Leg{Call: int64(w), CallID: fmt.Sprint(w)})
				r.Message(time.Now(), i%2 == 0, "tcp", peer, message("INFO sip:a@b SIP/2.0", fmt.Sprint(w), "1 INFO"))
			}
		})
	}
	for range 200 {
		_, ms := r.Call(2)
		for _, m := range ms {
			if m.CallID != "2" {
				t.Errorf("a message of %s", m.CallID)
			}
		}
	}
	work.Wait()
}

func FuzzCallIDOf(f *testing.F) {
	f.Add(message("INVITE sip:a@b SIP/2.0", "one", "1 INVITE"))
	f.Add([]byte("SIP/2.0 200 OK\r\ni : x\r\n\r\n"))
	f.Add([]byte("\x00:\n:"))
	f.Fuzz(func(t *testing.T, b []byte) {
		_ = ofCall(b)
		if id := CallIDOf(b); id != "" && !bytes.Contains(b, []byte(id)) {
			t.Errorf("%q is not in it", id)
		}
	})
}

func BenchmarkMessage(b *testing.B) {
	r := New(4<<20, time.Hour)
	m := append(message("SIP/2.0 200 OK", "a84b4c76e66710", "1 INVITE"), make([]byte, 500)...)
	now := time.Now()
	b.ReportAllocs()
	for b.Loop() {
		r.Message(now, true, "udp", peer, m)
	}
}

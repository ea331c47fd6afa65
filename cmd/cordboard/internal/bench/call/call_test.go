package main

import (
	"net"
	"strings"
	"testing"
	"time"
)

func TestParseStat(t *testing.T) {
	rows := [][]string{
		{"StartTime", "OutgoingCall(C)", "SuccessfulCall(C)", "FailedCall(C)", "Retransmissions(C)", "ResponseTime1(C)"},
		{"x", "10", "9", "0", "0", "00:00:00:001500"},
		{"x", "3000", "2998", "2", "7", "00:01:02:003500"},
	}
	got, err := parseStat(rows)
	if want := (outcome{made: 3000, ok: 2998, failed: 2, retransmissions: 7, answerMS: 62003.5}); err != nil || got != want {
		t.Errorf("read %+v %v, want %+v", got, err, want)
	}
	if _, err := parseStat(rows[:1]); err == nil {
		t.Error("a head without counts was read")
	}
}

// A run that misses something of one call does not pass.
func TestComplete(t *testing.T) {
	good := measured{outcome: outcome{ok: 100}, booked: 100, rows: 100, shown: 100}
	if got := good.complete(100); got != "" {
		t.Errorf("a whole run lacks: %s", got)
	}
	for want, spoil := range map[string]func(*measured){
		"1 of 100 calls failed":    func(m *measured) { m.ok-- },
		"2 callers heard no music": func(m *measured) { m.silent = 2 },
		"99 of answered calls":     func(m *measured) { m.booked-- },
		"101 rows in the ledger":   func(m *measured) { m.rows++ },
		"99 pops were acked":       func(m *measured) { m.shown-- },
	} {
		m := good
		spoil(&m)
		if got := m.complete(100); !strings.Contains(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	}
	for _, v := range []measured{{outcome: outcome{ok: 998}}, {outcome: outcome{ok: 1000}, loadPC: 81}, {outcome: outcome{ok: 1000}, otherPC: 11}} {
		if v.void(1000) == "" {
			t.Errorf("%+v counts", v)
		}
	}
	if v := (measured{outcome: outcome{ok: 999}, loadPC: 80, otherPC: 10}); v.void(1000) != "" {
		t.Errorf("a good run is void: %s", v.void(1000))
	}
}

// The ear tells calls apart by the address their music is sent to.
func TestEar(t *testing.T) {
	e, err := newEar()
	if err != nil {
		t.Fatal(err)
	}
	defer e.close()
	rtp, noise := make([]byte, 172), []byte("no RTP at all")
	rtp[0] = 0x80
	send := func(call int, packet []byte) {
		c, err := net.DialUDP("udp4", nil, &net.UDPAddr{IP: mediaAddr(call).AsSlice(), Port: musicPort})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Write(packet); err != nil {
			t.Fatal(err)
		}
		_ = c.Close()
	}
	for range 3 {
		send(70_000, rtp)
	}
	send(70_002, rtp)
	send(70_001, noise)
	// Loopback delivers before the write returns.
	if none, packets := e.silent(70_000, 3); none != 1 || packets != 4 {
		t.Errorf("%d silent, %d packets; want 1 and 4", none, packets)
	}
	if none, _ := e.silent(70_000, 1); none != 1 {
		t.Error("what was asked for is not forgotten")
	}
}

func TestAgentsFor(t *testing.T) {
	if n := agentsFor(300); time.Duration(n)*time.Second < 300*(holdTime+musicLead) {
		t.Errorf("%d agents cannot hold 300 calls a second", n)
	}
}

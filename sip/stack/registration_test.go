package stack

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/cordboard/cordboard/sip/digest"
)

// A REGISTER is counted on under one Call-ID, a challenge is answered within it and
// what follows shows the password unasked; a 200 says how long our own binding
// holds, whatever others are listed with it (RFC 3261 10.2, 10.3).
func TestRegistration(t *testing.T) {
	l := newLab(t)
	p := newPeer(t, l.Stack)
	registrar := "sip:" + p.addr()
	r, err := l.NewRegistration(Registering{
		URI: registrar, AOR: "sip:office@carrier.example", User: "off ice", Login: NewLogin("carrier", "office", loginRealm, loginPassword),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	out := make(chan Registered, 1)
	register := func(d time.Duration) packet {
		go func() { out <- r.Register(context.Background(), d) }()
		return p.expect("REGISTER")
	}
	want := func(w Registered) {
		t.Helper()
		select {
		case got := <-out:
			if got.Err != nil || got != w {
				t.Fatalf("%+v, want %+v", got, w)
			}
		case <-time.After(patience):
			t.Fatal("Register does not end")
		}
	}

	first := register(600 * time.Second)
	contact := first.get("Contact")
	if !strings.HasPrefix(first.first, "REGISTER "+registrar+" ") || first.get("Expires") != "600" || first.get("CSeq") != "1 REGISTER" ||
		first.tag("To") != "" || first.tag("From") == "" || !strings.HasPrefix(contact, "<sip:off%20ice@127.0.0.1:") {
		t.Fatalf("%s", first.raw)
	}
	p.challenge(first, 401, asks(loginRealm, "n", "MD5", ""))
	second := p.expect("REGISTER")
	p.shows(second, "Authorization", "n", digest.MD5, "00000001")
	if second.get("CSeq") != "2 REGISTER" || second.get("Call-ID") != first.get("Call-ID") || second.get("Contact") != contact {
		t.Fatalf("%s", second.raw)
	}
	p.reply(second, 200, "x", "Contact: "+strings.TrimSuffix(contact, ">")+"0>;expires=8888\nContact: <sip:office@192.0.2.9>;expires=9999, "+strings.Replace(contact, "sip:off", "SIP:Off", 1)+";q=1;expires=\"120\"\nExpires: 77", "")
	want(Registered{Code: 200, Expires: 2 * time.Minute})

	again := register(600 * time.Second)
	p.shows(again, "Authorization", "n", digest.MD5, "00000002")
	if again.get("CSeq") != "3 REGISTER" || again.get("Call-ID") != first.get("Call-ID") {
		t.Fatalf("%s", again.raw)
	}
	p.reply(again, 200, "x", "Contact: "+contact+"\nExpires: 77", "")
	want(Registered{Code: 200, Expires: 77 * time.Second})

	p.reply(register(60*time.Second), 423, "x", "Min-Expires: 3600", "")
	want(Registered{Code: 423, Least: time.Hour})
	p.reply(register(60*time.Second), 503, "x", "Retry-After: 18000 (maintenance);duration=9", "")
	want(Registered{Code: 503, After: 5 * time.Hour})
	p.reply(register(60*time.Second), 200, "x", "", "")
	want(Registered{Code: 200, Expires: time.Minute})

	p.challenge(register(0), 401, asks("elsewhere.example", "n", "MD5", ""))
	want(Registered{Code: 401})
	l.hidesPassword()

	ctx, cancel := context.WithCancel(context.Background())
	go func() { out <- r.Register(ctx, time.Minute) }()
	p.expect("REGISTER") // silence
	cancel()
	if got := <-out; got.Code != 408 || got.Err == nil {
		t.Errorf("%+v of a registrar that is silent", got)
	}
}

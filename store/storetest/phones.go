package storetest

import (
	"testing"
	"time"

	"github.com/cordboard/cordboard/store"
)

// testPhoneSecrets: the desk's password is the telephone's too, until the
// telephone is given a secret of its own.
func testPhoneSecrets(t *testing.T, f Fixture) {
	s := open(t, f)
	ctx := t.Context()
	secret := func(n string) store.PhoneSecret {
		return store.PhoneSecret{Realm: "desk.example", MD5: "m" + n, SHA256: "s" + n}
	}
	ok(t, s.SaveUser(ctx, store.User{ID: "anna", Role: "agent", PasswordHash: "1", Phone: secret("1")}))
	ok(t, s.SaveUser(ctx, store.User{ID: "priya", Role: "agent", PasswordHash: "1"}))
	all, err := s.PhoneSecrets(ctx)
	ok(t, err)
	equal(t, "secrets", all, map[string]store.PhoneSecret{"anna": secret("1")})

	ok(t, s.SaveUser(ctx, store.User{ID: "anna", Role: "agent", PasswordHash: "2"})) // a server without telephones
	ok(t, s.SavePhoneSecret(ctx, "priya", secret("2")))
	ok(t, s.SaveUser(ctx, store.User{ID: "priya", Role: "agent", PasswordHash: "3", Phone: secret("3")}))
	all, err = s.PhoneSecrets(ctx)
	ok(t, err)
	equal(t, "secrets", all, map[string]store.PhoneSecret{"anna": secret("1"), "priya": secret("2")})
	for user, want := range map[string]bool{"anna": false, "priya": true} {
		own, err := s.HasOwnPhoneSecret(ctx, user)
		ok(t, err)
		equal(t, user+" has a secret apart", own, want)
	}
	missing(t, "telephone of nobody", s.SavePhoneSecret(ctx, "nobody", secret("4")))
	ok(t, s.DeleteUser(ctx, "priya"))
	all, err = s.PhoneSecrets(ctx)
	ok(t, err)
	equal(t, "secrets", len(all), 1)
}

// testBindings: registrations outlive the process, the last of each counts.
func testBindings(t *testing.T, f Fixture) {
	s := open(t, f)
	ctx := t.Context()
	a := store.PhoneBinding{
		Agent: "anna", Key: "sip:anna@192.0.2.7", Contact: "sip:anna@192.0.2.7;ob", Instance: "<urn:uuid:1>", CallID: "c1",
		CSeq: 7, Q: 500, Source: "198.51.100.1:40000", Transport: "udp", At: T0, Expires: T0.Add(time.Hour),
	}
	b := a
	b.Agent, b.Key = "priya", "sip:priya@192.0.2.8"
	s.SaveBinding(a)
	s.SaveBinding(b)
	a.CSeq, a.Source, a.Expires = 4_000_000_000, "[2001:db8::1]:5060", T0.Add(2*time.Hour)
	s.SaveBinding(a)
	flush(t, s)
	got, err := s.Bindings(ctx)
	ok(t, err)
	equal(t, "bindings", got, []store.PhoneBinding{a, b})
	s.RemoveBinding("priya", b.Key)
	s.RemoveBinding("priya", "sip:never@192.0.2.9")
	ok(t, s.Close())

	got, err = open(t, f).Bindings(ctx)
	ok(t, err)
	equal(t, "bindings after a restart", got, []store.PhoneBinding{a})
}

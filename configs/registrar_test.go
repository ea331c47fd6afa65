package configs

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/cordboard/cordboard/agents"
)

func TestRegistrar(t *testing.T) {
	head := "cordboard: server/1\nrouting: r.yaml\nsip:\n  listen: [\"udp:192.0.2.5:5060\"]\n"
	s, findings := ParseServer("s.yaml", []byte(head+"  registrar: {realm: desk.example}\n"))
	if s == nil {
		t.Fatal(printed(t, findings))
	}
	equal(t, "defaults", *s.SIP.Registrar, Registrar{Realm: "desk.example", Expires: 10 * time.Minute, Qualify: 30 * time.Second, Rate: 100})
	s, findings = ParseServer("s.yaml", []byte(head+"  registrar: {realm: Desk 1, from: [10.0.0.0/8, 192.0.2.7], expires: 1h, qualify: 1m, per_second: 500}\n"))
	if s == nil {
		t.Fatal(printed(t, findings))
	}
	equal(t, "whole", *s.SIP.Registrar, Registrar{
		Realm: "Desk 1", From: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("192.0.2.7/32")},
		Expires: time.Hour, Qualify: time.Minute, Rate: 500,
	})
}

// TestPhones: how an agent's telephone may be reached, and what does not go
// together.
func TestPhones(t *testing.T) {
	const head = "cordboard: routing/1\nname: One desk\nzone: Europe/Vienna\nqueues: {desk: }\nroute: {queue: desk}\nagents:\n  ann: "
	for body, want := range map[string]agents.Agent{
		`{name: Ann}`: {Desk: true, CSAT: 50, Phone: agents.Phone{Registered: true}},
		`{name: Ann, phone: registered, login: phone, digest: sha256}`:  {CSAT: 50, Phone: agents.Phone{Registered: true, Digest: agents.DigestSHA256}},
		`{name: Ann, phone: "+447700900016", login: phone}`:             {CSAT: 50, Phone: agents.Phone{Number: "+447700900016"}},
		`{name: Ann, phone: "sip:ann@192.0.2.1", login: phone}`:         {CSAT: 50, Phone: agents.Phone{URI: "sip:ann@192.0.2.1"}},
		`{name: Ann, phone: registered, digest: md5, auto_answer: yes}`: {Desk: true, CSAT: 50, Phone: agents.Phone{Registered: true, Digest: agents.DigestMD5, AutoAnswer: true}},
	} {
		body = strings.ReplaceAll(body, "auto_answer: yes", "auto_answer: true")
		p, findings := ParseRouting("r.yaml", []byte(head+body+"\n"))
		if p == nil {
			t.Errorf("%s: %s", body, printed(t, findings))
			continue
		}
		want.ID, want.Name, want.Skills = "ann", "Ann", p.Agents["ann"].Skills
		equal(t, body, p.Agents["ann"], want)
	}
	for body, want := range map[string]string{
		`{name: Ann, phone: "+447700900016", digest: md5}`:      "only a registered phone is challenged",
		`{name: Ann, phone: "+447700900016", auto_answer: yes}`: "a mobile is accepted by key",
		`{name: Ann, phone: "+4477009"}`:                        `phone: number "+4477009" does not exist`,
		`{name: Ann, phone: "+44 7700 900016"}`:                 "is not a telephone number with its country",
		`{name: Ann, phone: "sip:ann@192.0.2.1", digest: md5}`:  "only a registered phone is challenged",
		`{name: Ann, digest: sha1}`:                             "md5 or sha256",
	} {
		body = strings.ReplaceAll(body, "auto_answer: yes", "auto_answer: true")
		if p, findings := ParseRouting("r.yaml", []byte(head+body+"\n")); p != nil || !strings.Contains(printed(t, findings), want) {
			t.Errorf("%s: %v, want %s", body, findings, want)
		}
	}
}

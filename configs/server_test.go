package configs

import (
	"net/netip"
	"testing"
	"time"

	"github.com/cordboard/cordboard/sip/identity"
)

// contactDefaults need consent for what nobody has asked for, and keep to the lists.
var contactDefaults = Contact{
	Service: ContactRule{Consent: "unasked"}, Callback: ContactRule{Consent: "unasked"},
	Offer: ContactRule{Consent: "given", Lists: true}, Survey: ContactRule{Consent: "given", Lists: true},
}

func TestServerDefaults(t *testing.T) {
	s, findings := LoadServer("testdata/good/server-minimal.yaml")
	if s == nil {
		t.Fatal(printed(t, findings))
	}
	addr := netip.MustParseAddr("192.0.2.5")
	equal(t, "server", *s, Server{
		Routes:    "testdata/good/routing.yaml",
		SIP:       SIP{Listen: []Listen{{"udp", netip.AddrPortFrom(addr, 5060)}}, MaxCalls: 1000, Rate: 50},
		Media:     Media{Addr: addr, Advertise: addr, PortMin: 20000, PortMax: 29999},
		Web:       Web{Listen: "127.0.0.1:8080", Session: 12 * time.Hour},
		Admin:     "127.0.0.1:9090",
		Voicemail: Voicemail{Longest: 3 * time.Minute, Silence: 10 * time.Second, Keep: 90 * 24 * time.Hour},
		Trace:     Trace{Memory: 4, Keep: 24 * time.Hour},
		Contact:   contactDefaults,
		Store:     Store{Path: "testdata/good/var/cordboard.db", Journal: "testdata/good/var/journal"},
	})
}

func TestServerWhole(t *testing.T) {
	s, findings := ParseServer("/etc/cordboard/cordboard.yaml", []byte(`
cordboard: server/1
routing: /srv/routing.yaml
sip:
  listen: ["udp:0.0.0.0:5060", "tcp:[::1]:5061", "tls:0.0.0.0:5061"]
  tls: {certificate: tls/sip.pem, key: /etc/ssl/sip.key, ca: tls/roots.pem}
  advertise: sip.example.com
  dns: [192.0.2.53, "[2001:db8::53]:5353"]
  max_calls: 100
  calls_per_second: 5
  trunks:
    second: {from: ["2001:db8::/32"], headers: [rpid], media: relay, pass: [X-Account, user-to-user], max_calls: 30, calls_per_second: 4}
    main: {from: [192.0.2.0/24, 198.51.100.7], headers: [pai, rpid], diversion: true, region: BG}
media: {address: 0.0.0.0, advertise: 203.0.113.9, ports: 16384-16583, sounds: sounds, mutual: [10.0.0.0/8]}
web: {listen: ":8443", origins: ["https://desk.example.com:8443"], tls: {certificate: tls/cert.pem, key: tls/key.pem}, session: 8h}
admin: "[::1]:9090"
store: {path: /var/lib/cordboard/cordboard.db, journal: journal}
`))
	if s == nil {
		t.Fatal(printed(t, findings))
	}
	equal(t, "server", *s, Server{
		Routes: "/srv/routing.yaml",
		SIP: SIP{
			Listen:    []Listen{{"udp", netip.MustParseAddrPort("0.0.0.0:5060")}, {"tcp", netip.MustParseAddrPort("[::1]:5061")}, {"tls", netip.MustParseAddrPort("0.0.0.0:5061")}},
			TLS:       &TLS{Certificate: "/etc/cordboard/tls/sip.pem", Key: "/etc/ssl/sip.key", CA: "/etc/cordboard/tls/roots.pem"},
			Advertise: "sip.example.com", MaxCalls: 100, Rate: 5,
			DNS: []netip.AddrPort{netip.MustParseAddrPort("192.0.2.53:53"), netip.MustParseAddrPort("[2001:db8::53]:5353")},
			Trunks: []Trunk{
				{Name: "second", Media: "relay", Pass: []string{"X-Account", "user-to-user"}, MaxCalls: 30, Rate: 4, Trust: identity.Trust{
					Trunk: "second", Sources: []netip.Prefix{netip.MustParsePrefix("2001:db8::/32")}, Headers: []identity.Source{identity.FromRPID},
				}},
				{Name: "main", Media: "auto", Trust: identity.Trust{
					Trunk: "main", Sources: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("198.51.100.7/32")},
					Headers: []identity.Source{identity.FromPAI, identity.FromRPID}, Diversion: true, Region: "BG",
				}},
			},
		},
		Media: Media{
			Addr: netip.MustParseAddr("0.0.0.0"), Advertise: netip.MustParseAddr("203.0.113.9"), PortMin: 16384, PortMax: 16583,
			Sounds: "/etc/cordboard/sounds", Mutual: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")},
		},
		Web: Web{
			Listen: ":8443", Origins: []string{"https://desk.example.com:8443"},
			TLSCert: "/etc/cordboard/tls/cert.pem", TLSKey: "/etc/cordboard/tls/key.pem", Session: 8 * time.Hour,
		},
		Admin:     "[::1]:9090",
		Voicemail: Voicemail{Longest: 3 * time.Minute, Silence: 10 * time.Second, Keep: 90 * 24 * time.Hour},
		Trace:     Trace{Memory: 4, Keep: 24 * time.Hour},
		Contact:   contactDefaults,
		Store:     Store{Path: "/var/lib/cordboard/cordboard.db", Journal: "/etc/cordboard/journal"},
	})
}

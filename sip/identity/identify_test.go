package identity

import (
	"strings"
	"testing"
)

// h reads "Name: value" lines.
func headers(text string) []Header {
	var out []Header
	for line := range strings.Lines(text) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
			out = append(out, Header{Name: name, Value: strings.TrimSpace(value)})
		}
	}
	return out
}

var (
	believed = Trust{Trunk: "t", Headers: []Source{FromPAI, FromRPID, FromFrom}, Diversion: true, Region: "GB", ShortCodes: []string{"100"}}
	account  = Trust{Trunk: "t", Region: "GB", Account: "office-1"}
	stranger = Trust{Trunk: "t", Region: "GB", ShortCodes: []string{"100"}}
)

// show writes a Caller as "number display source flags country".
func show(c Caller) string {
	s := c.Number.E164() + "|" + c.Display + "|" + string(c.Source) + "|" + c.Country
	if c.Trusted {
		s += "|trusted"
	}
	if c.Restricted {
		s += "|restricted"
	}
	return s
}

func TestCaller(t *testing.T) {
	tests := []struct {
		name    string
		trust   Trust
		headers string
		want    string
	}{
		{"From alone", believed, `From: "Ada Byron" <sip:+447700900001@pbx.example>;tag=1`, "+447700900001|Ada Byron|from|GB"},
		{"From, compact, national, no brackets", believed, `f: sip:07700900001@pbx.example;user=phone;tag=1`, "+447700900001||from|GB"},
		{"From of an extension", believed, `From: "Desk 12" <sip:1012@pbx.example>;tag=1`, "|Desk 12|none|"},
		{"From of a tel URI with extension", believed, `From: <tel:+44-7700-900-001;ext=12>;tag=1`, "+447700900001||from|GB"},
		{"local tel with global context", believed, `From: <tel:900001;phone-context=+447700>;tag=1`, "+447700900001||from|GB"},
		{"user part with telephone parameters and escapes", believed, `From: <sip:%2b44%207700%20900001;ext=5@gw.example;user=phone>;tag=1`, "+447700900001||from|GB"},
		{"user part with password", believed, `From: <sip:+447700900001:secret@gw.example>;tag=1`, "+447700900001||from|GB"},
		{"asserted before From", believed, `From: "x" <sip:+447700900009@a>;tag=1
			P-Asserted-Identity: "Ada, Countess" <sip:+447700900001@gw;user=phone>`, "+447700900001|Ada, Countess|pai|GB|trusted"},
		{"two asserted values in one field: tel wins, the name stays", believed, `From: <sip:x@a>
			P-Asserted-Identity: "Ada \"A\" Byron" <sip:+447700900002@gw>, <tel:+447700900001>`, `+447700900001|Ada "A" Byron|pai|GB|trusted`},
		{"two asserted values in two fields", believed, `P-Asserted-Identity: <tel:+447700900001>
			P-Asserted-Identity: "Ada" <sip:+447700900002@gw>`, "+447700900001||pai|GB|trusted"},
		{"asserted without a number: From is read, and not trusted", believed, `From: <sip:+447700900009@a>;tag=1
			P-Asserted-Identity: <sip:alice@gw>`, "+447700900009||from|GB"},
		{"name of From goes with the same number only", believed, `From: "Ada" <sip:07700900001@a>;tag=1
			P-Asserted-Identity: <tel:+447700900001>`, "+447700900001|Ada|pai|GB|trusted"},
		{"name of From does not go with another number", believed, `From: "The Bank" <sip:+447700900009@a>;tag=1
			P-Asserted-Identity: <tel:+447700900001>`, "+447700900001||pai|GB|trusted"},
		{"stranger asserts: nobody listens", stranger, `From: <sip:+447700900009@a>;tag=1
			P-Asserted-Identity: <tel:+447700900001>
			Remote-Party-ID: <sip:+447700900002@a>;party=calling;screen=yes`, "+447700900009||from|GB"},
		{"stranger's wish for privacy counts", stranger, `From: "Ada" <sip:+447700900009@a>;tag=1
			Privacy: id`, "+447700900009||from|GB|restricted"},
		{"withheld, asserted", believed, `From: "Anonymous" <sip:anonymous@anonymous.invalid>;tag=1
			P-Asserted-Identity: "Ada" <tel:+447700900001>
			Privacy: id;critical`, "+447700900001||pai|GB|trusted|restricted"},
		{"withheld by From alone", believed, `From: "Anonymous" <sip:c8oqz84zk7z@anonymous.invalid>;tag=1`, "||none||restricted"},
		{"withheld by user", believed, `From: <sip:Restricted@gw.example>;tag=1`, "||none||restricted"},
		{"Privacy none", believed, `From: "Ada" <sip:+447700900001@a>;tag=1
			Privacy: none`, "+447700900001|Ada|from|GB"},
		{"Privacy header, several values", believed, `From: "Ada" <sip:+447700900001@a>;tag=1
			Privacy: session; Header`, "+447700900001||from|GB|restricted"},
		{"remote party, screened before not screened, calling only", believed, `From: <sip:1@a>;tag=1
			Remote-Party-ID: <sip:+447700900003@a>;party=called;screen=yes
			Remote-Party-ID: <sip:+447700900002@a>;party=calling;screen=no;privacy=off
			Remote-Party-ID: "Ada" <sip:+447700900001@a>;party=calling;screen=yes;privacy=off`, "+447700900001|Ada|rpid|GB|trusted"},
		{"remote party not screened is not trusted", believed, `From: <sip:1@a>;tag=1
			Remote-Party-ID: "Ada" <sip:+447700900001@a>;screen=no`, "+447700900001|Ada|rpid|GB"},
		{"remote party with privacy", believed, `From: <sip:1@a>;tag=1
			Remote-Party-ID: "Ada" <sip:+447700900001@a>;screen=yes;privacy="full"`, "+447700900001||rpid|GB|trusted|restricted"},
		{"asserted before remote party", believed, `Remote-Party-ID: <sip:+447700900002@a>;screen=yes
			P-Asserted-Identity: <tel:+447700900001>`, "+447700900001||pai|GB|trusted"},
		{"name is cleaned", believed, "From: \"A\u202eda\x07\t  <img src=x>\" <sip:+447700900001@a>;tag=1", "+447700900001|Ada <img src=x>|from|GB"},
		{"name that is the number", believed, `From: "07700 900001" <sip:+447700900001@a>;tag=1`, "+447700900001||from|GB"},
		{"name too long", believed, `From: "` + strings.Repeat("ж", 300) + `" <sip:+447700900001@a>;tag=1`, "+447700900001|" + strings.Repeat("ж", maxDisplay) + "|from|GB"},
		{"short code is no caller's number", believed, `From: "Lobby" <sip:100@a>;tag=1`, "|Lobby|none|"},
		{"IPv6 host", believed, `From: <sip:+447700900001@[2001:db8::1]:5060;transport=tcp>;tag=1`, "+447700900001||from|GB"},
		{"no headers", believed, ``, "||none|"},
		{"quotes never closed", believed, `From: "Ada <sip:+447700900001@a>;tag=1`, "||none|"},
		{"other scheme", believed, `From: <mailto:+447700900001@a>`, "||none|"},
		{"endless value", believed, `From: "` + strings.Repeat("x", 10000) + `" <sip:+447700900001@a>`, "||none|"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, _ := Identify(headers(tt.headers), "sip:100@here", tt.trust)
			if got := show(c); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestDialled(t *testing.T) {
	tests := []struct {
		name       string
		trust      Trust
		uri        string
		headers    string
		number     string
		redirected string
	}{
		{"request URI", believed, "sip:+442079460100@sbc.example;user=phone", "To: <sip:+442079460199@x>", "+442079460100", ""},
		{"national", believed, "sip:02079460100@10.0.0.1:5060", "", "+442079460100", ""},
		{"tel", believed, "tel:+44-20-7946-0100", "", "+442079460100", ""},
		{"sent to our Contact", account, "sip:office%2D1@10.0.0.1:5060", "To: <sip:+442079460100@x>", "+442079460100", ""},
		{"sent to our Contact, told in full", account, "sip:office%2D1@10.0.0.1", "P-Called-Party-ID: <sip:02079460100@x>\nTo: <sip:+442079460199@x>", "+442079460100", ""},
		{"sent to our Contact, and no more is known", account, "sip:office%2D1@10.0.0.1", "To: <sip:office%2D1@x>", "office-1", ""},
		{"left as dialled", account, "sip:+442079460100@10.0.0.1", "To: <sip:+442079460199@x>", "+442079460100", ""},
		{"short code before the plan", believed, "sip:100@here", "", "100", ""},
		{"extension as it stands", believed, "sip:2034@here", "", "2034", ""},
		{"name as it stands", believed, "sip:billing@here", "", "billing", ""},
		{"nothing in the URI: To", believed, "sip:10.0.0.1", "t: \"Office\" <sip:+442079460100@x>;tag=7", "+442079460100", ""},
		{"user with a line break in it", believed, "sip:a%0d%0ab@here", "", "", ""},
		{"diverted twice: the bottom one was dialled first", believed, "sip:100@here",
			"Diversion: <sip:+442079460102@x>;reason=no-answer, <sip:+442079460101@x>;reason=unconditional\nDiversion: <tel:+442079460100>;reason=time-of-day", "100", "+442079460100"},
		{"stranger's diversion", stranger, "sip:100@here", "Diversion: <tel:+442079460100>", "100", ""},
		{"history out of order", believed, "sip:100@here",
			"History-Info: <sip:100@here>;index=1.10\nHistory-Info: <sip:+442079460103@x?Reason=SIP%3Bcause%3D486>;index=1.2, <sip:+442079460100@x>;index=1", "100", "+442079460100"},
		{"history of a call that went straight here", believed, "sip:+442079460100@here", "History-Info: <sip:+442079460100@here>;index=1", "+442079460100", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, d := Identify(headers(tt.headers), tt.uri, tt.trust)
			if d.Number != tt.number || d.Redirected != tt.redirected {
				t.Errorf("got %q, %q; want %q, %q", d.Number, d.Redirected, tt.number, tt.redirected)
			}
		})
	}
}

func FuzzIdentify(f *testing.F) {
	f.Add(`"Ada, \"A\"" <sip:+447700900001@gw;user=phone>;tag=1`, `<tel:+447700900001>, "x" <sip:1@a>`, "id;critical", "sip:100@here")
	f.Add(`sip:anonymous@anonymous.invalid`, `<sip:%2b44@[::1]>;party=calling;screen="yes"`, "none", "tel:100;phone-context=+44")
	f.Add(`"`, `<`, ";", ":")
	f.Fuzz(func(t *testing.T, from, asserted, privacy, uri string) {
		h := []Header{
			{"From", from}, {"P-Asserted-Identity", asserted}, {"Remote-Party-ID", asserted},
			{"Privacy", privacy}, {"Diversion", asserted}, {"History-Info", from}, {"To", from},
		}
		for _, trust := range []Trust{believed, stranger} {
			c, d := Identify(h, uri, trust)
			checkCaller(t, c)
			if trust.Headers == nil && (c.Trusted || c.Source == FromPAI || c.Source == FromRPID || d.Redirected != "") {
				t.Errorf("a stranger was believed: %s", show(c))
			}
			for _, s := range []string{d.Number, d.Redirected} {
				if len(s) > maxUser || strings.ContainsAny(s, "\r\n\x00 ") {
					t.Errorf("dialled %q", s)
				}
			}
		}
	})
}

func checkCaller(t *testing.T, c Caller) {
	t.Helper()
	if e := c.Number.E164(); e != "" {
		if len(e) < 9 || len(e) > 16 || e[0] != '+' || strings.Trim(e[1:], "0123456789") != "" {
			t.Errorf("number %q is not E.164", e)
		}
	}
	if c.Number.IsZero() != (c.Source == FromNone) {
		t.Errorf("source and number do not fit: %s", show(c))
	}
	if c.Restricted && c.Display != "" {
		t.Errorf("a restricted caller shows a name: %s", show(c))
	}
	if len([]rune(c.Display)) > maxDisplay || strings.ContainsAny(c.Display, "\r\n\x00\u202e") {
		t.Errorf("display %q", c.Display)
	}
}

func BenchmarkIdentify(b *testing.B) {
	h := headers(`From: "Ada" <sip:+447700900001@a>;tag=1
		P-Asserted-Identity: "Ada" <sip:+447700900001@gw>, <tel:+447700900001>
		Diversion: <tel:+442079460100>`)
	for b.Loop() {
		Identify(h, "sip:+442079460101@here", believed)
	}
}

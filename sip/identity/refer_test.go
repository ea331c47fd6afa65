package identity

import (
	"errors"
	"strings"
	"testing"
	"unicode"
)

func TestReadReferTo(t *testing.T) {
	t.Parallel()
	long := "<sip:" + strings.Repeat("1", maxUser+1) + "@desk.example>"
	for _, c := range []struct {
		value  string
		user   string
		dialog bool
		err    error
	}{
		{value: "<sip:boris@desk.example>", user: "boris"},
		{value: "sip:boris@desk.example", user: "boris"},
		{value: `"Boris Lind" <SIP:boris@desk.example;transport=tcp>;x=1`, user: "boris"},
		{value: `"Lind, Boris" <sip:boris@desk.example>`, user: "boris"},
		{value: "<sips:boris@desk.example>", user: "boris"},
		{value: "<sip:b%6Fris:secret@desk.example>", user: "boris"},
		{value: "<sip:02079460911@desk.example;user=phone;method=INVITE>", user: "02079460911"},
		{value: "<sip:+442079460911;phone-context=x@desk.example>", user: "+442079460911"},
		{value: "<tel:+44-20-7946-0911>", user: "+44-20-7946-0911"},
		{value: "<tel:7946;phone-context=+4420>", user: "+44207946"},
		{value: "<sip:desk.example>"}, // nobody: told as unknown
		{value: "<sip:boris@desk.example?Subject=Bill>", user: "boris"},
		{value: "<sip:boris@desk.example?Replaces=a%3Bto-tag%3D1%3Bfrom-tag%3D2>", user: "boris", dialog: true},
		{value: "<sip:boris@desk.example;transport=udp?Subject=x&re%70laces=a>", user: "boris", dialog: true},
		{value: "<sip:boris@desk.example?Join=a>", user: "boris", dialog: true},

		{value: "", err: ErrReferTo},
		{value: "boris", err: ErrReferTo},
		{value: "<sip:boris@desk.example", err: ErrReferTo},
		{value: "<sip:>", err: ErrReferTo},
		{value: "<sip:boris@>", err: ErrReferTo},
		{value: `"Boris <sip:boris@desk.example>`, err: ErrReferTo},
		{value: "<sip:a@desk.example>, <sip:b@desk.example>", err: ErrReferTo},
		{value: "sip:boris@desk.example?Replaces=a", err: ErrReferTo},
		{value: "<sip:boris%0d%0aRoute:x@desk.example>", err: ErrReferTo},
		{value: "<sip:bo ris@desk.example>", err: ErrReferTo},
		{value: "<sip:boris@desk.example>\r\nRoute: <sip:x>", err: ErrReferTo},
		{value: "<sip:bo\x00ris@desk.example>", err: ErrReferTo},
		{value: "<sip:b%ff@desk.example>", err: ErrReferTo},
		{value: long, err: ErrReferTo},
		{value: "<sip:x@desk.example;y=" + strings.Repeat("z", maxValue) + ">", err: ErrReferTo},
		{value: "<sip:boris@desk.example;method=BYE>", err: ErrReferMethod},
		{value: "<sip:boris@desk.example;METHOD=SUBSCRIBE>", err: ErrReferMethod},
		{value: "sip:boris@desk.example;method=BYE", err: ErrReferMethod},
		{value: "<sip:boris@desk.example>;method=BYE", err: ErrReferMethod},
		{value: "<http://desk.example/boris>", err: ErrReferScheme},
		{value: "<mailto:boris@desk.example>", err: ErrReferScheme},
		{value: "urn:service:sos", err: ErrReferScheme},
	} {
		got, err := ReadReferTo([]string{c.value})
		if !errors.Is(err, c.err) || got.User != c.user || got.Dialog != c.dialog {
			t.Errorf("%.80q: %+v, %v; want %q, dialog %v, %v", c.value, got, err, c.user, c.dialog, c.err)
		}
	}
	if _, err := ReadReferTo(nil); !errors.Is(err, ErrReferTo) {
		t.Errorf("no Refer-To: %v", err)
	}
	if _, err := ReadReferTo([]string{"<sip:a@x>", "<sip:b@x>"}); !errors.Is(err, ErrReferTo) {
		t.Errorf("two: %v", err)
	}
}

// What is read of whatever a phone sends can be shown and compared as it is.
func FuzzReferTo(f *testing.F) {
	for _, v := range []string{
		"<sip:boris@desk.example>", "<tel:+44-20-7946-0911>", "<sip:a@b;method=BYE?Replaces=x%3Bto-tag%3D1>", `"x" <sips:%0d%0a@y>`, "<sip:@@?&=;>", "a,b",
	} {
		f.Add(v)
	}
	f.Fuzz(func(t *testing.T, v string) {
		got, err := ReadReferTo([]string{v})
		if err != nil && got != (Referral{}) {
			t.Errorf("%q: %+v beside %v", v, got, err)
		}
		if len(got.User) > maxUser || strings.ContainsFunc(got.User, func(r rune) bool { return unicode.IsControl(r) || unicode.IsSpace(r) }) {
			t.Errorf("%q: user %q", v, got.User)
		}
	})
}

// Which dialog a Replaces names: by all three of its parts, once.
func TestReferralNames(t *testing.T) {
	t.Parallel()
	for headers, names := range map[string]bool{
		"Replaces=id%40desk%3Bto-tag%3Dours%3Bfrom-tag%3Dtheirs":              true,
		"replaces=id%40desk%3Bfrom-tag%3Dtheirs%3Bto-tag%3Dours%3Bearly-only": true,
		"Require=replaces&Replaces=id%40desk;to-tag=ours;from-tag=theirs":     true,
		"Replaces=id%40desk%3Bto-tag%3Dtheirs%3Bfrom-tag%3Dours":              false,
		"Replaces=id%40desk%3Bto-tag%3Dours":                                  false,
		"Replaces=id%40desk":                                                  false,
		"Replaces=other%3Bto-tag%3Dours%3Bfrom-tag%3Dtheirs":                  false,
		"Replaces=%3Bto-tag%3Dours%3Bfrom-tag%3Dtheirs":                       false,
		"Replaces=": false,
		"Join=id%40desk%3Bto-tag%3Dours%3Bfrom-tag%3Dtheirs":                    false,
		"Subject=id%40desk%3Bto-tag%3Dours%3Bfrom-tag%3Dtheirs":                 false,
		"Replaces=id%40desk%3Bto-tag%3Dours%3Bfrom-tag%3Dtheirs&Replaces=x":     false,
		"Replaces=x&Replaces=id%40desk%3Bto-tag%3Dours%3Bfrom-tag%3Dtheirs":     false,
		"Replaces=id%40desk%3Bto-tag%3Dours%3Bfrom-tag%3Dtheirs&Join=id%40desk": false,
	} {
		r, err := ReadReferTo([]string{"<sip:boris@desk.example?" + headers + ">"})
		if err != nil || r.Names("id@desk", "ours", "theirs") != names {
			t.Errorf("%s: %+v, %v; names it: %v", headers, r, err, !names)
		}
	}
	if (Referral{}).Names("", "", "") {
		t.Error("nothing names a dialog")
	}
}

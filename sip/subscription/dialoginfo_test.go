package subscription

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

const (
	rootOf = `<?xml version="1.0" encoding="UTF-8"?>` + "\n" + `<dialog-info xmlns="urn:ietf:params:xml:ns:dialog-info" version="7" state="full" entity="sip:101@pbx.example">`
	endOf  = `</dialog-info>`
)

// RFC 4235 6.1, 6.2, and what PBXs make of it.
func TestRead(t *testing.T) {
	got, err := read([]byte(rootOf + `<!-- Dana -->
<dialog id="as7d900as8" call-id="a84b4c76e66710" local-tag="1928301774" direction="recipient">
  <state event="rejected" code="486">terminated</state><duration>7</duration>
  <local><identity display="Anna">sip:101@pbx.example</identity><target uri="sip:101@192.0.2.31"><param pname="+sip.rendering" pval="no"/></target></local>
  <remote><identity display="Dana &amp; Sons">sip:+447700900417@trunk.example;user=phone</identity><target uri="sip:x@192.0.2.9"/></remote>
</dialog>
<x:dialog xmlns:x="urn:example:other" id="none"><x:state>early</x:state></x:dialog>
<dialog id="2" direction="initiator"><state>early</state></dialog>
<dialog id="3"><state event="odd">confirmed</state><remote><target uri="tel:+447700900499"/></remote></dialog>` + endOf + "\n\n"))
	want := []dialog{
		{id: "as7d900as8", callID: "a84b4c76e66710", recipient: true, state: "terminated", event: "rejected", remote: "sip:+447700900417@trunk.example;user=phone"},
		{id: "2", state: "early"},
		{id: "3", state: "confirmed", remote: "tel:+447700900499"},
	}
	if err != nil || got.version != 7 || !got.full || !slices.Equal(got.dialogs, want) {
		t.Errorf("%v\n%+v\nwant\n%+v", err, got, want)
	}
	if got, err := read([]byte(strings.Replace(rootOf, `"full"`, `"partial"`, 1) + endOf)); err != nil || got.full || len(got.dialogs) != 0 {
		t.Errorf("%v %+v", err, got)
	}
}

// What is no such document is refused, whatever it costs to find that out, and its
// words are not repeated.
func TestReadRefuses(t *testing.T) {
	one := `<dialog id="1" direction="recipient"><state>early</state></dialog>`
	for name, text := range map[string]string{
		"nothing":             "",
		"no XML":              "hello secret",
		"cut off":             rootOf + `<dialog id="secret">`,
		"not well-formed":     rootOf + `<dialog id="1"></state>` + endOf,
		"another document":    `<presence xmlns="urn:ietf:params:xml:ns:pidf" entity="secret"/>`,
		"no namespace":        `<dialog-info version="0" state="full" entity="x"/>`,
		"two":                 rootOf + endOf + rootOf + endOf,
		"text behind":         rootOf + endOf + "secret",
		"a DTD":               `<!DOCTYPE x [<!ENTITY e "secret">]>` + rootOf + endOf,
		"an external entity":  `<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>` + rootOf + endOf,
		"an entity":           rootOf + `<dialog id="&e;"><state>early</state></dialog>` + endOf,
		"a billion laughs":    `<!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]>` + rootOf + endOf,
		"another charset":     strings.Replace(rootOf, "UTF-8", "ISO-8859-1", 1) + endOf,
		"not UTF-8":           rootOf + "<dialog id=\"\xff\"><state>early</state></dialog>" + endOf,
		"no version":          strings.Replace(rootOf, `version="7"`, "", 1) + endOf,
		"a negative version":  strings.Replace(rootOf, `version="7"`, `version="-1"`, 1) + endOf,
		"a version too large": strings.Replace(rootOf, `version="7"`, `version="4294967296"`, 1) + endOf,
		"no state":            strings.Replace(rootOf, `state="full"`, "", 1) + endOf,
		"a dialog without id": rootOf + strings.Replace(one, ` id="1"`, "", 1) + endOf,
		"one without state":   rootOf + `<dialog id="1"/>` + endOf,
		"one in an odd state": rootOf + strings.Replace(one, "early", "secret", 1) + endOf,
		"an id too long":      rootOf + strings.Replace(one, `"1"`, `"`+strings.Repeat("1", maxText+1)+`"`, 1) + endOf,
		"a value too long":    rootOf + strings.Replace(one, "early", strings.Repeat("secret", 100), 1) + endOf,
		"too many dialogs":    rootOf + strings.Repeat(one, maxDialogs+1) + endOf,
		"too deep":            rootOf + strings.Repeat("<a>", maxDepth) + strings.Repeat("</a>", maxDepth) + endOf,
		"too large":           rootOf + strings.Repeat(" ", maxDocument) + endOf,
	} {
		if _, err := read([]byte(text)); !errors.Is(err, errDocument) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add(rootOf + `<dialog id="1" direction="recipient"><state>early</state><remote><identity>sip:a@b</identity></remote></dialog>` + endOf)
	f.Fuzz(func(t *testing.T, text string) {
		d, err := read([]byte(text))
		if err != nil {
			return
		}
		p := &phone{number: func() int64 { return 1 }, calls: map[string]*Call{}}
		changed, _ := p.told(d)
		for _, c := range changed {
			if len(c.From) > maxUser || len(c.ID) > maxText || strings.ContainsAny(c.From, "\r\n") {
				t.Errorf("%+v", c)
			}
		}
	})
}

func doc(version uint32, full bool, dialogs ...dialog) document {
	return document{version: version, full: full, dialogs: dialogs}
}

// A telephone's calls over a row of documents: full and partial, in order, repeated,
// missed, and of a subscription that has begun anew.
func TestPhone(t *testing.T) {
	in := func(id, state string) dialog {
		return dialog{id: id, recipient: true, state: state, remote: "sip:0770%3090041" + id + "@pbx.example"}
	}
	idle := dialog{id: "101", state: "terminated"}
	number := int64(0)
	p := &phone{source: "office", extension: "101", number: func() int64 { number++; return number }, calls: map[string]*Call{}}
	const full, partial = true, false
	for i, s := range []struct {
		doc  document
		gap  bool
		want string
	}{
		{doc(5, partial, in("1", "early")), true, ""}, // before any full one
		{doc(5, full, idle), false, ""},
		{doc(6, partial, in("1", "trying")), false, "1 rings 07700900411"},
		{doc(6, partial, in("1", "confirmed")), false, ""}, // repeated
		{doc(8, partial, in("1", "confirmed")), true, ""},  // 7 is missing
		{doc(7, partial, in("1", "early")), false, ""},     // it rings still
		{doc(8, partial, dialog{id: "1", state: "confirmed"}), false, "1 talks 07700900411"},
		{doc(9, partial, in("1", "early"), in("2", "early")), false, "2 rings 07700900412"},                 // 1 does not go back
		{doc(10, partial, dialog{id: "3", state: "early"}, dialog{id: "3", state: "confirmed"}), false, ""}, // she dials
		{doc(11, full, in("2", "early")), false, "1 over 07700900411"},
		{doc(12, partial, dialog{id: "2", state: "terminated", event: "cancelled"}), false, "2 over 07700900412 cancelled"},
		{doc(0, full, in("4", "confirmed")), false, "3 talks 07700900414"}, // the PBX has started anew; she talks already
		{doc(1, partial, in("4", "terminated")), false, "3 over 07700900414"},
		{doc(2, partial, in("4", "early")), false, "4 rings 07700900414"}, // the id is the telephone's
		{doc(3, partial, dialog{id: "4", callID: "x", recipient: true, state: "early", remote: "sip:anonymous@anonymous.invalid"}), false, ""},
	} {
		changed, err := p.told(s.doc)
		var got []string
		for _, c := range changed {
			got = append(got, strings.TrimSpace(string(rune('0'+c.Number))+" "+[]string{"rings", "talks", "over"}[c.State]+" "+c.From+" "+c.Ended))
		}
		if errors.Is(err, errGap) != s.gap || strings.Join(got, ", ") != s.want {
			t.Errorf("%d: %v %q, want %q", i, err, got, s.want)
		}
	}
	p.begin()
	if _, err := p.told(doc(4, partial)); !errors.Is(err, errGap) {
		t.Errorf("a subscription that begins with a partial state: %v", err)
	}
	if changed, _ := p.told(doc(0, full)); len(changed) != 1 || changed[0].State != Over {
		t.Errorf("what is not in its first state is over: %+v", changed)
	}
}

// Of an id that is the telephone's, another Call-ID is another call.
func TestPhoneOneID(t *testing.T) {
	number := int64(0)
	p := &phone{number: func() int64 { number++; return number }, calls: map[string]*Call{}}
	one := dialog{id: "101", callID: "a", recipient: true, state: "confirmed", remote: "sip:1@x"}
	_, _ = p.told(doc(0, true, one))
	one.callID, one.state, one.remote = "b", "early", "sip:2@x"
	changed, err := p.told(doc(1, true, one))
	if err != nil || len(changed) != 2 || changed[0].State != Over || changed[0].From != "1" || changed[1].State != Rings || changed[1].From != "2" {
		t.Errorf("%v %+v", err, changed)
	}
}

func TestUserOf(t *testing.T) {
	for uri, want := range map[string]string{
		"sip:101@pbx": "101", "SIPS:%2B44@pbx:5061;x": "+44", "sip:+44;phone-context=x@pbx": "+44", "sip:a:secret@pbx": "a", "tel:+447700900417;x=y": "+447700900417",
		"": "", "101": "", "sip:pbx": "", "http://x@y": "", "sip:a%0d%0ab@pbx": "", "sip:%ff@pbx": "", "sip:" + strings.Repeat("1", 101) + "@pbx": "",
	} {
		if got := userOf(uri); got != want {
			t.Errorf("%q: %q, want %q", uri, got, want)
		}
	}
}

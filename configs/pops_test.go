package configs

import (
	"slices"
	"strings"
	"testing"
	"time"
)

const popsTrunks = "cordboard: server/1\nrouting: r.yaml\nsip:\n  listen: [\"udp:127.0.0.1:5060\"]\n  trunks:\n" +
	"    pbx: {from: [192.0.2.1], out: {to: \"sip:192.0.2.1\", caller: caller}}\n    in: {from: [192.0.2.2]}\nmedia: {address: 127.0.0.1}\npops:\n"

// Telephones whose calls a PBX tells of by SIP need no token.
func TestPopsExtensions(t *testing.T) {
	s, findings := ParseServer("cordboard.yaml", []byte(popsTrunks+"  a: {trunk: pbx, extensions: [101, \"0102\", anna.b], header: X-Agent}\n"))
	if s == nil {
		t.Fatalf("%+v", findings)
	}
	p := s.Pops[0]
	if p.Trunk != "pbx" || !slices.Equal(p.Extensions, []string{"101", "0102", "anna.b"}) || p.Expires != 5*time.Minute || p.Header != "X-Agent" {
		t.Errorf("%+v", p)
	}
	if tokens, err := s.PopTokens(); err != nil || len(tokens) != 0 {
		t.Errorf("%v %v", tokens, err)
	}
}

// What is asked of whom is refused where it stands, each by itself.
func TestServerRefusesPops(t *testing.T) {
	for line, want := range map[string]string{
		`a: {region: GB}`:                                              `what the PBX shows is missing`,
		`a: {extensions: [101]}`:                                       `trunk is missing`,
		`a: {trunk: pbx, extensions: []}`:                              `say whose calls the PBX is to tell of`,
		`a: {trunk: pbx, extensions: [101, 101]}`:                      `101 is listed twice`,
		`a: {trunk: pbx, extensions: ["101@pbx.example"]}`:             `"101@pbx.example" is not an extension, such as 101`,
		`a: {trunk: other, extensions: [101]}`:                         `there is no trunk "other"`,
		`a: {trunk: in, extensions: [101]}`:                            `trunk in has no out`,
		`a: {token: "${T}", trunk: pbx}`:                               `trunk belongs to extensions, which are not there`,
		`a: {token: "${T}", header: X-Agent}`:                          `header belongs to extensions, which are not there`,
		`a: {trunk: pbx, extensions: [101], expires: 5s}`:              `5s is not within 1m to 1d`,
		`a: {trunk: pbx, extensions: [101], header: To}`:               `"To" names no agent`,
		`a: {trunk: pbx, extensions: [101], header: X-Cordboard-Call}`: `"X-Cordboard-Call" names no agent`,
	} {
		_, findings := ParseServer("cordboard.yaml", []byte(popsTrunks+"  "+line+"\n"))
		told := false
		for _, f := range findings {
			told = told || strings.Contains(f.Msg, want) && f.Line == 10
		}
		if !told || len(findings) != 1 {
			t.Errorf("%s: %+v, want %q in line 10", line, findings, want)
		}
	}
	two := "  a: {trunk: pbx, extensions: [101]}\n  b: {trunk: pbx, extensions: [102]}\n"
	if _, findings := ParseServer("cordboard.yaml", []byte(popsTrunks+two)); len(findings) != 1 || findings[0].Line != 11 || !strings.Contains(findings[0].Msg, "another of pops has trunk pbx") {
		t.Errorf("%+v", findings)
	}
}

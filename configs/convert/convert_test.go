package convert_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cordboard/cordboard/configs"
	"github.com/cordboard/cordboard/configs/convert"
)

var update = flag.Bool("update", false, "write the golden files anew")

var today = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)

// converted is a file of testdata with the options of its case.
var converted = []struct {
	file, rules string
	o           convert.Options
}{
	{file: "office.conf", o: convert.Options{Name: "Office", Zone: "Europe/London", Dial: map[string]string{"support": "+441632960100", "Front Desk": "150"}}},
	{file: "widening.conf", rules: "widening.rules", o: convert.Options{Zone: "UTC", PBX: "192.0.2.9"}},
	{file: "callcenter.xml", o: convert.Options{Zone: "Europe/Berlin", Dial: map[string]string{"sales@default": "+441632960101"}}},
}

// Each file of another switch becomes the document and the notes that stand
// beside it, and the document loads.
func TestConvert(t *testing.T) {
	for _, c := range converted {
		t.Run(c.file, func(t *testing.T) {
			r, err := read(t, c.file, c.rules, c.o)
			if err != nil {
				t.Fatal(err)
			}
			var notes strings.Builder
			for _, n := range r.Notes {
				notes.WriteString(n.String() + "\n")
			}
			base := strings.TrimSuffix(c.file, filepath.Ext(c.file))
			golden(t, base+".yaml", r.Document)
			golden(t, base+".txt", []byte(notes.String()))
			for _, f := range configs.Check("made.yaml", r.Document, configs.CheckInput{Today: today}).Findings {
				if f.Code[0] == 'Y' || f.Code[0] == 'U' || f.Code == "N301" || f.Code == "X105" || f.Code == "R205" {
					t.Error(f)
				}
			}
		})
	}
}

// What the documents do: the tests are run on the engine.
func TestConvertedBehaves(t *testing.T) {
	for file, tests := range map[string]string{
		"office.conf": `
tests:
  - name: the least penalty first, whoever has been idle longer
    at: 2026-11-23T11:00
    call: {dnis: "+441632960100"}
    agents: {dana: {skills: {support: 10}}, owen: {skills: {support: 9}, idle: 5m}}
    expect: {queue: support, priority: 60, agent: dana}
  - name: a larger penalty when nobody else is free
    at: 2026-11-23T11:00
    call: {dnis: "+441632960100"}
    agents: {dana: {skills: {support: 10}, state: talking}, leo: {skills: {support: 1}}}
    expect: {queue: support, agent: leo}
  - name: the front desk is asked in the order of its file
    at: 2026-11-23T11:00
    call: {dnis: "150"}
    agents: {first: {skills: {front_desk: 10}}, second: {skills: {front_desk: 9}, idle: 1h}}
    expect: {queue: front_desk, agent: first}
`,
		"widening.conf": `
tests:
  - name: three penalties more after 30s, all after 60s
    at: 2026-11-23T11:00
    agents: {boris: {skills: {bills: 7}, state: available}, anna: {skills: {bills: 10}, state: talking}}
    expect: {queue: bills, then: [{at: 29s, agent: none}, {at: 30s, agent: boris}]}
  - name: the last joins at the end
    at: 2026-11-23T11:00
    agents: {dora: {skills: {bills: 1}}, anna: {skills: {bills: 10}, state: talking}, boris: {skills: {bills: 7}, state: talking}}
    expect: {queue: bills, then: [{at: 59s, agent: none}, {at: 60s, agent: dora}]}
`,
		"callcenter.xml": `
tests:
  - name: the second tier after one wait, the fourth after three
    at: 2026-11-23T11:00
    agents: {a: {skills: {support: 10}, state: talking}, b: {skills: {support: 9}, state: talking}, d: {skills: {support: 7}}}
    expect: {queue: support, then: [{at: 89s, agent: none}, {at: 90s, agent: d}]}
`,
	} {
		for _, c := range converted {
			if c.file != file {
				continue
			}
			r, err := read(t, c.file, c.rules, c.o)
			if err != nil {
				t.Fatal(err)
			}
			report := configs.Check(file, append(r.Document, tests...), configs.CheckInput{Today: today})
			var out strings.Builder
			if err := report.Print(&out); err != nil {
				t.Fatal(err)
			}
			if want := strings.Count(tests, "- name:"); report.Exit() != 0 || report.Tests != want {
				t.Errorf("%d tests of %d: %s", report.Tests, want, out.String())
			}
		}
	}
}

// A file that is none is refused with its place.
func TestRefused(t *testing.T) {
	for text, want := range map[string]string{
		"":                        "x: no queue in it",
		"[general]\nautofill=yes": "x: no queue in it",
		"strategy=linear":         `x:1: "strategy=linear" stands in no section`,
		"[a]\nlinear":             `x:2: neither a section nor key = value: "linear"`,
		"[a\nb=c":                 `x:1: a section without its end: "[a"`,
		"[a](b)":                  `x:1: made from section "b", which there is not`,
		"[a](+)":                  `x:1: adds to section "a", which there is not`,
		"[a] b":                   `x:1: something behind a section: "b"`,
	} {
		if _, err := convert.Asterisk(convert.File{Name: "x", Data: []byte(text)}, nil, convert.Options{Zone: "UTC"}); err == nil || err.Error() != want {
			t.Errorf("%q: %v, not %s", text, err, want)
		}
	}
	if _, err := convert.FreeSWITCH(convert.File{Name: "x", Data: []byte("<configuration><queues>")}, convert.Options{Zone: "UTC"}); err == nil || !strings.Contains(err.Error(), "x: ") || !strings.Contains(err.Error(), "unexpected EOF") {
		t.Error(err)
	}
	dial := convert.Options{Zone: "UTC", Dial: map[string]string{"b": "150"}}
	if _, err := convert.Asterisk(convert.File{Name: "x", Data: []byte("[a]\n")}, nil, dial); err == nil || err.Error() != `a number is given for queue "b", which x does not have` {
		t.Error(err)
	}
}

// Sections that are made from one another many times over are refused before
// they fill the memory.
func TestTemplatesOfTemplates(t *testing.T) {
	var text strings.Builder
	text.WriteString("[t0](!)\nmember => SIP/100\n")
	for i := range 24 {
		fmt.Fprintf(&text, "[t%d](!,t%d,t%d)\n", i+1, i, i)
	}
	_, err := convert.Asterisk(convert.File{Name: "x", Data: []byte(text.String())}, nil, convert.Options{Zone: "UTC"})
	if err == nil || err.Error() != "x:16: made from sections with over 10000 entries" {
		t.Error(err)
	}
}

// Whatever stands in the file, it is refused or the document loads; one that
// names no agent is for use with a directory.
func FuzzAsterisk(f *testing.F) {
	for _, c := range converted[:2] {
		b, err := os.ReadFile("testdata/" + c.file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(b), "[widen]\npenaltychange => 5,+1,2\n")
	}
	f.Fuzz(func(t *testing.T, queues, rules string) {
		r, err := convert.Asterisk(convert.File{Name: "q", Data: []byte(queues)}, &convert.File{Name: "r", Data: []byte(rules)}, convert.Options{Zone: "UTC"})
		loads(t, r, err)
	})
}

func FuzzFreeSWITCH(f *testing.F) {
	b, err := os.ReadFile("testdata/callcenter.xml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(b))
	f.Fuzz(func(t *testing.T, text string) {
		r, err := convert.FreeSWITCH(convert.File{Name: "q", Data: []byte(text)}, convert.Options{Zone: "UTC"})
		loads(t, r, err)
	})
}

func loads(t *testing.T, r convert.Result, err error) {
	if err != nil {
		return
	}
	_, findings := configs.ParseRouting("made.yaml", r.Document)
	if staffed := strings.Contains(string(r.Document), "\nagents:\n"); staffed == strings.Contains(string(r.Document), "stand in a directory") {
		t.Errorf("agents: %v\n%s", staffed, r.Document)
	}
	if len(findings) > 0 && findings[0].Code != "Y008" { // more than the limits allow
		t.Errorf("%v\n%s", findings[0], r.Document)
	}
}

func read(t *testing.T, file, rules string, o convert.Options) (convert.Result, error) {
	t.Helper()
	f := convert.File{Name: file, Data: content(t, file)}
	switch {
	case filepath.Ext(file) == ".xml":
		return convert.FreeSWITCH(f, o)
	case rules != "":
		return convert.Asterisk(f, &convert.File{Name: rules, Data: content(t, rules)}, o)
	}
	return convert.Asterisk(f, nil, o)
}

func content(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(filepath.Join("testdata", name), got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if want := content(t, name); string(want) != string(got) {
		t.Errorf("%s: got\n%s", name, got)
	}
}

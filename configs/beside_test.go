package configs

import (
	"slices"
	"strings"
	"testing"
)

// What a document asks for and the server file does not give is refused where it
// stands, all of it at once; with a server file that gives it, nothing is.
func TestBeside(t *testing.T) {
	const text = `cordboard: routing/1
name: Two desks
zone: Europe/London
queues:
  desk:
    nobody: {for: 0s, then: {number: "+442079460911"}}
  night:
route:
  queue: desk
  routes:
    - {name: late, when: 'call.trunk == "x"', then: {number: "+442079460912"}}
agents:
  ann: {name: Ann Field}
  bob: {name: Bob Marsh, phone: registered}
  cat: {name: Cat Moor, phone: "+447700900016", login: phone}
  dan: {name: Dan Heath, phone: "sip:dan@192.0.2.1"}
`
	for name, c := range map[string]struct {
		text   string
		server *Server
		want   []string
	}{
		"alone": {text, nil, nil},
		"neither": {text, &Server{}, []string{
			`r.yaml:6:38: a number is called, and no trunk of the server file has out`,
			`r.yaml:11:62: a number is called, and no trunk of the server file has out`,
			`r.yaml:13:8: the agent's phone registers here, and the server file has no sip.registrar`,
			`r.yaml:14:33: the agent's phone registers here, and the server file has no sip.registrar`,
			`r.yaml:15:32: a number is called, and no trunk of the server file has out`,
		}},
		"both": {text, &Server{SIP: SIP{Registrar: &Registrar{}, Trunks: []Trunk{{}, {Out: &Out{}}}}}, nil},
		"nobody": {text[:strings.Index(text, "agents:")], &Server{SIP: SIP{Trunks: []Trunk{{Out: &Out{}}}}}, []string{
			`r.yaml:1:1: the document lists no agents, and the server file names no directory: nobody could take a call`,
		}},
	} {
		_, findings := ParseRouting("r.yaml", []byte(c.text), Beside(c.server))
		if len(findings) != len(c.want) {
			t.Errorf("%s: %s", name, printed(t, findings))
			continue
		}
		for i, f := range findings {
			if got := f.Brief(); !strings.HasPrefix(got, c.want[i]) {
				t.Errorf("%s:\ngot  %s\nwant %s", name, got, c.want[i])
			}
		}
	}
}

// A document may name only the mailboxes that the server file lists, where it
// lists any.
func TestBesideMailboxes(t *testing.T) {
	const text = `cordboard: routing/1
name: One desk
zone: Europe/London
queues:
  desk:
    late: {after: 10m, then: {voicemail: office}}
    nobody: {for: 0s, then: {voicemail: night}}
route: {queue: desk}
agents:
  ann: {name: Ann Field, phone: "sip:ann@192.0.2.1"}
`
	for name, c := range map[string]struct {
		server *Server
		want   string
	}{
		"alone": {nil, ""}, "none listed": {&Server{}, ""}, "both": {&Server{Voicemail: Voicemail{Mailboxes: []string{"night", "office"}}}, ""},
		"one": {&Server{Voicemail: Voicemail{Mailboxes: []string{"office"}}}, `r.yaml:7:41: nobody.then.voicemail: mailbox "night" does not exist: the server file lists others (queue desk) [Q704]`},
	} {
		r := Check("r.yaml", []byte(text), CheckInput{Today: checkDay, Server: c.server})
		if known := !slices.ContainsFunc(r.NotPossible, func(n NotPossible) bool { return n.Checks == "Q704 for mailboxes" }); c.want == "" && known != (c.server != nil) {
			t.Errorf("%s: mailboxes checked: %v", name, known)
		}
		var got []string
		for _, f := range r.Findings {
			if f.Code == "Q704" {
				got = append(got, f.Brief())
			}
		}
		if strings.Join(got, "; ") != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

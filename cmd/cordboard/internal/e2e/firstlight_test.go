package e2e

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/cordboard/cordboard/cmd/cordboard/internal/baresip"
	"github.com/cordboard/cordboard/routing"
)

const (
	callerNumber = "+447700900417"
	callerTone   = 350.0
	annaTone     = 620.0
	petarTone    = 910.0

	annaNote   = "Drops 20 to 22 h, by cable too. Router restarted twice."
	annaSays   = "Port 12 is full in the evening; please give a fixed date for the spare port."
	petarNote  = "Moved to port 17 on Monday, 6 to 7 in the morning."
	loudEnough = 0.5 // of the energy in a half second
)

// TestFirstLight is the main job from end to end: a caller is known before the
// phone rings, reaches an agent, is passed on to the specialist who has it all
// on screen, and is known better at the next call.
func TestFirstLight(t *testing.T) {
	for _, on := range databases {
		t.Run(on, func(t *testing.T) { firstLight(t, on) })
	}
}

func firstLight(t *testing.T, on string) {
	routingFile := readFile(t, "testdata/routing.yaml")
	anna, petar := newPhone(t, "anna", 5081, annaTone), newPhone(t, "petar", 5091, petarTone)
	s := newServer(t, routingFile, on)
	heard := newWire(t)
	b := newBrowser(t)
	for _, id := range []string{"anna", "petar"} {
		signIn(b, id)
	}

	// The call comes in, Anna's screen shows who it is, then her phone rings.
	c := call(t, sipAddress, callerNumber, "+442079460100", 5070, callerTone)
	b.do("wait", "anna", args{"selector": "[data-testid=caller-name]"})
	rang := anna.wait("CALL_INCOMING", 1)
	paintedBefore(t, "anna", b.acked("anna", c.at), rang)
	seen := b.text("anna", "body")
	for _, want := range []string{"Dana Whitcombe", "64.20", "Promised a call back by Friday", "Hard of hearing", "T-48213", "Fibre 500"} {
		if !strings.Contains(seen, want) {
			t.Errorf("Anna's page does not show %q:\n%s", want, seen)
		}
	}
	screenshot(t, b, "anna", "desktop.png")
	anna.answer()
	b.do("waitText", "anna", args{"text": "Talking"})
	joined := time.Now()
	eventually(t, "the caller to hear Anna", func() bool { return baresip.Loudest(heard.toCaller(joined), annaTone) > loudEnough })

	// Anna notes what she heard and passes the question on to the specialist.
	b.do("fill", "anna", args{"selector": "[data-testid=note]", "text": annaNote})
	b.do("wait", "anna", args{"selector": "[data-testid=note-saved]"})
	b.do("click", "anna", args{"selector": "[data-testid=transfer]"})
	b.do("fill", "anna", args{"selector": "[data-testid=transfer-search]", "text": "line"})
	b.do("press", "anna", args{"key": "1"})
	b.do("fill", "anna", args{"selector": "[data-testid=transfer-note]", "text": annaSays})
	passed := time.Now() // the pop may be painted before the click returns
	b.do("click", "anna", args{"selector": "[data-testid=transfer-go]"})

	// Petar has the record, her note, her sentence and the way before his phone rings.
	b.do("wait", "petar", args{"selector": "[data-testid=caller-name]"})
	rang = petar.wait("CALL_INCOMING", 1)
	paintedBefore(t, "petar", b.acked("petar", passed), rang)
	seen = b.text("petar", "body")
	for _, want := range []string{"Dana Whitcombe", annaNote, annaSays, "Anna Berg", "64.20", "T-48213"} {
		if !strings.Contains(seen, want) {
			t.Errorf("Petar's page does not show %q:\n%s", want, seen)
		}
	}
	screenshot(t, b, "petar", "received.png")
	petar.answer()
	b.do("waitText", "petar", args{"text": "Talking"})
	joined = time.Now()
	eventually(t, "the caller to hear Petar", func() bool { return baresip.Loudest(heard.toCaller(joined), petarTone) > loudEnough })

	// He ends the call, says how it went, and both are free again.
	b.do("fill", "petar", args{"selector": "[data-testid=note]", "text": petarNote})
	b.do("wait", "petar", args{"selector": "[data-testid=note-saved]"})
	b.do("click", "petar", args{"selector": "[data-testid=hangup]"})
	c.ended()
	b.do("click", "petar", args{"selector": "[data-testid=disposition-solved]"})
	b.do("click", "petar", args{"selector": "[data-testid=save]"})
	b.do("click", "anna", args{"selector": "[data-testid=save]"})
	b.do("wait", "anna", args{"selector": "[data-testid=save]", "state": "hidden"})
	for who, p := range map[string]*phone{"Anna": anna, "Petar": petar} {
		if got := baresip.Loudest(p.heard(), callerTone); got < loudEnough {
			t.Errorf("%s's phone heard the caller's tone with a share of %.2f", who, got)
		}
	}

	// The books say what happened.
	db := s.ledger()
	row := s.closed(db, 1)
	if row.Outcome != routing.Answered || row.Agent != "petar" || row.Transfers != 1 || row.Customer != "LW-204 118 63" || row.Number != callerNumber {
		t.Errorf("the ledger row: %+v", row)
	}
	events, err := db.Events(context.Background(), 1)
	must(t, err)
	for attempt := 1; attempt <= 2; attempt++ {
		acked, _ := event(t, events, "pop_acked", attempt)
		ringing, _ := event(t, events, "phone_ringing", attempt)
		if !acked.At.Before(ringing.At) {
			t.Errorf("attempt %d: acked %v, the phone rang %v", attempt, acked.At, ringing.At)
		}
	}
	if _, facts := event(t, events, "transfer_facts", 0); facts["re_asked"] != 0.0 {
		t.Errorf("facts the specialist had to ask again: %v", facts)
	}

	// At the next call the specialist's note is on the first agent's screen.
	second := call(t, sipAddress, callerNumber, "+442079460100", 5072, callerTone)
	b.do("waitText", "anna", args{"text": petarNote})
	paintedBefore(t, "anna", b.acked("anna", second.at), anna.wait("CALL_INCOMING", 2))
	anna.answer()
	b.do("waitText", "anna", args{"text": "Talking"})
	anna.hangup()
	second.ended()
	if row := s.closed(db, 2); row.Outcome != routing.Answered || row.EndedBy != routing.ByAgent {
		t.Errorf("the second ledger row: %+v", row)
	}
	for _, page := range []string{"anna", "petar"} {
		b.quiet(page)
	}
	if strings.Contains(s.log.String(), callerNumber) || strings.Contains(s.log.String(), "Whitcombe") {
		t.Error("the server's log names the caller")
	}
}

func signIn(b *browser, id string) {
	b.t.Helper()
	b.do("open", id, args{"url": "http://" + webAddress + "/"})
	b.do("fill", id, args{"selector": "input[name=username]", "text": id})
	b.do("fill", id, args{"selector": "input[name=password]", "text": password})
	b.do("click", id, args{"selector": "[data-testid=login] button[type=submit]"})
	b.do("click", id, args{"selector": "[data-testid=ready]"})
	b.do("wait", id, args{"selector": "[data-testid=not-ready]"})
}

// paintedBefore holds the page's own time against the phone's.
func paintedBefore(t *testing.T, who string, ack sent, rang time.Time) {
	t.Helper()
	ringMS := float64(rang.UnixMicro()) / 1000
	if ack.At >= ringMS {
		t.Errorf("%s: painted at %.3f ms, the phone rang at %.3f ms", who, ack.At, ringMS)
	}
	t.Logf("%s: painted %.1f ms before the phone rang", who, ringMS-ack.At)
	for _, panel := range []string{"who", "money", "products", "tickets", "timeline"} {
		if ack.D.Panels[panel] != "shown" {
			t.Errorf("%s: panel %s is %q at the ack", who, panel, ack.D.Panels[panel])
		}
	}
}

package e2e

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"
)

// figures are what a counted demo prints.
type figures struct {
	Offered               int `json:"offered"`
	Answered              int `json:"answered"`
	Failed                int `json:"failed"`
	Pops                  int `json:"pops"`
	PopsBeforeRing        int `json:"pops_before_ring"`
	RingWithoutPop        int `json:"ring_without_pop"`
	RecordCompleteAtPaint int `json:"record_complete_at_paint"`
	RangUnacked           int `json:"rang_unacked"`
	LedgerRows            int `json:"ledger_rows"`
	LedgerOpen            int `json:"ledger_open"`
}

func counted(t *testing.T, flags ...string) (f figures, exit int) {
	t.Helper()
	cmd := exec.Command(program(t), append([]string{"demo", "--json", "--web", "127.0.0.1:0", "--sip", "127.0.0.1:0"}, flags...)...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &testLog{t: t, name: "demo"}
	err := cmd.Run()
	if ended := (*exec.ExitError)(nil); err != nil && !errors.As(err, &ended) {
		t.Fatal(err)
	}
	must(t, json.Unmarshal(out.Bytes(), &f))
	t.Logf("%s", bytes.TrimSpace(out.Bytes()))
	return f, cmd.ProcessState.ExitCode()
}

// TestDemoCounts: 200 calls, and not one phone rings before its record is painted.
func TestDemoCounts(t *testing.T) {
	f, exit := counted(t, "--calls", "200")
	if exit != 0 || f.Offered != 200 || f.Answered < 190 || f.Pops < f.Answered || f.PopsBeforeRing != f.Pops ||
		f.RecordCompleteAtPaint != f.Pops || f.RingWithoutPop != 0 || f.Failed != 0 || f.LedgerOpen != 0 || f.LedgerRows != f.Offered {
		t.Errorf("exit %d: %+v", exit, f)
	}
}

// TestDemoSeesABrokenPromise: with desks that paint later than the pop deadline
// the phones ring first, and the run must say so.
func TestDemoSeesABrokenPromise(t *testing.T) {
	if f, exit := counted(t, "--calls", "3", "--desk-delay", "2s"); exit != 1 || f.RangUnacked == 0 || f.PopsBeforeRing == f.Pops {
		t.Errorf("exit %d: %+v", exit, f)
	}
}

// TestDemoLinks opens what the interactive demo prints: a desk by one click,
// the board with live figures, and a call from any softphone.
func TestDemoLinks(t *testing.T) {
	cmd := exec.Command(program(t), "demo", "--web", "127.0.0.1:0", "--sip", "127.0.0.1:0")
	out, err := cmd.StdoutPipe()
	must(t, err)
	cmd.Stderr = &testLog{t: t, name: "demo"}
	must(t, cmd.Start())
	t.Cleanup(func() { endProcess(cmd) })
	links, softphone := map[string]string{}, ""
	lines := make(chan string, 100)
	go func() {
		defer close(lines)
		for s := bufio.NewScanner(out); s.Scan(); {
			lines <- s.Text()
		}
	}()
	link := regexp.MustCompile(`^ *(first agent|specialist|supervisor).* (http://\S+/in#\S+)$`)
	for popped, limit := false, time.After(60*time.Second); !popped; {
		select {
		case line, ok := <-lines:
			if !ok {
				t.Fatal("the demo ended")
			}
			if m := link.FindStringSubmatch(line); m != nil {
				links[m[1]] = m[2]
			}
			if _, uri, found := strings.Cut(line, "any softphone at sip:"); found {
				softphone = uri
			}
			popped = strings.HasPrefix(line, "first pop in ")
		case <-limit:
			t.Fatal("no pop within a minute")
		}
	}
	if len(links) != 3 || softphone == "" {
		t.Fatalf("links %d, softphone %q", len(links), softphone)
	}
	b := newBrowser(t)
	b.do("open", "priya", args{"url": links["first agent"]})
	b.do("open", "petar", args{"url": links["specialist"]})
	for _, id := range []string{"priya", "petar"} {
		b.do("click", id, args{"selector": "[data-testid=ready]"})
	}
	b.do("open", "board", args{"url": links["supervisor"]})
	b.do("waitText", "board", args{"text": "Priya Nair"})
	screenshot(t, b, "board", "board.png")
	number, address, _ := strings.Cut(softphone, "@")
	_, port, _ := strings.Cut(address, ":")
	call(t, "127.0.0.1:"+port, "+447700900417", number, 5074, callerTone)

	// As the demo says: answer by key, F2 T, the topic, and on to the specialist.
	takes(b, "priya")
	b.do("wait", "priya", args{"selector": "[data-testid=transfer]"})
	b.do("press", "priya", args{"key": "F2"})
	b.do("press", "priya", args{"key": "t"})
	b.do("wait", "priya", args{"selector": "[data-testid=transfer-panel]"})
	b.do("type", "priya", args{"text": "line"})
	b.do("press", "priya", args{"key": "1"})
	b.do("press", "priya", args{"key": "Control+Enter"})
	b.do("waitText", "petar", args{"text": "From Priya Nair"})
	takes(b, "petar")
	b.do("wait", "petar", args{"selector": "[data-testid=hangup]"})
	for _, page := range []string{"priya", "petar", "board"} {
		b.quiet(page)
	}
}

// takes answers the offered call by key, once the pop is painted: until then
// the page offers no such key. Where a machine paints later than the pop
// deadline the robot's phone has rung and answered meanwhile.
func takes(b *browser, id string) {
	b.t.Helper()
	b.do("wait", id, args{"selector": "[data-testid=answer], [data-testid=hangup]"})
	b.do("press", id, args{"key": "Control+Enter"})
}

package e2e

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cordboard/cordboard/routing"
)

const pbxToken = "a-token-of-no-other-office"

// TestPopOnly walks the guide: a PBX tells of its call by curl, the record stands on
// the agent's page when it has its answer, and the note is in the books.
func TestPopOnly(t *testing.T) {
	for _, on := range databases {
		t.Run(on, func(t *testing.T) {
			t.Setenv("PBX_TOKEN", pbxToken)
			s := newServer(t, readFile(t, "testdata/routing.yaml"), on, guided(t, "```\n", "pops:")[0])
			b := newBrowser(t)
			signIn(b, "anna")
			requests := guided(t, "```sh\n", "curl ")
			if len(requests) != 3 {
				t.Fatalf("the guide has %d requests", len(requests))
			}

			if told := tells(t, requests[0]); told.Call != 1 || len(told.Agents) != 1 || told.Agents[0] != "anna" {
				t.Fatalf("newCall: %+v", told)
			}
			// No waiting: the record is there before a PBX would dial.
			seen := b.text("anna", "body")
			for _, want := range []string{"Dana Whitcombe", "64.20", "Promised a call back by Friday", "T-48213", "Fibre 500"} {
				if !strings.Contains(seen, want) {
					t.Errorf("Anna's page does not show %q:\n%s", want, seen)
				}
			}
			b.do("waitText", "anna", args{"text": "Pick up your phone"})
			b.do("waitText", "anna", args{"text": "Call of the PBX"})
			screenshot(t, b, "anna", "pop-only.png")
			tells(t, requests[1])
			b.do("waitText", "anna", args{"text": "Talking"})
			b.do("wait", "anna", args{"selector": "[data-testid=bar][data-phase=talking] [data-testid=hangup]"})
			b.do("fill", "anna", args{"selector": "[data-testid=note]", "text": annaNote})
			b.do("wait", "anna", args{"selector": "[data-testid=note-saved]"})
			screenshot(t, b, "anna", "pop-only-talking.png")
			tells(t, requests[2])
			b.do("click", "anna", args{"selector": "[data-testid=save]"})
			b.do("wait", "anna", args{"selector": "[data-testid=not-ready]"})
			b.do("waitText", "anna", args{"text": "Ready"})

			row := s.closed(s.ledger(), 1)
			if row.Outcome != routing.Answered || row.Agent != "anna" || row.Trunk != "pbx:office" || row.Queue != "" || row.Number != callerNumber || row.Customer != "LW-204 118 63" {
				t.Errorf("the ledger row: %+v", row)
			}
			b.quiet("anna")
			if log := s.log.String(); strings.Contains(log, "7700900417") || strings.Contains(log, pbxToken) {
				t.Error("the server's log has the number or the token")
			}
		})
	}
}

// guided are the blocks of the guide that begin so, as the test's server has them.
func guided(t *testing.T, fence, begin string) (blocks []string) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(repo(t), "docs", "integrations", "pop-only.md"))
	must(t, err)
	for _, part := range strings.Split(string(b), fence+begin)[1:] {
		block, _, _ := strings.Cut(begin+part, "```")
		blocks = append(blocks, strings.ReplaceAll(block, "https://cordboard.example.com", "http://"+webAddress))
	}
	return blocks
}

type pbxTold struct {
	Call   int64    `json:"call"`
	Agents []string `json:"agents"`
}

// tells runs a request of the guide.
func tells(t *testing.T, request string) (told pbxTold) {
	t.Helper()
	out, err := exec.Command("sh", "-euc", request).CombinedOutput()
	if err != nil {
		t.Fatalf("%s\n%v: %s", request, err, out)
	}
	must(t, json.Unmarshal(out, &told))
	return told
}

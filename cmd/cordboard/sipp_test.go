package main

import (
	"context"
	"encoding/json"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cordboard/cordboard/screenpop/desktest"
)

// The lines of docs/integrations/sipp.md as they stand there, with the examples
// and a robot at petar's desk. Only the ports are others.
func TestTryItWithSIPp(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	text, err := os.ReadFile("../../docs/integrations/sipp.md")
	if err != nil {
		t.Fatal(err)
	}
	lines := regexp.MustCompile(`(?m)^(?:sipp|bin/cordboard) .*$`).FindAllString(string(text), -1)
	if len(lines) != 3 || !strings.Contains(lines[1], "/phone.xml ") || !strings.Contains(lines[2], "/caller.xml ") {
		t.Fatalf("the page's lines: %q", lines)
	}
	dir := t.TempDir()
	copyExamples(t, dir)
	phonePort, callerPort := freePort(t, 5200), freePort(t, 5300)
	routes := filepath.Join(dir, "routing.yaml")
	document, err := os.ReadFile(routes)
	if err != nil {
		t.Fatal(err)
	}
	moved := strings.Replace(string(document), "sip:petar@127.0.0.1:5072", "sip:petar@127.0.0.1:"+phonePort, 1)
	if err := os.WriteFile(routes, []byte(moved), 0o600); err != nil || moved == string(document) {
		t.Fatalf("petar's phone was not found: %v", err)
	}
	const password = "correct horse"
	for _, line := range []string{"import customers customers.csv --region GB", strings.TrimPrefix(lines[0], "bin/cordboard ")} {
		c := command(t, strings.Fields(line)...)
		c.Dir, c.Stdin = dir, strings.NewReader(password)
		if out, err := c.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", line, err, out)
		}
	}
	c := command(t, "serve")
	c.Dir = dir
	p := start(t, c, (*exec.Cmd).StderrPipe)
	var serving struct {
		Desk string   `json:"desk"`
		SIP  []string `json:"sip"`
	}
	if err := json.Unmarshal([]byte(p.until(`"msg":"serving"`)), &serving); err != nil {
		t.Fatal(err)
	}
	sipp := func(line string, ports ...string) *exec.Cmd {
		args := strings.Fields(strings.NewReplacer(ports...).Replace(line))
		c := exec.CommandContext(ctx, args[0], append(args[1:], "-nostdin")...)
		c.Dir = "../.."
		return c
	}
	phone := sipp(lines[1], "-p 5072", "-p "+phonePort)
	if err := phone.Start(); err != nil {
		t.Fatal(err)
	}
	desk, err := desktest.Dial(ctx, desktest.Options{
		BaseURL: "http://" + serving.Desk, User: "petar", Password: password, AutoReady: true, HangUpAfter: time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer desk.Close()
	out, err := sipp(lines[2], "127.0.0.1:5060", strings.TrimPrefix(serving.SIP[0], "udp:"), "-p 5070", "-p "+callerPort).CombinedOutput()
	if err != nil {
		t.Errorf("the caller: %v\n%s", err, out)
	}
	if err := phone.Wait(); err != nil {
		t.Errorf("the phone: %v", err)
	}
	if seen := desk.Seen(); len(seen) != 1 || seen[0].Match != "exact" {
		t.Errorf("petar's desk has seen %+v", seen)
	}
	seesLadder(t, dir)
	if noted := p.until("the SIP messages of a call were read whole"); !strings.Contains(noted, `"call":1,"user":"command line: `) {
		t.Errorf("noted: %s", noted)
	}
	p.signal(syscall.SIGTERM)
	if exit := p.ended(); exit != 0 {
		t.Errorf("serve: exit %d", exit)
	}
}

// freePort is a port from the given one on that nobody has for UDP. It lies below
// those that the system gives to others between our look and SIPp's bind.
func freePort(t *testing.T, from int) string {
	t.Helper()
	for port := from; port < from+100; port++ {
		l, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port})
		if err != nil {
			continue
		}
		l.Close()
		return strconv.Itoa(port)
	}
	t.Fatalf("no free port from %d on", from)
	return ""
}

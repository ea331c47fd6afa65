package main

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cordboard/cordboard/sip/siptest"
)

// program is the command while it runs: its lines come one by one.
type program struct {
	*exec.Cmd
	t     *testing.T
	lines chan string
}

// start runs the command. What it writes there (standard error, or output) is
// waited for with until.
func start(t *testing.T, c *exec.Cmd, from func(*exec.Cmd) (io.ReadCloser, error)) *program {
	t.Helper()
	out, err := from(c)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	p := &program{Cmd: c, t: t, lines: make(chan string, 1000)}
	go func() {
		defer close(p.lines)
		for s := bufio.NewScanner(out); s.Scan(); {
			p.lines <- s.Text()
		}
	}()
	return p
}

// until gives the first line with the text.
func (p *program) until(text string) string {
	p.t.Helper()
	for line := range p.lines {
		if strings.Contains(line, text) {
			return line
		}
	}
	p.t.Fatalf("the program has ended without saying %q", text)
	return ""
}

func (p *program) signal(s os.Signal) {
	p.t.Helper()
	if err := p.Process.Signal(s); err != nil {
		p.t.Fatal(err)
	}
}

// ended reads the rest and gives the exit code.
func (p *program) ended() int {
	for range p.lines {
	}
	_ = p.Wait()
	return p.ProcessState.ExitCode()
}

// A server that is asked to stop says at once how many calls it waits for, and
// lets them go on. Asked again it ends them: callers get BYE, the exit is clean.
func TestASecondSignalEndsTheCalls(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	dir := t.TempDir()
	copyExamples(t, dir)
	c := command(t, "serve")
	c.Dir = dir
	p := start(t, c, (*exec.Cmd).StderrPipe)
	var serving struct {
		SIP []string `json:"sip"`
	}
	if err := json.Unmarshal([]byte(p.until(`"msg":"serving"`)), &serving); err != nil {
		t.Fatal(err)
	}
	trunk, err := siptest.NewTrunk(ctx, siptest.TrunkOptions{Target: strings.TrimPrefix(serving.SIP[0], "udp:")})
	if err != nil {
		t.Fatal(err)
	}
	defer trunk.Close()
	call, err := trunk.Call(ctx, siptest.CallOptions{From: "+447700900417", To: "+442079460100"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := call.WaitFor(ctx, siptest.Answered); err != nil { // it waits, with music: nobody is signed in
		t.Fatal(err)
	}
	// What is answered behind the ACK says that the server has that one too.
	if _, err := call.Ask(ctx, "OPTIONS"); err != nil {
		t.Fatal(err)
	}
	p.signal(syscall.SIGINT)
	if line := p.until(`"msg":"stopping`); !strings.Contains(line, `"calls":1`) || !strings.Contains(line, `"at_most":"10s"`) || !strings.Contains(line, "a second signal") {
		t.Errorf("it says %s", line)
	}
	if _, over := call.At(siptest.Over); over {
		t.Error("the first signal ended the call")
	}
	p.signal(syscall.SIGTERM)
	p.until("asked again to stop")
	p.until("live calls were ended")
	if e, err := call.WaitFor(ctx, siptest.Over); err != nil {
		t.Errorf("the caller is left with silence: %v, %v", e, err)
	}
	if exit := p.ended(); exit != 0 {
		t.Errorf("exit %d", exit)
	}
}

// A demo ends its calls at once and says so. One that is killed leaves its
// folder, which the next one removes.
func TestADemoLeavesNothing(t *testing.T) {
	t.Parallel()
	tmp := t.TempDir()
	run := func() *program {
		c := command(t, "demo", "--web", "127.0.0.1:0", "--sip", "127.0.0.1:0")
		c.Env = append(c.Env, "TMPDIR="+tmp)
		p := start(t, c, (*exec.Cmd).StdoutPipe)
		p.until("serving on")
		return p
	}
	folders := func(want int) {
		t.Helper()
		if found, err := filepath.Glob(filepath.Join(tmp, "cordboard-demo-*")); err != nil || len(found) != want {
			t.Errorf("there are %q, %v; want %d", found, err, want)
		}
	}
	killed := run()
	killed.signal(syscall.SIGKILL)
	killed.ended()
	folders(1)
	p := run()
	folders(1)
	p.until("first pop")
	p.signal(syscall.SIGINT)
	p.until("ending ")
	if exit := p.ended(); exit != 0 {
		t.Errorf("exit %d", exit)
	}
	folders(0)
}

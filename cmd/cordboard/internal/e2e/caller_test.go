package e2e

import (
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// caller is one SIPp call through the trunk.
type caller struct {
	t    *testing.T
	cmd  *exec.Cmd
	done chan error
	at   time.Time // when it was started, a little before its INVITE
}

// call places a call from number, speaking a tone of hz until the server ends it.
func call(t *testing.T, server, number, dialled string, port int, hz float64) *caller {
	t.Helper()
	dir := t.TempDir()
	tone := filepath.Join(dir, "tone.ul")
	must(t, os.WriteFile(tone, toneUlaw(hz, 10*time.Second), 0o600))
	scenario, err := filepath.Abs("testdata/caller.xml")
	must(t, err)
	host := testHost
	if strings.HasPrefix(server, "127.") {
		host = "127.0.0.1"
	}
	c := &caller{t: t, done: make(chan error, 1), at: time.Now()}
	c.cmd = exec.Command("sipp", "-sf", scenario, server, "-s", dialled, "-key", "pai", number,
		"-i", host, "-mi", host, "-p", strconv.Itoa(port),
		"-m", "1", "-nostdin", "-timeout", "120s", "-timeout_error", "-trace_err", "-error_file", filepath.Join(dir, "errors"))
	c.cmd.Dir = dir
	out := &testLog{t: t, name: "sipp " + number}
	c.cmd.Stdout, c.cmd.Stderr = out, out
	must(t, c.cmd.Start())
	go func() { c.done <- c.cmd.Wait() }()
	t.Cleanup(func() {
		select {
		case err := <-c.done:
			c.done <- err
		default:
			_ = c.cmd.Process.Kill()
		}
	})
	return c
}

// ended waits until the server has ended the call, by the scenario's rules.
func (c *caller) ended() {
	c.t.Helper()
	select {
	case err := <-c.done:
		c.done <- err
		if err != nil {
			c.t.Fatalf("the caller's side: %v", err)
		}
	case <-time.After(time.Minute):
		c.t.Fatal("the server did not end the call")
	}
}

// toneUlaw is a sine of hz as raw G.711 mu-law.
func toneUlaw(hz float64, d time.Duration) []byte {
	b := make([]byte, int(d.Seconds()*sampleRate))
	for i := range b {
		b[i] = encodeUlaw(int16(12000 * math.Sin(2*math.Pi*hz*float64(i)/sampleRate)))
	}
	return b
}

// encodeUlaw finds the code whose value is nearest: slow and plainly right.
func encodeUlaw(v int16) byte {
	best, code := math.MaxInt, byte(0)
	for c := range 256 {
		d := int(ulaw(byte(c))) - int(v)
		if d < 0 {
			d = -d
		}
		if d < best {
			best, code = d, byte(c)
		}
	}
	return code
}

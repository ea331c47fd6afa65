package app

import (
	"bufio"
	"cmp"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/cordboard/cordboard/sip/siptest"
)

// What a caller can be told (testdata/caller.xml).
const (
	hangUp = "MESSAGE" // CANCEL before the answer, BYE after it
	hold   = "NOTIFY"
	unhold = "PUBLISH"
)

// dial is how a call is placed.
type dial struct {
	to      string // toCare when ""
	from    string // URI of From
	pai     string // URI of P-Asserted-Identity
	privacy string
	calls   int    // one after the other; 1 when 0
	through string // HOST:PORT; the server itself when ""
}

// caller is SIPp on the trunk, with an ear and a voice of ours.
type caller struct {
	w    *world
	ear  *siptest.Audio
	port int
	tell *net.UDPConn
	id   string // of the Call-ID, after the call's number

	mu      sync.Mutex
	changed chan struct{}
	log     [][]string // Call-ID, word, value
	ended   bool
	err     error
	out     strings.Builder
}

// dial starts SIPp and returns when it has sent its INVITE, or soon after.
func (w *world) dial(d dial) *caller {
	w.Helper()
	d = d.filled()
	w.calls += d.calls
	ear, err := siptest.OpenAudio(netip.MustParseAddr("127.0.0.1"))
	w.must(err)
	w.Cleanup(ear.Close)
	c := &caller{w: w, ear: ear, port: w.freePorts(), changed: make(chan struct{})}
	c.id = fmt.Sprintf("-%d@caller.example", c.port)
	c.tell, err = net.DialUDP("udp", nil, &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: c.port})
	w.must(err)
	w.Cleanup(func() { c.tell.Close() })
	read, write, err := os.Pipe()
	w.must(err)
	errors := filepath.Join(w.TempDir(), "sipp.errors")
	cmd := exec.Command("sipp", cmp.Or(d.through, w.app.SIPAddr().String()), "-sf", filepath.Join("testdata", "caller.xml"), "-s", d.to,
		"-key", "from", d.from, "-key", "pai", d.pai, "-key", "privacy", d.privacy, "-key", "ear", strconv.Itoa(int(ear.Local().Port())),
		"-i", "127.0.0.1", "-p", strconv.Itoa(c.port), "-mp", strconv.Itoa(c.port+2), "-cid_str", "%u"+c.id,
		"-m", strconv.Itoa(d.calls), "-l", "1", "-r", "100", "-nostdin", "-timeout", "175s", "-timeout_error",
		"-trace_err", "-error_file", errors, "-trace_logs", "-log_file", "/dev/fd/3")
	cmd.ExtraFiles = []*os.File{write}
	cmd.Stdout, cmd.Stderr = &c.out, &c.out
	w.must(cmd.Start())
	w.must(write.Close())
	var follow sync.WaitGroup
	logged := make(chan struct{})
	follow.Go(func() { defer close(logged); c.follow(read) })
	follow.Go(func() {
		err := cmd.Wait()
		<-logged // its last words may still be in the pipe
		if why, e := os.ReadFile(errors); e == nil && err != nil {
			err = fmt.Errorf("%w: %s", err, why)
		}
		c.note(func() { c.ended, c.err = true, err })
	})
	w.Cleanup(func() {
		_ = cmd.Process.Kill() // has ended, unless the case has failed
		follow.Wait()
	})
	return c
}

func (d dial) filled() dial {
	or := func(v *string, otherwise string) {
		if *v == "" {
			*v = otherwise
		}
	}
	or(&d.to, toCare)
	or(&d.from, "sip:+442079460199@trunk.example")
	or(&d.pai, "sip:"+dana+"@trunk.example")
	or(&d.privacy, "none")
	d.calls = max(d.calls, 1)
	return d
}

// follow reads what SIPp logs. Whenever it is told where to send audio, so is
// its voice.
func (c *caller) follow(log *os.File) {
	defer log.Close()
	lines := bufio.NewScanner(log)
	for lines.Scan() {
		words := strings.Fields(lines.Text())
		if len(words) < 2 || !strings.HasSuffix(words[0], c.id) {
			continue
		}
		if port, err := strconv.Atoi(words[len(words)-1]); err == nil && words[1] == "media" {
			c.ear.Connect(netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), uint16(port)), 0, 101)
			c.ear.Speak(callerTone)
		}
		c.note(func() { c.log = append(c.log, words) })
	}
}

func (c *caller) note(change func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	change()
	close(c.changed)
	c.changed = make(chan struct{})
}

// wait returns when the condition on the log and the end holds.
func (c *caller) wait(what string, holds func() bool) {
	c.w.Helper()
	for {
		c.mu.Lock()
		changed, ok, ended := c.changed, holds(), c.ended
		c.mu.Unlock()
		if ok {
			return
		}
		if ended {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.w.Fatalf("the caller ended without %s: %v; log %v; %s", what, c.err, c.log, c.out.String())
		}
		select {
		case <-changed:
		case <-c.w.ctx.Done():
			c.w.Fatalf("the caller saw no %s; log %v", what, c.log)
		}
	}
}

// sees waits until the caller's n-th call, from 1, has logged the word.
func (c *caller) sees(n int, word string) {
	c.w.Helper()
	c.wait(word, func() bool { return c.logged(n, word) })
}

// logged reports whether the call has logged the word; c.mu is held.
func (c *caller) logged(n int, word string) bool {
	id := strconv.Itoa(n) + c.id
	return slices.ContainsFunc(c.log, func(l []string) bool { return l[0] == id && l[1] == word })
}

// told has the caller's n-th call do something.
func (c *caller) told(n int, what string) {
	c.w.Helper()
	_, err := fmt.Fprintf(c.tell, "%[1]s sip:caller@%[2]s SIP/2.0\r\nVia: SIP/2.0/UDP %[3]s;branch=z9hG4bK%[1]s%[4]d\r\n"+
		"From: <sip:test@%[3]s>;tag=test\r\nTo: <sip:caller@%[2]s>\r\nCall-ID: %[4]d%[5]s\r\nCSeq: 1 %[1]s\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n",
		what, c.tell.RemoteAddr(), c.tell.LocalAddr(), n, c.id)
	c.w.must(err)
}

// hangsUp ends the caller's only call, from wherever it stands.
func (c *caller) hangsUp() { c.w.Helper(); c.told(1, hangUp); c.over() }

// over waits for SIPp's end: every step of the scenario as written, and 481
// for OPTIONS in the dialogs that were.
func (c *caller) over() {
	c.w.Helper()
	c.wait("end", func() bool { return c.ended })
	c.ear.Close()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		c.w.Fatalf("the caller's side: %v; log %v", c.err, c.log)
	}
}

// hears waits until the caller hears the tone and nothing else.
func (c *caller) hears(hz float64) {
	c.w.Helper()
	c.w.hears(c.ear, hz)
}

// hears waits until what comes from now on is the tone and nothing else.
func (w *world) hears(ear *siptest.Audio, hz float64) {
	w.Helper()
	w.listen(ear, fmt.Sprintf("%v Hz", hz), func() bool { return ear.Heard(hz) })
}

// window is how many packets an ear judges by: what came before they did, is
// not what comes now.
const window = 20

func (w *world) listen(ear *siptest.Audio, what string, holds func() bool) {
	w.Helper()
	from := ear.Received()
	if err := ear.WaitFor(w.ctx, func() bool { return ear.Received() > from+window && holds() }); err != nil {
		w.Fatalf("not heard: %s: %v", what, err)
	}
}

// hearsMusic waits until the caller hears something that is nobody's voice.
func (c *caller) hearsMusic() {
	c.w.Helper()
	c.w.listen(c.ear, "music", func() bool {
		for _, hz := range agentTone {
			if c.ear.Heard(hz) {
				return false
			}
		}
		return c.ear.Loud()
	})
}

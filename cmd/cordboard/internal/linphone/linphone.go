// Package linphone runs Debian's linphone-daemon for tests that need another
// real phone than baresip: it registers, calls and is called, sends a WAV file
// and is operated line by line, without a sound card. The end-to-end tests are
// its callers.
package linphone

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Options of a phone.
type Options struct {
	Dir   string // a folder of its own: configuration, sound, its log
	Port  int    // where it takes SIP, by UDP and TCP
	RTP   int    // its media port
	Sound []byte // the WAV file that it sends while it talks
	Roots string // the file of certificates that it trusts
}

// Phone is a linphone that runs. Safe for concurrent use.
type Phone struct {
	dir string
	cmd *exec.Cmd
	in  io.WriteCloser

	asking  sync.Mutex // one command at a time
	closing sync.Once

	mu      sync.Mutex
	lines   []string      // what it has printed
	changed chan struct{} // closed and replaced at every line
	ended   bool
}

// It has no database of calls and messages, without whose folder it would not
// start, and takes the network for there: it would look for a route to an address
// of its maker's.
const config = `[sip]
sip_port=%[1]d
sip_tcp_port=%[1]d
sip_tls_port=-1
use_ipv6=0
media_encryption=none
root_ca=%[3]s
verify_server_certs=1
verify_server_cn=1
auto_net_state_mon=0
register_only_when_network_is_up=0
[rtp]
audio_rtp_port=%[2]d
[sound]
echocancellation=0
[storage]
uri=null
`

// Start runs a phone and waits until it takes commands.
func Start(ctx context.Context, o Options) (*Phone, error) {
	for name, text := range map[string][]byte{
		"linphonerc": fmt.Appendf(nil, config, o.Port, o.RTP, o.Roots),
		"sound.wav":  o.Sound,
	} {
		if err := os.WriteFile(filepath.Join(o.Dir, name), text, 0o600); err != nil {
			return nil, fmt.Errorf("linphone: %w", err)
		}
	}
	p := &Phone{dir: o.Dir, changed: make(chan struct{})}
	p.cmd = exec.Command("linphone-daemon", "--config", filepath.Join(o.Dir, "linphonerc"), "--log", p.logFile(), "--disable-stats-events")
	p.cmd.Dir = o.Dir
	p.cmd.Env = append(os.Environ(), "HOME="+o.Dir, "XDG_DATA_HOME="+o.Dir, "XDG_CONFIG_HOME="+o.Dir, "TERM=dumb")
	out, err := p.cmd.StdoutPipe()
	if err == nil {
		p.in, err = p.cmd.StdinPipe()
	}
	if err == nil {
		err = p.cmd.Start()
	}
	if err != nil {
		return nil, fmt.Errorf("linphone: %w", err)
	}
	go p.read(out)
	if err := p.Do(ctx, "version"); err != nil {
		p.Close()
		return nil, err
	}
	return p, nil
}

func (p *Phone) logFile() string { return filepath.Join(p.dir, "log") }

// Log is what it has logged so far, its SIP messages in clear among it.
func (p *Phone) Log() string {
	b, err := os.ReadFile(p.logFile())
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// Close ends the phone: it says good-bye to its registrar, and is killed when
// it takes longer than 5 s.
func (p *Phone) Close() {
	p.closing.Do(func() {
		_, _ = io.WriteString(p.in, "quit\n")
		late := time.AfterFunc(5*time.Second, func() { _ = p.cmd.Process.Signal(syscall.SIGKILL) })
		defer late.Stop()
		p.until(func() bool { return p.ended })
		_ = p.cmd.Wait()
	})
}

// read takes what it prints: the answers to commands and, between them, events.
func (p *Phone) read(out io.Reader) {
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		p.note(func() { p.lines = append(p.lines, strings.TrimSpace(lines.Text())) })
	}
	p.note(func() { p.ended = true })
}

func (p *Phone) note(change func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change()
	close(p.changed)
	p.changed = make(chan struct{})
}

// until waits for what it asks under p.mu.
func (p *Phone) until(ok func() bool) {
	_ = p.wait(context.Background(), ok)
}

func (p *Phone) wait(ctx context.Context, ok func() bool) error {
	for {
		p.mu.Lock()
		done, ended, changed := ok(), p.ended, p.changed
		p.mu.Unlock()
		switch {
		case done:
			return nil
		case ended:
			return errors.New("linphone: it has ended")
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Do gives a command and waits until the phone has taken or refused it.
func (p *Phone) Do(ctx context.Context, command string) error {
	p.asking.Lock()
	defer p.asking.Unlock()
	p.mu.Lock()
	from := len(p.lines)
	p.mu.Unlock()
	if _, err := io.WriteString(p.in, command+"\n"); err != nil {
		return fmt.Errorf("linphone: %w", err)
	}
	refused := ""
	err := p.wait(ctx, func() bool {
		for i, line := range p.lines[from:] {
			switch {
			case line == "Status: Ok":
				return true
			case line == "Status: Error" && len(p.lines) > from+i+1:
				refused = p.lines[from+i+1]
				return true
			}
		}
		return false
	})
	if verb, _, _ := strings.Cut(command, " "); err != nil {
		return fmt.Errorf("linphone: %s is not answered: %w", verb, err)
	} else if refused != "" {
		return fmt.Errorf("linphone: %s: %s", verb, refused)
	}
	return nil
}

// Register registers user at the registrar, a URI, and waits until it is done.
// A challenge is a failure to linphone, which it goes on from by itself.
func (p *Phone) Register(ctx context.Context, user, registrar, password, realm string) error {
	host, _, _ := strings.Cut(strings.TrimPrefix(registrar, "sip:"), ";")
	if err := p.Do(ctx, fmt.Sprintf("register sip:%[1]s@%[2]s %[3]s %[4]s %[1]s %[5]s", user, host, registrar, password, realm)); err != nil {
		return err
	}
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		if err := p.Do(ctx, "register-status ALL"); err != nil {
			return err
		}
		state := p.last("State: ")
		if state == "LinphoneRegistrationOk" {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("linphone: the registration of %s is at %s: %w", user, state, ctx.Err())
		}
	}
}

// last is the rest of the last line that begins so.
func (p *Phone) last(begins string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := len(p.lines) - 1; i >= 0; i-- {
		if rest, ok := strings.CutPrefix(p.lines[i], begins); ok {
			return rest
		}
	}
	return ""
}

// Wait waits for the n-th change of a call to the state, counted from 1. States
// are linphone's own: IncomingReceived, OutgoingRinging, StreamsRunning, End.
func (p *Phone) Wait(ctx context.Context, state string, n int) error {
	err := p.wait(ctx, func() bool { return p.count(state) >= n })
	if err != nil {
		return fmt.Errorf("linphone: no call came to %s for the %d. time: %w", state, n, err)
	}
	return nil
}

func (p *Phone) count(state string) (n int) {
	for _, line := range p.lines {
		if line == "Event: LinphoneCall"+state {
			n++
		}
	}
	return n
}

// Speak sends the sound into the call.
func (p *Phone) Speak(ctx context.Context) error {
	return p.Do(ctx, "incall-player-start "+filepath.Join(p.dir, "sound.wav"))
}

// SpeakIn is Speak for one of several calls, counted from 1 since the phone began: with
// two there is none that it takes for the call.
func (p *Phone) SpeakIn(ctx context.Context, call int) error {
	return p.Do(ctx, fmt.Sprintf("incall-player-start %s %d", filepath.Join(p.dir, "sound.wav"), call))
}

// Package baresip runs the baresip telephone for tests that need a real phone:
// it waits for calls or registers, speaks a tone, keeps what it hears, and is
// operated through its control port. It never plays sound on this machine. The
// end-to-end tests and those through other PBXs are its callers.
package baresip

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Options of a phone.
type Options struct {
	Dir       string         // a folder of its own: configuration, tones, recordings
	User      string         // user part of its address
	Listen    netip.AddrPort // where it takes SIP
	Interface string         // whose address it speaks media from; baresip refuses loopback
	RTP       [2]int         // its range of media ports
	Control   int            // its control port, on loopback
	Tone      float64        // what it sends while it talks, in Hz
	// Registrar is the address it registers at with Password; without one the
	// phone is a static contact.
	Registrar string
	Password  string
	Transport string    // by which it registers: udp, tcp; baresip's own choice when empty
	Output    io.Writer // what the program prints, its SIP messages among it
}

// Phone is a baresip that runs. Safe for concurrent use.
type Phone struct {
	dir  string
	uri  string
	cmd  *exec.Cmd
	conn net.Conn

	closing sync.Once

	mu      sync.Mutex
	events  []event
	changed chan struct{} // closed and replaced at every event
}

type event struct {
	kind string
	at   time.Time
}

const config = `poll_method epoll
sip_listen %[1]s
call_max_calls 4
audio_player aufile,%[2]s/played.wav
audio_source aufile,%[2]s/tone.wav
audio_alert aufile,%[2]s/alert.wav
ausrc_srate 8000
auplay_srate 8000
ausrc_channels 1
auplay_channels 1
rtp_ports %[3]d-%[4]d
net_interface %[5]s
module_path /usr/lib/baresip/modules
module g711.so
module aufile.so
module sndfile.so
snd_path %[2]s/
module_tmp account.so
module_app menu.so
module_app ctrl_tcp.so
ctrl_tcp_listen 127.0.0.1:%[6]d
`

// Start runs a phone and waits for its control port.
func Start(ctx context.Context, o Options) (*Phone, error) {
	account := fmt.Sprintf("<sip:%s@%s>;regint=0;answermode=manual;audio_codecs=pcmu\n", o.User, o.Listen)
	if o.Registrar != "" {
		by := ""
		if o.Transport != "" {
			by = ";transport=" + o.Transport
		}
		account = fmt.Sprintf("<sip:%s@%s%s>;auth_user=%[1]s;auth_pass=\"%[4]s\";regint=60;answermode=manual;audio_codecs=pcmu\n",
			o.User, o.Registrar, by, o.Password)
	}
	for name, text := range map[string][]byte{
		"tone.wav": ToneWAV(o.Tone, 30*time.Second),
		"config":   fmt.Appendf(nil, config, o.Listen, o.Dir, o.RTP[0], o.RTP[1], o.Interface, o.Control),
		"accounts": []byte(account),
	} {
		if err := os.WriteFile(filepath.Join(o.Dir, name), text, 0o600); err != nil {
			return nil, fmt.Errorf("baresip: %w", err)
		}
	}
	p := &Phone{dir: o.Dir, uri: "sip:" + o.User + "@" + o.Listen.String(), changed: make(chan struct{})}
	p.cmd = exec.Command("baresip", "-f", o.Dir, "-v", "-s")
	p.cmd.Dir, p.cmd.Stdout, p.cmd.Stderr = o.Dir, o.Output, o.Output
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("baresip: %w", err)
	}
	if err := p.dial(ctx, o.Control); err != nil {
		p.Close()
		return nil, fmt.Errorf("baresip: control port of %s: %w", o.User, err)
	}
	go p.read()
	return p, nil
}

func (p *Phone) dial(ctx context.Context, port int) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		c, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err == nil {
			p.conn = c
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		}
	}
}

// Close ends the phone: it says good-bye to its registrar, and is killed when
// it takes longer than 5 s.
func (p *Phone) Close() { p.closing.Do(p.close) }

func (p *Phone) close() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	done := make(chan struct{})
	go func() { _ = p.cmd.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(5 * time.Second):
		_ = p.cmd.Process.Kill()
		<-done
	}
	if p.conn != nil {
		_ = p.conn.Close()
	}
}

// URI is its contact, when it is a static one.
func (p *Phone) URI() string { return p.uri }

// read takes the netstrings of the control port ("LENGTH:JSON,").
func (p *Phone) read() {
	r := bufio.NewReader(p.conn)
	for {
		head, err := r.ReadString(':')
		if err != nil {
			return
		}
		n, err := strconv.Atoi(strings.TrimSuffix(head, ":"))
		if err != nil {
			return
		}
		body := make([]byte, n+1)
		if _, err := io.ReadFull(r, body); err != nil {
			return
		}
		var m struct {
			Event bool   `json:"event"`
			Type  string `json:"type"`
		}
		if json.Unmarshal(body[:n], &m) == nil && m.Event {
			p.mu.Lock()
			p.events = append(p.events, event{m.Type, time.Now()})
			close(p.changed)
			p.changed = make(chan struct{})
			p.mu.Unlock()
		}
	}
}

// Wait waits for the n-th event of the kind, counted from 1, and returns when
// it came. Kinds are baresip's own: CALL_INCOMING, CALL_ESTABLISHED,
// CALL_CLOSED, REGISTER_OK.
func (p *Phone) Wait(ctx context.Context, kind string, n int) (time.Time, error) {
	for {
		p.mu.Lock()
		changed, seen := p.changed, 0
		for _, e := range p.events {
			if e.kind == kind {
				if seen++; seen == n {
					p.mu.Unlock()
					return e.at, nil
				}
			}
		}
		p.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return time.Time{}, fmt.Errorf("baresip: %s: no %s number %d, %d came: %w", p.uri, kind, n, seen, ctx.Err())
		}
	}
}

// Count is how many events of the kind have come.
func (p *Phone) Count(kind string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := 0
	for _, e := range p.events {
		if e.kind == kind {
			n++
		}
	}
	return n
}

// Do presses a key by its name: accept, hangup, hold, resume, or transfer with whom.
func (p *Phone) Do(command string, params ...string) error {
	m, err := json.Marshal(map[string]string{"command": command, "params": strings.Join(params, " "), "token": command})
	if err != nil {
		return err
	}
	if _, err = fmt.Fprintf(p.conn, "%d:%s,", len(m), m); err != nil {
		return fmt.Errorf("baresip: %s: %w", command, err)
	}
	return nil
}

// Heard is everything the phone decoded in its last call, at 8 kHz.
func (p *Phone) Heard() ([]int16, error) {
	files, err := filepath.Glob(filepath.Join(p.dir, "dump-*-dec.wav"))
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, errors.New("baresip: no audio was kept")
	}
	b, err := os.ReadFile(files[len(files)-1])
	if err != nil {
		return nil, fmt.Errorf("baresip: %w", err)
	}
	return samples(b), nil
}

package e2e

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// phone is a baresip that waits for calls, speaks a tone and keeps what it
// hears.
type phone struct {
	t    *testing.T
	uri  string
	dir  string
	conn net.Conn

	mu     sync.Mutex
	events []phoneEvent
	more   chan struct{}
}

type phoneEvent struct {
	Type string
	At   time.Time
}

const baresipConfig = `poll_method epoll
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
net_interface ` + testInterface + `
module_path /usr/lib/baresip/modules
module g711.so
module aufile.so
module sndfile.so
snd_path %[2]s/
module_tmp account.so
module_app menu.so
module_app ctrl_tcp.so
ctrl_tcp_listen 127.0.0.1:%[5]d
sip_autoanswer %[6]s
`

// newPhone starts a baresip for the user at port, a static contact, sending a
// tone of hz.
func newPhone(t *testing.T, user string, port int, hz float64) *phone {
	t.Helper()
	account := fmt.Sprintf("<sip:%s@%s:%d>;regint=0;answermode=manual;audio_codecs=pcmu\n", user, testHost, port)
	return startPhone(t, user, port, hz, account)
}

// startPhone starts a baresip with the account.
func startPhone(t *testing.T, user string, port int, hz float64, account string) *phone {
	t.Helper()
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "tone.wav"), toneWAV(hz, 30*time.Second), 0o600))
	listen := net.JoinHostPort(testHost, strconv.Itoa(port))
	config := fmt.Sprintf(baresipConfig, listen, dir, rtpFrom(port), rtpFrom(port)+8, port+1, "no")
	must(t, os.WriteFile(filepath.Join(dir, "config"), []byte(config), 0o600))
	must(t, os.WriteFile(filepath.Join(dir, "accounts"), []byte(account), 0o600))
	cmd := exec.Command("baresip", "-f", dir, "-v")
	cmd.Dir = dir
	cmd.Stdout = &testLog{t: t, name: "baresip " + user}
	cmd.Stderr = cmd.Stdout
	must(t, cmd.Start())
	p := &phone{t: t, uri: "sip:" + user + "@" + listen, dir: dir, more: make(chan struct{}, 1)}
	t.Cleanup(func() { endProcess(cmd) })
	eventually(t, "baresip's control port", func() bool {
		c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port+1))
		p.conn = c
		return err == nil
	})
	t.Cleanup(func() { p.conn.Close() })
	go p.read()
	return p
}

// rtpFrom is the first of the nine RTP ports of the phone at a port.
func rtpFrom(port int) int { return 20000 + port*10%20000 }

// read takes the netstrings of baresip's control port ("LENGTH:JSON,").
func (p *phone) read() {
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
		for got := 0; got < len(body); {
			k, err := r.Read(body[got:])
			if err != nil {
				return
			}
			got += k
		}
		var m struct {
			Event bool   `json:"event"`
			Type  string `json:"type"`
		}
		if json.Unmarshal(body[:n], &m) == nil && m.Event {
			p.mu.Lock()
			p.events = append(p.events, phoneEvent{m.Type, time.Now()})
			p.mu.Unlock()
			select {
			case p.more <- struct{}{}:
			default:
			}
		}
	}
}

// waits for the n-th event of the type and returns when it came.
func (p *phone) wait(kind string, n int) time.Time {
	p.t.Helper()
	deadline := time.After(20 * time.Second)
	for {
		p.mu.Lock()
		seen := 0
		for _, e := range p.events {
			if e.Type == kind {
				if seen++; seen == n {
					p.mu.Unlock()
					return e.At
				}
			}
		}
		p.mu.Unlock()
		select {
		case <-p.more:
		case <-deadline:
			p.mu.Lock()
			defer p.mu.Unlock()
			p.t.Fatalf("%s: no %s number %d; saw %+v", p.uri, kind, n, p.events)
		}
	}
}

func (p *phone) command(name string) {
	p.t.Helper()
	m, err := json.Marshal(map[string]string{"command": name, "token": name})
	must(p.t, err)
	_, err = fmt.Fprintf(p.conn, "%d:%s,", len(m), m)
	must(p.t, err)
}

func (p *phone) answer() { p.command("accept") }
func (p *phone) quit()   { p.command("quit") }
func (p *phone) hangup() { p.command("hangup") }

// heard is everything the phone decoded in its last call, as samples at 8 kHz.
func (p *phone) heard() []int16 {
	p.t.Helper()
	files, err := filepath.Glob(filepath.Join(p.dir, "dump-*-dec.wav"))
	must(p.t, err)
	if len(files) == 0 {
		p.t.Fatal("baresip kept no audio")
	}
	b, err := os.ReadFile(files[len(files)-1])
	must(p.t, err)
	return wavSamples(b)
}

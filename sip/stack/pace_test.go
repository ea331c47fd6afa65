package stack

import (
	"runtime"
	"sync"
	"testing"
	"time"
)

// The runner's times, played: what comes of them for the calls that come.
func TestPace(t *testing.T) {
	const ms = time.Millisecond
	begin := time.UnixMicro(1_795_302_000_000_000)
	type step struct {
		at     time.Duration
		calls  int  // come
		back   bool // the runner is
		behind int  // calls refused
	}
	for name, steps := range map[string][]step{
		"a runner that is back at once": {{at: 0, calls: 30}, {at: 1 * ms, back: true}, {at: 2 * ms, calls: 30}, {at: 3 * ms, back: true}, {at: 4 * ms, calls: 300}},
		"one is late, and is a burst":   {{at: 0, calls: 30}, {at: 100 * ms, back: true}, {at: 101 * ms, calls: 30}, {at: 102 * ms, back: true}, {at: 300 * ms, calls: 300}},
		"all are late": {
			{at: 0, calls: 100}, {at: 80 * ms, back: true}, {at: 90 * ms, calls: 30}, {at: 150 * ms, back: true},
			{at: 151 * ms, calls: 10, behind: 9}, // one is few, 61 ms after others
			{at: 152 * ms, back: true}, {at: 153 * ms, calls: 100},
		},
		"one does not come back": {{at: 0, calls: 100}, {at: 100 * ms, calls: 10}, {at: 111 * ms, calls: 10, behind: 10}, {at: 400 * ms, back: true}, {at: 410 * ms, calls: 10, behind: 4}},
		"the word of long ago":   {{at: 0, calls: 100}, {at: 200 * ms, back: true}, {at: 1201 * ms, calls: 100}},
		"few calls": {
			{at: 0, calls: 5}, {at: 300 * ms, calls: 5}, {at: 600 * ms, calls: 6}, {at: 900 * ms, calls: 6}, {at: 1200 * ms, calls: 6},
			{at: 1300 * ms, calls: 30, behind: 14},
		},
	} {
		p := &pace{wait: 50 * ms, stands: 60 * ms}
		running := false
		for _, s := range steps {
			now := begin.Add(s.at)
			if s.back {
				p.back(now)
				running = false
			}
			refused := 0
			for range s.calls {
				if p.behind(now, func(func()) {
					if running {
						t.Fatalf("%s: two runners", name)
					}
					running = true
				}) {
					refused++
				}
			}
			if refused != s.behind {
				t.Errorf("%s, at %v: %d of %d calls refused, want %d", name, s.at, refused, s.calls, s.behind)
			}
		}
	}
}

// A real runner queues up with all else: with more to do than the processors can,
// it is late, and with nothing to do it is not.
func TestPaceOfThisMachine(t *testing.T) {
	p := &pace{wait: 50 * time.Millisecond, stands: 60 * time.Millisecond}
	behind := func() bool {
		p.mu.Lock()
		p.spare, p.at = 0, time.Now() // many have come
		p.mu.Unlock()
		return p.behind(time.Now(), func(run func()) { go run() })
	}
	until := func(want bool) {
		t.Helper()
		for end := time.Now().Add(patience); behind() != want; runtime.Gosched() {
			if time.Now().After(end) {
				t.Fatalf("never behind: %v", want)
			}
		}
	}
	quit := make(chan struct{})
	var busy sync.WaitGroup
	for range 40 * runtime.GOMAXPROCS(0) {
		busy.Go(func() {
			for {
				select {
				case <-quit:
					return
				default: // and on, until the scheduler lets another one run
				}
			}
		})
	}
	until(true)
	close(quit)
	busy.Wait()
	until(false)
}

// A server that can't keep up refuses calls, as many as it must: those in hand
// go on, and few are taken all the same.
func TestCallsBeyondTheProcessor(t *testing.T) {
	l := newLab(t, func(o *Options) { o.timers.wait, o.timers.stands = -1, -1 })
	l.h.onNew.Store(new(func(d *Dialog, _ *Message) { _ = d.Reject(486, "", nil) }))
	p := newPeer(t, l.Stack)
	own := p.callID
	taken, refused := 0, 0
	for refused == 0 && taken < 50*few {
		p.callID = newName("call")
		branch := p.ask(ask{method: "INVITE", cseq: 1, body: "v=0"})
		m := take(t, p.in, "an answer")
		switch {
		case m.is("486 INVITE"):
			taken++
		case m.is("503 INVITE") && m.get("Retry-After") != "":
			refused++
		default:
			t.Fatalf("%s", m.raw)
		}
		p.ask(ask{method: "ACK", cseq: 1, branch: branch, to: m.get("To")})
	}
	if refused == 0 {
		t.Errorf("all of %d calls are taken", taken)
	}
	p.callID = own
	if taken < few {
		t.Errorf("%d calls were taken, %d always come in", taken, few)
	}
	c, inv := p.answered(l) // a call of ours
	p.callID = inv.get("Call-ID")
	p.ask(ask{method: "BYE", cseq: 1, from: inv.get("To") + ";tag=peer", to: inv.get("From")})
	p.expect("200 BYE")
	event[Ended](t, c)
}

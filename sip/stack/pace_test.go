package stack

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// The runner's times, played: what comes of them for the calls that come.
func TestPace(t *testing.T) {
	const ms = time.Millisecond
	begin := time.UnixMicro(1_795_302_000_000_000)
	type step struct {
		at     time.Duration
		heard  int  // calls have had a word
		calls  int  // come, and wait for one
		back   bool // the runner is
		behind int  // calls refused
	}
	for name, steps := range map[string][]step{
		"a runner that is back at once": {{at: 0, calls: 30}, {at: 1 * ms, back: true}, {at: 2 * ms, calls: 30}, {at: 3 * ms, back: true}, {at: 4 * ms, calls: 300}},
		"one is late, and is a burst":   {{at: 0, calls: 30}, {at: 100 * ms, back: true}, {at: 101 * ms, calls: 30}, {at: 102 * ms, back: true}, {at: 300 * ms, calls: 300}},
		"all are late": {
			{at: 0, calls: 100}, {at: 80 * ms, back: true}, {at: 90 * ms, calls: 30}, {at: 150 * ms, back: true},
			{at: 151 * ms, calls: 10, behind: 10}, {at: 152 * ms, back: true}, {at: 153 * ms, calls: 100},
		},
		"one does not come back": {{at: 0, calls: 100}, {at: 100 * ms, calls: 10}, {at: 111 * ms, calls: 10, behind: 10}, {at: 400 * ms, back: true}, {at: 410 * ms, calls: 10, behind: 10}},
		"the word of long ago":   {{at: 0, calls: 100}, {at: 200 * ms, back: true}, {at: 1201 * ms, calls: 100}},
		"few calls": {
			{at: 0, calls: few - 5}, {at: 300 * ms, calls: 5},
			{at: 400 * ms, calls: 5, behind: 5}, {at: 500 * ms, heard: 4, calls: 5, behind: 1},
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
			p.awaits(-s.heard)
			refused := 0
			for range s.calls {
				if p.behind(now, func(func()) {
					if running {
						t.Fatalf("%s: two runners", name)
					}
					running = true
				}) {
					refused++
				} else {
					p.awaits(1)
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
	p := &pace{wait: 50 * time.Millisecond, stands: 60 * time.Millisecond, fresh: few}
	behind := func() bool {
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
	var over atomic.Bool
	var busy sync.WaitGroup
	for range 40 * runtime.GOMAXPROCS(0) {
		busy.Go(func() {
			for !over.Load() { // until the scheduler lets another one run
			}
		})
	}
	until(true)
	over.Store(true)
	busy.Wait()
	until(false)
}

// A server that can't keep up refuses calls once enough wait for their first word:
// those in hand go on, and when fewer wait the next ones are taken.
func TestCallsBeyondTheProcessor(t *testing.T) {
	l := newLab(t, func(o *Options) { o.timers.wait, o.timers.stands = -1, -1 })
	invite := func() (*peer, string) {
		p := newPeer(t, l.Stack)
		return p, p.ask(ask{method: "INVITE", cseq: 1, body: "v=0"})
	}
	var callers []*peer
	var branches []string
	var calls []*call
	for range few {
		p, branch := invite()
		callers, branches, calls = append(callers, p), append(branches, branch), append(calls, l.call())
	}
	refused := func() bool {
		p, branch := invite()
		m := take(t, p.in, "an answer")
		if m.is("100 INVITE") {
			c := l.call()
			_ = c.Reject(486, "", nil)
			m = p.await("486 INVITE")
		} else if !m.is("503 INVITE") || m.get("Retry-After") == "" {
			t.Fatalf("%s", m.raw)
		}
		p.ask(ask{method: "ACK", cseq: 1, branch: branch, to: m.get("To")})
		return m.is("503 INVITE")
	}
	if !refused() {
		t.Errorf("%d calls wait for a word, and another one is taken", few)
	}
	p := newPeer(t, l.Stack)
	c, inv := p.answered(l) // a call of ours
	p.callID = inv.get("Call-ID")
	p.ask(ask{method: "BYE", cseq: 1, from: inv.get("To") + ";tag=peer", to: inv.get("From")})
	p.expect("200 BYE")
	event[Ended](t, c)
	// A word of any kind, and none for him who gives up.
	if err := calls[0].Progress(180, "", nil, nil); err != nil {
		t.Fatal(err)
	}
	callers[0].await("180 INVITE")
	if refused() {
		t.Error("a call rings, and its place is kept")
	}
	if err := calls[0].Accept(nil, []byte("v=0")); err != nil { // its second word
		t.Fatal(err)
	}
	ok := callers[0].await("200 INVITE")
	callers[0].ask(ask{method: "ACK", cseq: 1, to: ok.get("To")})
	event[Acked](t, calls[0])
	for i := 1; i < few; i++ {
		callers[i].ask(ask{method: "CANCEL", cseq: 1, branch: branches[i]})
		event[Canceled](t, calls[i])
	}
	eventually(t, "nobody waits", func() bool { l.pace.mu.Lock(); defer l.pace.mu.Unlock(); return l.pace.fresh == 0 })
}

package media_test

import (
	"errors"
	"net/netip"
	"testing"

	"github.com/cordboard/cordboard/sip/media"
)

// A sequence is heard as one sound: both tones in their order, no packet more
// or less, and the silence that phones need after the last only.
func TestSequence(t *testing.T) {
	e, a := engine(t), ear(t)
	p := open(t, e)
	done := make(chan struct{}, 1)
	if err := p.PlayAll([]string{"short", "t440", "t1000"}, a.Local(), pcmu, func() { done <- struct{}{} }); err != nil {
		t.Fatal(err)
	}
	for _, freq := range []float64{440, 1000} {
		if err := a.WaitHeard(within(t), freq); err != nil {
			t.Fatalf("%g Hz: %v", freq, err)
		}
	}
	<-done
	// 90 ms and twice a second are 104.5 frames; 100 ms of silence follow.
	got := received(t, a, 110)
	if len(got) != 110 {
		t.Errorf("%d packets, want 110", len(got))
	}
	checkStream(t, got, 0)
}

// The music goes on after a sequence, and a sequence that is broken off is not
// done and plays nothing more.
func TestMusicAfterASequence(t *testing.T) {
	e, a := engine(t), ear(t)
	p := open(t, e)
	if err := p.Play("t440", true, a.Local(), pcmu, nil); err != nil {
		t.Fatal(err)
	}
	if err := a.WaitHeard(within(t), 440); err != nil {
		t.Fatal(err)
	}
	back := func() {
		if err := p.Play("t440", true, a.Local(), pcmu, nil); err != nil {
			t.Error(err)
		}
	}
	if err := p.PlayAll([]string{"short", "t1000"}, a.Local(), pcmu, back); err != nil {
		t.Fatal(err)
	}
	for _, freq := range []float64{1000, 440} {
		if err := a.WaitHeard(within(t), freq); err != nil {
			t.Fatalf("%g Hz: %v", freq, err)
		}
	}
	broken := func() { t.Error("done of a sequence that was broken off was called") }
	if err := p.PlayAll([]string{"short", "t1000", "t1000"}, a.Local(), pcmu, broken); err != nil {
		t.Fatal(err)
	}
	if err := a.WaitHeard(within(t), 1000); err != nil {
		t.Fatal(err)
	}
	back()
	if err := a.WaitHeard(within(t), 440); err != nil {
		t.Fatal(err)
	}
}

// Keys count from the first word on, and after the last.
func TestKeysDuringASequence(t *testing.T) {
	e, a := engine(t), ear(t)
	p := open(t, e)
	p.SetRemote(a.Local())
	keys := make(chan byte, 4)
	p.OnDTMF(func(k byte) { keys <- k })
	a.Connect(p.Local(), 0, 101)
	done := make(chan struct{})
	if err := p.PlayAll([]string{"short", "short"}, a.Local(), pcmu, func() { close(done) }); err != nil {
		t.Fatal(err)
	}
	press := func(k byte) {
		t.Helper()
		if err := a.Press(string(k)); err != nil {
			t.Fatal(err)
		}
		if got := <-keys; got != k {
			t.Errorf("key %c, want %c", got, k)
		}
	}
	press('1')
	<-done
	press('2')
}

func TestSequenceRefuses(t *testing.T) {
	nowhere := netip.MustParseAddrPort("127.0.0.1:9")
	e := engine(t)
	p := open(t, e)
	if err := p.PlayAll(nil, nowhere, pcmu, nil); !errors.Is(err, media.ErrNothing) {
		t.Errorf("nothing to play: %v", err)
	}
	if err := p.PlayAll([]string{"t440", "nothing"}, nowhere, pcmu, nil); err == nil {
		t.Error("plays a sequence with a sound that is not there")
	}
	if n := p.Sent(); n != 0 {
		t.Errorf("%d packets of it were sent", n)
	}
}

package siptest

import (
	"context"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// pair starts a phone, and a trunk that calls it.
func pair(t *testing.T, transport string, b Behaviour) (context.Context, *Phone, *Trunk) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	phone, err := NewPhone(ctx, Options{Transport: transport, Behaviour: b})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(phone.Close)
	trunk, err := NewTrunk(ctx, TrunkOptions{Transport: transport, Target: hostPort(phone.URI())})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(trunk.Close)
	return ctx, phone, trunk
}

func place(t *testing.T, ctx context.Context, trunk *Trunk, o CallOptions) *Call {
	t.Helper()
	if o.To == "" {
		o.From, o.To = "+447700900001", "phone"
	}
	c, err := trunk.Call(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func wait(t *testing.T, ctx context.Context, c *Call, k Kind) Event {
	t.Helper()
	e, err := c.WaitFor(ctx, k)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func incoming(t *testing.T, ctx context.Context, p *Phone, n int) *Call {
	t.Helper()
	c, err := p.WaitCall(ctx, n)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestTalk(t *testing.T) {
	for _, transport := range []string{"udp", "tcp"} {
		for _, late := range []bool{false, true} {
			name := transport
			if late {
				name += " late offer"
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				ctx, phone, trunk := pair(t, transport, Behaviour{Ring: true, Tone: 660})
				out := place(t, ctx, trunk, CallOptions{Behaviour: Behaviour{Tone: 440, LateOffer: late}})
				wait(t, ctx, out, AckSent)
				in := incoming(t, ctx, phone, 1)
				wait(t, ctx, in, AckReceived)
				if err := out.Audio().WaitHeard(ctx, 660); err != nil {
					t.Errorf("the trunk does not hear the phone: %v", err)
				}
				if err := in.Audio().WaitHeard(ctx, 440); err != nil {
					t.Errorf("the phone does not hear the trunk: %v", err)
				}
				if out.Heard(440) || in.Heard(660) {
					t.Error("a robot hears itself")
				}
				out.Hangup()
				if code, err := in.Wait(ctx); err != nil || code != 0 {
					t.Errorf("Wait = %d, %v", code, err)
				}
				inOrder(t, out, InviteSent, Progress, Answered, AckSent, ByeSent, Over)
				inOrder(t, in, InviteReceived, RingingSent, OKSent, AckReceived, ByeReceived, Over)
			})
		}
	}
}

// inOrder checks that the call's events are exactly these, and their times do
// not go back.
func inOrder(t *testing.T, c *Call, want ...Kind) {
	t.Helper()
	got := c.Events()
	if len(got) != len(want) {
		t.Errorf("events: %s; want %v", c.story(), want)
		return
	}
	for i, e := range got {
		if e.Kind != want[i] {
			t.Errorf("event %d is %q, want %q", i, e.Kind, want[i])
		}
		if i > 0 && e.At.Before(got[i-1].At) {
			t.Errorf("%q is before %q", e.Kind, got[i-1].Kind)
		}
	}
}

func TestRefusals(t *testing.T) {
	tests := []struct {
		name string
		b    Behaviour
		code int
	}{
		{"busy", Behaviour{Reject: 486}, 486},
		{"busy after ringing", Behaviour{Reject: 486, Ring: true}, 486},
		{"decline", Behaviour{Reject: 603, Ring: true}, 603},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			ctx, phone, trunk := pair(t, "udp", tt.b)
			out := place(t, ctx, trunk, CallOptions{})
			code, err := out.Wait(ctx)
			if err != nil || code != tt.code {
				t.Fatalf("Wait = %d, %v", code, err)
			}
			in := incoming(t, ctx, phone, 1)
			if code, err := in.Wait(ctx); err != nil || code != tt.code {
				t.Errorf("the phone's Wait = %d, %v", code, err)
			}
			if _, rang := in.At(RingingSent); rang != tt.b.Ring {
				t.Errorf("rang: %v", rang)
			}
			if _, rang := out.At(Progress); rang != tt.b.Ring {
				t.Errorf("heard it ring: %v", rang)
			}
		})
	}
}

func TestCancel(t *testing.T) {
	ctx, phone, trunk := pair(t, "udp", Behaviour{Ring: true, AnswerAfter: -1})
	out := place(t, ctx, trunk, CallOptions{})
	wait(t, ctx, out, Progress)
	out.Cancel()
	if code, err := out.Wait(ctx); err != nil || code != 487 {
		t.Errorf("Wait = %d, %v", code, err)
	}
	in := incoming(t, ctx, phone, 1)
	wait(t, ctx, in, CancelReceived)
	inOrder(t, in, InviteReceived, RingingSent, CancelReceived, Over)
	if err := in.Answer(); err == nil {
		t.Error("a call that was cancelled can be answered")
	}
}

// TestCancelBeforeAnyAnswer: CANCEL waits for the first provisional response.
func TestCancelBeforeAnyAnswer(t *testing.T) {
	ctx, phone, trunk := pair(t, "udp", Behaviour{Ring: true, AnswerAfter: -1})
	out := place(t, ctx, trunk, CallOptions{})
	out.Cancel()
	wait(t, ctx, incoming(t, ctx, phone, 1), CancelReceived)
	wait(t, ctx, out, Over)
	inOrder(t, out, InviteSent, Progress, CancelSent, Failed, Over)
}

// TestCancelCrossesAnswer: whoever wins, both sides end, and an answered leg
// is acknowledged and hung up.
func TestCancelCrossesAnswer(t *testing.T) {
	ctx, phone, trunk := pair(t, "udp", Behaviour{Ring: true, AnswerAfter: -1})
	for i := range 20 {
		out := place(t, ctx, trunk, CallOptions{})
		wait(t, ctx, out, Progress)
		in := incoming(t, ctx, phone, i+1)
		done := make(chan struct{})
		go func() { out.Cancel(); close(done) }()
		_ = in.Answer() // may have lost
		<-done
		for _, c := range []*Call{out, in} {
			if _, answered := out.At(Answered); answered {
				if _, cancelled := out.At(CancelSent); !cancelled {
					out.Hangup() // the CANCEL came too late to be one
				}
			}
			if _, err := c.Wait(ctx); err != nil {
				t.Fatal(err)
			}
		}
		_, answered := out.At(Answered)
		_, bye := out.At(ByeSent)
		if answered != bye {
			t.Errorf("answered %v, bye %v: %s", answered, bye, out.story())
		}
	}
}

func TestHoldAndBack(t *testing.T) {
	ctx, phone, trunk := pair(t, "udp", Behaviour{Tone: 660})
	out := place(t, ctx, trunk, CallOptions{Behaviour: Behaviour{Tone: 440}})
	in := incoming(t, ctx, phone, 1)
	wait(t, ctx, in, AckReceived)
	if err := in.Hold(ctx); err != nil {
		t.Fatal(err)
	}
	if got := out.Direction(); got != "sendonly" {
		t.Errorf("the trunk was told %q", got)
	}
	if got := in.Direction(); got != "recvonly" {
		t.Errorf("the phone was answered %q", got)
	}
	if err := out.Audio().WaitHeard(ctx, 660); err != nil {
		t.Errorf("one who holds may send: %v", err)
	}
	if err := in.Unhold(ctx); err != nil {
		t.Fatal(err)
	}
	if got := out.Direction(); got != "sendrecv" {
		t.Errorf("after unhold: %q", got)
	}
	if err := in.Audio().WaitHeard(ctx, 440); err != nil {
		t.Error(err)
	}
	if err := out.Hold(ctx); err != nil {
		t.Errorf("hold by the other side: %v", err)
	}
	in.Hangup()
	wait(t, ctx, out, ByeReceived)
}

func TestRefusesReinvite(t *testing.T) {
	ctx, phone, trunk := pair(t, "udp", Behaviour{RefuseReinvite: 488})
	out := place(t, ctx, trunk, CallOptions{})
	in := incoming(t, ctx, phone, 1)
	wait(t, ctx, in, AckReceived)
	if err := out.Hold(ctx); err == nil {
		t.Fatal("the re-INVITE was accepted")
	}
	out.Hangup()
	wait(t, ctx, in, ByeReceived)
}

func TestAutoAnswerOnlyWhenAsked(t *testing.T) {
	ctx, phone, trunk := pair(t, "udp", Behaviour{Ring: true, AutoAnswer: true, AnswerAfter: -1})
	plain := place(t, ctx, trunk, CallOptions{})
	wait(t, ctx, plain, Progress)
	asked := place(t, ctx, trunk, CallOptions{From: "x", To: "phone", Headers: []Header{{"Call-Info", "<sip:x@example>; answer-after=0"}}})
	wait(t, ctx, asked, Answered)
	if _, answered := plain.At(Answered); answered {
		t.Error("a call that did not ask was answered")
	}
	if n := len(phone.Calls()); n != 2 {
		t.Errorf("%d calls", n)
	}
	plain.Hangup()
	asked.Hangup()
	wait(t, ctx, incoming(t, ctx, phone, 1), Over)
	wait(t, ctx, incoming(t, ctx, phone, 2), Over)
	phone.Forget()
	if n := len(phone.Calls()); n != 0 {
		t.Errorf("%d calls after Forget", n)
	}
}

func TestKeys(t *testing.T) {
	ctx, phone, trunk := pair(t, "udp", Behaviour{})
	out := place(t, ctx, trunk, CallOptions{})
	in := incoming(t, ctx, phone, 1)
	wait(t, ctx, out, AckSent)
	if err := out.Audio().Press("4#"); err != nil {
		t.Fatal(err)
	}
	if err := in.Audio().WaitFor(ctx, func() bool { return in.Audio().Received() == 16 }); err != nil {
		t.Fatal(err)
	}
	stamps := map[uint32]int{}
	for _, p := range in.Audio().Packets() {
		if p.PT != 101 || p.Payload != 4 {
			t.Errorf("payload type %d, %d octets", p.PT, p.Payload)
		}
		stamps[p.TS]++
	}
	if len(stamps) != 2 {
		t.Errorf("timestamps of two keys: %v", stamps)
	}
	out.Hangup()
	wait(t, ctx, in, Over)
}

func TestContextEndsTheCall(t *testing.T) {
	ctx, phone, trunk := pair(t, "udp", Behaviour{})
	short, cancel := context.WithCancel(ctx)
	out := place(t, short, trunk, CallOptions{})
	wait(t, ctx, out, AckSent)
	cancel()
	wait(t, ctx, incoming(t, ctx, phone, 1), ByeReceived)
}

func TestOnCall(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	told := make(chan *Call, 1)
	phone, err := NewPhone(ctx, Options{Name: "anna", Behaviour: Behaviour{AnswerAfter: -1}, OnCall: func(c *Call) {
		if err := c.Answer(); err != nil {
			t.Error(err)
		}
		told <- c
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer phone.Close()
	trunk, err := NewTrunk(ctx, TrunkOptions{Target: hostPort(phone.URI())})
	if err != nil {
		t.Fatal(err)
	}
	defer trunk.Close()
	out := place(t, ctx, trunk, CallOptions{Display: `An "Other"`, From: "+447700900001", To: "anna"})
	in := <-told
	wait(t, ctx, in, AckReceived)
	if got := in.Invite().Get("From"); !strings.HasPrefix(got, `"An \"Other\"" <sip:+447700900001@`) {
		t.Errorf("From is %s", got)
	}
	out.Hangup()
	wait(t, ctx, in, Over)
}

func TestManyCalls(t *testing.T) {
	ctx, phone, trunk := pair(t, "udp", Behaviour{Ring: true})
	const n = 200
	calls := make([]*Call, n)
	for i := range calls {
		calls[i] = place(t, ctx, trunk, CallOptions{})
	}
	for _, c := range calls {
		wait(t, ctx, c, AckSent)
		c.Hangup()
	}
	for i := range calls {
		wait(t, ctx, incoming(t, ctx, phone, i+1), ByeReceived)
	}
}

package registration

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/cordboard/cordboard/sip/stack"
)

const patience = 30 * time.Second

type nobody struct{ stack.Handler }

func newStack(t *testing.T) *stack.Stack {
	t.Helper()
	s, err := stack.New(stack.Options{
		Listen:  []stack.Listen{{Transport: "udp", Addr: netip.MustParseAddrPort("127.0.0.1:0")}},
		Handler: nobody{}, MaxCalls: 1, Rate: 1, Allow: func(netip.Addr) bool { return false }, Logger: zap.NewNop(),
	})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() { s.Close() })
	return s
}

func trunkTo(at string) []Trunk {
	return []Trunk{{Name: "provider", Expires: time.Minute, Registering: stack.Registering{URI: "sip:" + at, AOR: "sip:office@" + at, User: "office"}}}
}

// registrar answers each REGISTER by the script, and says what was asked.
func registrar(t *testing.T, script func(n int, expires string) (status string)) (at string, asked chan string) {
	t.Helper()
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	asked = make(chan string, 100)
	keep := regexp.MustCompile(`(?m)^(Via|From|To|Call-ID|CSeq|Contact): .*\r\n`)
	expires := regexp.MustCompile(`(?m)^Expires: (\d+)`)
	go func() {
		buf := make([]byte, 4096)
		seen := ""
		for n := 0; ; {
			l, from, err := c.ReadFrom(buf)
			if err != nil {
				return
			}
			head := string(buf[:l])
			cseq := regexp.MustCompile(`(?m)^CSeq: .*$`).FindString(head)
			if cseq != seen {
				n++
				seen = cseq
				asked <- expires.FindStringSubmatch(head)[1]
			}
			if status := script(n, expires.FindStringSubmatch(head)[1]); status != "" {
				_, _ = c.WriteTo([]byte("SIP/2.0 "+status+"\r\n"+strings.Join(keep.FindAllString(head, -1), "")+"Content-Length: 0\r\n\r\n"), from)
			}
		}
	}()
	return c.LocalAddr().String(), asked
}

// A registrar that wants longer gets longer, one that refuses is asked again, and
// what is bound is taken back at the end; a state says which it is.
func TestKeeper(t *testing.T) {
	t.Parallel()
	at, asked := registrar(t, func(n int, expires string) string {
		switch n {
		case 1:
			return "423 Interval Too Brief\r\nMin-Expires: 3600"
		case 2:
			return "503 Service Unavailable"
		case 3:
			return "403 Forbidden"
		}
		return "200 OK\r\nExpires: " + expires
	})
	core, logs := observer.New(zap.InfoLevel)
	s := newStack(t)
	k := New(zap.New(core))
	k.pause = 4 * time.Millisecond
	if err := k.Start(s, trunkTo(at)); err != nil {
		t.Fatal(err)
	}
	var got []string
	for range 4 {
		select {
		case e := <-asked:
			got = append(got, e)
		case <-time.After(patience):
			t.Fatalf("asked for %v, and no more", got)
		}
	}
	for deadline := time.Now().Add(patience); !k.States()[0].Until.After(time.Now()); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not registered: %+v", k.States())
		}
	}
	if st := k.States()[0]; st.Trunk != "provider" || st.Code != 0 || time.Until(st.Until) < 50*time.Minute {
		t.Errorf("%+v", st)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	k.Close(ctx)
	if got = append(got, <-asked); fmt.Sprint(got) != "[60 3600 3600 3600 0]" {
		t.Errorf("asked for %v", got)
	}
	if st := k.States()[0]; !st.Until.IsZero() {
		t.Errorf("after the end: %+v", st)
	}
	for _, m := range []string{"a trunk is not registered", "a trunk is registered"} { // once for each reason
		want := map[string]int{"a trunk is not registered": 2, "a trunk is registered": 1}[m]
		if n := logs.FilterMessage(m).Len(); n != want {
			t.Errorf("%q is logged %d times", m, n)
		}
	}
}

// A provider that is silent is told as such, and holds up no end.
func TestKeeperOfASilentRegistrar(t *testing.T) {
	t.Parallel()
	at, asked := registrar(t, func(int, string) string { return "" })
	s := newStack(t)
	k := New(zap.NewNop())
	if err := k.Start(s, trunkTo(at)); err != nil {
		t.Fatal(err)
	}
	select {
	case <-asked:
	case <-time.After(patience):
		t.Fatal("never asked")
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	done := make(chan struct{})
	go func() { k.Close(ctx); close(done) }()
	select {
	case <-done:
	case <-time.After(patience):
		t.Fatal("Close hangs on a silent provider")
	}
}

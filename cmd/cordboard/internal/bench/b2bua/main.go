// Command b2bua is a yardstick of the call benchmark: the smallest B2BUA on the
// SIP library's own dialog sessions. It passes INVITE, 180, 200 with its SDP,
// ACK and BYE between a caller and one phone, knows no routing, keeps no
// ledger and shows no screen. Only the benchmark runs it.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/emiago/sipgo"
	"github.com/emiago/sipgo/sip"
)

func main() {
	listen := flag.String("listen", "127.0.0.8:5060", "address of the B2BUA")
	phone := flag.String("phone", "127.0.0.6:5080", "where the phone is")
	flag.Parse()
	sip.SetDefaultLogger(slog.New(slog.NewTextHandler(io.Discard, nil)))
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := serve(ctx, *listen, *phone); err != nil {
		fmt.Fprintln(os.Stderr, "b2bua:", err)
		os.Exit(1)
	}
}

type b2bua struct {
	dialogs sipgo.DialogUA
	phone   sip.Uri

	mu    sync.Mutex
	calls map[string]*sipgo.DialogServerSession // by the caller's Call-ID
}

func serve(ctx context.Context, listen, phone string) error {
	host, port, err := sip.ParseAddr(listen)
	if err != nil {
		return err
	}
	ua, err := sipgo.NewUA(sipgo.WithUserAgentHostname(host))
	if err != nil {
		return err
	}
	client, err := sipgo.NewClient(ua, sipgo.WithClientHostname(host), sipgo.WithClientConnectionAddr(listen))
	if err != nil {
		return err
	}
	server, err := sipgo.NewServer(ua)
	if err != nil {
		return err
	}
	b := &b2bua{calls: map[string]*sipgo.DialogServerSession{}}
	b.dialogs = sipgo.DialogUA{Client: client, ContactHDR: sip.ContactHeader{Address: sip.Uri{Scheme: "sip", User: "b2bua", Host: host, Port: port}}}
	if err := sip.ParseUri("sip:agent@"+phone, &b.phone); err != nil {
		return err
	}
	server.OnInvite(b.invite)
	server.OnAck(b.ack)
	server.OnBye(b.bye)
	conn, err := net.ListenPacket("udp", listen)
	if err != nil {
		return err
	}
	if err := conn.(*net.UDPConn).SetReadBuffer(4 << 20); err != nil {
		return err
	}
	context.AfterFunc(ctx, func() { _ = conn.Close() })
	if err := server.ServeUDP(conn); ctx.Err() == nil {
		return err
	}
	return nil
}

// invite holds the handler until the call is over, as the library wants it.
func (b *b2bua) invite(req *sip.Request, tx sip.ServerTransaction) {
	in, err := b.dialogs.ReadInvite(req, tx)
	if err != nil {
		return
	}
	defer func() { _ = in.Close() }()
	id := req.CallID().Value()
	b.mu.Lock()
	b.calls[id] = in
	b.mu.Unlock()
	defer func() {
		b.mu.Lock()
		delete(b.calls, id)
		b.mu.Unlock()
	}()
	if err := b.connect(in, req); err != nil {
		_ = in.Respond(480, "Temporarily Unavailable", nil)
	}
}

func (b *b2bua) connect(in *sipgo.DialogServerSession, req *sip.Request) error {
	sdp := sip.NewHeader("Content-Type", "application/sdp")
	out, err := b.dialogs.Invite(in.Context(), b.phone, req.Body(), sdp)
	if err != nil {
		return err
	}
	defer func() { _ = out.Close() }()
	err = out.WaitAnswer(in.Context(), sipgo.AnswerOptions{OnResponse: func(r *sip.Response) error {
		if r.StatusCode == 180 {
			return in.Respond(180, "Ringing", nil)
		}
		return nil
	}})
	if err != nil {
		return err
	}
	if err := out.Ack(in.Context()); err != nil {
		return err
	}
	if err := in.RespondSDP(out.InviteResponse.Body()); err != nil {
		return err
	}
	<-in.Context().Done() // the caller's BYE
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	return out.Bye(ctx)
}

func (b *b2bua) find(req *sip.Request) *sipgo.DialogServerSession {
	id := req.CallID()
	if id == nil {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.calls[id.Value()]
}

func (b *b2bua) ack(req *sip.Request, tx sip.ServerTransaction) {
	if d := b.find(req); d != nil {
		_ = d.ReadAck(req, tx)
	}
}

func (b *b2bua) bye(req *sip.Request, tx sip.ServerTransaction) {
	if d := b.find(req); d != nil {
		_ = d.ReadBye(req, tx)
		return
	}
	_ = tx.Respond(sip.NewResponseFromRequest(req, 481, "Call/Transaction Does Not Exist", nil))
}

package app

import (
	"context"
	"errors"
	"fmt"
	stdlog "log"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/cordboard/cordboard/cmd/cordboard/internal/tracking"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/store"
	"github.com/cordboard/cordboard/web"
)

// How long a peer may take over a request's headers, over reading an answer,
// and over its next request. Streams and sockets set their own times.
const (
	headerTime = 10 * time.Second
	answerTime = time.Minute
	idleTime   = 2 * time.Minute
)

func newServer(h http.Handler, log *zap.Logger) *http.Server {
	return &http.Server{
		Handler: h, ReadHeaderTimeout: headerTime, WriteTimeout: answerTime, IdleTimeout: idleTime,
		ErrorLog: stdlog.New(httpLog{thinned(log.Named("http"))}, "", 0),
	}
}

// httpLog takes the lines of net/http, which are about what peers do: plain
// HTTP on a TLS port, connections that end in a handshake.
type httpLog struct{ log *zap.Logger }

// Write implements io.Writer.
func (l httpLog) Write(line []byte) (int, error) {
	text := strings.TrimPrefix(strings.TrimSpace(string(line)), "http: ")
	if source, why, ok := strings.Cut(strings.TrimPrefix(text, "TLS handshake error from "), ": "); ok && strings.HasPrefix(text, "TLS ") {
		l.log.Warn("a TLS handshake failed", zap.String("source", source), zap.String("reason", why))
	} else {
		l.log.Warn("the HTTP server says", zap.String("reason", text))
	}
	return len(line), nil
}

// thinned keeps what peers bring about to 60 lines of a kind a minute, then
// every hundredth.
func thinned(log *zap.Logger) *zap.Logger {
	return log.WithOptions(zap.WrapCore(func(c zapcore.Core) zapcore.Core {
		return zapcore.NewSamplerWithOptions(c, time.Minute, 60, 100)
	}))
}

// buildWeb makes the HTTP edge and takes its addresses.
func (a *App) buildWeb(registry *prometheus.Registry, origins func(*http.Request) bool) (err error) {
	s := a.opt.Server
	versions := routes{a.versions}
	tokens, err := s.PopTokens()
	if err != nil {
		return err
	}
	senders, err := s.SenderTokens()
	if err != nil {
		return err
	}
	askers, err := s.AskerTokens()
	if err != nil {
		return err
	}
	consents, err := s.ConsentTokens()
	if err != nil {
		return err
	}
	openers, err := s.RequestTokens()
	if err != nil {
		return err
	}
	now := a.opt.now
	if now == nil {
		now = time.Now
	}
	channels, err := tracking.Channels(s.Notify, time.Now)
	if err != nil {
		return err
	}
	a.tracking = tracking.New(tracking.Options{
		Store: a.store, Policy: a.Policy, Desks: a.hub, Senders: s.Requests, Channels: channels, Registry: registry, Log: a.log, Now: now,
	})
	a.web = web.New(web.Options{
		Requests: a.tracking, RequestTokens: openers,
		Contact: a.contacts, ConsentTokens: consents, DeskConsents: deskConsents{a}, Search: search{a},
		Asked: newRequests(a, s.Askers), AskedTokens: askers,
		PBX: a.pops, PBXTokens: tokens, Sent: newSent(a.store, a.hub, s.Senders, a.log), SentTokens: senders,
		Versions: versions, Activations: versions, ActivationLog: versions, Documents: versions, Reloader: versions,
		Users: users{a.store}, Sessions: sessions{a.store}, Desk: a.hub, Answers: answers{a.store},
		Board: a.rim.driver.Snapshot, Calls: calls{a.store}, Messages: mailboxes{a}, Explain: a.newExplainer(), Trace: a.tracer, Report: a.report, AfterCall: a.afterCall, Interest: a.interest, AnswerGaps: a.answerGaps, DueAnswers: a.dueAnswers, Erase: a.eraseFor, Export: a.exportFor, Merges: merges{a}, Duplicates: merges{a}, Day: a.today, Origins: origins, Links: a.opt.Links,
		Lifetime: s.Web.Session, TLS: s.Web.TLSCert != "", Log: a.log, Registry: registry,
		Desks: a.hub.Desks, Ready: a.isReady, Degraded: a.degraded,
	})
	a.desk = newServer(a.web.Handler(), a.log)
	if s.Web.TLSCert != "" {
		shown, err := a.keys.certificate("web.tls", s.Web.TLSCert, s.Web.TLSKey)
		if err != nil {
			return err
		}
		a.desk.TLSConfig = shown.server()
	}
	// Streams and sockets outlive a shutdown unless they are told.
	a.desk.RegisterOnShutdown(a.web.Close)
	if a.deskListener, err = net.Listen("tcp", s.Web.Listen); err != nil {
		return fmt.Errorf("web.listen: %w", err)
	}
	if s.Admin == "" {
		return nil
	}
	a.admin = newServer(a.web.Admin(), a.log)
	if a.adminListener, err = net.Listen("tcp", s.Admin); err != nil {
		return fmt.Errorf("admin: %w", err)
	}
	return nil
}

// WebAddr is where the desktop is served.
func (a *App) WebAddr() net.Addr { return a.deskListener.Addr() }

// AdminAddr is where metrics and health are served, nil for nowhere.
func (a *App) AdminAddr() net.Addr {
	if a.adminListener == nil {
		return nil
	}
	return a.adminListener.Addr()
}

// SIPAddr is the first UDP listener, or else the first TCP one.
func (a *App) SIPAddr() netip.AddrPort {
	if at := a.stack.Addr("udp"); at.IsValid() {
		return at
	}
	return a.stack.Addr("tcp")
}

var errStarting = errors.New("listeners are not up")

// isReady tells whether calls can be taken. They can while the database is away
// (degraded), but not by a server whose database is another's.
func (a *App) isReady(context.Context) error {
	if !a.ready.Load() {
		return errStarting
	}
	select {
	case <-a.Fenced():
		return store.ErrFenced
	default:
		return nil
	}
}

// users, sessions and calls give the HTTP edge the store in its own words.
type (
	users    struct{ store *store.Store }
	sessions struct{ store *store.Store }
	calls    struct{ store *store.Store }
)

// User implements web.Users.
func (u users) User(ctx context.Context, id string) (web.User, bool, error) {
	got, err := u.store.User(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return web.User{}, false, nil
	}
	return web.User{ID: got.ID, Role: got.Role, Name: got.Name, PasswordHash: got.PasswordHash}, err == nil, err
}

// SaveSession implements web.Sessions.
func (s sessions) SaveSession(ctx context.Context, hash, user string, expires time.Time) error {
	return s.store.SaveSession(ctx, hash, user, expires)
}

// Session implements web.Sessions.
func (s sessions) Session(ctx context.Context, hash string) (web.Session, bool, error) {
	got, err := s.store.Session(ctx, hash)
	if errors.Is(err, store.ErrNotFound) {
		return web.Session{}, false, nil
	}
	return web.Session(got), err == nil, err
}

// DeleteSession implements web.Sessions.
func (s sessions) DeleteSession(ctx context.Context, hash string) error {
	err := s.store.DeleteSession(ctx, hash)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	return err
}

// Call implements web.Calls.
func (c calls) Call(ctx context.Context, id routing.CallID) (web.CallRow, []web.CallEvent, bool, error) {
	row, err := c.store.LedgerRow(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return web.CallRow{}, nil, false, nil
	}
	if err != nil {
		return web.CallRow{}, nil, false, err
	}
	events, err := c.store.Events(ctx, id)
	out := make([]web.CallEvent, len(events))
	for i, e := range events {
		out[i] = web.CallEvent(e)
	}
	if err != nil {
		return web.CallRow{}, nil, false, err
	}
	call := CallRow(&row)
	if legs, err := store.Legs(events); err == nil { // an event that another release wrote costs the legs, not the call
		for _, l := range legs {
			call.Legs = append(call.Legs, web.CallLeg(l))
		}
	}
	return call, out, true, nil
}

// CallRow is a row of the ledger without the number that a caller has asked to be
// called back at: it is nobody's business but the gateway's.
func CallRow(r *store.LedgerRow) web.CallRow {
	return web.CallRow{
		Call: r.Call, PublicID: r.PublicID, Trunk: r.Trunk, Number: r.Number, Dialled: r.Dialled, Customer: r.Customer,
		Queue: r.Queue, Rule: r.Rule, Topic: r.Topic, Agent: r.Agent,
		ArrivedAt: r.ArrivedAt, AnsweredAt: r.AnsweredAt, QueuedAt: r.QueuedAt, TalkAt: r.TalkAt, EndedAt: r.EndedAt,
		Wait: r.Wait, Talk: r.Talk, Outcome: r.Outcome, EndedBy: r.EndedBy, Reason: r.Reason,
		Transfers: r.Transfers, Offers: r.Offers, Disposition: r.Disposition, Note: r.Note, PolicyVersion: r.PolicyVersion,
	}
}

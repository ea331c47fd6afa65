// Package app is the composition root: the only package that knows every
// concrete type. It builds a server from its two configuration files, starts
// it, reloads its routing document and stops it. Commands serve and demo are
// its callers.
package app

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/cordboard/cordboard/cmd/cordboard/internal/pops"
	"github.com/cordboard/cordboard/cmd/cordboard/internal/statistics"
	"github.com/cordboard/cordboard/cmd/cordboard/internal/tracking"
	"github.com/cordboard/cordboard/configs"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/routing/live"
	"github.com/cordboard/cordboard/screenpop"
	"github.com/cordboard/cordboard/screenpop/customer"
	"github.com/cordboard/cordboard/sip"
	"github.com/cordboard/cordboard/sip/media"
	"github.com/cordboard/cordboard/sip/registration"
	"github.com/cordboard/cordboard/sip/stack"
	"github.com/cordboard/cordboard/sip/subscription"
	"github.com/cordboard/cordboard/sip/trace"
	"github.com/cordboard/cordboard/store"
	"github.com/cordboard/cordboard/store/journal"
	"github.com/cordboard/cordboard/web"
)

// Options is what a server is made from.
type Options struct {
	Server *configs.Server
	Policy *routing.Policy
	Log    *zap.Logger
	// Document is what Policy was compiled from: it is kept as a version, unless
	// another went live since it was read last. Nil keeps none.
	Document *Document
	// Reread reads the configuration files again: nil, and a log, when they can't
	// be used; tell is told why, too. Needed for ReloadFile.
	Reread func(tell func(finding string)) *Document
	// Links lets whoever holds the secret sign in as the user, for one-click
	// demo logins; nil in production.
	Links map[string]string

	now     func() time.Time         // of requests; nil: time.Now. A test's
	sources []customer.SourceOptions // where records come from, instead of the store: a test's
}

// App is one server.
type App struct {
	opt      Options
	log      *zap.Logger
	store    *store.Store
	journal  *journal.Journal
	media    *media.Engine
	sounds   *media.Library
	finder   *customer.Resolver
	beside   *customer.Beside
	hub      *screenpop.Hub
	stack    *stack.Stack
	gateway  *sip.Gateway
	keys     *keyring
	rim      *rim
	phones   *phones
	left     *messages
	contacts *contacts
	pops     *pops.Calls

	registered  *registration.Keeper // trunks
	registering []registration.Trunk

	telephones *subscription.Keeper // those of PBXs that tell of their calls
	watching   []subscription.Phone

	tongues tongues
	book    *statistics.Book
	web     *web.Server
	tracer  *tracer

	versions *versions
	tracking *tracking.Requests
	desk     *http.Server
	admin    *http.Server
	local    *http.Server // of this machine's commands; nil when there is none

	deskListener, adminListener, localListener net.Listener // admin and local: nil when there is none

	erasing  sync.Mutex // held while a person is erased
	ready    atomic.Bool
	driven   chan struct{} // closed when the engine's goroutine has ended
	watched  chan struct{} // closed when nobody looks for due versions any more
	indexed  chan struct{} // closed when no interaction is indexed any more
	retained chan struct{} // closed when nothing is removed any more that was kept too long
	cancel   context.CancelFunc
	stopped  sync.Once
}

// Store is the server's store, for commands that fill it before Start.
func (a *App) Store() *store.Store { return a.store }

// Policy is the routing document that is live; its Version is the number in the
// store.
func (a *App) Policy() *routing.Policy { return a.rim.policy.Load() }

// Server is the server file that this server was started with.
func (a *App) Server() *configs.Server { return a.opt.Server }

// HasSound says whether a document may name a sound: sounds are read once.
func (a *App) HasSound(name string) bool { return a.sounds.Has(name) }

// LiveCalls is how many calls are in hand.
func (a *App) LiveCalls() int { return a.gateway.Live() }

// New opens the store and builds every part; nothing listens before Start.
func New(ctx context.Context, opt Options) (*App, error) {
	a := &App{opt: opt, log: opt.Log, keys: newKeyring(opt.Log)}
	if err := a.build(ctx); err != nil {
		return nil, errors.Join(err, a.Stop(ctx))
	}
	return a, nil
}

func (a *App) build(ctx context.Context) (err error) {
	s := a.opt.Server
	if err := a.openStore(ctx); err != nil {
		return err
	}
	if a.journal, err = journal.Open(s.Store.Journal, journal.Options{Log: a.log}); err != nil {
		return err
	}
	key, err := callerKey(s.Store.Journal)
	if err != nil {
		return err
	}
	origins, err := web.NewOrigins(s.Web.Origins)
	if err != nil {
		return err
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(storeCollector{a.store, a.journal})
	if a.sounds, err = media.LoadLibrary(s.Media.Sounds); err != nil {
		return err
	}
	a.versions = newVersions(a, registry)
	if err := a.versions.begin(ctx); err != nil {
		return err
	}
	metrics := web.NewMetrics(registry)
	a.rim = &rim{store: a.store, metrics: metrics, calls: newCallLog(a.log), hashKey: key, log: a.log.Named("rim")}
	a.opt.Policy = a.opt.Policy.Keyed(a.rim.key)
	a.rim.use(a.opt.Policy)
	sources := a.opt.sources
	if sources == nil {
		sources = []customer.SourceOptions{{Name: "store", Source: a.store}}
	}
	a.finder = customer.NewResolver(customer.ResolverOptions{Sources: sources, Log: a.log})
	a.contacts = newContacts(a, s)
	if a.beside, err = newBeside(s.Sources, a.log, registry); err != nil {
		return err
	}
	a.pops = pops.New(pops.Options{Sources: s.Pops, Ledger: a.store, Engine: a.rim, Policy: a.rim.policy.Load, Log: a.log})
	a.rim.pops = a.pops
	var beside screenpop.Beside // nil without sources: no call is asked about
	if len(s.Sources) > 0 {
		beside = a.beside
	}
	a.hub = screenpop.New(screenpop.Options{
		Engine: a.pops, Finder: a.finder, Beside: beside, History: history{a.store}, Answers: answers{a.store},
		Directory: a.rim, Policy: a.rim.policy.Load, Log: a.log,
		Resolved: a.rim.resolved, ByID: a.byID, Entered: a.rim.identified, Chosen: a.store.Identified, Link: a.link, Observe: a.rim.observe, Outside: a.rim.Outside, CheckOrigin: origins,
	})
	a.rim.hub = a.hub
	a.pops.Seat(a.hub)
	if err := a.buildPhones(ctx, registry); err != nil {
		return err
	}
	a.tracer = &tracer{messages: trace.New(s.Trace.Memory<<20, s.Trace.Keep), store: a.store, log: a.log.Named("trace")}
	a.left = newMessages(a.store, s.Store.Journal, s.Voicemail, a.log)
	if err := a.buildSIP(registry); err != nil {
		return err
	}
	registry.MustRegister(sizeCollector{a}, registeredCollector{a.registered}, watchedCollector{a.telephones})
	a.book = statistics.NewBook(a.opt.Policy, statistics.BookOptions{Ledger: a.store, Flush: a.store.Flush, Log: a.log})
	a.rim.driver = live.New(routing.New(a.opt.Policy), live.Options{
		Journal: a.journal, Ports: []live.Port{a.store, metrics, a.hub, a.gateway, a.phones, a.rim.calls, a.rim, a.pops, a.book}, Log: a.log,
	})
	a.listenLocal()
	return a.buildWeb(registry, origins)
}

// buildSIP makes the media engine, call control and the stack below it.
func (a *App) buildSIP(registry *prometheus.Registry) error {
	s := a.opt.Server
	var err error
	a.media, err = media.New(media.Options{
		Addr: s.Media.Addr, Advertise: s.Media.Advertise, PortMin: s.Media.PortMin, PortMax: s.Media.PortMax,
		Library: a.sounds, Log: a.log,
	})
	if err != nil {
		return err
	}
	a.registered = registration.New(a.log)
	a.telephones = subscription.New(a.pops.Dialog, a.log)
	trunks, limits, logins := make([]sip.Trunk, len(s.SIP.Trunks)), map[string]stack.Cap{}, map[string]*stack.Login{}
	for i, t := range s.SIP.Trunks {
		t.Trust.ShortCodes = a.opt.Policy.ShortCodes
		limits[t.Name] = stack.Cap{Calls: t.MaxCalls, Rate: t.Rate}
		trunks[i] = sip.Trunk{Name: t.Name, Trust: t.Trust, Media: t.Media, Redirect: t.Redirect, Pass: t.Pass, Chosen: a.chosenBy(t.Name)}
		if o := t.Out; o != nil {
			trunks[i].Out = &sip.Outward{
				Host: o.Host, Transport: o.Transport, Number: o.Number, Callers: o.Callers,
				Format: o.Format, Region: t.Trust.Region, Prefix: o.Prefix, Calls: o.Calls, Back: o.Back,
			}
			if t.Login.User != "" {
				password, err := t.Secret()
				if err != nil {
					return err
				}
				trunks[i].Out.Login = stack.NewLogin(t.Name, t.Login.User, t.Login.Realm, password)
				trunks[i].Out.Login.Sources = t.Trust.Sources
				logins[t.Name] = trunks[i].Out.Login
				a.register(t, trunks[i].Out)
			}
			a.rim.numbers = append(a.rim.numbers, o.Number)
		}
	}
	a.watch(s.SIP.Trunks, logins)
	caps := stack.NewCaps(limits)
	registry.MustRegister(cappedCollector{caps})
	a.gateway, err = sip.New(sip.Options{
		Trunks: trunks, Caps: caps, Router: a.rim, Phones: a.phones, Dialogs: newDialogs(a.store, a.log), Customers: a.rim, Numbers: a.rim, Targets: a.rim, Callers: a.phones.forCalls(), Media: a.media,
		Mutual: s.Media.Mutual, Host: sdpHost(s.Media), Log: a.log, Mailboxes: a.left, Trace: a.tracer.messages,
		Setups: countSetups(registry), Referred: countReferred(registry), Chosen: a.chosen,
	})
	if err != nil {
		return err
	}
	secure, err := a.keys.sipTLS(s.SIP.TLS)
	if err != nil {
		return err
	}
	listen := make([]stack.Listen, len(s.SIP.Listen))
	for i, l := range s.SIP.Listen {
		listen[i] = stack.Listen{Transport: l.Transport, Addr: l.Addr}
	}
	a.stack, err = stack.New(stack.Options{
		Listen: listen, DNS: s.SIP.DNS, Advertise: s.SIP.Advertise, UserAgent: "Cordboard", MaxCalls: s.SIP.MaxCalls, Rate: s.SIP.Rate,
		Allow: a.gateway.Knows, Group: a.gateway.TrunkName, Groups: len(trunks), Caps: caps, TLS: secure,
		Handler: a.gateway, Phones: a.phones.forStack(), Trace: a.tracer.messages, Logger: a.log,
	})
	if err != nil {
		return err
	}
	a.gateway.Attach(a.stack)
	return nil
}

func sdpHost(m configs.Media) netip.Addr {
	if m.Advertise.IsValid() {
		return m.Advertise
	}
	return m.Addr
}

// Start begins to serve: the engine first, the desks next, callers last.
func (a *App) Start() error {
	ctx, cancel := context.WithCancel(context.Background())
	a.cancel, a.driven = cancel, make(chan struct{})
	// Before all else: the journal says where a run begins.
	a.rim.driver.Submit(routing.Started{Version: a.opt.Policy.Version, SHA256: a.opt.Policy.SHA256, Directory: a.opt.Policy.Directory})
	if err := a.rim.restore(ctx, a.book); err != nil { // before anybody can ring in for his place
		a.log.Error("callbacks of an earlier run cannot be read: they wait for the next start", zap.Error(err))
	}
	go func() {
		defer close(a.driven)
		if err := a.rim.driver.Run(ctx); err != nil && !errors.Is(err, context.Canceled) {
			a.log.Error("the engine's driver ended", zap.Error(err))
		}
	}()
	go a.keys.watch(ctx, lookEvery)
	a.retained = make(chan struct{})
	go func() {
		defer close(a.retained)
		a.retain(ctx)
	}()
	a.indexed = make(chan struct{})
	go func() {
		defer close(a.indexed)
		a.store.KeepIndexed(ctx)
	}()
	a.book.Begin(a.Policy(), time.Now())
	a.watched = make(chan struct{})
	go func() {
		defer close(a.watched)
		a.versions.run(ctx, versionsEvery)
	}()
	a.tracking.Start()
	go a.serveDesk()
	if a.adminListener != nil {
		go a.serve(a.admin, a.adminListener)
	}
	if a.localListener != nil {
		go a.serve(a.local, a.localListener)
	}
	a.stack.Start()
	a.phones.start(a.stack)
	if err := a.registered.Start(a.stack, a.registering); err != nil {
		return err
	}
	a.telephones.Start(a.stack, a.watching)
	a.ready.Store(true)
	serving := []zap.Field{zap.Stringer("desk", a.deskListener.Addr()), zap.Strings("sip", a.stack.Listening())}
	if a.adminListener != nil {
		serving = append(serving, zap.Stringer("admin", a.adminListener.Addr()))
	}
	a.log.Info("serving", serving...)
	return nil
}

func (a *App) serveDesk() {
	if a.desk.TLSConfig == nil {
		a.serve(a.desk, a.deskListener)
		return
	}
	if err := a.desk.ServeTLS(a.deskListener, "", ""); !errors.Is(err, http.ErrServerClosed) {
		a.log.Error("the desktop's listener ended", zap.Error(err))
	}
}

func (a *App) serve(s *http.Server, l net.Listener) {
	if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		a.log.Error("an HTTP listener ended", zap.Stringer("address", l.Addr()), zap.Error(err))
	}
}

// ReloadCertificates reads the files of web.tls and sip.tls again. What can't
// be used is logged, and what was read before stays.
func (a *App) ReloadCertificates() { a.keys.reload(true) }

// Stop ends the server in the order that loses nothing: no new calls, live
// calls ended with BYE when ctx is over, what their ends bring is decided and
// noted, the desks told, then what is queued is written. It may be called more
// than once.
func (a *App) Stop(ctx context.Context) (err error) {
	a.stopped.Do(func() { err = a.stop(ctx) })
	return err
}

func (a *App) stop(ctx context.Context) error {
	var errs []error
	do := func(built bool, stop func() error) {
		if built {
			errs = append(errs, stop())
		}
	}
	a.ready.Store(false)
	do(a.registered != nil, func() error { return a.unregister(ctx) })
	do(a.telephones != nil, func() error { return a.unwatch(ctx) })
	do(a.gateway != nil, func() error { return a.endCalls(ctx) })
	do(a.phones != nil, a.phones.stop)
	do(a.stack != nil, func() error { return a.stack.Close() })
	do(a.pops != nil, func() error { a.pops.Close(); return nil })
	// The engine before the hub: what it made of the last calls' ends is the
	// hub's to keep.
	do(a.driven != nil, func() error {
		a.cancel()
		<-a.driven
		<-a.watched
		<-a.retained
		<-a.indexed
		return nil
	})
	// The calls may have used up all of ctx; the rest needs little.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), restTime)
	defer cancel()
	do(a.desk != nil, func() error { return a.desk.Shutdown(ctx) })
	do(a.tracking != nil, func() error { a.tracking.Close(); return nil })
	do(a.book != nil, func() error { a.book.Close(); return nil })
	do(a.hub != nil, func() error { return a.hub.Close(ctx) })
	do(a.admin != nil, func() error { return a.admin.Shutdown(ctx) })
	do(a.local != nil, func() error { return errors.Join(a.local.Shutdown(ctx), closed(a.localListener)) })
	do(a.media != nil, func() error { return a.media.Close() })
	do(a.left != nil, func() error { return a.left.close(ctx) })
	do(a.finder != nil, func() error { a.finder.Close(); return nil })
	do(a.beside != nil, func() error { a.beside.Close(); return nil })
	do(a.journal != nil, func() error { return a.journal.Close() })
	do(a.store != nil, func() error { return a.store.Close() })
	return errors.Join(errs...)
}

// closed closes a listener that its server may not have seen yet.
func closed(l net.Listener) error {
	if err := l.Close(); !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}

// versionsEvery is how often the store is asked for versions that are due, and
// the routing document's file looked at.
const versionsEvery = time.Second

// restTime bounds the end of everything behind the calls.
const restTime = 5 * time.Second

// endCalls waits for the live calls, and ends those that are left when ctx is
// over, which is no failure of the stop.
func (a *App) endCalls(ctx context.Context) error {
	err := a.gateway.Close(ctx)
	var cleared *sip.ClearedError
	if errors.As(err, &cleared) {
		a.log.Warn("live calls were ended", zap.Int("calls", cleared.Calls))
		return nil
	}
	return err
}

package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/cordboard/cordboard/configs"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/store"
)

// Document is a routing document as it was read, and compiled.
type Document struct {
	Text   []byte
	Policy *routing.Policy
	// Directory is the agents' file that it was compiled beside; nil when it lists
	// them itself.
	Directory *configs.DirectoryFile
}

// who made a version live when no person did.
const (
	byFile   = "file"
	byServer = "server"
)

// versions makes versions of the routing document live: those read from the
// file, and those saved and activated by hand. One at a time; what is refused
// leaves the live one as it is.
type versions struct {
	app   *App
	log   *zap.Logger
	asked *prometheus.CounterVec
	stale prometheus.Gauge

	// activation is the one that made the live version so. Where the store holds
	// another live, its answer was lost on the way here.
	activation atomic.Int64

	mu      sync.Mutex
	live    store.Version // without its document; Number 0: not kept in the store
	dir     *configs.DirectoryFile
	void    map[int64]bool // activations whose asker was told of an error, by AskedAt: still to be taken back
	unheard *Document      // read from the file, and whether it went live was not heard
}

func newVersions(a *App, registry *prometheus.Registry) *versions {
	v := &versions{
		app: a, log: a.log.Named("versions"), void: map[int64]bool{},
		asked: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "cordboard_routing_activations_total", Help: "Routing documents that were to go live, by result: live, refused.",
		}, []string{"result"}),
		stale: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "cordboard_routing_refused", Help: "1 while the routing document that was to go live last was refused.",
		}),
	}
	registry.MustRegister(v.asked, v.stale, prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "cordboard_routing_version", Help: "The version of the routing document that is live.",
	}, func() float64 { return float64(a.Policy().Version) }))
	v.asked.WithLabelValues("live")
	v.asked.WithLabelValues("refused")
	return v
}

// begin says which version a server starts with: the file's when it is another
// than the one read from it last, else the one that went live last.
func (v *versions) begin(ctx context.Context) error {
	doc := v.app.opt.Document
	if doc == nil {
		return nil
	}
	if err := v.keep(ctx, doc.Directory); err != nil {
		return err
	}
	v.dir = doc.Directory
	file, err := v.ofFile(ctx, doc)
	if err != nil {
		return err
	}
	last, err := v.app.store.WentLive(ctx, 1)
	if err != nil {
		return err
	}
	if file.fresh || len(last) == 0 {
		return v.start(ctx, file.Version, "read at the start")
	}
	if last[0].Version == file.Number {
		v.serve(last[0].ID, file.Version, v.app.opt.Policy)
		return nil
	}
	r, kept, err := v.check(ctx, last[0].Version)
	if err != nil {
		return err
	}
	if r.Policy == nil {
		v.tell(r)
		v.log.Error("the version that was live is refused now (another program, or sounds and phones that are gone); the file's goes live: activate another",
			zap.Int("version", kept.Number), zap.Int("file_version", file.Number))
		v.refused()
		return v.start(ctx, file.Version, fmt.Sprintf("version %d is refused now: %s", kept.Number, r.Summary()))
	}
	v.serve(last[0].ID, kept, r.Policy)
	return nil
}

// start makes the file's version the one the server starts with.
func (v *versions) start(ctx context.Context, file store.Version, reason string) error {
	a, err := v.app.store.AddActivation(ctx, store.Activation{
		Version: file.Number, Who: byFile, Waiting: routing.KeepWaiting, Ticked: true, Reason: reason, State: store.ActivationLive,
	})
	if err != nil {
		return err
	}
	v.serve(a.ID, file, v.app.opt.Policy)
	return nil
}

// serve is the policy to start with, and the activation it is live by.
func (v *versions) serve(activation int64, kept store.Version, p *routing.Policy) {
	v.activation.Store(activation)
	live := *p
	live.Version = kept.Number
	v.app.opt.Policy = &live
	v.live = kept
	v.live.Document = nil
}

// fileVersion is the version of the file; fresh when it has not been live yet:
// what was read before, and is not live, was taken off by somebody.
type fileVersion struct {
	store.Version
	fresh bool
}

// ofFile finds the version of a document read from the file, or saves it.
func (v *versions) ofFile(ctx context.Context, doc *Document) (fileVersion, error) {
	known, err := v.app.store.LastOfOrigin(ctx, store.OriginFile)
	switch {
	case err == nil && known.SHA256 == doc.Policy.SHA256:
		was, err := v.app.store.WasLive(ctx, known.Number)
		return fileVersion{known, !was}, err
	case err != nil && !errors.Is(err, store.ErrNotFound):
		return fileVersion{}, err
	}
	for {
		last, err := v.app.store.LastVersion(ctx)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return fileVersion{}, err
		}
		saved, err := v.app.store.SaveVersion(ctx, store.Version{
			SHA256: doc.Policy.SHA256, Document: doc.Text, Author: byFile, Origin: store.OriginFile, Parent: last.SHA256, Zones: zoneTables(),
		})
		if !errors.Is(err, store.ErrStale) { // somebody saved in between: after theirs, then
			return fileVersion{saved, true}, err
		}
	}
}

// reload reads the files and makes them live, or says why not. It is read while no other version can
// go live: of two who read, the one who came later has what was written later.
func (v *versions) reload(ctx context.Context, read func(tell func(string)) *Document) (why []string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	doc := read(func(finding string) { why = append(why, finding) })
	if doc == nil {
		v.refused()
		return why
	}
	var refused *refusedDirectory
	switch err := v.fromFile(ctx, doc); {
	case errors.As(err, &refused):
		v.log.Error("the directory was refused beside the live document, the old one stays live", zap.Int("version", v.live.Number))
		v.refused()
		return refused.findings
	case err != nil:
		v.log.Error("the routing document could not be kept, the old one stays live", zap.Error(err))
		v.refused()
		return []string{"what was read could not be kept: the log says why"}
	}
	return nil
}

// fromFile makes a document that was read from the file live, unless it has been
// so before: the server is told to read its files for other reasons too, such as
// a new certificate, and what a person made live since stays.
func (v *versions) fromFile(ctx context.Context, doc *Document) error {
	if err := v.settle(ctx); err != nil { // what is live says what has changed
		return err
	}
	if err := v.keep(ctx, doc.Directory); err != nil {
		return err
	}
	if changed, err := v.documentFromFile(ctx, doc); changed || err != nil {
		return err
	}
	return v.redirect(ctx, doc.Directory)
}

// documentFromFile makes the document live, with its directory, if it has
// changed.
func (v *versions) documentFromFile(ctx context.Context, doc *Document) (changed bool, err error) {
	if doc.Policy.SHA256 == v.live.SHA256 && v.live.Number > 0 {
		v.stale.Set(0)
		v.log.Info("the routing document has not changed", zap.Int("version", v.live.Number))
		return false, nil
	}
	file, err := v.ofFile(ctx, doc)
	if err != nil {
		return false, err
	}
	if !file.fresh {
		v.stale.Set(0)
		v.log.Info("the routing document's file has not changed, the version made live by hand stays",
			zap.Int("version", v.live.Number), zap.Int("file_version", file.Number))
		return false, nil
	}
	a, err := v.app.store.AddActivation(ctx, store.Activation{
		Version: file.Number, Who: byFile, Waiting: routing.KeepWaiting, Ticked: true, Reason: "read again", State: store.ActivationLive,
	})
	if err != nil {
		v.unheard = doc
		if v.settle(ctx) != nil || v.live.Number != file.Number {
			return false, err
		}
		return true, nil
	}
	v.dir = doc.Directory
	v.goLive(a, file.Version, doc.Policy)
	return true, nil
}

// goLive hands a policy to the engine. Nothing stops and nobody is dropped.
func (v *versions) goLive(a store.Activation, kept store.Version, p *routing.Policy) {
	live := *p
	live.Version = kept.Number
	live.Prepare()
	kept.Document = nil
	v.live, v.unheard = kept, nil
	v.activation.Store(a.ID)
	v.app.rim.reload(routing.PolicyChanged{
		Version: live.Version, SHA256: live.SHA256, Waiting: a.Waiting, Moves: a.Moves, Directory: live.Directory, Policy: &live,
	})
	v.app.phones.reload()
	v.app.book.Begin(&live, time.Now())
	v.asked.WithLabelValues("live").Inc()
	v.stale.Set(0)
	v.log.Info("a routing document went live", zap.Int("version", live.Version), zap.String("sha256", live.SHA256),
		zap.Int64("activation", a.ID), zap.String("waiting", a.Waiting))
}

// refused counts a document that was to go live and does not.
func (v *versions) refused() {
	v.asked.WithLabelValues("refused").Inc()
	v.stale.Set(1)
}

// liveNow is the version that calls are routed by; nil before there is one.
func (v *versions) liveNow() *routing.Policy {
	if v.app.rim == nil {
		return nil
	}
	return v.app.Policy()
}

// check reads a stored version as a server does: with its sounds, its
// registrar, and beside the live version.
func (v *versions) check(ctx context.Context, number int) (*configs.Report, store.Version, error) {
	kept, err := v.app.store.Version(ctx, number)
	if err != nil {
		return nil, kept, err
	}
	return v.checkBeside(kept, v.dir), kept, nil
}

// checkBeside checks a version with a directory.
func (v *versions) checkBeside(kept store.Version, dir *configs.DirectoryFile) *configs.Report {
	s := v.app.opt.Server
	return configs.Check(fmt.Sprintf("version %d", kept.Number), kept.Document, configs.CheckInput{
		Today: time.Now(), HasSound: v.app.HasSound, Sounds: s.Media.Sounds, Directory: dir, Server: s, Live: v.liveNow(),
	})
}

func (v *versions) tell(r *configs.Report) {
	for _, f := range r.Findings {
		if f.Severity == configs.Error {
			v.log.Error("finding in the configuration", zap.String("finding", f.Brief()))
		}
	}
}

// refusal is what the server says to a version that it does not make live.
type refusal struct {
	Why    string          `json:"why"` // errors, warnings, moves
	Detail string          `json:"detail,omitempty"`
	Report json.RawMessage `json:"report,omitempty"` // as check --format json
}

// judge says why a version may not go live, nil when it may.
func judge(r *configs.Report, a store.Activation) (*refusal, error) {
	var out refusal
	switch {
	case r.Policy == nil:
		out.Why, out.Detail = "errors", r.Summary()
	case r.ToTick() > 0 && !a.Ticked:
		out.Why, out.Detail = "warnings", r.Summary()
	default:
		if err := routing.CheckMoves(r.Policy, a.Moves); err != nil {
			return &refusal{Why: "moves", Detail: err.Error()}, nil
		}
		return nil, nil
	}
	var b bytes.Buffer
	if err := r.PrintJSON(&b); err != nil {
		return nil, err
	}
	out.Report = b.Bytes()
	return &out, nil
}

// activateTime bounds the making live of a version, checks and all.
const activateTime = 30 * time.Second

// toTheEnd is for what must be done whole once it is begun.
func toTheEnd(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), activateTime)
}

// decide makes a scheduled activation live, refuses it, or leaves it for its
// time.
func (v *versions) decide(ctx context.Context, a store.Activation) (store.Activation, error) {
	r, kept, err := v.check(ctx, a.Version)
	if err != nil {
		return a, err
	}
	why, err := judge(r, a)
	if err != nil {
		return a, err
	}
	now := time.Now().UTC().Truncate(time.Microsecond)
	if why == nil && a.Due.After(now) {
		return a, nil
	}
	a.State, a.DoneAt = store.ActivationLive, now
	if why != nil {
		a.State = store.ActivationRefused
		if a.Answer, err = json.Marshal(why); err != nil {
			return a, err
		}
	}
	if err := v.app.store.DecideActivation(ctx, a.ID, a.State, now, a.Answer); err != nil {
		return a, err
	}
	if why != nil {
		v.refused()
		v.log.Error("a version was refused, the old one stays live", zap.Int("version", a.Version), zap.Int64("activation", a.ID), zap.String("reason", why.Why))
		v.tell(r)
		return a, nil
	}
	v.goLive(a, kept, r.Policy)
	return a, nil
}

// run makes live what is due, by its time or by a command beside the server,
// and reads the file when it has changed, if it is to be watched.
func (v *versions) run(ctx context.Context, every time.Duration) {
	t := time.NewTicker(every)
	defer t.Stop()
	s := v.app.opt.Server
	file := watcher{path: s.Routes, on: s.WatchRoutes}
	people := watcher{path: s.Directory, on: s.WatchRoutes && s.Directory != ""}
	if doc := v.app.opt.Document; doc != nil {
		file.look(doc.Text)
		if doc.Directory != nil {
			people.look(doc.Directory.Text)
		}
	}
	var out unread
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		if err := v.due(ctx); err != nil && ctx.Err() == nil {
			out.tell(v.log, err, time.Now())
		}
		written, listed := file.changed(), people.changed()
		if written || listed {
			v.app.ReloadFile(ctx)
		}
	}
}

// ReloadFile reads the configuration files again and makes the routing document
// and the directory live, or leaves the old ones so, logs why and says it.
// A database that says nothing does not keep it: others wait for their turn.
func (a *App) ReloadFile(ctx context.Context) (why []string) {
	ctx, cancel := context.WithTimeout(ctx, activateTime)
	defer cancel()
	return a.versions.reload(ctx, a.opt.Reread)
}

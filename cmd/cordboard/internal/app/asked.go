package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"

	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/store"
)

// ask notes the wish to make a version live, and does it when it is due. One
// that is refused, now already, is not scheduled. Once begun it is done, also
// for a client that has gone away: what is noted as live must be so.
func (v *versions) ask(ctx context.Context, a store.Activation) (store.Activation, error) {
	ctx, cancel := toTheEnd(ctx)
	defer cancel()
	v.mu.Lock()
	defer v.mu.Unlock()
	a.State, a.AskedAt = store.ActivationScheduled, time.Now().UTC().Truncate(time.Microsecond)
	noted, err := v.app.store.AddActivation(ctx, a)
	if err != nil {
		v.void[a.AskedAt.UnixMicro()] = true // it may be noted all the same
		return a, err
	}
	out, err := v.decide(ctx, noted)
	if err != nil && v.withdraw(ctx, noted) {
		return v.decided(ctx, noted, err)
	}
	return out, err
}

// withdraw takes an activation back whose asker is told of an error: it must not
// go live behind his back once the database is there again. While it is not, that
// is tried again with what is due. It reports whether it was decided before.
func (v *versions) withdraw(ctx context.Context, a store.Activation) (decided bool) {
	v.void[a.AskedAt.UnixMicro()] = true
	err := v.app.store.DecideActivation(ctx, a.ID, store.ActivationCancelled, time.Now(), json.RawMessage(`{"by":"`+byServer+`"}`))
	if decided = errors.Is(err, store.ErrDecided); err != nil && !decided {
		v.log.Warn("an activation that failed is not taken back yet", zap.Int64("activation", a.ID), zap.Error(err))
		return false
	}
	delete(v.void, a.AskedAt.UnixMicro())
	return decided
}

// decided is what became of an activation whose own decision got through, though
// its answer did not; failed is what the asker would have been told.
func (v *versions) decided(ctx context.Context, a store.Activation, failed error) (store.Activation, error) {
	if err := v.settle(ctx); err != nil {
		return a, errors.Join(failed, err)
	}
	got, err := v.app.store.Activation(ctx, a.ID)
	switch {
	case err != nil:
		return a, errors.Join(failed, err)
	case got.State == store.ActivationCancelled: // by somebody else
		return a, failed
	case got.State == store.ActivationRefused:
		v.refused()
	}
	return got, nil
}

// due makes live what is due. First it catches up with what the store holds live.
func (v *versions) due(ctx context.Context) error {
	if err := v.catchUp(ctx); err != nil {
		return err
	}
	list, err := v.app.store.Scheduled(ctx)
	if err != nil {
		return err
	}
	for _, a := range list {
		if err := v.dueNow(ctx, a); err != nil && !errors.Is(err, store.ErrDecided) {
			return fmt.Errorf("activation %d: %w", a.ID, err)
		}
	}
	return nil
}

// dueNow decides an activation when its time has come, and takes it back at any
// time when its asker was told of an error.
func (v *versions) dueNow(ctx context.Context, a store.Activation) error {
	ctx, cancel := toTheEnd(ctx)
	defer cancel()
	v.mu.Lock()
	defer v.mu.Unlock()
	switch {
	case v.void[a.AskedAt.UnixMicro()]:
		v.withdraw(ctx, a)
		return nil
	case a.Due.After(time.Now()):
		return nil
	}
	_, err := v.decide(ctx, a)
	return err
}

// catchUp settles what is live where the store holds another activation live than
// this server has. The lock is taken only then: a database that says nothing
// must not keep it.
func (v *versions) catchUp(ctx context.Context) error {
	last, err := v.app.store.WentLive(ctx, 1)
	if err != nil || len(last) == 0 || last[0].ID == v.activation.Load() {
		return err
	}
	ctx, cancel := toTheEnd(ctx)
	defer cancel()
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.settle(ctx)
}

// settle makes live what the store holds live: a decision can be written and its
// answer lost, and then this server alone does not know of it. What would be
// refused now, with sounds or phones that went meanwhile, makes place for what is
// live here, as at a start.
func (v *versions) settle(ctx context.Context) error {
	last, err := v.app.store.WentLive(ctx, 1)
	if err != nil || len(last) == 0 || last[0].ID == v.activation.Load() || v.live.Number == 0 {
		return err
	}
	a := last[0]
	r, kept, err := v.check(ctx, a.Version)
	if err != nil {
		return err
	}
	if doc := v.unheard; doc != nil && doc.Policy.SHA256 == kept.SHA256 {
		r.Policy, v.dir = doc.Policy, doc.Directory
	}
	log := v.log.With(zap.Int64("activation", a.ID), zap.Int("version", a.Version))
	if r.Policy != nil {
		log.Warn("the answer to an activation was lost: the store holds it live, and so it goes live")
		v.goLive(a, kept, r.Policy)
		return nil
	}
	v.tell(r)
	log.Error("the store holds a version live that is refused now; the one that is live here stays", zap.Int("live", v.live.Number))
	v.refused()
	back, err := v.app.store.AddActivation(ctx, store.Activation{
		Version: v.live.Number, Who: byServer, Waiting: routing.KeepWaiting, Ticked: true, State: store.ActivationLive,
		Reason: fmt.Sprintf("version %d is refused now: %s", a.Version, r.Summary()),
	})
	if err == nil {
		v.activation.Store(back.ID)
	}
	return err
}

package app

import (
	"time"

	"go.uber.org/zap"

	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/store"
)

// callLog writes a line for each call that has ended, with the ledger's own
// figures (live.Port). It names neither caller nor customer.
type callLog struct {
	log   *zap.Logger
	tally *store.Tally
}

func newCallLog(log *zap.Logger) *callLog {
	return &callLog{log: log.Named("calls"), tally: store.NewTally()}
}

// Do implements live.Port.
func (l *callLog) Do(at time.Time, actions []routing.Action) {
	for _, r := range l.tally.Do(at, actions) {
		l.ended(r)
	}
}

func (l *callLog) ended(r store.LedgerRow) {
	l.log.Info("call ended",
		zap.Int64("call", int64(r.Call)), zap.String("queue", r.Queue), zap.String("agent", string(r.Agent)),
		zap.String("outcome", string(r.Outcome)), zap.String("by", string(r.EndedBy)), zap.String("reason", r.Reason),
		zap.Int64("wait_ms", r.Wait.Milliseconds()), zap.Int64("talk_ms", r.Talk.Milliseconds()),
		zap.Int64("total_ms", r.EndedAt.Sub(r.ArrivedAt).Milliseconds()), zap.Int("offers", r.Offers), zap.Int("transfers", r.Transfers))
}

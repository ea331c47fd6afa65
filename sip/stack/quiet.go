package stack

import (
	"context"
	"log/slog"
	"sync"

	"github.com/emiago/sipgo/sip"
	"go.uber.org/zap"
)

// quiet passes on only the constant text of the library's log lines: their
// attributes hold whole datagrams, names and numbers (parse errors are logged
// with the message, at level Error).
type quiet struct{ log *zap.Logger }

func (q quiet) Enabled(_ context.Context, l slog.Level) bool {
	return l >= slog.LevelWarn && q.log.Core().Enabled(zap.DebugLevel)
}

func (q quiet) Handle(_ context.Context, r slog.Record) error {
	q.log.Debug(r.Message)
	return nil
}

func (q quiet) WithAttrs([]slog.Attr) slog.Handler { return q }
func (q quiet) WithGroup(string) slog.Handler      { return q }

// once guards the library's package variables, which are the process's.
var once sync.Once

func setLibrary() {
	once.Do(func() {
		sip.SetDefaultLogger(slog.New(slog.DiscardHandler))
		sip.SIPDebug = false
		sip.ParseMaxMessageLength = 65535
		sip.TransportBufferReadSize = 65535
	})
}

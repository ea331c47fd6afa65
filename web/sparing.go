package web

import (
	"net"
	"net/http"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// sparing thins out what anybody can bring about: 60 lines of a kind a minute,
// then every hundredth.
func sparing(log *zap.Logger) *zap.Logger {
	return log.WithOptions(zap.WrapCore(func(c zapcore.Core) zapcore.Core {
		return zapcore.NewSamplerWithOptions(c, time.Minute, 60, 100)
	}))
}

// tell logs a sign-in that failed. What was typed for a name is told only when
// there is such a user: it may be a password.
func (l *logins) tell(r *http.Request, user, reason string) {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	fields := []zap.Field{zap.String("source", host), zap.String("reason", reason)}
	if user != "" {
		fields = append(fields, zap.String("user", user))
	}
	l.log.Warn("a sign-in failed", fields...)
}

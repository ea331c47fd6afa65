package registrar

import (
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/sip/digest"
	"github.com/cordboard/cordboard/sip/stack"
)

// sparing thins out what anybody can bring about: 60 lines of a kind a minute,
// then every hundredth.
func sparing(log *zap.Logger) *zap.Logger {
	return log.WithOptions(zap.WrapCore(func(c zapcore.Core) zapcore.Core {
		return zapcore.NewSamplerWithOptions(c, time.Minute, 60, 100)
	}))
}

// tellWrong logs credentials that are not right, with what the answer keeps to
// itself: why. A user is named only when there is such an agent.
func (r *Registrar) tellWrong(c credentials, req *stack.Message) {
	reason := "wrong_secret"
	_, secret := r.secrets.of(c.user)
	d, _ := r.digestOf(c.user)
	known := r.listens(agents.ID(c.user))
	switch {
	case !known:
		reason = "unknown_user"
	case !secret:
		reason = "no_secret"
	case d == agents.DigestSHA256 && c.algorithm != digest.SHA256:
		reason = "wrong_algorithm"
	}
	fields := []zap.Field{zapSource(req.Source.Addr()), zap.String("transport", req.Transport), zap.String("reason", reason)}
	if known {
		fields = append(fields, zap.String("agent", c.user))
	}
	r.refused.Warn("a telephone's credentials were refused", fields...)
}

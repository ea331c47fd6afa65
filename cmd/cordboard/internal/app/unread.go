package app

import (
	"time"

	"go.uber.org/zap"
)

// unread tells of a store that cannot be read, at most once a minute.
type unread struct {
	told  time.Time
	times int // since
}

func (u *unread) tell(log *zap.Logger, err error, now time.Time) {
	u.times++
	if !u.told.IsZero() && now.Sub(u.told) < time.Minute {
		return
	}
	log.Warn("versions that may be due cannot be read", zap.Int("times", u.times), zap.Error(err))
	u.told, u.times = now, 0
}

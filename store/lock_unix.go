//go:build unix

package store

import (
	"errors"
	"os"
	"syscall"
)

// fileLock is held by the one server of a store. The system drops it with the
// process, however that ends.
type fileLock struct{ f *os.File }

func lockFile(path string) (*fileLock, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	switch {
	case errors.Is(err, syscall.EWOULDBLOCK):
		return nil, errors.Join(errLocked, f.Close())
	case err != nil:
		return nil, errors.Join(err, f.Close())
	}
	return &fileLock{f}, nil
}

// Close gives the lock up.
func (l *fileLock) Close() error { return l.f.Close() }

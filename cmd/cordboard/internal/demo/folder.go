package demo

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// Each demo keeps what it needs in a folder of its own, and in it a file that
// it holds locked for as long as it lives: the system lets go of the lock with
// the process, however that ends.
const (
	folderName = "cordboard-demo-"
	lockName   = "lock"
)

// folder is a demo's own.
type folder struct {
	path string
	lock *os.File
}

func newFolder() (f folder, err error) {
	if f.path, err = os.MkdirTemp("", folderName); err != nil {
		return f, err
	}
	// Locked first and named then: nobody ever finds the lock free before the end.
	unnamed := filepath.Join(f.path, "unnamed")
	if f.lock, err = os.OpenFile(unnamed, os.O_CREATE|os.O_RDWR, 0o600); err == nil {
		if err = syscall.Flock(int(f.lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err == nil {
			err = os.Rename(unnamed, filepath.Join(f.path, lockName))
		}
	}
	if err != nil {
		return f, errors.Join(fmt.Errorf("lock of %s: %w", f.path, err), f.remove())
	}
	return f, nil
}

func (f folder) remove() error {
	if f.path == "" {
		return nil
	}
	err := os.RemoveAll(f.path)
	if f.lock != nil {
		err = errors.Join(err, f.lock.Close())
	}
	return err
}

// removeLeftovers removes the folders of this user's demos that were killed: of
// those with a lock that nobody holds. What can't be told for sure stays.
func removeLeftovers() error {
	found, err := filepath.Glob(filepath.Join(os.TempDir(), folderName+"*"))
	if err != nil {
		return err
	}
	var errs []error
	for _, path := range found {
		if info, err := os.Lstat(path); err != nil || !info.IsDir() || !isOurs(info) {
			continue
		}
		lock, err := os.OpenFile(filepath.Join(path, lockName), os.O_RDWR|syscall.O_NOFOLLOW, 0)
		if err != nil {
			continue
		}
		if syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil {
			errs = append(errs, os.RemoveAll(path))
		}
		errs = append(errs, lock.Close())
	}
	return errors.Join(errs...)
}

func isOurs(info os.FileInfo) bool {
	s, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(s.Uid) == os.Getuid()
}

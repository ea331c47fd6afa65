package app

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

const keyBytes = 32

// callerKey reads the key of the caller hashes from the journal's folder, or
// makes it on the first start. It stays with the journal, whose hashes mean
// nothing without it.
func callerKey(folder string) ([]byte, error) {
	path := filepath.Join(folder, "caller.key")
	key, err := os.ReadFile(path)
	switch {
	case err == nil && len(key) == keyBytes:
		return key, nil
	case err == nil:
		return nil, fmt.Errorf("%s holds %d bytes, a key has %d", path, len(key), keyBytes)
	case !errors.Is(err, os.ErrNotExist):
		return nil, err
	}
	key = make([]byte, keyBytes)
	rand.Read(key) // crypto/rand's Read never fails
	return key, os.WriteFile(path, key, 0o600)
}

// RimKeys is how a server with this journal writes what its conditions compare
// at the rim: for those who decide again from the journal.
func RimKeys(journal string) (func(field, literal string) string, error) {
	key, err := os.ReadFile(filepath.Join(journal, "caller.key"))
	if err != nil {
		return nil, err
	}
	return (&rim{hashKey: key}).key, nil
}

package web

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"runtime"
	"strings"

	"golang.org/x/crypto/argon2"
)

// Cost of a password hash: argon2id as RFC 9106 and OWASP have it for servers
// that do more than hashing (19 MiB, two passes, one lane).
const (
	hashMemory = 19 << 10 // KiB
	hashPasses = 2
	hashLanes  = 1
	hashBytes  = 32
	saltBytes  = 16

	minPassword = 8    // characters
	maxPassword = 1024 // bytes
)

// ErrPassword is the error of a password that may not be used.
var ErrPassword = errors.New("web: a password has 8 characters or more, at most 1024 bytes")

// HashPassword returns the argon2id hash of a password in PHC form, with a salt
// of its own.
func HashPassword(password string) (string, error) {
	if len([]rune(password)) < minPassword || len(password) > maxPassword {
		return "", ErrPassword
	}
	salt := make([]byte, saltBytes)
	_, _ = rand.Read(salt) // never fails: crypto/rand ends the process instead
	sum := argon2.IDKey([]byte(password), salt, hashPasses, hashMemory, hashLanes, hashBytes)
	enc := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s",
		argon2.Version, hashMemory, hashPasses, hashLanes, enc.EncodeToString(salt), enc.EncodeToString(sum)), nil
}

// VerifyPassword says whether hash is of this password. The comparison takes
// the same time whatever the password; a hash it cannot read is no match.
func VerifyPassword(hash, password string) bool {
	h, ok := readHash(hash)
	if !ok || len(password) > maxPassword {
		return false
	}
	got := argon2.IDKey([]byte(password), h.salt, h.passes, h.memory, h.lanes, uint32(len(h.sum)))
	return subtle.ConstantTimeCompare(got, h.sum) == 1
}

// phc is a hash taken apart.
type phc struct {
	memory, passes uint32
	lanes          uint8
	salt, sum      []byte
}

// readHash reads an argon2id hash in PHC form whose cost is in bounds.
func readHash(hash string) (h phc, ok bool) {
	parts := strings.Split(hash, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return h, false
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &h.memory, &h.passes, &h.lanes); err != nil {
		return h, false
	}
	if h.memory < 8 || h.memory > 256<<10 || h.passes < 1 || h.passes > 16 || h.lanes < 1 || h.lanes > 16 {
		return h, false
	}
	var saltErr, sumErr error
	h.salt, saltErr = base64.RawStdEncoding.DecodeString(parts[4])
	h.sum, sumErr = base64.RawStdEncoding.DecodeString(parts[5])
	ok = saltErr == nil && sumErr == nil && len(h.salt) >= 8 && len(h.salt) <= 64 && len(h.sum) >= 16 && len(h.sum) <= 64
	return h, ok
}

// nobody is verified against for a user that does not exist, so that such a
// login takes as long as any other.
const nobody = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

// verifier bounds how many hashes are computed at once, and how many wait.
// Half of the processors stay for calls, whatever is tried at the login.
type verifier struct {
	slots chan struct{}
	line  chan struct{}
}

func newVerifier() *verifier {
	return &verifier{slots: make(chan struct{}, max(1, runtime.GOMAXPROCS(0)/2)), line: make(chan struct{}, 64)}
}

func (v *verifier) verify(ctx context.Context, hash, password string) (bool, error) {
	select {
	case v.line <- struct{}{}:
		defer func() { <-v.line }()
	default:
		return false, problemUnavailable
	}
	select {
	case v.slots <- struct{}{}:
		defer func() { <-v.slots }()
	case <-ctx.Done():
		return false, problemUnavailable
	}
	return VerifyPassword(hash, password), nil
}

package journal

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// The keys of a segment lie in a file beside it, so that a key can be destroyed
// and the segment stays as it is: a header, then a line for each key,
//
//	CRC N SUBJECT SECRET
//
// N is what a box names it by, SUBJECT whom it is of, SECRET 32 bytes in hex.
const (
	keysMagic   = "cordboard-keys"
	keysVersion = "1"
	keysHeader  = keysMagic + " " + keysVersion + "\n"
	keysSuffix  = ".keys"
	secretBytes = 32

	freshSuffix = ".new" // of a file that is to take another's place
)

// key seals what is said of one subject in one segment.
type key struct {
	n       int64
	subject string
	secret  [secretBytes]byte

	group int64  // the last that has lines sealed with it; of Journal.mu
	in    string // the file that has it, on the writer's goroutine only
}

func (k *key) appendLine(to []byte) []byte {
	to = append(to, noSum...)
	start := len(to)
	to = append(strconv.AppendInt(to, k.n, 10), ' ')
	to = append(append(to, k.subject...), ' ')
	to = hex.AppendEncode(to, k.secret[:])
	putSum(to, start)
	return append(to, '\n')
}

// parseKey reads a line without its end; false when it is damaged.
func parseKey(text []byte) (k key, ok bool) {
	sum, rest, _ := bytes.Cut(text, []byte{' '})
	want, err := strconv.ParseUint(string(sum), 16, 32)
	if err != nil || uint32(want) != crc32.Checksum(rest, castagnoli) {
		return k, false
	}
	parts := strings.SplitN(string(rest), " ", 3)
	if len(parts) != 3 {
		return k, false
	}
	secret, err := hex.DecodeString(parts[2])
	if err != nil || len(secret) != secretBytes {
		return k, false
	}
	k.subject, k.secret = parts[1], [secretBytes]byte(secret)
	k.n, err = strconv.ParseInt(parts[0], 10, 64)
	return k, err == nil
}

// keysBeside is the file of a segment's keys.
func keysBeside(segment string) string { return strings.TrimSuffix(segment, suffix) + keysSuffix }

// keyFile is what a file of keys holds.
type keyFile struct {
	lines   []key
	damaged int // the first line that cannot be read, 0 for none
}

// readKeys reads a file of keys; one that is not there has none. A torn end, as a
// crash leaves it, is no damage: no event that is on the disk needs it.
func readKeys(path string) (out keyFile, err error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(text) == 0 {
		return out, nil
	}
	if err != nil {
		return out, err
	}
	name := filepath.Base(path)
	for n := 1; ; n++ {
		line, rest, whole := bytes.Cut(text, []byte{'\n'})
		if !whole {
			return out, nil
		}
		text = rest
		if n == 1 {
			if string(line)+"\n" != keysHeader {
				return out, fmt.Errorf("%s has the format %q, this program reads %q", name, line, strings.TrimSpace(keysHeader))
			}
			continue
		}
		k, ok := parseKey(line)
		switch {
		case ok:
			out.lines = append(out.lines, k)
		case out.damaged == 0:
			out.damaged = n
		}
	}
}

// dropKeys rewrites a file of keys without those of some subjects; false when it
// has none of them. What has been dropped is not in the folder any more when it
// returns.
func dropKeys(path string, subjects map[string]bool) (dropped bool, err error) {
	old, err := readKeys(path)
	if err != nil {
		return false, err
	}
	if old.damaged > 0 {
		// A line of his may be the one that nobody can read.
		return false, fmt.Errorf("%s line %d is damaged: whose key it is cannot be told; take the file and its segment away", filepath.Base(path), old.damaged)
	}
	kept := slices.DeleteFunc(slices.Clone(old.lines), func(k key) bool { return subjects[k.subject] })
	if len(kept) == len(old.lines) {
		return false, nil
	}
	text := []byte(keysHeader)
	for i := range kept {
		text = kept[i].appendLine(text)
	}
	return true, replaceFile(path, text)
}

// replaceFile gives a file another content, whole or not at all.
func replaceFile(path string, text []byte) error {
	fresh := path + freshSuffix
	f, err := os.OpenFile(fresh, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(fresh, path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(fresh))
	}
	return syncDir(filepath.Dir(path))
}

package doctor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/cordboard/cordboard/store"
)

func database(ctx context.Context, p Patient) []Line {
	const of = "store"
	o, err := p.Store()
	if err != nil {
		return []Line{bad(Fail, of, err.Error(), "")}
	}
	if o.Path != "" {
		if _, err := os.Stat(o.Path); errors.Is(err, os.ErrNotExist) {
			return []Line{ok(of, "%s is made at the first start", o.Path)}
		}
	}
	o.Tool = true
	began := time.Now()
	have, err := store.SchemaOf(ctx, o)
	took := time.Since(began).Round(time.Millisecond)
	switch {
	case err != nil:
		return []Line{bad(Fail, of, "the database does not answer: "+err.Error(), "Look whether it runs, at the address, the account and its password")}
	case have.Have > have.Want:
		return []Line{bad(Fail, of, fmt.Sprintf("the database has schema %d, this program knows %d", have.Have, have.Want), "It was last used by a newer version: use that one")}
	case have.Have < have.Want && o.Postgres != "":
		return []Line{bad(Fail, of, fmt.Sprintf("the database has schema %d, this program needs %d", have.Have, have.Want), "Run cordboard migrate up")}
	case have.Have < have.Want:
		return []Line{bad(Warn, of, fmt.Sprintf("the database has schema %d, this program needs %d", have.Have, have.Want), "The next start brings it up, after a copy")}
	case took > time.Second:
		return []Line{bad(Warn, of, fmt.Sprintf("the database took %v to be opened and answer", took), "Reports and records will be slow; calls are not")}
	}
	return []Line{ok(of, "schema %d, opened and answered in %v", have.Have, took)}
}

// How much room there should be for the journal, and how long a small write may
// take until it is safe: events of some calls are grouped in it.
const (
	roomLeast = 100 << 20
	roomWell  = 1 << 30
	syncWell  = 100 * time.Millisecond
)

func disk(_ context.Context, p Patient) []Line {
	const of = "store.journal"
	dir := p.Server.Store.Journal
	for {
		if _, err := os.Stat(dir); err == nil || dir == filepath.Dir(dir) {
			break
		}
		dir = filepath.Dir(dir)
	}
	var fs syscall.Statfs_t
	if err := syscall.Statfs(dir, &fs); err != nil {
		return []Line{bad(Fail, of, err.Error(), "")}
	}
	free := fs.Bavail * uint64(fs.Bsize)
	took, err := safe(dir)
	says := fmt.Sprintf("%d MiB free in %s, a write is safe in %v", free>>20, dir, took.Round(100*time.Microsecond))
	switch {
	case err != nil:
		return []Line{bad(Fail, of, err.Error(), "Nothing of what happens to calls can be noted")}
	case free < roomLeast:
		return []Line{bad(Fail, of, says, "Make room: a full disk stops journal and database, though not the calls")}
	case free < roomWell, took > syncWell:
		return []Line{bad(Warn, of, says, "A larger or faster disk keeps up when it is busy")}
	}
	return []Line{ok(of, "%s", says)}
}

// safe writes a small file, waits until it is safe, and removes it.
func safe(dir string) (took time.Duration, err error) {
	f, err := os.CreateTemp(dir, "doctor-*")
	if err != nil {
		return 0, err
	}
	defer os.Remove(f.Name())
	began := time.Now()
	_, err = f.Write(make([]byte, 4096))
	err = cmp.Or(err, f.Sync())
	took = time.Since(began)
	return took, cmp.Or(err, f.Close())
}

// limits compares the descriptors this account may have with what calls take:
// two for media each, and beside them connections, files and the desks.
func limits(_ context.Context, p Patient) []Line {
	const of = "descriptors"
	var r syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &r); err != nil {
		return []Line{bad(Warn, of, err.Error(), "")}
	}
	needs := uint64(2*p.Server.SIP.MaxCalls + 512)
	says := fmt.Sprintf("%d may be open at once, sip.max_calls %d needs some %d", r.Max, p.Server.SIP.MaxCalls, needs)
	if r.Max < needs { // the runtime takes all up to the hard limit
		return []Line{bad(Fail, of, says, "Raise LimitNOFILE of the unit, or ulimit -Hn, or lower sip.max_calls")}
	}
	return []Line{ok(of, "%s", says)}
}

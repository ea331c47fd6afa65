package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// ErrStale says that a version was made from another than the last one: somebody
// has saved meanwhile.
var ErrStale = errors.New("not made from the last version")

// ErrDecided says that an activation is live, refused or taken back already.
var ErrDecided = errors.New("the activation is decided already")

const (
	versionColumns = `version, sha256, author, origin, comment, parent, zones, saved_at`

	qAddVersion = `INSERT INTO routing_versions (` + versionColumns + `, document)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (version) DO NOTHING`
	qVersion       = `SELECT ` + versionColumns + `, document FROM routing_versions WHERE version = $1`
	qVersions      = `SELECT ` + versionColumns + ` FROM routing_versions WHERE version < $1 ORDER BY version DESC LIMIT $2`
	qLastVersion   = `SELECT ` + versionColumns + ` FROM routing_versions ORDER BY version DESC LIMIT 1`
	qLastOfOrigin  = `SELECT ` + versionColumns + ` FROM routing_versions WHERE origin = $1 ORDER BY version DESC LIMIT 1`
	qNextActivated = `SELECT COALESCE(MAX(id), 0) + 1 FROM routing_activations`

	activationColumns = `id, version, who, asked_at, due_at, waiting, moves, ticked, reason, state, done_at, answer`
	// What goes live is numbered: a clock that is set back does not change what
	// came after what.
	nextLive = `(SELECT COALESCE(MAX(o.live_no), 0) + 1 FROM routing_activations o)`

	qAddActivation = `INSERT INTO routing_activations (` + activationColumns + `, live_no)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, CASE WHEN $13 = 1 THEN ` + nextLive + ` END) ON CONFLICT (id) DO NOTHING`
	qDecideActivation = `UPDATE routing_activations SET state = $2, done_at = $3, answer = $4,
		live_no = CASE WHEN $5 = 1 THEN ` + nextLive + ` END WHERE id = $1 AND state = 'scheduled'`
	qActivation  = `SELECT ` + activationColumns + ` FROM routing_activations WHERE id = $1`
	qActivations = `SELECT ` + activationColumns + ` FROM routing_activations WHERE id < $1 ORDER BY id DESC LIMIT $2`
	qScheduled   = `SELECT ` + activationColumns + ` FROM routing_activations WHERE state = 'scheduled' ORDER BY due_at, id`
	qWasLive     = `SELECT COUNT(*) FROM routing_activations WHERE state = 'live' AND version = $1`
	qLive        = `SELECT ` + activationColumns + ` FROM routing_activations WHERE state = 'live' ORDER BY live_no DESC, id DESC LIMIT $1`
)

// Version is one version of the routing document. It is never changed.
type Version struct {
	Number   int
	SHA256   string // of Document, in hex
	Document []byte // left out of lists
	Author   string // a user's id, or what read it ("file")
	Origin   string // OriginFile, OriginUser
	Comment  string
	Parent   string // SHA-256 of the version it was made from, "" for the first
	Zones    string // the time-zone tables it was saved beside
	SavedAt  time.Time
}

// Origins of versions.
const (
	OriginFile = "file" // read from the file that the server file names
	OriginUser = "user" // saved by hand
)

// States of an Activation.
const (
	ActivationScheduled = "scheduled" // not yet: waits for its time, or for the server
	ActivationLive      = "live"      // went live
	ActivationRefused   = "refused"
	ActivationCancelled = "cancelled"
)

// Activation is the wish to make a version live, and what became of it.
type Activation struct {
	ID      int64
	Version int
	Who     string
	AskedAt time.Time
	Due     time.Time
	// Waiting says what becomes of waiting calls (keep, apply), Moves where those
	// of a queue that is gone go.
	Waiting string
	Moves   map[string]string
	Ticked  bool // its warnings were seen
	Reason  string
	State   string
	DoneAt  time.Time       // when it was decided; zero while scheduled
	Answer  json.RawMessage // what the server said to it; nil for nothing
}

// SaveVersion stores a document as the next version. Its Parent must be the hash
// of the last one ("" when there is none), else ErrStale. Number and SavedAt
// are set here.
func (s *Store) SaveVersion(ctx context.Context, v Version) (Version, error) {
	err := s.write.inTx(ctx, func(t *tx) error {
		last, err := scanVersion(func(dest ...any) error { return t.row(qLastVersion, nil, dest...) })
		if err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
		if last.SHA256 != v.Parent {
			return ErrStale
		}
		v.Number, v.SavedAt = last.Number+1, time.Now().UTC().Truncate(time.Microsecond)
		n, err := t.exec(qAddVersion, v.Number, v.SHA256, v.Author, v.Origin, v.Comment, v.Parent, v.Zones, v.SavedAt.UnixMicro(), v.Document)
		if err == nil && n == 0 { // another saved in the same moment
			err = ErrStale
		}
		return err
	})
	if err != nil {
		return Version{}, fmt.Errorf("store: save version: %w", err)
	}
	return v, nil
}

func scanVersion(scan func(dest ...any) error, more ...any) (v Version, err error) {
	var at sql.NullInt64
	err = scan(append([]any{&v.Number, &v.SHA256, &v.Author, &v.Origin, &v.Comment, &v.Parent, &v.Zones, &at}, more...)...)
	v.SavedAt = instant(at)
	return v, err
}

// Version reads a version with its document; ErrNotFound when there is none.
func (s *Store) Version(ctx context.Context, number int) (Version, error) {
	var document []byte
	v, err := scanVersion(func(dest ...any) error { return s.read.row(ctx, qVersion, []any{number}, dest...) }, &document)
	if err != nil {
		return Version{}, fmt.Errorf("store: version %d: %w", number, err)
	}
	v.Document = document
	return v, nil
}

// LastVersion is the version saved last, without its document; ErrNotFound when
// there is none.
func (s *Store) LastVersion(ctx context.Context) (Version, error) {
	v, err := scanVersion(func(dest ...any) error { return s.read.row(ctx, qLastVersion, nil, dest...) })
	if err != nil {
		return Version{}, fmt.Errorf("store: last version: %w", err)
	}
	return v, nil
}

// LastOfOrigin is the last version of an origin, without its document;
// ErrNotFound when there is none.
func (s *Store) LastOfOrigin(ctx context.Context, origin string) (Version, error) {
	v, err := scanVersion(func(dest ...any) error { return s.read.row(ctx, qLastOfOrigin, []any{origin}, dest...) })
	if err != nil {
		return Version{}, fmt.Errorf("store: last version of %s: %w", origin, err)
	}
	return v, nil
}

// Versions lists at most so many versions under a number (0: from the last),
// the newest first, without their documents.
func (s *Store) Versions(ctx context.Context, under, most int) ([]Version, error) {
	out := []Version{}
	err := each(ctx, s.read, qVersions, []any{under64(under), most}, func(row *sql.Rows) error {
		v, err := scanVersion(row.Scan)
		out = append(out, v)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("store: versions: %w", err)
	}
	return out, nil
}

// under64 is the bound of a list that begins at the newest when none is given.
func under64(n int) int64 {
	if n <= 0 {
		return 1 << 62
	}
	return int64(n)
}

// AddActivation notes the wish to make a version live. It waits for the server,
// or is decided already when State says so. ErrNotFound when there is no such
// version.
func (s *Store) AddActivation(ctx context.Context, a Activation) (Activation, error) {
	if a.State == "" {
		a.State = ActivationScheduled
	}
	if a.AskedAt.IsZero() {
		a.AskedAt = time.Now().UTC().Truncate(time.Microsecond)
	}
	if a.Due.IsZero() {
		a.Due = a.AskedAt
	}
	if a.State != ActivationScheduled && a.DoneAt.IsZero() {
		a.DoneAt = a.AskedAt
	}
	moves, err := json.Marshal(a.Moves)
	if err != nil {
		return Activation{}, fmt.Errorf("store: add activation: %w", err)
	}
	err = s.write.inTx(ctx, func(t *tx) error {
		if _, err := scanVersion(func(dest ...any) error { return t.row(qVersion, []any{a.Version}, dest...) }, new([]byte)); err != nil {
			return err
		}
		for {
			if err := t.row(qNextActivated, nil, &a.ID); err != nil {
				return err
			}
			n, err := t.exec(qAddActivation, a.ID, a.Version, a.Who, a.AskedAt.UnixMicro(), a.Due.UnixMicro(), a.Waiting, string(moves),
				flag(a.Ticked), a.Reason, a.State, micros(a.DoneAt), string(a.Answer), flag(a.State == ActivationLive))
			if err != nil || n > 0 {
				return err
			}
		}
	})
	if err != nil {
		return Activation{}, fmt.Errorf("store: add activation: %w", err)
	}
	return a, nil
}

// DecideActivation says what became of a scheduled one; ErrDecided when
// somebody has said so already.
func (s *Store) DecideActivation(ctx context.Context, id int64, state string, at time.Time, answer json.RawMessage) error {
	err := s.write.inTx(ctx, func(t *tx) error {
		n, err := t.exec(qDecideActivation, id, state, at.UnixMicro(), string(answer), flag(state == ActivationLive))
		if err == nil && n == 0 {
			if _, err = scanActivation(func(dest ...any) error { return t.row(qActivation, []any{id}, dest...) }); err == nil {
				err = ErrDecided
			}
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("store: decide activation: %w", err)
	}
	return nil
}

func scanActivation(scan func(dest ...any) error) (a Activation, err error) {
	var asked, due, done sql.NullInt64
	var moves, answer string
	var ticked int
	err = scan(&a.ID, &a.Version, &a.Who, &asked, &due, &a.Waiting, &moves, &ticked, &a.Reason, &a.State, &done, &answer)
	if err != nil {
		return Activation{}, err
	}
	a.AskedAt, a.Due, a.DoneAt, a.Ticked = instant(asked), instant(due), instant(done), ticked != 0
	if answer != "" {
		a.Answer = json.RawMessage(answer)
	}
	if err := json.Unmarshal([]byte(moves), &a.Moves); err != nil {
		return Activation{}, fmt.Errorf("moves of activation %d: %w", a.ID, err)
	}
	return a, nil
}

// Activation reads one; ErrNotFound when there is none.
func (s *Store) Activation(ctx context.Context, id int64) (Activation, error) {
	a, err := scanActivation(func(dest ...any) error { return s.read.row(ctx, qActivation, []any{id}, dest...) })
	if err != nil {
		return Activation{}, fmt.Errorf("store: activation %d: %w", id, err)
	}
	return a, nil
}

// Activations lists at most so many under an id (0: from the last), the newest
// first.
func (s *Store) Activations(ctx context.Context, under int64, most int) ([]Activation, error) {
	return s.activations(ctx, qActivations, under64(int(under)), most)
}

// Scheduled lists the activations that wait, the first due first.
func (s *Store) Scheduled(ctx context.Context) ([]Activation, error) {
	return s.activations(ctx, qScheduled)
}

// WentLive lists at most so many activations that went live, the last first:
// the first of them is live.
func (s *Store) WentLive(ctx context.Context, most int) ([]Activation, error) {
	return s.activations(ctx, qLive, most)
}

// WasLive says whether a version has been live.
func (s *Store) WasLive(ctx context.Context, version int) (bool, error) {
	var n int64
	if err := s.read.row(ctx, qWasLive, []any{version}, &n); err != nil {
		return false, fmt.Errorf("store: was version %d live: %w", version, err)
	}
	return n > 0, nil
}

func (s *Store) activations(ctx context.Context, query string, args ...any) ([]Activation, error) {
	out := []Activation{}
	err := each(ctx, s.read, query, args, func(row *sql.Rows) error {
		a, err := scanActivation(row.Scan)
		out = append(out, a)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("store: activations: %w", err)
	}
	return out, nil
}

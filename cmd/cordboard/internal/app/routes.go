package app

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/cordboard/cordboard/configs"
	"github.com/cordboard/cordboard/store"
	"github.com/cordboard/cordboard/web"
)

// NewVersion is a document that a person saves, made from another.
func NewVersion(document []byte, author, comment, parent string) store.Version {
	sum := sha256.Sum256(document)
	return store.Version{
		SHA256: hex.EncodeToString(sum[:]), Document: document, Author: author, Origin: store.OriginUser,
		Comment: comment, Parent: parent, Zones: zoneTables(),
	}
}

// Diff says what changes from one version to another: by meaning, nil when one
// of them does not compile, and as text.
func Diff(ctx context.Context, s *store.Store, from, to int) (changes []string, text string, err error) {
	var kept [2]store.Version
	for i, n := range []int{from, to} {
		if kept[i], err = s.Version(ctx, n); err != nil {
			return nil, "", err
		}
	}
	name := func(n int) string { return fmt.Sprintf("version %d", n) }
	text = configs.TextDiff(name(from), name(to), kept[0].Document, kept[1].Document)
	a, _ := configs.ParseRouting(name(from), kept[0].Document)
	b, _ := configs.ParseRouting(name(to), kept[1].Document)
	if a != nil && b != nil {
		changes = append([]string{}, configs.Changes(a, b)...)
	}
	return changes, text, nil
}

// routes gives the HTTP edge the versions in its own words.
type routes struct{ v *versions }

// inWords turns the store's errors into those of the HTTP edge.
func inWords(err error) error {
	for of, to := range map[error]error{store.ErrNotFound: web.ErrNoVersion, store.ErrStale: web.ErrStale, store.ErrDecided: web.ErrDecided} {
		if errors.Is(err, of) {
			return fmt.Errorf("%w: %w", to, err)
		}
	}
	return err
}

// Versions implements web.Versions.
func (r routes) Versions(ctx context.Context, under, most int) ([]web.Version, error) {
	all, err := r.v.app.store.Versions(ctx, under, most)
	out := make([]web.Version, len(all))
	for i, v := range all {
		out[i] = web.Version(v)
	}
	return out, err
}

// Version implements web.Versions.
func (r routes) Version(ctx context.Context, number int) (web.Version, error) {
	v, err := r.v.app.store.Version(ctx, number)
	return web.Version(v), inWords(err)
}

// SaveVersion implements web.Versions.
func (r routes) SaveVersion(ctx context.Context, v web.Version) (web.Version, error) {
	saved, err := r.v.app.store.SaveVersion(ctx, NewVersion(v.Document, v.Author, v.Comment, v.Parent))
	return web.Version(saved), inWords(err)
}

// Activate implements web.Activations.
func (r routes) Activate(ctx context.Context, a web.Activation) (web.Activation, error) {
	got, err := r.v.ask(ctx, store.Activation(a))
	return web.Activation(got), inWords(err)
}

// Cancel implements web.Activations.
func (r routes) Cancel(ctx context.Context, id int64, who string) error {
	by, err := json.Marshal(map[string]string{"by": who})
	if err != nil {
		return err
	}
	return inWords(r.v.app.store.DecideActivation(ctx, id, store.ActivationCancelled, time.Now(), by))
}

// Activations implements web.ActivationLog.
func (r routes) Activations(ctx context.Context, under int64, most int) ([]web.Activation, error) {
	all, err := r.v.app.store.Activations(ctx, under, most)
	return forWeb(all), err
}

// Scheduled implements web.ActivationLog.
func (r routes) Scheduled(ctx context.Context) ([]web.Activation, error) {
	all, err := r.v.app.store.Scheduled(ctx)
	return forWeb(all), err
}

func forWeb(all []store.Activation) []web.Activation {
	out := make([]web.Activation, len(all))
	for i, a := range all {
		out[i] = web.Activation(a)
	}
	return out
}

// Check implements web.Documents.
func (r routes) Check(ctx context.Context, number int) (json.RawMessage, error) {
	report, _, err := r.v.check(ctx, number)
	if err != nil {
		return nil, inWords(err)
	}
	var b bytes.Buffer
	if err := report.PrintJSON(&b); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// Diff implements web.Documents.
func (r routes) Diff(ctx context.Context, from, to int) ([]string, string, error) {
	changes, text, err := Diff(ctx, r.v.app.store, from, to)
	return changes, text, inWords(err)
}

// Reload implements web.Reloader.
func (r routes) Reload(ctx context.Context) []string {
	ctx, cancel := toTheEnd(ctx)
	defer cancel()
	return r.v.app.ReloadFile(ctx)
}

// Directory implements web.Reloader.
func (r routes) Directory() string { return r.v.app.Policy().Directory }

// Live implements web.Documents.
func (r routes) Live() int { return r.v.app.Policy().Version }

package why

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/cordboard/cordboard/configs"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/store"
)

// Versions are the routing documents that were saved.
type Versions interface {
	Version(ctx context.Context, number int) (store.Version, error)
	Versions(ctx context.Context, under, limit int) ([]store.Version, error)
	Directory(ctx context.Context, sha256 string) ([]byte, error)
}

// Documents finds the document that calls were routed by: among the versions
// kept, or as the file that the server file names, if it is still that one.
type Documents struct {
	Versions Versions
	File     string
	// Keys gives the keyed hashes that stand for literals in the journal.
	Keys func(field, literal string) string
}

// versionsRead is how many versions are listed at once.
const versionsRead = 200

// Policy compiles the document of a version, known by its hash, beside the
// directory of another, if there was one.
func (d Documents) Policy(ctx context.Context, version int, sha, directory string) (*routing.Policy, error) {
	var beside *configs.DirectoryFile
	if directory != "" {
		text, err := d.Versions.Directory(ctx, directory)
		if err != nil {
			return nil, err
		}
		beside = configs.NewDirectory("directory", text)
	}
	b, err := d.kept(ctx, version, sha)
	if err != nil {
		return nil, err
	}
	name := fmt.Sprintf("version %d", version)
	if b == nil {
		if b, err = os.ReadFile(d.File); err != nil {
			return nil, err
		}
		name = d.File
	}
	p, findings := configs.ParseRouting(name, b, configs.Directory(beside))
	switch {
	case p == nil || len(findings) > 0:
		if len(findings) > 0 {
			return nil, fmt.Errorf("its document does not compile any more: %s", findings[0].Brief())
		}
		return nil, errors.New("its document does not compile any more")
	case p.SHA256 != sha:
		return nil, fmt.Errorf("its document (sha256 %.12s) is not kept, and %s is another by now", sha, d.File)
	}
	p.Version = version
	if d.Keys != nil {
		p = p.Keyed(d.Keys)
	}
	return p, nil
}

// kept is the document among the versions that were saved, nil when it is not.
func (d Documents) kept(ctx context.Context, version int, sha string) ([]byte, error) {
	if version > 0 {
		v, err := d.Versions.Version(ctx, version)
		switch {
		case errors.Is(err, store.ErrNotFound):
		case err != nil:
			return nil, err
		case v.SHA256 == sha:
			return v.Document, nil
		}
	}
	for under := 0; ; {
		list, err := d.Versions.Versions(ctx, under, versionsRead)
		if err != nil {
			return nil, err
		}
		for _, v := range list {
			if v.SHA256 == sha {
				full, err := d.Versions.Version(ctx, v.Number)
				return full.Document, err
			}
			under = v.Number
		}
		if len(list) < versionsRead {
			return nil, nil
		}
	}
}

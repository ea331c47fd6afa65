package app

import (
	"context"
	"strings"

	"go.uber.org/zap"

	"github.com/cordboard/cordboard/configs"
	"github.com/cordboard/cordboard/routing"
)

// keep stores a directory for those who decide again from the journal, which
// names it by its hash.
func (v *versions) keep(ctx context.Context, dir *configs.DirectoryFile) error {
	if dir == nil {
		return nil
	}
	return v.app.store.SaveDirectory(ctx, dir.SHA256, dir.Text)
}

// refusedDirectory says that the live document cannot do with a directory.
type refusedDirectory struct{ findings []string }

func (r *refusedDirectory) Error() string { return strings.Join(r.findings, "; ") }

// redirect gives the live document the agents of a directory that was read
// again. The document stays the version it is: nothing of a call changes but who
// may take it.
func (v *versions) redirect(ctx context.Context, dir *configs.DirectoryFile) error {
	if dir == nil || v.dir != nil && dir.SHA256 == v.dir.SHA256 {
		return nil
	}
	kept, err := v.app.store.Version(ctx, v.live.Number)
	if err != nil {
		return err
	}
	r := v.checkBeside(kept, dir)
	if r.Policy == nil {
		v.tell(r)
		var out refusedDirectory
		for _, f := range r.Findings {
			if f.Severity == configs.Error {
				out.findings = append(out.findings, f.Brief())
			}
		}
		return &out
	}
	v.dir = dir
	v.app.rim.relist(r.Policy)
	v.app.phones.reload()
	v.stale.Set(0)
	v.log.Info("the directory was read again", zap.Int("agents", len(r.Policy.Agents)), zap.String("sha256", dir.SHA256))
	return nil
}

// relist gives the live version other agents.
func (r *rim) relist(p *routing.Policy) {
	r.turning.Lock()
	defer r.turning.Unlock()
	live := *r.policy.Load()
	live.Agents, live.Directory = p.Agents, p.Directory
	live.Prepare()
	r.policy.Store(&live)
	r.driver.Submit(routing.DirectoryChanged{SHA256: live.Directory, Policy: &live})
}

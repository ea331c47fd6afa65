package app

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/cmd/cordboard/internal/why"
	"github.com/cordboard/cordboard/configs"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/store"
)

// outside takes the agents out of a document: what is left, and a directory of
// them.
func outside(document []byte) (rest, directory []byte) {
	i := bytes.Index(document, []byte("\nagents:\n"))
	return document[:i+1], document[i+1:]
}

// A directory that is read again while people talk: who is no longer in it
// finishes the call in hand and is signed out, whose skills have changed takes
// what she now fits, and the journal decides it all again.
func TestDirectoryWhileTheyTalk(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{at: []agents.ID{anna, boris}})
	rest, list := outside(w.document)
	i, j := bytes.Index(list, []byte("  anna:")), bytes.Index(list, []byte("  boris:"))
	list = append(bytes.Clone(list[:i]), list[j:]...)
	dir := configs.NewDirectory("directory.yaml", list)
	next, findings := configs.ParseRouting("routing.yaml", rest, configs.Directory(dir))
	if len(findings) > 0 {
		t.Fatal(findings)
	}
	c, _, _ := w.talking()
	w.app.rim.relist(next)
	w.eventually("the engine has the new directory", func() bool {
		s, err := w.app.rim.driver.Snapshot(w.ctx)
		w.must(err)
		if len(s.Calls) != 1 || s.Calls[0].Agent != anna || s.Calls[0].Phase != "talking" {
			t.Fatalf("the call is not hers any more: %+v", s.Calls)
		}
		return s.Pending == 0
	})
	if _, there := w.app.rim.Agent(anna); there {
		t.Fatal("she is still listed")
	}
	c.hears(agentTone[anna])
	c.hangsUp()
	w.settled(answeredByCaller)
	w.eventually("she is signed out", func() bool {
		s, err := w.app.rim.driver.Snapshot(w.ctx)
		w.must(err)
		return !slices.ContainsFunc(s.Agents, func(a routing.AgentState) bool { return a.Agent == anna && a.State.SignedIn() })
	})
	c = w.dial(dial{})
	w.phase(boris, "talking")
	c.hangsUp()
	his := answeredByCaller
	his.agent = boris
	rows := w.settled(answeredByCaller, his)
	sources := w.sources()
	whole := sources.Policy
	sources.Policy = func(ctx context.Context, version int, sha, directory string) (*routing.Policy, error) {
		p, err := whole(ctx, version, sha, "")
		switch {
		case err != nil || directory == "":
		case directory != dir.SHA256:
			err = errors.New("a directory that never was")
		default:
			p.Agents = next.Agents
		}
		return p, err
	}
	for _, row := range rows {
		var x *why.Explained
		w.eventually("the call's decisions taken again", func() bool {
			var err error
			x, err = sources.Call(w.ctx, row.Call)
			w.must(err)
			return x.Again == why.Same
		})
		if want := map[agents.ID]int{anna: 3, boris: 2}[row.Agent]; x.Records[len(x.Records)-1].SignedIn != want { // gustav always is, by his mobile
			t.Errorf("call %d, taken by %s: %d signed in", row.Call, row.Agent, x.Records[len(x.Records)-1].SignedIn)
		}
	}
}

// The documents that calls are explained by are found with the directory they
// were used with, however it reads by now.
func TestDirectoriesAreKept(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{})
	rest, list := outside(w.document)
	dir := configs.NewDirectory("directory.yaml", list)
	w.must(w.app.versions.keep(w.ctx, dir))
	w.must(w.app.versions.keep(w.ctx, dir)) // once more changes nothing
	v, err := w.app.store.SaveVersion(w.ctx, store.Version{SHA256: configs.NewDirectory("", rest).SHA256, Document: rest, SavedAt: time.Now()})
	w.must(err)
	d := why.Documents{Versions: w.app.store, File: "none.yaml"}
	p, err := d.Policy(w.ctx, v.Number, v.SHA256, dir.SHA256)
	w.must(err)
	if len(p.Agents) != 4 || p.Agents[anna].Name != "Anna Berg" || p.Directory != dir.SHA256 {
		t.Errorf("agents %v of directory %q", p.Agents, p.Directory)
	}
	if _, err := d.Policy(w.ctx, v.Number, v.SHA256, "0123456789abcdef"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a directory that was never kept: %v", err)
	}
}

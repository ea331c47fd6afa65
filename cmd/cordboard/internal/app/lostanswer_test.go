package app_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cordboard/cordboard/cmd/cordboard/internal/app"
	"github.com/cordboard/cordboard/store"
	"github.com/cordboard/cordboard/store/storetest/pgtest"
)

// The state of an activation as it goes to the database, with its length before it:
// one that is noted, and one that is decided, at once or later.
const noted, decided = "\x00\x00\x00\x09scheduled", "\x00\x00\x00\x04live"

// A decision that the database has, and whose answer was lost with the connection,
// is live in the server too: by hand, by its time and by file. What was only noted,
// and answered with an error, is taken back.
func TestActivationWhoseAnswerIsLost(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	t.Cleanup(cancel)
	cluster := app.Postgres.Cluster(t)
	p := pgtest.NewProxy(t, cluster)
	dir := t.TempDir()
	c := &centre{t: t, ctx: ctx, file: server(t, dir, `{listen: "127.0.0.1:0"}`,
		`{postgres: "`+p.URL(cluster.Database(t, app.Postgres.Template(t)))+`", journal: journal}`)}
	t.Cleanup(func() {
		if c.app != nil {
			_ = c.app.Stop(ctx)
		}
	})
	c.file.Directory = filepath.Join(dir, "agents.yaml")
	write := func(step, more string) {
		t.Helper()
		head, people, _ := strings.Cut(document(step), "agents:")
		c.write(head)
		if err := os.WriteFile(c.file.Directory, []byte("agents:"+people+more), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cuts := 0
	cut := func(state string, at pgtest.Commit) {
		t.Helper()
		if p.Cuts() != cuts {
			t.Fatalf("%d connections were cut, want %d", p.Cuts(), cuts)
		}
		cuts++
		p.AtCommitOf(state, at)
	}
	write("20s", "")
	c.start()
	c.save(strings.Split(document("30s"), "agents:")[0])

	cut(decided, pgtest.CommitUnheard)
	if got := c.want(200, http.MethodPost, activationsAt, map[string]any{"version": 2, "ticked": true}); got["state"] != "live" {
		t.Errorf("asked by hand: %v", got)
	}
	c.live(2)

	cut(decided, pgtest.CommitUnheard)
	c.soon(1, 2)
	c.live(1)

	cut(decided, pgtest.CommitUnheard)
	write("40s", "  ben: {name: Ben Lund, phone: \"sip:ben@192.0.2.2\", skills: {care: 2}}\n")
	c.app.ReloadFile(ctx) // says that it failed, where the database is still at it when it is asked again
	c.live(3)
	if c.metric("cordboard_routing_refused") != "0" {
		t.Error("the file that is live counts as refused")
	}
	if n := len(c.app.Policy().Agents); n != 2 {
		t.Errorf("%d agents of the directory that was read with the file", n)
	}

	cut(noted, pgtest.CommitUnheard)
	if res, out := c.call(http.MethodPost, activationsAt, map[string]any{"version": 2, "ticked": true}); res.StatusCode < 500 {
		t.Errorf("noted, and not heard of: %d %v", res.StatusCode, out)
	}
	c.last("cancelled", 2)
	c.live(3)

	cut(decided, pgtest.CommitLost) // the database never had it: it is not live, and not later
	if res, out := c.call(http.MethodPost, activationsAt, map[string]any{"version": 1, "ticked": true}); res.StatusCode < 500 {
		t.Errorf("decided, and the database does not know: %d %v", res.StatusCode, out)
	}
	c.last("cancelled", 1)
	c.live(3)
	if p.Cuts() != cuts {
		t.Errorf("%d connections were cut, want %d", p.Cuts(), cuts)
	}
	c.stop()
	c.start()
	if v := c.app.Policy().Version; v != 3 {
		t.Errorf("version %d after a restart", v)
	}
}

// save saves a document as the next version.
func (c *centre) save(text string) {
	c.t.Helper()
	last := c.want(200, http.MethodGet, "/api/v1/routing", nil)["latest"].(map[string]any)
	c.want(201, http.MethodPost, versionsAt, map[string]any{"document": text}, "If-Match", fmt.Sprintf("%q", last["sha256"]))
}

// last waits until the latest activation is one of a version, in a state.
func (c *centre) last(state string, version int) {
	c.t.Helper()
	for {
		all, err := c.app.Store().Activations(c.ctx, 0, 1)
		if err == nil && len(all) == 1 && all[0].State == state && all[0].Version == version {
			return
		}
		select {
		case <-c.ctx.Done():
			c.t.Fatalf("the latest activation: %+v, %v; want version %d %s", all, err, version, state)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// What the store holds live without this server's knowledge, its answer lost and
// the database away after it, goes live when that can be read again. What is
// refused then makes place for what is live.
func TestStoreSaysWhatIsLive(t *testing.T) {
	onEach(t, func(t *testing.T, on app.Database) {
		c := openCentre(t, on)
		c.save(document("30s"))
		c.save("cordboard: routing/1\n")
		beside := func(version int) {
			t.Helper()
			_, err := c.app.Store().AddActivation(c.ctx, store.Activation{Version: version, Who: "ines", Waiting: "keep", State: store.ActivationLive})
			if err != nil {
				t.Fatal(err)
			}
		}
		beside(2)
		c.live(2)
		beside(3)
		c.last("live", 2)
		c.live(2)
		if c.metric("cordboard_routing_refused") != "1" {
			t.Error("a refusal is not counted")
		}
		audit := fmt.Sprint(c.want(200, http.MethodGet, "/api/v1/routing/audit?most=1", nil)["entries"])
		if !strings.Contains(audit, "version 3 is refused now") || !strings.Contains(audit, "who:server") {
			t.Errorf("audit: %s", audit)
		}
	})
}

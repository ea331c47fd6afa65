package app_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/cordboard/cordboard/cmd/cordboard/internal/app"
	"github.com/cordboard/cordboard/configs"
	"github.com/cordboard/cordboard/store"
	"github.com/cordboard/cordboard/web"
)

// centre is a server whose routing document is changed while it runs.
type centre struct {
	t      *testing.T
	ctx    context.Context
	file   *configs.Server
	app    *app.App
	cookie *http.Cookie
}

func document(step string) string {
	return `cordboard: routing/1
name: Small
zone: Europe/London
skills: {care: {}}
queues:
  care:
    need: {all: {care: 3}}
    steps: [{after: ` + step + `, need: {all: {care: 1}}}]
    late: {after: 5m, then: {hangup: true}}
route: {queue: care}
agents:
  anna: {name: Anna Berg, phone: "sip:anna@192.0.2.1", skills: {care: 5}}
`
}

func (c *centre) read(tell func(string)) *app.Document {
	text, err := os.ReadFile(c.file.Routes)
	if err != nil {
		c.t.Fatal(err)
	}
	var dir *configs.DirectoryFile
	if c.file.Directory != "" {
		if dir, err = configs.ReadDirectory(c.file.Directory); err != nil {
			c.t.Fatal(err)
		}
	}
	p, findings := configs.ParseRouting(c.file.Routes, text, configs.Directory(dir))
	for _, f := range findings {
		tell(f.Brief())
	}
	if p == nil {
		return nil
	}
	return &app.Document{Text: text, Policy: p, Directory: dir}
}

func (c *centre) write(text string) {
	c.t.Helper()
	if err := os.WriteFile(c.file.Routes, []byte(text), 0o600); err != nil {
		c.t.Fatal(err)
	}
}

// start starts the server; it is stopped again by stop, or at the end.
func (c *centre) start() {
	c.t.Helper()
	doc := c.read(func(f string) { c.t.Error(f) })
	var err error
	c.app, err = app.New(c.ctx, app.Options{
		Server: c.file, Policy: doc.Policy, Document: doc, Reread: c.read, Log: zap.NewNop(), Links: map[string]string{"admin": "ines", "other": "ivo", "boss": "mia"},
	})
	if err != nil {
		c.t.Fatal(err)
	}
	for id, role := range map[string]string{"ines": web.RoleAdmin, "ivo": web.RoleAdmin, "mia": web.RoleSupervisor} {
		if err := c.app.Store().SaveUser(c.ctx, store.User{ID: id, Role: role, Name: id}); err != nil {
			c.t.Fatal(err)
		}
	}
	if err := c.app.Start(); err != nil {
		c.t.Fatal(err)
	}
	c.signIn("admin")
}

func (c *centre) stop() {
	c.t.Helper()
	if err := c.app.Stop(c.ctx); err != nil {
		c.t.Fatal(err)
	}
}

func (c *centre) signIn(link string) {
	c.t.Helper()
	c.cookie = nil
	res, _ := c.call(http.MethodPost, "/api/v1/session", map[string]any{"link": link})
	c.cookie = res.Cookies()[0]
}

// call makes one request of the API.
func (c *centre) call(method, path string, in any, headers ...string) (*http.Response, map[string]any) {
	c.t.Helper()
	b, err := json.Marshal(in)
	if err != nil {
		c.t.Fatal(err)
	}
	base := "http://" + c.app.WebAddr().String()
	req, err := http.NewRequestWithContext(c.ctx, method, base+path, bytes.NewReader(b))
	if err != nil {
		c.t.Fatal(err)
	}
	req.Header.Set("Origin", base)
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	if c.cookie != nil {
		req.AddCookie(c.cookie)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		c.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	out := map[string]any{}
	if len(text) > 0 {
		if err := json.Unmarshal(text, &out); err != nil {
			c.t.Fatalf("%s %s: %d %s", method, path, res.StatusCode, text)
		}
	}
	return res, out
}

// want makes a request and checks its status.
func (c *centre) want(status int, method, path string, in any, headers ...string) map[string]any {
	c.t.Helper()
	res, out := c.call(method, path, in, headers...)
	if res.StatusCode != status {
		c.t.Fatalf("%s %s: %d, want %d: %v", method, path, res.StatusCode, status, out)
	}
	return out
}

// live waits until a version decides, in the server and in its engine.
func (c *centre) live(n int) {
	c.t.Helper()
	for {
		b := c.want(200, http.MethodGet, "/api/v1/board", nil)
		if b["version"] == float64(n) && c.app.Policy().Version == n {
			return
		}
		select {
		case <-c.ctx.Done():
			c.t.Fatalf("version %d does not go live: %v", n, b["version"])
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (c *centre) metric(name string) string {
	c.t.Helper()
	res, err := http.Get("http://" + c.app.AdminAddr().String() + "/metrics")
	if err != nil {
		c.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if v, ok := strings.CutPrefix(line, name+" "); ok {
			return strings.TrimSpace(v)
		}
	}
	return ""
}

func openCentre(t *testing.T, on app.Database) *centre {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	t.Cleanup(cancel)
	c := &centre{t: t, ctx: ctx, file: server(t, t.TempDir(), `{listen: "127.0.0.1:0"}`, on.Section(t))}
	t.Cleanup(func() {
		if c.app != nil {
			_ = c.app.Stop(ctx)
		}
	})
	c.write(document("20s"))
	c.start()
	return c
}

// onEach runs a test on each database, side by side.
func onEach(t *testing.T, do func(*testing.T, app.Database)) {
	for _, on := range app.Databases {
		t.Run(string(on), func(t *testing.T) {
			t.Parallel()
			do(t, on)
		})
	}
}

const versionsAt, activationsAt = "/api/v1/routing/versions", "/api/v1/routing/activations"

// A version is saved from the last one, told apart by meaning, made live,
// refused with all that is wrong with it, and taken back.
func TestVersions(t *testing.T) {
	onEach(t, func(t *testing.T, on app.Database) {
		c := openCentre(t, on)
		now := c.want(200, http.MethodGet, "/api/v1/routing", nil)
		first, _ := now["live"].(map[string]any)
		if first["version"] != 1.0 || first["author"] != "file" || first["zones"] == "" {
			t.Fatalf("live at first: %v", now)
		}
		sha := fmt.Sprintf("%q", first["sha256"])
		second := map[string]any{"document": document("30s"), "comment": "a little slower"}
		if out := c.want(409, http.MethodPost, versionsAt, second); out["code"] != "stale" {
			t.Errorf("saved from nothing: %v", out)
		}
		c.want(409, http.MethodPost, versionsAt, second, "If-Match", `"0000"`)
		c.want(413, http.MethodPost, versionsAt, map[string]any{"document": strings.Repeat("#", 8<<20+1)}, "If-Match", sha)
		for detail, in := range map[string]map[string]any{
			"document: it is empty":                           {"comment": "nothing"},
			"comment: byte 4 is a control character (U+001B)": {"document": document("30s"), "comment": "so \x1b[2Jmuch"},
			"comment: 1001 bytes are too many: 1000 at most":  {"document": document("30s"), "comment": strings.Repeat("x", 1001)},
			"parent: there is no such field":                  {"document": document("30s"), "parent": "1"},
			"document: a number does not fit here":            {"document": 1},
		} {
			if out := c.want(400, http.MethodPost, versionsAt, in, "If-Match", sha); out["detail"] != detail {
				t.Errorf("%v, want %s", out, detail)
			}
		}
		saved := c.want(201, http.MethodPost, versionsAt, second, "If-Match", sha)
		c.want(409, http.MethodPost, versionsAt, second, "If-Match", sha)
		if v, _ := saved["version"].(map[string]any); v["version"] != 2.0 || v["author"] != "ines" || v["live"] != false {
			t.Fatalf("saved %v", saved)
		}
		diff := c.want(200, http.MethodGet, versionsAt+"/2/diff", nil)
		if fmt.Sprint(diff["changes"]) != "[queue care: step 2 20s -> 30s]" || !strings.Contains(fmt.Sprint(diff["text"]), "+    steps: [{after: 30s,") {
			t.Errorf("diff %v", diff)
		}
		if one := c.want(200, http.MethodGet, versionsAt+"/2", nil); one["document"] != document("30s") {
			t.Errorf("version 2 is %v", one)
		}
		c.want(404, http.MethodGet, versionsAt+"/3", nil)
		c.want(404, http.MethodPost, activationsAt, map[string]any{"version": 3})
		for detail, in := range map[string]map[string]any{
			"waiting: want keep or apply":                    {"version": 2, "waiting": "later"},
			"version: want the number of one":                {"version": -2},
			"due_at: want microseconds since 1970":           {"version": 2, "due_at": -1},
			"reason: byte 1 is a control character (U+202E)": {"version": 2, "reason": "\u202e"},
		} {
			if out := c.want(400, http.MethodPost, activationsAt, in); out["detail"] != detail {
				t.Errorf("%v, want %s", out, detail)
			}
		}
		if out := c.want(400, http.MethodGet, versionsAt+"?most=x", nil); out["detail"] != "most: want a number from 1 on" {
			t.Errorf("%v", out)
		}
		for _, path := range []string{versionsAt + "/x", versionsAt + "/-1", versionsAt + "/99999999999999999999", versionsAt + "/1/diff?from=x", versionsAt + "/..%2f..%2fsession/diff"} {
			if res, out := c.call(http.MethodGet, path, nil); res.StatusCode != 400 && res.StatusCode != 404 {
				t.Errorf("%s: %d %v", path, res.StatusCode, out)
			}
		}
		for _, due := range []int64{time.Now().Add(-time.Hour).UnixMicro(), time.Now().Add(time.Hour).Unix()} { // seconds, by mistake
			if out := c.want(400, http.MethodPost, activationsAt, map[string]any{"version": 2, "ticked": true, "due_at": due}); out["code"] != "past" {
				c.t.Errorf("due %d: %v", due, out)
			}
		}

		done := c.want(200, http.MethodPost, activationsAt, map[string]any{"version": 2, "waiting": "apply", "reason": "as agreed", "ticked": true})
		if done["state"] != "live" || done["waiting"] != "apply" {
			t.Errorf("activation %v", done)
		}
		c.live(2)
		c.refusals()
		c.want(200, http.MethodPost, activationsAt, map[string]any{"version": 1, "ticked": true, "reason": "back"})
		c.live(1)
		if c.metric("cordboard_routing_refused") != "0" || c.metric("cordboard_routing_version") != "1" {
			t.Errorf("refused %s, version %s", c.metric("cordboard_routing_refused"), c.metric("cordboard_routing_version"))
		}
		audit := c.want(200, http.MethodGet, "/api/v1/routing/audit", nil)
		var said []string
		for _, e := range audit["entries"].([]any) {
			e := e.(map[string]any)
			said = append(said, fmt.Sprint(e["who"], " ", e["what"], " ", e["version"], " ", e["words"]))
		}
		if got := strings.Join(said, "; "); got != "ines live 1 back; ines refused 1 ; ines refused 3 ; ines saved 3 ; ines live 2 as agreed; ines saved 2 a little slower; file live 1 read at the start; file saved 1 " {
			t.Errorf("audit: %s", got)
		}
		c.signIn("boss")
		for _, path := range []string{"/api/v1/routing", versionsAt, versionsAt + "/1", "/api/v1/routing/audit"} {
			c.want(403, http.MethodGet, path, nil)
		}
		c.want(403, http.MethodPost, activationsAt, map[string]any{"version": 1})
	})
}

// refusals: with errors, or moves that lead nowhere, the live version stays.
func (c *centre) refusals() {
	c.t.Helper()
	last := c.want(200, http.MethodGet, "/api/v1/routing", nil)["latest"].(map[string]any)
	bad := strings.Replace(document("10s"), "route: {queue: care}", "route: {queue: cares}\nsites: {varna: 5}\nnonsense: 1", 1)
	c.want(201, http.MethodPost, versionsAt, map[string]any{"document": bad}, "If-Match", fmt.Sprintf("%q", last["sha256"]))
	out := c.want(422, http.MethodPost, activationsAt, map[string]any{"version": 3})
	answer, _ := out["answer"].(map[string]any)
	report, _ := answer["report"].(map[string]any)
	checked := c.want(200, http.MethodGet, versionsAt+"/3/check", nil)
	if findings, _ := report["findings"].([]any); out["code"] != "refused" || answer["why"] != "errors" || len(findings) < 2 || fmt.Sprint(report) != fmt.Sprint(checked) {
		c.t.Errorf("refused with %v; check says %v", out, checked)
	}
	if c.metric("cordboard_routing_refused") != "1" || c.metric(`cordboard_routing_activations_total{result="refused"}`) != "1" {
		c.t.Error("a refusal is not counted")
	}
	out = c.want(422, http.MethodPost, activationsAt, map[string]any{"version": 1, "ticked": true, "moves": map[string]string{"care": "sales"}})
	if answer, _ := out["answer"].(map[string]any); answer["why"] != "moves" {
		c.t.Errorf("moves: %v", out)
	}
	c.live(2)
}

// What was live is live after a restart, unless the file has changed since it
// was read last; what was scheduled goes live at its time, also if that passed
// while the server was stopped.
func TestVersionsAfterRestart(t *testing.T) {
	onEach(t, func(t *testing.T, on app.Database) {
		c := openCentre(t, on)
		first := c.want(200, http.MethodGet, "/api/v1/routing", nil)["live"].(map[string]any)
		c.want(201, http.MethodPost, versionsAt, map[string]any{"document": document("30s")}, "If-Match", fmt.Sprintf("%q", first["sha256"]))
		c.want(200, http.MethodPost, activationsAt, map[string]any{"version": 2, "ticked": true})
		c.live(2)
		late := c.want(202, http.MethodPost, activationsAt, map[string]any{"version": 1, "ticked": true, "due_at": time.Now().Add(time.Hour).UnixMicro()})
		c.soon(1, 2)
		c.stop()
		c.start()
		if v := c.app.Policy().Version; v != 2 && v != 1 {
			t.Fatalf("version %d after the restart", v)
		}
		c.live(1) // by its time
		c.signIn("other")
		c.want(204, http.MethodDelete, fmt.Sprintf("%s/%v", activationsAt, late["id"]), nil)
		c.want(409, http.MethodDelete, fmt.Sprintf("%s/%v", activationsAt, late["id"]), nil)
		taken, _ := c.want(200, http.MethodGet, "/api/v1/routing/audit?most=10", nil)["entries"].([]any)
		if e, _ := taken[0].(map[string]any); e["what"] != "cancelled" || e["who"] != "ivo" {
			t.Errorf("who took it back: %v", e)
		}
		c.signIn("admin")
		c.want(404, http.MethodDelete, activationsAt+"/99", nil)

		// The file says what it said: nothing happens. Then it changes.
		c.app.ReloadFile(c.ctx)
		if v := c.app.Policy().Version; v != 1 {
			t.Fatalf("version %d after nothing has changed", v)
		}
		c.want(200, http.MethodPost, activationsAt, map[string]any{"version": 2, "ticked": true})
		c.live(2)
		c.app.ReloadFile(c.ctx) // a new certificate, say: what was made live by hand stays
		if v := c.app.Policy().Version; v != 2 {
			t.Fatalf("version %d after the files were read again, and the document's had not changed", v)
		}
		c.write(document("40s"))
		c.app.ReloadFile(c.ctx)
		c.live(3)
		c.write("cordboard: routing/1\n")
		c.app.ReloadFile(c.ctx)
		if c.metric("cordboard_routing_refused") != "1" {
			t.Error("a refused file is not counted")
		}
		c.live(3)
		c.stop()
		c.write(document("50s"))
		c.start()
		c.live(4)
	})
}

// soon has a version go live before long, while another is live. What a slow machine
// is told too late goes live at once: then there is more time.
func (c *centre) soon(version, live int) {
	c.t.Helper()
	for in := 300 * time.Millisecond; ; in *= 2 {
		res, out := c.call(http.MethodPost, activationsAt, map[string]any{"version": version, "ticked": true, "due_at": time.Now().Add(in).UnixMicro()})
		if res.StatusCode == 202 {
			return
		}
		if res.StatusCode != 200 || in > time.Minute {
			c.t.Fatalf("due in %v: %d: %v", in, res.StatusCode, out)
		}
		c.want(200, http.MethodPost, activationsAt, map[string]any{"version": live, "ticked": true})
		c.live(live)
	}
}

// What waits for its time is listed, however many were decided since.
func TestScheduledIsListed(t *testing.T) {
	c := openCentre(t, app.Databases[0])
	waits := c.want(202, http.MethodPost, activationsAt, map[string]any{"version": 1, "ticked": true, "due_at": time.Now().Add(time.Hour).UnixMicro()})
	for range 200 {
		if _, err := c.app.Store().AddActivation(c.ctx, store.Activation{Version: 1, Who: "ines", State: store.ActivationRefused}); err != nil {
			t.Fatal(err)
		}
	}
	listed, _ := c.want(200, http.MethodGet, "/api/v1/routing", nil)["scheduled"].([]any)
	if len(listed) != 1 || listed[0].(map[string]any)["id"] != waits["id"] {
		t.Errorf("scheduled: %v, want %v", listed, waits["id"])
	}
}

// A file that is watched is read when it has changed, and not before it is
// whole.
func TestFileIsWatched(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	t.Cleanup(cancel)
	c := &centre{t: t, ctx: ctx, file: server(t, t.TempDir(), `{listen: "127.0.0.1:0"}`, "{path: a.db}")}
	c.file.WatchRoutes = true
	c.write(document("20s"))
	c.start()
	t.Cleanup(func() { _ = c.app.Stop(ctx) })
	c.write(document("25s"))
	c.live(2)
}

// A directory beside the document: read at the start and again, refused whole
// with an error in it, kept over a restart, and never without the document.
func TestDirectoryFile(t *testing.T) {
	onEach(t, func(t *testing.T, on app.Database) {
		c := openCentre(t, on)
		c.stop()
		head, people, _ := strings.Cut(document("20s"), "agents:")
		c.file.Directory = filepath.Join(filepath.Dir(c.file.Routes), "agents.yaml")
		list := func(more string) {
			if err := os.WriteFile(c.file.Directory, []byte("agents:"+people+more), 0o600); err != nil {
				c.t.Fatal(err)
			}
		}
		c.write(head)
		list("")
		c.start()
		has := func(n int, why string) string {
			c.t.Helper()
			p := c.app.Policy()
			if len(p.Agents) != n || p.Directory == "" || c.want(200, http.MethodGet, "/api/v1/routing", nil)["directory"] != p.Directory {
				c.t.Fatalf("%s: agents %v of directory %q", why, p.Agents, p.Directory)
			}
			return p.Directory
		}
		first, version := has(1, "at the start"), c.app.Policy().Version
		list("  ben: {name: Ben Lund, phone: \"sip:ben@192.0.2.2\", skills: {care: 2}}\n")
		if got := c.want(200, http.MethodPost, "/api/v1/routing/reload", nil); got["live"] != float64(version) || got["directory"] == first {
			c.t.Errorf("read again: %v", got)
		}
		second := has(2, "read again")
		list("  ben: {name: Ben Lund, skills: {cares: 2}}\n  cal: {}\n")
		said, _ := c.want(422, http.MethodPost, "/api/v1/routing/reload", nil)["findings"].([]any)
		if len(said) == 0 || !strings.Contains(fmt.Sprint(said), "agents.yaml:4:") || strings.Contains(fmt.Sprint(said), "Lund") {
			c.t.Errorf("refused with %v", said)
		}
		if has(2, "a directory with errors") != second || c.metric("cordboard_routing_refused") != "1" {
			c.t.Error("a refused directory is live, or not counted")
		}
		// A document that lists agents is for no server with a directory.
		parent := c.want(200, http.MethodGet, versionsAt+"/1", nil)
		last := c.want(200, http.MethodGet, "/api/v1/routing", nil)["latest"].(map[string]any)
		made := c.want(201, http.MethodPost, versionsAt, map[string]any{"document": document("30s")}, "If-Match", fmt.Sprintf("%q", last["sha256"]))["version"].(map[string]any)
		c.want(422, http.MethodPost, activationsAt, map[string]any{"version": made["version"], "ticked": true})
		c.want(422, http.MethodPost, activationsAt, map[string]any{"version": parent["version"], "ticked": true})
		list("  ben: {name: Ben Lund, phone: \"sip:ben@192.0.2.2\", skills: {care: 4}}\n")
		c.stop()
		c.start()
		if has(2, "after a restart") == second || c.app.Policy().Version != version || c.app.Policy().Agents["ben"].Skills.Level("care") != 4 {
			c.t.Errorf("version %d with %v", c.app.Policy().Version, c.app.Policy().Agents)
		}
	})
}

// Package pgtest runs a real Postgres for tests and benchmarks: a cluster of its
// own in a temporary folder, reached through a private socket, gone with the
// process that started it. It can be stopped, frozen and started again, and a
// Proxy in front of it cuts and slows connections. It knows nothing of the
// store: who wants tables in its databases makes them.
package pgtest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// startTime is how long a cluster may take to be made or to start.
const startTime = time.Minute

// Options of Start.
type Options struct {
	// Durable writes to the disk as a production server does (fsync), for
	// measurements. Tests do without: no test pulls the plug.
	Durable bool
	// Settings of the server beside the defaults: name=value.
	Settings []string
}

// Cluster is one running Postgres. Its methods are for one goroutine at a time,
// but for Database and URL.
type Cluster struct {
	dir      string
	bin      string
	settings []string
	owner    *syscall.Credential // nil: we ourselves
	server   *exec.Cmd
	watchdog *exec.Cmd
	alive    io.Closer // the watchdog's input: it ends with this process
	made     atomic.Int64
	prefix   string // of databases' names
}

// Binary finds one of Postgres' programs, which Debian keeps out of PATH.
func Binary(name string) (string, error) {
	if path, err := exec.LookPath(name); err == nil {
		return filepath.EvalSymlinks(path)
	}
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/" + name)
	if err != nil || len(found) == 0 {
		return "", errors.New("the tests need Postgres. Install it with:  sudo apt-get install --no-install-recommends postgresql")
	}
	return found[len(found)-1], nil
}

// Start makes a cluster and starts it. Stop it when done.
func Start(opts Options) (*Cluster, error) {
	initdb, err := Binary("initdb")
	if err != nil {
		return nil, err
	}
	c := &Cluster{bin: filepath.Dir(initdb)}
	c.settings = append([]string{
		"listen_addresses=", "unix_socket_permissions=0700", "max_connections=200", "shared_buffers=64MB", "log_min_messages=fatal",
	}, opts.Settings...)
	if !opts.Durable {
		c.settings = append(c.settings, "fsync=off", "full_page_writes=off")
	}
	if c.dir, err = os.MkdirTemp("", "cordboard-pg-"); err != nil {
		return nil, err
	}
	if err := c.make(initdb); err != nil {
		return nil, errors.Join(fmt.Errorf("pgtest: %w", err), os.RemoveAll(c.dir))
	}
	if err := errors.Join(c.watch(), c.Run()); err != nil {
		return nil, errors.Join(fmt.Errorf("pgtest: %w", err), c.Stop())
	}
	return c, nil
}

// At is a cluster that another process has started: it can be asked for
// databases and nothing else.
func At(dir string) *Cluster { return &Cluster{dir: dir, prefix: fmt.Sprintf("p%d_", os.Getpid())} }

// Dir is where the cluster lives, for At.
func (c *Cluster) Dir() string { return c.dir }

// make fills the folder. Postgres refuses to run as root: then it runs as the
// user that its package has made.
func (c *Cluster) make(initdb string) error {
	if os.Getuid() == 0 {
		u, err := user.Lookup("postgres")
		if err != nil {
			return err
		}
		uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
		gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
		if err := errors.Join(err1, err2, os.Chown(c.dir, int(uid), int(gid))); err != nil {
			return err
		}
		c.owner = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	}
	cmd := exec.Command(initdb, "-D", c.data(), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync", "--no-instructions")
	cmd.SysProcAttr, cmd.Dir = &syscall.SysProcAttr{Credential: c.owner}, c.dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w: %s", err, out)
	}
	return nil
}

func (c *Cluster) data() string { return filepath.Join(c.dir, "data") }

// watch starts the watchdog: a shell that waits for our end, however that
// comes, and takes the server with it.
func (c *Cluster) watch() (err error) {
	c.watchdog = exec.Command("/bin/sh", "-c", `read x; kill -QUIT "$(head -n 1 "$1/data/postmaster.pid")" 2>/dev/null; sleep 1; rm -rf "$1"`, "sh", c.dir)
	c.watchdog.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // ^C is for the tests
	if c.alive, err = c.watchdog.StdinPipe(); err != nil {
		return err
	}
	return c.watchdog.Start()
}

// Run starts the server, at first or after Crash, and waits until it answers.
func (c *Cluster) Run() error {
	log, err := os.OpenFile(filepath.Join(c.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	args := []string{"-D", c.data(), "-k", c.dir}
	for _, s := range c.settings {
		args = append(args, "-c", s)
	}
	cmd := exec.Command(filepath.Join(c.bin, "postgres"), args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = c.dir, log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: c.owner, Setpgid: true}
	if err := cmd.Start(); err != nil {
		return err
	}
	c.server = cmd
	ctx, cancel := context.WithTimeout(context.Background(), startTime)
	defer cancel()
	for {
		err := c.exec(ctx, "postgres", "SELECT 1")
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			text, _ := os.ReadFile(filepath.Join(c.dir, "log"))
			return fmt.Errorf("postgres does not start: %w: %s", err, text)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// Crash ends the server at once, as pg_ctl stop -m immediate does.
func (c *Cluster) Crash() error { return c.end(syscall.SIGQUIT) }

func (c *Cluster) end(how syscall.Signal) error {
	if c.server == nil {
		return nil
	}
	if err := c.server.Process.Signal(how); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	var exit *exec.ExitError
	err := c.server.Wait()
	c.server = nil
	if errors.As(err, &exit) {
		return nil // an immediate end is no success to Postgres
	}
	return err
}

// Freeze stops the server and all its sessions where they are: connections are
// accepted by the system and nobody answers. Thaw lets them go on.
func (c *Cluster) Freeze() error { return c.signal(syscall.SIGSTOP) }

// Thaw ends Freeze.
func (c *Cluster) Thaw() error { return c.signal(syscall.SIGCONT) }

func (c *Cluster) signal(s syscall.Signal) error {
	pid := c.server.Process.Pid
	if err := syscall.Kill(pid, s); err != nil { // first: while it goes on it makes others
		return err
	}
	all, err := children(pid)
	if err != nil {
		return err
	}
	for _, p := range all {
		if err := syscall.Kill(p, s); err != nil && !errors.Is(err, syscall.ESRCH) {
			return err
		}
	}
	return nil
}

func children(parent int) (out []int, err error) {
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	for _, name := range stats {
		text, err := os.ReadFile(name)
		if err != nil {
			continue // it has ended
		}
		_, rest, _ := strings.Cut(string(text), ") ") // the name may hold spaces
		f := strings.Fields(rest)
		if len(f) > 1 && f[1] == strconv.Itoa(parent) {
			if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(name))); err == nil {
				out = append(out, pid)
			}
		}
	}
	slices.Sort(out)
	return out, err
}

// Stop ends the server and removes its folder.
func (c *Cluster) Stop() error {
	err := c.end(syscall.SIGQUIT)
	if c.watchdog != nil && c.watchdog.Process != nil {
		_ = c.watchdog.Process.Kill()
		_ = c.watchdog.Wait()
		_ = c.alive.Close()
	}
	return errors.Join(err, os.RemoveAll(c.dir))
}

// Socket is the path of the server's unix socket.
func (c *Cluster) Socket() string { return filepath.Join(c.dir, ".s.PGSQL.5432") }

// URL is the connection string of a database.
func (c *Cluster) URL(database string) string {
	return "postgres://postgres@/" + database + "?host=" + url.QueryEscape(c.dir)
}

// Exec runs one statement on a database, as the superuser.
func (c *Cluster) Exec(database, sql string) error {
	ctx, cancel := context.WithTimeout(context.Background(), startTime)
	defer cancel()
	return c.exec(ctx, database, sql)
}

func (c *Cluster) exec(ctx context.Context, database, sql string) (err error) {
	conn, err := pgx.Connect(ctx, c.URL(database))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close(ctx)) }()
	_, err = conn.Exec(ctx, sql)
	return err
}

// Create makes a database, empty or a copy of template, and gives its name.
func (c *Cluster) Create(template string) (string, error) {
	if template == "" {
		template = "template0"
	}
	name := c.prefix + "t" + strconv.FormatInt(c.made.Add(1), 10)
	// Copying files is the quicker way for databases as small as a test's.
	return name, c.Exec("postgres", "CREATE DATABASE "+name+" TEMPLATE "+template+" STRATEGY file_copy")
}

// Database makes a database for a test, empty or a copy of template, dropped
// at its end, and gives its name.
func (c *Cluster) Database(t testing.TB, template string) string {
	t.Helper()
	name, err := c.Create(template)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Exec("postgres", "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)"); err != nil {
			t.Errorf("drop %s: %v", name, err)
		}
	})
	return name
}

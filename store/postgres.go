package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
)

// How long a Postgres may take over things before they count as failed.
const (
	connectTime   = 3 * time.Second
	readTime      = 5 * time.Second
	toolTime      = 2 * time.Minute // a tool's statement may copy a lot
	idleInTxTime  = 30 * time.Second
	connectionAge = 30 * time.Minute // so that a changed address of the database is found
)

// postgres is a database server.
type postgres struct {
	config    *pgx.ConnConfig
	statement time.Duration // the longest one may run when writing
	backups   string        // folder of copies
	named     *url.URL      // the connection string without its passwords
	keySecret string        // the one that opens the client's key (sslpassword)
}

// newPostgres reads the connection string. Its errors don't repeat it: it may
// hold a password.
func newPostgres(o *Options) (*postgres, error) {
	config, err := pgx.ParseConfig(o.Postgres)
	u, bad := url.Parse(o.Postgres)
	if err != nil || bad != nil || u.Scheme != "postgres" && u.Scheme != "postgresql" {
		return nil, errors.New("the Postgres connection string cannot be read: want postgres://USER@HOST:PORT/DATABASE")
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = connectTime
	}
	defaultTo(config.RuntimeParams, "application_name", "cordboard")
	defaultTo(config.RuntimeParams, "idle_in_transaction_session_timeout", millis(idleInTxTime))
	if u.User != nil {
		u.User = url.User(u.User.Username())
	}
	q := u.Query()
	keySecret := q.Get("sslpassword")
	q.Del("password")
	q.Del("sslpassword")
	u.RawQuery = q.Encode()
	p := &postgres{config: config, statement: tryFor, backups: o.backupDir, named: u, keySecret: keySecret}
	if o.Tool {
		p.statement = toolTime
	}
	return p, nil
}

func defaultTo(params map[string]string, name, value string) {
	if params[name] == "" {
		params[name] = value
	}
}

func millis(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }

// connect implements database.
func (p *postgres) connect(ctx context.Context, use use, size int) (*pool, error) {
	config := p.config.Copy()
	if use != toMigrate {
		// All that the store asks is found by an index. A plan made while the
		// tables were small would read them from end to end, and Postgres keeps
		// its plans until they have been analysed: after a large import, that is
		// a minute of calls whose records come too late.
		// To plan one for each set of values, or to compile it, takes longer than
		// to run it.
		defaultTo(config.RuntimeParams, "plan_cache_mode", "force_generic_plan")
		for _, way := range []string{"enable_seqscan", "enable_hashjoin", "enable_mergejoin", "jit"} {
			defaultTo(config.RuntimeParams, way, "off")
		}
	}
	switch use {
	case toRead:
		config.RuntimeParams["default_transaction_read_only"] = "on"
		config.RuntimeParams["default_transaction_isolation"] = "repeatable read" // askTogether begins none itself
		config.RuntimeParams["statement_timeout"] = millis(readTime)
	case toWrite:
		config.RuntimeParams["statement_timeout"] = millis(p.statement)
	case toMigrate:
		config.RuntimeParams["statement_timeout"] = "0"
	}
	db := stdlib.OpenDB(*config)
	db.SetMaxOpenConns(size)
	db.SetMaxIdleConns(size)
	db.SetConnMaxLifetime(connectionAge)
	if err := db.PingContext(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return &pool{db: db, fit: fitText, pipeline: sendTogether, copyIn: copyIn, askTogether: askTogether}, nil
}

// scrub implements database: deleted rows are taken out of the tables' files.
func (p *postgres) scrub(ctx context.Context, _ bool) (err error) {
	to, err := p.connect(ctx, toMigrate, 1)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, to.close()) }()
	_, err = to.db.ExecContext(ctx, `VACUUM calls, messages, message_sounds, contact_decisions, customers, `+strings.Join(ofCustomer, ", "))
	return err
}

// search implements database.
func (p *postgres) search() searchIndex { return tsIndex{} }

// sendTogether runs statements in one journey to the database.
func sendTogether(ctx context.Context, conn *sql.Conn, all []statement) error {
	return conn.Raw(func(raw any) error {
		c, ok := raw.(*stdlib.Conn)
		if !ok {
			return fmt.Errorf("a connection of another driver: %T", raw)
		}
		var b pgx.Batch
		for _, st := range all {
			b.Queue(st.query, st.args...)
		}
		return c.Conn().SendBatch(ctx, &b).Close()
	})
}

// fitText makes texts fit for Postgres, which keeps neither NUL nor what is not
// UTF-8. What callers send us may hold both.
func fitText(args []any) []any {
	for i, arg := range args {
		if s, ok := arg.(string); ok && !fits(s) {
			args[i] = fitting(s)
		}
	}
	return args
}

func fits(s string) bool { return strings.IndexByte(s, 0) < 0 && utf8.ValidString(s) }

// fitting is a text made fit.
func fitting(s string) string {
	if fits(s) {
		return s
	}
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}

// refuses implements database: data that does not fit, and what a constraint
// forbids (SQLSTATE classes 22, 23 and 54). All else, a missing privilege or a
// read-only server included, can be put right while the change waits.
func (p *postgres) refuses(err error) bool {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return strings.HasPrefix(pg.Code, "22") || strings.HasPrefix(pg.Code, "23") || strings.HasPrefix(pg.Code, "54")
	}
	return err != nil && strings.Contains(err.Error(), "failed to encode args")
}

//go:embed migrations/postgres/*.sql
var postgresMigrations embed.FS

// dialect implements migrator.
func (p *postgres) dialect() goose.Dialect { return goose.DialectPostgres }

// steps implements migrator.
func (p *postgres) steps() (fs.FS, error) { return fs.Sub(postgresMigrations, "migrations/postgres") }

// byItself implements migrator: others may use the database, and its owner may
// be another role than the server's.
func (p *postgres) byItself() bool { return false }

// backUp implements migrator: a dump by pg_dump, readable by its owner only.
func (p *postgres) backUp(ctx context.Context, _ *sql.DB, version int64) (string, error) {
	dump, err := exec.LookPath("pg_dump")
	if err != nil {
		return "", errors.New("pg_dump is not installed here: make a copy your own way, then migrate with --no-backup")
	}
	name := fmt.Sprintf("cordboard-schema%d-%s.dump", version, time.Now().UTC().Format("20060102T150405.000000"))
	path := filepath.Join(p.backups, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return "", err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return "", err
	}
	defer f.Close()
	var said strings.Builder
	target, env, forget, err := p.tell(filepath.Dir(path))
	if err != nil {
		return "", errors.Join(err, os.Remove(path))
	}
	defer forget()
	cmd := exec.CommandContext(ctx, dump, "--format=custom", "--no-password", "--dbname="+target)
	cmd.Stdout, cmd.Stderr, cmd.Env = f, &said, append(os.Environ(), env...)
	if err := cmd.Run(); err != nil {
		return "", errors.Join(fmt.Errorf("pg_dump: %w: %s", err, strings.TrimSpace(said.String())), os.Remove(path))
	}
	return path, f.Sync()
}

// tell is how a program of Postgres is told where to connect: what anybody on
// this machine may read in its arguments, and the passwords, which nobody else
// may. libpq takes the one of the client's key from a file alone; forget removes
// that.
func (p *postgres) tell(dir string) (target string, env []string, forget func(), err error) {
	forget = func() {}
	if p.config.Password != "" {
		env = append(env, "PGPASSWORD="+p.config.Password)
	}
	if p.keySecret == "" {
		return p.named.String(), env, forget, nil
	}
	u, q := *p.named, p.named.Query()
	if q.Get("service") != "" || strings.ContainsAny(p.keySecret, "\r\n") {
		return "", nil, forget, errors.New("pg_dump cannot be told the key's password: make a copy your own way, then migrate with --no-backup")
	}
	f, err := os.CreateTemp(dir, ".service-*") // for its owner alone
	if err != nil {
		return "", nil, forget, err
	}
	forget = func() { _ = os.Remove(f.Name()) }
	_, err = fmt.Fprintf(f, "[cordboard]\nsslpassword=%s\n", p.keySecret)
	if err = errors.Join(err, f.Close()); err != nil {
		forget()
		return "", nil, func() {}, err
	}
	q.Set("service", "cordboard")
	u.RawQuery = q.Encode()
	return u.String(), append(env, "PGSERVICEFILE="+f.Name()), forget, nil
}

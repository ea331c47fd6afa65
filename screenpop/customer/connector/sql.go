package connector

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/cordboard/cordboard/screenpop/customer"
)

func init() { kinds["sql"] = readSQL }

// maxRows of an answer are read: what has more has failed.
const maxRows = 1000

// giveUp has the database itself give up a question that nobody waits for any more.
const giveUp = "SET LOCAL statement_timeout = '1min'"

// sqlConfig is kind sql: a Postgres database that is asked one question.
type sqlConfig struct {
	url   func() (string, error)
	query namedQuery
	*mapping
}

func readSQL(s Settings) Config {
	c := &sqlConfig{url: s.Secret("url")}
	if c.url == nil {
		s.Wrong("url", "url_file, or url: ${NAME}, must be there: postgres://USER:PASSWORD@HOST/DATABASE")
	}
	if text := s.Must("query"); text != "" {
		var err error
		if c.query, err = parseQuery(text); err != nil {
			s.Wrong("query", "%v", err)
		}
	}
	c.mapping = readMapping(s)
	return c
}

// Panels implements Config.
func (c *sqlConfig) Panels() []string { return c.panels() }

// Open implements Config.
func (c *sqlConfig) Open() (customer.Connector, error) {
	text, err := c.url()
	if err != nil {
		return nil, err
	}
	config, err := pgx.ParseConfig(text)
	if err != nil || !strings.HasPrefix(text, "postgres://") && !strings.HasPrefix(text, "postgresql://") {
		return nil, errors.New("url: want postgres://USER:PASSWORD@HOST/DATABASE") // and not what stands there
	}
	// Nothing is prepared, and values go as texts: a pooler may stand between, and what
	// does not fit is told by the server, whose words we keep to ourselves.
	config.DefaultQueryExecMode = pgx.QueryExecModeExec
	db := stdlib.OpenDB(*config)
	db.SetMaxIdleConns(4) // at_once bounds how many there are
	db.SetConnMaxIdleTime(time.Minute)
	return &sqlConnector{c, db}, nil
}

type sqlConnector struct {
	*sqlConfig
	db *sql.DB
}

// Ask implements customer.Connector. Body is a list with an object for each row.
func (c *sqlConnector) Ask(ctx context.Context, who customer.Subject) (customer.Part, error) {
	args, ok := c.query.args(who)
	if !ok {
		return customer.Part{}, nil // there is nothing to ask by
	}
	rows, err := c.rows(ctx, args)
	if err != nil {
		return customer.Part{}, unsaid(ctx, err)
	}
	if len(rows) == 0 {
		return customer.Part{}, nil
	}
	return c.part(rows, who)
}

// Close implements io.Closer.
func (c *sqlConnector) Close() error { return c.db.Close() }

func (c *sqlConnector) rows(ctx context.Context, args []any) (out []any, err error) {
	tx, err := c.db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return nil, err
	}
	defer func() { _ = tx.Rollback() }() // there is nothing to keep
	if _, err := tx.ExecContext(ctx, giveUp); err != nil {
		return nil, err
	}
	rows, err := tx.QueryContext(ctx, c.query.text, args...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	names, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	left := maxAnswer
	for rows.Next() {
		values, places := make([]any, len(names)), make([]any, len(names))
		for i := range values {
			places[i] = &values[i]
		}
		if err := rows.Scan(places...); err != nil {
			return nil, err
		}
		row := make(map[string]any, len(names))
		for i, name := range names {
			var size int
			row[name], size = told(values[i])
			left -= len(name) + size
		}
		if out = append(out, row); len(out) > maxRows || left < 0 {
			return nil, errAnswer
		}
	}
	return out, rows.Err()
}

// told is a value as an expression has it, and how much memory it takes, in bytes.
func told(v any) (any, int) {
	switch v := v.(type) {
	case []byte:
		return string(v), len(v)
	case string:
		return v, len(v)
	case int64:
		return int(v), 8
	case time.Time:
		return v.UTC().Format(time.RFC3339Nano), 32
	}
	return v, 8
}

var errAnswer = fmt.Errorf("the answer has more than %d rows or %d bytes", maxRows, maxAnswer)

// unsaid is an error without what the database says: there the values stand that it
// was asked for.
func unsaid(ctx context.Context, err error) error {
	var said *pgconn.PgError
	var unconnected *pgconn.ConnectError
	switch {
	case errors.Is(err, errAnswer):
		return errAnswer
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &said):
		return fmt.Errorf("the database answers SQLSTATE %s", said.Code)
	case errors.As(err, &unconnected):
		return errors.New("there is no connection to the database")
	}
	return errors.New("the database has not answered to the end")
}

// namedQuery is a question with its parameters by number, as the database wants them.
type namedQuery struct {
	text  string
	names []string // of the parameters, by number from 1
}

var parameters = map[string]func(customer.Subject) string{
	"id":     func(who customer.Subject) string { return who.ID },
	"number": func(who customer.Subject) string { return who.Number },
	"digits": func(who customer.Subject) string { return strings.TrimPrefix(who.Number, "+") },
}

// args are the parameters' values; false when one is not known.
func (q *namedQuery) args(who customer.Subject) ([]any, bool) {
	out := make([]any, len(q.names))
	for i, name := range q.names {
		value := parameters[name](who)
		if value == "" {
			return nil, false
		}
		out[i] = value
	}
	return out, true
}

// parseQuery finds the parameters, :id, :number and :digits. What stands in quotes or
// in a comment is none, and no text is ever put in their place.
func parseQuery(text string) (q namedQuery, err error) {
	if word, _, _ := strings.Cut(strings.TrimSpace(text), " "); !strings.EqualFold(firstLine(word), "SELECT") && !strings.EqualFold(firstLine(word), "WITH") {
		return q, errors.New("a question begins with SELECT or WITH")
	}
	var out strings.Builder
	for rest := text; rest != ""; {
		n := skipped(rest)
		if n == 0 && rest[0] == '$' {
			return q, errors.New("parameters have names: :id, :number, :digits")
		}
		if n == 0 && rest[0] == ';' && strings.TrimSpace(rest[1:]) != "" {
			return q, errors.New("one question, and nothing behind it")
		}
		if n == 0 && rest[0] == ':' {
			name := identifier(rest[1:])
			if name == "" || parameters[name] == nil {
				return q, fmt.Errorf(":%s is not known; there are :id, :number and :digits", name)
			}
			fmt.Fprintf(&out, "$%d", q.number(name))
			rest = rest[1+len(name):]
			continue
		}
		n = max(n, 1)
		out.WriteString(rest[:n])
		rest = rest[n:]
	}
	q.text = out.String()
	if len(q.names) == 0 {
		return q, errors.New("it does not say whom it asks about: :id, :number or :digits")
	}
	return q, nil
}

func firstLine(word string) string {
	word, _, _ = strings.Cut(word, "\n")
	return strings.TrimSpace(word)
}

// number is a parameter's.
func (q *namedQuery) number(name string) int {
	for i, known := range q.names {
		if known == name {
			return i + 1
		}
	}
	q.names = append(q.names, name)
	return len(q.names)
}

// skipped is how much of SQL, from its beginning on, is a text, a quoted name, a
// comment or a cast (Postgres' manual, 4.1); 0 when that does not begin with any.
func skipped(s string) int {
	until := func(from int, end string) int {
		if i := strings.Index(s[min(from, len(s)):], end); i >= 0 {
			return from + i + len(end)
		}
		return len(s)
	}
	switch {
	case strings.HasPrefix(s, "::"):
		return 2
	case s[0] == '\'', s[0] == '"':
		return until(1, s[:1])
	case strings.HasPrefix(s, "--"):
		return until(2, "\n")
	case strings.HasPrefix(s, "/*"):
		return until(2, "*/")
	case s[0] == '$':
		if tag := "$" + identifier(s[1:]) + "$"; strings.HasPrefix(s, tag) {
			return until(len(tag), tag)
		}
	}
	// A name with a $ in it is no parameter.
	return len(identifier(s))
}

// identifier is the name that SQL begins with, or "".
func identifier(s string) string {
	for i, r := range s {
		if r != '_' && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && r < 0x80 && (i == 0 || (r < '0' || r > '9')) {
			return s[:i]
		}
	}
	return s
}

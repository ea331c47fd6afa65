package configs

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"regexp"
	"strings"
)

// Postgres says how a Postgres database is reached. The secrets in it are
// references until DSN resolves them.
type Postgres struct {
	// URL is postgres://USER@HOST:PORT/DATABASE?..., or holds ${NAME}, a
	// reference to the environment, for the password or for the whole. "": none.
	URL string `key:"postgres"`
	// PasswordFile holds the password on its first line; "" for none.
	PasswordFile string `key:"password_file"`
}

// reference is ${NAME} and nothing else.
var reference = regexp.MustCompile(`^\$\{([A-Z_][A-Z0-9_]*)\}$`)

// DSN is the connection string with its secrets, for the store alone: never to
// be logged. Its errors don't repeat it. It is "" when there is no Postgres.
func (p Postgres) DSN() (string, error) {
	if p.URL == "" {
		return "", nil
	}
	text, err := resolved(p.URL)
	if err != nil {
		return "", fmt.Errorf("store.postgres: %w", err)
	}
	u, ok := postgresURL(text)
	if !ok {
		return "", errors.New("store.postgres: the environment does not hold postgres://USER@HOST:PORT/DATABASE")
	}
	if u.User != nil {
		if password, there := u.User.Password(); there {
			if password, err = resolved(password); err != nil {
				return "", fmt.Errorf("store.postgres: %w", err)
			}
			u.User = url.UserPassword(u.User.Username(), password)
		}
	}
	if p.PasswordFile != "" {
		password, err := firstLine(p.PasswordFile)
		if err != nil {
			return "", fmt.Errorf("store.password_file: %w", err)
		}
		u.User = url.UserPassword(u.User.Username(), password)
	}
	return u.String(), nil
}

// firstLine reads a password from its file.
func firstLine(path string) (string, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	password, _, _ := strings.Cut(string(b), "\n")
	return strings.TrimSuffix(password, "\r"), nil
}

// resolved reads a reference; other text stays as it is.
func resolved(text string) (string, error) {
	m := reference.FindStringSubmatch(text)
	if m == nil {
		return text, nil
	}
	if v := os.Getenv(m[1]); v != "" {
		return v, nil
	}
	return "", fmt.Errorf("the environment has no %s", m[1])
}

func postgresURL(text string) (*url.URL, bool) {
	// A reference in the place of the password is no URL before it is quoted.
	u, err := url.Parse(strings.NewReplacer("${", "$%7B", "}@", "%7D@").Replace(text))
	return u, err == nil && (u.Scheme == "postgres" || u.Scheme == "postgresql")
}

// store reads where things are kept.
func (s *serverReader) store(o *object) {
	st := &s.out.Store
	st.Journal = s.path(o.get("journal"), "var/journal")
	st.Path = s.path(o.get("path"), "var/cordboard.db")
	if n := o.get("postgres"); n != nil {
		st.Path = ""
		st.Postgres.URL = s.postgres(n)
		o.together("path", "postgres")
	}
	if n := o.get("password_file"); n != nil {
		st.Postgres.PasswordFile = s.path(n, "")
		switch u, ok := postgresURL(st.Postgres.URL); {
		case !o.has("postgres"):
			o.conflict("password_file", "password_file belongs to postgres, which is not there")
		case ok && u.User == nil:
			o.conflict("password_file", "password_file is given and postgres names no user")
		}
	}
	o.close()
}

// postgres reads a connection string that holds no secret by itself.
func (s *serverReader) postgres(n *node) string {
	text := s.text(n, 1000)
	if text == "" || reference.MatchString(text) {
		return text
	}
	u, ok := postgresURL(text)
	if !ok {
		s.wrong(n, "want postgres://USER@HOST:PORT/DATABASE or a reference such as ${CORDBOARD_DSN}")
		return ""
	}
	literal := u.Query().Has("password")
	if u.User != nil {
		password, there := u.User.Password()
		literal = literal || there && !reference.MatchString(password)
	}
	if literal {
		s.wrong(n, "a password does not belong in this file: write ${NAME} in its place, or use password_file")
		return ""
	}
	u.User, u.RawQuery = nil, ""
	if strings.Contains(u.String(), "$") {
		s.wrong(n, "a reference stands for the password or for the whole, nothing else")
		return ""
	}
	return text
}

package configs

import (
	"errors"
	"fmt"
	"net"
	"regexp"
	"strings"
)

// secretKeys are those, beside store.postgres, that may come from the environment.
var secretKeys = regexp.MustCompile(`^(sip\.trunks\..+\.password|(pops|interactions|callbacks|requests|consents)\..+\.token|sources\..+\.(token|password|secret))$`)

// Secret is the password, for the stack alone: never to be logged. Its errors
// don't repeat it.
func (t Trunk) Secret() (password string, err error) {
	key := "password"
	if t.Login.PasswordFile != "" {
		key = "password_file"
		password, err = firstLine(t.Login.PasswordFile)
	} else {
		password, err = resolved(t.Login.Password)
	}
	if err == nil && password == "" {
		err = errors.New("it is empty")
	}
	if err != nil {
		return "", fmt.Errorf("sip.trunks.%s.%s: %w", t.Name, key, err)
	}
	return password, nil
}

// login reads what a trunk is shown that asks for a password.
func (s *serverReader) login(trunk *object, out *Out) (l Login) {
	user, realm, password, file := trunk.get("user"), trunk.get("realm"), trunk.get("password"), trunk.get("password_file")
	if password != nil {
		if l.Password = s.text(password, 100); l.Password != "" && !reference.MatchString(l.Password) {
			s.wrong(password, "a password does not belong in this file: write ${NAME} in its place, or use password_file")
		}
	}
	if file != nil {
		l.PasswordFile = s.path(file, "")
	}
	if user == nil {
		for _, key := range []string{"realm", "password", "password_file"} {
			trunk.conflict(key, "%s belongs to user, which is not there", key)
		}
		return l
	}
	if !trunk.has("out") {
		trunk.conflict("user", "user is shown to who takes our calls: the trunk has no out")
	}
	if l.User = s.text(user, 200); strings.ContainsAny(l.User, ":\"\\") {
		s.wrong(user, "a user's name has no colon, quote or backslash")
	}
	if out != nil {
		l.Realm = hostAlone(out.Host)
	}
	if realm != nil {
		l.Realm = s.text(realm, 200)
	}
	trunk.together("password", "password_file")
	if password == nil && file == nil {
		s.errorf(user, CodeMissing, "user needs its password: password_file, or password: ${NAME}")
	}
	return l
}

// hostAlone is the host of host[:port].
func hostAlone(host string) string {
	if h, _, err := net.SplitHostPort(host); err == nil {
		return h
	}
	return strings.Trim(host, "[]")
}

// Host is the host that takes our calls by the trunk, without its port.
func (t Trunk) Host() string { return hostAlone(t.Out.Host) }

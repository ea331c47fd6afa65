package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cordboard/cordboard/cmd/cordboard/internal/app"
	"github.com/cordboard/cordboard/store"
)

// At a terminal a password is asked for twice: nobody sees what is typed.
func TestPasswordIsAskedForTwice(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		typed []string
		err   string
	}{
		"the same":     {[]string{"correct horse", "correct horse"}, ""},
		"another":      {[]string{"correct horse", "correct house"}, "the second one was another"},
		"nothing":      {[]string{""}, "a password is needed"},
		"short":        {[]string{"horse"}, "at least 8 characters"},
		"then nothing": {[]string{"correct horse", ""}, "the second one was another"},
	} {
		t.Run(name, func(t *testing.T) {
			asked := []string{}
			got, err := askTwice("Password: ", func(ask string) ([]byte, error) {
				asked = append(asked, ask)
				return []byte(c.typed[len(asked)-1]), nil
			})
			switch {
			case len(asked) != len(c.typed) || asked[0] != "Password: ":
				t.Errorf("asked %q", asked)
			case c.err == "" && (err != nil || got != c.typed[0]):
				t.Errorf("got %q, %v", got, err)
			case c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)):
				t.Errorf("error %v, want %s", err, c.err)
			}
		})
	}
}

// Who is an agent of the version that is live, made so by hand, may be added
// though the file does not list them; with a directory, those it lists.
func TestUserOfTheLiveVersion(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	folder := filepath.Dir(o.server)
	add := func(exit int, id, says string) {
		t.Helper()
		out, told, code := run(t, "correct horse\n", "user", "add", "-c", o.server, id)
		if code != exit || !strings.Contains(out+told, says) {
			t.Errorf("%s: exit %d, %q %q", id, code, out, told)
		}
	}
	file, err := os.ReadFile(filepath.Join(folder, "routing.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	s, err := openStore(t.Context(), o.server)
	if err != nil {
		t.Fatal(err)
	}
	text := append(file, "  zoe: {name: Zoe Falk, phone: \"sip:zoe@127.0.0.1:5063\"}\n"...)
	v, err := s.SaveVersion(t.Context(), app.NewVersion(text, "ines", "", ""))
	if err == nil {
		_, err = s.AddActivation(t.Context(), store.Activation{Version: v.Number, Who: "ines", Waiting: "keep", State: store.ActivationLive})
	}
	if err = errors.Join(err, s.Close()); err != nil {
		t.Fatal(err)
	}
	add(0, "zoe", "zoe may sign in as agent")
	add(1, "carla", "carla is no agent in "+filepath.Join(folder, "routing.yaml"))

	rest, people, _ := strings.Cut(string(file), "agents:")
	for name, text := range map[string]string{"routing.yaml": rest, "agents.yaml": "agents:" + people + "  ben: {name: Ben Lund, phone: \"sip:ben@127.0.0.1:5064\"}\n"} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if out, told, code := run(t, "", "check", o.server); code != 1 || !strings.Contains(out+told, "lists no agents, and the server file names no directory") {
		t.Errorf("nobody: exit %d, %q %q", code, out, told)
	}
	server, err := os.ReadFile(o.server)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(o.server, append(server, "directory: agents.yaml\n"...), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, told, code := run(t, "", "check", o.server); code != 0 || strings.Contains(out, "no --directory") {
		t.Errorf("with a directory: exit %d, %q %q", code, out, told)
	}
	add(0, "ben", "ben may sign in as agent")
	add(1, "carla", "carla is no agent in "+filepath.Join(folder, "agents.yaml"))
}

// Where a user is told of requests is said once, and what is left out stays.
func TestUserReach(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	reach := func(exit int, says string, words ...string) {
		t.Helper()
		out, told, code := run(t, "", append([]string{"user", "reach", "-c", o.server}, words...)...)
		if code != exit || !strings.Contains(out+told, says) {
			t.Errorf("%q: exit %d, %q %q", words, code, out, told)
		}
	}
	reach(1, "there is no user boss", "boss", "--mail", "boss@example.com")
	if out, told, code := run(t, "correct horse\n", "user", "add", "-c", o.server, "--role", "supervisor", "boss"); code != 0 {
		t.Fatal(out, told)
	}
	reach(1, "at least one of the flags", "boss")
	reach(1, "--mail: not an address", "boss", "--mail", "Boss <boss@example.com>")
	reach(1, "--mobile: not a number", "boss", "--mobile", "07700 900001")
	reach(0, "boss is told of requests: mail\n", "boss", "--mail", "boss@example.com")
	reach(0, "boss is told of requests: mail and short message\n", "boss", "--mobile", "+44 7700 900001")
	reach(0, "boss is told of requests: short message\n", "boss", "--mail", "")
	reach(0, "boss is told of requests: not at all\n", "boss", "--mobile", "")
}

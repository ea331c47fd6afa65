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

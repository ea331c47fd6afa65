package main

import (
	"strings"
	"testing"
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

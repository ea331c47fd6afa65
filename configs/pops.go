package configs

import (
	"errors"
	"fmt"
	"time"
)

// Pops is a PBX that keeps its queues and tells us of its calls, for the record
// to be on the agent's desk.
type Pops struct {
	Name      string
	Token     string `key:"token"`      // ${NAME}: a reference until Secret resolves it
	TokenFile string `key:"token_file"` // holds it on its first line
	Region    string `key:"region"`     // national numbers are read as that country's; "": none are
	// WrapUp is the agent's time for notes after a call, 0 for none; Longest ends a
	// call whose end is never told.
	WrapUp  time.Duration `key:"wrap_up"`
	Longest time.Duration `key:"longest"`
}

const (
	maxPops    = 64
	leastToken = 20 // characters: a token stands alone, without a user's name
)

// Secret is what the PBX shows, for the HTTP edge alone: never to be logged. Its
// errors don't repeat it.
func (p Pops) Secret() (token string, err error) {
	key := "token"
	if p.TokenFile != "" {
		key = "token_file"
		token, err = firstLine(p.TokenFile)
	} else {
		token, err = resolved(p.Token)
	}
	if err == nil && len(token) < leastToken {
		err = fmt.Errorf("a token has %d characters at least", leastToken)
	}
	if err != nil {
		return "", fmt.Errorf("pops.%s.%s: %w", p.Name, key, err)
	}
	return token, nil
}

// PopTokens are the tokens of all sources, by token. No two may have the same.
func (s *Server) PopTokens() (map[string]string, error) {
	out := make(map[string]string, len(s.Pops))
	var errs []error
	for _, p := range s.Pops {
		token, err := p.Secret()
		switch other, taken := out[token]; {
		case err != nil:
			errs = append(errs, err)
		case taken:
			errs = append(errs, fmt.Errorf("pops.%s: its token is that of pops.%s", p.Name, other))
		default:
			out[token] = p.Name
		}
	}
	return out, errors.Join(errs...)
}

func (s *serverReader) pops(n *node) {
	if n == nil {
		return
	}
	for i, p := range s.object(n).pairs {
		if i == maxPops {
			s.add(p.line, p.col, CodeLimit, "", "pops: at most %d", maxPops)
			return
		}
		if s.checkName(p, "") {
			s.out.Pops = append(s.out.Pops, s.popSource(p.key, p.value))
		}
	}
}

func (s *serverReader) popSource(name string, n *node) Pops {
	o := s.object(n)
	p := Pops{Name: name}
	token, file := o.get("token"), o.get("token_file")
	if token != nil {
		if p.Token = s.text(token, 100); p.Token != "" && !reference.MatchString(p.Token) {
			s.wrong(token, "a token does not belong in this file: write ${NAME} in its place, or use token_file")
		}
	}
	if file != nil {
		p.TokenFile = s.path(file, "")
	}
	o.together("token", "token_file")
	if token == nil && file == nil && !o.bad {
		s.errorf(n, CodeMissing, "%s: what the PBX shows is missing: token_file, or token: ${NAME}", n.label())
	}
	if r := o.get("region"); r != nil {
		p.Region = s.region(r)
	}
	p.WrapUp = s.duration(o.get("wrap_up"), 0, time.Hour, 30*time.Second)
	p.Longest = s.duration(o.get("longest"), time.Minute, 24*time.Hour, 4*time.Hour)
	o.close()
	return p
}

package configs

import "time"

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

const maxPops = 64

// Secret is what the PBX shows, for the HTTP edge alone: never to be logged. Its
// errors don't repeat it.
func (p Pops) Secret() (string, error) { return tokenOf("pops."+p.Name, p.Token, p.TokenFile) }

// PopTokens are the tokens of all sources, by token. No two may have the same.
func (s *Server) PopTokens() (map[string]string, error) {
	return tokensOf("pops", s.Pops, func(p Pops) (string, func() (string, error)) { return p.Name, p.Secret })
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
	p.Token, p.TokenFile = s.token(n, o, "the PBX")
	if r := o.get("region"); r != nil {
		p.Region = s.region(r)
	}
	p.WrapUp = s.duration(o.get("wrap_up"), 0, time.Hour, 30*time.Second)
	p.Longest = s.duration(o.get("longest"), time.Minute, 24*time.Hour, 4*time.Hour)
	o.close()
	return p
}

package configs

// Sender is an outside system that writes interactions into customers' stories: a
// web shop, a mail desk, a chat.
type Sender struct {
	Name      string // also its place in the address, and what a desk shows
	Token     string `key:"token"`      // ${NAME}: a reference until Secret resolves it
	TokenFile string `key:"token_file"` // holds it on its first line
	Region    string `key:"region"`     // national numbers are read as that country's; "": none are
}

const maxSenders = 64

// Secret is what the system shows, for the HTTP edge alone: never to be logged. Its
// errors don't repeat it.
func (p Sender) Secret() (string, error) {
	return tokenOf("interactions."+p.Name, p.Token, p.TokenFile)
}

// SenderTokens are the tokens of all of them, by token. No two may have the same.
func (s *Server) SenderTokens() (map[string]string, error) {
	return tokensOf("interactions", s.Senders, func(p Sender) (string, func() (string, error)) { return p.Name, p.Secret })
}

func (s *serverReader) senders(n *node) {
	if n == nil {
		return
	}
	for i, p := range s.object(n).pairs {
		if i == maxSenders {
			s.add(p.line, p.col, CodeLimit, "", "interactions: at most %d", maxSenders)
			return
		}
		if s.checkName(p, "") {
			s.out.Senders = append(s.out.Senders, s.sender(p.key, p.value))
		}
	}
}

func (s *serverReader) sender(name string, n *node) Sender {
	o := s.object(n)
	p := Sender{Name: name}
	p.Token, p.TokenFile = s.token(n, o, "the system")
	if r := o.get("region"); r != nil {
		p.Region = s.region(r)
	}
	o.close()
	return p
}

package configs

// Sender is an outside system with a token of its own: one that writes interactions
// into customers' stories (a web shop, a mail desk, a chat), one that asks for
// customers to be called, one that opens requests, or one that asks whether customers
// may be contacted and says what they agreed to.
type Sender struct {
	Name      string // also its place in addresses, and what a desk shows
	Token     string `key:"token"`      // ${NAME}: a reference until its tokens are read
	TokenFile string `key:"token_file"` // holds it on its first line
	Region    string `key:"region"`     // national numbers are read as that country's; "": none are
}

const maxSenders = 64

// The sections of such systems.
const (
	ofInteractions = "interactions"
	ofCallbacks    = "callbacks"
	ofRequests     = "requests"
	ofConsents     = "consents"
)

// SenderTokens are the tokens of all that write interactions, by token, for the HTTP
// edge alone: never to be logged. No two may have the same.
func (s *Server) SenderTokens() (map[string]string, error) {
	return senderTokens(ofInteractions, s.Senders)
}

// AskerTokens are those of all that ask for customers to be called, likewise.
func (s *Server) AskerTokens() (map[string]string, error) { return senderTokens(ofCallbacks, s.Askers) }

// RequestTokens are those of all that open requests, likewise.
func (s *Server) RequestTokens() (map[string]string, error) {
	return senderTokens(ofRequests, s.Requests)
}

// ConsentTokens are those of all that ask whether customers may be contacted, likewise.
func (s *Server) ConsentTokens() (map[string]string, error) {
	return senderTokens(ofConsents, s.Consents)
}

func senderTokens(section string, list []Sender) (map[string]string, error) {
	return tokensOf(section, list, func(p Sender) (string, func() (string, error)) {
		return p.Name, func() (string, error) { return tokenOf(section+"."+p.Name, p.Token, p.TokenFile) }
	})
}

func (s *serverReader) senders(section string, n *node) (out []Sender) {
	if n == nil {
		return nil
	}
	for i, p := range s.object(n).pairs {
		if i == maxSenders {
			s.add(p.line, p.col, CodeLimit, "", "%s: at most %d", section, maxSenders)
			return out
		}
		if s.checkName(p, "") {
			out = append(out, s.sender(p.key, p.value))
		}
	}
	return out
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

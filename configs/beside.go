package configs

import "github.com/cordboard/cordboard/agents"

// Beside holds a document against the server file that names it: what it asks
// for and that file does not give is refused where it stands.
func Beside(s *Server) Option { return func(c *compiler) { c.server = s } }

// hasStaff sees that somebody could take a call.
func (c *compiler) hasStaff(o *object) {
	if c.server != nil && c.dir == nil && !o.has("agents") {
		c.add(1, 1, CodeMissing, "", "the document lists no agents, and the server file names no directory: nobody could take a call")
	}
}

// canCall sees that the server can reach an agent's phone. n is the phone, or the
// agent where the phone is left to be a registered one.
func (c *compiler) canCall(n *node, p agents.Phone) {
	switch {
	case c.server == nil:
	case p.Registered && c.server.SIP.Registrar == nil:
		c.errorf(n, CodeConflict, "the agent's phone registers here, and the server file has no sip.registrar")
	case p.Number != "":
		c.canDial(n)
	}
}

// canDial sees that a call can leave the house.
func (c *compiler) canDial(n *node) {
	if c.server == nil {
		return
	}
	for _, t := range c.server.SIP.Trunks {
		if t.Out != nil {
			return
		}
	}
	c.errorf(n, CodeConflict, "a number is called, and no trunk of the server file has out")
}

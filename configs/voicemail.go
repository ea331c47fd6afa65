package configs

import (
	"slices"
	"time"
)

// Voicemail is how mailboxes take messages.
type Voicemail struct {
	Longest time.Duration `key:"longest"` // of one message
	Silence time.Duration `key:"silence"` // after which it ends
	Keep    time.Duration `key:"keep"`    // messages are removed so long after they were left
	// Mailboxes are those that there are; none listed: each that a document names.
	Mailboxes []string `key:"mailboxes"`
}

const maxMailboxes = 1000

func (s *serverReader) voicemail(o *object) {
	v := &s.out.Voicemail
	v.Longest = s.duration(o.get("longest"), 10*time.Second, 15*time.Minute, 3*time.Minute)
	v.Silence = s.duration(o.get("silence"), 3*time.Second, 30*time.Second, 10*time.Second)
	v.Keep = s.duration(o.get("keep"), 24*time.Hour, 3650*24*time.Hour, 90*24*time.Hour)
	for _, item := range s.list(o.get("mailboxes"), maxMailboxes) {
		name := s.name(item)
		switch {
		case name == "":
		case slices.Contains(v.Mailboxes, name):
			s.errorf(item, CodeDuplicate, "%s: %s is listed twice", item.label(), name)
		default:
			v.Mailboxes = append(v.Mailboxes, name)
		}
	}
	o.close()
}

// hasMailbox sees that the server has the mailbox which an action names.
func (c *compiler) hasMailbox(n *node, name string) {
	if c.server == nil || len(c.server.Voicemail.Mailboxes) == 0 || name == "" || slices.Contains(c.server.Voicemail.Mailboxes, name) {
		return
	}
	c.errorf(n, "Q704", "%s: mailbox %s does not exist: the server file lists others", n.label(), quote(name))
}

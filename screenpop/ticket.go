package screenpop

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"sync"
	"time"

	"github.com/cordboard/cordboard/agents"
)

const (
	ticketLife    = 30 * time.Second
	ticketsOfOne  = 8    // of one login session at once; the oldest goes first
	ticketsPruned = 1024 // held before expired ones are looked for
)

// ticket lets one socket in: once, for 30 s, for one login session.
type ticket struct {
	agent   agents.ID
	session string
	expires time.Time
}

// tickets holds those given out and not yet used, by the SHA-256 of their text.
type tickets struct {
	clock func() time.Time
	mu    sync.Mutex
	held  map[[sha256.Size]byte]ticket
}

func (t *tickets) init(clock func() time.Time) {
	t.clock, t.held = clock, map[[sha256.Size]byte]ticket{}
}

// secret returns 256 random bits as text.
func secret() string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the process instead
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// Ticket gives out a ticket for a desk socket of the agent: it works once,
// for the time returned, and dies with the login session named by sessionKey.
func (h *Hub) Ticket(agent agents.ID, sessionKey string) (string, time.Duration) {
	return h.tickets.give(agent, sessionKey), ticketLife
}

func (t *tickets) give(agent agents.ID, session string) string {
	text := secret()
	now := t.clock()
	t.mu.Lock()
	defer t.mu.Unlock()
	var mine int
	var oldest [sha256.Size]byte
	var first time.Time
	prune := len(t.held) >= ticketsPruned
	for k, v := range t.held {
		if prune && !now.Before(v.expires) {
			delete(t.held, k)
			continue
		}
		if v.session == session {
			if mine++; mine == 1 || v.expires.Before(first) {
				oldest, first = k, v.expires
			}
		}
	}
	if mine >= ticketsOfOne {
		delete(t.held, oldest)
	}
	t.held[sha256.Sum256([]byte(text))] = ticket{agent, session, now.Add(ticketLife)}
	return text
}

// take uses a ticket up.
func (t *tickets) take(text string) (ticket, bool) {
	key := sha256.Sum256([]byte(text))
	t.mu.Lock()
	defer t.mu.Unlock()
	v, ok := t.held[key]
	delete(t.held, key)
	return v, ok && t.clock().Before(v.expires)
}

// drop forgets every ticket of a login session.
func (t *tickets) drop(session string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for k, v := range t.held {
		if v.session == session {
			delete(t.held, k)
		}
	}
}

package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/cordboard/cordboard/agents"
)

// What telephones need: their secrets and where they registered from.
const (
	// A secret that was set for the telephone alone stays when the desk's
	// password changes.
	qSaveUserPhone = `UPDATE users SET phone_realm = $2, phone_md5 = $3, phone_sha256 = $4 WHERE id = $1 AND phone_own = 0`
	qSavePhone     = `UPDATE users SET phone_realm = $2, phone_md5 = $3, phone_sha256 = $4, phone_own = 1, changed_at = $5 WHERE id = $1`
	qPhoneOwn      = `SELECT phone_own FROM users WHERE id = $1`
	qPhoneSecrets  = `SELECT id, phone_realm, phone_md5, phone_sha256 FROM users WHERE phone_md5 <> '' AND phone_sha256 <> ''`

	qSaveBinding = `INSERT INTO phone_bindings (agent, contact, uri, instance, call_id, cseq, q, source, transport, at, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
		ON CONFLICT (agent, contact) DO UPDATE SET uri = excluded.uri, instance = excluded.instance,
			call_id = excluded.call_id, cseq = excluded.cseq, q = excluded.q, source = excluded.source,
			transport = excluded.transport, at = excluded.at, expires_at = excluded.expires_at`
	qRemoveBinding = `DELETE FROM phone_bindings WHERE agent = $1 AND contact = $2`
	qBindings      = `SELECT agent, contact, uri, instance, call_id, cseq, q, source, transport, at, expires_at
		FROM phone_bindings ORDER BY agent, contact`
)

// PhoneSecret is what a user's telephone authenticates with: HA1 of RFC 7616 for
// either algorithm, in lower case hex, and the realm they were made with.
type PhoneSecret struct {
	Realm, MD5, SHA256 string
}

// SavePhoneSecret sets a secret for the user's telephone alone: the desk's
// password leaves it be from then on. ErrNotFound when there is no such user.
func (s *Store) SavePhoneSecret(ctx context.Context, user string, p PhoneSecret) error {
	err := s.write.inTx(ctx, func(t *tx) error {
		n, err := t.exec(qSavePhone, user, p.Realm, p.MD5, p.SHA256, time.Now().UnixMicro())
		if err == nil && n == 0 {
			err = ErrNotFound
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("store: save a telephone's secret: %w", err)
	}
	return nil
}

// HasOwnPhoneSecret reports whether the user's telephone has a secret that is
// not the desk's password.
func (s *Store) HasOwnPhoneSecret(ctx context.Context, user string) (bool, error) {
	var own int
	if err := s.read.row(ctx, qPhoneOwn, []any{user}, &own); err != nil {
		return false, fmt.Errorf("store: a telephone's secret: %w", err)
	}
	return own == 1, nil
}

// PhoneSecrets reads the telephones' secrets by user.
func (s *Store) PhoneSecrets(ctx context.Context) (map[string]PhoneSecret, error) {
	out := map[string]PhoneSecret{}
	err := each(ctx, s.read, qPhoneSecrets, nil, func(row *sql.Rows) error {
		var id string
		var p PhoneSecret
		err := row.Scan(&id, &p.Realm, &p.MD5, &p.SHA256)
		out[id] = p
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("store: telephones' secrets: %w", err)
	}
	return out, nil
}

// PhoneBinding is one registration of a telephone (registrar.Binding).
type PhoneBinding struct {
	Agent     agents.ID
	Key       string // of its contact
	Contact   string
	Instance  string
	CallID    string
	CSeq      uint32
	Q         int
	Source    string
	Transport string
	At        time.Time
	Expires   time.Time
}

type bindingKey struct {
	agent agents.ID
	key   string
}

// SaveBinding stores a registration. It does not block.
func (s *Store) SaveBinding(b PhoneBinding) { s.w.put(bindingSaved{b}, true) }

// RemoveBinding forgets one that has ended. It does not block.
func (s *Store) RemoveBinding(agent agents.ID, key string) {
	s.w.put(bindingRemoved{agent, key}, true)
}

type bindingSaved struct{ b PhoneBinding }

func (in bindingSaved) fold(_ *writer, b *batch) bool {
	b.bindings[bindingKey{in.b.Agent, in.b.Key}] = &in.b
	return true
}

type bindingRemoved bindingKey

func (in bindingRemoved) fold(_ *writer, b *batch) bool {
	b.bindings[bindingKey(in)] = nil
	return true
}

func writeBinding(t *tx, key bindingKey, b *PhoneBinding) error {
	var err error
	if b == nil {
		_, err = t.exec(qRemoveBinding, string(key.agent), key.key)
	} else {
		_, err = t.exec(qSaveBinding, string(b.Agent), b.Key, b.Contact, b.Instance, b.CallID, int64(b.CSeq), b.Q,
			b.Source, b.Transport, b.At.UnixMicro(), b.Expires.UnixMicro())
	}
	if err != nil {
		return fmt.Errorf("registration of agent %s: %w", key.agent, err)
	}
	return nil
}

// Bindings reads the stored registrations, by agent and contact.
func (s *Store) Bindings(ctx context.Context) ([]PhoneBinding, error) {
	var out []PhoneBinding
	err := each(ctx, s.read, qBindings, nil, func(row *sql.Rows) error {
		var b PhoneBinding
		var at, expires sql.NullInt64
		err := row.Scan(&b.Agent, &b.Key, &b.Contact, &b.Instance, &b.CallID, &b.CSeq, &b.Q, &b.Source, &b.Transport, &at, &expires)
		b.At, b.Expires = instant(at), instant(expires)
		out = append(out, b)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("store: registrations: %w", err)
	}
	return out, nil
}

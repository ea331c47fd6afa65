package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/cordboard/cordboard/screenpop/customer"
	"github.com/cordboard/cordboard/screenpop/customer/permission"
)

// Consent is what a customer has said to being contacted, and how we know.
type Consent struct {
	permission.Said
	Source    string // the outside system that has written it; "": our agents
	SourceID  string // its own
	By        *customer.Colleague
	Evidence  string // what he said or signed, or where that lies
	WrittenAt time.Time
}

// ErrConsentChanged refuses something else under the id of what was said before:
// a customer who says something else says it later.
var ErrConsentChanged = errors.New("another word of a customer has this id")

const (
	qSaveConsent = `INSERT INTO consents (customer, purpose, channel, state, at, expires_at, source, source_id, agent, agent_name, evidence, written_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`
	qSelectConsent = `SELECT customer, purpose, channel, state, at, expires_at, source, source_id, agent, agent_name, evidence, written_at FROM consents `
	qConsentsOf    = qSelectConsent + `WHERE customer = $1 ORDER BY at DESC, id DESC`
	qConsentSent   = qSelectConsent + `WHERE source = $1 AND source <> '' AND source_id = $2`
)

// SaveConsent adds what a customer has said, who is named by id or by a number that is
// his alone (SeveralError; ErrNotFound). What a source has said under its own id it may
// say again, which changes nothing: created is false then.
func (s *Store) SaveConsent(ctx context.Context, who Person, c Consent) (id string, created bool, err error) {
	c.At, c.Expires, c.WrittenAt = c.At.UTC().Truncate(time.Microsecond), c.Expires.UTC().Truncate(time.Microsecond), time.Now()
	c.Evidence = fitting(c.Evidence)
	err = s.write.inTx(ctx, func(t *tx) error {
		if id, err = holdCustomer(t, who); err != nil {
			return err
		}
		if c.Source != "" {
			if created, err = isNewConsent(t, id, &c); err != nil || !created {
				return err
			}
		}
		created = true
		by := orNobody(c.By)
		return t.put(qSaveConsent, id, string(c.Purpose), string(c.Channel), string(c.State), c.At.UnixMicro(), micros(c.Expires),
			c.Source, c.SourceID, by.Agent, by.Name, c.Evidence, c.WrittenAt.UnixMicro())
	})
	if err != nil {
		return "", false, fmt.Errorf("store: consent: %w", err)
	}
	return id, created, nil
}

// isNewConsent says whether the source has said nothing yet under this id.
func isNewConsent(t *tx, id string, c *Consent) (fresh bool, err error) {
	fresh = true
	accounts, err := accountsOf(t.ctx, t, id)
	if err != nil {
		return false, err
	}
	err = each(t.ctx, t, qConsentSent, []any{c.Source, c.SourceID}, func(rows *sql.Rows) error {
		var owner string
		old, err := scanConsent(rows, &owner)
		if err != nil {
			return err
		}
		fresh = false
		if !slices.Contains(accounts, owner) || !old.At.Equal(c.At) || !old.Expires.Equal(c.Expires) || old.Purpose != c.Purpose || old.Channel != c.Channel ||
			old.State != c.State || old.Evidence != c.Evidence || orNobody(old.By) != orNobody(c.By) {
			return ErrConsentChanged
		}
		return nil
	})
	return fresh, err
}

// Consents are all that a customer has said, the latest first; also as whom he was
// merged with.
func (s *Store) Consents(ctx context.Context, id string) (out []Consent, err error) {
	accounts, err := accountsOf(ctx, s.read, id)
	if err == nil {
		out, err = s.consentsOf(ctx, accounts)
	}
	if err != nil {
		return nil, fmt.Errorf("store: consents: %w", err)
	}
	return out, nil
}

func (s *Store) consentsOf(ctx context.Context, accounts []string) (out []Consent, err error) {
	for _, id := range accounts {
		err := s.read.ask(ctx, qConsentsOf, []any{id}, func(row scanner) error {
			var owner string
			c, err := scanConsent(row, &owner)
			out = append(out, c)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	slices.SortStableFunc(out, func(a, b Consent) int { return b.At.Compare(a.At) })
	return out, nil
}

func scanConsent(row scanner, owner *string) (c Consent, err error) {
	var at, written, expires sql.NullInt64
	var by customer.Colleague
	err = row.Scan(owner, &c.Purpose, &c.Channel, &c.State, &at, &expires, &c.Source, &c.SourceID, &by.Agent, &by.Name, &c.Evidence, &written)
	c.At, c.Expires, c.WrittenAt = instant(at), instant(expires), instant(written)
	if by != (customer.Colleague{}) {
		c.By = &by
	}
	return c, err
}

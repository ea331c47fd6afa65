package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/cordboard/cordboard/screenpop/customer"
)

// saveGroup is how many customers one transaction takes: small enough for the
// ledger not to wait long behind it.
const saveGroup = 200

// SaveCustomers adds customers or brings them to the given records, by id. What
// our own agents added (contacts, and the last agent when later) stays. A
// record that was given before just so changes nothing, not even its version;
// only its billing counts as read anew.
func (s *Store) SaveCustomers(ctx context.Context, records []customer.Record) error {
	for len(records) > 0 {
		n := min(len(records), saveGroup)
		if err := s.saveGroup(ctx, records[:n]); err != nil {
			return fmt.Errorf("store: save customers: %w", err)
		}
		records = records[n:]
	}
	return nil
}

func (s *Store) saveGroup(ctx context.Context, records []customer.Record) error {
	return s.write.inTx(ctx, func(t *tx) error {
		for i := range records {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := saveCustomer(t, &records[i]); err != nil {
				return err
			}
		}
		return nil
	})
}

func saveCustomer(t *tx, r *customer.Record) error {
	hash, err := hashOf(r)
	if err != nil {
		return err
	}
	var before string
	var version int64
	switch err := t.row(qCustomerHash, []any{r.ID}, &before, &version); {
	case errors.Is(err, ErrNotFound):
		version = max(r.Version, 1)
	case err != nil:
		return err
	case before == hash:
		if r.Billing == nil {
			return nil
		}
		_, err := t.exec(qFreshenBilling, r.ID, r.Billing.At.UnixMicro())
		return err
	default:
		version = max(r.Version, version+1)
		for _, q := range []string{qDropNumbers, qDropBilling, qDropProducts, qDropTickets, qDropInteractions} {
			if _, err := t.exec(q, r.ID); err != nil {
				return err
			}
		}
	}
	if err := saveHead(t, r, version, hash); err != nil {
		return err
	}
	return saveParts(t, r)
}

// hashOf tells whether a record is the one given before. That its billing was
// read again is no change.
func hashOf(r *customer.Record) (string, error) {
	of := *r
	if r.Billing != nil {
		bill := *r.Billing
		bill.At, of.Billing = time.Time{}, &bill
	}
	b, err := json.Marshal(of)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:16]), nil
}

func saveHead(t *tx, r *customer.Record, version int64, hash string) error {
	reasons, err1 := toList(r.ChurnReasons)
	heed, err2 := toList(r.Heed)
	others, err3 := toList(r.Others)
	if err := errors.Join(err1, err2, err3); err != nil {
		return err
	}
	yearly, yearlyCurrency := columns(r.YearlyValue)
	var churn any
	if r.ChurnRisk != nil {
		churn = *r.ChurnRisk
	}
	manager, last := orNobody(r.AccountManager), orNobody(r.LastAgent)
	_, err := t.exec(qSaveCustomer, r.ID, version, r.Name, r.Language, r.Country, r.Zone, r.Segment, flag(r.KeyAccount), r.CustomerSince,
		yearly, yearlyCurrency, churn, reasons, heed,
		maybeFlag(r.Consent.Phone), maybeFlag(r.Consent.Mail), maybeFlag(r.Consent.SMS), maybeFlag(r.Consent.Recording),
		manager.Agent, manager.Name, last.Agent, last.Name, maybeMicros(r.LastAgentAt),
		max(r.Contacts-len(r.Interactions), 0), others, hash, time.Now().UnixMicro())
	if err != nil || r.LastAgent == nil || r.LastAgentAt == nil {
		return err
	}
	_, err = t.exec(qRaiseLastAgent, r.ID, last.Agent, last.Name, r.LastAgentAt.UnixMicro())
	return err
}

func saveParts(t *tx, r *customer.Record) error {
	for i, n := range r.Numbers {
		if _, err := t.exec(qAddNumber, n.E164, r.ID, n.Label, i); err != nil {
			return err
		}
	}
	for i, p := range r.Products {
		price, currency := columns(p.Price)
		if _, err := t.exec(qAddProduct, r.ID, p.ID, i, p.Kind, p.Name, p.Detail, p.Status, p.Note, price, currency); err != nil {
			return err
		}
	}
	for _, k := range r.Tickets {
		if _, err := t.exec(qAddTicket, r.ID, k.ID, k.Title, k.Detail, k.Topic, k.Kind, k.Status,
			k.OpenedAt.UnixMicro(), maybeMicros(k.DueAt), maybeMicros(k.ClosedAt)); err != nil {
			return err
		}
	}
	for _, i := range r.Interactions {
		by := orNobody(i.Agent)
		var call any
		if i.Call != 0 {
			call = i.Call
		}
		if _, err := t.exec(qAddInteraction, r.ID, i.ID, i.At.UnixMicro(), i.Channel, i.Title, i.Detail, i.Topic,
			by.Agent, by.Name, i.Note, i.Disposition, i.DurationS, call, nil, maybeMicros(i.PromisedBy), maybeFlag(i.Kept)); err != nil {
			return err
		}
	}
	return saveBilling(t, r)
}

func saveBilling(t *tx, r *customer.Record) error {
	b := r.Billing
	if b == nil {
		return nil
	}
	overdue, overdueCurrency := columns(b.Overdue)
	last, lastCurrency := columns(b.LastBill)
	owe, oweCurrency := columns(b.WeOwe)
	_, err := t.exec(qSaveBilling, r.ID, b.Balance.Minor, b.Balance.Currency, overdue, overdueCurrency, b.OverdueAge,
		last, lastCurrency, b.LastBillOn, b.PaidOn, b.NextBillOn, owe, oweCurrency, b.WeOweSince, b.Source, b.At.UnixMicro())
	return err
}

func orNobody(c *customer.Colleague) customer.Colleague {
	if c == nil {
		return customer.Colleague{}
	}
	return *c
}

func maybeMicros(t *time.Time) any {
	if t == nil {
		return nil
	}
	return t.UnixMicro()
}

func maybeFlag(b *bool) any {
	if b == nil {
		return nil
	}
	return flag(*b)
}

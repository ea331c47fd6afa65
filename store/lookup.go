package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/cordboard/cordboard/screenpop/customer"
)

const (
	maxInteractions = 50 // shown of one record
	maxCandidates   = 10 // shown for one number
)

// Lookup finds the customers of a number (customer.Source): one, several or
// none. Contacts that are still to be written are in what it returns.
func (s *Store) Lookup(ctx context.Context, e164 string) (customer.Match, error) {
	if e164 == "" {
		return customer.Match{}, nil
	}
	found, err := s.find(ctx, qDocumentsByNumber, e164, maxCandidates)
	if err != nil {
		return customer.Match{}, fmt.Errorf("store: look-up: %w", err)
	}
	return customer.MatchOf(found, e164, time.Now()), nil
}

// Customer reads the record that shows a customer, by id; ErrNotFound when there is
// none. It is another's when he was merged into that.
func (s *Store) Customer(ctx context.Context, id string) (customer.Record, error) {
	found, err := s.find(ctx, qDocumentByID, id)
	if err == nil && len(found) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return customer.Record{}, fmt.Errorf("store: customer: %w", err)
	}
	return found[0], nil
}

// CountCustomers counts the customers.
func (s *Store) CountCustomers(ctx context.Context) (n int64, err error) {
	if err := s.read.row(ctx, qCountCustomers, nil, &n); err != nil {
		return 0, fmt.Errorf("store: count customers: %w", err)
	}
	return n, nil
}

// find reads records by their documents. One without a document that counts is
// put together from the tables.
func (s *Store) find(ctx context.Context, query string, args ...any) ([]customer.Record, error) {
	defer s.pending.end(s.pending.begin())
	read, users, err := s.documents(ctx, query, args)
	if err != nil || len(read) == 0 {
		return nil, err
	}
	names, err := s.namesAt(ctx, users)
	if err != nil {
		return nil, err
	}
	found := make([]customer.Record, 0, len(read))
	for i := range read {
		r, err := s.recordOf(ctx, &read[i])
		if errors.Is(err, ErrNotFound) {
			continue // gone since
		}
		if err != nil {
			return nil, err
		}
		r.SpokeLast()
		called(&r, names)
		overlaid(&r, "", s.pending.of(r.ID), names)
		for _, a := range r.Accounts {
			overlaid(&r, a.ID, s.pending.of(a.ID), names)
		}
		found = append(found, r)
	}
	return found, nil
}

// storedRecord is a customer's document with what is put into it when it is
// read.
type storedRecord struct {
	document
	there  bool
	now    int64 // the customer's version
	last   customer.Colleague
	lastAt sql.NullInt64
	billed sql.NullInt64
}

// documents reads them, and the count of changes to our users.
func (s *Store) documents(ctx context.Context, query string, args []any) (out []storedRecord, users int64, err error) {
	err = s.read.ask(ctx, query, args, func(row scanner) error {
		var d storedRecord
		var version, contacts, own sql.NullInt64
		var record, history sql.NullString
		err := row.Scan(&d.customer, &d.now, &d.last.Agent, &d.last.Name, &d.lastAt, &d.billed,
			&version, &contacts, &own, &record, &history, &users)
		d.there, d.version, d.contacts, d.own = record.Valid, version.Int64, int(contacts.Int64), own.Int64
		d.record, d.history = record.String, history.String
		if !slices.ContainsFunc(out, func(o storedRecord) bool { return o.customer == d.customer }) { // accounts of one may share a number
			out = append(out, d)
		}
		return err
	})
	return out, users, err
}

func (s *Store) recordOf(ctx context.Context, d *storedRecord) (customer.Record, error) {
	if !d.there {
		return s.assembled(ctx, d.customer)
	}
	r, err := d.read()
	if err != nil { // somebody's hand was in it
		return s.assembled(ctx, d.customer)
	}
	if since := d.now - d.version; since != 0 {
		whole, err := s.addSince(ctx, d, &r, since)
		if err != nil {
			return r, err
		}
		if !whole {
			return s.assembled(ctx, d.customer)
		}
	}
	if d.last.Agent != "" {
		r.LastAgent = &d.last
	}
	r.LastAgentAt = maybe(d.lastAt)
	if r.Billing != nil {
		r.Billing.At = instant(d.billed)
	}
	return r, nil
}

// assembled puts a record together from the tables, as of one instant, and has
// its document stored.
func (s *Store) assembled(ctx context.Context, id string) (customer.Record, error) {
	r, own, err := s.assemble(ctx, id, maxInteractions)
	if err != nil {
		return r, err
	}
	d, err := documentOf(&r, own)
	if err != nil {
		return r, err
	}
	s.rebuild.add(d)
	return r, nil
}

// each runs a query and hands over its rows.
func each(ctx context.Context, p querier, query string, args []any, do func(*sql.Rows) error) (err error) {
	rows, err := p.query(ctx, query, args...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		if err := do(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// assemble puts a record together from the tables with at most so many
// interactions, and counts the contacts of our own in it. Names are as they were
// stored. Without the customer's own row the error is ErrNotFound, and what hangs on
// his id is in the record all the same.
func (s *Store) assemble(ctx context.Context, id string, most int) (r customer.Record, own int64, err error) {
	r, own, merges, err := s.assembleOwn(ctx, id, most)
	if err != nil {
		return r, own, err
	}
	return r, own, s.joined(ctx, &r, merges, most)
}

// assembleOwn is a customer's own part of the record, and the merges that there are
// more of.
func (s *Store) assembleOwn(ctx context.Context, id string, most int) (r customer.Record, own int64, merges []Merge, err error) {
	there := false
	asks := append([]ask{{qCustomerByID, []any{id}, func(row scanner) error {
		there = true
		return scanCustomer(row, &r, &own)
	}}, {qMergesInto, []any{id}, func(row scanner) error {
		m, err := scanMerge(row)
		merges = append(merges, m)
		return err
	}}}, partsOf(&r, id, most)...)
	if err := s.read.askAll(ctx, asks); err != nil {
		return r, 0, nil, err
	}
	if !there {
		return r, 0, nil, ErrNotFound
	}
	return r, own, merges, nil
}

// ask is a question and what becomes of each row of the answer.
type ask struct {
	query string
	args  []any
	row   func(scanner) error
}

// partsOf reads what hangs on a customer: four queries by index.
func partsOf(r *customer.Record, id string, most int) []ask {
	r.Numbers, r.Products, r.Tickets, r.Interactions =
		[]customer.Number{}, []customer.Product{}, []customer.Ticket{}, []customer.Interaction{}
	return []ask{
		{qNumbers, []any{id}, func(row scanner) error {
			n, err := scanNumber(row)
			r.Numbers = append(r.Numbers, n)
			return err
		}},
		{qProducts, []any{id}, func(row scanner) error {
			var p customer.Product
			var price money
			err := row.Scan(&p.ID, &p.Kind, &p.Name, &p.Detail, &p.Status, &p.Note, &price.minor, &price.currency)
			p.Price = price.read()
			r.Products = append(r.Products, p)
			return err
		}},
		{qTickets, []any{id}, func(row scanner) error {
			var t customer.Ticket
			var opened, due, closed sql.NullInt64
			err := row.Scan(&t.ID, &t.Title, &t.Detail, &t.Topic, &t.Kind, &t.Status, &opened, &due, &closed)
			t.OpenedAt, t.DueAt, t.ClosedAt = instant(opened), maybe(due), maybe(closed)
			r.Tickets = append(r.Tickets, t)
			return err
		}},
		{qInteractions, []any{id, most}, func(row scanner) error {
			i, err := scanInteraction(row)
			r.Interactions = append(r.Interactions, i)
			return err
		}},
	}
}

func scanInteraction(row scanner) (customer.Interaction, error) {
	var i customer.Interaction
	var at, call, promised, kept, changed sql.NullInt64
	var by customer.Colleague
	var links string
	err := row.Scan(&i.ID, &at, &i.Channel, &i.Title, &i.Detail, &i.Topic, &by.Agent, &by.Name, &i.Note,
		&i.Disposition, &i.DurationS, &call, &promised, &kept, &i.Source, &changed, &links)
	i.ChangedAt = maybe(changed)
	i.At, i.Call, i.PromisedBy, i.Kept = instant(at), call.Int64, maybe(promised), yesNo(kept)
	if by != (customer.Colleague{}) {
		i.Agent = &by
	}
	return i, errors.Join(err, fromList(links, &i.Links))
}

func scanCustomer(row scanner, r *customer.Record, own *int64) error {
	var yearly money
	var bill billRow
	var key, churn, phone, mail, sms, recording, lastAt sql.NullInt64
	var reasons, heed, others, traits string
	var manager, last customer.Colleague
	err := row.Scan(&r.ID, &r.Version, &r.Name, &r.Language, &r.Country, &r.Zone, &r.Segment, &key, &r.CustomerSince,
		&yearly.minor, &yearly.currency, &churn, &reasons, &heed, &phone, &mail, &sms, &recording,
		&manager.Agent, &manager.Name, &last.Agent, &last.Name, &lastAt, &r.Contacts, own, &others, &traits,
		&bill.balance.minor, &bill.balance.currency, &bill.overdue.minor, &bill.overdue.currency, &bill.overdueDays,
		&bill.last.minor, &bill.last.currency, &bill.lastOn, &bill.paidOn, &bill.nextOn,
		&bill.weOwe.minor, &bill.weOwe.currency, &bill.weOweSince, &bill.source, &bill.at)
	if err != nil {
		return err
	}
	r.YearlyValue, r.Billing, r.LastAgentAt = yearly.read(), bill.read(), maybe(lastAt)
	r.KeyAccount = key.Int64 != 0
	r.Consent = customer.Consent{Phone: yesNo(phone), Mail: yesNo(mail), SMS: yesNo(sms), Recording: yesNo(recording)}
	if churn.Valid {
		risk := int(churn.Int64)
		r.ChurnRisk = &risk
	}
	if manager.Agent != "" {
		r.AccountManager = &manager
	}
	if last.Agent != "" {
		r.LastAgent = &last
	}
	return errors.Join(fromList(reasons, &r.ChurnReasons), fromList(heed, &r.Heed), fromList(others, &r.Others), fromTraits(traits, r))
}

// money is two columns that are both there or both NULL.
type money struct {
	minor    sql.NullInt64
	currency sql.NullString
}

func (m money) read() *customer.Money {
	if !m.minor.Valid {
		return nil
	}
	return &customer.Money{Minor: m.minor.Int64, Currency: m.currency.String}
}

func columns(m *customer.Money) (minor, currency any) {
	if m == nil {
		return nil, nil
	}
	return m.Minor, m.Currency
}

// billRow is a row of billing, all NULL when the customer has none.
type billRow struct {
	balance, overdue, last, weOwe              money
	overdueDays, at                            sql.NullInt64
	lastOn, paidOn, nextOn, weOweSince, source sql.NullString
}

func (b *billRow) read() *customer.Billing {
	if !b.balance.minor.Valid {
		return nil
	}
	return &customer.Billing{
		Balance: *b.balance.read(), Overdue: b.overdue.read(), OverdueAge: int(b.overdueDays.Int64),
		LastBill: b.last.read(), LastBillOn: b.lastOn.String, PaidOn: b.paidOn.String, NextBillOn: b.nextOn.String,
		WeOwe: b.weOwe.read(), WeOweSince: b.weOweSince.String, Source: b.source.String, At: instant(b.at),
	}
}

func maybe(us sql.NullInt64) *time.Time {
	if !us.Valid {
		return nil
	}
	t := instant(us)
	return &t
}

func yesNo(n sql.NullInt64) *bool {
	if !n.Valid {
		return nil
	}
	yes := n.Int64 != 0
	return &yes
}

// fromList reads a list stored as JSON; "" is an empty one, left nil.
func fromList[T any](text string, to *[]T) error {
	if text == "" {
		return nil
	}
	return json.Unmarshal([]byte(text), to)
}

// toList is its reverse.
func toList[T any](list []T) (string, error) {
	if len(list) == 0 {
		return "", nil
	}
	b, err := json.Marshal(list)
	return string(b), err
}

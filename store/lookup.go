package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
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
	found, err := s.find(ctx, qCustomersByNumber, e164, maxCandidates)
	switch {
	case err != nil:
		return customer.Match{}, fmt.Errorf("store: look-up: %w", err)
	case len(found) == 1:
		return customer.Match{Record: &found[0]}, nil
	}
	return customer.Match{Candidates: found}, nil
}

// Customer reads one record by the customer's id; ErrNotFound when there is none.
func (s *Store) Customer(ctx context.Context, id string) (customer.Record, error) {
	found, err := s.find(ctx, qCustomerByID, id)
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

func (s *Store) find(ctx context.Context, query string, args ...any) ([]customer.Record, error) {
	defer s.pending.end(s.pending.begin())
	find := s.findStepwise
	if s.read.askTogether != nil {
		find = s.findTogether
	}
	found, err := find(ctx, query, args)
	if err != nil {
		return nil, err
	}
	for i := range found {
		if err := s.overlaid(ctx, &found[i], s.pending.of(found[i].ID)); err != nil {
			return nil, err
		}
	}
	return found, nil
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

// findStepwise reads the customers and then what hangs on each.
func (s *Store) findStepwise(ctx context.Context, query string, args []any) (found []customer.Record, err error) {
	err = s.read.at(ctx, func(q querier) error {
		err := each(ctx, q, query, args, func(row *sql.Rows) error {
			r, err := scanCustomer(row)
			found = append(found, r)
			return err
		})
		for i := 0; err == nil && i < len(found); i++ {
			for _, part := range partsOf(&found[i], &partQueries, found[i].ID) {
				if err = each(ctx, q, part.query, part.args, func(row *sql.Rows) error { return part.row(row) }); err != nil {
					break
				}
			}
		}
		return err
	})
	return found, err
}

// findTogether asks for a customer and all that hangs on it in one journey to
// the database, as of one instant. A number that several share is rare: what
// hangs on the others is asked for one by one.
func (s *Store) findTogether(ctx context.Context, query string, args []any) ([]customer.Record, error) {
	parts := &partQueries
	if query == qCustomersByNumber {
		parts = &partQueriesByNumber
	}
	var found []customer.Record
	var first customer.Record
	asks := append([]ask{{query, args, func(row scanner) error {
		r, err := scanCustomer(row)
		found = append(found, r)
		return err
	}}}, partsOf(&first, parts, args[0])...)
	if err := s.read.askTogether(ctx, s.read.db, asks); err != nil {
		return nil, err
	}
	for i := range found {
		if i == 0 {
			found[0].Numbers, found[0].Products, found[0].Tickets, found[0].Interactions =
				first.Numbers, first.Products, first.Tickets, first.Interactions
			continue
		}
		one, err := s.findTogether(ctx, qCustomerByID, []any{found[i].ID})
		if err != nil {
			return nil, err
		}
		if len(one) == 1 {
			found[i] = one[0]
		}
	}
	return found, nil
}

// ask is a question and what becomes of each row of the answer.
type ask struct {
	query string
	args  []any
	row   func(scanner) error
}

// The queries of what hangs on a customer, by id, or by a number of the first
// customer who has it.
var (
	partQueries         = [...]string{qNumbers, qProducts, qTickets, qInteractions}
	partQueriesByNumber = byNumber(partQueries)
)

func byNumber(queries [4]string) [4]string {
	for i, q := range queries {
		queries[i] = strings.Replace(q, "customer = $1", "customer = (SELECT MIN(o.customer) FROM customer_numbers o WHERE o.e164 = $1)", 1)
	}
	return queries
}

// partsOf reads what hangs on a customer: four queries by index, each with the
// id or the number.
func partsOf(r *customer.Record, queries *[4]string, of any) []ask {
	r.Numbers, r.Products, r.Tickets, r.Interactions =
		[]customer.Number{}, []customer.Product{}, []customer.Ticket{}, []customer.Interaction{}
	return []ask{
		{queries[0], []any{of}, func(row scanner) error {
			var n customer.Number
			err := row.Scan(&n.E164, &n.Label)
			r.Numbers = append(r.Numbers, n)
			return err
		}},
		{queries[1], []any{of}, func(row scanner) error {
			var p customer.Product
			var price money
			err := row.Scan(&p.ID, &p.Kind, &p.Name, &p.Detail, &p.Status, &p.Note, &price.minor, &price.currency)
			p.Price = price.read()
			r.Products = append(r.Products, p)
			return err
		}},
		{queries[2], []any{of}, func(row scanner) error {
			var t customer.Ticket
			var opened, due, closed sql.NullInt64
			err := row.Scan(&t.ID, &t.Title, &t.Detail, &t.Topic, &t.Kind, &t.Status, &opened, &due, &closed)
			t.OpenedAt, t.DueAt, t.ClosedAt = instant(opened), maybe(due), maybe(closed)
			r.Tickets = append(r.Tickets, t)
			return err
		}},
		{queries[3], []any{of, maxInteractions}, func(row scanner) error {
			i, err := scanInteraction(row)
			r.Interactions = append(r.Interactions, i)
			return err
		}},
	}
}

func scanInteraction(row scanner) (customer.Interaction, error) {
	var i customer.Interaction
	var at, call, promised, kept sql.NullInt64
	var by customer.Colleague
	err := row.Scan(&i.ID, &at, &i.Channel, &i.Title, &i.Detail, &i.Topic, &by.Agent, &by.Name, &i.Note,
		&i.Disposition, &i.DurationS, &call, &promised, &kept)
	i.At, i.Call, i.PromisedBy, i.Kept = instant(at), call.Int64, maybe(promised), yesNo(kept)
	if by != (customer.Colleague{}) {
		i.Agent = &by
	}
	return i, err
}

func scanCustomer(row scanner) (customer.Record, error) {
	var r customer.Record
	var yearly money
	var bill billRow
	var key, churn, phone, mail, sms, recording, lastAt sql.NullInt64
	var reasons, heed, others string
	var manager, last customer.Colleague
	err := row.Scan(&r.ID, &r.Version, &r.Name, &r.Language, &r.Country, &r.Zone, &r.Segment, &key, &r.CustomerSince,
		&yearly.minor, &yearly.currency, &churn, &reasons, &heed, &phone, &mail, &sms, &recording,
		&manager.Agent, &manager.Name, &last.Agent, &last.Name, &lastAt, &r.Contacts, &others,
		&bill.balance.minor, &bill.balance.currency, &bill.overdue.minor, &bill.overdue.currency, &bill.overdueDays,
		&bill.last.minor, &bill.last.currency, &bill.lastOn, &bill.paidOn, &bill.nextOn,
		&bill.weOwe.minor, &bill.weOwe.currency, &bill.weOweSince, &bill.source, &bill.at)
	if err != nil {
		return r, err
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
	return r, errors.Join(fromList(reasons, &r.ChurnReasons), fromList(heed, &r.Heed), fromList(others, &r.Others))
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

package store

import (
	"cmp"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cordboard/cordboard/screenpop/customer"
)

// SaveCustomers adds customers or brings them to the given records, by id. What
// our own agents added (contacts, and the last agent when later) stays. A
// record that was given before just so changes nothing, not even its version;
// only its billing counts as read anew.
func (s *Store) SaveCustomers(ctx context.Context, records []customer.Record) error {
	for len(records) > 0 {
		n := min(len(records), s.groupSize())
		group := make([]entry, n)
		for i := range group {
			var err error
			if group[i], err = entryOf(&records[i]); err != nil {
				return fmt.Errorf("store: save customers: %w", err)
			}
		}
		if _, err := s.saveGroup(ctx, group); err != nil {
			return fmt.Errorf("store: save customers: %w", err)
		}
		records = records[n:]
	}
	return nil
}

// tab is one of the tables a record is kept in.
type tab int

const (
	tabCustomers tab = iota
	tabNumbers
	tabBilling
	tabProducts
	tabTickets
	tabInteractions
	tabs
)

// recordTables are their names and columns, in the order of an entry's values.
var recordTables = [tabs]struct {
	name    string
	columns []string
}{
	{"customers", []string{"id", "version", "name", "language", "country", "zone", "segment", "key_account", "customer_since",
		"yearly_minor", "yearly_currency", "churn_risk", "churn_reasons", "heed",
		"consent_phone", "consent_mail", "consent_sms", "consent_rec", "manager", "manager_name",
		"last_agent", "last_agent_name", "last_agent_at", "earlier", "others", "traits", "source_hash", "changed_at", "billed_at",
		"key", "doc_version", "doc_contacts", "doc_own", "doc_added", "record", "history"}}, // these are made of the others
	{"customer_numbers", []string{"e164", "customer", "label", "ord", "key", "person", "valid_from", "valid_to", "source"}},
	{"billing", []string{"customer", "balance_minor", "balance_currency", "overdue_minor", "overdue_currency", "overdue_days",
		"last_bill_minor", "last_bill_currency", "last_bill_on", "paid_on", "next_bill_on",
		"we_owe_minor", "we_owe_currency", "we_owe_since", "source"}},
	{"products", []string{"customer", "id", "ord", "kind", "name", "detail", "status", "note", "price_minor", "price_currency"}},
	{"tickets", []string{"customer", "id", "title", "detail", "topic", "kind", "status", "opened_at", "due_at", "closed_at"}},
	{"interactions", []string{"customer", "id", "at", "channel", "title", "detail", "topic", "agent", "agent_name", "note",
		"disposition", "duration_s", "call", "attempt", "promised_by", "kept"}},
}

// entry is a record as its rows will be. Making one costs more than a database
// takes to store it, so an import makes several at a time.
type entry struct {
	id   string
	hash string // tells whether the record is the one given before
	// read is when the billing was read, 0 without one.
	read   int64
	values [tabs][]any // row after row, each as wide as its table
}

// Where the rows of a customer and of a number have what.
const (
	versionColumn   = 1
	lastAgentColumn = 20 // then the name, then when
	traitsColumn    = 25
	hashColumn      = 26 // then when the row was written
	billedColumn    = 28
	earlierColumn   = 23
	keyColumn       = 29
	documentColumn  = 30 // its version, then its contacts
	recordColumn    = 34 // then its history
	numberKeyColumn = 4
)

func (e *entry) count(t tab) int { return len(e.values[t]) / len(recordTables[t].columns) }

func (e *entry) add(t tab, row ...any) { e.values[t] = append(e.values[t], row...) }

func entryOf(r *customer.Record) (entry, error) {
	e := entry{id: r.ID}
	if err := e.addHead(r); err != nil {
		return entry{}, err
	}
	e.addParts(r)
	e.addInteractions(r)
	e.addBilling(r)
	e.hash = e.sum()
	e.values[tabCustomers][hashColumn] = e.hash
	for _, values := range e.values {
		fitText(values)
	}
	return e, e.addDocument()
}

// addDocument makes the document of what the other rows hold.
func (e *entry) addDocument() error {
	r, err := e.record()
	if err != nil {
		return err
	}
	d, err := documentOf(&r, 0)
	if err != nil {
		return err
	}
	copy(e.values[tabCustomers][documentColumn:], []any{d.version, int64(d.contacts), d.own, int64(0), d.record, d.history})
	return nil
}

// keyed gives the rows of a customer and of his numbers their key.
func (e *entry) keyed(key int64) {
	e.values[tabCustomers][keyColumn] = key
	for i := numberKeyColumn; i < len(e.values[tabNumbers]); i += len(recordTables[tabNumbers].columns) {
		e.values[tabNumbers][i] = key
	}
}

// record reads the rows as a look-up would read them from the tables.
func (e *entry) record() (customer.Record, error) {
	head := e.values[tabCustomers]
	row := append(slices.Clone(head[:earlierColumn]), head[earlierColumn].(int)+e.count(tabInteractions), int64(0), head[earlierColumn+1], head[traitsColumn])
	if bill := e.values[tabBilling]; len(bill) > 0 {
		row = append(row, bill[1:]...)
	} else {
		row = append(row, make([]any, len(recordTables[tabBilling].columns)-1)...)
	}
	row = append(row, head[billedColumn])
	var r customer.Record
	var own int64
	if err := scanCustomer(values(row), &r, &own); err != nil {
		return r, err
	}
	for i, part := range partsOf(&r, r.ID, maxInteractions) {
		tab := [...]tab{tabNumbers, tabProducts, tabTickets, tabInteractions}[i]
		for row := range slices.Chunk(e.values[tab], len(recordTables[tab].columns)) {
			if err := part.row(selected(tab, row)); err != nil {
				return r, err
			}
		}
	}
	slices.SortStableFunc(r.Tickets, func(a, b customer.Ticket) int {
		return cmp.Or(cmp.Compare(closed(&a), closed(&b)), b.OpenedAt.Compare(a.OpenedAt), strings.Compare(a.ID, b.ID))
	})
	r.Interactions = inOrder(r.Interactions)
	return r, nil
}

func closed(t *customer.Ticket) int {
	if t.Status == "open" {
		return 0
	}
	return 1
}

// selected are the columns of a row that a record is read from.
func selected(tab tab, row []any) values {
	switch tab {
	case tabNumbers: // e164, customer, label, ord, key, person, ...
		return append(values{row[0], row[2], nil, nil, nil}, row[numberKeyColumn+1:]...) // an import knows nothing of links
	case tabProducts: // customer, id, ord, ...
		return append(values{row[1]}, row[3:]...)
	case tabInteractions: // ..., attempt, promised_by, kept
		n := len(row)
		return append(append(slices.Clone(values(row[1:n-3])), row[n-2:]...), "", nil, "") // no import has what outside systems write
	}
	return row[1:]
}

// values are a row that is still to be stored.
type values []any

// Scan implements scanner for what an entry's values are and a record is read
// into.
func (v values) Scan(dest ...any) error {
	for i, to := range dest {
		var err error
		switch to := to.(type) {
		case *string:
			*to = v[i].(string)
		case *int:
			*to = int(whole(v[i]))
		case *int64:
			*to = whole(v[i])
		case *sql.NullInt64:
			*to = sql.NullInt64{}
			if v[i] != nil {
				*to = sql.NullInt64{Int64: whole(v[i]), Valid: true}
			}
		case *sql.NullString:
			err = to.Scan(v[i])
		default:
			err = fmt.Errorf("a record has no %T", to)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func whole(v any) int64 {
	if n, ok := v.(int); ok {
		return int64(n)
	}
	return v.(int64)
}

// sum is the hash of all rows but for what the record does not say: when its
// billing was read, when and under which hash it is stored.
func (e *entry) sum() string {
	b := make([]byte, 0, 4096)
	for t, values := range e.values {
		if tab(t) == tabCustomers {
			values = values[:hashColumn]
			if values[traitsColumn] == "" { // as before there were any
				values = values[:traitsColumn]
			}
		}
		for i, v := range values {
			if col := i % len(recordTables[t].columns); tab(t) == tabNumbers && col >= numberKeyColumn {
				if col == numberKeyColumn || v == "" { // the database's, not the source's; and as before there were the others
					continue
				}
				b = append(b, 'c', byte(col))
			}
			switch v := v.(type) {
			case nil:
				b = append(b, 'n')
			case int64:
				b = binary.LittleEndian.AppendUint64(append(b, 'i'), uint64(v))
			case int:
				b = binary.LittleEndian.AppendUint64(append(b, 'i'), uint64(v))
			case string:
				b = append(binary.AppendUvarint(append(b, 's'), uint64(len(v))), v...)
			default:
				b = fmt.Appendf(b, "?%T %v", v, v)
			}
		}
		b = append(b, 'e')
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:16])
}

func (e *entry) addHead(r *customer.Record) error {
	reasons, err1 := toList(r.ChurnReasons)
	heed, err2 := toList(r.Heed)
	others, err3 := toList(r.Others)
	own, err4 := toTraits(r)
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		return err
	}
	yearly, yearlyCurrency := columns(r.YearlyValue)
	var churn any
	if r.ChurnRisk != nil {
		churn = *r.ChurnRisk
	}
	var billed any
	if r.Billing != nil {
		e.read = r.Billing.At.UnixMicro()
		billed = e.read
	}
	manager, last := orNobody(r.AccountManager), orNobody(r.LastAgent)
	e.add(tabCustomers, r.ID, max(r.Version, 1), r.Name, r.Language, r.Country, r.Zone, r.Segment, flag(r.KeyAccount), r.CustomerSince,
		yearly, yearlyCurrency, churn, reasons, heed,
		maybeFlag(r.Consent.Phone), maybeFlag(r.Consent.Mail), maybeFlag(r.Consent.SMS), maybeFlag(r.Consent.Recording),
		manager.Agent, manager.Name, last.Agent, last.Name, maybeMicros(r.LastAgentAt),
		max(r.Contacts-len(r.Interactions), 0), others, own, "", time.Now().UnixMicro(), billed,
		nil, nil, nil, nil, nil, nil, nil)
	return nil
}

func (e *entry) addParts(r *customer.Record) {
	for i, n := range r.Numbers {
		if !slices.ContainsFunc(r.Numbers[:i], func(o customer.Number) bool { return o.E164 == n.E164 }) {
			e.add(tabNumbers, n.E164, r.ID, n.Label, i, nil, n.Person, n.ValidFrom, n.ValidTo, n.Source)
		}
	}
	for i, p := range r.Products {
		price, currency := columns(p.Price)
		e.add(tabProducts, r.ID, p.ID, i, p.Kind, p.Name, p.Detail, p.Status, p.Note, price, currency)
	}
	for _, k := range r.Tickets {
		e.add(tabTickets, r.ID, k.ID, k.Title, k.Detail, k.Topic, k.Kind, k.Status,
			k.OpenedAt.UnixMicro(), maybeMicros(k.DueAt), maybeMicros(k.ClosedAt))
	}
}

func (e *entry) addInteractions(r *customer.Record) {
	for n, i := range r.Interactions {
		if slices.ContainsFunc(r.Interactions[:n], func(o customer.Interaction) bool { return o.ID == i.ID }) {
			continue
		}
		by := orNobody(i.Agent)
		var call any
		if i.Call != 0 {
			call = i.Call
		}
		e.add(tabInteractions, r.ID, i.ID, i.At.UnixMicro(), i.Channel, i.Title, i.Detail, i.Topic,
			by.Agent, by.Name, i.Note, i.Disposition, i.DurationS, call, nil, maybeMicros(i.PromisedBy), maybeFlag(i.Kept))
	}
}

func (e *entry) addBilling(r *customer.Record) {
	b := r.Billing
	if b == nil {
		return
	}
	overdue, overdueCurrency := columns(b.Overdue)
	last, lastCurrency := columns(b.LastBill)
	owe, oweCurrency := columns(b.WeOwe)
	e.add(tabBilling, r.ID, b.Balance.Minor, b.Balance.Currency, overdue, overdueCurrency, b.OverdueAge,
		last, lastCurrency, b.LastBillOn, b.PaidOn, b.NextBillOn, owe, oweCurrency, b.WeOweSince, b.Source)
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

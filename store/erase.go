package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/cordboard/cordboard/routing"
)

// Person is who is to be erased: a customer, by id, or somebody who is none, by
// number (E.164).
type Person struct {
	Customer string
	Number   string
}

// Traces lead to what else there is of a person, outside the database.
type Traces struct {
	// Accounts are the customers that he is: whom he was merged with too, the one
	// whose record shows them first. None for somebody who is no customer.
	Accounts []string
	Numbers  []string         // his alone
	Calls    []routing.CallID // of his, in order
}

// Erased counts what was erased of a person.
type Erased struct {
	Customer bool // there was such a customer
	Accounts int  // that he was: more than one of whom several were merged
	Calls    int  // of which nothing tells any more whose they were
	Messages int  // he left
	Requests int  // he made
}

// OwnedError refuses to erase or export a customer's number as one of nobody.
type OwnedError struct{ Customers []string }

func (e *OwnedError) Error() string {
	return fmt.Sprintf("the number is a customer's (%q): name the customer by id", e.Customers)
}

// ErrDatabaseAway says that the database takes no changes at the moment.
var ErrDatabaseAway = errors.New("the database does not take changes now: nothing was done, try again when it does")

// ErrOtherAccounts says that somebody was merged, or not any more, while he was being
// erased.
var ErrOtherAccounts = errors.New("the customer was merged, or a merge undone, at the same moment: the record is there still, erase again")

const (
	qOwnersOfNumber = `SELECT customer FROM customer_numbers WHERE e164 = $1 ORDER BY customer`
	qNumbersAlone   = `SELECT n.e164 FROM customer_numbers n WHERE n.customer = $1
		AND NOT EXISTS (SELECT 1 FROM customer_numbers o WHERE o.e164 = n.e164 AND o.key <> n.key) ORDER BY n.e164`
	// No index has a call's customer, so all of them are read, some at a time.
	qCallsOfCustomer = `SELECT call, number, customer, callback_number FROM calls WHERE call > $1 AND call <= $2 AND customer = $3 ORDER BY call`
	qCallsOfNumber   = `SELECT call, number, customer, callback_number FROM calls WHERE call > $1 AND call <= $2
		AND (number = $3 OR callback_number = $3) ORDER BY call`
	qForgetCall     = `UPDATE calls SET number = '', callback_number = '', customer = '' WHERE call = $1`
	qForgetNumber   = `UPDATE calls SET number = '' WHERE number = $1` // of others who called from it
	qForgetCustomer = `DELETE FROM customers WHERE id = $1`
	qDropContactsOf = `DELETE FROM interactions WHERE call = $1 AND attempt IS NOT NULL AND customer IN ('', $2)`
	// The last of the interactions, once nobody can add one.
	qDropInteractions = `DELETE FROM interactions WHERE customer = $1`
	callsAtOnce       = 50_000
)

// ofCustomer are the tables that hold rows of a customer, those that refer to
// others first.
var ofCustomer = []string{"consents", "number_links", "customer_numbers", "billing", "products", "tickets", "interactions"}

// Traces finds what leads to a person. He is unknown when it finds none.
func (s *Store) Traces(ctx context.Context, who Person) (out Traces, err error) {
	found, err := s.traces(ctx, who)
	if err != nil {
		return Traces{}, fmt.Errorf("store: erase: %w", err)
	}
	out.Accounts, out.Numbers = found.accounts, found.numbers
	for _, c := range found.calls {
		out.Calls = append(out.Calls, c.call)
	}
	return out, nil
}

// traces are a person's numbers and calls, and the customers that he is.
type traces struct {
	accounts []string
	numbers  []string
	calls    []tracedCall
}

type tracedCall struct {
	call             routing.CallID
	number, customer string
	back             string
}

func (s *Store) traces(ctx context.Context, who Person) (out traces, err error) {
	switch {
	case (who.Customer == "") == (who.Number == ""):
		return out, errors.New("want either a customer or a number")
	case who.Number != "":
		owners, err := s.texts(ctx, qOwnersOfNumber, who.Number)
		if err != nil {
			return out, err
		}
		if len(owners) > 0 {
			return out, &OwnedError{owners}
		}
		out.numbers = []string{who.Number}
	default:
		if out.accounts, err = accountsOf(ctx, s.read, who.Customer); err != nil {
			return out, err
		}
		for _, id := range out.accounts {
			alone, err := s.texts(ctx, qNumbersAlone, id)
			if err != nil {
				return out, err
			}
			out.numbers = append(out.numbers, alone...)
			if err := s.callsWhere(ctx, qCallsOfCustomer, id, &out); err != nil {
				return out, err
			}
		}
		slices.Sort(out.numbers)
		out.numbers = slices.Compact(out.numbers) // two of his accounts may have one
		if err := s.ownNumbers(ctx, &out); err != nil {
			return out, err
		}
	}
	for _, n := range out.numbers {
		if err := s.callsWhere(ctx, qCallsOfNumber, n, &out); err != nil {
			return out, err
		}
	}
	slices.SortFunc(out.calls, func(a, b tracedCall) int { return int(a.call - b.call) })
	out.calls = slices.CompactFunc(out.calls, func(a, b tracedCall) bool { return a.call == b.call })
	// Somebody else may have called from his number: that stays that one's call.
	out.calls = slices.DeleteFunc(out.calls, func(c tracedCall) bool { return c.customer != "" && !slices.Contains(out.accounts, c.customer) })
	return out, nil
}

// ownNumbers adds the numbers that calls of a customer came from and no customer
// has.
func (s *Store) ownNumbers(ctx context.Context, t *traces) error {
	for _, c := range t.calls {
		for _, n := range []string{c.number, c.back} {
			if n == "" || slices.Contains(t.numbers, n) {
				continue
			}
			owners, err := s.texts(ctx, qOwnersOfNumber, n)
			if err != nil {
				return err
			}
			if len(owners) == 0 {
				t.numbers = append(t.numbers, n)
			}
		}
	}
	return nil
}

func (s *Store) texts(ctx context.Context, query string, args ...any) (out []string, err error) {
	return textsOf(ctx, s.read, query, args...)
}

func textsOf(ctx context.Context, p querier, query string, args ...any) (out []string, err error) {
	err = each(ctx, p, query, args, func(rows *sql.Rows) error {
		var text string
		err := rows.Scan(&text)
		out = append(out, text)
		return err
	})
	return out, err
}

func (s *Store) callsWhere(ctx context.Context, query, what string, out *traces) error {
	var highest int64
	if err := s.read.row(ctx, qHighestCall, nil, &highest); err != nil {
		return err
	}
	for from := int64(0); from < highest; from += callsAtOnce {
		err := each(ctx, s.read, query, []any{from, from + callsAtOnce, what}, func(rows *sql.Rows) error {
			var c tracedCall
			err := rows.Scan(&c.call, &c.number, &c.customer, &c.back)
			out.calls = append(out.calls, c)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Erase removes what the database has of a person, and what of it waits in
// memory: the customer with all that belongs to him, his messages, and from his
// calls the number and whose they are; the calls stay, for the figures. A call of
// his that lives goes on, and nothing of it is added to anybody's history. It may
// be repeated, and has to be after an error.
func (s *Store) Erase(ctx context.Context, who Person) (out Erased, err error) {
	if s.Stats().Failing {
		return out, ErrDatabaseAway
	}
	var accounts []string
	if who.Customer != "" {
		if accounts, err = s.Accounts(ctx, who.Customer); err != nil {
			return out, err
		}
	}
	return s.EraseTraced(ctx, who, accounts)
}

// EraseTraced is Erase of somebody whose accounts were found before, and what else
// there is of them is erased already: when they are others now it is ErrOtherAccounts.
func (s *Store) EraseTraced(ctx context.Context, who Person, accounts []string) (out Erased, err error) {
	if s.Stats().Failing {
		return out, ErrDatabaseAway
	}
	// What is on its way is written first, and then found.
	if err := s.Flush(ctx); err != nil {
		return out, errors.Join(ErrDatabaseAway, err)
	}
	found, err := s.traces(ctx, who)
	if err != nil {
		return out, fmt.Errorf("store: erase: %w", err)
	}
	if !slices.Equal(found.accounts, accounts) {
		return out, ErrOtherAccounts
	}
	for _, id := range found.accounts {
		s.erased.add(id, s.numbers.given())
	}
	s.w.put(forgotten{found.accounts, found.numbers}, false)
	if err := s.Flush(ctx); err != nil {
		return out, errors.Join(ErrDatabaseAway, err)
	}
	objects, err := s.objects(ctx, found.accounts)
	if err == nil {
		out, err = s.eraseRows(ctx, &found, objects)
	}
	if err != nil {
		return Erased{}, fmt.Errorf("store: erase: %w", err)
	}
	for _, id := range found.accounts {
		s.pending.drop(id)
	}
	err = s.forgetAllTerms(ctx, found.accounts)
	if err == nil {
		err = s.db.scrub(ctx, false)
	}
	if err != nil {
		return Erased{}, fmt.Errorf("store: erase: the rows are gone, but not what the database keeps of them beside: %w", err)
	}
	return out, nil
}

// Scrub removes what the database's files keep of all that was ever deleted. Nobody
// else may use them meanwhile.
func (s *Store) Scrub(ctx context.Context) error {
	if err := s.db.scrub(ctx, true); err != nil {
		return fmt.Errorf("store: scrub: %w", err)
	}
	return nil
}

// eraseRows is the one transaction.
func (s *Store) eraseRows(ctx context.Context, found *traces, objects bool) (out Erased, err error) {
	err = s.write.inTx(ctx, func(t *tx) error {
		out = Erased{Calls: len(found.calls)}
		if err := stillThese(t, found.accounts); err != nil {
			return err
		}
		for _, c := range found.calls {
			if _, err := t.exec(qDropSound, int64(c.call)); err != nil {
				return err
			}
			n, err := t.exec(qDropMessage, int64(c.call))
			if err != nil {
				return err
			}
			out.Messages += int(n)
			if err := t.put(qDropContactsOf, int64(c.call), c.customer); err != nil {
				return err
			}
			if err := t.put(qForgetCall, int64(c.call)); err != nil {
				return err
			}
		}
		for _, n := range found.numbers {
			if err := t.put(qForgetNumber, n); err != nil {
				return err
			}
			if err := out.drop(t, qDropRequestsOfNumber, n); err != nil {
				return err
			}
		}
		if err := forgetDecisions(t, found); err != nil {
			return err
		}
		if objects {
			if err := s.suppress(t, found.numbers, time.Now()); err != nil {
				return err
			}
		}
		for _, id := range found.accounts {
			there, err := eraseAccount(t, id)
			if err == nil {
				err = out.drop(t, qDropRequestsOf, id)
			}
			if err != nil {
				return err
			}
			if there {
				out.Customer = true
				out.Accounts++
			}
		}
		return nil
	})
	return out, err
}

// stillThese refuses an erasure of whom somebody has merged, or not any more, since
// he was traced. Nobody does until the transaction is over.
func stillThese(t *tx, accounts []string) error {
	if len(accounts) == 0 {
		return nil
	}
	var last int64
	if err := t.row(qTakeMerges, []any{0}, &last); err != nil {
		return err
	}
	now, err := accountsOf(t.ctx, t, accounts[0])
	if err == nil && !slices.Equal(now, accounts) {
		err = ErrOtherAccounts
	}
	return err
}

// eraseAccount erases one customer's rows.
func eraseAccount(t *tx, id string) (there bool, err error) {
	for _, table := range ofCustomer {
		if err := t.put(`DELETE FROM `+table+` WHERE customer = $1`, id); err != nil {
			return false, err
		}
	}
	for _, query := range []string{qMergesOf, qApartOf} {
		if err := t.put(query, id); err != nil {
			return false, err
		}
	}
	n, err := t.exec(qForgetCustomer, id)
	if err != nil {
		return false, err
	}
	// Who has sent one meanwhile held the customer's row, and nobody can any more.
	return n > 0, t.put(qDropInteractions, id)
}

// drop deletes requests, with what was done about them and is to be told of them.
func (e *Erased) drop(t *tx, query, whose string) error {
	n, err := t.exec(query, whose)
	e.Requests += int(n)
	return err
}

// forgotten blanks the rows that the writer has in memory.
type forgotten struct {
	customers []string
	numbers   []string
}

func (f forgotten) fold(w *writer, b *batch) bool {
	for _, c := range w.calls {
		r := &c.row
		his := slices.Contains(f.customers, r.Customer)
		if his {
			r.Customer = ""
		}
		if his || slices.Contains(f.numbers, r.Number) {
			r.Number = ""
		}
		if his || slices.Contains(f.numbers, r.CallBack) {
			r.CallBack = ""
		}
		b.touch(c)
	}
	return true
}

// erasures are the customers erased in this run, each with the last call that may
// still bring something of the one who was.
type erasures struct {
	mu sync.Mutex
	by map[string]routing.CallID
}

func (e *erasures) add(customer string, last routing.CallID) {
	if customer == "" {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.by == nil {
		e.by = map[string]routing.CallID{}
	}
	e.by[customer] = last
}

// was says whether a call knows the customer from before he was erased.
func (e *erasures) was(customer string, call routing.CallID) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	last, there := e.by[customer]
	return there && call <= last
}

// given is the last number given out.
func (n *numbering) given() routing.CallID {
	n.mu.Lock()
	defer n.mu.Unlock()
	return routing.CallID(n.next - 1)
}

// drop forgets a customer's contacts.
func (o *overlay) drop(customer string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, c := range slices.Clone(o.by[customer]) {
		o.remove(c.key())
	}
	o.gone = slices.DeleteFunc(o.gone, func(w writtenContact) bool { return w.c.Customer == customer })
}

package store

import (
	"context"
	"database/sql"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A group of customers is stored in one transaction. On SQLite it is small
// enough for the ledger not to wait long behind it; Postgres lets others write
// meanwhile, and each group costs it journeys over the network.
const (
	groupSQLite   = 250
	groupPostgres = 1000
)

func (s *Store) groupSize() int {
	if s.opts.group > 0 {
		return s.opts.group
	}
	if s.write.copyIn != nil {
		return groupPostgres
	}
	return groupSQLite
}

// How often and how soon a group is tried again that met somebody else's lock.
const (
	groupTries = 8
	groupPause = 50 * time.Millisecond
)

// saveGroup stores entries, at most groupSize of them, all or none. It counts
// those that were there just so. What stands in the way for the moment (a
// locked database, a deadlock with the ledger's writer) is waited for a while.
func (s *Store) saveGroup(ctx context.Context, entries []entry) (unchanged int, err error) {
	if len(entries) == 0 {
		return 0, ctx.Err()
	}
	m := merge{ctx: ctx}
	for try := 1; ; try++ {
		m.unchanged = 0
		err = s.write.inTx(ctx, func(t *tx) error { return m.all(t, entries) })
		switch {
		case err == nil:
			return m.unchanged, nil
		case ctx.Err() != nil:
			return 0, ctx.Err()
		case s.db.refuses(err):
			if m.careful { // then it's the data
				return 0, err
			}
			m.careful = true
		case try == groupTries:
			return 0, err
		default:
			if !wait(ctx, time.Duration(try)*groupPause) {
				return 0, ctx.Err()
			}
		}
	}
}

// giveWay lets a server that runs on the same file write between two groups.
// SQLite lets waiters try again after ever longer pauses: one that must hit the
// moment between two transactions would wait for seconds.
func (s *Store) giveWay(ctx context.Context, took time.Duration) {
	if file, ok := s.db.(*sqliteFile); ok && s.opts.Tool && lockHeld(file.path+lockSuffix) {
		wait(ctx, took)
	}
}

// wait is false when the context ends first.
func wait(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// merge brings the tables to what entries say.
type merge struct {
	ctx context.Context
	// careful takes no row for new: rows may be there that no customer has, or
	// that our own agents wrote under the same id.
	careful   bool
	unchanged int
}

// all merges entries in which an id may come twice: the later one wins.
func (m *merge) all(t *tx, entries []entry) error {
	for first := true; len(entries) > 0; first = false {
		n, seen := 0, make(map[string]bool, len(entries))
		for n < len(entries) && !seen[entries[n].id] {
			seen[entries[n].id] = true
			n++
		}
		if first && n < len(entries) { // the rest may hold new customers too
			if err := keysFirst(t); err != nil {
				return err
			}
		}
		if err := m.some(t, entries[:n]); err != nil {
			return err
		}
		entries = entries[n:]
	}
	return nil
}

// stored is what is there of a customer.
type stored struct {
	key     int64
	hash    string
	version int64
	read    sql.NullInt64
}

// some merges entries of different ids.
func (m *merge) some(t *tx, entries []entry) error {
	known, err := m.known(t, entries)
	if err != nil {
		return err
	}
	var fresh, changed, read []*entry // read anew, and just as they were
	for i := range entries {
		e := &entries[i]
		before, there := known[e.id]
		switch {
		case !there:
			fresh = append(fresh, e)
		case before.hash != e.hash:
			e.keyed(before.key)
			head := e.values[tabCustomers]
			head[versionColumn] = max(head[versionColumn].(int64), before.version+1)
			changed = append(changed, e)
		default:
			m.unchanged++
			if e.read > before.read.Int64 && before.read.Valid {
				read = append(read, e)
			}
		}
	}
	if err := giveKeys(t, fresh); err != nil {
		return err
	}
	// The customers' own rows first: whoever else writes one of them is waited
	// for there, and what he hung on it is cleared too. In one order, so that
	// two of us don't wait for each other.
	slices.SortFunc(fresh, byID)
	slices.SortFunc(changed, byID)
	slices.SortFunc(read, byID)
	if err := m.heads(t, fresh, changed, read); err != nil {
		return err
	}
	if err := m.clear(t, fresh, changed); err != nil {
		return err
	}
	for tab := tabNumbers; tab < tabs; tab++ {
		if err := m.rows(t, tab, fresh, changed); err != nil {
			return err
		}
	}
	if err := m.documents(t, fresh, changed); err != nil {
		return err
	}
	if m.careful {
		changed = slices.Concat(changed, fresh)
	}
	if err := m.relink(t, changed); err != nil {
		return err
	}
	return m.rejoin(t, slices.Concat(changed, read))
}

func byID(a, b *entry) int { return strings.Compare(a.id, b.id) }

// giveKeys gives new customers the next keys, so that those who come together lie
// together. Two who store new customers wait for each other here, before either
// has one.
func giveKeys(t *tx, fresh []*entry) error {
	if len(fresh) == 0 {
		return nil
	}
	var last int64
	if err := t.row(qTakeKeys, []any{int64(len(fresh))}, &last); err != nil {
		return err
	}
	for i, e := range fresh {
		e.keyed(last - int64(len(fresh)-1-i))
	}
	return nil
}

// keysFirst has those who store new customers wait for each other before either
// has written anything else.
func keysFirst(t *tx) error {
	var last int64
	return t.row(qTakeKeys, []any{int64(0)}, &last)
}

// documents brings the customers' documents up to date. They have seen no contact
// of our own: look-ups add those that are there. New customers came with theirs.
func (m *merge) documents(t *tx, fresh, changed []*entry) error {
	if m.careful {
		changed, fresh = slices.Concat(changed, fresh), nil
		for list := range inLists(idsOf(changed)) { // one may have been stored by somebody else meanwhile, under another key
			if err := t.put(rightKeysQuery(len(list), t.p.prepares), list...); err != nil {
				return err
			}
		}
	}
	for list := range inLists(idsOf(fresh)) { // contacts may be there before the customer
		if err := t.put(unseenQuery(len(list), t.p.prepares), list...); err != nil {
			return err
		}
	}
	for _, e := range changed {
		head := e.values[tabCustomers]
		if err := t.put(qSaveDocument, e.id, head[documentColumn+1], head[recordColumn], head[recordColumn+1]); err != nil {
			return err
		}
	}
	return nil
}

func (m *merge) known(t *tx, entries []entry) (map[string]stored, error) {
	known := make(map[string]stored, len(entries))
	ids := make([]any, len(entries))
	for i := range entries {
		ids[i] = entries[i].id
	}
	for list := range inLists(ids) {
		err := each(m.ctx, t, qKnownCustomers+placeholders(1, len(list), t.p.prepares), list, func(row *sql.Rows) error {
			var id string
			var before stored
			err := row.Scan(&id, &before.key, &before.hash, &before.version, &before.read)
			known[id] = before
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return known, nil
}

// clear removes what hangs on customers that are changed, save what our own
// agents wrote.
func (m *merge) clear(t *tx, fresh, changed []*entry) error {
	if m.careful {
		changed = slices.Concat(fresh, changed)
	}
	for list := range inLists(idsOf(changed)) {
		for tab := tabNumbers; tab < tabs; tab++ {
			if err := t.put(dropQuery(tab, len(list), t.p.prepares), list...); err != nil {
				return err
			}
		}
	}
	return nil
}

// heads writes the customers' own rows, in the order of their ids; of those that
// are only read anew, when.
func (m *merge) heads(t *tx, fresh, changed, read []*entry) error {
	if m.careful {
		changed, fresh = slices.Concat(fresh, changed), nil
	}
	if err := m.bulk(t, tabCustomers, fresh); err != nil {
		return err
	}
	rest := slices.Concat(changed, read)
	slices.SortFunc(rest, byID)
	for _, e := range rest {
		if _, same := slices.BinarySearchFunc(read, e, byID); same {
			if err := t.put(qFreshenBilling, e.id, e.read); err != nil {
				return err
			}
			continue
		}
		head := e.values[tabCustomers]
		if err := t.put(qSaveCustomer, slices.Clone(head[:documentColumn])...); err != nil {
			return err
		}
		last, name, at := head[lastAgentColumn], head[lastAgentColumn+1], head[lastAgentColumn+2]
		if last == "" || at == nil {
			continue
		}
		if err := t.put(qRaiseLastAgent, e.id, last, name, at); err != nil {
			return err
		}
	}
	return nil
}

// rows writes what hangs on the customers. An interaction under the id of one
// that our own agent wrote is that one.
func (m *merge) rows(t *tx, tab tab, fresh, changed []*entry) error {
	if !m.careful || tab != tabInteractions {
		return m.bulk(t, tab, slices.Concat(fresh, changed))
	}
	width := len(recordTables[tab].columns)
	for _, e := range slices.Concat(fresh, changed) {
		for row := range slices.Chunk(e.values[tab], width) {
			if err := t.put(qAddInteraction, slices.Clone(row)...); err != nil {
				return err
			}
		}
	}
	return nil
}

// bulk inserts rows that are not there.
func (m *merge) bulk(t *tx, tab tab, entries []*entry) error {
	var size int
	for _, e := range entries {
		size += len(e.values[tab])
	}
	if size == 0 {
		return nil
	}
	values := make([]any, 0, size)
	for _, e := range entries {
		values = append(values, e.values[tab]...)
	}
	if t.p.copyIn != nil {
		if err := t.send(); err != nil { // what must be gone is gone first
			return err
		}
		return t.p.copyIn(m.ctx, t.conn, recordTables[tab].name, recordTables[tab].columns, t.p.fit(values))
	}
	width := len(recordTables[tab].columns)
	for _, rows := range rowsAtOnce {
		for len(values) >= rows*width {
			if _, err := t.exec(insertQuery(tab, rows), values[:rows*width]...); err != nil {
				return err
			}
			values = values[rows*width:]
		}
	}
	return nil
}

func idsOf(entries []*entry) []any {
	ids := make([]any, len(entries))
	for i, e := range entries {
		ids[i] = e.id
	}
	return ids
}

// rowsAtOnce are the sizes of the INSERT statements: a large one costs less a
// row, and the rest goes by small ones, so that few statements are prepared.
var rowsAtOnce = [...]int{32, 4, 1}

// inListSizes are the lengths of IN lists, for the same reason; a list that is
// shorter is filled up with its last id.
var inListSizes = [...]int{16, groupSQLite}

// inLists cuts ids into lists of these lengths.
func inLists(ids []any) func(yield func([]any) bool) {
	return func(yield func([]any) bool) {
		for list := range slices.Chunk(ids, inListSizes[len(inListSizes)-1]) {
			for _, size := range inListSizes {
				if len(list) > size {
					continue
				}
				list = slices.Clone(list)
				for len(list) < size {
					list = append(list, list[len(list)-1])
				}
				break
			}
			if !yield(list) {
				return
			}
		}
	}
}

func dropQuery(tab tab, ids int, bare bool) string {
	q := "DELETE FROM " + recordTables[tab].name + " WHERE customer IN " + placeholders(1, ids, bare)
	if tab == tabInteractions {
		q += " AND attempt IS NULL" // what our own agents wrote is not the source's to remove
	}
	return q
}

// unseenQuery sets the version of documents just written apart from that of
// customers who have contacts of our own already.
func unseenQuery(ids int, bare bool) string {
	return `UPDATE customers SET doc_version = doc_version - ` + qOwnOf + `
		WHERE id IN (SELECT o.customer FROM interactions o WHERE o.attempt IS NOT NULL AND o.customer IN ` + placeholders(1, ids, bare) + `)`
}

// rightKeysQuery gives numbers the key that their customer has.
func rightKeysQuery(ids int, bare bool) string {
	return `UPDATE customer_numbers SET key = (SELECT c.key FROM customers c WHERE c.id = customer_numbers.customer)
		WHERE customer IN ` + placeholders(1, ids, bare)
}

// insertQuery is for SQLite; Postgres copies.
func insertQuery(tab tab, rows int) string {
	t := &recordTables[tab]
	return "INSERT INTO " + t.name + " (" + strings.Join(t.columns, ", ") + ") VALUES " + placeholders(rows, len(t.columns), true)
}

// placeholders are rows of so many, ($1, $2), ($3, $4). SQLite takes $1 for a
// name and looks every name up in a list, which for hundreds of them costs more
// than the rest: there they are bare, (?, ?), (?, ?).
func placeholders(rows, width int, bare bool) string {
	b := make([]byte, 0, rows*width*5)
	for r := range rows {
		if r > 0 {
			b = append(b, ',')
		}
		for c := range width {
			b = append(b, "(,"[min(c, 1)])
			if bare {
				b = append(b, '?')
				continue
			}
			b = append(b, '$')
			b = strconv.AppendInt(b, int64(r*width+c+1), 10)
		}
		b = append(b, ')')
	}
	return string(b)
}

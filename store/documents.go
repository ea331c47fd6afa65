package store

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/cordboard/cordboard/screenpop/customer"
)

// document is a customer's record in one piece, as look-ups read it: part of his
// own row, instead of some ten of five tables. The tables are the truth. A document
// counts while nothing has changed but that contacts of our own agents were
// added, which a look-up puts in front: each raises the customer's version by one
// and is one more of them, so that the version less their number stays what it
// was when the document was made. All else raises the version alone. There may be
// contacts before there is the customer. A document that does not count is merely
// not used: the record is put together from the tables then, and its document
// stored for the next time.
//
// What changes by itself is not in it and is put in when it is read: the names
// of our own users, the age of the billing, who talked last.
type document struct {
	customer string
	version  int64
	contacts int
	own      int64  // contacts of our own agents that it has seen
	record   string // JSON
	history  string // interactions, each JSON and a comma; of two with one id the first counts
}

// mostAdded is how many interactions are put in front of a document's history
// before it is made anew, without those that were replaced or are too old.
const mostAdded = 30

// documentOf writes a record that was put together from the tables, with so many
// contacts of our own.
func documentOf(r *customer.Record, own int64) (document, error) {
	d := document{customer: r.ID, version: r.Version, contacts: r.Contacts, own: own}
	head := *r
	head.Version, head.Contacts, head.Interactions = 0, 0, nil
	head.LastAgent, head.LastAgentAt = nil, nil
	if head.Billing != nil {
		bill := *head.Billing
		bill.At = time.Time{}
		head.Billing = &bill
	}
	var b bytes.Buffer
	err := plainJSON(&b).Encode(&head)
	if err == nil {
		d.record = b.String()
		d.history, err = historyOf(r.Interactions)
	}
	return d, err
}

// historyOf are interactions as they stand in a document.
func historyOf(all []customer.Interaction) (string, error) {
	var b bytes.Buffer
	out := plainJSON(&b)
	for i := range all {
		if err := out.Encode(&all[i]); err != nil {
			return "", err
		}
		b.Truncate(b.Len() - 1) // the encoder ends a line
		b.WriteByte(',')
	}
	return b.String(), nil
}

func plainJSON(b *bytes.Buffer) *json.Encoder {
	out := json.NewEncoder(b)
	out.SetEscapeHTML(false)
	return out
}

// read is the reverse of documentOf.
func (d *document) read() (r customer.Record, err error) {
	if !readRecord(d.record, &r) {
		r = customer.Record{}
		if err := json.Unmarshal([]byte(d.record), &r); err != nil {
			return r, err
		}
	}
	r.ID, r.Version, r.Contacts = d.customer, d.version, d.contacts
	if !readHistory(d.history, &r.Interactions) {
		if r.Interactions, err = decodeHistory(d.history); err != nil {
			return r, err
		}
	}
	r.Interactions = inOrder(firstOfEach(r.Interactions))
	return r, nil
}

// decodeHistory reads a history in whatever form of JSON.
func decodeHistory(text string) (all []customer.Interaction, err error) {
	list := make([]byte, 0, len(text)+2)
	list = append(append(list, '['), text...)
	list = append(bytes.TrimSuffix(list, []byte{','}), ']')
	err = json.Unmarshal(list, &all)
	return all, err
}

// Contacts since its document that a look-up adds to it: at most so many, and
// with more than a few it has the document made anew.
const (
	mostSince = maxInteractions
	fewSince  = 8
)

// addSince adds so many contacts of our own agents to a record read from a
// document that has not seen them. It is false when that is not the whole record:
// something has changed since the document was read, or not all of the newest
// came after it.
func (s *Store) addSince(ctx context.Context, d *storedRecord, r *customer.Record, since int64) (whole bool, err error) {
	if since < 0 || since > mostSince {
		return false, nil
	}
	whole = true
	added := make([]customer.Interaction, 0, int(since)+len(r.Interactions))
	err = s.read.ask(ctx, qNewestOwn, []any{d.customer, since}, func(row scanner) error {
		var version int64
		i, err := scanInteraction(behind{row, &version})
		whole = whole && version == d.now &&
			!slices.ContainsFunc(r.Interactions, func(old customer.Interaction) bool { return old.ID == i.ID })
		added = append(added, i)
		return err
	})
	if err != nil || !whole || len(added) != int(since) {
		return false, err
	}
	r.Interactions = inOrder(append(added, r.Interactions...))
	r.Version, r.Contacts = d.now, r.Contacts+int(since)
	if since > fewSince {
		anew, err := documentOf(r, d.own+since)
		if err != nil {
			return false, err
		}
		s.rebuild.add(anew)
	}
	return true, nil
}

// behind scans a row's first column and leaves the others.
type behind struct {
	row   scanner
	first any
}

// Scan implements scanner.
func (b behind) Scan(dest ...any) error { return b.row.Scan(append([]any{b.first}, dest...)...) }

// firstOfEach drops interactions under an id that came before.
func firstOfEach(all []customer.Interaction) []customer.Interaction {
	kept := all[:0]
	for i := range all {
		if !slices.ContainsFunc(kept, func(k customer.Interaction) bool { return k.ID == all[i].ID }) {
			kept = append(kept, all[i])
		}
	}
	return kept
}

// rebuilder stores the documents of records that look-ups had to put together.
// No look-up waits for it, and what it has no room for is left to the next.
type rebuilder struct {
	queue chan document
	stop  context.CancelFunc
	done  chan struct{}
}

const (
	rebuildQueue = 256
	rebuildGroup = 128                    // documents of one transaction
	rebuildWait  = 100 * time.Millisecond // for others to go with the first
)

func (s *Store) startRebuilder() {
	ctx, stop := context.WithCancel(context.Background())
	s.rebuild = &rebuilder{queue: make(chan document, rebuildQueue), stop: stop, done: make(chan struct{})}
	go s.rebuildAll(ctx)
}

func (b *rebuilder) add(d document) {
	select {
	case b.queue <- d:
	default:
	}
}

// close ends it; what is still to be stored is left out.
func (b *rebuilder) close() {
	if b != nil {
		b.stop()
		<-b.done
	}
}

func (s *Store) rebuildAll(ctx context.Context) {
	defer close(s.rebuild.done)
	failing := false
	for {
		var group []document
		select {
		case d := <-s.rebuild.queue:
			group = append(group, d)
		case <-ctx.Done():
			return
		}
		if !wait(ctx, rebuildWait) {
			return
		}
		for more := true; more && len(group) < rebuildGroup; {
			select {
			case d := <-s.rebuild.queue:
				group = append(group, d)
			default:
				more = false
			}
		}
		err := s.keepDocuments(ctx, group)
		if err != nil && !failing && ctx.Err() == nil {
			s.log.Warn("records' documents cannot be stored, look-ups take longer", zap.Error(err))
		}
		failing = err != nil
	}
}

func (s *Store) keepDocuments(ctx context.Context, group []document) error {
	ctx, cancel := context.WithTimeout(ctx, tryFor)
	defer cancel()
	// In one order, so that nobody who writes several waits for us while we
	// wait for him.
	slices.SortFunc(group, func(a, b document) int { return strings.Compare(a.customer, b.customer) })
	return s.write.inTx(ctx, func(t *tx) error {
		for _, d := range group {
			if err := t.put(qKeepDocument, d.customer, d.version, d.contacts, d.own, d.record, d.history); err != nil {
				return err
			}
		}
		return nil
	})
}

// nameBook has the names of our own users, who may be renamed under every
// record that shows them. The database counts the changes, and each look-up
// learns the count with what it reads.
type nameBook struct {
	read atomic.Pointer[userNames] // nil: not yet
	turn chan struct{}             // holds one: whoever reads them
}

// userNames are names by user, as of a count; never changed.
type userNames struct {
	count int64
	names map[string]string
}

// namesAt has the names as of a count, or later.
func (s *Store) namesAt(ctx context.Context, count int64) (map[string]string, error) {
	b := &s.names
	if known := b.read.Load(); known != nil && known.count >= count {
		return known.names, nil
	}
	select {
	case b.turn <- struct{}{}:
	case <-ctx.Done(): // the database may say nothing to whoever reads them
		return nil, ctx.Err()
	}
	defer func() { <-b.turn }()
	if known := b.read.Load(); known != nil && known.count >= count {
		return known.names, nil
	}
	fresh := userNames{count: count, names: map[string]string{}}
	err := s.read.ask(ctx, qUserNames, nil, func(row scanner) error {
		var id, name string
		var at int64
		err := row.Scan(&id, &name, &at)
		fresh.names[id], fresh.count = name, max(fresh.count, at)
		return err
	})
	if err != nil {
		return nil, err
	}
	b.read.Store(&fresh)
	return fresh.names, nil
}

// called puts the users' names into a record that has them as they were stored.
func called(r *customer.Record, names map[string]string) {
	call := func(c *customer.Colleague) {
		if c == nil {
			return
		}
		if name := names[c.Agent]; name != "" {
			c.Name = name
		}
	}
	call(r.LastAgent)
	for i := range r.Interactions {
		call(r.Interactions[i].Agent)
	}
}

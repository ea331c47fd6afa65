package store

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/screenpop/customer"
)

// Contact is what a finished talk adds to the customer's history. It has the
// fields of screenpop.Contact, so that one converts to the other.
type Contact struct {
	Call        routing.CallID
	Attempt     routing.Attempt
	Customer    string    // "" when the caller stayed unknown
	Agent       agents.ID // "" of a message that the caller left (SaveLeft)
	Queue       string
	Topic       string
	At          time.Time // when the agent answered
	Talk        time.Duration
	Note        string
	Disposition string
	Detail      string // what the disposition asked for: "ticket_id: T-17; when: Monday"
}

type contactKey struct {
	call    routing.CallID
	attempt routing.Attempt
}

func (c *Contact) key() contactKey { return contactKey{c.Call, c.Attempt} }

// interaction is the contact as the record shows it, under the agent's name or,
// where that is "", id.
func (c *Contact) interaction(name string) customer.Interaction {
	title := c.Topic
	if title == "" {
		title = c.Queue
	}
	if name == "" {
		name = string(c.Agent)
	}
	if c.Agent == "" {
		return customer.Interaction{
			ID: messageID(c.Call), At: c.At.UTC().Truncate(time.Microsecond), Channel: "voicemail", Title: fitting(title),
			DurationS: int(c.Talk.Round(time.Second) / time.Second), Call: int64(c.Call),
		}
	}
	return customer.Interaction{
		ID: "call-" + strconv.FormatInt(int64(c.Call), 10) + "-" + strconv.Itoa(int(c.Attempt)),
		At: c.At.UTC().Truncate(time.Microsecond), Channel: "call", Title: fitting(title), Topic: fitting(c.Topic),
		Agent:  &customer.Colleague{Agent: string(c.Agent), Name: name},
		Detail: fitting(c.Detail), Note: fitting(c.Note), Disposition: c.Disposition, DurationS: int(c.Talk.Round(time.Second) / time.Second), Call: int64(c.Call),
	}
}

// SaveContact adds a talk to the customer's history; saved again with the same
// call and attempt it replaces the first. It does not block, and look-ups see
// it from now on, written or not.
func (s *Store) SaveContact(c Contact) {
	if s.erased.was(c.Customer, c.Call) {
		return
	}
	s.pending.add(c)
	if !s.w.put(contacted{c}, false) {
		s.pending.written([]Contact{c})
	}
}

type contacted struct{ c Contact }

func (in contacted) fold(w *writer, b *batch) bool {
	state, ok := w.known(in.c.Call)
	if !ok {
		return false
	}
	b.addContact(in.c)
	if state == nil {
		return true // a contact without a ledger row: imported, or a test's
	}
	r := &state.row
	r.Note = r.Note || in.c.Note != ""
	if in.c.Customer != "" {
		r.Customer = in.c.Customer
	}
	if in.c.Disposition != "" {
		r.Disposition = in.c.Disposition
	}
	b.touch(state)
	return true
}

// addContact adds a contact, or puts it in the place of itself: an agent's note
// often follows in the same moment.
func (b *batch) addContact(c Contact) {
	const back = 32 // an agent's next words come soon or with another batch
	for i := len(b.contacts) - 1; i >= max(len(b.contacts)-back, 0); i-- {
		if b.contacts[i].key() == c.key() {
			b.contacts[i] = c
			return
		}
	}
	b.contacts = append(b.contacts, c)
}

// orderContacts puts contacts into the order of their customers, in which an
// import takes them too: each of two who write several customers would wait for
// the other else.
func (b *batch) orderContacts() {
	seen := make(map[contactKey]bool, len(b.contacts))
	for i := range b.contacts {
		k := b.contacts[i].key()
		if seen[k] {
			return // saved anew, as somebody else's perhaps: the later one must come later
		}
		seen[k] = true
	}
	slices.SortStableFunc(b.contacts, func(x, y Contact) int { return strings.Compare(x.Customer, y.Customer) })
}

func writeContact(t *tx, c *Contact) error {
	if err := writeContactRows(t, c); err != nil {
		return fmt.Errorf("contact %d of call %d: %w", c.Attempt, c.Call, err)
	}
	return nil
}

func writeContactRows(t *tx, c *Contact) error {
	now := time.Now().UnixMicro()
	i := c.interaction("")
	var by customer.Colleague
	if i.Agent != nil {
		by = *i.Agent
	}
	row := []any{c.Customer, i.ID, i.At.UnixMicro(), i.Channel, i.Title, i.Detail, i.Topic,
		by.Agent, by.Name, i.Note, i.Disposition, i.DurationS, i.Call, int64(c.Attempt)}
	added, err := t.exec(qAddContact, row...)
	if err != nil {
		return err
	}
	var was before
	if added == 0 {
		if was, err = makeRoom(t, c, &i, now); err != nil {
			return err
		}
		if err := t.put(qAddContact, row...); err != nil {
			return err
		}
	}
	if c.Customer == "" {
		return nil
	}
	if err := touchCustomer(t, c.Customer, i.Agent, i.At.UnixMicro(), now); err != nil {
		return err
	}
	switch was {
	case another:
		return raised(t, c.Customer, now) // more has changed than this contact: the document counts no more
	case there:
		line, err := historyOf([]customer.Interaction{i})
		if err != nil {
			return err
		}
		return t.put(qReplaceInDocument, c.Customer, line, mostAdded, i.At.UnixMicro(), i.ID)
	}
	return nil // look-ups put it in front of the document
}

// touchCustomer raises the customer's version, and says who talked last: nobody
// who left a message.
func touchCustomer(t *tx, customer string, by *customer.Colleague, at, now int64) error {
	if by == nil {
		return raised(t, customer, now)
	}
	if err := t.put(qTouchCustomer, customer, by.Agent, by.Name, at, now); err != nil {
		return err
	}
	return t.put(qRaiseWhole, customer, now)
}

// before is what stood in a contact's place.
type before int

const (
	nothing  before = iota
	there           // the contact itself, saved earlier
	elsewhen        // the same, at another time: it may leave the newest, and another come in
	another         // the contact as somebody else's, or what the source has under our id
)

// makeRoom removes the contact as it was saved before, with another customer
// even, who then has it no more.
func makeRoom(t *tx, c *Contact, i *customer.Interaction, now int64) (was before, err error) {
	var owner string
	var at int64
	switch err := t.row(qContactOwner, []any{int64(c.Call), int64(c.Attempt)}, &owner, &at); {
	case errors.Is(err, ErrNotFound):
		was = another
	case err != nil:
		return nothing, err
	case owner != c.Customer:
		if err := raised(t, owner, now); err != nil {
			return nothing, err
		}
		was = another
	case at == i.At.UnixMicro():
		was = there
	default:
		was = elsewhen
	}
	return was, t.put(qDropContact, int64(c.Call), int64(c.Attempt), c.Customer, i.ID)
}

// overlay holds the contacts that are not written yet, by customer, so that
// the next look-up shows them all the same.
type overlay struct {
	mu    sync.Mutex
	by    map[string][]Contact
	own   map[contactKey]string // whose it is: a contact may change its customer
	clock int64                 // counts look-ups
	reads map[int64]struct{}    // look-ups under way
	gone  []writtenContact      // kept for look-ups that may have read the database before
}

// writtenContact is in the database since the look-up of that number had begun.
type writtenContact struct {
	at int64
	c  Contact
}

func (o *overlay) init() {
	o.by, o.own, o.reads = map[string][]Contact{}, map[contactKey]string{}, map[int64]struct{}{}
}

func (o *overlay) add(c Contact) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.remove(c.key())
	o.by[c.Customer] = append(o.by[c.Customer], c)
	o.own[c.key()] = c.Customer
}

func (o *overlay) remove(k contactKey) {
	owner, there := o.own[k]
	if !there {
		return
	}
	delete(o.own, k)
	rest := slices.DeleteFunc(o.by[owner], func(c Contact) bool { return c.key() == k })
	if len(rest) == 0 {
		delete(o.by, owner)
	} else {
		o.by[owner] = rest
	}
}

// written drops what is in the database now, unless it was saved anew since.
func (o *overlay) written(done []Contact) {
	if len(done) == 0 {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, c := range done {
		o.gone = append(o.gone, writtenContact{o.clock, c})
	}
	o.sweep()
}

// begin comes before a look-up reads the database: until its end the contacts
// that were unwritten now stay.
func (o *overlay) begin() (read int64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.clock++
	o.reads[o.clock] = struct{}{}
	return o.clock
}

func (o *overlay) end(read int64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.reads, read)
	o.sweep()
}

// sweep drops what was written before the oldest look-up under way began; the
// lock is held.
func (o *overlay) sweep() {
	oldest := o.clock + 1
	for read := range o.reads {
		oldest = min(oldest, read)
	}
	n := 0
	for ; n < len(o.gone) && o.gone[n].at < oldest; n++ {
		c := o.gone[n].c
		if slices.Contains(o.by[o.own[c.key()]], c) {
			o.remove(c.key())
		}
	}
	o.gone = slices.Delete(o.gone, 0, n)
}

// of are a customer's contacts that are not written, or were not when the
// look-up began.
func (o *overlay) of(customer string) []Contact {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.by[customer])
}

// overlaid puts unwritten contacts into a record just read, of its own or of one of
// its accounts.
func overlaid(r *customer.Record, account string, unwritten []Contact, names map[string]string) {
	for _, c := range unwritten {
		i := c.interaction(names[string(c.Agent)])
		i.Account = account
		at := slices.IndexFunc(r.Interactions, func(h customer.Interaction) bool { return h.ID == i.ID })
		switch {
		case at < 0:
			r.Interactions = append(r.Interactions, i)
			r.Contacts++
		case same(r.Interactions[at], i):
			continue // written in the meantime
		default:
			r.Interactions[at] = i
		}
		r.Version++
		if i.Agent != nil && (r.LastAgentAt == nil || !r.LastAgentAt.After(i.At)) {
			when := i.At
			r.LastAgent, r.LastAgentAt = i.Agent, &when
		}
	}
	r.Interactions = inOrder(r.Interactions)
}

// inOrder are the interactions that a record shows: the newest, newest first.
func inOrder(all []customer.Interaction) []customer.Interaction {
	slices.SortFunc(all, func(a, b customer.Interaction) int {
		if d := b.At.Compare(a.At); d != 0 {
			return d
		}
		return strings.Compare(b.ID, a.ID)
	})
	return all[:min(len(all), maxInteractions)]
}

// same compares two calls' interactions by what an agent can change.
func same(a, b customer.Interaction) bool {
	return a.At.Equal(b.At) && a.Note == b.Note && a.Disposition == b.Disposition && a.Detail == b.Detail && a.Title == b.Title && a.DurationS == b.DurationS
}

package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/cordboard/cordboard/configs"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/routing/rule"
	"github.com/cordboard/cordboard/sip/identity"
	"github.com/cordboard/cordboard/store"
	"github.com/cordboard/cordboard/store/journal"
	"github.com/cordboard/cordboard/web"
)

// reasonErased is why a callback is over whose customer has been erased.
const reasonErased = "erased"

// erasePatience is how long an erasure may take: all calls are read for it.
const erasePatience = 5 * time.Minute

// erasing are the places a person is erased from. What is found last is removed
// last: an erasure that was cut off finds the rest when it is repeated.
type erasing struct {
	store    *store.Store
	key      func(field, literal string) string // nil: no journal was ever kept
	keys     func(subjects ...string) error
	messages func(calls []routing.CallID) error
	end      func(call routing.CallID) // a place that waits to be called back
	forget   func(t store.Traces)
}

func (e *erasing) do(ctx context.Context, who store.Person) (out web.Erased, err error) {
	if who, err = canonical(who); err != nil {
		return out, err
	}
	ctx, cancel := context.WithTimeout(ctx, erasePatience)
	defer cancel()
	if e.store.Stats().Failing {
		return out, store.ErrDatabaseAway
	}
	if err := e.store.Flush(ctx); err != nil {
		return out, errors.Join(store.ErrDatabaseAway, err)
	}
	t, err := e.store.Traces(ctx, who)
	if err != nil {
		return out, err
	}
	open, err := e.store.OpenCalls(ctx)
	if err != nil {
		return out, err
	}
	e.forget(t)
	if e.key != nil {
		if err := e.keys(subjects(e.key, t)...); err != nil {
			return out, err
		}
	}
	if err := e.messages(t.Calls); err != nil {
		return out, err
	}
	for i := range open {
		if r := &open[i]; r.Reason == store.ReasonCallback && r.TalkAt.IsZero() && slices.Contains(t.Calls, r.Call) {
			e.end(r.Call)
			out.Callbacks++
		}
	}
	erased, err := e.store.EraseTraced(ctx, who, t.Accounts)
	out.Customer, out.Accounts, out.Calls, out.Messages, out.Requests = erased.Customer, erased.Accounts, erased.Calls, erased.Messages, erased.Requests
	return out, err
}

// canonical is a person with the number as the database has numbers.
func canonical(who store.Person) (store.Person, error) {
	if who.Number == "" {
		return who, nil
	}
	n, err := identity.ParseNumber(who.Number, "", nil)
	if err != nil {
		return who, &web.PersonRefused{Code: "bad_request", Why: "the number is none: it is written as +447700900417"}
	}
	who.Number = n.E164()
	return who, nil
}

// subjects are those under whose keys the journal has sealed what is known of a
// person.
func subjects(key func(field, literal string) string, t store.Traces) (out []string) {
	for _, id := range t.Accounts {
		out = append(out, key("customer.id", id))
	}
	for _, n := range t.Numbers {
		out = append(out, key("call.ani", n))
	}
	for _, c := range t.Calls {
		out = append(out, journal.SubjectOfCall(c))
	}
	return out
}

// Erase erases a person while the server runs. by is who asked for it, for the log.
func (a *App) Erase(ctx context.Context, who store.Person, by string) (web.Erased, error) {
	a.erasing.Lock() // one at a time
	defer a.erasing.Unlock()
	var gone store.Traces
	e := erasing{
		store: a.store, key: a.rim.key, keys: a.journal.Erase, messages: a.left.erase,
		end: func(call routing.CallID) {
			a.rim.driver.Submit(routing.CallbackCancelled{Call: call, Reason: reasonErased})
		},
		forget: func(t store.Traces) {
			gone = t
			a.rim.callers.erase(t.Accounts, t.Numbers)
			a.forget(t)
			a.tracer.messages.Clear()
		},
	}
	out, err := e.do(ctx, who)
	if err != nil {
		return out, personRefused(err)
	}
	// Look-ups that were under way may have been remembered since.
	a.forget(gone)
	a.log.Info("a person was erased", zap.String("user", by), zap.Bool("customer", out.Customer), zap.Int("calls", out.Calls),
		zap.Int("messages", out.Messages), zap.Int("callbacks", out.Callbacks), zap.Int("requests", out.Requests))
	return out, nil
}

// forget drops what was found of a person from memory.
func (a *App) forget(t store.Traces) {
	a.finder.Erase("", t.Numbers)
	a.beside.Erase("", t.Numbers)
	for _, id := range t.Accounts {
		a.finder.Erase(id, nil)
		a.beside.Erase(id, nil)
	}
}

// personRefused is the error of an erasure or an export in web's words.
func personRefused(err error) error {
	var owned *store.OwnedError
	switch {
	case errors.As(err, &owned):
		return &web.PersonRefused{Code: "owned", Why: owned.Error()}
	case errors.Is(err, store.ErrOtherAccounts):
		return &web.PersonRefused{Code: "unavailable", Why: store.ErrOtherAccounts.Error()}
	case errors.Is(err, store.ErrDatabaseAway):
		return &web.PersonRefused{Code: "unavailable", Why: store.ErrDatabaseAway.Error()}
	}
	return err
}

// eraseFor implements what package web asks of it.
func (a *App) eraseFor(ctx context.Context, customer, number, by string) (web.Erased, error) {
	return a.Erase(ctx, store.Person{Customer: customer, Number: number}, by)
}

// EraseFiles erases a person from the database and the files of a server that does
// not run, and refuses to behind the back of one that does.
func EraseFiles(ctx context.Context, s *configs.Server, who store.Person, log *zap.Logger) (out web.Erased, err error) {
	st, key, err := openAlone(ctx, s, log)
	if err != nil {
		return out, err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	e := erasing{
		store: st, key: key,
		keys:     func(subjects ...string) error { return journal.Erase(s.Store.Journal, subjects...) },
		messages: func(calls []routing.CallID) error { return eraseMessages(messagesFolder(s.Store.Journal), calls) },
		end: func(call routing.CallID) {
			st.Do(time.Now(), []routing.Action{routing.EndCall{Call: call, Outcome: routing.Expired, By: routing.ByServer, Reason: reasonErased}})
		},
		forget: func(store.Traces) {},
	}
	if out, err = e.do(ctx, who); err != nil {
		return out, err
	}
	return out, st.Scrub(ctx)
}

// openAlone opens the store of a server that does not run as that would: it has to
// be the only one, and what an earlier run has left in the spill file is written
// first. key is nil where no journal was ever kept.
func openAlone(ctx context.Context, s *configs.Server, log *zap.Logger) (st *store.Store, key func(field, literal string) string, err error) {
	o, err := StoreOptions(s.Store)
	if err != nil {
		return nil, nil, err
	}
	key, err = RimKeys(s.Store.Journal)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, nil, fmt.Errorf("the journal's key: %w", err)
	}
	o.Log, o.Spill = log, filepath.Join(s.Store.Journal, "ledger.spill")
	if key != nil {
		o.NumberKey = func(e164 string) string { return suppressionKey(key, e164) }
	}
	st, err = store.Open(ctx, o)
	return st, key, err
}

// messageFiles are the names of the files of calls' messages in a folder, whatever
// has become of them.
func messageFiles(folder string, calls []routing.CallID) (names []string, err error) {
	entries, err := os.ReadDir(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	for _, f := range entries {
		call, _, _ := strings.Cut(f.Name(), ".")
		if slices.ContainsFunc(calls, func(c routing.CallID) bool { return fmt.Sprint(int64(c)) == call }) {
			names = append(names, f.Name())
		}
	}
	return names, err
}

// eraseMessages removes them.
func eraseMessages(folder string, calls []routing.CallID) error {
	names, err := messageFiles(folder, calls)
	errs := []error{err}
	for _, name := range names {
		errs = append(errs, os.Remove(filepath.Join(folder, name)))
	}
	return errors.Join(errs...)
}

// erase removes what callers left and the store does not have yet.
func (m *messages) erase(calls []routing.CallID) error {
	m.storing.Lock()
	defer m.storing.Unlock()
	return eraseMessages(m.folder, calls)
}

// erase forgets who the callers in hand are, of a customer or of numbers.
func (c *knownCalls) erase(customers, numbers []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, who := range c.by {
		if slices.Contains(customers, who.id) || slices.Contains(numbers, who.number) {
			who.id, who.fields, who.customer = "", nil, rule.Customer{}
		}
	}
}

// wirePerson is what the commands erase and export ask a running server.
type wirePerson struct {
	Customer string `json:"customer"`
	Number   string `json:"number"`
	By       string `json:"by"`
}

func (a *App) localErase(w http.ResponseWriter, r *http.Request) {
	var in wirePerson
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	patiently(w)
	out, err := a.Erase(r.Context(), store.Person{Customer: in.Customer, Number: in.Number}, "command line: "+in.By)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(out)
}

// patiently gives an answer the time that reading all calls may take.
func patiently(w http.ResponseWriter) {
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(erasePatience + answerTime)) // it has one
}

// AskToErase has the running server erase a person.
func AskToErase(ctx context.Context, s *configs.Server, who store.Person, by string) (out web.Erased, err error) {
	body, err := json.Marshal(wirePerson{who.Customer, who.Number, by})
	if err == nil {
		err = askLocal(ctx, s, http.MethodPost, "/erase", bytes.NewReader(body), &out)
	}
	return out, err
}

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/cordboard/cordboard/cmd/cordboard/internal/app"
	"github.com/cordboard/cordboard/cmd/cordboard/internal/why"
	"github.com/cordboard/cordboard/configs"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/store"
)

// explainOptions is what the flags of explain say.
type explainOptions struct {
	server, call, test, at, today, directory string
	length                                   time.Duration
	noAnswer, json, redecide                 bool
	attempt                                  int
}

func explainCommand() *cobra.Command {
	var o explainOptions
	c := &cobra.Command{
		Use:   "explain CALL | explain FILE --call TEXT",
		Short: "Say why a call got the agent it got, or what a routing document would make of one",
		Long: "explain CALL: a call of the ledger, by its number. Its decisions are taken again from the journal by the engine that serves, and told with\n" +
			"their reasons: the routes tried, the need at each step, every agent who was signed in with the one reason why the call was not theirs, and\n" +
			"who would have had it with the least change. Beside a running server too. With --redecide the exit status is 1 when a decision comes out\n" +
			"otherwise than the ledger has it, or cannot be taken again.\n" +
			"explain FILE --call TEXT: a call that did not happen, put to a routing document in virtual time. TEXT is what a test of the document\n" +
			"says of its call: 'call: {dnis: \"+35924000100\"}, customer: {segment: gold}, agents: {ann: {state: talking}}'. Without agents all of\n" +
			"the document are there and free. --test NAME takes the call of a test that stands in the document.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if n, err := strconv.ParseInt(args[0], 10, 64); err == nil && n > 0 {
				return o.recorded(cmd.Context(), cmd.OutOrStdout(), routing.CallID(n))
			}
			return o.document(cmd, args[0])
		},
	}
	f := c.Flags()
	f.StringVar(&o.call, "call", "", "the call, the customer and the agents, as a test of the document has them")
	f.StringVar(&o.test, "test", "", "the call of this test of the document")
	f.StringVar(&o.at, "at", "", "when the call comes, local time of the document: 2026-04-15T11:00; without it, noon of --today")
	f.StringVar(&o.today, "today", "", "the day, YYYY-MM-DD; without it, this day")
	f.StringVar(&o.directory, "directory", "", "the agents of a FILE that lists none")
	f.DurationVar(&o.length, "for", 0, "how long a call is followed that nobody takes (2h when left out)")
	f.BoolVar(&o.noAnswer, "no-answer", false, "no agent answers the phone")
	f.BoolVar(&o.json, "json", false, "JSON, with the keys of docs/explain.md")
	f.StringVarP(&o.server, "config", "c", "cordboard.yaml", "of a CALL: the server file")
	f.IntVar(&o.attempt, "attempt", 0, "of a CALL: this offer alone")
	f.BoolVar(&o.redecide, "redecide", false, "of a CALL: fail unless each decision comes out again as the ledger has it")
	return c
}

// recorded explains a call of the ledger.
func (o *explainOptions) recorded(ctx context.Context, w io.Writer, call routing.CallID) (err error) {
	server, options, err := storeOf(o.server)
	if err != nil {
		return err
	}
	options.Tool = true
	st, err := store.Open(ctx, options)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	documents := why.Documents{Versions: st, File: server.Routes}
	sources := why.Sources{Ledger: st, Journal: server.Store.Journal}
	if documents.Keys, err = app.RimKeys(server.Store.Journal); err == nil {
		sources.Policy = documents.Policy
	} else { // the ledger has the call still
		keyless := fmt.Errorf("the journal's key: %w", err)
		sources.Policy = func(context.Context, int, string, string) (*routing.Policy, error) { return nil, keyless }
	}
	out, err := sources.Call(ctx, call)
	if err != nil {
		return fmt.Errorf("call %d: %w", call, err)
	}
	if o.attempt > 0 && !out.Only(routing.Attempt(o.attempt)) {
		return fmt.Errorf("call %d has no offer #%d", call, o.attempt)
	}
	if o.json {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		err = e.Encode(out)
	} else {
		err = printRecorded(w, out)
	}
	if err == nil && o.redecide && out.Again != why.Same && out.Again != why.Erased {
		return fmt.Errorf("call %d is not decided again as it was: %s", call, out.Reason)
	}
	return err
}

// document explains a call that is put to a routing document.
func (o *explainOptions) document(cmd *cobra.Command, file string) (err error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if o.call == "" && o.test == "" {
		return errors.New("explain FILE wants --call or --test: the call to explain")
	}
	q := configs.Inquiry{Call: o.call, Test: o.test, At: o.at, Today: time.Now(), For: o.length, NoAnswer: o.noAnswer}
	if o.today != "" {
		if q.Today, err = time.Parse(time.DateOnly, o.today); err != nil {
			return fmt.Errorf("--today %s is no date, such as 2026-02-16", o.today)
		}
	}
	if o.directory != "" {
		if q.Directory, err = configs.ReadDirectory(o.directory); err != nil {
			return err
		}
	}
	out, findings := configs.Explain(file, b, q)
	if len(findings) > 0 {
		return errors.Join(configs.Print(cmd.ErrOrStderr(), findings), countErrors(findings[0].File, len(findings)))
	}
	if o.json {
		e := json.NewEncoder(cmd.OutOrStdout())
		e.SetIndent("", "  ")
		return e.Encode(out)
	}
	return printExplained(cmd.OutOrStdout(), out)
}

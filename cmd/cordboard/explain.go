package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/cordboard/cordboard/configs"
)

// explainOptions is what the flags of explain say.
type explainOptions struct {
	call, test, at, today string
	length                time.Duration
	noAnswer, json        bool
}

func explainCommand() *cobra.Command {
	var o explainOptions
	c := &cobra.Command{
		Use:   "explain FILE --call TEXT",
		Short: "Say what a routing document would make of a call, and why",
		Long: "A call that did not happen, put to a routing document in virtual time. TEXT is what a test of the document\n" +
			"says of its call: 'call: {dnis: \"+35924000100\"}, customer: {segment: gold}, agents: {ann: {state: talking}}'. Without agents all of\n" +
			"the document are there and free. --test NAME takes the call of a test that stands in the document.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.document(cmd, args[0])
		},
	}
	f := c.Flags()
	f.StringVar(&o.call, "call", "", "the call, the customer and the agents, as a test of the document has them")
	f.StringVar(&o.test, "test", "", "the call of this test of the document")
	f.StringVar(&o.at, "at", "", "when the call comes, local time of the document: 2026-04-15T11:00; without it, noon of --today")
	f.StringVar(&o.today, "today", "", "the day, YYYY-MM-DD; without it, this day")
	f.DurationVar(&o.length, "for", 0, "how long a call is followed that nobody takes (2h when left out)")
	f.BoolVar(&o.noAnswer, "no-answer", false, "no agent answers the phone")
	f.BoolVar(&o.json, "json", false, "JSON, with the keys of docs/explain.md")
	return c
}

// document explains a call that is put to a routing document.
func (o *explainOptions) document(cmd *cobra.Command, file string) (err error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if o.call == "" && o.test == "" {
		return errors.New("explain FILE wants --call or --test: the call to explain.")
	}
	q := configs.Inquiry{Call: o.call, Test: o.test, At: o.at, Today: time.Now(), For: o.length, NoAnswer: o.noAnswer}
	if o.today != "" {
		if q.Today, err = time.Parse(time.DateOnly, o.today); err != nil {
			return fmt.Errorf("--today %s is no date, such as 2026-02-16", o.today)
		}
	}
	out, findings := configs.Explain(file, b, q)
	if len(findings) > 0 {
		return errors.Join(configs.Print(cmd.ErrOrStderr(), findings), countErrors(file, len(findings)))
	}
	if o.json {
		e := json.NewEncoder(cmd.OutOrStdout())
		e.SetIndent("", "  ")
		return e.Encode(out)
	}
	return printExplained(cmd.OutOrStdout(), out)
}

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/cordboard/cordboard/screenpop/customer"
	"github.com/cordboard/cordboard/store"
)

// mergeTool is what cordboard merge is asked for.
type mergeTool struct {
	file                        string
	dryRun, apart, list, asJSON bool
	undo                        int64
	out                         io.Writer
}

func mergeCommand() *cobra.Command {
	var m mergeTool
	c := &cobra.Command{
		Use:   "merge KEEP OTHER",
		Short: "Make two customers one, by id; with --undo two again, with --apart never again duplicates",
		Long: "Make two customers one: the record of KEEP shows what OTHER has too, and the numbers of both lead to it. Nothing of either is lost: an import\n" +
			"goes on to write each by its own id, and cordboard merge --undo NUMBER has them be two again, by the number that the merge was given\n" +
			"(--list). --dry-run says what there is of both and does nothing. --apart says that the two are not one: cordboard duplicates names them no\n" +
			"more. A running server is not disturbed, and shows it at the next call (docs/merging.md).",
		Args: func(_ *cobra.Command, args []string) error {
			switch {
			case m.list && m.undo != 0, (m.list || m.undo != 0) && (len(args) > 0 || m.dryRun || m.apart), m.dryRun && m.apart:
				return errors.New("want one of: KEEP OTHER, --undo NUMBER, --list")
			case !m.list && m.undo == 0 && len(args) != 2:
				return errors.New("want two customers: whose record it is to be, and who is to be shown there too")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			m.out = cmd.OutOrStdout()
			s, err := openStore(cmd.Context(), m.file)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, s.Close()) }()
			return m.run(cmd.Context(), s, args)
		},
	}
	c.Flags().StringVarP(&m.file, "config", "c", "cordboard.yaml", "the server file")
	c.Flags().BoolVar(&m.dryRun, "dry-run", false, "say what would be merged, and do nothing")
	c.Flags().BoolVar(&m.apart, "apart", false, "the two are not one: leave them out of the duplicates")
	c.Flags().BoolVar(&m.list, "list", false, "list the latest 1,000 merges")
	c.Flags().Int64Var(&m.undo, "undo", 0, "undo the merge of this number")
	c.Flags().BoolVar(&m.asJSON, "json", false, "print the result as JSON")
	return c
}

func (m *mergeTool) run(ctx context.Context, s *store.Store, args []string) error {
	by := customer.Colleague{Agent: (&routingTool{}).author()}
	by.Name = by.Agent
	switch {
	case m.list:
		return m.listed(ctx, s)
	case m.undo != 0:
		gone, err := s.UndoMerge(ctx, m.undo, time.Now())
		if errors.Is(err, store.ErrNotFound) {
			return fmt.Errorf("there is no merge %d: cordboard merge --list has those there are", m.undo)
		}
		return m.say(err, gone, "two again: %s and %s", gone.Whole, gone.Other)
	case m.apart:
		err := s.KeepApart(ctx, args[0], args[1], by, time.Now())
		return m.say(err, store.Merge{}, "%s and %s are not one, and named as duplicates no more", args[0], args[1])
	case m.dryRun:
		return m.tried(ctx, s, args[0], args[1])
	}
	done, err := s.Merge(ctx, args[0], args[1], by, time.Now())
	return m.say(err, done, "merged: %s is shown with %s; to undo it: cordboard merge --undo %d", done.Other, done.Whole, done.ID)
}

// wireMerge is a merge as --json prints it.
type wireMerge struct {
	Merge int64     `json:"merge,omitempty"`
	Whole string    `json:"whole,omitempty"`
	Kept  string    `json:"kept,omitempty"`
	Other string    `json:"other,omitempty"`
	By    string    `json:"by,omitempty"`
	At    time.Time `json:"at,omitzero"`
}

func wire(m store.Merge) wireMerge {
	return wireMerge{m.ID, m.Whole, m.Kept, m.Other, m.By.Agent, m.At}
}

func (m *mergeTool) say(err error, done store.Merge, text string, args ...any) error {
	if err != nil {
		return err
	}
	if m.asJSON {
		return json.NewEncoder(m.out).Encode(wire(done))
	}
	_, err = fmt.Fprintf(m.out, text+"\n", args...)
	return err
}

func (m *mergeTool) listed(ctx context.Context, s *store.Store) error {
	all, err := s.Merges(ctx, 1000)
	if err != nil {
		return err
	}
	if m.asJSON {
		out := make([]wireMerge, 0, len(all))
		for _, one := range all {
			out = append(out, wire(one))
		}
		return json.NewEncoder(m.out).Encode(out)
	}
	for _, one := range all {
		if _, err := fmt.Fprintf(m.out, "%d  %s  %s into %s, by %s\n", one.ID, one.At.Format(time.DateTime), one.Other, one.Whole, one.By.Agent); err != nil {
			return err
		}
	}
	if len(all) == 0 {
		_, err = fmt.Fprintln(m.out, "no customers are merged")
	}
	return err
}

// tried says what would be merged: how much, and nothing of what.
func (m *mergeTool) tried(ctx context.Context, s *store.Store, kept, other string) error {
	would, err := s.CheckMerge(ctx, kept, other)
	if err != nil {
		return err
	}
	var parts []string
	for _, id := range []string{would.Whole, would.Other} {
		r, err := s.Customer(ctx, id)
		if err != nil {
			return err
		}
		parts = append(parts, id+" has "+strings.Join([]string{
			count(len(r.Numbers), "number"), count(len(r.Products), "product"), count(len(r.Tickets), "ticket"), strconv.Itoa(r.Contacts) + " contacts",
		}, ", "))
	}
	would.ID = 0
	return m.say(nil, would, "would merge %s into %s, and does not: %s", would.Other, would.Whole, strings.Join(parts, "; "))
}

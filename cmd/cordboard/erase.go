package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"go.uber.org/zap"

	"github.com/cordboard/cordboard/cmd/cordboard/internal/app"
	"github.com/cordboard/cordboard/store"
	"github.com/cordboard/cordboard/web"
)

func eraseCommand() *cobra.Command {
	var file string
	var number, yes bool
	c := &cobra.Command{
		Use:   "erase CUSTOMER",
		Short: "Erase a customer, or with --number a caller who is none: record, messages, and what leads to him from calls and journal",
		Long: "Erase all that is kept of a customer, by id, or with --number of a caller who is no customer, by number (+447700900417).\n" +
			"His calls stay for the figures, without his number and without saying whose they were; the decisions about them stay, what they\n" +
			"were decided by does not. Whom a customer was merged with goes along (docs/merging.md). It can't be undone. A running server is asked to do it, and forgets him too; with none running the\n" +
			"files are cleaned. Backups keep what they have (docs/erasure.md).",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			who := store.Person{Customer: args[0]}
			if number {
				who = store.Person{Number: args[0]}
			}
			if !yes {
				return askedTwice(cmd.Context(), file, who)
			}
			server, err := loadServer(file, printed)
			if err != nil {
				return err
			}
			var out web.Erased
			if app.Running(cmd.Context(), server) {
				out, err = app.AskToErase(cmd.Context(), server, who, (&routingTool{}).author())
			} else {
				out, err = app.EraseFiles(cmd.Context(), server, who, zap.NewNop())
			}
			if err != nil {
				return err
			}
			if out == (web.Erased{}) {
				fmt.Fprintln(cmd.OutOrStdout(), "nothing of that person was kept (any more)")
				return nil
			}
			if out.Accounts > 1 {
				fmt.Fprintf(cmd.OutOrStdout(), "%d customers were one, and are erased with each other\n", out.Accounts)
			}
			fmt.Fprintf(cmd.OutOrStdout(), "erased: customer %s, %d calls without a caller now, %d messages, %d callbacks, %d requests\n",
				map[bool]string{true: "yes", false: "no"}[out.Customer], out.Calls, out.Messages, out.Callbacks, out.Requests)
			return nil
		},
	}
	c.Flags().StringVarP(&file, "config", "c", "cordboard.yaml", "the server file")
	c.Flags().BoolVar(&number, "number", false, "a number is given, of somebody who is no customer")
	c.Flags().BoolVar(&yes, "yes", false, "I mean it")
	return c
}

// askedTwice says what an erasure would take along.
func askedTwice(ctx context.Context, file string, who store.Person) (err error) {
	sure := "erasing can't be undone: say --yes when you mean it"
	if who.Customer == "" {
		return errors.New(sure)
	}
	s, err := openStore(ctx, file)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	accounts, err := s.Accounts(ctx, who.Customer)
	if err != nil {
		return err
	}
	if len(accounts) > 1 {
		sure = fmt.Sprintf("%d customers were merged and are erased with each other: %s; ", len(accounts), strings.Join(accounts, ", ")) + sure
	}
	return errors.New(sure)
}

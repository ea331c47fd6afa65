package main

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/cordboard/cordboard/cmd/cordboard/internal/app"
	"github.com/cordboard/cordboard/cmd/cordboard/internal/why"
)

func traceCommand() *cobra.Command {
	var file, format string
	var whole bool
	c := &cobra.Command{
		Use:   "trace CALL",
		Short: "Print a call as it went over the wire: its SIP messages, and what was decided between them",
		Long: "Print a call of the running server as a SIP ladder: the messages of each of its dialogs, and between them what was decided about it.\n" +
			"CALL is its number in the ledger, or the Call-ID of one of its dialogs, by which a call is found too that was refused. The server keeps\n" +
			"the messages of the latest calls in memory (trace in the server file); the decisions are the ledger's.\n" +
			"No number and no name is in it, unless --messages asks for the messages as they are, which the server's log notes.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if format != "text" && format != "json" {
				return fmt.Errorf("--format %s: it is text or json", format)
			}
			server, err := loadServer(file, printed)
			if err != nil {
				return err
			}
			t, err := app.Trace(cmd.Context(), server, args[0], whole, (&routingTool{}).author())
			switch {
			case errors.Is(err, why.ErrNoCall):
				return fmt.Errorf("call %s: %w, or none of which messages are kept", args[0], err)
			case errors.Is(err, app.ErrNotRunning):
				return fmt.Errorf("%w: the messages are in its memory, and gone with it; cordboard explain tells the decisions", err)
			case err != nil:
				return err
			}
			if format == "text" {
				return t.Print(cmd.OutOrStdout())
			}
			e := json.NewEncoder(cmd.OutOrStdout())
			e.SetIndent("", "  ")
			return e.Encode(t)
		},
	}
	c.Flags().StringVarP(&file, "config", "c", "cordboard.yaml", "the server file")
	c.Flags().StringVar(&format, "format", "text", "text, or json with the keys of docs/trace.md")
	c.Flags().BoolVar(&whole, "messages", false, "each message as it is too, numbers and names in it")
	return c
}

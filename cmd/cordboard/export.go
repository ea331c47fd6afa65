package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"
	"go.uber.org/zap"

	"github.com/cordboard/cordboard/cmd/cordboard/internal/app"
	"github.com/cordboard/cordboard/store"
)

func exportCommand() *cobra.Command {
	var file, to string
	var number bool
	c := &cobra.Command{
		Use:   "export CUSTOMER",
		Short: "Export all that is kept of a customer, or with --number of a caller who is none, as one JSON file",
		Long: "Export all that is kept of a customer, by id, or with --number of a caller who is no customer, by number (+447700900417):\n" +
			"what cordboard erase would remove. A running server is asked for it, and logs that it was; with none running the files are read.\n" +
			"The file's fields are in docs/erasure.md. It holds a person's data: with --out nobody else may read it, and a file that is there is not replaced.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			who := store.Person{Customer: args[0]}
			if number {
				who = store.Person{Number: args[0]}
			}
			server, err := loadServer(file, printed)
			if err != nil {
				return err
			}
			var text []byte
			if app.Running(cmd.Context(), server) {
				text, err = app.AskToExport(cmd.Context(), server, who, (&routingTool{}).author())
			} else {
				text, err = app.ExportFiles(cmd.Context(), server, who, zap.NewNop())
			}
			if err != nil {
				return err
			}
			return writeTo(cmd.OutOrStdout(), to, append(bytes.TrimSpace(text), '\n'))
		},
	}
	c.Flags().StringVarP(&file, "config", "c", "cordboard.yaml", "the server file")
	c.Flags().BoolVar(&number, "number", false, "a number is given, of somebody who is no customer")
	c.Flags().StringVarP(&to, "out", "o", "", "write the file there; without it, print it")
	return c
}

// writeTo writes a person's data to a new file of the user's own, or prints it.
func writeTo(out io.Writer, path string, text []byte) (err error) {
	if path == "" {
		_, err = out.Write(text)
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return errors.Join(err, os.Remove(path))
	}
	_, err = fmt.Fprintf(out, "exported to %s: %d bytes\n", path, len(text))
	return err
}

package main

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/cordboard/cordboard/cmd/cordboard/internal/app"
	"github.com/cordboard/cordboard/cmd/cordboard/internal/doctor"
	"github.com/cordboard/cordboard/store"
)

func doctorCommand() *cobra.Command {
	var format string
	c := &cobra.Command{
		Use:   "doctor [SERVER FILE]",
		Short: "Look at what the server needs of its machine and its trunks, and say in one line each what is wrong and what to do",
		Long: "Look at what the server needs: certificates, host names, ports, trunks that calls leave by and telephones (by OPTIONS), sounds, database, disk, descriptors, clock.\n" +
			"One line each: ok, warn (it serves, and something will hurt) or FAIL (it does not serve, or not all). It works beside a running server, and\n" +
			"without one. The exit status is 1 when a line is FAIL. The file is cordboard.yaml when left out.",
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if format != "text" && format != "json" {
				return fmt.Errorf("--format %s: it is text or json", format)
			}
			server, err := loadServer(append(args, "cordboard.yaml")[0], printed)
			if err != nil {
				return err
			}
			lines := doctor.Examine(cmd.Context(), doctor.Patient{
				Server: server, Running: app.Running(cmd.Context(), server),
				Store: func() (store.Options, error) { return app.StoreOptions(server.Store) },
			})
			if format == "json" {
				e := json.NewEncoder(cmd.OutOrStdout())
				e.SetIndent("", "  ")
				err = e.Encode(lines)
			} else {
				err = doctor.Print(cmd.OutOrStdout(), lines)
			}
			if err == nil && doctor.Worst(lines) == doctor.Fail {
				err = &exitError{1, errors.New("")} // the lines have said it
			}
			return err
		},
	}
	c.Flags().StringVar(&format, "format", "text", "text, or json: an array of verdict, of, says, do")
	return c
}

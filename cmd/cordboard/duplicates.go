package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

func duplicatesCommand() *cobra.Command {
	var file string
	var asJSON bool
	c := &cobra.Command{
		Use:   "duplicates",
		Short: "List customers who may be one: they share a number, and their names are of the same words",
		Long: "List customers who may be one and the same, by id: each has a number that the others have, and their names are of the same words in\n" +
			"whatever order and case. A call from that number finds several, and the agent has to choose. Nothing is changed; a running server is not\n" +
			"disturbed. Those who share the most numbers come first.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			s, err := openStore(cmd.Context(), file)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, s.Close()) }()
			found, err := s.Duplicates(cmd.Context())
			if err != nil {
				return err
			}
			out := cmd.OutOrStdout()
			if asJSON {
				return json.NewEncoder(out).Encode(found)
			}
			for _, d := range found {
				if _, err := fmt.Fprintf(out, "%s: %s shared\n", strings.Join(d.Customers, ", "), count(d.Numbers, "number")); err != nil {
					return err
				}
			}
			if len(found) == 0 {
				_, err = fmt.Fprintln(out, "no two customers share a number and a name")
			}
			return err
		},
	}
	c.Flags().StringVarP(&file, "config", "c", "cordboard.yaml", "the server file")
	c.Flags().BoolVar(&asJSON, "json", false, "print the result as JSON")
	return c
}

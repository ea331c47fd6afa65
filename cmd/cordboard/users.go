package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/cordboard/cordboard/store"
	"github.com/cordboard/cordboard/web"
)

// listed is a user as user list shows one.
type listed struct {
	ID   string `json:"id"`
	Role string `json:"role"`
	Name string `json:"name"`
	// Telephone: what one registers with: "own", "password" (the desk's), "" for
	// nothing yet.
	Telephone string `json:"telephone"`
}

func userListCommand() *cobra.Command {
	var file string
	var asJSON bool
	c := &cobra.Command{
		Use:   "list",
		Short: "List the users: id, role, what their telephone registers with, name",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			s, err := openStore(cmd.Context(), file)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, s.Close()) }()
			users, err := usersOf(cmd, s)
			if err != nil {
				return err
			}
			if asJSON {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(users)
			}
			table := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
			fmt.Fprintln(table, "ID\tROLE\tTELEPHONE\tNAME")
			for _, u := range users {
				fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", u.ID, u.Role, dash(u.Telephone), u.Name)
			}
			return table.Flush()
		},
	}
	c.Flags().StringVarP(&file, "config", "c", "cordboard.yaml", "the server file")
	c.Flags().BoolVar(&asJSON, "json", false, "one JSON array")
	return c
}

func usersOf(cmd *cobra.Command, s *store.Store) ([]listed, error) {
	users, err := s.Users(cmd.Context())
	if err != nil {
		return nil, err
	}
	secrets, err := s.PhoneSecrets(cmd.Context())
	if err != nil {
		return nil, err
	}
	out := make([]listed, 0, len(users))
	for _, u := range users {
		l := listed{ID: u.ID, Role: u.Role, Name: u.Name}
		if _, ok := secrets[u.ID]; ok && u.Role == web.RoleAgent {
			own, err := s.HasOwnPhoneSecret(cmd.Context(), u.ID)
			if err != nil {
				return nil, err
			}
			l.Telephone = map[bool]string{false: "password", true: "own"}[own]
		}
		out = append(out, l)
	}
	return out, nil
}

func userRemoveCommand() *cobra.Command {
	var file string
	c := &cobra.Command{
		Use:   "remove ID",
		Short: "Remove a user: the desk closes within half a minute, the telephone cannot register anew",
		Long: "Remove a user. A desk that is open closes within half a minute; a telephone keeps its registration until it runs out and cannot renew it.\n" +
			"What the user did stays in the ledger and in the customers' records. An agent stays in the routing document.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			s, err := openStore(cmd.Context(), file)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, s.Close()) }()
			err = s.DeleteUser(cmd.Context(), args[0])
			if errors.Is(err, store.ErrNotFound) {
				return fmt.Errorf("there is no user %s", args[0])
			}
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s may not sign in any more\n", args[0])
			return nil
		},
	}
	c.Flags().StringVarP(&file, "config", "c", "cordboard.yaml", "the server file")
	return c
}

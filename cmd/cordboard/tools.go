package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/configs"
	"github.com/cordboard/cordboard/store"
	"github.com/cordboard/cordboard/web"
)

func checkCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "check FILE",
		Short: "Read a server file or a routing document and print every error in it",
		Long:  "Read a server file (and the routing document it names) or a routing document alone. Exit status 1 with any error, else 0.",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			file := args[0]
			head, err := os.ReadFile(file)
			if err != nil {
				return err
			}
			if strings.Contains(string(head), "cordboard: server/") {
				if _, _, err := load(file, printed); err != nil {
					return err
				}
			} else if p, findings := configs.LoadRouting(file); p == nil || len(findings) > 0 {
				return refuse(file, findings, printed)
			}
			fmt.Fprintln(cmd.OutOrStdout(), file+": no errors")
			return nil
		},
	}
}

// openStore opens the store that a server file names, beside a running server.
func openStore(ctx context.Context, file string) (*store.Store, error) {
	server, findings := configs.LoadServer(file)
	if server == nil || len(findings) > 0 {
		return nil, refuse(file, findings, printed)
	}
	return store.Open(ctx, store.Options{Path: server.Store.Path, Tool: true})
}

func userCommand() *cobra.Command {
	c := &cobra.Command{Use: "user", Short: "The people who sign in"}
	var file, role, name string
	add := &cobra.Command{
		Use:   "add ID",
		Short: "Add a user or set a new password, which is read from standard input",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if role != web.RoleAgent && role != web.RoleSupervisor {
				return fmt.Errorf("role %q: it is %s or %s", role, web.RoleAgent, web.RoleSupervisor)
			}
			if role == web.RoleAgent {
				if err := isAgent(file, args[0]); err != nil {
					return err
				}
			}
			password, err := readPassword(cmd.InOrStdin(), cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			hash, err := web.HashPassword(password)
			if err != nil {
				return err
			}
			s, err := openStore(cmd.Context(), file)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, s.Close()) }()
			if name == "" {
				name = args[0]
			}
			if err := s.SaveUser(cmd.Context(), store.User{ID: args[0], Role: role, Name: name, PasswordHash: hash}); err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s may sign in as %s\n", args[0], role)
			return nil
		},
	}
	add.Flags().StringVarP(&file, "config", "c", "cordboard.yaml", "the server file")
	add.Flags().StringVar(&role, "role", web.RoleAgent, "agent or supervisor; an agent's id is the one in the routing document")
	add.Flags().StringVar(&name, "name", "", "shown to colleagues; the id when left out")
	c.AddCommand(add)
	return c
}

// isAgent says that the routing document has no agent of that id: such a user
// could sign in and would have no desk.
func isAgent(file, id string) error {
	server, policy, err := load(file, printed)
	if err != nil {
		return err
	}
	if _, ok := policy.Agents[agents.ID(id)]; !ok {
		return fmt.Errorf("%s is no agent in %s: add the agent there first, or use --role %s", id, server.Routes, web.RoleSupervisor)
	}
	return nil
}

// minPassword is the shortest password taken.
const minPassword = 8

// readPassword reads one line, unseen at a terminal.
func readPassword(in io.Reader, prompt io.Writer) (string, error) {
	var line []byte
	var err error
	if f, ok := in.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		fmt.Fprint(prompt, "Password: ")
		line, err = term.ReadPassword(int(f.Fd()))
		fmt.Fprintln(prompt)
	} else {
		line, err = io.ReadAll(io.LimitReader(in, 4096))
	}
	if err != nil {
		return "", err
	}
	password, _, _ := strings.Cut(string(line), "\n")
	password = strings.TrimSuffix(password, "\r")
	if len(password) < minPassword {
		return "", fmt.Errorf("a password has at least %d characters", minPassword)
	}
	return password, nil
}

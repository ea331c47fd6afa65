package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cordboard/cordboard/configs"
	"github.com/cordboard/cordboard/store"
)

func checkCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "check FILE",
		Short: "Read a server file or a routing document and print every error in it",
		Long: "Read a server file, the routing document it names, and whether what it names is there on this machine: certificates, secrets, folders,\n" +
			"addresses. serve begins with just this. Or read a routing document alone. Exit status 1 with any error, else 0.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			file := args[0]
			head, err := os.ReadFile(file)
			if err != nil {
				return err
			}
			if strings.Contains(string(head), "cordboard: server/") {
				if _, _, err := loadToServe(file, cmd.ErrOrStderr()); err != nil {
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
	_, o, err := storeOf(file)
	if err != nil {
		return nil, err
	}
	o.Tool = true
	return store.Open(ctx, o)
}

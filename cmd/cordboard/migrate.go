package main

import (
	"errors"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/cordboard/cordboard/cmd/cordboard/internal/app"
	"github.com/cordboard/cordboard/configs"
	"github.com/cordboard/cordboard/store"
)

func migrateCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "migrate",
		Short: "The schema of the database",
		Long: "The schema of the database. serve brings an SQLite file up by itself, after a copy beside it, and refuses an older Postgres schema:\n" +
			"that is for this command, with the server stopped.",
	}
	var file string
	c.PersistentFlags().StringVarP(&file, "config", "c", "cordboard.yaml", "the server file")
	c.AddCommand(migrateStatusCommand(&file), migrateUpCommand(&file))
	return c
}

func migrateStatusCommand(file *string) *cobra.Command {
	return &cobra.Command{
		Use:   "status",
		Short: "Print the schema's version; exit status 1 when it is not this program's",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, o, err := storeOf(*file)
			if err != nil {
				return err
			}
			s, err := store.SchemaOf(cmd.Context(), o)
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "schema %d, this program's is %d\n", s.Have, s.Want)
			if s.Have != s.Want {
				return &exitError{code: 1, err: errors.New("")} // the line says it
			}
			return nil
		},
	}
}

func migrateUpCommand(file *string) *cobra.Command {
	var how store.MigrateOptions
	c := &cobra.Command{
		Use:   "up",
		Short: "Make the schema, or bring an older one up, after a backup; the server is stopped",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			server, o, err := storeOf(*file)
			if err != nil {
				return err
			}
			if how.BackupDir == "" {
				how.BackupDir = filepath.Dir(server.Store.Journal)
			}
			s, err := store.Migrate(cmd.Context(), o, how)
			if err != nil {
				return err
			}
			out := cmd.OutOrStdout()
			if s.Backup != "" {
				fmt.Fprintln(out, "backup:", s.Backup)
			}
			if s.Have == s.Want {
				fmt.Fprintf(out, "schema %d, nothing to do\n", s.Have)
			} else {
				fmt.Fprintf(out, "schema %d is now %d\n", s.Have, s.Want)
			}
			return nil
		},
	}
	c.Flags().BoolVar(&how.NoBackup, "no-backup", false, "make no copy first: there is one already")
	c.Flags().StringVar(&how.BackupDir, "backup-dir", "", "where a Postgres backup goes; beside the journal's folder when left out")
	return c
}

// storeOf reads which store a server file names.
func storeOf(file string) (*configs.Server, store.Options, error) {
	server, findings := configs.LoadServer(file)
	if server == nil || len(findings) > 0 {
		return nil, store.Options{}, refuse(file, findings, printed)
	}
	o, err := app.StoreOptions(server.Store)
	return server, o, err
}

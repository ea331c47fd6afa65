package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/cordboard/cordboard/store"
)

func answersCommand() *cobra.Command {
	var file string
	c := &cobra.Command{
		Use:   "answers FOLDER",
		Short: "Write the standard answers into an empty folder, one Markdown file each, as import answers reads them",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			_, o, err := storeOf(file)
			if err != nil {
				return err
			}
			o.Tool = true
			s, err := store.Open(cmd.Context(), o)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, s.Close()) }()
			all, err := s.Answers(cmd.Context())
			if err != nil {
				return err
			}
			if err := writeAnswers(args[0], all); err != nil {
				return err
			}
			fmt.Fprintln(cmd.OutOrStdout(), count(len(all), "answer"))
			return nil
		},
	}
	c.Flags().StringVarP(&file, "config", "c", "cordboard.yaml", "the server file")
	return c
}

// writeAnswers writes all or, when one can't be a file, none.
func writeAnswers(dir string, all []store.Answer) error {
	files := map[string][]byte{}
	var bad []error
	for i, a := range all {
		name, text, err := formatAnswer(a, i+1)
		if err != nil {
			bad = append(bad, err)
			continue
		}
		files[name] = text
	}
	if len(bad) > 0 {
		return errors.Join(bad...)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	there, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	if len(there) > 0 {
		return fmt.Errorf("%s is not empty: answers that are no more would stay in it", dir)
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
			return err
		}
	}
	return nil
}

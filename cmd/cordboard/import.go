package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/cordboard/cordboard/store"
)

func importAnswersCommand() *cobra.Command {
	var file string
	c := &cobra.Command{
		Use:   "answers FILE.jsonl",
		Short: "Add or change standard answers, one JSON object a line: id, topic, lang, title, say, steps",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			answers, err := readAnswers(args[0])
			if err != nil {
				return err
			}
			s, err := openStore(cmd.Context(), file)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, s.Close()) }()
			if err := s.SaveAnswers(cmd.Context(), answers...); err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%d answers\n", len(answers))
			return nil
		},
	}
	c.Flags().StringVarP(&file, "config", "c", "cordboard.yaml", "the server file")
	return c
}

// readAnswers reads the whole file; every bad line is named, and with one
// nothing is taken.
func readAnswers(name string) ([]store.Answer, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var out []store.Answer
	var bad []error
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for n := 1; lines.Scan(); n++ {
		if len(lines.Bytes()) == 0 {
			continue
		}
		var a store.Answer
		err := json.Unmarshal(lines.Bytes(), &a)
		if err == nil && (a.ID == "" || a.Lang == "" || a.Title == "" || a.Say == "") {
			err = errors.New("id, lang, title and say are required")
		}
		if err != nil {
			bad = append(bad, fmt.Errorf("%s:%d: %w", name, n, err))
			continue
		}
		out = append(out, a)
	}
	return out, errors.Join(append(bad, lines.Err())...)
}

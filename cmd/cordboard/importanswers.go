package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cordboard/cordboard/configs"
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
			server, o, err := storeOf(file)
			if err != nil {
				return err
			}
			warnOfTopics(cmd.ErrOrStderr(), server.Routes, answers)
			o.Tool = true
			s, err := store.Open(cmd.Context(), o)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, s.Close()) }()
			if err := s.SaveAnswers(cmd.Context(), answers...); err != nil {
				return err
			}
			fmt.Fprintln(cmd.OutOrStdout(), count(len(answers), "answer"))
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

// warnOfTopics names the topics that no queue or topic of the routing document
// has: their answers are found by searching only. They are taken all the same,
// since the document may learn of them later.
func warnOfTopics(w io.Writer, routes string, answers []store.Answer) {
	policy, findings := configs.LoadRouting(routes)
	if policy == nil || len(findings) > 0 {
		fmt.Fprintf(w, "%s has errors: whether it has the answers' topics is not known\n", routes)
		return
	}
	unknown := map[string]bool{}
	for _, a := range answers {
		if a.Topic != "" && policy.Topics[a.Topic] == nil && policy.Queues[a.Topic] == nil {
			unknown[a.Topic] = true
		}
	}
	if len(unknown) > 0 {
		fmt.Fprintf(w, "warning: %s has no topic and no queue named %s: the answers are found by searching only\n",
			routes, strings.Join(slices.Sorted(maps.Keys(unknown)), ", "))
	}
}

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
	var replace bool
	c := &cobra.Command{
		Use:   "answers FILE.jsonl|FOLDER",
		Short: "Add or change standard answers, one JSON object a line, or one Markdown file each in a folder",
		Long: "Add or change standard answers (docs/import.md): a file with one JSON object a line (id, topic, lang, title, say, steps), or a folder with\n" +
			"one Markdown file each, ID.LANG.md. With one bad place nothing is taken, and every bad place is named. With --replace the answers that\n" +
			"are not among them are withdrawn.",
		Args: cobra.ExactArgs(1),
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
			warnOfOwners(cmd, file, answers)
			o.Tool = true
			s, err := store.Open(cmd.Context(), o)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, s.Close()) }()
			if !replace {
				if err := s.SaveAnswers(cmd.Context(), answers...); err != nil {
					return err
				}
				fmt.Fprintln(cmd.OutOrStdout(), count(len(answers), "answer"))
				return nil
			}
			gone, err := s.ReplaceAnswers(cmd.Context(), answers...)
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s, %d withdrawn\n", count(len(answers), "answer"), gone)
			return nil
		},
	}
	c.Flags().StringVarP(&file, "config", "c", "cordboard.yaml", "the server file")
	c.Flags().BoolVar(&replace, "replace", false, "withdraw the answers that are not among those given")
	return c
}

// readAnswers reads a folder, or the whole file; every bad line is named, and
// with one nothing is taken.
func readAnswers(name string) ([]store.Answer, error) {
	if i, err := os.Stat(name); err == nil && i.IsDir() {
		return readAnswerFolder(name)
	}
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
		if err == nil && a.Owner != "" {
			err = checkOwner(a.Owner)
		}
		if err == nil && a.Review != "" {
			err = checkReview(a.Review)
		}
		if err != nil {
			bad = append(bad, fmt.Errorf("%s:%d: %w", name, n, err))
			continue
		}
		out = append(out, a)
	}
	if err := errors.Join(append(bad, lines.Err())...); err != nil {
		return nil, err
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%s: no answers", name)
	}
	return out, nil
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

// warnOfOwners names the owners who are no agents: nobody will look at their answers
// again. They are taken all the same, since an owner may be added later.
func warnOfOwners(cmd *cobra.Command, file string, answers []store.Answer) {
	owners := map[string]bool{}
	for _, a := range answers {
		owners[a.Owner] = true
	}
	delete(owners, "")
	for _, id := range slices.Sorted(maps.Keys(owners)) {
		server, _, known, err := listedAgent(cmd.Context(), file, id)
		if err != nil {
			fmt.Fprintf(cmd.ErrOrStderr(), "whether the answers' owners are agents is not known: %v\n", err)
			return
		}
		if !known {
			fmt.Fprintf(cmd.ErrOrStderr(), "warning: %s is no agent in %s: nobody there is to review the answers owned by it\n", id, staffFile(server))
		}
	}
}

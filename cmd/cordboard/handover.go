package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cordboard/cordboard/configs"
	"github.com/cordboard/cordboard/screenpop/customer"
	"github.com/cordboard/cordboard/store"
)

// handoverTool is what cordboard handover is asked for.
type handoverTool struct {
	file, to, team string
	yes, asJSON    bool
	out            io.Writer
}

func handoverCommand() *cobra.Command {
	var h handoverTool
	c := &cobra.Command{
		Use:   "handover AGENT",
		Short: "Give all that is an agent's to another agent, or to a team: for who leaves",
		Long: "Give all that is an agent's to another agent (--to) or to a team (--team): open requests, late ones that are the agent's task, messages that\n" +
			"the agent sees to, customers whose account manager the agent is, standard answers that the agent owns. Without --yes nothing is changed: it says how much there is. It also says\n" +
			"which lines of the routing document name the agent, and changes none. A running server is not disturbed (docs/handover.md).",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			h.out = cmd.OutOrStdout()
			return h.run(cmd, args[0])
		},
	}
	c.Flags().StringVarP(&h.file, "config", "c", "cordboard.yaml", "the server file")
	c.Flags().StringVar(&h.to, "to", "", "an agent")
	c.Flags().StringVar(&h.team, "team", "", "a team of the routing document")
	c.Flags().BoolVar(&h.yes, "yes", false, "do it; without, it is only said what there is")
	c.Flags().BoolVar(&h.asJSON, "json", false, "print the report as JSON")
	c.MarkFlagsMutuallyExclusive("to", "team")
	c.MarkFlagsOneRequired("to", "team")
	return c
}

// handoverReport is what was found, and done.
type handoverReport struct {
	From string `json:"from"`
	To   string `json:"to"`
	Team string `json:"team"`
	Done bool   `json:"done"`
	store.HandedOver
	Named []namedLine `json:"named"` // in files, which stay as they are
}

// namedLine is a line of a file that names the agent.
type namedLine struct {
	File string `json:"file"`
	Line int    `json:"line"`
	Text string `json:"text"`
}

func (h *handoverTool) run(cmd *cobra.Command, from string) (err error) {
	ask, server, err := h.whom(cmd, from)
	if err != nil {
		return err
	}
	r := handoverReport{From: from, To: h.to, Team: h.team, Done: h.yes}
	if r.Named, err = named(from, server.Routes, server.Directory); err != nil {
		return err
	}
	s, err := openStore(cmd.Context(), h.file)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if r.HandedOver, err = s.HandOver(cmd.Context(), ask); err != nil {
		return err
	}
	if h.asJSON {
		return json.NewEncoder(h.out).Encode(r)
	}
	return h.say(&r)
}

// whom checks who hands over to whom. Whoever leaves may be gone from the routing
// document already.
func (h *handoverTool) whom(cmd *cobra.Command, from string) (ask store.Handover, server *configs.Server, err error) {
	ask = store.Handover{From: from, Team: h.team, By: (&routingTool{}).author(), Dry: !h.yes}
	if h.to == from {
		return ask, nil, errors.New("--to: the agent is the one who hands over")
	}
	if h.to != "" {
		a, err := agentOf(cmd.Context(), h.file, h.to)
		if err != nil {
			return ask, nil, fmt.Errorf("--to: %w", err)
		}
		ask.To = customer.Colleague{Agent: h.to, Name: a.Name}
	}
	server, policy, err := load(h.file, printed)
	switch {
	case err != nil:
		return ask, nil, err
	case h.team != "" && !slices.Contains(policy.Teams, h.team):
		return ask, nil, fmt.Errorf("--team: %s has no team %s", server.Routes, h.team)
	}
	return ask, server, nil
}

// named finds the lines of files that name an agent, but for the agent's own.
func named(id string, files ...string) (out []namedLine, err error) {
	out = []namedLine{}
	word := regexp.MustCompile(`(^|[^\w.])` + regexp.QuoteMeta(id) + `($|[^\w.])`)
	for _, path := range files {
		if path == "" {
			continue
		}
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		lines := bufio.NewScanner(f)
		lines.Buffer(nil, 1<<20)
		for n := 1; lines.Scan(); n++ {
			text, _, _ := strings.Cut(lines.Text(), " #")
			if word.MatchString(text) {
				out = append(out, namedLine{filepath.Base(path), n, strings.TrimSpace(text)})
			}
		}
		if err := errors.Join(lines.Err(), f.Close()); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	return out, nil
}

func (h *handoverTool) say(r *handoverReport) error {
	to, verb := r.To, "would go"
	if r.Team != "" {
		to = "team " + r.Team
	}
	if r.Done {
		verb = "went"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s to %s:\n", verb, to)
	for _, x := range []struct {
		n    int
		what string
	}{{r.Requests, "open request"}, {r.Tasks, "task"}, {r.Messages, "message"}, {r.Customers, "customer"}, {r.Answers, "standard answer"}, {r.Notices, "notice"}} {
		fmt.Fprintf(&b, "  %s\n", count(x.n, x.what))
	}
	if r.Team != "" {
		fmt.Fprintf(&b, "tasks, customers and standard answers are of a person: hand them over with --to\n")
	}
	for _, l := range r.Named {
		fmt.Fprintf(&b, "%s:%d names %s: %s\n", l.File, l.Line, r.From, l.Text)
	}
	if !r.Done {
		fmt.Fprintf(&b, "nothing is changed: --yes does it\n")
	} else {
		fmt.Fprintf(&b, "%s may sign in still: cordboard user remove %s\n", r.From, r.From)
	}
	_, err := io.WriteString(h.out, b.String())
	return err
}

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/user"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/cordboard/cordboard/cmd/cordboard/internal/app"
	"github.com/cordboard/cordboard/configs"
	"github.com/cordboard/cordboard/store"
)

// routingTool are the arguments that the commands of routing share.
type routingTool struct{ file, who string }

func routingCommand() *cobra.Command {
	t := &routingTool{}
	c := &cobra.Command{
		Use:   "routing",
		Short: "The versions of the routing document: list, show, diff, save, activate, schedule, rollback, audit",
		Long: "The versions of the routing document, kept in the database. They work beside a running server, which makes live what is activated\n" +
			"within a second or two; a server that starts later does so then. A version is never changed. The document that the server file names is\n" +
			"saved as a version whenever it is read and has changed (at the start, on SIGHUP).",
	}
	c.PersistentFlags().StringVarP(&t.file, "config", "c", "cordboard.yaml", "the server file")
	c.PersistentFlags().StringVar(&t.who, "who", "", "who does it, for the audit; your login name when left out")
	c.PersistentPreRunE = func(*cobra.Command, []string) error {
		if err := configs.Words(t.who); err != nil {
			return fmt.Errorf("--who: %w", err)
		}
		return nil
	}
	c.AddCommand(t.list(), t.show(), t.diff(), t.save(), t.activate(), t.rollback(), t.cancel(), t.audit())
	return c
}

// author is who is at the keyboard.
func (t *routingTool) author() string {
	if t.who != "" {
		return t.who
	}
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return "cli"
}

// on opens the store for one command.
func (t *routingTool) on(ctx context.Context, do func(*store.Store) error) (err error) {
	s, err := openStore(ctx, t.file)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	return do(s)
}

const mostVersions = 1000

// liveVersion is what went live last, 0 for none.
func liveVersion(ctx context.Context, s *store.Store) (int, error) {
	last, err := s.WentLive(ctx, 1)
	if err != nil || len(last) == 0 {
		return 0, err
	}
	return last[0].Version, nil
}

// number reads a version: a number, live, or last.
func number(ctx context.Context, s *store.Store, text string) (int, error) {
	switch text {
	case "live":
		n, err := liveVersion(ctx, s)
		if err == nil && n == 0 {
			err = errors.New("no version has gone live yet")
		}
		return n, err
	case "last":
		v, err := s.LastVersion(ctx)
		return v.Number, err
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		return 0, fmt.Errorf("%q is no version: a number, live or last", text)
	}
	if _, err := s.Version(ctx, n); errors.Is(err, store.ErrNotFound) {
		return 0, fmt.Errorf("there is no version %d", n)
	} else if err != nil {
		return 0, err
	}
	return n, nil
}

func (t *routingTool) list() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the versions, the newest first; * is live, and what waits for its time", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return t.on(cmd.Context(), func(s *store.Store) error { return listVersions(cmd.Context(), s, cmd.OutOrStdout()) })
		},
	}
}

func listVersions(ctx context.Context, s *store.Store, w io.Writer) error {
	all, err := s.Versions(ctx, 0, mostVersions)
	if err != nil {
		return err
	}
	live, err := liveVersion(ctx, s)
	if err != nil {
		return err
	}
	waiting, err := s.Scheduled(ctx)
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "\tVERSION\tSAVED\tAUTHOR\tSHA256\tCOMMENT")
	for _, v := range all {
		mark := ""
		if v.Number == live {
			mark = "*"
		}
		fmt.Fprintf(table, "%s\t%d\t%s\t%s\t%.12s\t%s\n", mark, v.Number, clock(v.SavedAt), configs.OneLine(v.Author), v.SHA256, configs.OneLine(v.Comment))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	for _, a := range waiting {
		fmt.Fprintf(w, "activation %d: version %d at %s (%s), by %s\n", a.ID, a.Version, clock(a.Due), a.Waiting, configs.OneLine(a.Who))
	}
	return nil
}

func clock(at time.Time) string { return at.Local().Format("2006-01-02 15:04:05") }

func (t *routingTool) show() *cobra.Command {
	return &cobra.Command{
		Use: "show VERSION", Short: "Print a version's document; VERSION is a number, live or last", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return t.on(cmd.Context(), func(s *store.Store) error {
				n, err := number(cmd.Context(), s, args[0])
				if err != nil {
					return err
				}
				v, err := s.Version(cmd.Context(), n)
				if err != nil {
					return err
				}
				_, err = cmd.OutOrStdout().Write(v.Document)
				return err
			})
		},
	}
}

func (t *routingTool) diff() *cobra.Command {
	var asText bool
	c := &cobra.Command{
		Use: "diff FROM [TO]", Short: "Print what changes from one version to another by meaning; --text by lines too", Args: cobra.RangeArgs(1, 2),
		Long: "Print what changes from one version to another by meaning, one line a change: \"queue billing: step 2 20s -> 30s\". How a document is\n" +
			"written makes no difference; --text shows the lines as well. A version is a number, live or last; TO is last when left out.",
		RunE: func(cmd *cobra.Command, args []string) error {
			return t.on(cmd.Context(), func(s *store.Store) error {
				return diffVersions(cmd.Context(), s, cmd.OutOrStdout(), append(args, "last")[:2], asText)
			})
		},
	}
	c.Flags().BoolVar(&asText, "text", false, "the lines too, as diff -u")
	return c
}

func diffVersions(ctx context.Context, s *store.Store, w io.Writer, args []string, asText bool) error {
	from, err := number(ctx, s, args[0])
	if err != nil {
		return err
	}
	to, err := number(ctx, s, args[1])
	if err != nil {
		return err
	}
	changes, text, err := app.Diff(ctx, s, from, to)
	if err != nil {
		return err
	}
	switch {
	case changes == nil:
		fmt.Fprintln(w, "one of them has errors: what it means cannot be said")
		asText = true
	case len(changes) == 0 && text != "":
		fmt.Fprintln(w, "no change by meaning")
	}
	for _, line := range changes {
		fmt.Fprintln(w, line)
	}
	if asText {
		_, err = io.WriteString(w, text)
	}
	return err
}

func (t *routingTool) save() *cobra.Command {
	var comment, parent string
	c := &cobra.Command{
		Use: "save FILE", Short: "Check a document and save it as the next version; it does not go live", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return t.on(cmd.Context(), func(s *store.Store) error {
				v, err := t.saveFile(cmd.Context(), s, cmd.OutOrStdout(), args[0], comment, parent)
				if err == nil {
					fmt.Fprintf(cmd.OutOrStdout(), "saved as version %d\n", v.Number)
				}
				return err
			})
		},
	}
	c.Flags().StringVar(&comment, "comment", "", "what it changes, and why")
	c.Flags().StringVar(&parent, "parent", "last", "the version it was made from: refused when that is not the last any more")
	return c
}

func (t *routingTool) saveFile(ctx context.Context, s *store.Store, w io.Writer, file, comment, parent string) (store.Version, error) {
	if err := configs.Words(comment); err != nil {
		return store.Version{}, fmt.Errorf("--comment: %w", err)
	}
	text, err := configs.ReadFile(file)
	if err != nil {
		return store.Version{}, err
	}
	in, err := t.checkInput()
	if err != nil {
		return store.Version{}, err
	}
	r := configs.Check(file, text, in)
	if err := r.Print(w); err != nil {
		return store.Version{}, err
	}
	if r.Exit() != 0 {
		return store.Version{}, fmt.Errorf("%s has errors and is not saved", file)
	}
	made := store.Version{}
	if n, err := number(ctx, s, parent); err == nil {
		if made, err = s.Version(ctx, n); err != nil {
			return store.Version{}, err
		}
	} else if parent != "last" || !errors.Is(err, store.ErrNotFound) {
		return store.Version{}, err
	}
	v, err := s.SaveVersion(ctx, app.NewVersion(text, t.author(), comment, made.SHA256))
	if errors.Is(err, store.ErrStale) {
		return v, errors.New("somebody has saved another version meanwhile: look at it first (cordboard routing diff), then make yours from that one")
	}
	return v, err
}

// checkInput is what check is given on this machine: the server's sounds and
// directory.
func (t *routingTool) checkInput() (configs.CheckInput, error) {
	server, err := loadServer(t.file, printed)
	if err != nil {
		return configs.CheckInput{}, err
	}
	return checkOptions{sounds: server.Media.Sounds, directory: server.Directory, format: "text"}.input()
}

func (t *routingTool) cancel() *cobra.Command {
	return &cobra.Command{
		Use: "cancel ACTIVATION", Short: "Take back an activation that waits for its time", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := strconv.ParseInt(args[0], 10, 64)
			if err != nil {
				return fmt.Errorf("%q is no activation: cordboard routing list shows those that wait", args[0])
			}
			return t.on(cmd.Context(), func(s *store.Store) error {
				by, err := json.Marshal(map[string]string{"by": t.author()})
				if err != nil {
					return err
				}
				if err := s.DecideActivation(cmd.Context(), id, store.ActivationCancelled, time.Now(), by); err != nil {
					return err
				}
				fmt.Fprintf(cmd.OutOrStdout(), "activation %d is taken back\n", id)
				return nil
			})
		},
	}
}

func (t *routingTool) audit() *cobra.Command {
	return &cobra.Command{
		Use: "audit", Short: "List who saved and activated what, the latest first", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return t.on(cmd.Context(), func(s *store.Store) error { return auditVersions(cmd.Context(), s, cmd.OutOrStdout()) })
		},
	}
}

func auditVersions(ctx context.Context, s *store.Store, w io.Writer) error {
	saved, err := s.Versions(ctx, 0, mostVersions)
	if err != nil {
		return err
	}
	asked, err := s.Activations(ctx, 0, mostVersions)
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "AT\tWHO\tWHAT\tVERSION\tWAITING\tWORDS")
	for len(saved)+len(asked) > 0 {
		if len(asked) == 0 || len(saved) > 0 && saved[0].SavedAt.After(asked[0].AskedAt) {
			v := saved[0]
			saved = saved[1:]
			fmt.Fprintf(table, "%s\t%s\tsaved\t%d\t-\t%s\n", clock(v.SavedAt), configs.OneLine(v.Author), v.Number, dash(configs.OneLine(v.Comment)))
			continue
		}
		a := asked[0]
		asked = asked[1:]
		what := a.State
		if a.State == store.ActivationScheduled || a.Due.Sub(a.AskedAt) > time.Second {
			what += " for " + clock(a.Due)
		}
		if a.State == store.ActivationCancelled {
			var said struct{ By string }
			if json.Unmarshal(a.Answer, &said) == nil && said.By != "" {
				what += " by " + said.By
			}
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%d\t%s\t%s\n", clock(a.AskedAt), configs.OneLine(a.Who), configs.OneLine(what), a.Version, a.Waiting, dash(configs.OneLine(a.Reason)))
	}
	return table.Flush()
}

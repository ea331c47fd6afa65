package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/cordboard/cordboard/configs"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/store"
)

// activation are the flags of activate and rollback.
type activation struct {
	waiting, reason, at string
	moves               []string
	tick                bool
	wait                time.Duration
}

func (a *activation) flags(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&a.waiting, "waiting", routing.KeepWaiting, "what becomes of waiting calls: keep (they finish by their version) or apply (they are routed again)")
	f.StringVar(&a.reason, "reason", "", "why, for the audit")
	f.StringSliceVar(&a.moves, "move", nil, "OLD=NEW: where the calls go that wait in a queue which is gone")
	f.BoolVar(&a.tick, "tick", false, "its warnings were seen")
	f.DurationVar(&a.wait, "wait", 10*time.Second, "how long to wait for the server's answer")
}

func (t *routingTool) activate() *cobra.Command {
	var a activation
	c := &cobra.Command{
		Use: "activate VERSION", Short: "Make a version live: checked and tested again by the server; --at for later", Args: cobra.ExactArgs(1),
		Long: "Make a version live. The server checks it as check does, with its tests; with any error, or a warning that is neither accepted in the\n" +
			"document nor ticked here (--tick), it stays out and the old one live. --at schedules it; that survives a restart.",
		RunE: func(cmd *cobra.Command, args []string) error {
			return t.on(cmd.Context(), func(s *store.Store) error {
				n, err := number(cmd.Context(), s, args[0])
				if err != nil {
					return err
				}
				return t.activateVersion(cmd.Context(), s, cmd.OutOrStdout(), n, a)
			})
		},
	}
	a.flags(c)
	c.Flags().StringVar(&a.at, "at", "", "when: a time (2026-11-22T14:00:00Z) or from now (2h)")
	return c
}

func (t *routingTool) rollback() *cobra.Command {
	var a activation
	c := &cobra.Command{
		Use: "rollback [VERSION]", Short: "Make an older version live again; the one before the live one when left out", Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return t.on(cmd.Context(), func(s *store.Store) error {
				n, err := before(cmd.Context(), s, args)
				if err != nil {
					return err
				}
				if a.reason == "" {
					a.reason = "rollback"
				}
				a.tick = true // it was live
				return t.activateVersion(cmd.Context(), s, cmd.OutOrStdout(), n, a)
			})
		},
	}
	a.flags(c)
	return c
}

// before is the version to go back to: one that was live.
func before(ctx context.Context, s *store.Store, args []string) (int, error) {
	was, err := s.WentLive(ctx, mostVersions)
	if err != nil {
		return 0, err
	}
	if len(args) == 0 {
		for _, a := range was {
			if a.Version != was[0].Version {
				return a.Version, nil
			}
		}
		return 0, errors.New("no other version was live before this one")
	}
	n, err := number(ctx, s, args[0])
	if err != nil {
		return 0, err
	}
	for _, a := range was {
		if a.Version == n {
			return n, nil
		}
	}
	return 0, fmt.Errorf("version %d was never live: that is for activate", n)
}

func (t *routingTool) activateVersion(ctx context.Context, s *store.Store, w io.Writer, n int, a activation) error {
	asked := store.Activation{Version: n, Who: t.author(), Waiting: a.waiting, Reason: a.reason, Ticked: a.tick}
	if a.waiting != routing.KeepWaiting && a.waiting != routing.ApplyWaiting {
		return fmt.Errorf("--waiting is keep or apply, not %s", a.waiting)
	}
	if err := configs.Words(a.reason); err != nil {
		return fmt.Errorf("--reason: %w", err)
	}
	for _, m := range a.moves {
		from, to, ok := strings.Cut(m, "=")
		if !ok {
			return fmt.Errorf("--move is OLD=NEW, not %s", m)
		}
		if asked.Moves == nil {
			asked.Moves = map[string]string{}
		}
		asked.Moves[from] = to
	}
	if a.at != "" {
		var err error
		if asked.Due, err = dueAt(a.at, time.Now()); err != nil {
			return err
		}
	}
	if err := t.judge(ctx, s, w, asked); err != nil {
		return err
	}
	asked, err := s.AddActivation(ctx, asked)
	if err != nil {
		return err
	}
	if asked.Due.After(time.Now()) {
		fmt.Fprintf(w, "version %d goes live at %s (activation %d)\n", n, clock(asked.Due), asked.ID)
		return nil
	}
	return await(ctx, s, w, asked, a.wait)
}

func dueAt(text string, now time.Time) (time.Time, error) {
	if d, err := time.ParseDuration(text); err == nil && d > 0 {
		return now.Add(d), nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil || !at.After(now) {
		return time.Time{}, fmt.Errorf("--at %s is no time to come, such as 2026-11-22T14:00:00Z or 2h", text)
	}
	return at, nil
}

// judge looks at the version before the server is asked, so that all that is
// wrong with it is said here.
func (t *routingTool) judge(ctx context.Context, s *store.Store, w io.Writer, a store.Activation) error {
	v, err := s.Version(ctx, a.Version)
	if err != nil {
		return err
	}
	in, err := t.checkInput()
	if err != nil {
		return err
	}
	r := configs.Check(fmt.Sprintf("version %d", a.Version), v.Document, in)
	refused := ""
	switch {
	case r.Policy == nil:
		refused = "has errors"
	case r.ToTick() > 0 && !a.Ticked:
		refused = "has warnings that nobody has accepted: --tick says that you have seen them"
	default:
		return routing.CheckMoves(r.Policy, a.Moves)
	}
	if err := r.Print(w); err != nil {
		return err
	}
	return fmt.Errorf("version %d %s; the live one stays", a.Version, refused)
}

// await waits for the server's answer.
func await(ctx context.Context, s *store.Store, w io.Writer, a store.Activation, wait time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	look := time.NewTicker(200 * time.Millisecond)
	defer look.Stop()
	for {
		got, err := s.Activation(ctx, a.ID)
		switch {
		case ctx.Err() != nil:
			fmt.Fprintf(w, "no server has answered yet: version %d goes live when one does (activation %d)\n", a.Version, a.ID)
			return nil
		case err != nil:
			return err
		case got.State == store.ActivationLive:
			fmt.Fprintf(w, "version %d is live\n", a.Version)
			return nil
		case got.State != store.ActivationScheduled:
			return refusedBy(w, got)
		}
		select {
		case <-ctx.Done():
		case <-look.C:
		}
	}
}

// refusedBy says why a server did not make a version live.
func refusedBy(w io.Writer, a store.Activation) error {
	var said struct {
		Why, Detail string
		Report      struct {
			Findings []struct {
				Line          int
				Code, Message string
				Severity      string
			}
		}
	}
	if len(a.Answer) > 0 {
		if err := json.Unmarshal(a.Answer, &said); err != nil {
			return fmt.Errorf("the answer to activation %d: %w", a.ID, err)
		}
	}
	for _, f := range said.Report.Findings {
		fmt.Fprintf(w, "line %d: %s %s %s\n", f.Line, f.Severity, f.Code, f.Message)
	}
	return fmt.Errorf("version %d was %s by the server (%s: %s); the live one stays", a.Version, a.State, said.Why, said.Detail)
}

package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/cordboard/cordboard/configs"
	"github.com/cordboard/cordboard/sip/media"
)

func checkCommand() *cobra.Command {
	var o checkOptions
	c := &cobra.Command{
		Use:   "check FILE",
		Short: "Read a server file or a routing document and print every error in it",
		Long: "Read a server file, the routing document it names, and whether what it names is there on this machine: certificates, secrets, folders,\n" +
			"addresses. serve begins with just this. Or read a routing document alone: what is wrong with it, what looks wrong (lint), and the tests\n" +
			"that stand in it, run on the engine. Exit status 1 with any error, else 0; warnings and notes do not change it.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			file := args[0]
			head, err := os.ReadFile(file)
			if err != nil {
				return err
			}
			in, err := o.input()
			if err != nil {
				return err
			}
			if strings.Contains(string(head), "cordboard: server/") {
				server, _, err := loadToServe(file, cmd.ErrOrStderr())
				if err != nil {
					return err
				}
				sounds, err := media.LoadLibrary(server.Media.Sounds)
				if err != nil {
					return err
				}
				in.HasSound, in.Sounds, in.Server = sounds.Has, server.Media.Sounds, server
				if in.Directory = nil; server.Directory != "" {
					if in.Directory, err = configs.ReadDirectory(server.Directory); err != nil {
						return err
					}
				}
				if o.format == "text" {
					fmt.Fprintln(cmd.OutOrStdout(), file+": no errors")
				}
				file = server.Routes
				if head, err = os.ReadFile(file); err != nil {
					return err
				}
			}
			r := configs.Check(file, head, in)
			if err := o.print(cmd.OutOrStdout(), r); err != nil {
				return err
			}
			if r.Exit() != 0 {
				return &exitError{code: r.Exit(), err: errors.New("")}
			}
			return nil
		},
	}
	f := c.Flags()
	f.StringVar(&o.sounds, "sounds", "", "the folder of the sounds, as media.sounds of the server file; a server file brings its own")
	f.StringVar(&o.directory, "directory", "", "the agents of a document that lists none; a server file brings its own")
	f.StringVar(&o.history, "history", "", "a CSV file of calls that were: at, and what conditions ask for (dnis, known, segment, products, ...)")
	f.StringVar(&o.live, "live", "", "the document that is live, to say where figures will not be comparable (K951)")
	f.StringVar(&o.format, "format", "text", "text, json, or sarif (2.1.0); the errors of a server file are text always")
	f.StringVar(&o.today, "today", "", "the day calendars are held against, YYYY-MM-DD; without it, this day")
	return c
}

// checkOptions is what the flags of check say.
type checkOptions struct{ sounds, directory, history, today, format, live string }

func (o checkOptions) print(w io.Writer, r *configs.Report) error {
	switch o.format {
	case "json":
		return r.PrintJSON(w)
	case "sarif":
		return r.PrintSARIF(w, version)
	}
	return r.Print(w)
}

func (o checkOptions) input() (in configs.CheckInput, err error) {
	if !slices.Contains([]string{"text", "json", "sarif"}, o.format) {
		return in, fmt.Errorf("--format is text, json or sarif, not %s", o.format)
	}
	in.Today = time.Now()
	if o.today != "" {
		if in.Today, err = time.Parse(time.DateOnly, o.today); err != nil {
			return in, fmt.Errorf("--today %s is no date, such as 2026-02-16", o.today)
		}
	}
	if o.directory != "" {
		if in.Directory, err = configs.ReadDirectory(o.directory); err != nil {
			return in, err
		}
	}
	if o.history != "" {
		f, err := os.Open(o.history)
		if err != nil {
			return in, err
		}
		in.History, err = configs.ReadHistory(f)
		if err = errors.Join(err, f.Close()); err != nil {
			return in, fmt.Errorf("%s: %w", o.history, err)
		}
	}
	if o.live != "" {
		policy, findings := configs.LoadRouting(o.live, configs.Directory(in.Directory))
		if policy == nil {
			return in, fmt.Errorf("--live: %w", refuse(o.live, findings, printed))
		}
		in.Live = policy
	}
	if o.sounds == "" {
		return in, nil
	}
	own, err := media.LoadLibrary("")
	if err != nil {
		return in, err
	}
	files, err := os.ReadDir(o.sounds)
	if err != nil {
		return in, err
	}
	there := map[string]bool{}
	for _, f := range files {
		if ext := filepath.Ext(f.Name()); strings.EqualFold(ext, ".wav") {
			there[strings.TrimSuffix(f.Name(), ext)] = true
		}
	}
	in.Sounds, in.HasSound = o.sounds, func(name string) bool { return own.Has(name) || there[name] }
	return in, nil
}

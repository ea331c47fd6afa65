package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/cordboard/cordboard/cmd/cordboard/internal/app"
	"github.com/cordboard/cordboard/configs"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/sip/media"
	"github.com/cordboard/cordboard/store"
)

// drainTime is how long a stopping server gives its live calls to end.
const drainTime = 10 * time.Second

func serveCommand() *cobra.Command {
	var file, level string
	c := &cobra.Command{
		Use:   "serve -c FILE",
		Short: "Run the server",
		Long: "Run the server by the server file. SIGHUP reads the routing document, the directory and the certificates again; what has errors leaves the old one live.\n" +
			"SIGTERM and Ctrl C stop it: live calls may go on for 10 s; the same again ends them at once, with BYE.\n" +
			"Other keys of the server file take effect at the next start: SIGHUP logs those that have changed.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			log, err := newLog(level)
			if err != nil {
				return err
			}
			return serve(cmd.Context(), file, log)
		},
	}
	c.Flags().StringVarP(&file, "config", "c", "cordboard.yaml", "the server file")
	c.Flags().StringVar(&level, "log", "info", "debug, info, warn or error")
	return c
}

func newLog(level string) (*zap.Logger, error) {
	at, err := zapcore.ParseLevel(level)
	if err != nil {
		return nil, err
	}
	c := zap.NewProductionConfig()
	c.Level = zap.NewAtomicLevelAt(at)
	c.EncoderConfig.EncodeTime = zapcore.RFC3339NanoTimeEncoder
	c.DisableCaller, c.DisableStacktrace = true, true
	return c.Build()
}

// load reads both configuration files and tells every finding of either.
func load(file string, tell func(configs.Finding)) (*configs.Server, *routing.Policy, error) {
	server, err := loadServer(file, tell)
	if err != nil {
		return nil, nil, err
	}
	doc, err := loadRouting(server, file, tell)
	if err != nil {
		return server, nil, err
	}
	return server, doc.Policy, nil
}

func loadServer(file string, tell func(configs.Finding)) (*configs.Server, error) {
	server, findings := configs.LoadServer(file)
	if server == nil || len(findings) > 0 {
		return nil, refuse(file, findings, tell)
	}
	return server, nil
}

// loadRouting reads the routing document that a server file names.
func loadRouting(server *configs.Server, file string, tell func(configs.Finding)) (*app.Document, error) {
	sounds, err := media.LoadLibrary(server.Media.Sounds)
	if err != nil {
		return nil, err
	}
	return loadDocument(server, file, sounds.Has, tell)
}

func loadDocument(server *configs.Server, file string, sounds func(string) bool, tell func(configs.Finding)) (*app.Document, error) {
	text, err := configs.ReadFile(server.Routes)
	if err != nil {
		return nil, err
	}
	var directory *configs.DirectoryFile
	if server.Directory != "" {
		if directory, err = configs.ReadDirectory(server.Directory); err != nil {
			return nil, err
		}
	}
	policy, findings := configs.ParseRouting(server.Routes, text, configs.Sounds(sounds), configs.Directory(directory), configs.Beside(server))
	if policy == nil || len(findings) > 0 {
		return nil, refuse(findings[0].File, findings, tell)
	}
	return &app.Document{Text: text, Policy: policy, Directory: directory}, nil
}

// loadToServe reads both files, and looks at what the server file names on this
// machine. What it takes, serve can start with, as far as that shows before.
func loadToServe(file string, told io.Writer) (*configs.Server, *app.Document, error) {
	server, err := loadServer(file, printed)
	if err != nil {
		return nil, nil, errors.Join(err, checkNamed(file))
	}
	missing := app.Check(server)
	for _, m := range missing {
		fmt.Fprintf(told, "%s: %v\n", file, m)
	}
	doc, err := loadRouting(server, file, printed)
	if len(missing) > 0 {
		err = errors.Join(countErrors(file, len(missing)), err)
	}
	return server, doc, err
}

// checkNamed tells what is wrong with the documents of a server file that can't
// be used itself: whoever mends it wants to know everything at once.
func checkNamed(file string) error {
	routes, directory := configs.Named(file)
	if routes == "" {
		return nil
	}
	var people *configs.DirectoryFile
	if directory != "" {
		var err error
		if people, err = configs.ReadDirectory(directory); err != nil {
			return err
		}
	}
	if _, findings := configs.LoadRouting(routes, configs.Directory(people)); len(findings) > 0 {
		return refuse(routes, findings, printed)
	}
	return nil
}

// printed is a finding for whoever typed the command, with the source line.
func printed(f configs.Finding) { fmt.Fprintln(os.Stderr, f) }

// refuse tells the findings of a file that can't be used.
func refuse(file string, findings []configs.Finding, tell func(configs.Finding)) error {
	for _, f := range findings {
		tell(f)
	}
	return countErrors(file, len(findings))
}

func countErrors(file string, n int) error {
	if n == 1 {
		return fmt.Errorf("%s has an error", file)
	}
	return fmt.Errorf("%s has %d errors", file, n)
}

func serve(ctx context.Context, file string, log *zap.Logger) (err error) {
	go tuneCollector(ctx)
	server, doc, err := loadToServe(file, os.Stderr)
	if err != nil {
		return err
	}
	var a *app.App
	a, err = app.New(ctx, app.Options{
		Server: server, Policy: doc.Policy, Document: doc, Log: log,
		Reread: func(tell func(string)) *app.Document { return reread(file, server, a.HasSound, log, tell) },
	})
	if err != nil {
		return err
	}
	drain, cancel := context.WithCancel(context.Background())
	defer cancel()
	defer endAtSecondSignal(cancel, log)()
	defer func() {
		drain, cancel := context.WithTimeout(drain, drainTime)
		defer cancel()
		err = errors.Join(err, a.Stop(drain))
	}()
	if err := a.Start(); err != nil {
		return err
	}
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	defer signal.Stop(hup)
	for {
		select {
		case <-ctx.Done():
			if n := a.LiveCalls(); n > 0 {
				log.Info("stopping: no new calls; the live ones may go on for a while, a second signal (Ctrl C) ends them at once",
					zap.Int("calls", n), zap.Stringer("at_most", drainTime))
			} else {
				log.Info("stopping: no call is live")
			}
			return nil
		case <-a.Fenced():
			return store.ErrFenced
		case <-hup:
			a.ReloadCertificates()
			a.ReloadFile(ctx)
		}
	}
}

// endAtSecondSignal calls end when this process is asked a second time to stop.
// It listens from the start, so that there is no moment in which the second
// signal would kill the process and leave callers with silence. A third one does.
func endAtSecondSignal(end func(), log *zap.Logger) (stop func()) {
	asked := make(chan os.Signal, 2)
	signal.Notify(asked, syscall.SIGINT, syscall.SIGTERM)
	over := make(chan struct{})
	go func() {
		for range 2 {
			select {
			case <-asked:
			case <-over:
				return
			}
		}
		log.Warn("asked again to stop: live calls are ended now")
		signal.Stop(asked)
		end()
	}()
	return func() { signal.Stop(asked); close(over) }
}

// reread reads both files beside a running server: a document for it, or nil
// and a log that says why. What else has changed in the server file is named.
// Short codes are the trunks' and change with the next start.
func reread(file string, running *configs.Server, sounds func(string) bool, log *zap.Logger, say func(string)) *app.Document {
	// In brief: a source line may name people.
	found := 0
	tell := func(f configs.Finding) {
		found++
		log.Error("finding in the configuration", zap.String("finding", f.Brief()))
		say(f.Brief())
	}
	refused := func(what string, err error) {
		log.Error(what, zap.Error(err))
		if found == 0 { // what was found says more
			say(err.Error())
		}
	}
	server, err := loadServer(file, tell)
	if err != nil {
		refused("the server file was refused, nothing was read again but certificates", err)
		return nil
	}
	later := server.Differs(running)
	if later = slices.DeleteFunc(later, func(key string) bool { return key == "routing" || key == "directory" }); len(later) > 0 {
		log.Warn("the server file has changed: these keys take effect at the next start", zap.Strings("keys", later))
	}
	// The document is for the server as it runs, wherever it now lies.
	now := *running
	now.Routes, now.Directory = server.Routes, server.Directory
	doc, err := loadDocument(&now, file, sounds, tell)
	if err != nil {
		refused("the routing document was refused, the old one stays live", err)
		return nil
	}
	return doc
}

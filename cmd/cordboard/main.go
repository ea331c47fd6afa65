// Command cordboard is the whole product in one binary: the server, the demo,
// and the tools around them.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/spf13/cobra"
)

// version is set by the linker.
var version = "dev"

// exitError carries a command's exit code where it is not 1.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string { return e.err.Error() }
func (e *exitError) Unwrap() error { return e.err }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	// The first signal asks the command to end; whoever asks twice means it.
	context.AfterFunc(ctx, stop)
	err := root().ExecuteContext(ctx)
	stop()
	if err == nil {
		return
	}
	code := 1
	if e := (*exitError)(nil); errors.As(err, &e) {
		code = e.code
	}
	if text := err.Error(); text != "" {
		fmt.Fprintln(os.Stderr, "cordboard:", text)
	}
	os.Exit(code)
}

func root() *cobra.Command {
	c := &cobra.Command{
		Use:           "cordboard",
		Short:         "CTI call routing and screen pop: the record is on the screen before the phone rings",
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	c.AddCommand(serveCommand(), demoCommand(), checkCommand(), explainCommand(), traceCommand(), doctorCommand(), importCommand(), answersCommand(), doNotCallCommand(), eraseCommand(), exportCommand(), duplicatesCommand(), mergeCommand(), handoverCommand(), callsCommand(), reportCommand(), migrateCommand(),
		routingCommand(), userCommand(), schemaCommand(), versionCommand())
	return c
}

func versionCommand() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print the version", Args: cobra.NoArgs,
		Run: func(cmd *cobra.Command, _ []string) {
			goVersion := ""
			if info, ok := debug.ReadBuildInfo(); ok {
				goVersion = " (" + info.GoVersion + ")"
			}
			fmt.Fprintln(cmd.OutOrStdout(), "cordboard "+version+goVersion)
		},
	}
}

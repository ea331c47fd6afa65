package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/cordboard/cordboard/cmd/cordboard/internal/demo"
)

func demoCommand() *cobra.Command {
	var o demo.Options
	var asJSON bool
	var level string
	c := &cobra.Command{
		Use:   "demo",
		Short: "Run a whole call centre on this machine, with nothing installed",
		Long: "Run the server on a temporary store with invented customers, robot phones, a robot trunk and robot desktops, all speaking real SIP and\n" +
			"WebSocket on loopback, and print links for two desks and the board. With --calls it runs that many calls headless and exits 1 unless every\n" +
			"record was on screen before its phone rang and every call is accounted for.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if o.Calls < 0 || o.DeskDelay < 0 {
				return errors.New("--calls and --desk-delay are not negative")
			}
			if asJSON && o.Calls == 0 {
				return errors.New("--json goes with --calls")
			}
			if o.Log, err = newLog(level); err != nil {
				return err
			}
			o.Out = cmd.OutOrStdout()
			if o.Calls == 0 {
				return demo.Live(cmd.Context(), o)
			}
			report, err := demo.Run(cmd.Context(), o)
			if err != nil {
				return err
			}
			if err := printReport(cmd, report, asJSON); err != nil {
				return err
			}
			if !report.OK() {
				return errors.New("the run broke a promise: see the figures")
			}
			return nil
		},
	}
	f := c.Flags()
	f.StringVar(&o.Web, "web", "127.0.0.1:8080", "where the desktop is served; a free port is taken when this one is in use")
	f.StringVar(&o.SIP, "sip", "127.0.0.1:5060", "where calls come in; likewise")
	f.IntVar(&o.Calls, "calls", 0, "run this many calls headless and report")
	f.BoolVar(&asJSON, "json", false, "report as one JSON object")
	f.DurationVar(&o.DeskDelay, "desk-delay", 0, "how long the robots' desks take to paint: past the pop deadline phones ring first")
	f.StringVar(&level, "log", "error", "debug, info, warn or error")
	return c
}

func printReport(cmd *cobra.Command, r demo.Report, asJSON bool) error {
	out := cmd.OutOrStdout()
	if asJSON {
		return json.NewEncoder(out).Encode(r)
	}
	ms := func(v float64) time.Duration {
		return time.Duration(v * float64(time.Millisecond)).Round(100 * time.Microsecond)
	}
	_, err := fmt.Fprintf(out, "offered %d, answered %d, abandoned %d, failed %d, passed on %d\npops %d, before the ring %d, complete %d; rang without a pop %d, unacked %d\n"+
		"INVITE to pop p50 %v p95 %v p99 %v; to ring p50 %v p95 %v p99 %v\nledger rows %d, open %d\n",
		r.Offered, r.Answered, r.Abandoned, r.Failed, r.Transfers, r.Pops, r.PopsBeforeRing, r.RecordCompleteAtPaint, r.RingWithoutPop, r.RangUnacked,
		ms(r.InviteToPopMS.P50), ms(r.InviteToPopMS.P95), ms(r.InviteToPopMS.P99),
		ms(r.InviteToRingMS.P50), ms(r.InviteToRingMS.P95), ms(r.InviteToRingMS.P99), r.LedgerRows, r.LedgerOpen)
	return err
}

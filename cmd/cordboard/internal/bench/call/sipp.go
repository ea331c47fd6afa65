package main

import (
	"context"
	"embed"
	"encoding/csv"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

//go:embed scenarios
var scenarios embed.FS

// Where everybody is: addresses of their own, so that ports are free.
var (
	proxyAddr  = netip.MustParseAddrPort("127.0.0.5:5060") // as kamailio.cfg has it
	phonesAddr = netip.MustParseAddrPort("127.0.0.6:5080") // as kamailio.cfg has it
	b2buaAddr  = netip.MustParseAddrPort("127.0.0.8:5060")
	boardAddr  = netip.MustParseAddrPort("127.0.0.9:5060")
	callerAddr = netip.MustParseAddrPort("127.0.0.10:5070")
)

const (
	dialled  = "+442079460100" // the number every caller calls
	holdTime = time.Second
)

// unpack puts the scenarios into the folder, where SIPp reads them.
func (l *lab) unpack() error {
	files, err := scenarios.ReadDir("scenarios")
	if err != nil {
		return err
	}
	for _, f := range files {
		b, err := scenarios.ReadFile("scenarios/" + f.Name())
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(l.dir, f.Name()), b, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// load is one run of callers against a server.
type load struct {
	scenario string
	target   netip.AddrPort
	rate     int
	calls    int
	hold     time.Duration
	inject   string // file of callers, "" for none
	wait     time.Duration
	second   bool // beside other callers
	failures int  // more end the run at once; 0: none do
}

// outcome is what SIPp counted.
type outcome struct {
	made, ok, failed int
	retransmissions  int
	answerMS         float64 // mean, INVITE to 200
}

func (l *lab) sipp(name, scenario string, at netip.AddrPort, more ...string) (*process, error) {
	argv := []string{
		"sipp", "-sf", filepath.Join(l.dir, scenario), "-i", at.Addr().String(), "-p", strconv.Itoa(int(at.Port())),
		"-nostdin", "-buff_size", "4000000", "-trace_stat", "-fd", "1", "-trace_err", "-error_file", filepath.Join(l.dir, name+"_err.log"),
		"-stf", filepath.Join(l.dir, name+".csv"), "-skip_rlimit", "-deadcall_wait", "2000", "-max_socket", "5000", "-timer_resol", "1",
	}
	_ = os.Remove(filepath.Join(l.dir, name+".csv"))
	_ = os.Remove(filepath.Join(l.dir, name+"_err.log"))
	return l.start(loadCPU, name, append(argv, more...)...)
}

// phones starts the agents' phones.
func (l *lab) phones(ctx context.Context) (*process, error) {
	p, err := l.sipp("uas", "uas_agent.xml", phonesAddr)
	if err != nil {
		return nil, err
	}
	if err := p.bound(ctx, phonesAddr); err != nil {
		p.stop()
		return nil, err
	}
	return p, nil
}

// callers starts the callers.
func (l *lab) callers(d load) (*process, error) {
	seconds := d.calls/d.rate + int(d.hold/time.Second)
	most := d.rate*int((d.hold+4*time.Second)/time.Millisecond)/1000 + 100
	if d.scenario == "uac_hold.xml" {
		most = d.calls + 100
	}
	more := []string{
		d.target.String(), "-s", dialled, "-r", strconv.Itoa(d.rate), "-rp", "1000", "-m", strconv.Itoa(d.calls), "-l", strconv.Itoa(most),
		"-d", strconv.Itoa(int(d.hold / time.Millisecond)), "-recv_timeout", strconv.Itoa(int(d.wait / time.Millisecond)),
		"-timeout", strconv.Itoa(seconds+25) + "s",
	}
	if d.scenario == plainCaller { // of several workers one overtakes another: a 180 that comes after its 200 is passed over, as a telephone does
		more = append(more, "-default_behaviors", "all,-abortunexp")
	}
	if d.inject != "" {
		more = append(more, "-inf", d.inject)
	}
	if d.second {
		return l.sipp("uac2", d.scenario, netip.AddrPortFrom(callerAddr.Addr(), callerAddr.Port()+1), more...)
	}
	return l.sipp("uac", d.scenario, callerAddr, more...)
}

// draw writes the callers of a run: customers drawn uniformly from those in the
// store, each call with a media address of its own, counted up from the first.
func (l *lab) draw(calls int) (file string, first int, err error) {
	first = l.placed
	l.placed += calls
	var b strings.Builder
	b.WriteString("SEQUENTIAL\n")
	for i := range calls {
		fmt.Fprintf(&b, "%s;%s;\n", l.numbers[rand.IntN(len(l.numbers))], mediaAddr(first+i))
	}
	file = filepath.Join(l.dir, "callers.csv")
	return file, first, os.WriteFile(file, []byte(b.String()), 0o644)
}

// result reads what SIPp has counted so far.
func (l *lab) result(name string) (outcome, error) {
	rows, err := l.stat(name)
	if err != nil {
		return outcome{}, err
	}
	return parseStat(rows)
}

// counted reads a scenario's own counters.
func (l *lab) counted(name string, counters ...string) ([]int, error) {
	rows, err := l.stat(name)
	if err != nil {
		return nil, err
	}
	var out []int
	for _, c := range counters {
		n, err := strconv.Atoi(lastOf(rows, c+"(C)"))
		if err != nil {
			return nil, fmt.Errorf("%s.csv: counter %s: %w", name, c, err)
		}
		out = append(out, n)
	}
	return out, nil
}

func (l *lab) stat(name string) ([][]string, error) {
	f, err := os.Open(filepath.Join(l.dir, name+".csv"))
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	r := csv.NewReader(f)
	r.Comma, r.FieldsPerRecord, r.LazyQuotes = ';', -1, true
	rows, err := r.ReadAll()
	if err == nil && len(rows) < 2 {
		err = errNothing
	}
	if err != nil {
		return nil, fmt.Errorf("%s.csv: %w", name, err)
	}
	return rows, nil
}

var errNothing = errors.New("SIPp counted nothing")

// lastOf is the newest value of a column, "" for none.
func lastOf(rows [][]string, column string) string {
	last := rows[len(rows)-1]
	for i, name := range rows[0] {
		if name == column && i < len(last) {
			return last[i]
		}
	}
	return ""
}

func parseStat(rows [][]string) (outcome, error) {
	if len(rows) < 2 {
		return outcome{}, errNothing
	}
	count := func(column string) int { n, _ := strconv.Atoi(lastOf(rows, column)); return n }
	return outcome{
		made: count("OutgoingCall(C)"), ok: count("SuccessfulCall(C)"), failed: count("FailedCall(C)"),
		retransmissions: count("Retransmissions(C)"), answerMS: clockMS(lastOf(rows, "ResponseTime1(C)")),
	}, nil
}

// clockMS reads HH:MM:SS:uuuuuu.
func clockMS(v string) float64 {
	p := strings.Split(v, ":")
	if len(p) != 4 {
		return 0
	}
	n := make([]float64, 4)
	for i := range p {
		n[i], _ = strconv.ParseFloat(p[i], 64)
	}
	return (n[0]*3600+n[1]*60+n[2])*1000 + n[3]/1000
}

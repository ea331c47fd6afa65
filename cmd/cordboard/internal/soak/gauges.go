package main

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// watched are the server's own figures that must not grow, as /metrics names
// them or as they are made of those, with what each may grow by beside a tenth.
// What is resident says little by itself: the collector lets the heap grow to
// five times what lives while much is allocated (a reload), and gives it back in
// minutes. So it is shown, and judged less the room on the heap.
var watched = []struct {
	name, metric string
	slack        float64
}{
	{"goroutines", "go_goroutines", 60},
	{"descriptors", "process_open_fds", 30},
	{"rss_mb", residentMetric, shown},
	{"live_mb", liveMetric, shown}, // after the last collection
	{"live_less_mb", liveLess, 4},
	{"rss_less_mb", residentLess, 24},
	{"dialogs", "cordboard_sip_dialogs", 200},
	{"server_tx", `cordboard_sip_transactions{role="server"}`, 200},
	{"client_tx", `cordboard_sip_transactions{role="client"}`, 200},
	{"media_ports", "cordboard_media_ports", 60},
}

// shown is the slack of a figure that is not judged.
const shown = -1

// gauges is one reading.
type gauges struct {
	at        time.Time
	run       int // which start of the server
	value     map[string]float64
	filling   bool // the load has begun only now
	live      int  // calls, by the engine
	available int  // agents
}

func (g gauges) String() string {
	var b strings.Builder
	for _, w := range watched {
		fmt.Fprintf(&b, "%s %.0f, ", w.name, g.of(w.metric))
	}
	fmt.Fprintf(&b, "live %d, available %d", g.live, g.available)
	return b.String()
}

// of is a figure, of bytes in MB.
func (g gauges) of(metric string) float64 {
	v := g.value[metric]
	if strings.HasSuffix(metric, "_bytes") {
		v /= 1 << 20
	}
	return v
}

// gauges reads /metrics.
func (v *server) gauges(ctx context.Context) (g gauges, err error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+v.admin+"/metrics", nil)
	if err != nil {
		return g, err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return g, err
	}
	defer func() { _ = res.Body.Close() }()
	g = gauges{at: time.Now(), value: map[string]float64{}}
	v.mu.Lock()
	g.run = v.runs
	v.mu.Unlock()
	in := bufio.NewScanner(res.Body)
	for in.Scan() {
		name, text, ok := strings.Cut(in.Text(), " ")
		if x, err := strconv.ParseFloat(text, 64); ok && err == nil {
			g.value[name] = x
			if strings.HasPrefix(name, "cordboard_live_calls{") {
				g.live += int(x)
			}
		}
	}
	g.available = int(g.value[`cordboard_agents{state="available"}`])
	v.account(g.value)
	return g, in.Err()
}

// until reads the gauges until they are as wanted.
func (v *server) until(ctx context.Context, d time.Duration, what string, ok func(gauges) bool) error {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	var last gauges
	for {
		g, err := v.gauges(ctx)
		if err == nil {
			last = g
			if ok(g) {
				return nil
			}
		}
		pause(ctx, 250*time.Millisecond)
		if ctx.Err() != nil {
			return fmt.Errorf("waited %v in vain for %s; last: %s", d, what, last)
		}
	}
}

// watch looks at the gauges while the soak runs.
type watch struct {
	rest    gauges // before the first call
	rests   []memory
	samples []gauges
	begun   time.Time
	said    int
	bad     []string
}

const lookEvery = 5 * time.Second

// follow takes a sample every five seconds and prints a line a minute.
func (w *watch) follow(ctx context.Context, o *office, f *faults) {
	for begun := time.Now(); ctx.Err() == nil; {
		pause(ctx, lookEvery)
		if o.server.dead() {
			w.bad = append(w.bad, fmt.Sprintf("the server has ended by itself: %v", o.server.end))
			return
		}
		g, err := o.server.gauges(ctx)
		if err != nil {
			continue // stopped, by a fault of ours; a server that stays away is found at the end
		}
		g.filling = time.Since(begun) < sipLevel && len(w.rests) > 0
		w.samples = append(w.samples, g)
		if m := int(time.Since(w.begun) / time.Minute); m > w.said {
			w.said = m
			fmt.Printf("soak: %3d min: %s; %s; %d faults, last %s\n", m, o.callers, g, f.count(), f.last())
		}
	}
}

// pings are the OPTIONS that may be out, or be remembered, to phones that are
// registered.
const pings = 25

// settled holds the figures against those before the first call, once what is
// kept for 64*T1 has been forgotten.
func (w *watch) settled(ctx context.Context, o *office) (bad []string) {
	empty := func(g gauges) bool {
		return g.value["cordboard_sip_dialogs"] == 0 && g.value["cordboard_media_ports"] == 0 &&
			g.value[`cordboard_sip_transactions{role="server"}`] == 0 && g.value[`cordboard_sip_transactions{role="client"}`] <= pings &&
			g.value["go_goroutines"] <= w.rest.value["go_goroutines"]*1.1+20 &&
			g.value["process_open_fds"] <= w.rest.value["process_open_fds"]+20
	}
	if err := o.server.until(ctx, 2*time.Minute, "the server to be as before", empty); err != nil {
		bad = append(bad, "left behind: "+err.Error())
	}
	if g, err := o.server.gauges(ctx); err == nil {
		fmt.Printf("soak: at rest again: %s\n", g)
	}
	return bad
}

// A server fills up before it is level: what has ended is kept for 64*T1, and
// of calls the last 16,384 until their notes are written, which takes twelve
// minutes at 25 calls/s.
const (
	sipLevel    = 75 * time.Second
	memoryLevel = 12 * time.Minute
)

// grown compares, within the longest life of one server process and once it is
// level, the median of the middle third with that of the last, which may be
// larger by a twentieth and what the figure is allowed beside.
func (w *watch) grown() (bad []string) {
	byRun := map[int][]gauges{}
	for _, g := range w.samples {
		if g.filling {
			continue
		}
		byRun[g.run] = append(byRun[g.run], g)
	}
	var life []gauges
	for _, l := range byRun {
		if len(l) > len(life) {
			life = l
		}
	}
	for _, m := range watched {
		level := sipLevel
		if strings.HasSuffix(m.metric, "_bytes") {
			level = memoryLevel
		}
		if m.slack == shown {
			fmt.Printf("soak: %s: peak %.0f\n", m.name, peak(life, m.metric))
			continue
		}
		i := slices.IndexFunc(life, func(g gauges) bool { return g.at.Sub(life[0].at) >= level })
		if i < 0 || len(life)-i < 6 {
			fmt.Printf("soak: %s: %.0f at the end; the run was too short to tell whether it is level\n", m.name, peak(life, m.metric))
			continue
		}
		l := life[i:]
		third := len(l) / 3
		middle, late := median(l[third:len(l)-third], m.metric), median(l[len(l)-third:], m.metric)
		hours := l[len(l)-1-third/2].at.Sub(l[len(l)/2].at).Hours()
		fmt.Printf("soak: %s: %.1f in the middle, %.1f late (%+.1f an hour), peak %.0f\n", m.name, middle, late, (late-middle)/hours, peak(life, m.metric))
		if late > middle*1.05+m.slack {
			bad = append(bad, fmt.Sprintf("%s grew from %.1f to %.1f", m.name, middle, late))
		}
	}
	return bad
}

func median(l []gauges, metric string) float64 {
	var v []float64
	for _, g := range l {
		v = append(v, g.of(metric))
	}
	slices.Sort(v)
	return v[len(v)/2]
}

func peak(l []gauges, metric string) (v float64) {
	for _, g := range l {
		v = max(v, g.of(metric))
	}
	return v
}

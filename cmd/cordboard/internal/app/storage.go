package app

import (
	"context"
	"path/filepath"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/cordboard/cordboard/configs"
	"github.com/cordboard/cordboard/store"
	"github.com/cordboard/cordboard/store/journal"
)

// StoreOptions says which store a server file names. Secrets are read now, and
// no error repeats them.
func StoreOptions(s configs.Store) (store.Options, error) {
	dsn, err := s.Postgres.DSN()
	return store.Options{Path: s.Path, Postgres: dsn}, err
}

// openStore opens the server's store. What waits for the database is spilled
// beside the journal.
func (a *App) openStore(ctx context.Context) error {
	s := a.opt.Server.Store
	o, err := StoreOptions(s)
	if err != nil {
		return err
	}
	o.Log, o.Spill = a.log, filepath.Join(s.Journal, "ledger.spill")
	o.NumberKey = func(e164 string) string { return suppressionKey(a.rim.key, e164) }
	a.store, err = store.Open(ctx, o)
	return err
}

// suppressionKey is what is kept of the number of somebody who has objected to being
// called and was erased.
func suppressionKey(key func(field, literal string) string, e164 string) string {
	return key("suppressed", e164)
}

// Fenced is closed when another server has taken the database over: this one
// can keep no record of its calls and should stop.
func (a *App) Fenced() <-chan struct{} { return a.store.Fenced() }

// pingTime is how long the database may take to say that it is there.
const pingTime = time.Second

// degraded names what is wrong while calls can still be taken.
func (a *App) degraded(ctx context.Context) (what []string) {
	ctx, cancel := context.WithTimeout(ctx, pingTime)
	defer cancel()
	st := a.store.Stats()
	if st.Failing {
		what = append(what, "database cannot be written")
	} else if a.store.Ping(ctx) != nil {
		what = append(what, "database does not answer")
	}
	if st.Exposed {
		what = append(what, "spill file cannot be written")
	}
	if a.journal.Stats().Failing {
		what = append(what, "journal cannot be written")
	}
	for _, t := range a.registered.States() {
		if t.Code != 0 && !t.Until.After(time.Now()) {
			what = append(what, "trunk "+t.Trunk+" is not registered")
		}
	}
	for _, trunk := range a.gateway.Barred() {
		what = append(what, "trunk "+trunk+" refuses our password")
	}
	return what
}

// storeCollector reads the figures of store and journal when they are asked for.
type storeCollector struct {
	store   *store.Store
	journal *journal.Journal
}

var (
	descQueued  = prometheus.NewDesc("cordboard_store_queued", "Changes handed to the store and not yet in the database.", nil, nil)
	descSpilled = prometheus.NewDesc("cordboard_store_spilled", "Of those, changes that are safe in the spill file.", nil, nil)
	descExposed = prometheus.NewDesc("cordboard_store_exposed", "1 while changes wait in memory alone, since the spill file cannot be written.", nil, nil)
	descFailing = prometheus.NewDesc("cordboard_store_failing", "1 while the database cannot be written.", nil, nil)
	descDropped = prometheus.NewDesc("cordboard_store_dropped_total", "Changes given up: over the memory bound, or refused by the database for good.", nil, nil)
	descConns   = prometheus.NewDesc("cordboard_store_connections", "Connections to the database by pool.", []string{"pool"}, nil)
	descJournal = prometheus.NewDesc("cordboard_journal_failing", "1 while the journal cannot be written.", nil, nil)
	descLost    = prometheus.NewDesc("cordboard_journal_lost_total", "Events the journal gave up while it could not be written.", nil, nil)
)

// Describe implements prometheus.Collector.
func (c storeCollector) Describe(ch chan<- *prometheus.Desc) { prometheus.DescribeByCollect(c, ch) }

// Collect implements prometheus.Collector.
func (c storeCollector) Collect(ch chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	count := func(d *prometheus.Desc, v int64) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(v))
	}
	st, j := c.store.Stats(), c.journal.Stats()
	gauge(descQueued, float64(st.Queued))
	gauge(descSpilled, float64(st.Spilled))
	gauge(descExposed, oneIf(st.Exposed))
	gauge(descFailing, oneIf(st.Failing))
	count(descDropped, st.Dropped)
	read, write := c.store.Connections()
	gauge(descConns, float64(read), "read")
	gauge(descConns, float64(write), "write")
	gauge(descJournal, oneIf(j.Failing))
	count(descLost, j.Lost)
}

func oneIf(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

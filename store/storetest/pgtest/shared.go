package pgtest

import (
	"fmt"
	"os"
	"sync"
	"testing"
)

// Shared is one cluster for all tests of a package, started by the first that
// needs it, and one template database in it. Its zero value is ready.
type Shared struct {
	// Fill makes the tables of the template, at its connection string. Nil: the
	// databases are empty.
	Fill func(url string) error

	once    sync.Once
	cluster *Cluster
	from    string
	err     error
}

func (s *Shared) start() {
	if s.cluster, s.err = Start(Options{}); s.err != nil || s.Fill == nil {
		return
	}
	if s.from, s.err = s.cluster.Create(""); s.err == nil {
		s.err = s.Fill(s.cluster.URL(s.from))
	}
}

// Cluster is the running cluster.
func (s *Shared) Cluster(t testing.TB) *Cluster {
	t.Helper()
	if s.once.Do(s.start); s.err != nil {
		t.Fatal(s.err)
	}
	return s.cluster
}

// Database makes a filled database for the test and gives its connection
// string.
func (s *Shared) Database(t testing.TB) string {
	t.Helper()
	c := s.Cluster(t)
	return c.URL(c.Database(t, s.from))
}

// Template is the filled database that others are copied from.
func (s *Shared) Template(t testing.TB) string {
	t.Helper()
	s.Cluster(t)
	return s.from
}

// Stop ends the cluster of one test.
func (s *Shared) Stop(t testing.TB) {
	t.Helper()
	if s.cluster == nil {
		return
	}
	if err := s.cluster.Stop(); err != nil {
		t.Error(err)
	}
}

// Exit ends the cluster and then the process, from TestMain.
func (s *Shared) Exit(code int) {
	if s.cluster != nil {
		if err := s.cluster.Stop(); err != nil {
			fmt.Fprintln(os.Stderr, "pgtest:", err)
			code = max(code, 1)
		}
	}
	os.Exit(code)
}

package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/screenpop/customer"
	"github.com/cordboard/cordboard/store"
)

// TestMain makes this test binary the command itself when asked to, for tests
// that kill it.
func TestMain(m *testing.M) {
	if os.Getenv("CORDBOARD_TEST_IS_COMMAND") != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

func command(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	c := exec.CommandContext(t.Context(), os.Args[0], args...)
	c.Env = append(os.Environ(), "CORDBOARD_TEST_IS_COMMAND=1")
	return c
}

// office is a folder with a server file, its routing document and customers.
type office struct {
	server, people, db string
}

const officePeople = 1000

// somebody is the i-th of the office's customers.
func somebody(i int) customer.Record {
	return customer.Record{
		ID: fmt.Sprintf("C%05d", i), Name: "Dana Whitcombe", Numbers: []customer.Number{{E164: fmt.Sprintf("+7000%07d", i)}},
		Products: []customer.Product{{ID: "p", Kind: "fibre", Name: "Fibre 500", Status: "active"}},
	}
}

func newOffice(t *testing.T) office {
	t.Helper()
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	o := office{db: filepath.Join(dir, "cordboard.db")}
	o.server = write("cordboard.yaml", "cordboard: server/1\nrouting: routing.yaml\nstore: {path: cordboard.db}\nsip: {listen: [\"udp:127.0.0.1:5060\"], max_calls: 100}\n")
	write("routing.yaml", `cordboard: routing/1
name: Office
zone: Europe/London
skills: {care: {}}
queues: {care: {}}
route: {queue: care}
agents:
  anna: {name: Anna Berg, phone: "sip:anna@127.0.0.1:5062", skills: {care: 5}}
`)
	var lines bytes.Buffer
	for i := range officePeople {
		line, err := json.Marshal(somebody(i))
		if err != nil {
			t.Fatal(err)
		}
		lines.Write(append(line, '\n'))
	}
	o.people = write("people.jsonl", lines.String())
	return o
}

// result is what import customers --json prints.
type result struct {
	Complete   bool   `json:"complete"`
	RejectFile string `json:"reject_file"`
	store.Report
}

// runImport runs the command to its end.
func (o *office) runImport(t *testing.T, args ...string) (got result, told string, exit int) {
	t.Helper()
	c := command(t, append([]string{"import", "customers", "-c", o.server, "--json"}, args...)...)
	var out, said bytes.Buffer
	c.Stdout, c.Stderr = &out, &said
	var ended *exec.ExitError
	if err := c.Run(); err != nil && !errors.As(err, &ended) {
		t.Fatal(err)
	}
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatalf("standard output holds more than the result: %q, %v; %s", out.String(), err, said.String())
	}
	return got, said.String(), c.ProcessState.ExitCode()
}

// stored are the customers in the file, each checked to be whole.
func (o *office) stored(t *testing.T, whole int) {
	t.Helper()
	s, err := store.Open(t.Context(), store.Options{Path: o.db, Tool: true})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	n, err := s.CountCustomers(t.Context())
	if err != nil || int(n) != whole {
		t.Fatalf("%d customers are stored, want %d: %v", n, whole, err)
	}
	for i := 0; i < whole; i += 1 + whole/40 {
		want := somebody(i)
		m, err := s.Lookup(t.Context(), want.Numbers[0].E164)
		if err != nil || m.Record == nil || m.Record.ID != want.ID || len(m.Record.Products) != 1 {
			t.Fatalf("customer %d of the file is not whole: %+v, %v", i, m, err)
		}
	}
}

func TestImportCommand(t *testing.T) {
	o := newOffice(t)
	got, told, exit := o.runImport(t, o.people)
	if exit != 0 || !got.Complete || got.Customers != officePeople || got.Unchanged != 0 || got.RejectFile != "" {
		t.Fatalf("exit %d, %+v, %s", exit, got, told)
	}
	o.stored(t, officePeople)

	if got, told, exit = o.runImport(t, o.people); exit != 0 || got.Unchanged != officePeople {
		t.Fatalf("the same again: exit %d, %+v, %s", exit, got, told)
	}

	t.Run("packed, with bad lines", func(t *testing.T) {
		name := o.people + ".gz"
		text, err := os.ReadFile(o.people)
		if err != nil {
			t.Fatal(err)
		}
		var packed bytes.Buffer
		z := gzip.NewWriter(&packed)
		_, err = z.Write(append([]byte("{\"id\":\"X1\"}\nnonsense\n"), text...))
		if err = errors.Join(err, z.Close(), os.WriteFile(name, packed.Bytes(), 0o600)); err != nil {
			t.Fatal(err)
		}
		got, told, exit := o.runImport(t, name)
		if exit != 1 || !got.Complete || got.Rejected != 2 || got.Unchanged != officePeople || got.RejectFile != name+".rejected.csv" {
			t.Fatalf("exit %d, %+v, %s", exit, got, told)
		}
		rejected, err := os.ReadFile(got.RejectFile)
		if want := "line,id,reason\n1,X1,no name\n2,,not JSON at byte 2\n"; err != nil || string(rejected) != want {
			t.Fatalf("reject file %q, %v", rejected, err)
		}
	})
}

// slowly writes a file's first n bytes into a pipe and keeps that open: an
// import of the pipe takes what came and waits for more.
func slowly(t *testing.T, o *office, n int) (pipe string, rest func()) {
	t.Helper()
	pipe = filepath.Join(t.TempDir(), "pipe.jsonl")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(o.people)
	if err != nil {
		t.Fatal(err)
	}
	opened := make(chan *os.File, 1)
	go func() {
		w, err := os.OpenFile(pipe, os.O_WRONLY, 0) // waits for the reader
		if err == nil {
			_, _ = w.Write(text[:n]) // fails when the reader is killed
		}
		opened <- w
	}()
	return pipe, func() {
		if w := <-opened; w != nil {
			_ = w.Close()
		}
	}
}

// TestImportInterruptedCommand: an import that ends in its middle, by ^C or
// kill -9, leaves whole customers only, and the same command goes on.
func TestImportInterruptedCommand(t *testing.T) {
	t.Parallel()
	for name, how := range map[string]syscall.Signal{"interrupt": syscall.SIGINT, "kill": syscall.SIGKILL} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newOffice(t)
			// The schema first: the import and waitForSome must not both make it.
			if out, err := command(t, "migrate", "up", "-c", o.server).CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			pipe, rest := slowly(t, &o, 130_000)
			c := command(t, "import", "customers", "-c", o.server, "--json", pipe)
			var out, said bytes.Buffer
			c.Stdout, c.Stderr = &out, &said
			if err := c.Start(); err != nil {
				t.Fatal(err)
			}
			before := o.waitForSome(t)
			if err := c.Process.Signal(how); err != nil {
				t.Fatal(err)
			}
			if how == syscall.SIGKILL {
				_ = c.Wait() // "signal: killed"
				rest()
			} else {
				_ = c.Wait() // whether or not more comes out of the pipe
				rest()
				var got result
				if err := json.Unmarshal(out.Bytes(), &got); err != nil || got.Complete || got.Customers < before || c.ProcessState.ExitCode() != 130 {
					t.Fatalf("exit %d, %s, %v", c.ProcessState.ExitCode(), out.String(), err)
				}
				if want := fmt.Sprintf("stopped at line %d of ", got.Line); !strings.Contains(said.String(), want) {
					t.Fatalf("%q does not say %q", said.String(), want)
				}
				o.stored(t, got.Customers)
			}
			got, told, exit := o.runImport(t, o.people)
			if exit != 0 || got.Customers != officePeople || got.Unchanged < before || got.Unchanged == officePeople {
				t.Fatalf("going on: exit %d, %+v, %s; %d were there", exit, got, told, before)
			}
			o.stored(t, officePeople)
		})
	}
}

// waitForSome waits until an import has stored something, and counts it.
func (o *office) waitForSome(t *testing.T) int {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for ; time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		s, err := store.Open(t.Context(), store.Options{Path: o.db, Tool: true})
		if err != nil {
			t.Fatal(err)
		}
		n, err := s.CountCustomers(t.Context())
		if err = errors.Join(err, s.Close()); err != nil {
			t.Fatal(err)
		}
		if n >= 250 {
			return int(n)
		}
	}
	t.Fatal("nothing was stored")
	return 0
}

// TestImportBesideServer: the ledger of a server on the same file is written
// while an import runs, and nothing of either is lost.
func TestImportBesideServer(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	s, err := store.Open(t.Context(), store.Options{Path: o.db})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	c := command(t, "import", "customers", "-c", o.server, "--json", o.people)
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, io.Discard
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	over := make(chan error, 1)
	go func() { over <- c.Wait() }()
	calls := 0
	tick := time.NewTicker(time.Millisecond) // calls come at intervals
	defer tick.Stop()
	for running := true; running; <-tick.C {
		select {
		case err := <-over:
			if err != nil {
				t.Fatal(err)
			}
			running = false
		default:
		}
		call := s.NextCall()
		now := time.Now()
		s.Arrived(store.Arrival{Call: call, Number: "+447700900417", At: now})
		s.Do(now, []routing.Action{routing.EndCall{Call: call, Outcome: routing.Abandoned, By: routing.ByCaller}})
		if err := s.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		calls++
		if _, err := s.Lookup(t.Context(), "+447700900417"); err != nil {
			t.Fatalf("a look-up beside an import: %v", err)
		}
	}
	if st := s.Stats(); st.Dropped > 0 {
		t.Fatalf("%d changes of the server were dropped", st.Dropped)
	}
	if calls < 2 {
		t.Fatalf("only %d calls were written while the import ran", calls)
	}
	var got result
	if err := json.Unmarshal(out.Bytes(), &got); err != nil || got.Customers != officePeople {
		t.Fatalf("%s, %v", out.String(), err)
	}
	o.stored(t, officePeople)
}

func TestImportAnswersUnknownTopic(t *testing.T) {
	o := newOffice(t)
	file := filepath.Join(t.TempDir(), "answers.jsonl")
	text := `{"id":"a","topic":"care","lang":"en","title":"T","say":"S"}` + "\n" + `{"id":"b","topic":"crae","lang":"en","title":"T","say":"S"}` + "\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c := command(t, "import", "answers", "-c", o.server, file)
	var out, said bytes.Buffer
	c.Stdout, c.Stderr = &out, &said
	if err := c.Run(); err != nil {
		t.Fatal(err)
	}
	if out.String() != "2 answers\n" || !strings.Contains(said.String(), "no topic and no queue named crae:") {
		t.Fatalf("printed %q, told %q", out.String(), said.String())
	}
}

func TestImportProgress(t *testing.T) {
	began := time.Date(2026, 11, 19, 14, 0, 0, 0, time.UTC)
	r := store.Report{Bytes: 250, Customers: 12_345, Unchanged: 1000, Rejected: 2}
	var out strings.Builder
	p := newProgress(&out, 1000, began)
	p.show(r, nil, began.Add(lineEvery/2))
	p.show(r, nil, began.Add(lineEvery))
	p.show(r, func() int64 { return 500 }, began.Add(2*lineEvery))
	p.end()
	want := "25.0 %, 12,345 customers, 1,234/s, 30s left, 1,000 unchanged, 2 rejected\n" +
		"50.0 %, 12,345 customers, 617/s, 20s left, 1,000 unchanged, 2 rejected\n"
	if out.String() != want {
		t.Errorf("lines\n%q, want\n%q", out.String(), want)
	}
	out.Reset()
	p = newProgress(&out, 0, began)
	p.terminal = true
	p.show(store.Report{Customers: 7}, nil, began.Add(time.Second))
	p.end()
	if want := "\r7 customers, 7/s\x1b[K\n"; out.String() != want {
		t.Errorf("bar %q, want %q", out.String(), want)
	}
	out.Reset()
	p.size = 1000
	p.show(r, nil, began.Add(10*time.Second))
	if want := "\r[#######.......................] 25.0 %,"; !strings.HasPrefix(out.String(), want) {
		t.Errorf("bar %q, want %q", out.String(), want)
	}
	if lines := bufio.NewScanner(strings.NewReader(out.String())); !lines.Scan() || lines.Scan() {
		t.Error("the bar took more than a line")
	}
}

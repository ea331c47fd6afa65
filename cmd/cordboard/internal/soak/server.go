package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/cordboard/cordboard/cmd/cordboard/internal/sample"
	"github.com/cordboard/cordboard/sip/registrar"
	"github.com/cordboard/cordboard/store"
	"github.com/cordboard/cordboard/store/storetest/pgtest"
	"github.com/cordboard/cordboard/web"
)

// What the server is rated for in its file, and who there is to call.
const (
	ratedCPS   = 50
	ratedCalls = 1000
	customers  = 20_000 // an hour adds little to the history of each

	atQueue   = "+442079460100" // answered with music at once
	withAgent = "+442079460101" // rings until an agent answers
)

// server is the built program, serving from a folder of its own.
type server struct {
	binary, dir string
	program     float64 // bytes that the binary has
	site        *site
	sip, secure netip.AddrPort // by UDP and TCP, by TLS
	keys        *authority     // of the TLS listener's certificate
	web, admin  string
	db          store.Options
	cluster     *pgtest.Cluster // nil: SQLite
	toDatabase  *wire           // in front of the cluster
	log         *os.File

	mu   sync.Mutex // start and stop, against a look at the process
	cmd  *exec.Cmd
	died chan struct{}
	end  error
	runs int
	born time.Time // the process

	admitted int    // new calls a second
	admins   string // the admin's login
}

func newServer(s settings, dir string) (v *server, err error) {
	v = &server{dir: dir, admitted: s.rated, db: store.Options{Path: filepath.Join(dir, "cordboard.db"), Tool: true}}
	if v.binary, err = filepath.Abs(s.binary); err != nil {
		return v, err
	}
	info, err := os.Stat(v.binary)
	if err != nil {
		return v, err
	}
	v.program = float64(info.Size())
	if v.site, err = takeSite(); err != nil {
		return v, err
	}
	v.sip, v.secure, v.web, v.admin = v.site.at(1), v.site.at(2), v.site.at(3).String(), v.site.at(4).String()
	if v.keys, err = newAuthority(dir, v.sip.Addr()); err != nil {
		return v, err
	}
	if s.keep == "" {
		s.keep = filepath.Join(dir, "server.log")
	}
	if v.log, err = os.Create(s.keep); err != nil {
		return v, err
	}
	if !s.postgres {
		return v, nil
	}
	if v.cluster, err = pgtest.Start(pgtest.Options{}); err != nil {
		return v, err
	}
	name, err := v.cluster.Create("")
	if err != nil {
		return v, err
	}
	v.db = store.Options{Postgres: v.cluster.URL(name), Tool: true}
	if v.toDatabase, err = newWire("unix", v.cluster.Socket()); err != nil {
		return v, err
	}
	return v, nil
}

func (v *server) kind() string {
	if v.cluster != nil {
		return "Postgres"
	}
	return "SQLite"
}

// realm is the registrar's.
const realm = "soak.example"

// configure writes the two files. phones are what the routing document says of
// the agents' phones, by id.
func (v *server) configure(ids []string, phones map[string]string) error {
	db := "{path: cordboard.db, journal: journal}"
	if v.cluster != nil {
		name := v.db.Postgres[strings.LastIndex(v.db.Postgres, "/")+1:]
		name, _, _ = strings.Cut(name, "?")
		db = fmt.Sprintf("{postgres: %q, journal: journal}", v.toDatabase.postgres(name))
	}
	text := fmt.Sprintf(`cordboard: server/1
routing: routing.yaml
sip:
  listen: ["udp:%[1]s", "tcp:%[1]s", "tls:%[7]s"]
  tls: {certificate: %[8]s, key: %[9]s}
  registrar: {realm: %[10]s, from: [127.0.0.0/8]}
  max_calls: %[2]d
  calls_per_second: %[3]d
  trunks:
    main: {from: [127.0.0.1, %[11]s], headers: [pai], region: GB, media: auto}
media: {address: %[11]s, ports: 20000-24999, mutual: [127.0.0.0/8]}
web: {listen: %[4]q}
admin: %[5]q
store: %[6]s
`, v.sip, ratedCalls, v.admitted, v.web, v.admin, db, v.secure, certificateFile, keyFile, realm, v.sip.Addr())
	if err := os.WriteFile(filepath.Join(v.dir, "cordboard.yaml"), []byte(text), 0o600); err != nil {
		return err
	}
	return v.route(ids, phones, 0)
}

// route writes the routing document, a little different for each n.
func (v *server) route(ids []string, phones map[string]string, n int) error {
	return os.WriteFile(filepath.Join(v.dir, "routing.yaml"), []byte(document(ids, phones, n)), 0o600)
}

func document(ids []string, phones map[string]string, n int) string {
	var b strings.Builder
	fmt.Fprintf(&b, `cordboard: routing/1
name: Soak %d
zone: Europe/London
languages: [en]
segments: [mass, silver, gold, key]
skills: {care: {title: Care}, expert: {title: Experts}}
topics:
  hard: {title: Hard question, queue: expert, need: {all: {expert: 5}}, wait: 20s, priority_add: 20}
dispositions:
  service:
    - {id: solved, title: Solved, final: true}
defaults:
  answer: at_queue
  answer_within: %ds
  ring: {timeout: 5s}
  pop: {deadline: 1500ms, late: ring_anyway}
  wrap_up: {time: 20s, disposition: optional}
  dispositions: service
  late: {after: 1m, then: {hangup: true}}
queues:
  care: {need: {all: {care: 1}}}
  patient: {answer: with_agent, need: {all: {care: 1}}}
  expert: {need: {all: {expert: 3}}}
route:
  queue: care
  routes:
    - {name: patient, when: 'call.dnis == "%s"', queue: patient}
agents:
`, n, 20+n%7, withAgent)
	for i, id := range ids {
		fmt.Fprintf(&b, "  %s: {name: Agent %d, phone: %q, skills: {care: 5, expert: %d}, languages: {en: 9}}\n", id, i, phones[id], 1+9*(i%3)/2)
	}
	return b.String()
}

// fill puts customers, agents, their phones' secrets and their logins into the
// store, and returns the customers' numbers and the logins by agent.
func (v *server) fill(ctx context.Context, ids []string, secrets map[string]string) (numbers []string, logins map[string]string, err error) {
	if v.cluster != nil {
		cmd := exec.CommandContext(ctx, v.binary, "migrate", "up", "--no-backup", "-c", filepath.Join(v.dir, "cordboard.yaml"))
		if out, err := cmd.CombinedOutput(); err != nil {
			return nil, nil, fmt.Errorf("cordboard migrate up: %w: %s", err, out)
		}
	}
	s, err := store.Open(ctx, v.db)
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	people := sample.Customers(20261122, time.Now(), customers)
	for group := range slices.Chunk(people, 1000) {
		if err := s.SaveCustomers(ctx, group); err != nil {
			return nil, nil, err
		}
	}
	for _, p := range people {
		for _, n := range p.Numbers {
			numbers = append(numbers, n.E164)
		}
	}
	if v.admins, err = admin(ctx, s); err != nil {
		return nil, nil, err
	}
	logins = map[string]string{}
	for _, id := range ids {
		u := store.User{ID: id, Role: web.RoleAgent, Name: id}
		if secrets[id] != "" {
			u.Phone = store.PhoneSecret(registrar.NewSecret(id, realm, secrets[id]))
		}
		if err := s.SaveUser(ctx, u); err != nil {
			return nil, nil, err
		}
		logins[id] = rand.Text()
		hash := sha256.Sum256([]byte(logins[id]))
		if err := s.SaveSession(ctx, hex.EncodeToString(hash[:]), id, time.Now().Add(24*time.Hour)); err != nil {
			return nil, nil, err
		}
	}
	return numbers, logins, nil
}

// adminID is who changes the routing document.
const adminID = "admin"

// admin adds the admin and returns a login.
func admin(ctx context.Context, s *store.Store) (login string, err error) {
	if err := s.SaveUser(ctx, store.User{ID: adminID, Role: web.RoleAdmin, Name: adminID}); err != nil {
		return "", err
	}
	login = rand.Text()
	hash := sha256.Sum256([]byte(login))
	return login, s.SaveSession(ctx, hex.EncodeToString(hash[:]), adminID, time.Now().Add(24*time.Hour))
}

// start runs the program and waits until it says that it is ready.
func (v *server) start(ctx context.Context) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	cmd := exec.Command(v.binary, "serve", "-c", filepath.Join(v.dir, "cordboard.yaml"), "--log", "warn")
	cmd.Stdout, cmd.Stderr = v.log, v.log
	if err := cmd.Start(); err != nil {
		return err
	}
	v.cmd, v.died = cmd, make(chan struct{})
	v.runs++
	v.born = time.Now()
	died := v.died
	go func() { v.end = cmd.Wait(); close(died) }()
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for {
		if r, err := http.Get("http://" + v.admin + "/-/ready"); err == nil {
			_ = r.Body.Close()
			if r.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-died:
			return fmt.Errorf("the server has ended: %w; its log is %s", v.end, v.log.Name())
		case <-ctx.Done():
			return fmt.Errorf("the server is not ready: %w", ctx.Err())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// stop asks the program to end and waits; it must leave with 0.
func (v *server) stop(ctx context.Context) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.cmd == nil {
		return nil
	}
	_ = v.cmd.Process.Signal(syscall.SIGTERM)
	defer func() { v.cmd = nil }()
	select {
	case <-v.died:
		if v.end != nil {
			return fmt.Errorf("the server's end: %w", v.end)
		}
		return nil
	case <-time.After(45 * time.Second):
	case <-ctx.Done():
	}
	_ = v.cmd.Process.Signal(syscall.SIGABRT) // for the stacks in its log
	<-v.died
	return fmt.Errorf("the server did not end by itself: %w", v.end)
}

// signal sends the program a signal.
func (v *server) signal(s syscall.Signal) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.cmd != nil {
		_ = v.cmd.Process.Signal(s)
	}
}

// dead tells of a program that has ended without being asked.
func (v *server) dead() bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.cmd == nil {
		return false
	}
	select {
	case <-v.died:
		return true
	default:
		return false
	}
}

func (v *server) close() error {
	var errs []error
	v.mu.Lock()
	if v.cmd != nil {
		_ = v.cmd.Process.Kill()
		<-v.died
		v.cmd = nil
	}
	v.mu.Unlock()
	if v.toDatabase != nil {
		v.toDatabase.close()
	}
	if v.cluster != nil {
		errs = append(errs, v.cluster.Stop())
	}
	if v.log != nil {
		errs = append(errs, v.log.Close())
	}
	if v.site != nil {
		errs = append(errs, v.site.leave())
	}
	return errors.Join(errs...)
}

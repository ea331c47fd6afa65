package store

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"github.com/cordboard/cordboard/agents"
)

// spillFormat begins a spill file; the database's identity follows.
const spillFormat = "cordboard-spill 1 "

// spill is a file of batches that wait for the database: a line for each, of a
// CRC-32C in eight hex digits and JSON. It is emptied when the database has them
// all. The number of the last batch written stands in the database, written in
// the same transaction, so that what is found in the file after a crash is
// written once, whatever the crash came between.
type spill struct {
	path     string
	identity int64 // of the database
	epoch    int64 // of the server

	mu   sync.Mutex
	file spillFile // nil: not open
	size int64     // of what is whole in it
}

// spillFile is an *os.File; tests put a failing disk here.
type spillFile interface {
	io.WriterAt
	io.Closer
	Truncate(size int64) error
	Sync() error
}

// spilledBatch is a batch as the file has it. Dialogs are not: a start removes
// them all.
type spilledBatch struct {
	Epoch    int64          `json:"epoch"`
	N        int64          `json:"n"`
	Rows     []*LedgerRow   `json:"rows,omitempty"`
	Events   []Event        `json:"events,omitempty"`
	Contacts []Contact      `json:"contacts,omitempty"`
	Bindings []PhoneBinding `json:"bindings,omitempty"`
	Unbound  []unbound      `json:"unbound,omitempty"`
	Counter  int64          `json:"counter,omitempty"`
}

type unbound struct {
	Agent agents.ID `json:"agent"`
	Key   string    `json:"key"`
}

func (s *spill) encode(b *batch) ([]byte, error) {
	out := spilledBatch{Epoch: s.epoch, N: b.n, Events: b.events, Contacts: b.contacts, Counter: b.counter}
	for _, call := range b.order {
		out.Rows = append(out.Rows, b.rows[call])
	}
	for key, p := range b.bindings {
		if p == nil {
			out.Unbound = append(out.Unbound, unbound{key.agent, key.key})
		} else {
			out.Bindings = append(out.Bindings, *p)
		}
	}
	body, err := json.Marshal(out)
	if err != nil {
		return nil, err
	}
	return framed(body), nil
}

// framed is a line of the file.
func framed(body []byte) []byte {
	return fmt.Appendf(nil, "%08x %s\n", crc32.Checksum(body, castagnoli), body)
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// errGivenUp tells that nothing the file held before counts any more either.
var errGivenUp = errors.New("spill file given up")

// add brings batches to the disk. After an error none of them counts.
func (s *spill) add(batches []*batch) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.open(); err != nil {
		return err
	}
	var text []byte
	if s.size == 0 {
		text = fmt.Appendf(nil, "%s%d\n", spillFormat, s.identity)
	}
	for _, b := range batches {
		line, err := s.encode(b)
		if err != nil {
			return err
		}
		text = append(text, line...)
	}
	if _, err := s.file.WriteAt(text, s.size); err != nil {
		return errors.Join(err, s.file.Truncate(s.size)) // half a line would stand in the way of the next
	}
	if err := s.file.Sync(); err != nil {
		// What a failed sync leaves on the disk nobody knows: not this file again.
		err = errors.Join(errGivenUp, err, s.file.Close())
		s.file, s.size = nil, 0
		return err
	}
	s.size += int64(len(text))
	return nil
}

// open makes the file for its owner alone, and its name durable.
func (s *spill) open() error {
	if s.file != nil {
		return nil
	}
	f, err := os.OpenFile(s.path, os.O_CREATE|os.O_RDWR|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	if err := syncDir(filepath.Dir(s.path)); err != nil {
		return errors.Join(err, f.Close())
	}
	s.file, s.size = f, 0
	return nil
}

func syncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// clear empties the file when nothing waits any more.
func (s *spill) clear(drained func() bool) error {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.size == 0 || !drained() {
		return nil
	}
	if err := s.file.Truncate(0); err != nil {
		return err
	}
	s.size = 0
	return s.file.Sync()
}

// close leaves the file behind only when something is in it.
func (s *spill) close() error {
	if s == nil || s.file == nil {
		return nil
	}
	err := s.file.Close()
	if s.size == 0 {
		err = errors.Join(err, os.Remove(s.path))
	}
	return err
}

// spillRead is what reading a spill file has found.
type spillRead struct {
	identity int64 // of its database; 0 when the file holds nothing
	newest   int64 // epoch of a batch
	damaged  bool  // something in it cannot be read, and is not the torn end of a crash
}

// readSpill hands over the whole batches of a spill file up to the first that is
// not. A torn end, as a crash leaves it, is no error: what stood there was
// promised to nobody.
func readSpill(path string, do func(*spilledBatch) error) (found spillRead, err error) {
	f, err := os.Open(path)
	if err != nil {
		return found, err
	}
	defer f.Close()
	in := bufio.NewReaderSize(f, 1<<16)
	head, err := in.ReadString('\n')
	if errors.Is(err, io.EOF) {
		return found, nil
	}
	id, ours := strings.CutPrefix(strings.TrimSuffix(head, "\n"), spillFormat)
	if found.identity, err = strconv.ParseInt(id, 10, 64); err != nil || !ours {
		return found, fmt.Errorf("%s is no spill file of this version", path)
	}
	for torn := false; ; {
		line, err := in.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return found, nil
		}
		if err != nil {
			return found, err
		}
		body, whole := unframed(line)
		if !whole {
			torn = true
			continue
		}
		var b spilledBatch
		if torn || b.decode(body) != nil {
			found.damaged = true
			return found, nil
		}
		found.newest = max(found.newest, b.Epoch)
		if err := do(&b); err != nil {
			return found, err
		}
	}
}

// unframed is the body of a line when all of it is there.
func unframed(line []byte) (body []byte, whole bool) {
	if len(line) < 10 {
		return nil, false
	}
	body = line[9 : len(line)-1]
	sum, err := strconv.ParseUint(string(line[:8]), 16, 32)
	return body, err == nil && uint32(sum) == crc32.Checksum(body, castagnoli)
}

func (b *spilledBatch) decode(body []byte) error {
	if err := json.Unmarshal(body, b); err != nil {
		return err
	}
	for i := range b.Events {
		if string(b.Events[i].Data) == "null" {
			b.Events[i].Data = nil
		}
	}
	return nil
}

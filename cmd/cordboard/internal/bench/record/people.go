package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"runtime"
	"sync"
	"time"

	"github.com/cordboard/cordboard/cmd/cordboard/internal/sample"
	"github.com/cordboard/cordboard/screenpop/customer"
)

// person is what a look-up of a customer must find. It holds no pointer: a
// million of them must not keep the collector of this process busy, which would
// be measured too.
type person struct {
	digits                          [16]byte // of E.164, with the plus
	products, tickets, interactions int16
	shared                          bool // the number is another's too: candidates are found
}

func (p *person) e164() string { return string(bytes.TrimRight(p.digits[:], "\x00")) }

// as of this instant the customers are invented, so that each run has the same.
var asOf = time.Date(2026, 11, 19, 14, 32, 0, 0, time.UTC)

// writePeople writes n invented customers to a file for an import, and returns
// whom to look up.
func writePeople(path string, seed uint64, n int) (people []person, err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	out := bufio.NewWriterSize(f, 1<<20)
	order := make(chan chan []byte, 2*runtime.GOMAXPROCS(0))
	var workers sync.WaitGroup
	written := make(chan error, 1)
	go func() {
		var first error
		for lines := range order {
			if _, err := out.Write(<-lines); err != nil && first == nil {
				first = err
			}
		}
		written <- first
	}()
	group := make([]customer.Record, 0, 500)
	flush := func() {
		records, lines := group, make(chan []byte, 1)
		group = make([]customer.Record, 0, 500)
		order <- lines
		workers.Go(func() { lines <- jsonLines(records) })
	}
	owners := make(map[string]int32, n)
	for r := range sample.Stream(seed, asOf, n) {
		p := person{products: int16(len(r.Products)), tickets: int16(len(r.Tickets)), interactions: int16(len(r.Interactions))}
		copy(p.digits[:], r.Numbers[0].E164)
		for _, n := range r.Numbers {
			owners[n.E164]++
		}
		people = append(people, p)
		if group = append(group, r); len(group) == cap(group) {
			flush()
		}
	}
	flush()
	workers.Wait()
	close(order)
	for i := range people {
		people[i].shared = owners[people[i].e164()] > 1
	}
	// On disk before anything is measured: else it is written beside that.
	return people, errors.Join(<-written, out.Flush(), f.Sync())
}

// jsonLines never fails: nothing in a record is unfit for JSON.
func jsonLines(records []customer.Record) []byte {
	var b []byte
	for i := range records {
		line, err := json.Marshal(&records[i])
		if err != nil {
			continue // the import would count one too few, and the run fails
		}
		b = append(append(b, line...), '\n')
	}
	return b
}

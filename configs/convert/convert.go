// Package convert writes a routing document from the queues of another switch:
// Asterisk's queues.conf with queuerules.conf, and FreeSWITCH's
// callcenter.conf.xml. What a file says and the document can't, or says in
// another way, is a note with its line; nothing is left out without one.
//
// It reads bytes and writes bytes: no file is opened and no document loaded
// here. The command `cordboard import queues` calls it.
package convert

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// File is a file to be read. The name stands in notes and errors.
type File struct {
	Name string
	Data []byte
}

// Options are what the files of another switch do not say.
type Options struct {
	Name string            // the document's title
	Zone string            // IANA time zone of the centre
	PBX  string            // host[:port] where telephones are reached by their user; "": they register here
	Dial map[string]string // queue, as its file names it, to the number its callers dial: E.164, or 2 to 8 digits
}

// Note is one thing that the document does not say as the file did.
type Note struct {
	File string
	Line int
	Path string // what it is about: a section and its key
	Text string
}

func (n Note) String() string {
	return fmt.Sprintf("%s:%d: %s: %s", n.File, n.Line, n.Path, n.Text)
}

// Result is a routing document and what it could not say, by file and line.
type Result struct {
	Document []byte
	Notes    []Note
}

// Limits of the language that another switch does not share.
const (
	maxSteps     = 8
	topLevel     = 10
	weightPoints = 60
	maxPriority  = 1000
	maxName      = 64 // characters
)

// centre is the document while it is made.
type centre struct {
	o       Options
	file    string
	notes   []Note
	queues  []*queue
	agents  []*agent
	phones  map[string]*agent // by what the file calls a telephone
	taken   map[string]bool   // names of agents
	credit  string            // transfers.credit, "" for the product's own
	formula string            // statistics.service_level.formula
}

// queue is a queue of the document. A duration below zero is one that the
// file does not set.
type queue struct {
	id, title    string
	was          string // its name in the file
	line         int
	members      []member
	steps        []step // after the first need
	first        string // level, or range of levels, that the queue asks for itself
	answerWithin time.Duration
	policy       string
	group        int
	ring         time.Duration
	rona         string // agent: not_ready or available
	ronaAfter    int
	wrapUp       time.Duration
	full         int
	late, nobody time.Duration
	music        string
	announce     announce
	weight       int
}

// member is an agent of a queue. Order is the place in the file.
type member struct {
	agent *agent
	level int
	line  int
}

// step is a later, wider need of a queue, or with only another one.
type step struct {
	after time.Duration
	level string
	only  bool
}

type agent struct{ id, name, phone string }

func newCentre(o Options, file string) *centre {
	o.Name = titleOf(o.Name, titleOf("From "+file, "Imported"))
	return &centre{o: o, file: file, phones: map[string]*agent{}, taken: map[string]bool{}}
}

func (c *centre) note(line int, path, format string, args ...any) {
	c.notes = append(c.notes, Note{File: c.file, Line: line, Path: path, Text: fmt.Sprintf(format, args...)})
}

// result writes the document.
func (c *centre) result() (Result, error) {
	if len(c.queues) == 0 {
		return Result{}, fmt.Errorf("%s: no queue in it", c.file)
	}
	dialled := map[string]bool{}
	for _, q := range c.queues {
		if len(q.members) == 0 && q.nobody < 0 && q.late < 0 {
			q.nobody = time.Minute
			c.note(q.line, q.was, "nobody in it: callers hear so after a minute, until somebody has skill %s", q.id)
		}
		dialled[q.was] = true
		if c.o.Dial[q.was] == "" && q != c.queues[0] {
			c.note(q.line, q.was, "which number leads to it stands in the dialplan: nothing leads to queue %s before a route does", q.id)
		}
	}
	for name := range c.o.Dial {
		if !dialled[name] {
			return Result{}, fmt.Errorf("a number is given for queue %q, which %s does not have", name, c.file)
		}
	}
	slices.SortStableFunc(c.notes, func(a, b Note) int { return cmp.Or(strings.Compare(a.File, b.File), a.Line-b.Line) })
	return Result{Document: c.write(), Notes: c.notes}, nil
}

// addQueue begins a queue; two names that become one get a number.
func (c *centre) addQueue(was, name string, line int) *queue {
	id := nameOf(name)
	if strings.HasPrefix(id, "lang_") { // these are languages
		id = nameOf("q_" + id)
	}
	id = another(id, func(id string) bool { return slices.ContainsFunc(c.queues, func(q *queue) bool { return q.id == id }) })
	q := &queue{id: id, title: titleOf(name, id), was: was, line: line, policy: "longest_idle", rona: "not_ready", answerWithin: -1, wrapUp: -1, late: -1, nobody: -1}
	c.queues = append(c.queues, q)
	return q
}

// another is the name, or the first of those with a number behind it that is not
// taken.
func another(name string, taken func(string) bool) string {
	id := name
	for n := 2; taken(id); n++ {
		number := fmt.Sprintf("_%d", n)
		id = name[:min(len(name), maxName-len(number))] + number
	}
	return id
}

var goodAddress = regexp.MustCompile(`^sip:[A-Za-z0-9_.+-]+@[A-Za-z0-9.-]+(:[0-9]{1,5})?$`)

// person is the agent whom the file calls by this telephone; line and path are
// where it does. An address that is none, or another agent's, is not taken.
func (c *centre) person(phone, name, address string, line int, path string) *agent {
	if a := c.phones[phone]; a != nil {
		return a
	}
	switch {
	case address == "registered":
	case !goodAddress.MatchString(address):
		c.note(line, path, "%q is no address of a telephone: one that registers here", address)
		address = "registered"
	case slices.ContainsFunc(c.agents, func(a *agent) bool { return a.phone == address }):
		c.note(line, path, "%s is another agent's telephone: one that registers here", address)
		address = "registered"
	}
	id := nameOf(name)
	id = another(id, func(id string) bool { return c.taken[id] })
	a := &agent{id: id, name: titleOf(name, id), phone: address}
	c.phones[phone], c.taken[id] = a, true
	c.agents = append(c.agents, a)
	return a
}

// telephone is the address of a user of the old switch.
func (c *centre) telephone(user string) string {
	if c.o.PBX == "" {
		return "registered"
	}
	return "sip:" + user + "@" + c.o.PBX
}

// levels are the levels in use, the highest first.
func (q *queue) levels() []int {
	var out []int
	for _, m := range q.members {
		out = append(out, m.level)
	}
	slices.SortFunc(out, func(a, b int) int { return b - a })
	return slices.Compact(out)
}

// prefer makes the highest level the need, and of each lower one a step that
// is reached at once: these too, but only when none of the others is free.
func (c *centre) prefer(q *queue) {
	levels := q.levels()
	if len(levels) == 0 {
		return
	}
	q.first = strconv.Itoa(levels[0])
	c.widen(q, 0, levels[1:])
}

// widen adds a step for each level; of more than a queue can have, the last
// take the place of all that would follow.
func (c *centre) widen(q *queue, after time.Duration, levels []int) {
	for i, l := range levels {
		if len(q.steps) == maxSteps {
			last := levels[len(levels)-1]
			q.steps[maxSteps-1].level = strconv.Itoa(last)
			c.note(q.line, q.was, "a queue has %d steps at most: levels %d to %d are one", maxSteps, levels[i-min(i, 1)], last)
			return
		}
		q.steps = append(q.steps, step{after: after, level: strconv.Itoa(l)})
	}
}

// ringFor sets how long a telephone rings, within what the language allows.
func (c *centre) ringFor(q *queue, line int, path string, seconds int) {
	d := time.Duration(seconds) * time.Second
	switch {
	case seconds == 0:
		d = 120 * time.Second
		c.note(line, path, "0 rings without an end: 120s, the longest there is")
	case d < 5*time.Second || d > 120*time.Second:
		d = min(max(d, 5*time.Second), 120*time.Second)
		c.note(line, path, "%ds is outside 5s to 120s: %s", seconds, dur(d))
	}
	q.ring = d
}

var notName = regexp.MustCompile(`[^a-z0-9_.]+`)

// nameOf makes a name of the language of any text: "Technical Support" is
// technical_support.
func nameOf(text string) string {
	name := strings.Trim(notName.ReplaceAllString(strings.ToLower(text), "_"), "_.")
	if len(name) > maxName {
		name = strings.Trim(name[:maxName], "_.")
	}
	switch name {
	case "":
		name = "unnamed"
	case "null", "true", "false": // words of YAML
		name += "_"
	}
	return name
}

// titleOf is what people read: the text without what can't be shown, at most
// 80 characters of it, or else the name.
func titleOf(text, name string) string {
	shown := []rune(strings.TrimSpace(strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, ""))))
	if len(shown) == 0 {
		return name
	}
	return string(shown[:min(len(shown), 80)])
}

// dur writes a duration as the language does.
func dur(d time.Duration) string {
	switch {
	case d == 0:
		return "0s"
	case d%time.Hour == 0:
		return fmt.Sprintf("%dh", d/time.Hour)
	case d%time.Minute == 0:
		return fmt.Sprintf("%dm", d/time.Minute)
	default:
		return fmt.Sprintf("%ds", d/time.Second)
	}
}

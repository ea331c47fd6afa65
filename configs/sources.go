package configs

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/cordboard/cordboard/screenpop/customer/connector"
)

// Source is an outside system that the record is filled from beside our own store.
type Source struct {
	Name    string
	Kind    string        `key:"kind"`
	Timeout time.Duration `key:"timeout"`    // the longest it may take
	Fresh   time.Duration `key:"fresh"`      // an answer is given again for so long without asking
	Keep    time.Duration `key:"keep"`       // and shown as old for so long when it fails
	AtOnce  int           `key:"at_once"`    // questions
	Rate    int           `key:"per_second"` // questions
	// Own are the keys of its kind, as they are written: whether they differ.
	Own    string           `key:""`
	Config connector.Config // what its kind has read of them
}

const (
	maxSources    = 32
	maxExpression = 8000 // characters of a text of a source
)

func (s *serverReader) sources(n *node) {
	if n == nil {
		return
	}
	for i, p := range s.object(n).pairs {
		if i == maxSources {
			s.add(p.line, p.col, CodeLimit, "", "sources: at most %d", maxSources)
			return
		}
		if s.checkName(p, "") {
			s.out.Sources = append(s.out.Sources, s.source(p.key, p.value))
		}
	}
}

func (s *serverReader) source(name string, n *node) Source {
	o := s.object(n)
	out := Source{
		Name:    name,
		Timeout: s.duration(o.get("timeout"), 100*time.Millisecond, time.Minute, 2*time.Second),
		Fresh:   s.duration(o.get("fresh"), time.Second, 24*time.Hour, time.Minute),
		Keep:    s.duration(o.get("keep"), time.Second, 7*24*time.Hour, 24*time.Hour),
		AtOnce:  s.integer(o.get("at_once"), 1, 1000, 8),
		Rate:    s.integer(o.get("per_second"), 1, 10_000, 50),
	}
	kind := o.must("kind")
	if kind == nil {
		return out // what else stands there is unknown for want of it
	}
	out.Kind = s.text(kind, 64)
	own := &settings{s, name, o, n, nil}
	read, ok := connector.Read(out.Kind, own)
	if !ok {
		s.wrong(kind, "%s is no kind of source: %s", quote(out.Kind), strings.Join(connector.Kinds(), ", "))
		return out
	}
	out.Config, out.Own = read, asWritten(n, commonKeys)
	own.close()
	return out
}

// commonKeys are those of a source that every kind has.
var commonKeys = map[string]bool{"kind": true, "timeout": true, "fresh": true, "keep": true, "at_once": true, "per_second": true}

// asWritten is what stands under a key, but for some of its own keys.
func asWritten(n *node, without map[string]bool) string {
	var b strings.Builder
	b.WriteString(strconv.Quote(n.text))
	for _, p := range n.pairs {
		if !without[p.key] {
			fmt.Fprintf(&b, "{%s:%s}", p.key, asWritten(p.value, nil))
		}
	}
	for _, item := range n.items {
		fmt.Fprintf(&b, "[%s]", asWritten(item, nil))
	}
	return b.String()
}

// settings are a source's keys as a connector asks for them.
type settings struct {
	s    *serverReader
	name string
	o    *object
	n    *node
	// sections that were asked for: closed with the whole.
	sections []*settings
}

// close reports the keys that nobody has asked for.
func (k *settings) close() {
	k.o.close()
	for _, section := range k.sections {
		section.close()
	}
}

// Source implements connector.Settings, as do the others.
func (k *settings) Source() string { return k.name }

func (k *settings) value(key string) *node {
	p, ok := k.o.lookup(key)
	if !ok {
		return nil
	}
	if p.value.kind == kindNull {
		k.s.add(p.line, p.col, CodeMissing, k.o.where, "%s has no value", p.value.label())
		return nil
	}
	return p.value
}

func (k *settings) Text(key string) string {
	if n := k.value(key); n != nil {
		return k.s.text(n, maxExpression)
	}
	return ""
}

func (k *settings) Must(key string) string {
	if !k.o.has(key) && !k.o.bad {
		k.value(key) // it is known
		k.s.errorf(k.n, CodeMissing, "%s.%s is missing", k.n.label(), key)
	}
	return k.Text(key)
}

func (k *settings) Texts(key string) map[string]string {
	n := k.value(key)
	if n == nil {
		return nil
	}
	out := map[string]string{}
	for _, p := range k.s.object(n).pairs {
		out[p.key] = k.s.text(p.value, 1000)
	}
	return out
}

func (k *settings) File(key string) string {
	if n := k.value(key); n != nil {
		return k.s.path(n, "")
	}
	return ""
}

func (k *settings) Secret(key string) func() (string, error) {
	reference, file := k.value(key), k.value(key+"_file")
	k.o.together(key, key+"_file")
	at := func(what string, err error) error { return fmt.Errorf("%s.%s: %w", k.n.path, what, err) }
	switch {
	case file != nil:
		path := k.s.path(file, "")
		return func() (string, error) {
			secret, err := firstLine(path)
			if err == nil && secret == "" {
				err = fmt.Errorf("%s is empty", path)
			}
			if err != nil {
				return "", at(key+"_file", err)
			}
			return secret, nil
		}
	case reference != nil:
		name := k.s.tokenName(reference)
		return func() (string, error) {
			secret, err := resolved(name)
			if err != nil {
				return "", at(key, err)
			}
			return secret, nil
		}
	}
	return nil
}

func (k *settings) Section(key string) connector.Settings {
	n := k.value(key)
	if n == nil {
		return nil
	}
	section := &settings{k.s, k.name, k.s.object(n), n, nil}
	k.sections = append(k.sections, section)
	return section
}

func (k *settings) Wrong(key, format string, args ...any) {
	for _, p := range k.o.pairs {
		if p.key == key {
			k.s.wrong(p.value, format, args...)
			return
		}
	}
	k.s.errorf(k.n, CodeMissing, "%s.%s: %s", k.n.label(), key, fmt.Sprintf(format, args...))
}

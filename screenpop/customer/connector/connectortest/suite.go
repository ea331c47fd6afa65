// Package connectortest is the suite that each connector that asks by HTTP must pass: it
// answers as it should, and when the system it asks is dead, slow, hung, lying or talks
// rubbish it says so in an error that names nobody, and does not outlive its question.
package connectortest

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cordboard/cordboard/screenpop/customer"
)

// Who is asked about. No error may have any of it.
var Who = customer.Subject{ID: "LW-20417", Number: "+447700900417"}

// Kind is a connector under test.
type Kind struct {
	// Open makes one that asks at url, an address without a path.
	Open func(t *testing.T, url string) customer.Connector
	// Answer is what the system says of Who, Other what it says of somebody else, and
	// Wrong what fits no record. JSON; Other may be "" where an answer names nobody.
	Answer, Other, Wrong string
	Want                 customer.Part // of Answer
}

// handlers are systems that fail, by what they do.
var handlers = map[string]func(k Kind) http.HandlerFunc{
	"401": status(http.StatusUnauthorized), "403": status(http.StatusForbidden), "429": status(http.StatusTooManyRequests),
	"500": status(http.StatusInternalServerError), "503": status(http.StatusServiceUnavailable),
	"HTML": func(Kind) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			fmt.Fprint(w, "<h1>"+Who.ID+"</h1>")
		}
	},
	"broken JSON":    say(func(k Kind) string { return k.Answer[:len(k.Answer)-1] }),
	"JSON and more":  say(func(k Kind) string { return k.Answer + " " + k.Answer }),
	"nothing at all": say(func(Kind) string { return "" }),
	"wrong types":    say(func(k Kind) string { return k.Wrong }),
	"huge":           say(func(k Kind) string { return k.Answer + strings.Repeat(" ", 2<<20) }),
	"cut off": func(k Kind) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Content-Length", fmt.Sprint(len(k.Answer)+100))
			fmt.Fprint(w, k.Answer)
		}
	},
}

func status(code int) func(Kind) http.HandlerFunc {
	return func(k Kind) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(code)
			fmt.Fprintf(w, `{"error":"%s %s"}`, Who.ID, Who.Number)
		}
	}
}

func say(what func(Kind) string) func(Kind) http.HandlerFunc {
	return func(k Kind) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprint(w, what(k))
		}
	}
}

// Run runs the suite.
func Run(t *testing.T, k Kind) {
	t.Run("answers", func(t *testing.T) {
		got, err := k.Open(t, serve(t, say(func(k Kind) string { return k.Answer })(k))).Ask(t.Context(), Who)
		if err != nil || !reflect.DeepEqual(got, k.Want) {
			t.Fatalf("%+v, %v, want %+v", got, err, k.Want)
		}
	})
	t.Run("nobody", func(t *testing.T) {
		got, err := k.Open(t, serve(t, http.NotFound)).Ask(t.Context(), Who)
		if err != nil || !reflect.DeepEqual(got, customer.Part{}) {
			t.Fatalf("%+v, %v", got, err)
		}
	})
	for name, handler := range handlers {
		t.Run(name, func(t *testing.T) { fails(t, k, serve(t, handler(k))) })
	}
	if k.Other != "" {
		t.Run("somebody else", func(t *testing.T) { fails(t, k, serve(t, say(func(k Kind) string { return k.Other })(k))) })
	}
	t.Run("elsewhere", func(t *testing.T) {
		var asked atomic.Int32
		other := serve(t, func(w http.ResponseWriter, r *http.Request) {
			asked.Add(1)
			say(func(k Kind) string { return k.Answer })(k)(w, r)
		})
		fails(t, k, serve(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, other, http.StatusFound) }))
		if asked.Load() != 0 {
			t.Error("it went where it was sent, with what it had to say who it is")
		}
	})
	t.Run("another certificate", func(t *testing.T) {
		s := httptest.NewUnstartedServer(say(func(k Kind) string { return k.Answer })(k))
		s.Config.ErrorLog = log.New(io.Discard, "", 0)
		s.StartTLS()
		defer s.Close()
		fails(t, k, s.URL)
	})
	t.Run("dead", func(t *testing.T) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		address := l.Addr().String()
		_ = l.Close()
		fails(t, k, "http://"+address)
	})
	t.Run("hung", func(t *testing.T) { outlives(t, k, "") })
	t.Run("drop by drop", func(t *testing.T) {
		outlives(t, k, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n{")
	})
	t.Run("endless headers", func(t *testing.T) { outlives(t, k, "HTTP/1.1 200 OK\r\nX-A: b\r\nX-C: ") })
}

func serve(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

func fails(t *testing.T, k Kind, url string) {
	t.Helper()
	got, err := k.Open(t, url).Ask(t.Context(), Who)
	Fails(t, got, err)
}

// Fails is what became of a question that must have failed, and say so of nobody.
func Fails(t *testing.T, got customer.Part, err error) {
	t.Helper()
	if err == nil || !reflect.DeepEqual(got, customer.Part{}) {
		t.Fatalf("taken for an answer: %+v, %v", got, err)
	}
	namesNobody(t, err)
}

func namesNobody(t *testing.T, err error) {
	t.Helper()
	for _, part := range []string{Who.ID, Who.Number, strings.TrimPrefix(Who.Number, "+"), "Whitcombe"} {
		if strings.Contains(err.Error(), part) {
			t.Errorf("the error names somebody: %v", err)
		}
	}
}

func outlives(t *testing.T, k Kind, says string) {
	t.Helper()
	Outlives(t, func(address string) customer.Connector { return k.Open(t, "http://"+address) }, says)
}

// Outlives asks a system that says so much and then no more, and has its question
// ended when it has been put.
func Outlives(t *testing.T, open func(address string) customer.Connector, says string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	put := make(chan struct{})
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer func() { _ = c.Close() }()
		_, _ = c.Read(make([]byte, 4096))
		_, _ = io.WriteString(c, says)
		close(put)
		_, _ = io.Copy(io.Discard, c) // until who asks has gone
	}()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	done := make(chan error, 1)
	c := open(l.Addr().String())
	go func() {
		_, err := c.Ask(ctx, Who)
		done <- err
	}()
	select {
	case <-put:
	case err := <-done:
		t.Fatalf("it was not asked: %v", err)
	}
	cancel()
	if err := <-done; err == nil {
		t.Fatal("taken for an answer")
	} else {
		namesNobody(t, err)
	}
}

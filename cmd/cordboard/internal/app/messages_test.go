package app

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/cookiejar"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/configs"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/sip"
	"github.com/cordboard/cordboard/sip/media"
	"github.com/cordboard/cordboard/store"
	"github.com/cordboard/cordboard/web"
)

const toMailbox = "+442079460120" // where nobody is signed in

// sounds is a folder with a greeting that is short, and the case's tones.
func (w *world) sounds() string {
	w.Helper()
	dir := w.TempDir()
	pcm := make([]int16, 800)
	for i := range pcm {
		pcm[i] = int16(6000 - 12000*(i/5%2))
	}
	for _, name := range []string{"voicemail-office", "menu_languages", "menu-silent"} {
		w.must(os.WriteFile(filepath.Join(dir, name+".wav"), media.WAV("PCMU", media.Encode("PCMU", pcm)), 0o600))
	}
	for name, hz := range w.setup.tones {
		pcm := make([]int16, 30*8000)
		for i := range pcm {
			pcm[i] = int16(9000 * math.Sin(2*math.Pi*hz*float64(i)/8000))
		}
		w.must(os.WriteFile(filepath.Join(dir, name+".wav"), media.WAV("PCMU", media.Encode("PCMU", pcm)), 0o600))
	}
	return dir
}

// browser is somebody who is signed in, without a desk.
type browser struct {
	w    *world
	c    *http.Client
	user string
}

func (w *world) browse(link string) *browser {
	w.Helper()
	jar, err := cookiejar.New(nil)
	w.must(err)
	b := &browser{w: w, c: &http.Client{Jar: jar, Transport: &http.Transport{DisableKeepAlives: true}}}
	var in struct {
		User struct {
			ID string `json:"id"`
		} `json:"user"`
	}
	b.json(http.MethodPost, "/api/v1/session", fmt.Sprintf(`{"link":%q}`, link), http.StatusOK, &in)
	b.user = in.User.ID
	return b
}

// ask sends a request and returns the answer's body.
func (b *browser) ask(method, path, body string, want int, h ...string) (http.Header, []byte) {
	b.w.Helper()
	base := "http://" + b.w.app.WebAddr().String()
	req, err := http.NewRequestWithContext(b.w.ctx, method, base+path, strings.NewReader(body))
	b.w.must(err)
	req.Header.Set("Origin", base)
	if b.user != "" {
		req.Header.Set("Cordboard-Seat", b.user)
	}
	for i := 0; i+1 < len(h); i += 2 {
		req.Header.Set(h[i], h[i+1])
	}
	resp, err := b.c.Do(req)
	b.w.must(err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	b.w.must(err)
	if resp.StatusCode != want {
		b.w.Fatalf("%s %s: %d, want %d: %.200s", method, path, resp.StatusCode, want, text)
	}
	return resp.Header, text
}

func (b *browser) json(method, path, body string, want int, into any) {
	b.w.Helper()
	_, text := b.ask(method, path, body, want)
	b.w.must(json.Unmarshal(text, into))
}

type listed struct {
	Messages []struct {
		Call     routing.CallID `json:"call"`
		Mailbox  string         `json:"mailbox"`
		Queue    string         `json:"queue"`
		LengthMS int64          `json:"length_ms"`
		State    string         `json:"state"`
		By       string         `json:"by"`
		Number   string         `json:"number"`
		Customer string         `json:"customer"`
		Name     string         `json:"name"`
	} `json:"messages"`
}

// TestMessages: a caller whom nobody could take leaves a message. It is in the
// store byte for byte as it was said; those who work for that queue hear it and
// are done with it, nobody else; it stands in the customer's history.
func TestMessages(t *testing.T) {
	for _, on := range Databases {
		t.Run(on.Case("left"), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, setup{at: []agents.ID{anna}, store: on})
			c := w.dial(dial{to: toMailbox})
			c.sees(1, "media")
			c.ear.Keep()
			folder := filepath.Join(w.app.Server().Store.Journal, "messages")
			w.eventually("two seconds on the tape", func() bool {
				files, _ := filepath.Glob(filepath.Join(folder, "*.part"))
				if len(files) != 1 {
					return false
				}
				st, err := os.Stat(files[0])
				return err == nil && st.Size() > 17000
			})
			c.hangsUp()
			w.settled(row{outcome: routing.Treated, by: routing.ByCaller, reason: "nobody"})
			call := w.messageStored()

			petars := w.browse("link-of-petar")
			var got listed
			petars.json(http.MethodGet, "/api/v1/messages?mailbox=office", "", http.StatusOK, &got)
			if len(got.Messages) != 1 {
				w.Fatalf("%d messages", len(got.Messages))
			}
			m := got.Messages[0]
			if m.Call != call || m.Queue != "boxed" || m.State != "new" || m.Number != dana || m.Customer != "LW-1" || m.Name != record().Name || m.LengthMS < 2000 {
				w.Errorf("message %+v", m)
			}
			path := fmt.Sprintf("/api/v1/messages/%d", call)
			h, wav := petars.ask(http.MethodGet, path+"/sound", "", http.StatusOK)
			if h.Get("Content-Type") != "audio/wav" || h.Get("Accept-Ranges") != "bytes" {
				w.Errorf("sound: %v", h)
			}
			said := wav[58:]
			if len(said) < 16000 || int64(len(said))/8 != m.LengthMS || !bytes.Contains(c.ear.Said(), said[:len(said)-len(said)%160]) {
				w.Errorf("%d samples are not what was said", len(said))
			}
			if _, part := petars.ask(http.MethodGet, path+"/sound", "", http.StatusPartialContent, "Range", "bytes=58-217"); !bytes.Equal(part, said[:160]) {
				w.Error("a part of the sound is another")
			}

			// Nobody else's.
			annas := w.browse("link-of-anna")
			var others listed
			annas.json(http.MethodGet, "/api/v1/messages", "", http.StatusOK, &others)
			annas.ask(http.MethodGet, path+"/sound", "", http.StatusNotFound)
			annas.ask(http.MethodPut, path+"/state", `{"state":"done"}`, http.StatusNotFound)
			petars.ask(http.MethodDelete, path, "", http.StatusForbidden)
			petars.ask(http.MethodPut, path+"/state", `{"state":"gone"}`, http.StatusBadRequest)
			if len(others.Messages) != 0 {
				w.Errorf("anna sees %+v", others)
			}
			petars.ask(http.MethodPut, path+"/state", `{"state":"done"}`, http.StatusOK)
			petars.json(http.MethodGet, "/api/v1/messages?state=done", "", http.StatusOK, &got)
			if len(got.Messages) != 1 || got.Messages[0].By != "petar" {
				w.Errorf("done: %+v", got)
			}

			match, err := w.app.Store().Lookup(w.ctx, dana)
			w.must(err)
			if i := match.Record.Interactions; len(i) != 1 || i[0].Channel != "voicemail" || i[0].Call != int64(call) {
				w.Errorf("history: %+v", i)
			}
			w.must(w.app.Store().SaveUser(w.ctx, store.User{ID: "gustav", Role: web.RoleSupervisor, Name: "Gustav"}))
			chief := w.browse("link-of-gustav")
			chief.ask(http.MethodDelete, path, "", http.StatusNoContent)
			chief.ask(http.MethodGet, path, "", http.StatusNotFound)
			w.takesNext(anna)
		})
	}
}

// messageStored waits for the store to have the only message.
func (w *world) messageStored() (call routing.CallID) {
	w.Helper()
	w.eventually("the message in the store", func() bool {
		all, err := w.app.Store().Messages(w.ctx, store.MessageFilter{})
		w.must(err)
		files, _ := filepath.Glob(filepath.Join(w.app.left.folder, "*"))
		if len(all) != 1 || len(files) != 0 {
			return false
		}
		call = all[0].Call
		return true
	})
	return call
}

// What a killed process leaves of a message is kept from the next start on, if it
// is one; the rest is removed. Old messages go.
func TestMessagesOfAKilledProcess(t *testing.T) {
	s, err := store.Open(t.Context(), store.Options{Path: filepath.Join(t.TempDir(), "s.db")})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	journal := t.TempDir()
	folder := filepath.Join(journal, "messages")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	at := time.Now().Add(-72 * time.Hour).UTC().Format(time.RFC3339)
	loud := bytes.Repeat([]byte{1, 0x81}, 10_000)
	for name, text := range map[string]string{
		"7.part": `{"call":7,"mailbox":"office","codec":"PCMU","at":"` + at + `"}` + "\n" + string(loud),
		"8.part": `{"call":8,"mailbox":"office","codec":"PCMU","at":"` + at + `"}` + "\n" + string(loud[:9000]),
		"9.part": `{"call":9,"mail`,
		"6.part": `{"call":6,"mailbox":"office","codec":"PCMA","at":"` + at + `"}` + "\n" + strings.Repeat("\xd5", 40_000),
	} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.SaveMessage(t.Context(), store.Message{Call: 3, Mailbox: "office", LeftAt: time.Now().Add(-100 * 24 * time.Hour)}, []byte("old")); err != nil {
		t.Fatal(err)
	}
	m := newMessages(s, journal, configs.Voicemail{Keep: 3650 * 24 * time.Hour}, zap.NewNop())
	if err := m.close(t.Context()); err != nil {
		t.Fatal(err)
	}
	all, err := s.Messages(t.Context(), store.MessageFilter{})
	if err != nil || len(all) != 2 || all[0].Call != 7 || all[0].Length != 2500*time.Millisecond {
		t.Errorf("%v: %+v", err, all)
	}
	if wav, err := s.MessageSound(t.Context(), 7); err != nil || !bytes.Equal(wav, media.WAV("PCMU", loud)) {
		t.Errorf("the sound is not what was said: %v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(folder, "*")); len(left) != 0 {
		t.Errorf("left in the folder: %v", left)
	}
	m = newMessages(s, journal, configs.Voicemail{Keep: 90 * 24 * time.Hour}, zap.NewNop())
	m.expire() // who stops at once may be before the first
	if err := m.close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if all, err = s.Messages(t.Context(), store.MessageFilter{}); err != nil || len(all) != 1 || all[0].Call != 7 {
		t.Errorf("%v: old messages are kept: %+v", err, all)
	}
}

// A folder that cannot be written fails the first samples, and what is no message
// leaves no file.
func TestMessagesFolder(t *testing.T) {
	s, err := store.Open(t.Context(), store.Options{Path: filepath.Join(t.TempDir(), "s.db")})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	journal := t.TempDir()
	m := newMessages(s, journal, configs.Voicemail{Keep: time.Hour}, zap.NewNop())
	short := m.Take(sip.Message{Call: 4, Codec: "PCMU"})
	if _, err := short.Write(make([]byte, 8000)); err != nil {
		t.Fatal(err)
	}
	if n := short.End(media.Recorded{Samples: 8000, Said: true}); n != 0 {
		t.Errorf("a second is a message of %d s", n)
	}
	if left, _ := filepath.Glob(filepath.Join(journal, "messages", "*")); len(left) != 0 {
		t.Errorf("left in the folder: %v", left)
	}
	if err := os.RemoveAll(filepath.Join(journal, "messages")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(journal, "messages"), nil, 0o600); err != nil { // no folder can be there
		t.Fatal(err)
	}
	tape := m.Take(sip.Message{Call: 5, Codec: "PCMU"})
	if _, err := tape.Write(make([]byte, 8000)); err == nil {
		t.Error("written where nothing can be")
	}
	if n := tape.End(media.Recorded{Why: media.RecordFailed, Samples: 0}); n != 0 {
		t.Errorf("kept %d s", n)
	}
	if err := m.close(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// A file that nobody can read is put aside once, and those after it are stored.
func TestDamagedMessage(t *testing.T) {
	s, err := store.Open(t.Context(), store.Options{Path: filepath.Join(t.TempDir(), "s.db")})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	journal := t.TempDir()
	folder := filepath.Join(journal, "messages")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "3"+messageEnd), []byte("no head\n...."), 0o600); err != nil {
		t.Fatal(err)
	}
	core, logs := observer.New(zap.ErrorLevel)
	m := newMessages(s, journal, configs.Voicemail{Keep: time.Hour}, zap.New(core))
	tape := m.Take(sip.Message{Call: 4, Codec: "PCMU"})
	if _, err := tape.Write(make([]byte, 24000)); err != nil {
		t.Fatal(err)
	}
	if n := tape.End(media.Recorded{Samples: 24000, Said: true}); n != 3 {
		t.Errorf("kept %d s", n)
	}
	if err := m.close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := m.storeAll(t.Context()); err != nil {
		t.Errorf("tried again: %v", err)
	}
	all, err := s.Messages(t.Context(), store.MessageFilter{})
	if err != nil || len(all) != 1 || all[0].Call != 4 {
		t.Errorf("%v: stored %+v", err, all)
	}
	left, _ := filepath.Glob(filepath.Join(folder, "*"))
	if len(left) != 1 || filepath.Base(left[0]) != "3"+messageEnd+damagedEnd || logs.Len() != 1 {
		t.Errorf("left %v, told %d times", left, logs.Len())
	}
	m.expire()
	m.now = func() time.Time { return time.Now().Add(2 * time.Hour) } // it is kept no longer than a message
	if still, _ := filepath.Glob(filepath.Join(folder, "*")); len(still) != 1 {
		t.Errorf("removed before its time: %v", still)
	}
	m.expire()
	if still, _ := filepath.Glob(filepath.Join(folder, "*")); len(still) != 0 {
		t.Errorf("kept beyond voicemail.keep: %v", still)
	}
}

// A store that says nothing holds up no stop: what it has not taken waits for the
// next start.
func TestMessagesStopWithoutTheStore(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s.db")
	s, err := store.Open(t.Context(), store.Options{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	journal := t.TempDir()
	folder := filepath.Join(journal, "messages")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	for call := 1; call <= 3; call++ {
		text := fmt.Sprintf(`{"call":%d,"mailbox":"office","codec":"PCMU","at":"2026-11-19T14:00:00Z"}`, call) + "\n" + strings.Repeat("\x01\x81", 10_000)
		if err := os.WriteFile(filepath.Join(folder, fmt.Sprintf("%d.message", call)), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	db, err := sql.Open("sqlite", "file:"+path+"?_txlock=immediate")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	tx, err := db.BeginTx(t.Context(), nil) // nobody else writes
	if err != nil {
		t.Fatal(err)
	}
	s.Arrived(store.Arrival{Call: 1, Trunk: "main", Dialled: "+442079460120", At: time.Now()})
	m := newMessages(s, journal, configs.Voicemail{Keep: time.Hour}, zap.NewNop())
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	stopped := make(chan error, 1)
	go func() { stopped <- m.close(ctx) }()
	select {
	case err := <-stopped:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(messagesTime / 2): // that one message may take
		t.Error("the stop waits for the store")
	}
	if left := m.files(messageEnd); len(left) != 3 {
		t.Errorf("waiting for the next start: %v", left)
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
}

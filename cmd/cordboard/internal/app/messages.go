package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/cordboard/cordboard/configs"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/sip"
	"github.com/cordboard/cordboard/sip/media"
	"github.com/cordboard/cordboard/store"
)

// A message lies in a file of the folder messages beside the journal while it is
// being said (CALL.part) and until it is in the store (CALL.message): one line of
// JSON, then the samples. What a process that was killed leaves is found at the
// next start; what was said by then counts.
const (
	partEnd    = ".part"
	messageEnd = ".message"
	damagedEnd = ".damaged" // of a .message that nobody can read: it is left for people, as long as messages are kept
	// messagesRetry is how often what the store has not taken is tried again, and
	// messagesExpire how often old messages are looked for.
	messagesRetry  = 5 * time.Second
	messagesExpire = time.Hour
	messagesTime   = time.Minute // for one attempt
)

// messages keeps what callers leave in mailboxes.
type messages struct {
	folder string
	limits configs.Voicemail
	store  *store.Store
	log    *zap.Logger
	now    func() time.Time

	storing sync.Mutex // held while a file goes into the store, and while files are erased

	wake chan struct{}
	ctx  context.Context // ends with close: what waits for the store waits no longer
	stop context.CancelFunc
	done chan struct{}
	open sync.WaitGroup // tapes
}

// messageHead is the line before the samples.
type messageHead struct {
	Call     routing.CallID `json:"call"`
	Mailbox  string         `json:"mailbox"`
	Queue    string         `json:"queue,omitempty"`
	Language string         `json:"language,omitempty"`
	Codec    string         `json:"codec"`
	At       time.Time      `json:"at"`
}

func messagesFolder(journal string) string { return filepath.Join(journal, "messages") }

// newMessages begins to keep messages; what an earlier run has left is taken up.
func newMessages(s *store.Store, journal string, limits configs.Voicemail, log *zap.Logger) *messages {
	m := &messages{
		folder: messagesFolder(journal), limits: limits, store: s, log: log.Named("messages"), now: time.Now,
		wake: make(chan struct{}, 1), done: make(chan struct{}),
	}
	m.ctx, m.stop = context.WithCancel(context.Background())
	for _, path := range m.files(partEnd) {
		m.recovered(path)
	}
	go m.run()
	return m
}

func (m *messages) files(end string) []string {
	found, _ := filepath.Glob(filepath.Join(m.folder, "*"+end)) // the pattern is good
	return found
}

// recovered ends a message that a killed process was taking: as one whose caller
// hung up then.
func (m *messages) recovered(path string) {
	head, samples, err := readMessage(path)
	if err == nil && sip.Kept(media.Recorded{Samples: len(samples), Said: media.Loud(head.Codec, samples)}) {
		err = os.Rename(path, strings.TrimSuffix(path, partEnd)+messageEnd)
	} else if err == nil || errors.Is(err, errNoMessage) {
		err = os.Remove(path)
	}
	if err != nil {
		m.log.Error("a message that was cut off cannot be taken up", zap.Int64("call", int64(head.Call)), zap.Error(err))
	}
}

// Limits implements sip.Mailboxes.
func (m *messages) Limits() (longest, silence time.Duration) {
	return m.limits.Longest, m.limits.Silence
}

// Take implements sip.Mailboxes.
func (m *messages) Take(who sip.Message) sip.Tape {
	m.open.Add(1)
	return &tape{of: m, head: messageHead{Call: who.Call, Mailbox: who.Mailbox, Queue: who.Queue, Language: who.Language, Codec: who.Codec, At: m.now()}}
}

// tape is one message being said.
type tape struct {
	of    *messages
	head  messageHead
	file  *os.File // nil before the first samples
	first int      // octets before them
}

func (t *tape) path(end string) string {
	return filepath.Join(t.of.folder, fmt.Sprintf("%d%s", t.head.Call, end))
}

// Write implements sip.Tape. The file is made with the first samples: nobody waits
// for a disk before.
func (t *tape) Write(b []byte) (int, error) {
	if t.file == nil {
		if err := t.begin(); err != nil {
			return 0, err
		}
	}
	return t.file.Write(b)
}

func (t *tape) begin() error {
	if err := os.MkdirAll(t.of.folder, 0o700); err != nil {
		return err
	}
	line, err := json.Marshal(t.head)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(t.path(partEnd), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	t.file, t.first = f, len(line)+1
	_, err = f.Write(append(line, '\n'))
	return err
}

// End implements sip.Tape.
func (t *tape) End(r media.Recorded) (seconds int) {
	defer t.of.open.Done()
	if t.file == nil {
		return 0
	}
	if !sip.Kept(r) {
		t.drop()
		return 0
	}
	err := t.file.Truncate(int64(t.first + r.Samples))
	if err == nil {
		err = t.file.Sync()
	}
	if err = errors.Join(err, t.file.Close()); err == nil {
		err = os.Rename(t.path(partEnd), t.path(messageEnd))
	}
	if err != nil { // the next start looks at what there is
		t.of.log.Error("message not kept", zap.Int64("call", int64(t.head.Call)), zap.Error(err))
		return 0
	}
	t.of.look()
	return (r.Samples + samplesASecond - 1) / samplesASecond
}

const samplesASecond = 8000

func (t *tape) drop() {
	if err := errors.Join(t.file.Close(), os.Remove(t.path(partEnd))); err != nil {
		t.of.log.Warn("what is no message cannot be removed", zap.Int64("call", int64(t.head.Call)), zap.Error(err))
	}
}

func (m *messages) look() {
	select {
	case m.wake <- struct{}{}:
	default:
	}
}

// run brings messages into the store, and removes those whose time is over.
func (m *messages) run() {
	defer close(m.done)
	retry, expire := time.NewTicker(messagesRetry), time.NewTicker(messagesExpire)
	defer retry.Stop()
	defer expire.Stop()
	failing := false
	m.expire()
	for {
		err := m.storeAll(m.ctx)
		if err != nil && !failing && m.ctx.Err() == nil {
			m.log.Error("messages cannot be stored: they wait in their folder", zap.Error(err))
		}
		failing = err != nil
		select {
		case <-m.ctx.Done():
			return
		case <-m.wake:
		case <-retry.C:
		case <-expire.C:
			m.expire()
		}
	}
}

func (m *messages) expire() {
	ctx, cancel := context.WithTimeout(m.ctx, messagesTime)
	defer cancel()
	if n, err := m.store.ExpireMessages(ctx, m.now().Add(-m.limits.Keep)); err != nil && m.ctx.Err() == nil {
		m.log.Warn("old messages cannot be removed", zap.Error(err))
	} else if n > 0 {
		m.log.Info("old messages removed", zap.Int("messages", n))
	}
	for _, path := range m.files(messageEnd + damagedEnd) {
		if f, err := os.Stat(path); err != nil || !f.ModTime().Before(m.now().Add(-m.limits.Keep)) {
			continue
		}
		if err := os.Remove(path); err != nil {
			m.log.Warn("a damaged file of an old message cannot be removed", zap.String("file", filepath.Base(path)), zap.Error(err))
			continue
		}
		m.log.Info("a damaged file of an old message is removed", zap.String("file", filepath.Base(path)))
	}
}

func (m *messages) storeAll(ctx context.Context) error {
	var errs []error
	for _, path := range m.files(messageEnd) {
		if err := m.storeOne(ctx, path); err != nil {
			errs = append(errs, err)
		}
		if ctx.Err() != nil {
			break
		}
	}
	return errors.Join(errs...)
}

func (m *messages) storeOne(ctx context.Context, path string) error {
	m.storing.Lock()
	defer m.storing.Unlock()
	ctx, cancel := context.WithTimeout(ctx, messagesTime)
	defer cancel()
	head, samples, err := readMessage(path)
	if errors.Is(err, errNoMessage) { // no later try would read more
		if moved := os.Rename(path, path+damagedEnd); moved != nil {
			return errors.Join(err, moved)
		}
		m.log.Error("a message's file is damaged: it is put aside", zap.String("file", filepath.Base(path)+damagedEnd), zap.Error(err))
		return nil
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil // erased
	}
	if err != nil {
		return err
	}
	// Whose it is stands in the call's row.
	if err := m.store.Flush(ctx); err != nil {
		return err
	}
	msg := store.Message{
		Call: head.Call, Mailbox: head.Mailbox, Queue: head.Queue, Language: head.Language, LeftAt: head.At,
		Length: time.Duration(len(samples)) * time.Second / samplesASecond,
	}
	if err := m.store.SaveMessage(ctx, msg, media.WAV(head.Codec, samples)); err != nil {
		return err
	}
	row, err := m.store.LedgerRow(ctx, head.Call)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	if row.Customer != "" {
		msg.Customer = row.Customer
		m.store.SaveLeft(msg)
	}
	return os.Remove(path)
}

// close waits for the messages that are being written, as long as ctx allows, and
// stores what it can.
func (m *messages) close(ctx context.Context) error {
	ended := make(chan struct{})
	go func() {
		m.open.Wait()
		close(ended)
	}()
	select {
	case <-ended:
	case <-ctx.Done(): // a disk that hangs: the next start finds them
	}
	m.stop()
	<-m.done
	if err := m.storeAll(ctx); err != nil {
		m.log.Warn("messages wait for the next start", zap.Error(err))
	}
	return nil
}

var errNoMessage = errors.New("no message")

// readMessage reads a message's file.
func readMessage(path string) (head messageHead, samples []byte, err error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return head, nil, err
	}
	line, samples, ok := bytes.Cut(b, []byte("\n"))
	if !ok || json.Unmarshal(line, &head) != nil || head.Call == 0 {
		return head, nil, fmt.Errorf("%s: %w", filepath.Base(path), errNoMessage)
	}
	return head, samples, nil
}

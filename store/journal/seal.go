package journal

import (
	"bytes"
	"cmp"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/crypto/chacha20poly1305"

	"github.com/cordboard/cordboard/routing"
)

// What is said of a caller is sealed: the event's whole form, as format 1 has it,
// in a box (ChaCha20-Poly1305) beside the call, the question that it answers, if it
// does, and the customer's keyed hash,
//
//	{"call":7,"key":"HASH","sealed":{"key":12,"box":"..."}}
//
// The number of the event is the box's nonce (a key seals in one segment, where
// no number comes twice) and what stands before "sealed", with the event's kind,
// is bound to it: a box that is moved does not open.

// inClear is what of a sealed event stays in clear.
type inClear struct {
	kind string
	call routing.CallID
	ask  int // of a customer who was keyed in
	key  string
}

// sealing says whether an event is to be sealed, and for whom.
func sealing(ev routing.Event) (c inClear, subject string, ok bool) {
	switch ev := ev.(type) {
	case routing.CustomerResolved:
		c, subject = inClear{call: ev.Call, ask: ev.Ask, key: ev.Key}, cmp.Or(ev.Subject, ev.Key)
	case routing.RimRead:
		c, subject = inClear{call: ev.Call}, ev.Subject
	default:
		return c, "", false
	}
	if c.kind = ev.Kind(); subject == "" {
		subject = SubjectOfCall(c.call)
	}
	return c, subject, true
}

// SubjectOfCall is the subject of a caller of whom nothing is known but the call.
func SubjectOfCall(call routing.CallID) string { return "call:" + strconv.FormatInt(int64(call), 10) }

func (c inClear) append(to []byte) []byte {
	to = strconv.AppendInt(append(to, `{"call":`...), int64(c.call), 10)
	if c.ask != 0 {
		to = strconv.AppendInt(append(to, `,"ask":`...), int64(c.ask), 10)
	}
	if c.key != "" {
		to = append(append(append(to, `,"key":"`...), c.key...), '"')
	}
	return to
}

// bound is what a box is bound to.
func (c inClear) bound(to []byte) []byte { return c.append(append(append(to, c.kind...), ' ')) }

// aead opens and seals with a key. Most keys seal once, and this cipher takes a third
// of the time of AES-GCM to be made ready.
func aead(secret *[secretBytes]byte) cipher.AEAD {
	box, err := chacha20poly1305.New(secret[:])
	if err != nil {
		panic(err) // the length is right
	}
	return box
}

func nonceOf(seq int64) (nonce [12]byte) {
	binary.BigEndian.PutUint64(nonce[4:], uint64(seq))
	return nonce
}

// nobody ends the form of a look-up that found nobody, and nothing to say of him:
// there is nothing in it to seal.
var nobody = []byte(`,"customer":{"known":false}}`)

// appendEvent appends an event's form, sealed where it says something of a caller;
// the lock is held.
func (j *Journal) appendEvent(to []byte, seq int64, at time.Time, ev routing.Event) ([]byte, error) {
	c, subject, ok := sealing(ev)
	if !ok {
		return routing.AppendEvent(to, ev)
	}
	var err error
	if j.plain, err = routing.AppendEvent(j.plain[:0], ev); err != nil {
		return to, err
	}
	if bytes.HasSuffix(j.plain, nobody) {
		return append(to, j.plain...), nil
	}
	k := j.keyFor(subject, at)
	nonce := nonceOf(seq)
	j.bound = c.bound(j.bound[:0])
	j.box = aead(&k.secret).Seal(j.box[:0], nonce[:], j.plain, j.bound)
	to = strconv.AppendInt(append(c.append(to), `,"sealed":{"key":`...), k.n, 10)
	to = base64.StdEncoding.AppendEncode(append(to, `,"box":"`...), j.box)
	return append(to, `"}}`...), nil
}

// keyFor is the key of a subject in the segment being written. Nothing is read for
// it: who has none there gets one, which goes to the disk with the group.
func (j *Journal) keyFor(subject string, at time.Time) *key {
	k := j.keys[subject]
	if k == nil {
		j.lastKey++
		k = &key{n: j.lastKey, subject: subject, group: -1}
		rand.Read(k.secret[:]) // crypto/rand's Read never fails
		if j.isErased(subject, at) {
			return k // and it is kept nowhere
		}
		j.keys[subject] = k
	}
	if k.group != j.group {
		k.group = j.group
		j.needed = append(j.needed, k)
	}
	return k
}

// opener opens the boxes of one segment.
type opener struct {
	path    string // of its keys
	read    bool
	highest int64 // key that was looked for or found
	keys    map[int64]*key
	damaged int
}

// sealedEvent is the form of an event whose attributes are sealed.
type sealedEvent struct {
	Call   routing.CallID `json:"call"`
	Ask    int            `json:"ask"`
	Key    string         `json:"key"`
	Sealed *struct {
		Key int64  `json:"key"`
		Box []byte `json:"box"`
	} `json:"sealed"`
}

// event decodes a line's event. One whose key has been destroyed comes without
// what was sealed.
func (o *opener) event(l *line) (routing.Event, error) {
	if !bytes.Contains(l.body, []byte(`,"sealed":{`)) {
		return routing.DecodeEvent(l.kind, l.body)
	}
	var in sealedEvent
	if err := json.Unmarshal(l.body, &in); err != nil {
		return nil, err
	}
	if in.Sealed == nil {
		return routing.DecodeEvent(l.kind, l.body) // somebody's text looks so
	}
	k, err := o.key(in.Sealed.Key)
	if err != nil {
		return nil, err
	}
	if k == nil {
		if o.damaged > 0 {
			return nil, fmt.Errorf("key %d is not found, and %s line %d is damaged", in.Sealed.Key, filepath.Base(o.path), o.damaged)
		}
		return erased(l.kind, &in)
	}
	nonce := nonceOf(l.seq)
	c := inClear{kind: l.kind, call: in.Call, ask: in.Ask, key: in.Key}
	plain, err := aead(&k.secret).Open(nil, nonce[:], in.Sealed.Box, c.bound(nil))
	if err != nil {
		return nil, fmt.Errorf("what was sealed with key %d of %s does not open: it has been changed or moved", in.Sealed.Key, filepath.Base(o.path))
	}
	return routing.DecodeEvent(l.kind, plain)
}

// erased is an event whose attributes nobody can read any more.
func erased(kind string, in *sealedEvent) (routing.Event, error) {
	switch kind {
	case routing.CustomerResolved{}.Kind():
		return routing.CustomerResolved{Call: in.Call, Ask: in.Ask, Key: in.Key, Erased: true}, nil
	case routing.RimRead{}.Kind():
		return routing.RimRead{Call: in.Call, Erased: true}, nil
	}
	return nil, fmt.Errorf("decode sealed %q: %w", kind, routing.ErrUnknownEvent)
}

// key finds a key, nil when it has been destroyed. The file is read anew for one
// that may have come since: a segment is read while it is being written.
func (o *opener) key(n int64) (*key, error) {
	if k := o.keys[n]; k != nil || o.read && n <= o.highest {
		return k, nil
	}
	file, err := readKeys(o.path)
	if err != nil {
		return nil, err
	}
	o.read, o.highest, o.damaged, o.keys = true, max(o.highest, n), file.damaged, make(map[int64]*key, len(file.lines))
	for i := range file.lines {
		k := &file.lines[i]
		o.keys[k.n], o.highest = k, max(o.highest, k.n)
	}
	return o.keys[n], nil
}

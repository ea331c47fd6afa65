package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/routing/jsontext"
)

// eventRow is a row of call_events: one event, or, with kind ”, several of a
// call that were written together, in order. Such a row has the number of its
// last event, the instant of its latest, and the events as a JSON array.
type eventRow struct {
	call    routing.CallID
	seq     int64
	at      int64
	kind    string
	agent   agents.ID
	attempt routing.Attempt
	data    string
}

// packedEvent is an event of a row of several.
type packedEvent struct {
	At      int64           `json:"at"`
	Kind    string          `json:"kind"`
	Agent   agents.ID       `json:"agent,omitempty"`
	Attempt routing.Attempt `json:"attempt,omitempty"`
	Data    json.RawMessage `json:"data,omitempty"`
}

// pack makes one row of each call's events. A row costs more than what is in it.
func pack(events []Event) []eventRow {
	at := make(map[routing.CallID]int, len(events))
	rows := make([]eventRow, 0, len(events))
	texts := make([][]byte, 0, len(events)) // nil: the row is one event so far
	for i := range events {
		e := &events[i]
		n, there := at[e.Call]
		if !there || rows[n].seq+1 != e.Seq {
			at[e.Call] = len(rows)
			rows = append(rows, eventRow{e.Call, e.Seq, e.At.UnixMicro(), e.Kind, e.Agent, e.Attempt, string(e.Data)})
			texts = append(texts, nil)
			continue
		}
		r := &rows[n]
		if texts[n] == nil {
			texts[n] = appendPacked(append(make([]byte, 0, 1024), '['), r.at, r.kind, r.agent, r.attempt, r.data)
			r.kind, r.agent, r.attempt, r.data = "", "", 0, ""
		}
		texts[n] = appendPacked(append(texts[n], ','), e.At.UnixMicro(), e.Kind, e.Agent, e.Attempt, e.Data)
		r.seq, r.at = e.Seq, max(r.at, e.At.UnixMicro())
	}
	for n, text := range texts {
		if text != nil {
			rows[n].data = string(append(text, ']'))
		}
	}
	return rows
}

// appendPacked appends a packedEvent. Data is JSON already, or empty.
func appendPacked[D string | json.RawMessage](to []byte, at int64, kind string, agent agents.ID, attempt routing.Attempt, data D) []byte {
	to = append(to, `{"at":`...)
	to = strconv.AppendInt(to, at, 10)
	to = jsontext.Append(append(to, `,"kind":`...), kind)
	if agent != "" {
		to = jsontext.Append(append(to, `,"agent":`...), agent)
	}
	if attempt != 0 {
		to = strconv.AppendInt(append(to, `,"attempt":`...), int64(attempt), 10)
	}
	if len(data) > 0 {
		to = append(append(to, `,"data":`...), data...)
	}
	return append(to, '}')
}

// unpack gives the events of a row.
func (r *eventRow) unpack(to []Event) ([]Event, error) {
	if r.kind != "" || !strings.HasPrefix(r.data, "[") {
		e := Event{Call: r.call, Seq: r.seq, At: time.UnixMicro(r.at).UTC(), Kind: r.kind, Agent: r.agent, Attempt: r.attempt}
		if r.data != "" {
			e.Data = json.RawMessage(r.data)
		}
		return append(to, e), nil
	}
	var packed []packedEvent
	if err := json.Unmarshal([]byte(r.data), &packed); err != nil {
		return to, fmt.Errorf("events up to %d: %w", r.seq, err)
	}
	first := r.seq - int64(len(packed)) + 1
	for i, p := range packed {
		to = append(to, Event{
			Call: r.call, Seq: first + int64(i), At: time.UnixMicro(p.At).UTC(),
			Kind: p.Kind, Agent: p.Agent, Attempt: p.Attempt, Data: p.Data,
		})
	}
	return to, nil
}

var addEvents = rowsOf(qAddEvent, eventColumns, 32, 8, 1)

const eventColumns = 7

func writeEvents(t *tx, events []Event) error {
	return inRows(addEvents, pack(events), func(query string, some []eventRow) error {
		args := make([]any, 0, len(some)*eventColumns)
		for i := range some {
			r := &some[i]
			args = append(args, int64(r.call), r.seq, r.at, r.kind, string(r.agent), int64(r.attempt), r.data)
		}
		if err := t.put(query, args...); err != nil {
			return fmt.Errorf("events of calls from %d on: %w", some[0].call, err)
		}
		return nil
	})
}

// Events reads a call's events in order; none for a call that is not there.
func (s *Store) Events(ctx context.Context, call routing.CallID) (out []Event, err error) {
	err = each(ctx, s.read, qEvents, []any{int64(call)}, func(rows *sql.Rows) error {
		r := eventRow{call: call}
		if err := rows.Scan(&r.seq, &r.at, &r.kind, &r.agent, &r.attempt, &r.data); err != nil {
			return err
		}
		out, err = r.unpack(out)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("store: events of call %d: %w", call, err)
	}
	return out, nil
}

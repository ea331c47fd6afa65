package web

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/routing/figures"
)

// boardView is BOARD of docs/http-api.md: routing.Snapshot with times in
// microseconds.
type boardView struct {
	At int64 `json:"at"`
	// Version of the routing document that is live.
	Version int `json:"version"`
	// Degraded names what is wrong while calls are taken, as /-/ready does.
	Degraded []string `json:"degraded"`

	// Day is when the day began that is counted, 0 while its figures are not
	// known; Formula is how its service levels are worked out.
	Day     int64       `json:"day"`
	Formula string      `json:"formula"`
	Centre  boardCounts `json:"centre"`

	Queues []boardQueue    `json:"queues"`
	Agents []boardAgent    `json:"agents"`
	Calls  []boardCallLine `json:"calls"`
}

type boardQueue struct {
	Name         string `json:"name"`
	Title        string `json:"title"`
	Waiting      int    `json:"waiting"`
	OldestSince  int64  `json:"oldest_since"`
	Talking      int    `json:"talking"`
	Staffed      int    `json:"staffed"`
	Available    int    `json:"available"`
	AnswerWithin int    `json:"answer_within_s"`
	Open         bool   `json:"open"`
	// SL and EWT are what conditions see: the service level over the window, and
	// the wait of the last in line.
	SL       int  `json:"sl"`
	EWT      int  `json:"ewt_s"`
	EWTKnown bool `json:"ewt_known"`
	// Told and Kept are as in routing.QueueState.
	Told int `json:"told_wait"`
	Kept int `json:"told_wait_kept"`
	// CallbacksWaiting is the callers of the queue who are to be called back.
	CallbacksWaiting int `json:"callbacks_waiting"`
	boardCounts
}

// boardCounts is a line of the day's figures.
type boardCounts struct {
	Offered   int `json:"offered"`
	Answered  int `json:"answered"`
	Abandoned int `json:"abandoned"`
	InTime    int `json:"answered_in_time"`
	MovedOn   int `json:"moved_on"`
	Treated   int `json:"treated"`
	Failed    int `json:"failed"`
	// Callers who took a callback, and of these whom an agent has talked to (or who
	// rang in again), and who were not reached.
	Callbacks       int `json:"callbacks"`
	CallbacksDone   int `json:"callbacks_done"`
	CallbacksFailed int `json:"callbacks_failed"`

	Decided int `json:"decided"` // what the level is a share of
	// Level is the service level in percent with one decimal, null for none.
	Level *float64 `json:"service_level"`
}

// Day is the figures of a day: by queue, "" being the centre.
type Day struct {
	Starts time.Time
	Rules  figures.Rules
	Lines  map[string]figures.Counts
}

func (d *Day) line(queue string) boardCounts {
	c := d.Lines[queue]
	out := boardCounts{Offered: c.Offered, Answered: c.Answered, Abandoned: c.Abandoned, InTime: c.InTime, MovedOn: c.MovedOn, Treated: c.Treated, Failed: c.Failed, Decided: c.Decided,
		Callbacks: c.CalledBack, CallbacksDone: c.BackDone, CallbacksFailed: c.BackLost}
	if tenths, ok := d.Rules.Tenths(c); ok {
		level := float64(tenths) / 10
		out.Level = &level
	}
	return out
}

// count puts the day's figures into the board, for those since the engine
// started.
func (v *boardView) count(d *Day) {
	v.Day, v.Formula, v.Centre = micro(d.Starts), d.Rules.String(), d.line(figures.Centre)
	for i := range v.Queues {
		v.Queues[i].boardCounts = d.line(v.Queues[i].Name)
	}
}

type boardAgent struct {
	Agent  agents.ID    `json:"agent"`
	Name   string       `json:"name"`
	State  agents.State `json:"state"`
	Reason string       `json:"reason"`
	Since  int64        `json:"since"`
	Until  int64        `json:"until"`
	Call   int64        `json:"call"`
	Queue  string       `json:"queue"`
	Desk   bool         `json:"desk"`
	Phone  string       `json:"phone"`
}

type boardCallLine struct {
	Call     routing.CallID    `json:"call"`
	Phase    string            `json:"phase"`
	Queue    string            `json:"queue"`
	Topic    string            `json:"topic"`
	Agent    agents.ID         `json:"agent"`
	Attempt  routing.Attempt   `json:"attempt"`
	Since    int64             `json:"since"`
	Entered  int64             `json:"entered"`
	Priority int               `json:"priority"`
	Step     int               `json:"step"`
	Blocked  []routing.LeftOut `json:"blocked"`
}

func micro(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func viewBoard(s routing.Snapshot) boardView {
	v := boardView{At: micro(s.At), Version: s.Version, Queues: []boardQueue{}, Agents: []boardAgent{}, Calls: []boardCallLine{}}
	for _, q := range s.Queues {
		v.Queues = append(v.Queues, boardQueue{
			q.Name, q.Name, q.Waiting, micro(q.OldestSince), q.Talking, q.Staffed, q.Available,
			q.AnswerWithin, q.Open, q.ServiceLevel, q.Expected.Seconds, q.Expected.Known, q.Told, q.Kept, q.Callbacks,
			boardCounts{Offered: q.Offered, Answered: q.Answered, Abandoned: q.Abandoned, InTime: q.InTime},
		})
	}
	for _, a := range s.Agents {
		v.Agents = append(v.Agents, boardAgent{
			a.Agent, a.Name, a.State, a.Reason, micro(a.Since), micro(a.Until), a.Call, a.Queue, a.Desk, a.Phone,
		})
	}
	for _, c := range s.Calls {
		v.Calls = append(v.Calls, boardCallLine{
			c.Call, c.Phase, c.Queue, c.Topic, c.Agent, c.Attempt, micro(c.Since), micro(c.Entered),
			c.Priority, c.Step, append([]routing.LeftOut{}, c.Blocked...),
		})
	}
	return v
}

// board shares one snapshot between all who look at the same moment.
type board struct {
	source   func(context.Context) (routing.Snapshot, error)
	day      func(time.Time) (Day, bool) // nil: as the engine counts
	clock    func() time.Time
	degraded func(context.Context) []string // nil: nothing ever is

	mu   sync.Mutex
	at   time.Time
	text []byte

	health sync.Mutex
	asked  time.Time // for what is wrong
	asking bool
	wrong  []string // as it was last
}

const (
	boardFresh   = 250 * time.Millisecond
	boardEvery   = time.Second
	boardTimeout = 5 * time.Second
	healthEvery  = 2 * time.Second
)

// unwell is what was wrong when last asked for. It asks again beside the
// board's frames, which wait for no database.
func (b *board) unwell() []string {
	b.health.Lock()
	defer b.health.Unlock()
	if now := b.clock(); b.degraded != nil && !b.asking && now.Sub(b.asked) >= healthEvery {
		b.asking, b.asked = true, now
		go func() {
			ctx, cancel := context.WithTimeout(context.Background(), boardTimeout)
			defer cancel()
			wrong := b.degraded(ctx)
			b.health.Lock()
			defer b.health.Unlock()
			b.asking, b.wrong = false, wrong
		}()
	}
	return append([]string{}, b.wrong...)
}

func (b *board) read(ctx context.Context) ([]byte, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.text != nil && b.clock().Sub(b.at) < boardFresh {
		return b.text, nil
	}
	ctx, cancel := context.WithTimeout(ctx, boardTimeout)
	defer cancel()
	snap, err := b.source(ctx)
	if err != nil {
		return nil, fmt.Errorf("web: board: %w", err)
	}
	v := viewBoard(snap)
	v.Degraded = b.unwell()
	if b.day != nil {
		day, known := b.day(b.clock())
		if !known {
			day = Day{Rules: day.Rules}
		}
		v.count(&day)
	}
	text, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("web: board: %w", err)
	}
	b.at, b.text = b.clock(), text
	return text, nil
}

// boardNow: GET /api/v1/board.
func (s *Server) boardNow(w http.ResponseWriter, r *http.Request, _ *seat) error {
	text, err := s.board.read(r.Context())
	if err != nil {
		return err
	}
	return replyJSON(w, text)
}

// boardStream: GET /api/v1/board/stream. One frame a second; a reader who is
// slower gets fewer, one who does not read for five seconds is let go.
func (s *Server) boardStream(w http.ResponseWriter, r *http.Request, who *seat) error {
	out := http.NewResponseController(w)
	send := func() error {
		text, err := s.board.read(r.Context())
		if err != nil {
			return err
		}
		if err := out.SetWriteDeadline(time.Now().Add(boardTimeout)); err != nil {
			return err
		}
		if _, err := fmt.Fprintf(w, "data: %s\n\n", text); err != nil {
			return err
		}
		return out.Flush()
	}
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no")
	every := time.NewTicker(boardEvery)
	defer every.Stop()
	for looked := time.Now(); ; {
		if send() != nil {
			return nil // the reader comes back; an answer is under way and cannot be changed
		}
		if time.Since(looked) >= s.opt.Recheck {
			looked = time.Now()
			// What cannot be read is not ended: the board is as much in need as ever.
			if now, err := s.find(r.Context(), who.ID, who.key); err == nil && (now == nil || !now.may(RoleSupervisor)) {
				return nil
			}
		}
		select {
		case <-every.C:
		case <-r.Context().Done():
			return nil
		case <-s.ctx.Done():
			return nil
		}
	}
}

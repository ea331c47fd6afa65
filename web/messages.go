package web

import (
	"bytes"
	"context"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
)

// Message is what a caller has left in a mailbox.
type Message struct {
	Call     routing.CallID
	Mailbox  string
	Queue    string // in which the caller was, "" for none
	Language string
	LeftAt   time.Time
	Length   time.Duration
	State    string // new, heard, done
	By       string // user who gave it this state
	At       time.Time
	Number   string // E.164, "" when withheld
	Customer string // id, "" when unknown
	Name     string
}

// Messages keeps what callers have left. Message and Sound are false, and so are
// SetMessage and DeleteMessage, when there is no message of the call.
type Messages interface {
	// Messages lists the newest before a call (0: of all), so many at most.
	Messages(ctx context.Context, mailbox, state string, under routing.CallID, most int) ([]Message, error)
	Message(ctx context.Context, call routing.CallID) (Message, bool, error)
	Sound(ctx context.Context, call routing.CallID) ([]byte, bool, error) // a WAV file
	SetMessage(ctx context.Context, call routing.CallID, state, by string) (bool, error)
	DeleteMessage(ctx context.Context, call routing.CallID) (bool, error)
	// Serves says whether an agent works for who left the message.
	Serves(agent agents.ID, m *Message) bool
}

func (s *Server) messageRoutes() []route {
	if s.opt.Messages == nil {
		return nil
	}
	return []route{
		{http.MethodGet, "/api/v1/messages", anyRole, s.messages},
		{http.MethodGet, "/api/v1/messages/{call}", anyRole, s.message},
		{http.MethodGet, "/api/v1/messages/{call}/sound", anyRole, s.messageSound},
		{http.MethodPut, "/api/v1/messages/{call}/state", anyRole, s.setMessage},
		{http.MethodDelete, "/api/v1/messages/{call}", RoleSupervisor, s.deleteMessage},
	}
}

var messageStates = []string{"new", "heard", "done"}

type messageView struct {
	Call     routing.CallID `json:"call"`
	Mailbox  string         `json:"mailbox"`
	Queue    string         `json:"queue"`
	Language string         `json:"language"`
	LeftAt   int64          `json:"left_at"`
	LengthMS int64          `json:"length_ms"`
	State    string         `json:"state"`
	By       string         `json:"by"`
	At       int64          `json:"at"`
	Number   string         `json:"number"`
	Customer string         `json:"customer"`
	Name     string         `json:"name"`
}

func (m *Message) view() messageView {
	return messageView{
		m.Call, m.Mailbox, m.Queue, m.Language, micro(m.LeftAt), m.Length.Milliseconds(), m.State, m.By, micro(m.At), m.Number, m.Customer, m.Name,
	}
}

// mayHear says whether somebody may see a message: a supervisor, or an agent who
// works for who left it.
func (s *Server) mayHear(who *seat, m *Message) bool {
	return who.may(RoleSupervisor) || s.opt.Messages.Serves(agents.ID(who.ID), m)
}

// messages: GET /api/v1/messages?mailbox=&state=&under=
func (s *Server) messages(w http.ResponseWriter, r *http.Request, who *seat) error {
	q := r.URL.Query()
	mailbox, state := q.Get("mailbox"), q.Get("state")
	under, err := int64(0), error(nil)
	if text := q.Get("under"); text != "" {
		under, err = strconv.ParseInt(text, 10, 64)
	}
	if err != nil || under < 0 || len(mailbox) > 64 || state != "" && !slices.Contains(messageStates, state) {
		return problemBadRequest
	}
	ctx, cancel := context.WithTimeout(r.Context(), messagesTime)
	defer cancel()
	out := []messageView{}
	// However many are others': nobody's own may be out of sight behind them.
	for last := routing.CallID(under); len(out) < messagesListed; {
		all, err := s.opt.Messages.Messages(ctx, mailbox, state, last, messagesListed)
		if err != nil {
			return err
		}
		for i := range all {
			if last = all[i].Call; len(out) < messagesListed && s.mayHear(who, &all[i]) {
				out = append(out, all[i].view())
			}
		}
		if len(all) < messagesListed {
			break
		}
	}
	return reply(w, map[string]any{"messages": out})
}

const (
	messagesListed = 200
	messagesTime   = 5 * time.Second
)

// messageOf finds the message of the path that the user may see. Of others' there
// is nothing.
func (s *Server) messageOf(r *http.Request, who *seat) (Message, error) {
	id, err := strconv.ParseInt(r.PathValue("call"), 10, 64)
	if err != nil || id <= 0 {
		return Message{}, problemNotFound
	}
	m, ok, err := s.opt.Messages.Message(r.Context(), routing.CallID(id))
	if err == nil && (!ok || !s.mayHear(who, &m)) {
		err = problemNotFound
	}
	return m, err
}

func (s *Server) message(w http.ResponseWriter, r *http.Request, who *seat) error {
	m, err := s.messageOf(r, who)
	if err != nil {
		return err
	}
	return reply(w, m.view())
}

// messageSound: GET /api/v1/messages/{call}/sound, in parts if asked (Range).
func (s *Server) messageSound(w http.ResponseWriter, r *http.Request, who *seat) error {
	m, err := s.messageOf(r, who)
	if err != nil {
		return err
	}
	wav, ok, err := s.opt.Messages.Sound(r.Context(), m.Call)
	if err != nil || !ok {
		return orNotFound(err)
	}
	h := w.Header()
	h.Set("Content-Type", "audio/wav")
	h.Set("Content-Disposition", `inline; filename="message-`+strconv.FormatInt(int64(m.Call), 10)+`.wav"`)
	http.ServeContent(w, r, "", m.LeftAt, bytes.NewReader(wav))
	return nil
}

// setMessage: PUT /api/v1/messages/{call}/state {"state":"done"}.
func (s *Server) setMessage(w http.ResponseWriter, r *http.Request, who *seat) error {
	var in struct {
		State string `json:"state"`
	}
	if err := body(w, r, &in); err != nil {
		return err
	}
	if !slices.Contains(messageStates, in.State) {
		return problemBadRequest
	}
	m, err := s.messageOf(r, who)
	if err != nil {
		return err
	}
	if ok, err := s.opt.Messages.SetMessage(r.Context(), m.Call, in.State, who.ID); err != nil || !ok {
		return orNotFound(err)
	}
	return s.message(w, r, who)
}

// deleteMessage: DELETE /api/v1/messages/{call}.
func (s *Server) deleteMessage(w http.ResponseWriter, r *http.Request, who *seat) error {
	m, err := s.messageOf(r, who)
	if err != nil {
		return err
	}
	if ok, err := s.opt.Messages.DeleteMessage(r.Context(), m.Call); err != nil || !ok {
		return orNotFound(err)
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func orNotFound(err error) error {
	if err == nil {
		return problemNotFound
	}
	return err
}

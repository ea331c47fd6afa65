package web

import (
	"context"
	"net/http"
	"time"

	"github.com/cordboard/cordboard/screenpop"
)

const answersListed = 50

func (s *Server) answers(w http.ResponseWriter, r *http.Request, _ *seat) error {
	q := r.URL.Query()
	lang, topic, query := q.Get("lang"), q.Get("topic"), q.Get("q")
	if len(lang) > 16 || len(topic) > 64 || len(query) > 400 {
		return problemBadRequest
	}
	ctx, cancel := context.WithTimeout(r.Context(), 5*time.Second)
	defer cancel()
	list, err := s.opt.Answers.FindAnswers(ctx, lang, topic, query, answersListed)
	if err != nil {
		return err
	}
	if list == nil {
		list = []screenpop.Answer{}
	}
	return reply(w, map[string]any{"answers": list})
}

// answerGaps: GET /api/v1/answers/gaps. It takes its turn with the reports.
func (s *Server) answerGaps(w http.ResponseWriter, r *http.Request, _ *seat) error {
	return s.inTurn(w, r, s.opt.AnswerGaps)
}

// dueAnswers: GET /api/v1/answers/due, of the agent who asks.
func (s *Server) dueAnswers(w http.ResponseWriter, r *http.Request, who *seat) error {
	ctx, cancel := context.WithTimeout(r.Context(), 5*time.Second)
	defer cancel()
	list, err := s.opt.DueAnswers(ctx, who.ID)
	if err != nil {
		return err
	}
	return reply(w, map[string]any{"answers": list})
}

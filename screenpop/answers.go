package screenpop

import (
	"context"
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/cordboard/cordboard/agents"
)

const (
	answersOnCard = 5
	answersFound  = 20
	answersFresh  = time.Minute
	answersHeld   = 512
	answersWait   = 3 * time.Second
	searchesOfOne = 4 // of one desk at once
)

type answerKey struct{ lang, topic string }

// answerEntry is what the knowledge base said for a language and topic.
type answerEntry struct {
	list    []Answer
	at      time.Time
	loading bool
}

// answersFor is what is held for a leg's card; nothing here waits.
func (h *Hub) answersFor(c *card, l *leg, lang string) []Answer {
	if e := h.answers[answerKey{h.lang(lang), c.likelyTopic(l)}]; e != nil {
		return e.list
	}
	return nil
}

func (h *Hub) lang(lang string) string {
	if lang == "" {
		if p := h.opt.Policy(); p != nil {
			return p.DefaultLanguage
		}
	}
	return lang
}

// fetchAnswers sees to it that the answers for a leg are held in the language
// of its desk; when they come the card is sent again.
func (h *Hub) fetchAnswers(c *card, l *leg) {
	if d := h.desks[l.Agent]; d != nil && d.session != nil {
		h.fetch(answerKey{h.lang(d.session.lang), c.likelyTopic(l)})
	}
}

// fetchAhead fetches a call's answers before anybody is offered the call, in
// every language a desk is open in.
func (h *Hub) fetchAhead(c *card) {
	if h.spoken == nil {
		h.spoken = []string{}
		for _, d := range h.desks {
			if d.session != nil && !slices.Contains(h.spoken, d.session.lang) {
				h.spoken = append(h.spoken, d.session.lang)
			}
		}
	}
	for _, lang := range h.spoken {
		h.fetch(answerKey{h.lang(lang), c.likelyTopic(&leg{topic: c.topic})})
	}
}

func (h *Hub) fetch(key answerKey) {
	e := h.answers[key]
	if e != nil && (e.loading || h.now().Sub(e.at) < answersFresh) {
		return
	}
	if e == nil {
		if len(h.answers) >= answersHeld {
			clear(h.answers)
		}
		e = &answerEntry{}
		h.answers[key] = e
	}
	e.loading = true
	h.wg.Go(func() {
		list, err := h.findAnswers(key.lang, key.topic, "", answersOnCard)
		h.post(func() { h.fetched(key, e, list, err) })
	})
}

func (h *Hub) fetched(key answerKey, e *answerEntry, list []Answer, err error) {
	e.loading, e.at = false, h.now()
	if err != nil {
		h.log.Warn("standard answers not found", zap.String("topic", key.topic), zap.Error(err))
		return
	}
	if slices.EqualFunc(e.list, list, Answer.equal) {
		return
	}
	e.list = list
	for _, d := range h.desks {
		for l, c := range d.legs {
			if d.session != nil && h.lang(d.session.lang) == key.lang && c.likelyTopic(l) == key.topic {
				h.patchLeg(c, l)
			}
		}
	}
}

// findAnswers asks the knowledge base within three seconds.
func (h *Hub) findAnswers(lang, topic, query string, limit int) ([]Answer, error) {
	ctx, cancel := context.WithTimeout(h.ctx, answersWait)
	defer cancel()
	return h.opt.Answers.FindAnswers(ctx, lang, topic, query, limit)
}

// answerTitle finds the title of an answer that a desk has been shown.
func (h *Hub) answerTitle(id, lang string) (string, bool) {
	title, found := "", false
	for key, e := range h.answers {
		for _, a := range e.list {
			if a.ID == id && (!found || key.lang == h.lang(lang)) {
				title, found = a.Title, true
			}
		}
	}
	if found {
		return title, true
	}
	title, found = h.searched[id]
	return title, found
}

// search does a desk's search of the knowledge base; the result carries what
// was found.
func (h *Hub) search(c *conn, f deskFrame) {
	var d searchFrame
	if !strict(f.D, &d) || !langForm.MatchString(d.Lang) || !word(d.Topic) || !prose(d.Query, maxQuery) || f.ID == 0 {
		c.result(f.ID, codeBadRequest)
		return
	}
	if c.searches >= searchesOfOne {
		c.result(f.ID, codeNotNow)
		return
	}
	c.searches++
	agent := c.desk.agent
	h.wg.Go(func() {
		list, err := h.findAnswers(d.Lang, d.Topic, d.Query, answersFound)
		h.post(func() { h.searchDone(c, f.ID, agent, list, err) })
	})
}

func (h *Hub) searchDone(c *conn, id int64, agent agents.ID, list []Answer, err error) {
	c.searches--
	if err != nil {
		h.log.Warn("search failed", zap.String("agent", string(agent)), zap.Error(err))
		c.result(id, codeFailed)
		return
	}
	for _, a := range list {
		if len(h.searched) >= answersHeld*answersOnCard {
			clear(h.searched)
		}
		h.searched[a.ID] = a.Title
	}
	c.answer(resultView{ID: id, OK: true, Answers: list})
}

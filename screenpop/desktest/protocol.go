package desktest

import (
	"encoding/json"

	"github.com/cordboard/cordboard/screenpop/customer"
)

type frame struct {
	T   string          `json:"t"`
	Seq int64           `json:"seq"`
	At  int64           `json:"at"`
	D   json.RawMessage `json:"d"`
}

// Status is STATUS of the protocol; times are microseconds.
type Status struct {
	Agent  string `json:"agent"`
	State  string `json:"state"`
	Reason string `json:"reason"`
	Since  int64  `json:"since"`
	Until  int64  `json:"until"`
	Call   int64  `json:"call"`
}

// Colleague is one colleague's state.
type Colleague struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	State string `json:"state"`
	Since int64  `json:"since"`
}

// Answer is a standard answer.
type Answer struct {
	ID    string   `json:"id"`
	Topic string   `json:"topic"`
	Lang  string   `json:"lang"`
	Title string   `json:"title"`
	Say   string   `json:"say"`
	Steps []string `json:"steps"`
}

// Card is CARD of the protocol, as far as a robot looks at it.
type Card struct {
	Call         int64  `json:"call"`
	Attempt      int    `json:"attempt"`
	Agent        string `json:"agent"`
	Phase        string `json:"phase"`
	Until        int64  `json:"until"`
	Mode         string `json:"mode"`
	Queue        string `json:"queue"`
	Topic        string `json:"topic"`
	Set          string `json:"set"`
	Disposition  string `json:"disposition"`
	Dialled      string `json:"dialled"`
	Waited       int    `json:"waited_s"`
	WaitedBefore int    `json:"waited_before_s"`
	Callback     *struct {
		Accepted int64 `json:"accepted"`
		Try      int   `json:"try"`
	} `json:"callback"`
	Caller struct {
		Number string `json:"number"`
		Source string `json:"source"`
	} `json:"caller"`
	Match   string           `json:"match"`
	Record  *customer.Record `json:"record"`
	Stale   bool             `json:"stale"`
	Sources []struct {
		Name   string   `json:"name"`
		State  string   `json:"state"`
		At     int64    `json:"at"`
		Panels []string `json:"panels"`
	} `json:"sources"`
	Entered *struct {
		Number  string `json:"number"`
		Found   bool   `json:"found"`
		Instead *struct {
			ID   string `json:"id"`
			Name string `json:"name"`
		} `json:"instead"`
	} `json:"entered"`
	Candidates []customer.Record `json:"candidates"`
	Story      []struct {
		Code string `json:"code"`
		N    int    `json:"n"`
		Text string `json:"text"`
		Name string `json:"name"`
	} `json:"story"`
	Why struct {
		Rule   string `json:"rule"`
		Prefer string `json:"prefer"`
	} `json:"why"`
	Path []struct {
		Kind    string `json:"kind"`
		Name    string `json:"name"`
		Seconds int    `json:"seconds"`
		Why     string `json:"why"`
	} `json:"path"`
	Back string `json:"back"`
	From *struct {
		Agent string `json:"agent"`
		Name  string `json:"name"`
		Note  string `json:"note"`
		Topic string `json:"topic"`
		TalkS int    `json:"talk_s"`
	} `json:"from"`
	Question bool     `json:"question"`
	PBX      bool     `json:"pbx"`
	Consult  *Consult `json:"consult"`
	Notes    []struct {
		Agent string `json:"agent"`
		Name  string `json:"name"`
		Text  string `json:"text"`
	} `json:"notes"`
	Note string `json:"note"`
	Used []struct {
		Answer string `json:"answer"`
		Agent  string `json:"agent"`
	} `json:"used"`
	Answers []Answer `json:"answers"`
	Facts   []string `json:"facts"`
}

// Welcome is the server's first frame.
type Welcome struct {
	V          int    `json:"v"`
	Session    string `json:"session"`
	Resumed    bool   `json:"resumed"`
	HeartbeatS int    `json:"heartbeat_s"`
	Agent      struct {
		ID         string `json:"id"`
		Name       string `json:"name"`
		AutoAnswer bool   `json:"auto_answer"`
	} `json:"agent"`
	Status       Status                       `json:"status"`
	Topics       []struct{ ID string }        `json:"topics"`
	Queues       []struct{ ID string }        `json:"queues"`
	Colleagues   []Colleague                  `json:"colleagues"`
	Dispositions map[string][]json.RawMessage `json:"dispositions"`
	Reasons      []string                     `json:"reasons"`
	Numbers      []string                     `json:"numbers"`
	Cards        []Card                       `json:"cards"`
}

// Result is the server's word on a request.
type Result struct {
	ID      int64    `json:"id"`
	OK      bool     `json:"ok"`
	Code    string   `json:"code"`
	Answers []Answer `json:"answers"`
}

// Consult is CONSULT of the protocol.
type Consult struct {
	Call  int64  `json:"call"`
	Phase string `json:"phase"`
	Agent string `json:"agent"`
	Name  string `json:"name"`
	Note  string `json:"note"`
}

type consultChange struct {
	Call    int64    `json:"call"`
	Attempt int      `json:"attempt"`
	Consult *Consult `json:"consult"`
	Why     string   `json:"why"`
}

type phaseChange struct {
	Call    int64  `json:"call"`
	Attempt int    `json:"attempt"`
	Phase   string `json:"phase"`
	Until   int64  `json:"until"`
	Why     string `json:"why"`
}

// paint draws a card in memory and says what stands on each panel, as a
// desktop's page would.
func paint(c Card) map[string]string {
	record := func(has bool) string {
		switch {
		case c.Match == "pending":
			return "late"
		case c.Match == "failed":
			return "failed"
		case has:
			return "shown"
		}
		return "empty"
	}
	plain := func(has bool) string {
		if has {
			return "shown"
		}
		return "empty"
	}
	r := c.Record
	return map[string]string{
		"bar":      "shown",
		"who":      record(r != nil),
		"money":    record(r != nil && r.Billing != nil),
		"products": record(r != nil && len(r.Products) > 0),
		"tickets":  record(r != nil && len(r.Tickets) > 0),
		"timeline": record(r != nil && len(r.Interactions) > 0),
		"answers":  plain(len(c.Answers) > 0 || len(c.Used) > 0),
		"notes":    plain(len(c.Notes) > 0),
		"from":     plain(c.From != nil),
		"path":     plain(len(c.Path) > 0),
	}
}

// complete says whether everything there is to know stands on the desk: the
// look-up has ended, and did not fail.
func complete(c Card) bool {
	switch c.Match {
	case "exact":
		return c.Record != nil && c.Record.ID != "" && c.Record.Name != ""
	case "several":
		return len(c.Candidates) > 1
	case "none":
		return true
	}
	return false
}

package routing

import "github.com/cordboard/cordboard/agents"

// ConsultRequested: an agent who talks asks a colleague, a queue or a topic while
// the caller holds (12). The question is a call of its own.
type ConsultRequested struct {
	Offer
	Consult CallID    `json:"consult"` // the number of that call
	Topic   string    `json:"topic,omitempty"`
	Queue   string    `json:"queue,omitempty"`
	ToAgent agents.ID `json:"to_agent,omitempty"`
	// Recorded is of the question, in the replay of a call whose customer was erased.
	Recorded *Recorded `json:"-"`
}

// ConsultStopped: the agent who asked asks no more, and goes back to the caller.
type ConsultStopped struct{ Offer }

// ConsultCompleted: the agent who asked hands the caller over to the one who was
// asked, who is talking to him.
type ConsultCompleted struct{ Offer }

func (ConsultRequested) Kind() string { return "consult_requested" }
func (ConsultStopped) Kind() string   { return "consult_stopped" }
func (ConsultCompleted) Kind() string { return "consult_completed" }

// ConsultStarted: the agent of the offer asks somebody while the caller holds. The
// call Consult is the question; it waits for whom is asked, and what becomes of it
// is told as of any call. Nobody hears its waiting: the agent who asks is its caller.
type ConsultStarted struct {
	Offer
	Consult CallID    `json:"consult"`
	Topic   string    `json:"topic,omitempty"`
	Queue   string    `json:"queue"`
	ToAgent agents.ID `json:"to_agent,omitempty"`
}

// ConsultEnded: the question is over, and the agent of the offer, who asked, has the
// caller again. Why is stopped (by who asked), left (by who was asked), unanswered,
// what the last offer of the question came to (as in Withdraw), late, nobody,
// closed, or join_failed.
type ConsultEnded struct {
	Offer
	Consult CallID `json:"consult"`
	Why     string `json:"why"`
}

// HandedOver: the agent who was asked has the caller now, by the attempt of the
// offer; the two are joined. From is the one who asked, whose leg of the call ends,
// and Asked the offer of the question, whose leg goes on as that of the call.
type HandedOver struct {
	Offer
	From  Offer  `json:"from"`
	Asked Offer  `json:"asked"`
	Queue string `json:"queue"`
	Topic string `json:"topic,omitempty"`
	Music string `json:"music,omitempty"` // on hold
}

func (ConsultStarted) Kind() string { return "consult_started" }
func (ConsultEnded) Kind() string   { return "consult_ended" }
func (HandedOver) Kind() string     { return "handed_over" }

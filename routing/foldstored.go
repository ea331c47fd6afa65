package routing

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/cordboard/cordboard/routing/figures"
)

// FoldStored is Fold for an action as the ledger keeps it: its kind, its
// attempt and its JSON form. Events that are no actions are passed over.
func FoldStored(c *figures.Call, at time.Time, kind string, attempt Attempt, data []byte) error {
	var action Action
	var err error
	switch kind {
	case Enqueued{}.Kind():
		var a struct {
			Queue   string        `json:"queue"`
			Since   time.Time     `json:"since"`
			Within  time.Duration `json:"answer_within"`
			Consult CallID        `json:"consult"`
		}
		err = json.Unmarshal(data, &a)
		action = Enqueued{Queue: a.Queue, Since: a.Since, Within: a.Within, Consult: a.Consult}
	case TurnedAway{}.Kind():
		var a TurnedAway
		err = json.Unmarshal(data, &a)
		action = a
	case Treat{}.Kind():
		var a struct {
			Number string `json:"number"`
		}
		err = json.Unmarshal(data, &a)
		action = Treat{Number: a.Number}
	case CallbackTaken{}.Kind():
		action = CallbackTaken{}
	case Connect{}.Kind():
		var a struct {
			Answered time.Time `json:"answered"`
		}
		err = json.Unmarshal(data, &a)
		action = Connect{Offer: Offer{Attempt: attempt}, Answered: a.Answered}
	case Withdraw{}.Kind():
		action = Withdraw{Offer: Offer{Attempt: attempt}}
	case EndCall{}.Kind():
		var a EndCall
		err = json.Unmarshal(data, &a)
		action = a
	default:
		return nil
	}
	if err != nil {
		return fmt.Errorf("fold %s: %w", kind, err)
	}
	Fold(c, at, action)
	return nil
}

package app

import (
	"time"

	"github.com/cordboard/cordboard/screenpop/customer/permission"
	"github.com/cordboard/cordboard/store"
)

// personConsent is what he has said to being contacted.
type personConsent struct {
	Purpose   permission.Purpose `json:"purpose"`
	Channel   permission.Channel `json:"channel"`
	State     permission.State   `json:"state"`
	At        time.Time          `json:"at"`
	Expires   time.Time          `json:"expires,omitzero"`
	Source    string             `json:"source"`
	SourceID  string             `json:"source_id"`
	Agent     string             `json:"agent"`
	By        string             `json:"by"`
	Evidence  string             `json:"evidence"`
	WrittenAt time.Time          `json:"written_at"`
}

// personDecision is whether he might be contacted, once that was asked.
type personDecision struct {
	ID        int64                `json:"decision"`
	Decided   time.Time            `json:"decided_at"`
	At        time.Time            `json:"contact_at"`
	Source    string               `json:"source"`
	SourceID  string               `json:"source_id"`
	Customer  string               `json:"customer"`
	Number    string               `json:"number"`
	Purpose   permission.Purpose   `json:"purpose"`
	Channel   permission.Channel   `json:"channel"`
	Allowed   bool                 `json:"allowed"`
	Reason    string               `json:"reason"`
	NotBefore time.Time            `json:"not_before,omitzero"`
	Weighed   []permission.Weighed `json:"weighed"`
	Rules     string               `json:"rules"`
}

// contacted tells what he has said to being contacted, and what was decided.
func (p *personFile) contacted(kept *store.Exported) {
	for _, c := range kept.Consents {
		one := personConsent{
			Purpose: c.Purpose, Channel: c.Channel, State: c.State, At: c.At, Expires: c.Expires,
			Source: c.Source, SourceID: c.SourceID, Evidence: c.Evidence, WrittenAt: c.WrittenAt,
		}
		if c.By != nil {
			one.Agent, one.By = c.By.Agent, c.By.Name
		}
		p.Consents = append(p.Consents, one)
	}
	for _, d := range kept.Decisions {
		p.Decided = append(p.Decided, personDecision{
			d.ID, d.Decided, d.At, d.Source, d.SourceID, d.Customer, d.Number, d.Purpose, d.Channel, d.Allowed, d.Reason, d.NotBefore, d.Weighed, d.Rules,
		})
	}
}

package routing

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/cordboard/cordboard/agents"
)

// LeftOut says why one signed-in agent was not chosen: lacks:SKILL>=n,
// excluded:SKILL, language, team, site, away:REASON, busy, ringing, wrap_up, reserve,
// barred, held_for:AGENT, max_talking, no_desk, later_step, policy.
type LeftOut struct {
	Agent agents.ID `json:"agent"`
	Code  string    `json:"code"`
}

// LeftOuts are the agents a Reason names, sorted by agent. Its JSON form has
// them by code: {"busy":["ann","bob"],"wrap_up":["carl"]}. There are up to fifty,
// twice a call, nearly all with one of two or three codes, and by agent they would
// be most of what the ledger keeps of a call.
type LeftOuts []LeftOut

func (l LeftOuts) appendJSON(to []byte) []byte {
	var few [16]string
	codes := few[:0]
	for i := range l {
		if !slices.Contains(codes, l[i].Code) {
			codes = append(codes, l[i].Code)
		}
	}
	slices.Sort(codes)
	to = append(to, '{')
	for i, code := range codes {
		to = append(appendText(to, listed(i, "", ","), code), ':')
		n := 0
		for _, out := range l {
			if out.Code == code {
				to = appendText(to, listed(n, "[", ","), out.Agent)
				n++
			}
		}
		to = append(to, ']')
	}
	return append(to, '}')
}

// MarshalJSON implements json.Marshaler.
func (l LeftOuts) MarshalJSON() ([]byte, error) {
	if l == nil {
		return []byte("null"), nil
	}
	return l.appendJSON(nil), nil
}

// UnmarshalJSON implements json.Unmarshaler.
func (l *LeftOuts) UnmarshalJSON(b []byte) error {
	var by map[string][]agents.ID
	if err := json.Unmarshal(b, &by); err != nil {
		return err
	}
	*l = nil
	for code, ids := range by {
		for _, id := range ids {
			*l = append(*l, LeftOut{id, code})
		}
	}
	slices.SortFunc(*l, func(a, b LeftOut) int { return strings.Compare(string(a.Agent), string(b.Agent)) })
	return nil
}

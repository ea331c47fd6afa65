package routing

import (
	"time"

	"github.com/cordboard/cordboard/routing/rule"
)

// tapeLine is the number that a call was dialled by: some come through a menu.
func tapeLine(id CallID) string {
	return []string{"", "", "", "+441", "", "+442", "+443", ""}[id%8]
}

func tapeMenus(p *Policy) {
	p.Lines = map[string]Line{"+441": {Menu: "first"}, "+442": {Language: "ru"}, "+443": {Menu: "third"}}
	p.Menus = map[string]*Menu{
		"first": {Name: "first", Prompt: "first", Wait: time.Second, Tries: 2, Otherwise: Choice{Topic: "hard"}, Keys: []Choice{
			{Key: "1", Topic: "hard"}, {Key: "2", Language: "ru", Menu: "second"}, {Key: "3", Then: &rule.Treatment{Play: "sorry", Voicemail: "menu"}},
			{Key: "4", Menu: "first"},
		}},
		"second": {Name: "second", Prompt: "second", Wait: time.Second, Tries: 1, Otherwise: Choice{Then: &rule.Treatment{Hangup: true}}, Keys: []Choice{{Key: "1"}, {Key: "2", Menu: "first"}}},
		"third":  {Name: "third", Prompt: "third", Wait: time.Second, Tries: 2, Otherwise: Choice{Menu: "first"}, Enter: &Enter{Digits{4, 8, time.Second, false}, Choice{Topic: "hard"}}},
	}
}

// asksInMenu checks that who is asked is on the line, and in no queue yet.
func (p *tape) asksInMenu(a AskMenu, fail func(string)) {
	c := p.e.calls[a.Call]
	if !p.greeted[a.Call] || p.ended[a.Call] || p.offers[a.Call] != (Offer{}) || len(p.talks[a.Call]) > 0 || len(a.Say) == 0 || a.Ask > maxAsks {
		fail("asks who is not there, or not to be asked any more")
	}
	if c != nil && (c.queue != nil || c.route != nil) {
		fail("asks who was routed")
	}
}

package screenpop

import (
	"strconv"
	"time"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/routing/jsontext"
)

// What a desk is sent in every call is written out field by field, byte for
// byte what encoding/json makes of the same structs (TestJSON): a call sends a
// dozen frames, and looking up by reflection what never changes was most of
// their cost. What is sent seldom, a welcome, is left to encoding/json.

// body is the d of a frame to a desk.
type body interface{ appendJSON(to []byte) []byte }

// appendFrame appends a numbered frame.
func appendFrame(to []byte, t string, seq, at int64, d body) []byte {
	to = jsontext.Append(append(to, `{"t":`...), t)
	to = appendInt(to, `,"seq":`, seq)
	to = appendInt(to, `,"at":`, at)
	return append(d.appendJSON(append(to, `,"d":`...)), '}')
}

// The key of a field comes with the comma before it and the colon after.

func appendInt[N ~int | ~int64](to []byte, key string, n N) []byte {
	return strconv.AppendInt(append(to, key...), int64(n), 10)
}

func appendField[S ~string](to []byte, key string, s S) []byte {
	return jsontext.Append(append(to, key...), s)
}

func appendBool(to []byte, key string, yes bool) []byte {
	return strconv.AppendBool(append(to, key...), yes)
}

// The fields of these are left out when they are empty.

func optionalInt[N ~int | ~int64](to []byte, key string, n N) []byte {
	if n == 0 {
		return to
	}
	return appendInt(to, key, n)
}

func optionalField[S ~string](to []byte, key string, s S) []byte {
	if s == "" {
		return to
	}
	return appendField(to, key, s)
}

func optionalBool(to []byte, key string, yes *bool) []byte {
	if yes == nil {
		return to
	}
	return appendBool(to, key, *yes)
}

func optionalTime(to []byte, key string, t *time.Time) []byte {
	if t == nil {
		return to
	}
	return appendTime(to, key, *t)
}

// appendTime appends an instant as RFC 3339; one that has no such form, out of
// the years 0 to 9999, is no instant, which is better than no card.
func appendTime(to []byte, key string, t time.Time) []byte {
	to = append(append(to, key...), '"')
	whole, err := t.AppendText(to)
	if err != nil {
		whole, _ = time.Time{}.AppendText(to)
	}
	return append(whole, '"')
}

// appendList appends a list; nil is null, as encoding/json has it.
func appendList[E any](to []byte, key string, list []E, one func([]byte, *E) []byte) []byte {
	to = append(to, key...)
	if list == nil {
		return append(to, "null"...)
	}
	to = append(to, '[')
	for i := range list {
		if i > 0 {
			to = append(to, ',')
		}
		to = one(to, &list[i])
	}
	return append(to, ']')
}

func appendTexts(to []byte, key string, list []string) []byte {
	return appendList(to, key, list, func(to []byte, s *string) []byte { return jsontext.Append(to, *s) })
}

func (v statusView) appendJSON(to []byte) []byte {
	to = appendField(to, `{"agent":`, v.Agent)
	to = appendField(to, `,"state":`, v.State)
	to = appendField(to, `,"reason":`, v.Reason)
	to = appendInt(to, `,"since":`, v.Since)
	to = appendInt(to, `,"until":`, v.Until)
	return append(appendInt(to, `,"call":`, v.Call), '}')
}

func (v phaseView) appendJSON(to []byte) []byte {
	to = appendOffer(to, v.Call, v.Attempt)
	to = appendField(to, `,"phase":`, v.Phase)
	if v.Since != nil {
		to = appendInt(to, `,"since":`, *v.Since)
	}
	if v.Until != nil {
		to = appendInt(to, `,"until":`, *v.Until)
	}
	if v.Why != nil {
		to = appendField(to, `,"why":`, *v.Why)
	}
	to = optionalField(to, `,"disposition":`, v.Disposition)
	return append(optionalField(to, `,"set":`, v.Set), '}')
}

func (v withdrawView) appendJSON(to []byte) []byte {
	return append(appendField(appendOffer(to, v.Call, v.Attempt), `,"why":`, v.Why), '}')
}

// appendOffer begins an object about an offer.
func appendOffer(to []byte, call routing.CallID, attempt routing.Attempt) []byte {
	return appendInt(appendInt(to, `{"call":`, call), `,"attempt":`, attempt)
}

// appendJSON appends the whole frame: a result has no number.
func (v resultView) appendJSON(to []byte) []byte {
	to = appendInt(append(to, `{"t":"result","d":`...), `{"id":`, v.ID)
	to = appendBool(to, `,"ok":`, v.OK)
	to = optionalField(to, `,"code":`, v.Code)
	if len(v.Answers) > 0 {
		to = appendList(to, `,"answers":`, v.Answers, appendAnswer)
	}
	return append(to, "}}"...)
}

func appendAnswer(to []byte, a *Answer) []byte {
	to = appendField(to, `{"id":`, a.ID)
	to = appendField(to, `,"topic":`, a.Topic)
	to = appendField(to, `,"lang":`, a.Lang)
	to = appendField(to, `,"title":`, a.Title)
	to = appendField(to, `,"say":`, a.Say)
	if len(a.Steps) > 0 {
		to = appendTexts(to, `,"steps":`, a.Steps)
	}
	if a.Owner != "" {
		to = appendField(to, `,"owner":`, a.Owner)
	}
	if a.Review != "" {
		to = appendField(to, `,"review":`, a.Review)
	}
	return append(to, '}')
}

// appendColleague appends a colleague; without a name when the desk knows it.
func appendColleague(to []byte, v *colleagueView, named bool) []byte {
	to = appendField(to, `{"id":`, v.ID)
	if named {
		to = appendField(to, `,"name":`, v.Name)
	}
	to = appendField(to, `,"state":`, v.State)
	return append(appendInt(to, `,"since":`, v.Since), '}')
}

func appendLeftOut(to []byte, v *routing.LeftOut) []byte {
	return append(appendField(appendField(to, `{"agent":`, v.Agent), `,"code":`, v.Code), '}')
}

func appendStep(to []byte, v *pathStep) []byte {
	to = appendInt(to, `{"at":`, v.At)
	to = appendField(to, `,"kind":`, v.Kind)
	to = appendField(to, `,"name":`, v.Name)
	to = appendInt(to, `,"seconds":`, v.Seconds)
	return append(optionalField(to, `,"why":`, v.Why), '}')
}

func appendNote(to []byte, v *noteView) []byte {
	to = appendPerson(to, v.Agent, v.Name)
	to = appendInt(to, `,"at":`, v.At)
	return append(appendField(to, `,"text":`, v.Text), '}')
}

// appendPerson begins an object about an agent.
func appendPerson(to []byte, agent agents.ID, name string) []byte {
	return appendField(appendField(to, `{"agent":`, agent), `,"name":`, name)
}

func appendUsed(to []byte, v *usedView) []byte {
	to = appendField(to, `{"answer":`, v.Answer)
	to = appendField(to, `,"title":`, v.Title)
	to = appendField(to, `,"agent":`, v.Agent)
	return append(appendInt(to, `,"at":`, v.At), '}')
}

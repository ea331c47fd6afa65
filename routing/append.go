package routing

import (
	"maps"
	"slices"
	"strconv"

	"github.com/cordboard/cordboard/routing/jsontext"
	"github.com/cordboard/cordboard/routing/rule"
)

// The events of a call's usual way are written out field by field, byte for byte
// what encoding/json makes of them (TestAppendEvent): there are a dozen a call,
// and looking up by reflection what never changes was most of their cost. The
// others are left to encoding/json.

// appendUsual appends an event's form; false when its type is none of the usual.
func appendUsual(to []byte, ev Event) ([]byte, bool) {
	switch ev := ev.(type) {
	case CallArrived:
		to = appendArrived(to, ev)
	case CustomerResolved:
		to = appendInt(to, `{"call":`, ev.Call)
		to = optionalInt(to, `,"ask":`, ev.Ask)
		to = appendCustomer(append(to, `,"customer":`...), &ev.Customer)
		to = appendPast(optionalText(to, `,"key":`, ev.Key), ev.Past)
		to = appendRim(to, ev.Rim)
	case CallerGone:
		to = appendInt(to, `{"call":`, ev.Call)
		to = optionalBool(to, `,"unanswered":`, ev.Unanswered)
	case PopAcked:
		to = appendText(appendOffer(to, ev.Offer), `,"mode":`, ev.Mode)
		to = appendInt(to, `,"version":`, ev.Version)
		to = appendPanels(to, ev.Panels)
	case OfferAccepted:
		to = appendOffer(to, ev.Offer)
	case PhoneRinging:
		to = appendOffer(to, ev.Offer)
	case PhoneAnswered:
		to = appendOffer(to, ev.Offer)
	case Joined:
		to = appendText(appendOffer(to, ev.Offer), `,"media":`, ev.Media)
	case AgentGone:
		to = appendOffer(to, ev.Offer)
	case WrapUpEnded:
		to = optionalText(appendOffer(to, ev.Offer), `,"disposition":`, ev.Disposition)
	case Tick:
		to = append(to, '{')
	default:
		return to, false
	}
	return append(to, '}'), true
}

func appendArrived(to []byte, ev CallArrived) []byte {
	to = appendInt(to, `{"call":`, ev.Call)
	a := &ev.Attrs
	to = appendText(to, `,"attrs":{"kind":`, a.Kind)
	to = strconv.AppendBool(append(to, `,"ani_known":`...), a.ANIKnown)
	to = appendText(to, `,"dnis":`, a.DNIS)
	to = appendText(to, `,"trunk":`, a.Trunk)
	to = appendText(to, `,"country":`, a.Country)
	to = optionalText(to, `,"region":`, a.Region)
	to = appendText(to, `,"language":`, a.Language)
	to = appendText(to, `,"topic":`, a.Topic)
	to = appendInt(to, `,"waited":`, a.WaitedS)
	to = appendInt(to, `,"transfers":`, a.Transfers)
	to = appendCarried(to, a)
	return appendRim(optionalText(append(to, '}'), `,"caller":`, ev.Caller), ev.Rim)
}

func appendRim(to []byte, rim []AtRim) []byte {
	for i, r := range rim {
		to = appendInt(to, listed(i, `,"rim":[{"version":`, `,{"version":`), r.Version)
		to = optionalText(to, `,"region":`, r.Region)
		for j, n := range r.True {
			to = appendInt(to, listed(j, `,"true":[`, ","), n)
		}
		if len(r.True) > 0 {
			to = append(to, ']')
		}
		to = append(to, '}')
	}
	if len(rim) > 0 {
		to = append(to, ']')
	}
	return to
}

func appendCustomer(to []byte, c *rule.Customer) []byte {
	to = strconv.AppendBool(append(to, `{"known":`...), c.Known)
	to = optionalText(to, `,"segment":`, c.Segment)
	to = optionalBool(to, `,"key_account":`, c.KeyAccount)
	to = optionalText(to, `,"language":`, c.Language)
	to = optionalText(to, `,"country":`, c.Country)
	to = optionalInt(to, `,"churn_risk":`, c.ChurnRisk)
	to = optionalInt(to, `,"value":`, c.Value)
	to = optionalInt(to, `,"balance":`, c.Balance)
	to = optionalText(to, `,"balance_currency":`, c.BalanceCurrency)
	to = optionalInt(to, `,"overdue_days":`, c.OverdueDays)
	to = optionalInt(to, `,"open_tickets":`, c.OpenTickets)
	to = optionalInt(to, `,"open_complaints":`, c.OpenComplaints)
	to = optionalList(to, `,"products":[`, c.Products)
	to = optionalText(to, `,"account_manager":`, c.AccountManager)
	to = optionalText(to, `,"last_agent":`, c.LastAgent)
	to = optionalText(to, `,"last_topic":`, c.LastTopic)
	to = optionalInt(to, `,"last_contact_days":`, c.LastContactDays)
	to = optionalInt(to, `,"confidence":`, c.Confidence)
	to = optionalInt(to, `,"contract_end_days":`, c.ContractEndDays)
	to = optionalInt(to, `,"usage_trend":`, c.UsageTrend)
	to = optionalList(to, `,"consent":[`, c.Consent)
	to = optionalBool(to, `,"do_not_call":`, c.DoNotCall)
	to = optionalBool(to, `,"fraud_flag":`, c.FraudFlag)
	to = optionalBool(to, `,"birthday":`, c.Birthday)
	to = optionalList(to, `,"zeros":[`, c.Zeros)
	to = appendOwn(to, `,"texts":`, c.Texts, func(to []byte, v string) []byte { return appendText(to, "", v) })
	to = appendOwn(to, `,"integers":`, c.Integers, func(to []byte, v int) []byte { return appendInt(to, "", v) })
	to = appendOwn(to, `,"flags":`, c.Flags, strconv.AppendBool)
	to = appendOwn(to, `,"lists":`, c.Lists, func(to []byte, v []string) []byte {
		if v == nil {
			return append(to, "null"...)
		}
		to = append(to, '[')
		for i, s := range v {
			to = appendText(to, listed(i, "", ","), s)
		}
		return append(to, ']')
	})
	return append(to, '}')
}

// appendOwn appends own fields of one type, sorted by name.
func appendOwn[V any](to []byte, key string, m map[string]V, value func([]byte, V) []byte) []byte {
	if len(m) == 0 {
		return to
	}
	to = append(to, key...)
	for i, name := range slices.Sorted(maps.Keys(m)) {
		to = append(appendText(to, listed(i, "{", ","), name), ':')
		to = value(to, m[name])
	}
	return append(to, '}')
}

// appendCarried appends what the network and the ledger say of a caller.
func appendCarried(to []byte, a *rule.Call) []byte {
	to = optionalBool(to, `,"verified":`, a.Verified)
	to = optionalText(to, `,"attestation":`, a.Attestation)
	to = optionalText(to, `,"choice":`, a.Choice)
	to = optionalText(to, `,"from_queue":`, a.FromQueue)
	to = optionalInt(to, `,"offers":`, a.Offers)
	to = optionalInt(to, `,"calls_today":`, a.CallsToday)
	to = optionalInt(to, `,"abandoned_today":`, a.AbandonedToday)
	to = optionalInt(to, `,"abandoned_ago":`, a.AbandonedAgo)
	return optionalInt(to, `,"answered_ago":`, a.AnsweredAgo)
}

// appendPast appends what was looked up of a caller's other calls.
func appendPast(to []byte, p rule.Past) []byte {
	if p == (rule.Past{}) {
		return to
	}
	before := len(to)
	to = appendCarried(append(to, `,"past":`...), &rule.Call{Past: p})
	to[before+len(`,"past":`)] = '{' // in the place of the first one's comma
	return append(to, '}')
}

// optionalList appends a list of texts, whose key ends in the bracket.
func optionalList(to []byte, key string, list []string) []byte {
	for i, s := range list {
		to = appendText(to, listed(i, key, ","), s)
	}
	if len(list) > 0 {
		to = append(to, ']')
	}
	return to
}

// appendOffer begins the object of an event about an offer.
func appendOffer(to []byte, o Offer) []byte {
	to = appendInt(to, `{"call":`, o.Call)
	to = appendInt(to, `,"attempt":`, o.Attempt)
	return appendText(to, `,"agent":`, o.Agent)
}

func appendPanels(to []byte, panels map[string]string) []byte {
	if len(panels) == 0 {
		return to
	}
	var few [16]string
	names := few[:0]
	for name := range panels {
		names = append(names, name)
	}
	slices.Sort(names)
	for i, name := range names {
		key := ","
		if i == 0 {
			key = `,"panels":{`
		}
		to = appendText(appendText(to, key, name), ":", panels[name])
	}
	return append(to, '}')
}

// The key of a field comes with the comma before it and the colon after.

func appendInt[N ~int | ~int64](to []byte, key string, n N) []byte {
	return strconv.AppendInt(append(to, key...), int64(n), 10)
}

func appendText[S ~string](to []byte, key string, s S) []byte {
	return jsontext.Append(append(to, key...), s)
}

// The fields of these are left out when they are empty.

func optionalInt[N ~int | ~int64](to []byte, key string, n N) []byte {
	if n == 0 {
		return to
	}
	return appendInt(to, key, n)
}

func optionalText(to []byte, key string, s string) []byte {
	if s == "" {
		return to
	}
	return appendText(to, key, s)
}

func optionalBool(to []byte, key string, yes bool) []byte {
	if !yes {
		return to
	}
	return append(append(to, key...), "true"...)
}

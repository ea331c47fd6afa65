package permission

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// What a centre may have in its server file.
func centre(t *testing.T) *Policy {
	t.Helper()
	zone := func(name string) *time.Location {
		z, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		return z
	}
	var week [7][]Interval
	for day := time.Monday; day <= time.Friday; day++ {
		week[day] = []Interval{{9 * 60, 12 * 60}, {13 * 60, 20 * 60}}
	}
	week[time.Saturday] = []Interval{{10 * 60, 16 * 60}}
	return &Policy{
		Zone: zone("Europe/London"), Holidays: []string{"2026-12-25"},
		Rules: map[Purpose]Rule{
			Service:  {Consent: NeedsNoNo},
			Callback: {Consent: NeedsNoNo, Lists: true},
			Offer:    {Consent: NeedsWord, Lists: true, Hours: &Hours{week}, Most: []AtMost{{1, 7 * 24 * time.Hour}, {2, 30 * 24 * time.Hour}}},
			Survey:   {Consent: NeedsNoNo, Lists: true, Most: []AtMost{{1, 24 * time.Hour}}},
		},
	}
}

// at is an instant of the stories, which are on Tuesday, 24 November 2026.
func at(text string) time.Time {
	out, err := time.Parse("2006-01-02 15:04", text)
	if err != nil {
		panic(err)
	}
	return out
}

var noon = at("2026-11-24 11:00")

func says(purpose Purpose, state State, when string) Said {
	return Said{Purpose: purpose, Channel: Call, State: state, At: at(when)}
}

// TestDecide: of each thing that can stand against a contact, that it does, and what
// outweighs it.
func TestDecide(t *testing.T) {
	yes, no := true, false
	sydney, err := time.LoadLocation("Australia/Sydney")
	if err != nil {
		t.Fatal(err)
	}
	given, anyNo := says(Offer, Given, "2026-10-01 10:00"), says(Any, Withdrawn, "2026-11-01 10:00")
	ended := given
	ended.Expires = at("2026-11-24 11:00")
	bySMS := given
	bySMS.Channel = SMS
	later := says(Offer, Given, "2026-12-01 10:00")
	for _, c := range []struct {
		name    string
		purpose Purpose
		channel Channel
		facts   Facts
		want    string
	}{
		{"a stranger", Service, Call, Facts{}, "allowed"},
		{"a stranger is sold nothing", Offer, Call, Facts{}, "no_consent"},
		{"a purpose that asks for no yes", Survey, Call, Facts{}, "allowed"},
		{"he has said yes", Offer, Call, Facts{Said: []Said{given}}, "allowed"},
		{"to another channel", Offer, Call, Facts{Said: []Said{bySMS}}, "no_consent"},
		{"to another purpose", Offer, Call, Facts{Said: []Said{says(Survey, Given, "2026-10-01 10:00")}}, "no_consent"},
		{"he will say yes", Offer, Call, Facts{Said: []Said{later}}, "no_consent"},
		{"until that very minute", Offer, Call, Facts{Said: []Said{ended}}, "expired"},
		{"what ran out counts before a record", Offer, Call, Facts{Said: []Said{ended}, Record: &yes}, "expired"},
		{"he took it back", Offer, Call, Facts{Said: []Said{says(Offer, Withdrawn, "2026-11-02 10:00"), given}}, "refused"},
		{"and gave it again", Offer, Call, Facts{Said: []Said{says(Offer, Withdrawn, "2026-09-02 10:00"), given}}, "allowed"},
		{"yes and no at once", Offer, Call, Facts{Said: []Said{given, says(Offer, Refused, "2026-10-01 10:00")}}, "refused"},
		{"he wants no calls at all", Service, Call, Facts{Said: []Said{anyNo}}, "do_not_call"},
		{"and letters are no calls", Service, Post, Facts{Said: []Said{anyNo}}, "allowed"},
		{"of all purposes, and later yes to one", Offer, Call, Facts{Said: []Said{anyNo, says(Offer, Given, "2026-11-02 10:00")}}, "allowed"},
		{"yes to all", Offer, Call, Facts{Said: []Said{says(Any, Given, "2026-11-02 10:00")}, Listed: "tps"}, "allowed"},
		{"the record wants no calls", Callback, Call, Facts{DoNotCall: true, Said: []Said{says(Any, Given, "2026-11-02 10:00")}}, "do_not_call"},
		{"and takes texts", Service, SMS, Facts{DoNotCall: true}, "allowed"},
		{"the record agrees to be sold things", Offer, Call, Facts{Record: &yes}, "allowed"},
		{"the record does not", Survey, Call, Facts{Record: &no}, "refused"},
		{"which is no word on service", Service, Call, Facts{Record: &no}, "allowed"},
		{"his own word is newer than a record", Survey, Call, Facts{Record: &no, Said: []Said{says(Survey, Given, "2026-11-02 10:00")}}, "allowed"},
		{"on a list", Callback, Call, Facts{Listed: "tps"}, "listed"},
		{"on a list that is not asked", Service, Call, Facts{Listed: "tps"}, "allowed"},
		{"on a list, by text", Survey, SMS, Facts{Listed: "tps"}, "allowed"},
		{"on a list, with consent", Offer, Call, Facts{Listed: "tps", Said: []Said{given}}, "allowed"},
		{"a record's yes is less than a list", Offer, Call, Facts{Listed: "tps", Record: &yes}, "listed"},
		{"objected, erased", Survey, Call, Facts{Suppressed: true}, "suppressed"},
		{"objected, erased, calls for service", Service, Call, Facts{Suppressed: true}, "allowed"},
		{"objected, erased, came back", Survey, Call, Facts{Suppressed: true, Said: []Said{says(Survey, Given, "2026-11-02 10:00")}}, "allowed"},
		{"his own clock", Offer, Call, Facts{Said: []Said{given}, Zone: sydney}, "quiet_hours 2026-11-24 22:00"},
		{"a letter at night", Offer, Post, Facts{Said: []Said{{Offer, Post, Given, at("2026-10-01 10:00"), time.Time{}}}, Zone: sydney}, "allowed"},
		{"once this week", Offer, Call, Facts{Said: []Said{given}, Before: []time.Time{at("2026-11-20 10:00")}}, "too_often 2026-11-27 10:00"},
		{"a week ago to the minute", Offer, Call, Facts{Said: []Said{given}, Before: []time.Time{at("2026-11-17 11:00")}}, "allowed"},
		{"twice this month", Offer, Call, Facts{Said: []Said{given}, Before: []time.Time{at("2026-11-01 10:00"), at("2026-11-16 10:00")}}, "too_often 2026-12-01 10:00"},
		{"both bounds", Offer, Call, Facts{Said: []Said{given}, Before: []time.Time{at("2026-11-23 10:00"), at("2026-11-20 10:00")}}, "too_often 2026-12-20 10:00"},
	} {
		d := centre(t).Decide(Contact{c.purpose, c.channel, noon}, c.facts)
		got := d.Reason
		if !d.NotBefore.IsZero() {
			got += d.NotBefore.UTC().Format(" 2006-01-02 15:04")
		}
		if got != c.want || d.Allowed != (d.Reason == Allowed) {
			t.Errorf("%s: %s (%v), want %s; weighed %v", c.name, got, d.Allowed, c.want, d.Weighed)
		}
	}
}

// TestHours: when the hours are over and when they begin, across a lunch, a night, a
// Sunday, a holiday and the change of the clock.
func TestHours(t *testing.T) {
	p := centre(t)
	for when, want := range map[string]string{
		"2026-11-24 09:00": "open", "2026-11-24 08:59": "2026-11-24 09:00", "2026-11-24 12:00": "2026-11-24 13:00",
		"2026-11-24 19:59": "open", "2026-11-24 20:00": "2026-11-25 09:00",
		"2026-11-28 16:00": "2026-11-30 09:00", // Sunday is closed
		"2026-12-25 11:00": "2026-12-26 10:00",
		"2027-03-27 17:00": "2027-03-29 08:00", // 09:00 of British summer time
	} {
		h := p.Rules[Offer].Hours
		local := at(when).In(p.Zone)
		got := "open"
		if !h.open(local, p.Holidays) {
			got = h.next(local, p.Holidays).UTC().Format("2006-01-02 15:04")
		}
		if got != want {
			t.Errorf("%s: %s, want %s", when, got, want)
		}
	}
	if next := (&Hours{}).next(noon, nil); !next.IsZero() {
		t.Errorf("a week without hours opens at %s", next)
	}
}

// TestWeighed: what was looked at is told in its order, up to what decided.
func TestWeighed(t *testing.T) {
	tell := func(d Decision) string {
		var out []string
		for _, w := range d.Weighed {
			out = append(out, w.What+"="+w.Is)
		}
		return strings.Join(out, "; ") + " -> " + d.Reason
	}
	given := says(Offer, Given, "2026-10-01 10:00")
	for _, c := range []struct {
		facts Facts
		want  string
	}{
		{Facts{Said: []Said{given}, Listed: "tps", Before: []time.Time{at("2026-10-30 10:00")}},
			"record=may_be_called; said=given; lists=listed, consent given; hours=Tue 11:00 Europe/London; most=0 of 1 in 168h0m0s; most=1 of 2 in 720h0m0s -> allowed"},
		{Facts{}, "record=may_be_called; said=nothing -> no_consent"},
		{Facts{Record: new(bool)}, "record=may_be_called; said=nothing; record_consent=no -> refused"},
	} {
		if got := tell(centre(t).Decide(Contact{Offer, Call, noon}, c.facts)); got != c.want {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
	}
}

// TestNoMoreThanMost: whoever asks whenever, no span holds more contacts than it may.
func TestNoMoreThanMost(t *testing.T) {
	p := centre(t)
	var made []time.Time
	now := at("2026-01-01 00:00")
	for step := range 4000 {
		now = now.Add(time.Duration(step*step%977) * time.Minute)
		if p.Decide(Contact{Survey, Call, now}, Facts{Before: made}).Allowed {
			made = append(made, now)
		}
	}
	if len(made) < 100 || !slices.IsSortedFunc(made, time.Time.Compare) {
		t.Fatal(fmt.Sprint(len(made), " contacts"))
	}
	for i := 1; i < len(made); i++ {
		if made[i].Sub(made[i-1]) < 24*time.Hour {
			t.Fatalf("%s follows %s", made[i], made[i-1])
		}
	}
}

// TestStanding: of each purpose and channel the last word.
func TestStanding(t *testing.T) {
	a, b, c := says(Offer, Given, "2026-10-01 10:00"), says(Offer, Withdrawn, "2026-11-01 10:00"), says(Any, Refused, "2026-09-01 10:00")
	if got := Standing([]Said{a, c, b}); !slices.Equal(got, []Said{b, c}) {
		t.Errorf("%v", got)
	}
}

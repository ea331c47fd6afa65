package convert_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cordboard/cordboard/configs"
	"github.com/cordboard/cordboard/configs/convert"
)

// takes says what keeps the document of an import from being loaded.
func takes(t *testing.T, r convert.Result) {
	t.Helper()
	if p, findings := configs.ParseRouting("made.yaml", r.Document); p == nil {
		var out strings.Builder
		if err := configs.Print(&out, findings); err != nil {
			t.Fatal(err)
		}
		t.Errorf("%s\nof\n%s", out.String(), r.Document)
	}
}

// TestOddQueues: what people have in queues.conf besides what its sample shows.
// Whatever it is, the document loads, and a line that came to nothing is said.
func TestOddQueues(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		said []string // in notes
	}{
		"byte order mark and CRLF":  {text: "\ufeff[general]\r\n[a]\r\nmember => PJSIP/100\r\n"},
		"the same section twice":    {text: "[a]\nmember => PJSIP/100\n[a]\nmember => PJSIP/200\n"},
		"names that fall together":  {text: "[Sales]\nmember => PJSIP/100\n[sales]\nmember => PJSIP/200\n[SALES]\nmember => PJSIP/300\n[sa les]\n[sa_les]\n"},
		"other letters":             {text: "[Техника]\nmember => PJSIP/100,0,Иван Петров\n[客服]\nmember => PJSIP/200,0,李伟\n[ü]\n[ö]\n"},
		"a name like a language's":  {text: "[lang_de]\nmember => PJSIP/100\n"},
		"a name that is long":       {text: "[" + strings.Repeat("long", 40) + "]\nmember => PJSIP/100\n[" + strings.Repeat("long", 40) + "er]\nmember => PJSIP/100\n"},
		"names with signs":          {text: "[a/b@c+d]\nmember => PJSIP/100\n[123]\nmember => PJSIP/100\n[-]\nmember => PJSIP/100\n['\"]\nmember => PJSIP/100\n[yes]\n[null]\n[~]\n"},
		"members that are none":     {text: "[a]\nmember => \nmember => ,,\nmember => PJSIP/\nmember => /\n", said: []string{"no interface"}},
		"members of all kinds":      {text: "[a]\nmember => Local/100@agents/n\nmember => 100\nmember => Agent/7\nmember => PJSIP/a b\nmember => PJSIP/ü\nmember => SIP/trunk/5551\nmember => PJSIP/300,1,\"Ng, Li\"\nmember => PJSIP/\"x\"\n"},
		"penalties that are none":   {text: "[a]\nmember => PJSIP/100,-1\nmember => PJSIP/200,1.5\nmember => PJSIP/300,99999999999999999999\nmember => PJSIP/400,x\n", said: []string{`"-1" is no number`, `"1.5" is no number`}},
		"eleven penalties":          {text: "[a]\n" + repeated(11, "member => PJSIP/10#,#\n")},
		"thirty who are all rung":   {text: "[a]\nstrategy = ringall\n" + repeated(30, "member => PJSIP/10#\n"), said: []string{"rings 30 members"}},
		"thirty in order":           {text: "[a]\nstrategy = linear\n" + repeated(30, "member => PJSIP/10#\n")},
		"numbers beyond":            {text: "[a]\ntimeout=0\nwrapuptime=99999\nservicelevel=99999\nmaxlen=-1\nweight=100000\nretry=x\n[b]\ntimeout=99999\nmaxlen=9999999\nweight=-2\nservicelevel=0\n", said: []string{"maxlen"}},
		"numbers that are none":     {text: "[a]\ntimeout=soon\nwrapuptime=1m\nservicelevel=20s\nmaxlen=many\nweight=high\n", said: []string{`"soon"`, `"1m"`, `"20s"`, `"many"`, `"high"`}},
		"strategies":                {text: "[a]\nstrategy=RingAll\nmember=>PJSIP/1\n[b]\nstrategy=\n[c]\nstrategy=best\n", said: []string{`"best" is no strategy`}},
		"joinempty of all words":    {text: "[a]\njoinempty=paused,penalty,inuse,ringing,unavailable,invalid,unknown,wrapup\nleavewhenempty=loose\n"},
		"keys twice, in capitals":   {text: "[a]\nTIMEOUT=10\ntimeout=12\nMember => PJSIP/1\nmusicclass=Moo Zak!\n"},
		"nothing said":              {text: "[a]\n[b]\n"},
		"YAML in names":             {text: "[a]\nmember => PJSIP/1,0,{x: y}\nmember => PJSIP/2,0,# no\nmember => PJSIP/3,0,*p &a !t\nmember => PJSIP/4,0,\"\"\nmember => PJSIP/5,0,a\\b\\\"c\nmember => PJSIP/6,0,null\nmember => PJSIP/7,0,1e3\n"},
		"one name, two telephones":  {text: "[a]\nmember => PJSIP/1,0,Dana\nmember => PJSIP/2,0,Dana\nmember => PJSIP/3,0,dana\n"},
		"one telephone in capitals": {text: "[a]\nmember => PJSIP/Bob\n[b]\nmember => PJSIP/bob\n"},
		"includes":                  {text: "#include other.conf\n[a]\n#exec /bin/date\nmember => PJSIP/1\n", said: []string{"not followed"}},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := convert.Asterisk(convert.File{Name: "queues.conf", Data: []byte(c.text)}, nil, convert.Options{Name: "Odd", Zone: "UTC"})
			if err != nil {
				t.Fatal(err)
			}
			takes(t, r)
			said(t, r, c.said)
		})
	}
}

func repeated(n int, pattern string) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.ReplaceAll(pattern, "#", fmt.Sprint(i)))
	}
	return b.String()
}

func said(t *testing.T, r convert.Result, words []string) {
	t.Helper()
	var notes strings.Builder
	for _, n := range r.Notes {
		notes.WriteString(n.String() + "\n")
	}
	for _, w := range words {
		if !strings.Contains(notes.String(), w) {
			t.Errorf("%q is not said:\n%s", w, notes.String())
		}
	}
}

// TestOddRules: rules that are not as the sample has them.
func TestOddRules(t *testing.T) {
	queues := "[a]\ndefaultrule=r\n" + repeated(10, "member => PJSIP/10#,#\n") + "[b]\ndefaultrule=none\nmember => PJSIP/100\n"
	for name, text := range map[string]string{
		"empty":               "[r]\n",
		"all at once":         "[r]\npenaltychange => 0,9\n",
		"falling times":       "[r]\npenaltychange => 60,9\npenaltychange => 30,3\npenaltychange => 30,4\n",
		"to and fro":          "[r]\npenaltychange => 10,+3\npenaltychange => 20,-2\npenaltychange => 30,+9\npenaltychange => 40,-99\n",
		"more than eight":     "[r]\n" + repeated(12, "penaltychange => 1#,#\n"),
		"from over to":        "[r]\npenaltychange => 10,2,5\npenaltychange => 20,8,3,2\n",
		"words":               "[r]\npenaltychange => soon,3\npenaltychange => 10,many\npenaltychange =>\npenaltychange => 99999,3\npenalty => 3\n",
		"byte order and CRLF": "\ufeff[general]\r\nrealtime_rules=yes\r\n[r]\r\npenaltychange => 10,3\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			r, err := convert.Asterisk(convert.File{Name: "queues.conf", Data: []byte(queues)}, &convert.File{Name: "queuerules.conf", Data: []byte(text)}, convert.Options{Zone: "UTC"})
			if err != nil {
				t.Fatal(err)
			}
			takes(t, r)
		})
	}
}

// TestOddCallcenter: callcenter.conf.xml as it should not be.
func TestOddCallcenter(t *testing.T) {
	const head, tail = "<configuration name=\"callcenter.conf\"><queues>", "</configuration>"
	queue := func(name, params string) string { return `<queue name="` + name + `">` + params + `</queue>` }
	for name, c := range map[string]struct {
		text string
		said []string
	}{
		"byte order mark":       {text: "\ufeff<?xml version=\"1.0\"?>\n" + head + queue("a@default", "") + "</queues>" + tail},
		"a document of queues":  {text: `<document type="freeswitch/xml"><section name="configuration">` + head + queue("a@default", "") + "</queues>" + tail + "</section></document>"},
		"queues of two domains": {text: head + queue("a@one", "") + queue("a@two", "") + queue("A@one", "") + "</queues>" + tail},
		"params that are none":  {text: head + queue("a", `<param name="strategy" value="best"/><param name="max-wait-time" value="-5"/><param name="tier-rule-wait-second" value="x"/><param/><param name="time-base-score"/><param name="max-wait-time-with-no-agent" value="99999999999"/><param name="made-up" value="1"/>`) + "</queues>" + tail, said: []string{"made-up"}},
		"agents of all kinds": {text: head + queue("a@d", "") + "</queues><agents>" +
			`<agent name="1000@d" type="callback" contact="[leg_timeout=10]user/1000@d" status="Available" max-no-answer="3" wrap-up-time="10" reject-delay-time="10" busy-delay-time="60"/>` +
			`<agent name="" contact=""/><agent name="two" type="uuid-standby"/><agent name="three" contact="sofia/internal/3@192.0.2.9" max-no-answer="x" wrap-up-time="-1"/>` +
			`<agent name="two" contact="user/2"/></agents><tiers><tier agent="1000@d" queue="a@d" level="0" position="-1"/><tier agent="gone" queue="a@d" level="1" position="1"/>` +
			`<tier agent="two" queue="gone" level="1"/><tier agent="two" queue="a@d" level="x"/><tier agent="three" queue="a@d" level="99" position="1"/><tier agent="three" queue="a@d" level="2"/></tiers>` + tail},
		"no queues named": {text: head + queue("", "") + queue("b", "") + "</queues>" + tail},
		"many tiers": {text: head + queue("a", `<param name="tier-rules-apply" value="true"/><param name="tier-rule-wait-second" value="300"/><param name="tier-rule-wait-multiply-level" value="true"/>`) + "</queues><agents>" +
			repeated(12, `<agent name="a#" contact="user/10#"/>`) + "</agents><tiers>" + repeated(12, `<tier agent="a#" queue="a" level="#" position="1"/>`) + "</tiers>" + tail},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := convert.FreeSWITCH(convert.File{Name: "callcenter.conf.xml", Data: []byte(c.text)}, convert.Options{Name: "Odd", Zone: "UTC"})
			if err != nil {
				t.Fatal(err)
			}
			takes(t, r)
			said(t, r, c.said)
		})
	}
	for name, text := range map[string]string{
		"entities upon entities": `<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>` + head + queue("&b;", "") + "</queues>" + tail,
		"another encoding":       `<?xml version="1.0" encoding="UTF-16"?>` + head + queue("a", "") + "</queues>" + tail,
		"not closed":             head + queue("a", ""),
		"nothing":                "", "no XML": "queue=a",
	} {
		t.Run(name, func(t *testing.T) {
			if r, err := convert.FreeSWITCH(convert.File{Name: "x", Data: []byte(text)}, convert.Options{Zone: "UTC"}); err == nil || !strings.HasPrefix(err.Error(), "x") {
				t.Errorf("%v\n%s", err, r.Document)
			}
		})
	}
}

package configs

import (
	"encoding/json"
	"strings"
	"testing"
)

// A call that is explained has what the rim reads of it, the region of its number
// or trunk among that, as a call of a test and one that arrives have.
func TestExplainReadsAtTheRim(t *testing.T) {
	doc := []byte(`cordboard: routing/1
name: Office
zone: Europe/London
sites: {sofia: {}, varna: {}}
regions:
  coast: {prefix: ["+35952"], site: varna}
  belgrade: {trunk: [serbia]}
queues:
  help: {need: {site: caller}}
route:
  queue: help
  routes:
    - {name: coast, when: 'call.region == "coast"', queue: help}
    - {name: boss, when: 'call.ani == "+441632960003" or call.ani startsWith "+4416329609"', queue: help}
    - {name: board, when: 'customer.id in ["7", "8"]', queue: help}
    - {name: serbia, when: 'call.region == "belgrade"', queue: help}
agents:
  anna: {name: Anna Berg, phone: "sip:anna@192.0.2.1", site: sofia}
  boris: {name: Boris Hill, phone: "sip:boris@192.0.2.2", site: varna}
`)
	for call, want := range map[string][2]string{
		`call: {ani: "+35952900100"}`:                 {"coast", "boris"},
		`call: {ani: "+441632960002", trunk: serbia}`: {"serbia", ""},
		`call: {ani: "+441632960003"}`:                {"boss", ""},
		`call: {ani: "+441632960901"}`:                {"boss", ""},
		`customer: {id: "8"}`:                         {"board", ""},
		`call: {ani: "+441632960001"}`:                {"root", ""},
	} {
		out, findings := Explain("office.yaml", doc, Inquiry{Call: call, Today: checkDay})
		if len(findings) > 0 || len(out.Records) == 0 {
			t.Fatalf("%s: %v, %+v", call, findings, out)
		}
		last := out.Records[len(out.Records)-1]
		if last.Route.Path != want[0] || want[1] != "" && string(last.Chosen) != want[1] {
			t.Errorf("%s: route %s, agent %s, want %v", call, last.Route.Path, last.Chosen, want)
		}
		told, err := json.Marshal(out.Records)
		if err != nil || strings.Contains(string(told), "960003") {
			t.Errorf("%s: the records say whose number it is: %s, %v", call, told, err)
		}
	}
}

package configs

import "slices"

// Lint is one kind of finding about what a routing document says.
type Lint struct {
	Code     string
	Severity Severity
	Needs    string // what the document alone does not hold: history, agents, sounds; "" for nothing
	What     string
}

// What a finding may need beside the document.
const (
	needsAgents  = "agents"
	needsShifts  = "shifts"
	needsHistory = "history"
	needsSounds  = "sounds"
	needsLive    = "live version"
)

// lints is the catalogue. Codes of what the language cannot say yet are not
// in it.
var lints = []Lint{
	{CodeUnsupported, Error, "", "a key or value of the language that is not built yet"},
	{"X101", Error, "", "a condition does not compile"},
	{"X102", Warning, "", "a condition is true only because the record is missing"},
	{"X103", Error, "", "a condition compares with a value never declared"},
	{"X104", Warning, "", "a condition is always true, or always false"},
	{"X105", Error, "", "a number is neither E.164 nor a short code"},
	{"X106", Note, needsHistory, "a condition was never true in history"},
	{"X107", Warning, "", "money is compared and its currency not asked"},
	{"X108", Error, "", "what is read where the call comes in is mixed with figures that are not there"},
	{"R201", Error, "", "a route can never be reached"},
	{"R202", Warning, needsHistory, "an earlier route takes over 90 % of a route's calls in history"},
	{"R203", Warning, "", "a route has the same condition as a sibling"},
	{"R204", Warning, "", "nothing leads to a queue"},
	{"R205", Warning, "", "a route changes nothing for its calls"},
	{"R206", Warning, "", "a customer condition makes calls wait that do not need the record"},
	{"R207", Warning, "", "over 200 siblings without an indexed term"},
	{"N301", Error, "", "a name that is not declared"},
	{"N302", Warning, needsAgents, "a skill that nobody holds"},
	{"N303", Error, needsAgents, "a need that no agent fits at any step, and no way out"},
	{"N304", Warning, needsShifts, "nobody who fits is on shift at some open hour"},
	{"N305", Warning, needsAgents, "exactly one agent fits, all steps together"},
	{"N306", Error, "", "a need contradicts itself"},
	{"N307", Warning, needsAgents, "a language in which no agent fits the queue at any step"},
	{"N308", Warning, "", "a route's firm addition makes every step useless"},
	{"N309", Error, "", "a prefix or trunk stands in two regions"},
	{"N310", Warning, needsAgents, "a site where nobody fits the need that asks for it"},
	{"S401", Error, "", "step times fall"},
	{"S402", Warning, needsAgents, "a step admits nobody new"},
	{"S403", Warning, "", "a step can never be reached"},
	{"S404", Warning, "", "preferred waits add up past the promise"},
	{"S405", Warning, needsHistory, "a step's condition was never true at its moment in history"},
	{"S406", Warning, "", "the first widening comes after the promise"},
	{"O501", Note, "", "the bound on overtaking; a warning over 10 minutes"},
	{"O502", Warning, "", "strict priority: a queue can starve"},
	{"O503", Warning, "", "a ceiling not above the highest priority of a route"},
	{"O504", Warning, needsHistory, "over half of all calls have the top priority in history"},
	{"T601", Error, "", "hours overlap, end before they start, or name no zone or date"},
	{"T602", Warning, "", "the dated exceptions of a calendar end within 60 days"},
	{"T603", Warning, "", "a route asks for hours when its queue is closed"},
	{"T604", Warning, "", "hours without closed"},
	{"T605", Note, "", "the clock changes inside opening hours this year"},
	{"Q701", Error, "", "an overflow ring without an end"},
	{"Q702", Warning, "", "no way out: neither late nor nobody"},
	{"Q703", Warning, "", "late is shorter than one ring"},
	{"Q704", Error, needsSounds, "a sound, a number or a mailbox does not exist"},
	{"Q705", Warning, "", "a callback without else: who cannot be called back is cut off"},
	{"Q706", Warning, "", "a callback expires before the next opening, in the next 12 months"},
	{"M751", Warning, "", "nothing leads to a menu"},
	{"M752", Warning, "", "who presses nothing goes round in menus"},
	{"M753", Warning, "", "a route asks for a key that no menu has"},
	{"A801", Warning, needsAgents, "an agent fits no queue at any step"},
	{"A802", Warning, needsAgents, "a reserve team is regular in the same queue"},
	{"A803", Warning, needsAgents, "a preferred agent never fits"},
	{"A805", Warning, "", "a reserve can leave while it has reason to join"},
	{"A806", Note, needsAgents, "over 10,000 different skill profiles"},
	{"P901", Warning, "", "pop deadline, lead and ring exceed the promise"},
	{"P902", Warning, needsAgents, "a ring group is larger than those who fit"},
	{"P903", Error, "", "wrap-up hold without a required disposition"},
	{"P904", Warning, needsAgents, "next_agent where one agent fits"},
	{"P905", Warning, needsAgents, "on_accept, and a phone that cannot auto-answer"},
	{"P906", Warning, needsAgents, "the desk must ack, and an agent has none"},
	{"K951", Warning, needsLive, "the service level is not what it is in the live version"},
}

// fileCodes are those of findings about the file itself, in either file.
var fileCodes = []Lint{
	{CodeSyntax, Error, "", "the file cannot be read, or is not YAML"},
	{CodeForbidden, Error, "", "YAML that is not allowed"},
	{CodeDuplicate, Error, "", "the same thing twice"},
	{CodeUnknown, Error, "", "no such key"},
	{CodeMissing, Error, "", "something must be there"},
	{CodeValue, Error, "", "wrong type, form or range"},
	{CodeConflict, Error, "", "two things that cannot stand together"},
	{CodeLimit, Error, "", "more than the limits allow"},
	{CodeUntrue, Error, "", "a test of the document does not hold"},
}

// Catalogue lists every kind of finding, by code.
func Catalogue() []Lint {
	all := slices.Concat(fileCodes, lints)
	return all
}

func lintOf(code string) (Lint, bool) {
	for _, list := range [][]Lint{lints, fileCodes} {
		if i := slices.IndexFunc(list, func(l Lint) bool { return l.Code == code }); i >= 0 {
			return list[i], true
		}
	}
	return Lint{}, false
}

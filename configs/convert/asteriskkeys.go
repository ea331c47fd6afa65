package convert

// readKeys are those that asterisk.queue reads.
var readKeys = []string{"strategy", "member", "timeout", "wrapuptime", "servicelevel", "musicclass", "maxlen", "weight", "joinempty", "leavewhenempty", "autopause", "defaultrule",
	"announce-frequency", "announce-position", "announce-position-limit", "announce-holdtime", "announce-round-seconds"}

// generalKeys says what becomes of the keys of [general].
var generalKeys = map[string]string{
	"persistentmembers":            "built in: an agent's state outlives a restart",
	"enable_cidname_logging":       "left out: callers' names are in no log",
	"autofill":                     "built in: callers and agents are joined side by side",
	"monitor-type":                 "left out: recording is not a queue's",
	"shared_lastcall":              "built in: wrap-up belongs to the agent, whichever the queue",
	"negative_penalty_invalid":     "left out: there is no negative penalty",
	"log_membername_as_agent":      "built in: an agent has one name everywhere",
	"log-restricted-caller-id":     "built in: a withheld number is shown to no desk",
	"force_longest_waiting_caller": "built in: all queues stand in one order",
	"updatecdr":                    "left out: the ledger has who answered",
	"keepstats":                    "built in: no figure is lost by a reload",
	"autofillenabled":              "built in: callers and agents are joined side by side",
	"monitor-format":               "left out: recording is not a queue's",
	"roundrobin_behavior":          "left out: the policy is as its page says",
	"realtime_family":              "not followed: give a file with the queues in it",
	"enable_cidname_logging_debug": "left out: callers' names are in no log",
}

// queueKeys says what becomes of a queue's keys that are not read.
var queueKeys = map[string]string{
	"retry":                        "left out: nothing polls; the next agent is offered the call at once",
	"timeoutpriority":              "left out: an offer that is out is finished before late is taken",
	"timeoutrestart":               "left out: each offer has its own time",
	"penaltymemberslimit":          "left out: a step is passed at once while nobody fits those before it",
	"autofill":                     "built in: callers and agents are joined side by side",
	"autopausedelay":               "left out: it counts from the first call not answered",
	"autopausebusy":                "built in: a busy telephone is not ready for 30s",
	"autopauseunavail":             "built in: a telephone that can't be reached is not ready until it can",
	"shared_lastcall":              "built in: wrap-up belongs to the agent, whichever the queue",
	"ringinuse":                    "built in: one call at a time",
	"ignorebusy":                   "built in: one call at a time",
	"context":                      "left out: a caller can't leave by a key; late and nobody say where a call goes",
	"announce":                     "left out: the record is on the agent's screen before the telephone rings",
	"memberdelay":                  "pop.lead keeps the record on screen before the telephone rings",
	"reportholdtime":               "built in: the desk shows how long the caller has waited",
	"min-announce-frequency":       "built in: what is said keeps the distance of announce.every",
	"announce-position-only-up":    "left out: the place is said each time",
	"announce-to-first-user":       "left out: an announcement stops the moment an agent answers",
	"periodic-announce":            "left out: a sound of your own is played once, as announce.greeting",
	"periodic-announce-frequency":  "left out: a sound of your own is played once, as announce.greeting",
	"periodic-announce-startdelay": "left out: a sound of your own is played once, as announce.greeting",
	"random-periodic-announce":     "left out: nothing draws lots",
	"relative-periodic-announce":   "left out: a sound of your own is played once, as announce.greeting",
	"queue-callerannounce":         "left out: the caller is joined at once",
	"setinterfacevar":              "left out: there is no dialplan; the ledger and the desk's record have it",
	"setqueueentryvar":             "left out: there is no dialplan; the ledger and the desk's record have it",
	"setqueuevar":                  "left out: there is no dialplan; the ledger and the desk's record have it",
	"membergosub":                  "left out: there is no dialplan",
	"membermacro":                  "left out: there is no dialplan",
	"monitor-format":               "left out: recording is not a queue's",
	"monitor-type":                 "left out: recording is not a queue's",
	"eventwhencalled":              "left out: the ledger has each offer",
	"eventmemberstatus":            "left out: the ledger has each state",
	"timeoutrestartdelay":          "left out: each offer has its own time",
	"log-restricted-caller-id":     "built in: a withheld number is shown to no desk",
}

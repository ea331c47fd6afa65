package routingtest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/routing/rule"
)

// region reads "region coast prefix=+35952,+35956 trunk=belgrade site=varna
// zone=Europe/Belgrade language=en".
func (c *Case) region(l line) (err error) {
	r := routing.Region{Name: l.words[1], Language: l.opts["language"], Site: l.opts["site"]}
	for key, to := range map[string]*[]string{"prefix": &r.Prefix, "trunk": &r.Trunk} {
		if v := l.opts[key]; v != "" {
			*to = strings.Split(v, ",")
		}
	}
	if v := l.opts["zone"]; v != "" {
		if r.Zone, err = time.LoadLocation(v); err != nil {
			return fmt.Errorf("region %s: %w", r.Name, err)
		}
	}
	c.places = append(c.places, r)
	return nil
}

// site reads "site varna hours=08:00-20:00"; one that has no hours need not be
// said.
func (c *Case) site(l line) error {
	s := &routing.Site{Name: l.words[1]}
	if v := l.opts["hours"]; v != "" {
		q := routing.Queue{Name: "site_" + s.Name}
		if err := hours(c.policy, &q, v); err != nil {
			return err
		}
		s.Hours = q.Hours
	}
	c.policy.Sites[s.Name] = s
	return nil
}

// caller is what the rim knows of the caller that the options of a line tell
// of: ani=, trunk=, dnis=, customer.NAME= and call.NAME= for whatever a
// condition may ask; with prefix "" the record's names stand alone.
func (r *runner) caller(opts map[string]string, prefix string) (*rule.Env, error) {
	env := &rule.Env{ANI: opts["ani"], Fields: r.policy.Fields}
	env.Customer.Known, env.Customer.ContractEndDays = true, rule.Missing
	env.Call = rule.Call{DNIS: opts["dnis"], Language: opts["language"], Topic: opts["topic"], Choice: opts["choice"], Trunk: first(opts["trunk"], "main"), ANIKnown: opts["ani"] != "" || r.offersCallbacks()}
	if opts["ani"] == "withheld" {
		env.ANI, env.Call.ANIKnown = "", false
	}
	if prefix != "" {
		env.Call.Region = r.policy.Regions.Of(opts["ani"], opts["trunk"])
	}
	for key, v := range opts {
		name, ok := strings.CutPrefix(key, prefix)
		if strings.HasPrefix(key, "call.") {
			ok, name = true, key
		} else {
			name = "customer." + name
		}
		if !ok {
			continue
		}
		if err := env.Set(name, v); err != nil {
			return nil, err
		}
	}
	return env, nil
}

// rim is what the engine is told of it, for the live version.
func (r *runner) rim(env *rule.Env) []routing.AtRim {
	out, asked := r.policy.ReadRim(env, env.ANI)
	if !asked {
		return nil
	}
	return []routing.AtRim{out}
}

// fields reads "fields tariff:text contact:person".
func (c *Case) fields(l line) error {
	c.policy.Fields = map[string]string{}
	for _, w := range l.words[1:] {
		name, kind, ok := strings.Cut(w, ":")
		if !ok || !slices.Contains(rule.FieldTypes, kind) {
			return fmt.Errorf("fields: %q is not understood", w)
		}
		c.policy.Fields[name] = kind
	}
	return nil
}

// readAnew tells the engine what the rim reads of the calls in hand for a
// version that is about to be live.
func (r *runner) readAnew() error {
	for id := routing.CallID(1); int(id) <= len(r.order); id++ {
		who := r.callers[id]
		if who == nil {
			continue
		}
		if rim := r.rim(who); rim != nil {
			if err := r.step(routing.RimRead{Call: id, Rim: rim}); err != nil {
				return err
			}
		}
	}
	return nil
}

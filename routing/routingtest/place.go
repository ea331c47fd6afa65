package routingtest

import (
	"fmt"
	"strings"
	"time"

	"github.com/cordboard/cordboard/routing"
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

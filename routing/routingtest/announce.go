package routingtest

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/cordboard/cordboard/routing"
)

// announces are the product's defaults of what is said every so often.
func announces() routing.AnnouncePolicy {
	return routing.AnnouncePolicy{
		Say: []string{routing.SayPosition}, PositionUpTo: 20, From: 30 * time.Second, To: 20 * time.Minute, Round: time.Minute,
	}
}

func announceOption(a *routing.AnnouncePolicy, key, v string) (err error) {
	switch key {
	case "announce.greeting":
		a.Greeting = v
	case "announce.every":
		a.Every, err = time.ParseDuration(v)
	case "announce.say":
		a.Say = strings.Split(v, ",")
	case "announce.position_up_to":
		a.PositionUpTo, err = strconv.Atoi(v)
	case "announce.wait.from":
		a.From, err = time.ParseDuration(v)
	case "announce.wait.to":
		a.To, err = time.ParseDuration(v)
	case "announce.wait.round":
		a.Round, err = time.ParseDuration(v)
	default:
		return fmt.Errorf("unknown option")
	}
	return err
}

func music(name string) string {
	if name == "default" {
		return "music"
	}
	return "music=" + name
}

// told shows what a caller hears beside the music.
func (r *runner) told(a routing.Announce) string {
	s := fmt.Sprintf("tell %s", r.name(a.Call))
	if a.Language != "" {
		s += " in " + a.Language
	}
	if a.Greeting != "" {
		return s + ": greeting " + a.Greeting
	}
	for i, said := range a.Say {
		s += []string{": ", ", "}[min(i, 1)]
		if said.Wait == nil {
			s += fmt.Sprintf("position %d", said.Position)
		} else {
			s += "wait " + band(*said.Wait)
		}
	}
	return s
}

// band writes a wait: "shortly", "2m", "2m to 3m", "up to 1m", "over 20m".
func band(b routing.Band) string {
	text := func(s int) string {
		d := (time.Duration(s) * time.Second).String()
		if s%60 == 0 {
			d = strings.TrimSuffix(d, "0s")
		}
		if s%3600 == 0 {
			d = strings.TrimSuffix(d, "0m")
		}
		return d
	}
	switch {
	case b.Shortly:
		return "shortly"
	case b.Most == 0:
		return "over " + text(b.Least)
	case b.Least == 0:
		return "up to " + text(b.Most)
	case b.Least == b.Most:
		return text(b.Most)
	}
	return text(b.Least) + " to " + text(b.Most)
}

// wordKept shows how often callers waited no longer than told.
func (r *runner) wordKept(q routing.QueueState) string {
	if q.Told == 0 {
		return ""
	}
	return fmt.Sprintf(" told=%d/%d", q.Kept, q.Told)
}

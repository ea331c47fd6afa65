package doctor

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/configs"
	"github.com/cordboard/cordboard/sip/media"
)

// document reads the routing document with its directory as the server does.
func document(s *configs.Server, sounds func(string) bool) (*configs.Report, error) {
	text, err := configs.ReadFile(s.Routes)
	if err != nil {
		return nil, err
	}
	in := configs.CheckInput{Today: time.Now(), Server: s, HasSound: sounds, Sounds: s.Media.Sounds}
	if s.Directory != "" {
		if in.Directory, err = configs.ReadDirectory(s.Directory); err != nil {
			return nil, err
		}
	}
	return configs.Check(s.Routes, text, in), nil
}

// missingSound is the code of a sound that the document names and that is not there.
const missingSound = "Q704"

// sounds reads the sound files, and looks whether those that callers are to hear are
// there, in each language that the document has.
func sounds(_ context.Context, p Patient) (out []Line) {
	const of = "media.sounds"
	lib, err := media.LoadLibrary(p.Server.Media.Sounds)
	if err != nil {
		for why := range strings.SplitSeq(err.Error(), "\n") {
			out = append(out, bad(Fail, of, why, "Write it as WAV, 16 bits or G.711, 8 to 48 kHz: the server does not start with it"))
		}
		return out
	}
	r, err := document(p.Server, lib.Has)
	if err != nil {
		return []Line{bad(Fail, "routing", err.Error(), "The server does not start without it")}
	}
	for _, f := range r.Findings {
		if f.Code == missingSound {
			out = append(out, bad(Fail, of, fmt.Sprintf("%s:%d:%d: %s", f.File, f.Line, f.Col, f.Msg), "Put the file into the folder, or name another"))
		}
	}
	if len(out) == 0 && r.Policy == nil {
		return []Line{bad(Fail, "routing", r.File+" does not compile", "cordboard check says why")}
	}
	if len(out) == 0 {
		out = append(out, ok(of, "%d sounds can be read, and those that the routing document names are among them", len(lib.Names())))
	}
	return out
}

// phonesAtOnce is how many telephones are asked at the same time.
const phonesAtOnce = 64

// phones asks those agents' telephones for life that have an address. Those that
// register are where the running server knows, and mobiles are called by a trunk.
func phones(ctx context.Context, p Patient) []Line {
	const of = "phones"
	r, err := document(p.Server, nil)
	if err != nil || r.Policy == nil {
		return nil // sounds has said it
	}
	var asked sync.WaitGroup
	var mu sync.Mutex
	var silent []string
	places := make(chan struct{}, phonesAtOnce)
	registered, static := 0, 0
	for id, a := range r.Policy.Agents {
		switch {
		case a.Phone.Registered:
			registered++
		case a.Phone.URI != "":
			static++
			asked.Go(func() {
				places <- struct{}{}
				defer func() { <-places }()
				if why := phone(ctx, p.Server, a.Phone); why != "" {
					mu.Lock()
					defer mu.Unlock()
					silent = append(silent, fmt.Sprintf("%s (%s)", id, why))
				}
			})
		}
	}
	asked.Wait()
	slices.Sort(silent)
	says := fmt.Sprintf("%d of %d telephones with an address answer OPTIONS", static-len(silent), static)
	if registered > 0 {
		says += fmt.Sprintf("; %d register here and are not asked", registered)
	}
	if len(silent) > 0 {
		return []Line{bad(Warn, of, says+"; silent: "+strings.Join(silent, ", "), "Their agents are offered no call until they answer")}
	}
	if static+registered == 0 {
		return nil
	}
	return []Line{ok(of, "%s", says)}
}

// phone says why a telephone cannot be reached; "" where it answers.
func phone(ctx context.Context, s *configs.Server, p agents.Phone) string {
	uri, params, _ := strings.Cut(strings.TrimPrefix(p.URI, "sip:"), ";")
	_, host, _ := strings.Cut(uri, "@")
	o := &configs.Out{Host: host, Transport: cmp.Or(p.Transport, strings.TrimPrefix(params, "transport="))}
	to, err := servers(ctx, s, o)
	if err != nil {
		return err.Error()
	}
	var last string
	for _, at := range to {
		a, err := ask(ctx, s, ping, uri, at, nil)
		switch {
		case err != nil:
			last = err.Error()
		case a.code/100 == 2 || a.code == 405 || a.code == 501: // what counts as alive to routing
			return ""
		default:
			last = fmt.Sprintf("%d %s", a.code, a.reason)
		}
	}
	return last
}

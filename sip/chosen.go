package sip

import (
	"context"
	"regexp"
	"strings"

	"go.uber.org/zap"

	"github.com/cordboard/cordboard/sip/identity"
	"github.com/cordboard/cordboard/sip/stack"
)

// A PBX may choose the agent and send us the call only for her to have the record: a
// header of its INVITE names her telephone. We never answer: 302 sends the call back
// there as soon as the desk has painted. ADR 0055.

// Chosen is a call that comes by with the telephone it is for.
type Chosen struct {
	Trunk     string
	Extension string
	Caller    identity.Caller
	Dialled   string
}

// chosenForm is a telephone as a PBX names it: it becomes the user of a SIP URI.
var chosenForm = regexp.MustCompile(`^[A-Za-z0-9_.+*-]{1,64}$`)

// passesBy takes a call that its trunk has chosen the agent for; false: it has not.
// Whatever comes of the pop, the call goes back.
func (g *Gateway) passesBy(d dialog, bind func(stack.Sink), req *stack.Message, trunk Trunk) bool {
	if trunk.Chosen == "" {
		return false
	}
	extension := strings.TrimSpace(req.Get(trunk.Chosen))
	if extension == "" {
		return false
	}
	ctx, cancel := context.WithCancel(g.ctx)
	defer cancel()
	bind(func(e stack.Event) {
		if _, is := e.(stack.Canceled); is {
			cancel()
		}
	})
	log := g.log.With(zap.String("trunk", trunk.Name))
	code, h := 302, []stack.Header{{Name: "Contact", Value: "<sip:" + extension + "@" + trunk.Out.Host + ">"}}
	if !chosenForm.MatchString(extension) {
		log.Warn("a call names no telephone that it is for", zap.String("header", trunk.Chosen))
		code, h = 400, nil
	} else {
		who, dialled := identity.Identify(identityHeaders(req), req.URI, trunk.Trust)
		g.chosen(ctx, Chosen{Trunk: trunk.Name, Extension: extension, Caller: who, Dialled: dialled.Number})
	}
	if err := d.Reject(code, "", h); err != nil {
		log.Debug("a call that came by was given up", zap.Error(err))
	}
	return true
}

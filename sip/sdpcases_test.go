package sip

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/sip/media"
	"github.com/cordboard/cordboard/sip/stack"
)

// asks sends a re-INVITE or an UPDATE with a body and gives the outcome; a 2xx
// is acknowledged.
func (c *peerCall) asks(method, contentType string, body []byte) stack.Replied {
	c.t.Helper()
	c.sends(method, contentType, body)
	r := event[stack.Replied](c)
	if method == "INVITE" && r.Code < 300 {
		if err := c.d.Ack(nil); err != nil {
			c.t.Fatal(err)
		}
	}
	return r
}

func (c *peerCall) sends(method, contentType string, body []byte) {
	c.t.Helper()
	var err error
	if method == "INVITE" {
		_, err = c.d.Reinvite([]stack.Header{{Name: "Content-Type", Value: contentType}}, body)
	} else {
		_, err = c.d.Request(method, nil, contentType, body)
	}
	if err != nil {
		c.t.Fatal(err)
	}
}

// stillTalks checks that audio passes both ways and ends the call.
func (w *world) stillTalks(caller, agent *peerCall, o routing.Offer, atCaller, atAgent netip.AddrPort) {
	w.t.Helper()
	agent.hears(caller, atCaller, rtpPacket(8, 101))
	caller.hears(agent, atAgent, rtpPacket(8, 102))
	w.hangUp(caller, o.Call)
	event[stack.Ended](agent)
}

// A re-INVITE or UPDATE whose description lacks a line, or has it spoilt
// (AST-2018-002 and -003): it is refused, or taken for what is left, and the
// call goes on as it was.
func TestReinviteWithLinesMissing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, worldOptions{media: MediaRelay})
	caller, agent, o, atCaller, atAgent := w.joined(newPeer(t), newPeer(t))
	for _, c := range []*peerCall{caller, agent} {
		whole := strings.SplitAfter(strings.TrimSuffix(string(c.side.Offer(c.audio(media.SendRecv, 8, 101))), "\r\n"), "\r\n")
		whole[len(whole)-1] += "\r\n"
		for i, line := range whole {
			for _, spoilt := range []string{"", line[:2] + "\r\n", "m=\r\n", "a=rtpmap:8\r\n", "a=fmtp:\r\n"} {
				body := strings.Join(whole[:i], "") + spoilt + strings.Join(whole[i+1:], "")
				for _, method := range []string{"INVITE", "UPDATE"} {
					switch r := c.asks(method, "application/sdp", []byte(body)); r.Code {
					case 200, 400, 488:
					default:
						t.Errorf("%s without %q answered %d", method, line, r.Code)
					}
				}
			}
		}
		if r := c.asks("INVITE", "application/sdp", c.side.Offer(c.audio(media.SendRecv, 8, 101))); r.Code != 200 {
			t.Fatalf("afterwards the whole offer is answered %d", r.Code)
		}
	}
	for len(w.router.events) > 0 { // m=audio with no way to send is a hold
		if ev, ok := (<-w.router.events).(routing.PhoneHeld); !ok {
			t.Fatalf("the engine was told %T%+v", ev, ev)
		}
	}
	w.stillTalks(caller, agent, o, atCaller.Addr, atAgent.Addr)
}

// Multipart bodies: the description is found among the parts; bodies without
// one, or cut short (AST-2017-003), are refused.
func TestMultipartBodies(t *testing.T) {
	t.Parallel()
	const kind = `multipart/mixed; boundary="unique boundary"`
	part := func(kind, body string) string {
		return "--unique boundary\r\nContent-Type: " + kind + "\r\n\r\n" + body + "\r\n"
	}
	isup := part("application/isup; version=itu-t92+", "\x01\x02\xff--unique")
	end := "--unique boundary--\r\n"
	w := newWorld(t, worldOptions{media: MediaRelay})
	trunk := newPeer(t)

	caller := newPeerCall(t)
	sdp := string(caller.side.Offer(caller.audio(media.SendRecv, 8, 101)))
	w.call(trunk, []byte(isup+part("application/sdp", sdp)+end), caller, stack.Header{Name: "Content-Type", Value: kind})
	id := get(t, "arrival", w.router.arrivals).Call
	event[stack.Progress](caller)
	w.do(routing.AnswerCaller{Call: id, Music: "default"})
	_, atCaller := caller.sdpOf(event[stack.Answered](caller).Response.Body)
	_ = caller.d.Ack(nil)
	caller.hearsMusic(8)

	// The phone answers so too.
	o := offerOf(id, 1)
	agent := w.ringing(newPeer(t), o)
	answer := string(agent.answerTo(agent.invite.Body, agent.audio(media.SendRecv, 8, 101)))
	_ = agent.d.Accept([]stack.Header{{Name: "Content-Type", Value: kind}}, []byte("preamble\r\n"+part("application/sdp", answer)+isup+end))
	event[stack.Acked](agent)
	w.expect(routing.PhoneAnswered{Offer: o})
	w.do(routing.Connect{Offer: o})
	w.expect(routing.Joined{Offer: o, Media: "relay"})
	_, atAgent := agent.sdpOf(agent.invite.Body)

	again := string(caller.side.Offer(caller.audio(media.SendRecv, 8, 101)))
	for _, c := range []struct {
		name, kind, body string
		code             int
	}{
		{"with a description", kind, isup + part("application/sdp", again) + end, 200},
		{"without", kind, isup + end, 415},
		{"no final boundary", kind, isup + "--unique boundary\r\nContent-Type: application/sdp\r\n\r\n" + again, 415},
		{"cut in a header", kind, "--unique boundary\r\nContent-Ty", 415},
		{"no boundary named", "multipart/mixed", part("application/sdp", again) + end, 415},
		{"empty boundary", `multipart/mixed; boundary=""`, part("application/sdp", again) + end, 415},
		{"another boundary", "multipart/mixed; boundary=x", part("application/sdp", again) + end, 415},
		{"nothing inside", kind, end, 415},
		{"a thousand parts", kind, strings.Repeat(part("text/plain", "."), 1000) + end, 415},
	} {
		if r := caller.asks("UPDATE", c.kind, []byte(c.body)); r.Code != c.code {
			t.Errorf("%s: answered %d, want %d", c.name, r.Code, c.code)
		}
	}
	w.stillTalks(caller, agent, o, atCaller.Addr, atAgent.Addr)
}

// Offers with more than one audio line, with video among them, and with the
// address at the line: one line is taken, the others keep their place with
// port 0 (RFC 3264 section 6).
func TestLinesOfAPhonesReinvite(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, before, after, want string }{
		{"video behind", "", "m=video 5000 RTP/AVP 31\r\n", "audio video:0"},
		{"video and fax before", "m=video 5000 RTP/AVP 31\r\nm=image 5002 udptl t38\r\n", "", "video:0 image:0 audio"},
		{"two audio lines", "", "m=audio 5004 RTP/AVP 0\r\nc=IN IP4 127.0.0.9\r\n", "audio audio:0"},
		{"secure audio before", "m=audio 5006 RTP/SAVP 8\r\n", "", "audio:0 audio"},
		{"rejected audio before", "m=audio 0 RTP/AVP 8\r\n", "", "audio:0 audio"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, worldOptions{media: MediaRelay})
			caller := newPeerCall(t)
			body := string(caller.side.Offer(caller.audio(media.SendRecv, 8, 101)))
			// c= at the audio line, and a session's that is not to be used.
			addr := "c=IN IP4 127.0.0.1\r\n"
			head, rest, _ := strings.Cut(body, addr)
			rest = strings.Replace(rest, "a=ptime", addr+"a=ptime", 1)
			times, audio, _ := strings.Cut(rest, "m=audio")
			body = head + "c=IN IP4 192.0.2.200\r\n" + times + c.before + "m=audio" + audio + c.after
			w.call(newPeer(t), []byte(body), caller)
			id := get(t, "arrival", w.router.arrivals).Call
			event[stack.Progress](caller)
			w.do(routing.AnswerCaller{Call: id, Music: "default"})
			ok := event[stack.Answered](caller).Response
			_ = caller.d.Ack(nil)
			answered := func(body []byte) {
				t.Helper()
				d, err := media.ParseSDP(body)
				if err != nil {
					t.Fatal(err)
				}
				var got []string
				for _, l := range d.Streams {
					name := l.Media
					if l.Port == 0 {
						name += ":0"
					}
					got = append(got, name)
				}
				if s := strings.Join(got, " "); s != c.want {
					t.Errorf("answered %q, want %q", s, c.want)
				}
			}
			answered(ok.Body)
			caller.hearsMusic(8)
			again := caller.asks("INVITE", "application/sdp", []byte(strings.Replace(body, "a=sendrecv", "a=sendonly", 1)))
			answered(again.Response.Body)
			w.hangUp(caller, id)
		})
	}
}

// Holds by UPDATE: as by re-INVITE, old and new.
func TestHoldByUpdate(t *testing.T) {
	t.Parallel()
	w := newWorld(t, worldOptions{media: MediaRelay})
	caller, agent, o, atCaller, atAgent := w.joined(newPeer(t), newPeer(t))
	old := agent.audio(media.SendRecv, 8, 101)
	old.Addr = zeroes(old.Addr)
	for _, hold := range []media.Audio{agent.audio(media.Inactive, 8, 101), old, agent.audio(media.SendOnly, 8, 101)} {
		r := agent.asks("UPDATE", "application/sdp", agent.side.Offer(hold))
		if _, got := agent.sdpOf(r.Response.Body); r.Code != 200 || got.Dir != hold.Dir.Answer(media.SendRecv) && !hold.Addr.Addr().IsUnspecified() {
			t.Errorf("hold %v answered %d, %v", hold.Dir, r.Code, got.Dir)
		}
		w.expect(routing.PhoneHeld{Offer: o, On: true})
		caller.hearsMusic(8)
		agent.asks("UPDATE", "application/sdp", agent.side.Offer(agent.audio(media.SendRecv, 8, 101)))
		w.expect(routing.PhoneHeld{Offer: o, On: false})
	}
	w.stillTalks(caller, agent, o, atCaller.Addr, atAgent.Addr)
}

// A phone that speaks opus alone: refused by itself with 488, or by us when it
// answers so all the same. The next agent gets the call, the caller keeps his
// music.
func TestPhoneWithoutACommonCodec(t *testing.T) {
	t.Parallel()
	for _, way := range []string{MediaRelay, MediaDirect} {
		w := newWorld(t, worldOptions{media: way})
		caller, _, id := w.queued(newPeer(t), 8, 101)
		phone := newPeer(t)
		for attempt, code := range []int{488, 606, 415} {
			o := offerOf(id, routing.Attempt(attempt+1))
			agent := w.ringing(phone, o)
			_ = agent.d.Reject(code, "", nil)
			w.expect(routing.PhoneFailed{Offer: o, Code: code})
		}
		o := offerOf(id, 4)
		agent := w.ringing(phone, o)
		opus := media.Audio{Addr: agent.addr(), Formats: []media.Format{{PT: 96, Name: "OPUS", Rate: 48000, More: "2"}}}
		_ = agent.d.Accept(nil, agent.answerTo(agent.invite.Body, opus))
		event[stack.Acked](agent)
		event[stack.Ended](agent)
		w.expect(routing.PhoneFailed{Offer: o, Code: 488})
		caller.hearsMusic(8)
		o = offerOf(id, 5)
		agent = w.ringing(phone, o)
		w.do(routing.Withdraw{Offer: o, Why: "rona"})
		event[stack.Canceled](agent)
		w.hangUp(caller, id)
	}
}

// No RTP port is free when the phone is to ring: the engine hears that the
// phone is not to blame, and no INVITE goes out.
func TestNoPortIsNotThePhonesFault(t *testing.T) {
	w := newWorld(t, worldOptions{media: MediaRelay, onePort: true})
	caller, _, id := w.queued(newPeer(t), 8, 101)
	phone := newPeer(t)
	w.phones.set(anna, phone.uri("anna"))
	o := offerOf(id, 1)
	w.do(routing.Ring{Offer: o})
	w.expect(routing.PhoneFailed{Offer: o, Code: 0})
	if n := len(phone.calls); n != 0 {
		t.Errorf("the phone was called %d times", n)
	}
	caller.hearsMusic(8)
	w.hangUp(caller, id)
}

// A phone that answers with the number 96 for keys where the caller has 101:
// the relay translates, whichever of the two a side sends.
func TestRelayTranslatesPayloadTypes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, worldOptions{media: MediaRelay})
	caller, atCaller, id := w.queued(newPeer(t), 8, 101)
	o := offerOf(id, 1)
	agent := w.ringing(newPeer(t), o)
	answer := strings.ReplaceAll(string(agent.answerTo(agent.invite.Body, agent.audio(media.SendRecv, 8, 101))), "101", "96")
	_ = agent.d.Accept(nil, []byte(answer))
	event[stack.Acked](agent)
	w.expect(routing.PhoneAnswered{Offer: o})
	w.do(routing.Connect{Offer: o})
	w.expect(routing.Joined{Offer: o, Media: "relay"})
	_, atAgent := agent.sdpOf(agent.invite.Body)
	agent.hearsAs(caller, atCaller.Addr, rtpPacket(101, 5), 96)
	caller.hearsAs(agent, atAgent.Addr, rtpPacket(101, 6), 101)
	caller.hearsAs(agent, atAgent.Addr, rtpPacket(96, 7), 101)
	w.stillTalks(caller, agent, o, atCaller.Addr, atAgent.Addr)
}

// A late offer answered with other numbers than ours, and the phone too.
func TestLateOfferWithOtherNumbers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, worldOptions{media: MediaRelay})
	caller := newPeerCall(t)
	w.call(newPeer(t), nil, caller)
	id := get(t, "arrival", w.router.arrivals).Call
	event[stack.Progress](caller)
	w.do(routing.AnswerCaller{Call: id, Music: "default"})
	ok := event[stack.Answered](caller).Response
	answer := strings.ReplaceAll(string(caller.answerTo(ok.Body, caller.audio(media.SendRecv, 8, 101))), "101", "110")
	_ = caller.d.Ack([]byte(answer))
	caller.hearsMusic(8)
	_, atCaller := caller.sdpOf(ok.Body)
	o := offerOf(id, 1)
	agent := w.ringing(newPeer(t), o)
	_, told := agent.sdpOf(agent.invite.Body)
	events := told.Formats[1].PT
	answer = strings.ReplaceAll(string(agent.answerTo(agent.invite.Body, media.Audio{Addr: agent.addr(), Formats: told.Formats, Ptime: 20})), "110", "99")
	_ = agent.d.Accept(nil, []byte(answer))
	event[stack.Acked](agent)
	w.expect(routing.PhoneAnswered{Offer: o})
	w.do(routing.Connect{Offer: o})
	w.expect(routing.Joined{Offer: o, Media: "relay"})
	agent.hearsAs(caller, atCaller.Addr, rtpPacket(101, 5), 99)
	caller.hearsAs(agent, told.Addr, rtpPacket(events, 6), 110)
	w.stillTalks(caller, agent, o, atCaller.Addr, told.Addr)
}

// hearsAs is hears of a packet that comes with another payload type.
func (c *peerCall) hearsAs(from *peerCall, to netip.AddrPort, pkt []byte, pt uint8) {
	c.t.Helper()
	want := append([]byte(nil), pkt...)
	want[1] = pt
	c.hearsInstead(from, to, pkt, want)
}

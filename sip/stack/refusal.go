package stack

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	mathrand "math/rand/v2"
	"strconv"

	"go.uber.org/zap"
)

// refuseFast answers a request without a transaction (RFC 3261 8.2.7): nothing
// is kept and nothing retransmitted; a lost answer is given again to the
// repeated request, with the same tag. Over the limit this is what keeps the
// refused from costing more than the served.
func (s *Stack) refuseFast(in *inbound) {
	v := in.verdict
	if in.drop = true; in.method == "ACK" {
		return
	}
	if in.tag == "" {
		in.tag = s.tagFor(in)
	}
	if err := s.back(in).write(s.response(in, v.code, v.reason, v.headers, nil, nil)); err != nil {
		s.log.Debug("refusal not sent", zap.Int("code", v.code), zap.Error(err))
	}
}

// refuseBroken answers a request that has not even what a transaction is known
// by, so that its sender does not go on repeating it.
func (s *Stack) refuseBroken(in *inbound) {
	in.verdict = refuse(400)
	s.refuseFast(in)
}

// busy refuses a new call. Those refused together are asked to come back one
// after the other.
func (s *Stack) busy() *verdict {
	return refuse(503, Header{"Retry-After", strconv.Itoa(2 + mathrand.IntN(7))})
}

// tagFor is the To tag of an answer without a transaction: the same for a
// repeated request, another for any other, not to be guessed.
func (s *Stack) tagFor(in *inbound) string {
	mac := hmac.New(sha256.New, s.tagKey)
	mac.Write([]byte(in.key))
	mac.Write([]byte(in.msg.callID))
	return hex.EncodeToString(mac.Sum(nil)[:10])
}

// badRequest is a 400 to the head of a request that can't be parsed, made of
// its own lines; nil where there is nothing to answer to.
func badRequest(head []byte, why string) []byte {
	start, _, _ := bytes.Cut(head, []byte("\r\n"))
	if !bytes.HasSuffix(start, []byte(" SIP/2.0")) || bytes.HasPrefix(start, []byte("ACK ")) {
		return nil
	}
	head = head[:bytes.LastIndexByte(head, '\n')+1] // whole lines
	out := []byte("SIP/2.0 400 " + why + "\r\n")
	got := map[string]bool{}
	for line := range headLines(head) {
		name, _, ok := bytes.Cut(line, []byte(":"))
		if !ok {
			continue
		}
		switch n := fold(string(bytes.TrimSpace(name))); n {
		case "via", "from", "to", "call-id", "cseq":
			if n != "via" && got[n] {
				continue
			}
			got[n] = true
			out = append(out, line...)
			if n == "to" && !bytes.Contains(bytes.ToLower(line), []byte("tag")) {
				out = append(append(out, ";tag="...), rand.Text()...)
			}
			out = append(out, "\r\n"...)
		}
	}
	if len(got) < 5 {
		return nil
	}
	return append(out, "Content-Length: 0\r\n\r\n"...)
}

package registrar

import (
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/cordboard/cordboard/sip/digest"
	"github.com/cordboard/cordboard/sip/stack"
)

// contact is one Contact of a REGISTER.
type contact struct {
	uri      string
	key      string // what makes two contacts the same
	q        int    // thousandths
	expires  int64  // seconds; -1 when it does not say
	instance string // +sip.instance (RFC 5626)
	flow     int    // reg-id: which of the phone's flows it is; 0 for none
}

var errContact = errors.New("registrar: Contact cannot be read")

const maxContact = 512

// parseContact reads one Contact value: name-addr or addr-spec and parameters
// (RFC 3261 20.10).
func parseContact(v string) (c contact, err error) {
	v = strings.TrimSpace(v)
	var params string
	if uri, rest, ok := angled(v); ok {
		c.uri, params = uri, rest
	} else {
		c.uri, params, _ = strings.Cut(v, ";")
	}
	c.uri = strings.TrimSpace(c.uri)
	if c.key, err = contactKey(c.uri); err != nil {
		return c, err
	}
	c.q, c.expires = 1000, -1
	for _, p := range splitParams(params) {
		name, value, _ := strings.Cut(p, "=")
		value = strings.TrimSpace(value)
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "q":
			f, err := strconv.ParseFloat(value, 64)
			if err != nil || !(f >= 0 && f <= 1) {
				return c, errContact
			}
			c.q = int(f * 1000)
		case "expires":
			c.expires = seconds(value)
		case "+sip.instance":
			c.instance = strings.Trim(value, `"`)
			if len(c.instance) > maxContact {
				return c, errContact
			}
		case "reg-id":
			if c.flow, err = strconv.Atoi(value); err != nil || c.flow < 1 || c.flow > math.MaxInt32 {
				return c, errContact
			}
		}
	}
	return c, nil
}

// flows are how a phone that keeps several connections open at once (RFC 5626)
// is known: one binding for each of them, whatever its Contact says.
const flows = "reg-id="

// keyOf is what makes a Contact of the request the same as another: its URI, or
// the number of its flow and the instance. That number counts where the phone
// has sent the request to us itself: through a proxy it is the proxy's flow.
func keyOf(c contact, outbound bool) string {
	if !outbound || c.flow == 0 || c.instance == "" {
		return c.key
	}
	return flows + strconv.Itoa(c.flow) + ";" + c.instance
}

// asksOutbound reports whether a phone asks for RFC 5626, and may be given it.
func asksOutbound(req *stack.Message) bool {
	return len(req.Values("Via")) == 1 && slices.ContainsFunc(req.Values("Supported"), func(v string) bool {
		return slices.ContainsFunc(strings.Split(v, ","), func(tag string) bool { return strings.EqualFold(strings.TrimSpace(tag), "outbound") })
	})
}

// angled takes "<uri>rest" out of a name-addr, past a quoted display name.
func angled(v string) (uri, rest string, ok bool) {
	if strings.HasPrefix(v, `"`) {
		_, after, closed := digest.Unquote(v)
		if !closed {
			return "", "", false
		}
		v = after
	}
	i := strings.IndexByte(v, '<')
	if i < 0 {
		return "", "", false
	}
	j := strings.IndexByte(v[i:], '>')
	if j < 0 {
		return "", "", false
	}
	return v[i+1 : i+j], v[i+j+1:], true
}

// splitParams splits at semicolons outside quotes.
func splitParams(s string) []string {
	var out []string
	for len(s) > 0 {
		end, inQuotes := len(s), false
		for i := 0; i < len(s); i++ {
			if s[i] == '\\' && inQuotes {
				i++
			} else if s[i] == '"' {
				inQuotes = !inQuotes
			} else if s[i] == ';' && !inQuotes {
				end = i
				break
			}
		}
		if p := strings.TrimSpace(s[:end]); p != "" {
			out = append(out, p)
		}
		s = s[min(end+1, len(s)):]
	}
	return out
}

// seconds reads delta-seconds; what can't be read says nothing, as RFC 3261
// 10.2.1.1 has it, and more than fits is as much as fits.
func seconds(v string) int64 {
	n, err := strconv.ParseUint(strings.TrimSpace(v), 10, 32)
	if errors.Is(err, strconv.ErrRange) {
		return 1<<32 - 1
	}
	if err != nil {
		return -1
	}
	return int64(n)
}

// contactKey is the contact's URI in the form in which equal ones are the same
// (RFC 3261 19.1.4, as far as it can matter for one user's phones): scheme and
// host in lower case, and the transport of its parameters.
func contactKey(uri string) (string, error) {
	scheme, rest, ok := strings.Cut(uri, ":")
	scheme = strings.ToLower(scheme)
	if !ok || len(uri) > maxContact || scheme != "sip" && scheme != "sips" || strings.ContainsAny(uri, "<>\" \t,") {
		return "", errContact
	}
	for _, c := range []byte(uri) {
		if c <= ' ' || c >= 0x7f {
			return "", errContact
		}
	}
	rest, _, _ = strings.Cut(rest, "?")
	rest, params, _ := strings.Cut(rest, ";")
	user, host := "", rest
	if i := strings.LastIndexByte(rest, '@'); i >= 0 {
		user, host = rest[:i+1], rest[i+1:]
	}
	if host == "" {
		return "", errContact
	}
	key := scheme + ":" + user + strings.ToLower(host)
	for p := range strings.SplitSeq(params, ";") {
		if name, value, _ := strings.Cut(p, "="); strings.EqualFold(name, "transport") {
			key += ";transport=" + strings.ToLower(value)
		}
	}
	return key, nil
}

// userOf is the user part of a To or From; "" for none that is a SIP URI.
func userOf(v string) string {
	v = strings.TrimSpace(v)
	uri, _, ok := angled(v)
	if !ok {
		uri, _, _ = strings.Cut(v, ";")
	}
	scheme, rest, _ := strings.Cut(strings.TrimSpace(uri), ":")
	if !strings.EqualFold(scheme, "sip") && !strings.EqualFold(scheme, "sips") {
		return ""
	}
	user, _, ok := strings.Cut(rest, "@")
	if !ok {
		return ""
	}
	return user
}

package app

import (
	"encoding/json"
	"math"
	"slices"
	"strconv"

	"github.com/cordboard/cordboard/routing/jsontext"
	"github.com/cordboard/cordboard/sip/stack"
)

// What the store is given in every call is written out here, byte for byte what
// encoding/json makes of it (TestAppendJSON): that looks up by reflection, nine
// times a call, what never changes.

// appendData appends what is told of an event. What holds other values than
// those of the usual events is left to encoding/json.
func appendData(to []byte, data map[string]any) ([]byte, error) {
	var few [8]string
	names := few[:0]
	for name := range data {
		names = append(names, name)
	}
	slices.Sort(names)
	begun := len(to)
	for i, name := range names {
		key := byte(',')
		if i == 0 {
			key = '{'
		}
		to = append(jsontext.Append(append(to, key), name), ':')
		switch v := data[name].(type) {
		case string:
			to = jsontext.Append(to, v)
		case bool:
			to = strconv.AppendBool(to, v)
		case int:
			to = strconv.AppendInt(to, int64(v), 10)
		case int64:
			to = strconv.AppendInt(to, v, 10)
		case float64:
			// Very small and very large ones have an exponent, others have no form.
			if abs := math.Abs(v); abs != 0 && abs < 1e-6 || !(abs < 1e21) {
				return appendAny(to[:begun], data)
			}
			to = strconv.AppendFloat(to, v, 'f', -1, 64)
		case map[string]string:
			to = appendTexts(to, v)
		default:
			return appendAny(to[:begun], data)
		}
	}
	if len(names) == 0 {
		to = append(to, '{')
	}
	return append(to, '}'), nil
}

// appendAny returns nothing with an error: what has no form is left out, and half
// of one would be no JSON.
func appendAny(to []byte, v any) ([]byte, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return append(to, b...), nil
}

func appendTexts(to []byte, texts map[string]string) []byte {
	if texts == nil {
		return append(to, "null"...)
	}
	var few [16]string
	names := few[:0]
	for name := range texts {
		names = append(names, name)
	}
	slices.Sort(names)
	to = append(to, '{')
	for i, name := range names {
		if i > 0 {
			to = append(to, ',')
		}
		to = jsontext.Append(append(jsontext.Append(to, name), ':'), texts[name])
	}
	return append(to, '}')
}

func appendDialog(to []byte, s *stack.DialogState) ([]byte, error) {
	text := func(key, s string) { to = jsontext.Append(append(to, key...), s) }
	text(`{"CallID":`, s.CallID)
	text(`,"LocalTag":`, s.LocalTag)
	text(`,"RemoteTag":`, s.RemoteTag)
	text(`,"LocalURI":`, s.LocalURI)
	text(`,"RemoteURI":`, s.RemoteURI)
	text(`,"RemoteTarget":`, s.RemoteTarget)
	to = append(to, `,"Routes":`...)
	if s.Routes == nil {
		to = append(to, "null"...)
	} else {
		to = append(to, '[')
		for i, r := range s.Routes {
			if i > 0 {
				to = append(to, ',')
			}
			to = jsontext.Append(to, r)
		}
		to = append(to, ']')
	}
	to = strconv.AppendUint(append(to, `,"LocalCSeq":`...), uint64(s.LocalCSeq), 10)
	to = strconv.AppendUint(append(to, `,"RemoteCSeq":`...), uint64(s.RemoteCSeq), 10)
	to = strconv.AppendBool(append(to, `,"UAS":`...), s.UAS)
	to = strconv.AppendBool(append(to, `,"Confirmed":`...), s.Confirmed)
	text(`,"Transport":`, s.Transport)
	peer, err := s.Peer.MarshalText()
	if err != nil {
		return nil, err
	}
	text(`,"Peer":`, string(peer))
	return append(to, '}'), nil
}

package screenpop

import (
	"slices"
	"strings"

	"github.com/cordboard/cordboard/routing"
)

// asked writes the answers to what a disposition asks as the contact keeps them,
// "ticket_id: T-17; when: Monday", in the order of routing.AskFields; false for what
// no disposition could have asked. Which of them this one asks hangs on the
// call's version of the document, and is the desk's to know. The note is the
// card's own.
func asked(answers map[string]string) (string, bool) {
	var parts []string
	for _, field := range routing.AskFields {
		if text := strings.TrimSpace(answers[field]); text != "" && field != noteField {
			parts = append(parts, field+": "+text)
		}
	}
	for field, text := range answers {
		if field == noteField || !slices.Contains(routing.AskFields, field) || !prose(text, maxAsked) || strings.ContainsAny(text, "\r\n") {
			return "", false
		}
	}
	return strings.Join(parts, "; "), true
}

const noteField = "note"

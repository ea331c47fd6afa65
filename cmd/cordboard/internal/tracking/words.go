package tracking

import "fmt"

// The words of notices, in the language of the document: the same few for everybody,
// with nothing of who asked for what.
var noticeWords = map[string]map[string]string{
	"en": {
		toldAssigned: "Request %[1]s (%[2]s) is yours. It is due %[3]s.",
		toldDueSoon:  "Request %[1]s (%[2]s) is due soon: %[3]s.",
		toldLate:     "Request %[1]s (%[2]s) was due %[3]s and is not closed. It is your task now.",
	},
	"ru": {
		toldAssigned: "Заявка %[1]s (%[2]s) теперь ваша. Срок: %[3]s.",
		toldDueSoon:  "Скоро срок заявки %[1]s (%[2]s): %[3]s.",
		toldLate:     "Срок заявки %[1]s (%[2]s) истёк: %[3]s. Теперь это ваша задача.",
	},
}

// text is the notice in one sentence.
func (n *Notice) text() string {
	words := noticeWords[n.Language]
	if words == nil {
		words = noticeWords["en"]
	}
	return fmt.Sprintf(words[n.What], n.Ref, n.Title, n.Due)
}

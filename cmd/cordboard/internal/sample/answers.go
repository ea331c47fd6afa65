package sample

import (
	"slices"

	"github.com/cordboard/cordboard/screenpop"
)

// Answers are the demo's standard answers: twenty, each in four
// languages under the same id, best first within a topic.
func Answers() []screenpop.Answer {
	return slices.Concat(answersEnglish(), answersRussian(), answersBulgarian(), answersChinese())
}

func answer(lang, id, topic, title, say string, steps ...string) screenpop.Answer {
	return screenpop.Answer{ID: id, Topic: topic, Lang: lang, Title: title, Say: say, Steps: steps}
}

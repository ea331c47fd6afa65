package main

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/cordboard/cordboard/cmd/cordboard/internal/sample"
	"github.com/cordboard/cordboard/store"
)

func folderOf(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestAnswerFolder(t *testing.T) {
	dir := folderOf(t, map[string]string{
		"README.md":          "How we write answers.\n",
		"bill.en.md":         "---\ntitle: Why is it higher: the bill\ntopic: care\nplace: 2\n---\nLet us look at it.\n\nLine by line.\n\n1. Open the bill\n   of this month\n\n2. Explain it\n",
		"bill.ru.md":         "\ufeff---\r\ntitle: Почему счёт больше\r\n---\r\n\r\nСейчас разберёмся.\r\n",
		"drops.en.md":        "---\ntitle: Evening drops\nplace: 1\nowner: anna.k\nreview: 2027-03-31\n---\nThat is our side.\n",
		"notes.txt":          "not read",
		"zh-notice.zh-CN.md": "---\ntitle: 账单\n---\n我们来看一下。\n",
	})
	got, err := readAnswerFolder(dir)
	want := []store.Answer{
		{ID: "drops", Lang: "en", Title: "Evening drops", Say: "That is our side.", Owner: "anna.k", Review: "2027-03-31"},
		{ID: "bill", Lang: "en", Topic: "care", Title: "Why is it higher: the bill", Say: "Let us look at it.\n\nLine by line.", Steps: []string{"Open the bill\nof this month", "Explain it"}},
		{ID: "bill", Lang: "ru", Title: "Почему счёт больше", Say: "Сейчас разберёмся."},
		{ID: "zh-notice", Lang: "zh-CN", Title: "账单", Say: "我们来看一下。"},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Fatalf("read %+v, %v", got, err)
	}
}

func TestAnswerFolderFindings(t *testing.T) {
	const head = "---\ntitle: T\n---\n"
	files := map[string]struct{ text, want string }{
		"a.en.md":    {"Just say it.\n", ":1: no head"},
		"b.en.md":    {"---\ntitle: T\nSay.\n", ":3: no line of the head"},
		"c.en.md":    {"---\ntitle: T\ntopics: care\n---\nSay.\n", `:3: unknown field "topics"`},
		"d.en.md":    {"---\ntopic: care\n---\nSay.\n", ":3: the head has no title"},
		"e.en.md":    {head + "\n", ":4: nothing to say"},
		"f.en.md":    {head + "Say.\n1. One\n3. Three\n", ":6: step 3 where step 2 is expected"},
		"g.en.md":    {head + "Say.\n1. One\nAnd more.\n", ":6: text after the steps"},
		"h.en.md":    {"---\ntitle: T\nplace: first\n---\nSay.\n", ":3: place is a whole number"},
		"i.en.md":    {"---\ntitle: T\nplace: -1\n---\nSay.\n", ":3: place is a whole number"},
		"English.md": {head + "Say.\n", ":1: the name is not ID.LANG.md"},
		"k.en.md":    {head + "1. Only a step\n", ":4: nothing to say"},
		"n.en.md":    {"---\ntitle: T\n", ":3: "},
		"l.en.md":    {"---\ntitle: T\ntitle: U\n---\nSay.\n", ":3: title is there twice"},
		"m.en.md":    {head + strings.Repeat("a", maxAnswer), ":1: longer than"},
		"o.en.md":    {"---\ntitle: T\nowner: Anna Berg\n---\nSay.\n", ":3: owner is an agent's id"},
		"p.en.md":    {"---\ntitle: T\nreview: 2027-02-30\n---\nSay.\n", ":3: review is a day"},
		"good.en.md": {head + "Say.\n", ""},
	}
	texts := map[string]string{}
	for name, f := range files {
		texts[name] = f.text
	}
	dir := folderOf(t, texts)
	got, err := readAnswerFolder(dir)
	if err == nil || got != nil {
		t.Fatalf("read %+v, %v", got, err)
	}
	for name, f := range files {
		if told := strings.Contains(err.Error(), filepath.Join(dir, name)+f.want); told != (f.want != "") {
			t.Errorf("%s: want %q in\n%v", name, f.want, err)
		}
	}
	if _, err := readAnswerFolder(t.TempDir()); err == nil || !strings.Contains(err.Error(), "no answers") {
		t.Errorf("an empty folder: %v", err)
	}
}

// Every sample answer is written and read back as it is; what would not be is
// refused, and then nothing is written.
func TestWriteAnswers(t *testing.T) {
	var all []store.Answer
	for _, a := range sample.Answers() {
		all = append(all, store.Answer(a))
	}
	dir := filepath.Join(t.TempDir(), "answers")
	if err := writeAnswers(dir, all); err != nil {
		t.Fatal(err)
	}
	got, err := readAnswerFolder(dir)
	if err != nil || !reflect.DeepEqual(got, all) {
		t.Fatalf("read back %d of %d, %v", len(got), len(all), err)
	}
	if err := writeAnswers(dir, all); err == nil || !strings.Contains(err.Error(), "is not empty") {
		t.Errorf("written over: %v", err)
	}
	for name, a := range map[string]store.Answer{
		"path":  {ID: "../up", Lang: "en", Title: "T", Say: "S"},
		"lang":  {ID: "a", Lang: "English", Title: "T", Say: "S"},
		"steps": {ID: "a", Lang: "en", Title: "T", Say: "Two ways:\n1. This"},
		"blank": {ID: "a", Lang: "en", Title: "T", Say: "S "},
	} {
		dir := filepath.Join(t.TempDir(), "refused")
		if err := writeAnswers(dir, append(all[:1:1], a)); err == nil || !strings.Contains(err.Error(), "can't be written as a file") {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := os.Stat(dir); !os.IsNotExist(err) {
			t.Errorf("%s: something was written: %v", name, err)
		}
	}
}

// The way of a team that keeps its answers in a folder: out, changed, in again.
func TestAnswersOutAndIn(t *testing.T) {
	o := newOffice(t)
	told := ""
	run := func(want string, args ...string) {
		t.Helper()
		c := command(t, args...)
		var out, said bytes.Buffer
		c.Stdout, c.Stderr = &out, &said
		if err := c.Run(); err != nil || out.String() != want {
			t.Fatalf("%q: %v, printed %q, told %q", args, err, out.String(), said.String())
		}
		told = said.String()
	}
	first := folderOf(t, map[string]string{
		"a.en.md": "---\ntitle: A\ntopic: care\nowner: anna\n---\nSay a.\n",
		"b.en.md": "---\ntitle: B\nowner: gone\nreview: 2027-03-31\n---\nSay b.\n\n1. Do b\n",
	})
	run("2 answers\n", "import", "answers", "-c", o.server, first)
	if !strings.Contains(told, "warning: gone is no agent in") || strings.Contains(told, "anna") {
		t.Errorf("of the owners it told %q", told)
	}
	out := filepath.Join(t.TempDir(), "out")
	run("2 answers\n", "answers", "-c", o.server, out)
	if err := os.Rename(filepath.Join(out, "b.en.md"), filepath.Join(out, "c.en.md")); err != nil {
		t.Fatal(err)
	}
	run("2 answers, 1 withdrawn\n", "import", "answers", "-c", o.server, "--replace", out)
	again := filepath.Join(t.TempDir(), "again")
	run("2 answers\n", "answers", "-c", o.server, again)
	got, err := readAnswerFolder(again)
	want := []store.Answer{
		{ID: "a", Lang: "en", Topic: "care", Title: "A", Say: "Say a.", Owner: "anna"},
		{ID: "c", Lang: "en", Title: "B", Say: "Say b.", Steps: []string{"Do b"}, Owner: "gone", Review: "2027-03-31"},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Fatalf("read %+v, %v", got, err)
	}
}

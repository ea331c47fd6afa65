package identity

import (
	"slices"
	"strings"
	"unicode"
)

// maxWritten bounds a customer file's field that is read for numbers.
const maxWritten = 256

// ReadWritten reads what a customer file has in the place of a number: one or
// several, as people write them down, with words, an extension, an old spreadsheet's
// marks. National ones are read in the region (ISO 3166, "" for none). An extension
// is left out: it is the number in front of it that a call shows. Whatever is not
// surely a number is none, and with none of them there is nothing.
func ReadWritten(text, region string) []Number {
	if len(text) > maxWritten {
		return nil
	}
	if whole, ok := strings.CutSuffix(text, ".0"); ok && onlyDigits(strings.TrimPrefix(whole, "+")) {
		text = whole // it was a spreadsheet's
	}
	if n, err := ParseNumber(text, region, nil); err == nil && !strings.Contains(text, "/") {
		return []Number{n}
	}
	text = strings.ReplaceAll(inASCII(text), "++", "+")
	parts := cutNumbers(text)
	var all []Number
	left := 0 // parts that are no number
	for i := 0; i < len(parts); i++ {
		n, ok := readOne(parts[i], region)
		if !ok && i+1 < len(parts) && onlyDigits(parts[i]) { // 0711/123456
			if n, ok = readOne(parts[i]+parts[i+1], region); ok {
				i++
			}
		}
		switch {
		case !ok:
			left++
		case !slices.Contains(all, n):
			all = append(all, n)
		}
	}
	// 030 1234/5678 may be one number as well.
	if n, ok := readOne(text, region); ok && (len(all) == 0 || left > 0 && InPlan(n)) {
		return []Number{n}
	}
	if len(all) > 0 {
		return all
	}
	return spaced(text, region)
}

// InPlan says that the number is one of its country's plan.
func InPlan(n Number) bool {
	_, _, ok := valid(n.E164()[1:])
	return ok
}

// spaced reads numbers that have nothing but blanks between them; all are to be
// whole numbers.
func spaced(text, region string) (all []Number) {
	for _, field := range strings.Fields(text) {
		n, err := ParseNumber(field, region, nil)
		if err != nil {
			return nil
		}
		all = append(all, n)
	}
	return all
}

// inASCII writes the digits, dashes, blanks and plus signs of all scripts as those
// of ASCII, and leaves out what nobody sees.
func inASCII(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r < 0x80:
			return r
		case r >= '０' && r <= '９':
			return r - '０' + '0'
		case r >= '٠' && r <= '٩':
			return r - '٠' + '0'
		case r >= '۰' && r <= '۹':
			return r - '۰' + '0'
		case unicode.Is(unicode.Pd, r), r == '−':
			return '-'
		case unicode.IsSpace(r):
			return ' '
		case unicode.Is(unicode.Cf, r), unicode.Is(unicode.Mn, r):
			return -1
		case unicode.Is(unicode.So, r): // a picture of a telephone
			return ' '
		}
		switch r {
		case '＋':
			return '+'
		case '（':
			return '('
		case '）':
			return ')'
		case '／':
			return '/'
		case '．', '·', '•':
			return '.'
		case '，', '、', '；':
			return ','
		case '＃':
			return '#'
		}
		return r
	}, text)
}

// between are words that stand between two numbers.
var between = []string{"or", "and", "oder", "und", "или", "и", "ou", "et", "o", "y"}

// cutNumbers cuts a text where one number may end and another begin.
func cutNumbers(text string) []string {
	var parts []string
	var part strings.Builder
	end := func() {
		if s := strings.TrimSpace(part.String()); s != "" {
			parts = append(parts, s)
		}
		part.Reset()
	}
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case strings.IndexByte("/,;|&\n\r\t", c) >= 0 && !strings.HasPrefix(text[i:], ";ext="):
			end()
		case c == '+' && strings.ContainsAny(part.String(), "0123456789"):
			end()
			part.WriteByte(c)
		case c == ' ' && slices.Contains(between, strings.ToLower(firstWord(text[i+1:]))):
			end()
			i += len(firstWord(text[i+1:]))
		default:
			part.WriteByte(c)
		}
	}
	end()
	return parts
}

func firstWord(text string) string {
	word, _, _ := strings.Cut(text, " ")
	return word
}

// readOne reads a text with one number in it.
func readOne(text, region string) (Number, bool) {
	text = strings.TrimRight(strings.Trim(text, ` '"=`+"`"), " *#")
	if OutOfUse(text) {
		return Number{}, false
	}
	if scheme, rest, ok := strings.Cut(text, ":"); ok && (strings.EqualFold(scheme, "sip") || strings.EqualFold(scheme, "sips")) {
		text, _, _ = strings.Cut(rest, "@")
	}
	head, _ := cutExtension(text)
	head = withoutWords(head)
	head = withoutTrunkZero(head)
	n, err := ParseNumber(head, region, nil)
	if digits, ok := strings.CutPrefix(head, "+0"); ok && err != nil {
		n, err = ParseNumber("+"+strings.TrimLeft(digits, "0"), region, nil)
	}
	return n, err == nil
}

// extensionWords say that what follows is dialled behind the number.
var extensionWords = []string{
	"ext", "extn", "exten", "extension", "x", "#", ";ext", "доб", "добавочный", "вн", "внутр", "внутренний", "вътр", "вътрешен",
	"dw", "durchwahl", "nst", "nebenstelle", "kl", "klappe", "poste", "int", "interno", "wew", "转", "轉", "转接", "分机", "內線", "内线",
}

// cutExtension cuts off an extension of up to 7 digits: "ext. 12", "x12", "#12",
// "доб. 12", "转12". Without one, the text is left as it is.
func cutExtension(text string) (head, extension string) {
	rest := strings.TrimRight(text, " ).")
	begin := strings.TrimRight(rest, "0123456789")
	extension = rest[len(begin):]
	if extension == "" || len(extension) > 7 {
		return text, ""
	}
	words := strings.TrimRight(begin, " .:=")
	at := strings.LastIndexFunc(words, func(r rune) bool { return !unicode.IsLetter(r) && r != '#' && r != ';' })
	if !slices.Contains(extensionWords, strings.ToLower(words[at+1:])) {
		return text, ""
	}
	return strings.TrimRight(words[:at+1], " .,;(-"), extension
}

// withoutWords takes away what people write before and behind a number: "Tel.: ",
// " (mobile)", " Anna". In the middle of it nothing is taken away, nor is what
// stands at it without a blank.
func withoutWords(text string) string {
	begin := strings.IndexAny(text, "+0123456789")
	if begin < 0 {
		return text
	}
	if strings.HasSuffix(text[:begin], "(") {
		begin--
	}
	if before := text[:begin]; before != "" && strings.ContainsAny(before[len(before)-1:], " :.-)]") {
		text = text[begin:]
	}
	end := strings.LastIndexAny(text, "0123456789") + 1
	if word := strings.IndexFunc(text, unicode.IsLetter); word > 0 && text[word-1] == ' ' {
		end = strings.LastIndexAny(text[:word], "0123456789") + 1 // and what stands behind the word
	}
	if after := text[end:]; strings.HasPrefix(after, " ") || strings.HasPrefix(after, "(") || strings.HasPrefix(after, ") ") {
		text = text[:end]
		if strings.HasPrefix(after, ") ") {
			text += ")"
		}
	}
	return text
}

// withoutTrunkZero takes the (0) out of +44 (0)1632, which nobody dials behind a
// country code, but for Italy's.
func withoutTrunkZero(text string) string {
	at := strings.Index(strings.ReplaceAll(text, "( 0 )", "(0)"), "(0)")
	if at < 0 {
		return text
	}
	text = strings.ReplaceAll(text, "( 0 )", "(0)")
	code := digitsOf(text[:at])
	full := strings.HasPrefix(strings.TrimLeft(text, "("), "+") || strings.HasPrefix(code, "00") || strings.HasPrefix(code, "011")
	if !full || strings.HasSuffix(code, "39") || strings.HasSuffix(code, "378") {
		return text
	}
	return text[:at] + text[at+len("(0)"):]
}

func onlyDigits(text string) bool { return text != "" && digitsOf(text) == text }

// goneWords say of a number that it is nobody's any more; old ones do so alone or
// with a word for a telephone.
var (
	goneWords = []string{
		"invalid", "disconnected", "inactive", "obsolete", "no longer", "not in use", "out of service", "out of use", "wrong number", "do not use",
		"ungültig", "abgemeldet", "inaktiv", "недействителен", "неактивен", "отключен", "отключён", "не обслуживается", "не использовать",
		"невалиден", "изключен", "закрит", "停机", "空号", "作废",
	}
	oldWords = []string{"old", "former", "formerly", "previous", "ehemalig", "früher", "старый", "бывший", "стар", "предишен"}
	ofPhone  = []string{"number", "no", "nr", "phone", "mobile", "cell", "home", "work", "office", "fax", "tel", "nummer", "handy", "номер", "телефон", "мобильный", "мобилен"}
)

// OutOfUse reads in what stands with a number that it is out of use. Whoever has it
// now is not the one it stands with.
func OutOfUse(text string) bool {
	text = strings.ToLower(text)
	for _, gone := range goneWords {
		if strings.Contains(text, gone) {
			return true
		}
	}
	words := strings.FieldsFunc(text, func(r rune) bool { return !unicode.IsLetter(r) })
	old := false
	for _, w := range words {
		switch {
		case slices.Contains(oldWords, w):
			old = true
		case !slices.Contains(ofPhone, w):
			return false
		}
	}
	return old
}

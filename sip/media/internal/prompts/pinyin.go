package main

import "strings"

// syllables are the characters of the Chinese texts in pinyin: the synthesiser
// reads no characters.
var syllables = map[rune]string{
	'您': "nin2",
	'现': "xian4",
	'在': "zai4",
	'排': "pai2",
	'第': "di4",
	'位': "wei4",
	'很': "hen3",
	'快': "kuai4",
	'会': "hui4",
	'有': "you3",
	'人': "ren2",
	'为': "wei4",
	'服': "fu2",
	'务': "wu4",
	'预': "yu4",
	'计': "ji4",
	'等': "deng3",
	'待': "dai4",
	'时': "shi2",
	'间': "jian1",
	'大': "da4",
	'约': "yue1",
	'到': "dao4",
	'不': "bu4",
	'超': "chao1",
	'过': "guo4",
	'零': "ling2",
	'两': "liang3",
	'个': "ge4",
	'小': "xiao3",
	'分': "fen1",
	'钟': "zhong1",
	'秒': "miao3",
	'一': "yi1",
	'二': "er4",
	'三': "san1",
	'四': "si4",
	'五': "wu3",
	'六': "liu4",
	'七': "qi1",
	'八': "ba1",
	'九': "jiu3",
	'十': "shi2",
	'百': "bai3",
	'千': "qian1",
}

// inPinyin writes a text so that the synthesiser can read it. What it does not
// know is left as it is, and heard to be wrong.
func inPinyin(text string) string {
	var out strings.Builder
	for _, r := range text {
		if s, ok := syllables[r]; ok {
			out.WriteString(s + " ")
		} else {
			out.WriteRune(r)
		}
	}
	return out.String()
}

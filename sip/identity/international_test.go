package identity

import (
	"fmt"
	"math/rand/v2"
	"regexp/syntax"
	"slices"
	"strings"
	"testing"

	"github.com/nyaruka/phonenumbers"
)

// Of no other number than stripped and 0 say can the library leave out the head.
func TestStrippedIsComplete(t *testing.T) {
	all, err := phonenumbers.MetadataCollection()
	if err != nil {
		t.Fatal(err)
	}
	checked := 0
	for _, m := range all.Metadata {
		code := int(m.GetCountryCode())
		if m.GetNationalPrefixForParsing() == "" || phonenumbers.GetRegionCodeForCountryCode(code) != m.GetId() {
			continue
		}
		checked++
		re, err := syntax.Parse("^(?:"+m.GetNationalPrefixForParsing()+")", syntax.Perl)
		if err != nil {
			t.Fatal(err)
		}
		prog, err := syntax.Compile(re.Simplify())
		if err != nil {
			t.Fatal(err)
		}
		for n := 100; n < 1000; n++ {
			head := fmt.Sprint(n)
			listed := false
			for _, prefix := range stripped[code] {
				listed = listed || strings.HasPrefix(head, prefix)
			}
			if !listed && mayMatch(prog, head) {
				t.Errorf("+%d %s may lose its head", code, head)
			}
		}
		for n := 0; n < 100 && slices.Contains(keepsZero, code); n++ {
			if head := fmt.Sprintf("0%02d", n); mayMatch(prog, head) {
				t.Errorf("+%d %s may lose its head", code, head)
			}
		}
	}
	if checked < 100 {
		t.Errorf("only %d country codes have been looked at", checked)
	}
}

// mayMatch reports whether a text that begins with head can match: in full
// already, or if the right characters follow. An empty match is none.
func mayMatch(prog *syntax.Prog, head string) bool {
	states := map[uint32]bool{uint32(prog.Start): true}
	for i := range len(head) {
		next := map[uint32]bool{}
		for s := range closure(prog, states) {
			in := &prog.Inst[s]
			switch in.Op {
			case syntax.InstMatch:
				if i > 0 {
					return true
				}
			case syntax.InstRune, syntax.InstRune1, syntax.InstRuneAny, syntax.InstRuneAnyNotNL:
				if in.MatchRune(rune(head[i])) {
					next[in.Out] = true
				}
			}
		}
		states = next
	}
	return len(states) > 0
}

func closure(prog *syntax.Prog, from map[uint32]bool) map[uint32]bool {
	all := map[uint32]bool{}
	var add func(uint32)
	add = func(s uint32) {
		if all[s] {
			return
		}
		all[s] = true
		switch in := &prog.Inst[s]; in.Op {
		case syntax.InstAlt, syntax.InstAltMatch:
			add(in.Out)
			add(in.Arg)
		case syntax.InstCapture, syntax.InstNop, syntax.InstEmptyWidth:
			add(in.Out)
		}
	}
	for s := range from {
		add(s)
	}
	return all
}

// What is read without the library is what it reads: the same number, of the
// same country, over all country codes and some that are none.
func TestInternationalIsTheLibrarys(t *testing.T) {
	dice := rand.New(rand.NewPCG(3, 4))
	codes := []int{10, 42, 200, 999}
	for code := range 1000 {
		if phonenumbers.GetRegionCodeForCountryCode(code) != phonenumbers.UNKNOWN_REGION {
			codes = append(codes, code)
		}
	}
	short, same, zero := 0, 0, 0
	for range 80_000 {
		digits := make([]byte, 3+dice.IntN(13))
		for i := range digits {
			digits[i] = byte('0' + dice.IntN(10))
		}
		code := codes[dice.IntN(len(codes))]
		if heads := stripped[code]; len(heads) > 0 && dice.IntN(2) == 0 {
			copy(digits, heads[dice.IntN(len(heads))])
		}
		if dice.IntN(20) == 0 {
			code = keepsZero[dice.IntN(len(keepsZero))]
			copy(digits, "000"[:1+dice.IntN(3)])
		}
		zeros := "00"[:max(0, dice.IntN(12)-9)] // some write +0044
		dialled := fmt.Sprintf("+%s%d%s", zeros, code, digits)
		p := international(dialled)
		if p == nil {
			continue
		}
		short++
		if p.GetItalianLeadingZero() {
			zero++
		}
		region := []string{"GB", "US", "RU", "ZZ", "AR", "FR"}[dice.IntN(6)]
		want, q, ok := believe(dialled, region)
		if !ok || want != newNumber(dialled) || country(p) != country(q) {
			t.Fatalf("%s in %s: %v, %q and %q", dialled, region, ok, country(p), country(q))
		}
		same++
	}
	if same < 10_000 || same != short || zero < 1000 {
		t.Errorf("only %d numbers have been read, %d of them with a zero in front", same, zero)
	}
}

package tracking

import (
	"strings"
	"testing"
)

// A reference is read as people write it, and one that was misheard is none.
func TestReferences(t *testing.T) {
	seen := map[string]bool{}
	for range 40 {
		ref := newRef()
		if got, ok := readRef(ref); !ok || got != ref || seen[ref] {
			t.Fatalf("%s is read as %q, %v", ref, got, ok)
		}
		seen[ref] = true
		spoken := strings.ToLower(strings.ReplaceAll(strings.ReplaceAll(ref[2:], "-", " "), "0", "o"))
		if got, ok := readRef(spoken); !ok || got != ref {
			t.Errorf("%q is read as %q, %v, want %s", spoken, got, ok, ref)
		}
		for i := 2; i < len(ref); i++ {
			if ref[i] == '-' {
				continue
			}
			for _, c := range refLetters {
				wrong := ref[:i] + string(c) + ref[i+1:]
				if _, ok := readRef(wrong); ok && wrong != ref {
					t.Fatalf("%s is a reference, and so is %s", ref, wrong)
				}
			}
		}
	}
	for _, text := range []string{"", "R", "R-", "R-7K3F9", "R-7K3F9-2QXMVV", "R-7K3F9-2QXM!", "R-7K3F9-2QXMU", "../../etc", strings.Repeat("R", 5000)} {
		if got, ok := readRef(text); ok {
			t.Errorf("%.20q is read as %s", text, got)
		}
	}
}

func FuzzReadRef(f *testing.F) {
	f.Add("R-7K3F9-2QXMV")
	f.Fuzz(func(t *testing.T, text string) {
		if ref, ok := readRef(text); ok {
			if again, ok := readRef(ref); !ok || again != ref {
				t.Errorf("%q is read as %q, and that as %q", text, ref, again)
			}
		}
	})
}

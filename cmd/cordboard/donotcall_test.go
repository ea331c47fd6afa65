package main

import (
	"compress/gzip"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A list is what the last file said that could be read; lines without a number are
// told, and a file of another country's numbers changes nothing.
func TestDoNotCallCommand(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	folder := filepath.Dir(o.server)
	file := func(name, text string) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	packed := file("packed.txt.gz", "")
	f, err := os.Create(packed)
	if err != nil {
		t.Fatal(err)
	}
	z := gzip.NewWriter(f)
	_, err = z.Write([]byte("+447700900411\n"))
	if err != nil || z.Close() != nil || f.Close() != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		stdin string
		args  []string
		exit  int
		out   string
		told  string
	}{
		{"", []string{"import", file("a.csv", "\ufeffTelephone,Since\r\n\"07700 900417\",2020-01-01\r\n+447700900417;x\r\n\r\n+447700900418\r\n"), "--region", "GB"}, 0, "2 numbers on the list register (1 given twice); ", ""},
		{"", []string{"list"}, 0, "register: 2 numbers, imported 20", ""},
		{"+447700900419\n", []string{"import", "-", "--list", "office", "--json"}, 0, `{"list":"office","numbers":1,"twice":0,"bad":0,`, ""},
		{"", []string{"import", packed, "--list", "tps"}, 0, "1 number on the list tps", ""},
		{"", []string{"import", file("b.txt", "+447700900420\n+447700900421\nnobody\n07700 900422\n")}, 1, "2 numbers on the list register", "2 lines without a number that --region \"\" can be read in, the first is line 3"},
		{"", []string{"import", file("c.txt", "number\n07700 900417\n")}, 1, "", "most lines have no number that --region \"\" can be read in, the first is line 2: nothing is changed"},
		{"", []string{"import", file("d.txt", "\n")}, 1, "", "no number in it"},
		{"", []string{"import", "nowhere.txt"}, 1, "", "nowhere.txt"},
		{"", []string{"import", packed, "--region", "UK"}, 1, "", "do you mean GB?"},
		{"", []string{"import", packed, "--list", "T P S"}, 1, "", "is not a name"},
		{"", []string{"remove", "tps"}, 0, "", ""},
		{"", []string{"remove", "tps"}, 1, "", "there is no list tps"},
		{"", []string{"list"}, 0, "office: 1 number, imported 20", ""},
	} {
		args := append([]string{"donotcall"}, append(c.args, "-c", o.server)...)
		out, told, exit := run(t, c.stdin, args...)
		if exit != c.exit || !strings.HasPrefix(out, c.out) || c.out == "" && out != "" || !strings.Contains(told, c.told) || strings.Contains(told, "900422") {
			t.Errorf("%v: exit %d, %q %q", c.args, exit, out, told)
		}
	}
}

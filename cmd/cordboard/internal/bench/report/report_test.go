package report

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestReport(t *testing.T) {
	var out bytes.Buffer
	r := New(&out)
	r.Add("call_cpu_us", "us", 812.4, 790.04, 1801)
	r.Add("pop_before_ring_ratio", "", 1)
	r.Add("nothing", "us")
	r.Note("run %d is void", 2)
	want := "bench: call_cpu_us 812.4 us\nspread: call_cpu_us 790..1801 of 3\nbench: pop_before_ring_ratio 1 \nnote: run 2 is void\n"
	if out.String() != want {
		t.Errorf("printed\n%swant\n%s", out.String(), want)
	}
	if v, ok := r.Value("call_cpu_us"); !ok || v != 812.4 {
		t.Errorf("median %v %v", v, ok)
	}
	path := filepath.Join(t.TempDir(), "r.json")
	if err := r.WriteFile(path); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var got Report
	if err := json.Unmarshal(b, &got); err != nil || len(got.Figures) != 2 || got.Figures[0].Max != 1801 || len(got.Notes) != 1 {
		t.Errorf("read back %+v, %v", got, err)
	}
}

func TestOrder(t *testing.T) {
	v := []float64{9, 1, 5, 3}
	if Median(v) != 4 || Median(v[:3]) != 5 || Median(nil) != 0 {
		t.Errorf("medians %v %v %v", Median(v), Median(v[:3]), Median(nil))
	}
	hundred := make([]float64, 100)
	for i := range hundred {
		hundred[99-i] = float64(i + 1)
	}
	for p, want := range map[float64]float64{0: 1, 50: 50, 99: 99, 99.5: 100, 100: 100} {
		if got := Percentile(hundred, p); got != want {
			t.Errorf("percentile %v of 1..100 is %v", p, got)
		}
	}
}

func TestParseGoBench(t *testing.T) {
	got := parseGoBench([]byte("goos: linux\nBenchmarkStep-2 \t 123 \t 8021.5 ns/op\t 12 B/op\nBenchmarkStep-2 \t 120 \t 8100 ns/op\nBenchmarkEval/deep \t 5 \t 70 ns/op\nPASS\n"))
	if !slices.Equal(got["Step"], []float64{8021.5, 8100}) || !slices.Equal(got["Eval/deep"], []float64{70}) || len(got) != 2 {
		t.Errorf("read %v", got)
	}
}

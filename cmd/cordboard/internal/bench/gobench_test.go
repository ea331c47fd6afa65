package bench

import (
	"slices"
	"testing"
)

func TestParseGoBench(t *testing.T) {
	got := parseGoBench([]byte("goos: linux\nBenchmarkStep-2 \t 123 \t 8021.5 ns/op\t 12 B/op\nBenchmarkStep-2 \t 120 \t 8100 ns/op\nBenchmarkEval/deep \t 5 \t 70 ns/op\nPASS\n"))
	if !slices.Equal(got["Step"], []float64{8021.5, 8100}) || !slices.Equal(got["Eval/deep"], []float64{70}) || len(got) != 2 {
		t.Errorf("read %v", got)
	}
}

package bench

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestReport(t *testing.T) {
	var out strings.Builder
	r := New(&out, "record")
	r.Line("ratio", 0.51239, "ratio")
	r.Runs("p99_us", "us", []float64{5, 1, 4, 2, 12345.6})
	r.Runs("once", "us", []float64{7})
	r.Runs("none", "us", nil)
	r.Note("%d customers", 3)
	want := "bench: ratio 0.5124 ratio\nbench: p99_us 4 us\nbench: p99_us_min 1 us\nbench: p99_us_max 12346 us\nbench: once 7 us\nbench: # 3 customers\n"
	if out.String() != want {
		t.Errorf("printed\n%s\nwant\n%s", out.String(), want)
	}
	path := filepath.Join(t.TempDir(), "r.json")
	if err := r.WriteFile(path); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var got reportFile
	if err := json.Unmarshal(b, &got); err != nil || got.Bench != "record" || len(got.Figures) != 4 || len(got.Figures[1].Runs) != 5 {
		t.Errorf("file %s, %v", b, err)
	}
}

func TestQuantile(t *testing.T) {
	v := []float64{4, 1, 3, 2}
	for q, want := range map[float64]float64{0: 1, 0.5: 2.5, 0.75: 3, 0.99: 4, 1: 4} {
		if got := Quantile(v, q); got != want {
			t.Errorf("quantile %v is %v, want %v", q, got, want)
		}
	}
	if v[0] != 4 {
		t.Error("the values were put in order")
	}
	if !math.IsNaN(Median(nil)) {
		t.Error("a median of nothing")
	}
}

func TestCalibrate(t *testing.T) {
	var out strings.Builder
	if err := New(&out, "x").Calibrate(t.TempDir()); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"calib_map_ns", "calib_sendto_us", "calib_fsync_us"} {
		if !strings.Contains(out.String(), "bench: "+name+" ") {
			t.Errorf("no %s in\n%s", name, out.String())
		}
	}
}

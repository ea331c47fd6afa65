// Package bench is what the benches have in common: the lines they print, the
// JSON file beside them, medians with their spread, and the calibration of the
// machine that every absolute figure is quoted with. It measures nothing of the
// product itself; the programs in its folders do.
package bench

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"time"
)

// Report collects the figures of one run and prints each as it is known. Its
// methods may be called from any goroutine.
type Report struct {
	mu   sync.Mutex
	out  io.Writer
	file reportFile
}

// reportFile is the JSON file of a run.
type reportFile struct {
	Bench   string    `json:"bench"`
	Started time.Time `json:"started"`
	Go      string    `json:"go"`
	CPUs    int       `json:"cpus"`
	Figures []Figure  `json:"figures"`
}

// Figure is one result. Runs holds what each repetition gave, in order; Value
// is their median.
type Figure struct {
	Name  string    `json:"name"`
	Value float64   `json:"value"`
	Unit  string    `json:"unit"`
	Runs  []float64 `json:"runs,omitempty"`
	Note  string    `json:"note,omitempty"`
}

// New begins the report of one bench; lines go to out.
func New(out io.Writer, name string) *Report {
	return &Report{out: out, file: reportFile{Bench: name, Started: time.Now().UTC(), Go: runtime.Version(), CPUs: runtime.NumCPU()}}
}

// Line prints "bench: NAME VALUE UNIT" and keeps the figure for the file.
func (r *Report) Line(name string, value float64, unit string) {
	r.add(Figure{Name: name, Value: value, Unit: unit})
}

// Runs prints the median of several repetitions under name, and their least
// and greatest as NAME_min and NAME_max. No runs: nothing.
func (r *Report) Runs(name, unit string, runs []float64) {
	switch len(runs) {
	case 0:
		return
	case 1:
		r.Line(name, runs[0], unit)
		return
	}
	r.add(Figure{Name: name, Value: Median(runs), Unit: unit, Runs: runs})
	r.print(Figure{Name: name + "_min", Value: slices.Min(runs), Unit: unit})
	r.print(Figure{Name: name + "_max", Value: slices.Max(runs), Unit: unit})
}

// Note prints a sentence that belongs to the figures ("bench: # ...") and keeps
// it in the file.
func (r *Report) Note(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.file.Figures = append(r.file.Figures, Figure{Name: "#", Note: text})
	fmt.Fprintln(r.out, "bench: #", text)
}

func (r *Report) add(f Figure) {
	r.mu.Lock()
	r.file.Figures = append(r.file.Figures, f)
	r.mu.Unlock()
	r.print(f)
}

func (r *Report) print(f Figure) {
	r.mu.Lock()
	defer r.mu.Unlock()
	fmt.Fprintln(r.out, "bench:", f.Name, number(f.Value), f.Unit)
}

// number keeps four significant digits, and all digits before the point.
func number(v float64) string {
	if a := math.Abs(v); a >= 1000 || a == 0 {
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	return strconv.FormatFloat(v, 'g', 4, 64)
}

// WriteFile writes the figures as JSON.
func (r *Report) WriteFile(path string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	b, err := json.MarshalIndent(r.file, "", "  ")
	if err != nil {
		return fmt.Errorf("bench: %w", err)
	}
	if err := os.WriteFile(path, append(b, '\n'), 0o644); err != nil {
		return fmt.Errorf("bench: %w", err)
	}
	return nil
}

// Median of values; NaN of none.
func Median(values []float64) float64 { return Quantile(values, 0.5) }

// Quantile q (0 to 1) of values by the nearest rank; the median of an even
// number is the mean of the middle two. NaN of none. The values keep their order.
func Quantile(values []float64, q float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	s := slices.Sorted(slices.Values(values))
	if q == 0.5 && len(s)%2 == 0 {
		return (s[len(s)/2-1] + s[len(s)/2]) / 2
	}
	return s[min(max(int(math.Ceil(q*float64(len(s))))-1, 0), len(s)-1)]
}

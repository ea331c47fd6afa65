// Package report prints the figures of a benchmark: one line for each, for
// people and for scripts, and a JSON file of the same. The programs under
// bench are its callers; it measures nothing itself.
package report

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"time"
)

// Figure is the median of what several runs gave, with the smallest and the
// largest of them.
type Figure struct {
	Name   string    `json:"name"`
	Value  float64   `json:"value"`
	Unit   string    `json:"unit"`
	Min    float64   `json:"min"`
	Max    float64   `json:"max"`
	Values []float64 `json:"values"`
}

// Report collects figures in the order they are added.
type Report struct {
	out     io.Writer
	Started time.Time `json:"started"`
	Figures []Figure  `json:"figures"`
	Notes   []string  `json:"notes,omitempty"`
}

// New prints to out.
func New(out io.Writer) *Report { return &Report{out: out, Started: time.Now().UTC()} }

// Add prints the median of the values as "bench: NAME VALUE UNIT", and, of
// several, the spread on a line of its own. Without a value it prints nothing.
func (r *Report) Add(name, unit string, values ...float64) {
	if len(values) == 0 {
		return
	}
	f := Figure{Name: name, Unit: unit, Value: Median(values), Min: slices.Min(values), Max: slices.Max(values), Values: values}
	r.Figures = append(r.Figures, f)
	fmt.Fprintf(r.out, "bench: %s %s %s\n", name, short(f.Value), unit)
	if len(values) > 1 {
		fmt.Fprintf(r.out, "spread: %s %s..%s of %d\n", name, short(f.Min), short(f.Max), len(values))
	}
}

// Note prints and keeps what a reader of the figures must know.
func (r *Report) Note(format string, args ...any) {
	n := fmt.Sprintf(format, args...)
	r.Notes = append(r.Notes, n)
	fmt.Fprintln(r.out, "note:", n)
}

// Value is the figure's median; false when it was not measured.
func (r *Report) Value(name string) (float64, bool) {
	for _, f := range r.Figures {
		if f.Name == name {
			return f.Value, true
		}
	}
	return 0, false
}

// WriteFile writes the report as JSON.
func (r *Report) WriteFile(path string) error {
	b, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	return os.WriteFile(path, append(b, '\n'), 0o644)
}

// Median of some values; of an even number the mean of the middle two.
func Median(values []float64) float64 {
	v := slices.Sorted(slices.Values(values))
	n := len(v)
	switch {
	case n == 0:
		return 0
	case n%2 == 1:
		return v[n/2]
	}
	return (v[n/2-1] + v[n/2]) / 2
}

// Percentile p (0 to 100) of some values, by nearest rank; 0 of none.
func Percentile(values []float64, p float64) float64 {
	if len(values) == 0 {
		return 0
	}
	v := slices.Sorted(slices.Values(values))
	rank := int(p/100*float64(len(v)) + 0.9999999)
	return v[min(max(rank, 1), len(v))-1]
}

// short writes a value with four digits that count.
func short(v float64) string {
	if v >= 1000 || v <= -1000 || v == float64(int64(v)) {
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	return strconv.FormatFloat(v, 'g', 4, 64)
}

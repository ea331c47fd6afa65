package identity

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

func TestParseNumber(t *testing.T) {
	codes := []string{"100", "*98", "1000"}
	tests := []struct {
		raw, region string
		want        string // "" with err
		err         error
	}{
		{"+442079460123", "", "+442079460123", nil},
		{"+44 (0)20 7946-0123", "", "+442079460123", nil},
		{"020 7946 0123", "GB", "+442079460123", nil},
		{"00442079460123", "DE", "+442079460123", nil},
		{"442079460123", "FR", "+442079460123", nil},
		{"442079460123", "", "+442079460123", nil},
		{"2025550123", "US", "+12025550123", nil},
		// Ranges kept for fiction: outside the plan, yet written in full.
		{"+447700900123", "", "+447700900123", nil},
		{"07700 900123", "GB", "+447700900123", nil},
		{"00447700900123", "FR", "+447700900123", nil},
		{"447700900123", "GB", "+447700900123", nil},
		{"01632 960001", "GB", "+441632960001", nil},
		{"+15550100", "", "+15550100", nil},
		{"8 000 123 45 67", "RU", "+70001234567", nil},
		// Not written in full, or of no possible length.
		{"1555010123", "US", "", ErrNotNumber},
		{"5550100", "US", "", ErrNotNumber},
		{"1001", "US", "", ErrNotNumber},
		{"911", "US", "", ErrNotNumber},
		{"112", "GB", "", ErrNotNumber},
		{"+44", "", "", ErrNotNumber},
		{"+441", "", "", ErrNotNumber},
		{"+1234567890123456789", "", "", ErrNotNumber},
		{"07700 900123", "", "", ErrNotNumber}, // national, but of which nation?
		{"alice", "GB", "", ErrNotNumber},
		{"bob447700900123", "GB", "", ErrNotNumber},
		{"+44770090012\r\n3", "GB", "", ErrNotNumber},
		{"*98*1", "GB", "", ErrNotNumber},
		{"", "GB", "", ErrNotNumber},
		{"+", "GB", "", ErrNotNumber},
		{strings.Repeat("4", 400), "GB", "", ErrNotNumber},
		// The dial plan comes first: 100 and 1000 would read as numbers of nobody.
		{"100", "GB", "", ErrShortCode},
		{"*98", "GB", "", ErrShortCode},
		{"1-000", "US", "", ErrShortCode},
	}
	for _, tt := range tests {
		n, err := ParseNumber(tt.raw, tt.region, codes)
		if n.E164() != tt.want || !errors.Is(err, tt.err) {
			t.Errorf("ParseNumber(%q, %q) = %q, %v; want %q, %v", tt.raw, tt.region, n.E164(), err, tt.want, tt.err)
		}
		if n.IsZero() != (tt.want == "") {
			t.Errorf("ParseNumber(%q): IsZero is %v", tt.raw, n.IsZero())
		}
	}
}

func TestNumbersCompare(t *testing.T) {
	a, _ := ParseNumber("07700 900123", "GB", nil)
	b, _ := ParseNumber("+447700900123", "", nil)
	c, _ := ParseNumber("+447700900124", "", nil)
	if a != b || a == c || a.IsZero() {
		t.Fatalf("a == b: %v, a == c: %v", a == b, a == c)
	}
	if m := map[Number]int{a: 1}; m[b] != 1 {
		t.Error("equal numbers are two keys of a map")
	}
}

// TestNumberRedacts prints a number in every way that a log line or an error
// could, fields that are not exported among them.
func TestNumberRedacts(t *testing.T) {
	n, err := ParseNumber("+447700900123", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	type holder struct {
		hidden Number
		Shown  Number
		list   []Number
		byKey  map[Number]Number
	}
	h := holder{hidden: n, Shown: n, list: []Number{n}, byKey: map[Number]Number{n: n}}
	var out strings.Builder
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%T"} {
		for _, v := range []any{n, &n, h, &h, []Number{n}, Caller{Number: n}, map[Number]bool{n: true}} {
			fmt.Fprintf(&out, verb+"\n", v)
		}
	}
	fmt.Fprintln(&out, fmt.Errorf("call of %v", n))
	b, err := json.Marshal(map[string]any{"n": n, "h": h, "k": map[Number]int{n: 1}})
	if err != nil {
		t.Fatal(err)
	}
	out.Write(b)
	slog.New(slog.NewTextHandler(&out, nil)).Info("x", "n", n, "h", h)
	slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "n", n, "h", h)
	core := zapcore.NewCore(zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig()), zapcore.AddSync(&out), zap.DebugLevel)
	zap.New(core).Info("x", zap.Any("n", n), zap.Stringer("s", n), zap.Reflect("r", h), zap.Any("h", &h), zap.Inline(zapcore.ObjectMarshalerFunc(
		func(e zapcore.ObjectEncoder) error { return e.AddReflected("o", n) })))
	got := out.String()
	for _, leak := range []string{"900123", "447700", fmt.Sprintf("%x", "900123"), fmt.Sprintf("%X", "900123")} {
		if strings.Contains(got, leak) {
			t.Errorf("the number shows as %s in:\n%s", leak, got)
		}
	}
	if !strings.Contains(got, redacted) {
		t.Errorf("no %s in:\n%s", redacted, got)
	}
	if zero := fmt.Sprint(Number{}); zero != noNumber {
		t.Errorf("the zero number prints as %s", zero)
	}
}

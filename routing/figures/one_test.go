package figures

import (
	"reflect"
	"testing"
)

// TestOneVisitPacked: no count of a visit is lost by packing it.
func TestOneVisitPacked(t *testing.T) {
	v := reflect.ValueOf(&Counts{}).Elem()
	for i := range v.NumField() {
		var c Counts
		reflect.ValueOf(&c).Elem().Field(i).SetInt(1)
		if got := c.One().Counts(); got != c {
			t.Errorf("%s is lost: %+v", v.Type().Field(i).Name, got)
		}
	}
	if c := (Counts{Answered: 1, Wait: 1 << 40}); c.One().Counts() != c {
		t.Errorf("a long wait is lost")
	}
}

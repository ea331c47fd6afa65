package store

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/cordboard/cordboard/screenpop/customer"
)

// someTexts are what people write, and what JSON must escape.
var someTexts = []string{"", "a", "Works evenings, patient.", `says "now" \ later`, "line\nline\ttab\x01", "<b>&\u2028", "\u20ac 5 \U0001f4de", "{[,:]}", `{"id":"1"},`}

// filled puts random things into all fields of a value.
func filled(draw *rand.Rand, v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if draw.IntN(2) == 0 {
			v.Set(reflect.New(v.Type().Elem()))
			filled(draw, v.Elem())
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), draw.IntN(4), 4))
		for i := range v.Len() {
			filled(draw, v.Index(i))
		}
	case reflect.Struct:
		if at, is := v.Addr().Interface().(*time.Time); is {
			*at = time.UnixMicro(draw.Int64N(2e15)).UTC()
			return
		}
		for i := range v.NumField() {
			filled(draw, v.Field(i))
		}
	case reflect.Map: // own fields: whatever JSON gives
		m := map[string]any{}
		for i, value := range []any{someTexts[draw.IntN(len(someTexts))], float64(draw.IntN(1 << 20)), true, []any{"a", someTexts[0]}, []any{}} {
			if draw.IntN(2) == 0 {
				m[fmt.Sprintf("own%d", i)] = value
			}
		}
		v.Set(reflect.ValueOf(m))
	case reflect.String:
		v.SetString(someTexts[draw.IntN(len(someTexts))])
	case reflect.Bool:
		v.SetBool(draw.IntN(2) == 0)
	default:
		v.SetInt(draw.Int64N(1<<55) >> draw.IntN(56) * int64(1-2*draw.IntN(2)))
	}
}

func someRecord(draw *rand.Rand) (r customer.Record) {
	filled(draw, reflect.ValueOf(&r).Elem())
	return r
}

func someDocument(t *testing.T, draw *rand.Rand) document {
	t.Helper()
	r := someRecord(draw)
	d, err := documentOf(&r, 0)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestDocumentReader: what a document says is what the general decoder reads in
// it, whatever is in its fields.
func TestDocumentReader(t *testing.T) {
	t.Parallel()
	draw := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		d := someDocument(t, draw)
		var got, want customer.Record
		if !readRecord(d.record, &got) {
			t.Fatalf("odd: %s", d.record)
		}
		if err := json.Unmarshal([]byte(d.record), &want); err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("%s\n got %+v\nwant %+v, %v", d.record, got, want, err)
		}
		if !readHistory(d.history, &got.Interactions) {
			t.Fatalf("odd: %s", d.history)
		}
		all, err := decodeHistory(d.history)
		if err != nil || !reflect.DeepEqual(got.Interactions, all) {
			t.Fatalf("%s\n got %+v\nwant %+v, %v", d.history, got.Interactions, all, err)
		}
	}
}

// TestRecordReader: a line of a file to import is what the general decoder reads
// in it, with white space or without, keys that come twice included.
func TestRecordReader(t *testing.T) {
	t.Parallel()
	draw := rand.New(rand.NewPCG(5, 6))
	var lines []string
	for range 300 {
		line, err := json.Marshal(someRecord(draw))
		if err != nil {
			t.Fatal(err)
		}
		var wide bytes.Buffer
		if err := json.Indent(&wide, line, " ", "\t"); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, string(line), " "+wide.String()+"\r\n")
	}
	for _, line := range lines {
		var got, want customer.Record
		if err := json.Unmarshal([]byte(line), &want); err != nil || !readRecord(line, &got) || !reflect.DeepEqual(got, want) {
			t.Fatalf("%s\n got %+v\nwant %+v, %v", line, got, want, err)
		}
	}
	for _, twice := range []string{
		`"billing":{"balance":{"minor":1}},"billing":{"paid_on":"x"}`, `"yearly_value":{"minor":1},"yearly_value":{"currency":"EUR"}`,
		`"last_agent":{"agent":"a"},"last_agent":{"name":"b"}`, `"interactions":[{"id":"a"}],"interactions":null`,
		`"products":[{"id":"a","note":"x"}],"products":[{"id":"b"}]`, `"heed":["a"],"heed":["b","c"]`, `"name":"a","name":"b"`,
		`"consent":{"phone":true},"consent":{"mail":false}`, `"billing":{"overdue":{"minor":1},"overdue":{"currency":"EUR"}}`,
		`"products":[{"price":{"minor":1},"price":{"currency":"EUR"}}]`,
	} {
		var got, want customer.Record
		if err := json.Unmarshal([]byte("{"+twice+"}"), &want); err != nil {
			t.Fatal(err)
		}
		if readRecord("{"+twice+"}", &got) && !reflect.DeepEqual(got, want) {
			t.Errorf("%s\n got %+v\nwant %+v", twice, got, want)
		}
	}
}

// TestDocumentReaderOnDamage: a document in which somebody's hand was is read as
// the general decoder reads it, or left to that.
func TestDocumentReaderOnDamage(t *testing.T) {
	t.Parallel()
	draw := rand.New(rand.NewPCG(3, 4))
	signs := []byte("\"\\{}[]:,-0159.eE \nnultrfase\x00\x1f\xff\u20acTZ")
	odd := 0
	for range 10_000 {
		text := []byte(someDocument(t, draw).record)
		if draw.IntN(2) == 0 {
			text, _ = json.Marshal(someRecord(draw))
		}
		for range 1 + draw.IntN(2) {
			i := draw.IntN(len(text))
			switch draw.IntN(3) {
			case 0:
				text = append(text[:i:i], text[i+1:]...)
			case 1:
				text[i] = signs[draw.IntN(len(signs))]
			case 2:
				text = append(append(text[:i:i], signs[draw.IntN(len(signs))]), text[i:]...)
			}
		}
		var got, want customer.Record
		if !readRecord(string(text), &got) {
			odd++
			continue
		}
		if err := json.Unmarshal(text, &want); err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("%s\n got %+v\nwant %+v, %v", text, got, want, err)
		}
	}
	if odd < 3000 {
		t.Errorf("%d were odd: nothing was damaged", odd)
	}
	var large customer.Record
	if readRecord(`{"version":18446744073709551617}`, &large) {
		t.Errorf("a number too large was read as %d", large.Version)
	}
}

// TestDocumentOfLaterRelease: a document with a field that we don't know is read,
// without that field.
func TestDocumentOfLaterRelease(t *testing.T) {
	t.Parallel()
	r := fullRecord()
	d, err := documentOf(&r, 0)
	if err != nil {
		t.Fatal(err)
	}
	plain, err := d.read()
	if err != nil {
		t.Fatal(err)
	}
	later := d
	later.record = strings.Replace(d.record, `{"id":`, `{"mood":{"now":[1,2.5]},"id":`, 1)
	later.history = strings.Replace(d.history, `{"id":`, `{"mood":"fine", "id":`, 1)
	var ignored customer.Record
	if later.record == d.record || readRecord(later.record, &ignored) || readHistory(later.history, &ignored.Interactions) {
		t.Fatal("it is not odd")
	}
	if got, err := later.read(); err != nil || !reflect.DeepEqual(got, plain) {
		t.Errorf("got %+v, %v\nwant %+v", got, err, plain)
	}
}

// FuzzRecord: a line is read as the general decoder reads it, or left to that.
func FuzzRecord(f *testing.F) {
	draw := rand.New(rand.NewPCG(7, 8))
	for range 40 {
		line, err := json.Marshal(someRecord(draw))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(line))
	}
	for _, line := range nearlyRecords {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		var got, want customer.Record
		if readRecord(line, &got) {
			if err := json.Unmarshal([]byte(line), &want); err != nil || !reflect.DeepEqual(got, want) {
				t.Fatalf("%s\n got %+v\nwant %+v, %v", line, got, want, err)
			}
		}
		var all []customer.Interaction
		if readHistory(line, &all) {
			if want, err := decodeHistory(line); err != nil || !reflect.DeepEqual(all, want) {
				t.Fatalf("%s\n got %+v\nwant %+v, %v", line, all, want, err)
			}
		}
	})
}

// nearlyRecords are read as such, or not, by one rule.
var nearlyRecords = []string{
	`{"last_agent_at":"2026-01-02T03:04:05\u005a"}`, `{"interactions":[{"at":"2026-01-02T03:04:05.123456789+05:30"}]}`, `{"last_agent_at":"2026-01-02T03:04:05,5Z"}`,
	`{"name":"\ud83d\ude00 \ud83d \udc00x \u0000 \u2028"}`, `{"name":"\q"}`, `{"name":"\u12g4"}`, "{\"name\":\"\x7f\u2028\ufffd\"}", "{\"name\":\"a\nb\"}", "{\"name\":\"\xc3(\"}",
	`{"version":-0}`, `{"version":-01}`, `{"version":1e2}`, `{"version":1.0}`, `{"version":999999999999999999}`, `{"version":9223372036854775807}`, `{"version":-}`,
	`{"consent":{"phone":null}}`, `{"consent":null}`, `{"billing":null}`, `{"numbers":null}`, `{"Name":"a"}`, `{"na\u006de":"a"}`, `{"name":"a",}`, `{,}`, `{"heed":[,]}`, `{"heed":["a",]}`,
	`{"heed":[null]}`, `{"heed":[]} {}`, "\ufeff{}", "{}\x00", "{\v}", `{"key_account":truex}`, `{"key_account":tru`, `{"id":"1"},{"id":"1","kept":false},`, `{"id":"1"} , `, `{"id":"1"}`,
}

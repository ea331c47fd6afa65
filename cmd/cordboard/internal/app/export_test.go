package app

import (
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/screenpop/customer"
	"github.com/cordboard/cordboard/store"
	"github.com/cordboard/cordboard/web"
)

// TestExport: what is kept of a customer who called is one file, the same by the
// API, from the command of a running server and with none running. The log says who
// asked for it, and nothing of her.
func TestExport(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{at: []agents.ID{anna}})
	r := record()
	r.Products = []customer.Product{{ID: "p1", Kind: "fibre9000", Name: "Fibre"}}
	r.Heed = []string{"moves to Leeds"}
	w.must(w.app.Store().SaveCustomers(w.ctx, []customer.Record{r}))
	c := w.dial(dial{to: toAsks})
	w.phase(anna, "talking")
	c.hangsUp()
	row := w.settled(answeredByCaller)[0]

	w.browse(w.links[anna]).ask(http.MethodPost, "/api/v1/exports", `{"customer":"LW-1"}`, http.StatusForbidden)
	w.must(w.app.Store().SaveUser(w.ctx, store.User{ID: string(boris), Role: web.RoleAdmin, Name: "Boris"}))
	admin := w.browse(w.links[boris])
	for body, code := range map[string]int{
		`{}`: http.StatusBadRequest, `{"customer":"LW-1","number":"` + dana + `"}`: http.StatusBadRequest,
		`{"number":"never"}`: http.StatusBadRequest, `{"number":"` + dana + `"}`: http.StatusConflict,
	} {
		admin.ask(http.MethodPost, "/api/v1/exports", body, code)
	}
	headers, text := admin.ask(http.MethodPost, "/api/v1/exports", `{"customer":"LW-1"}`, http.StatusOK)
	if got := headers.Get("Content-Disposition"); got != `attachment; filename="person.json"` {
		t.Errorf("the file is %q", got)
	}
	file := readPerson(t, text)
	if file.Format != "cordboard-person/1" || file.Customer == nil || file.Customer.Name != r.Name || file.Customer.Heed[0] != "moves to Leeds" {
		t.Errorf("the record is %+v", file.Customer)
	}
	if len(file.Calls) != 1 || file.Calls[0].Number != dana || file.Calls[0].Agent != anna || file.Calls[0].Call != row.Call ||
		len(file.Calls[0].Events) < 4 || len(file.Calls[0].Legs) == 0 {
		t.Errorf("the calls are %+v", file.Calls)
	}
	if len(file.Routing) == 0 || file.Routing[0].Customer == nil || !strings.Contains(fmt.Sprint(file.Routing[0].Customer.Products), "fibre9000") {
		t.Errorf("what routing knew is %+v", file.Routing)
	}

	asked, err := AskToExport(w.ctx, w.app.Server(), store.Person{Customer: "LW-1"}, "me")
	w.must(err)
	who := map[any]bool{}
	for _, e := range w.logs.All() {
		if e.Message == "a person's data was exported" {
			who[e.ContextMap()["user"]] = true
		}
		for _, word := range ofDana {
			if strings.Contains(fmt.Sprint(e.Message, e.ContextMap()), word) {
				t.Errorf("%s is logged: %s", word, e.Message)
			}
		}
	}
	if !who[string(boris)] || !who["command line: me"] || len(who) != 2 {
		t.Errorf("the log has %v", who)
	}
	if _, err := ExportFiles(w.ctx, w.app.Server(), store.Person{Customer: "LW-1"}, zap.NewNop()); err == nil || !strings.Contains(err.Error(), "another server has this store open") {
		t.Errorf("behind the server's back: %v", err)
	}
	w.stop()
	still, err := ExportFiles(w.ctx, w.app.Server(), store.Person{Customer: "LW-1"}, zap.NewNop())
	w.must(err)
	for name, other := range map[string][]byte{"asked": asked, "with no server running": still} {
		if got := readPerson(t, other); !reflect.DeepEqual(got, file) {
			t.Errorf("%s\n%s\nwant\n%s", name, other, text)
		}
	}
	nobody, err := ExportFiles(w.ctx, w.app.Server(), store.Person{Customer: "LW-1000"}, zap.NewNop())
	w.must(err)
	if f := readPerson(t, nobody); f.Customer != nil || len(f.Calls)+len(f.Contacts)+len(f.Numbers)+len(f.Routing) > 0 {
		t.Errorf("nobody is %s", nobody)
	}
}

// readPerson reads a file strictly, but for the moment it was made.
func readPerson(t *testing.T, text []byte) (f personFile) {
	t.Helper()
	in := json.NewDecoder(strings.NewReader(string(text)))
	in.DisallowUnknownFields()
	if err := in.Decode(&f); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	if time.Since(f.At) > time.Minute {
		t.Errorf("exported at %v", f.At)
	}
	f.At = time.Time{}
	for i := range f.Calls {
		for n, e := range f.Calls[i].Events { // blanks do not count
			var plain any
			if len(e.Data) > 0 && json.Unmarshal(e.Data, &plain) == nil {
				f.Calls[i].Events[n].Data, _ = json.Marshal(plain)
			}
		}
	}
	return f
}

// Nothing that the store gives of a call is left out of the file.
func TestExportOfACallIsWhole(t *testing.T) {
	t.Parallel()
	var c store.ExportedCall
	n := 0
	fillAll(t, reflect.ValueOf(&c).Elem(), &n)
	text, err := json.Marshal(callOf(&c, []string{"7.message"}))
	if err != nil {
		t.Fatal(err)
	}
	// The message's number, customer and name are those of the call and the record.
	c.Message.Number, c.Message.Customer, c.Message.Name = c.Number, c.Customer, ""
	for i := range c.Events {
		c.Events[i].Call = c.Call
	}
	c.Message.Call = c.Call
	for path, v := range leaves(reflect.ValueOf(c), "") {
		if v != "" && !strings.Contains(string(text), v) {
			t.Errorf("%s (%s) is not in %s", path, v, text)
		}
	}
}

// fillAll gives each field a value that no other has.
func fillAll(t *testing.T, v reflect.Value, n *int) {
	t.Helper()
	*n++
	switch v.Interface().(type) {
	case time.Time:
		v.Set(reflect.ValueOf(time.Date(2026, 11, 23, 1, 0, *n, 0, time.UTC)))
		return
	case json.RawMessage:
		v.SetBytes(fmt.Appendf(nil, `{"x":%d}`, 7_000_000+*n))
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			fillAll(t, v.Field(i), n)
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fillAll(t, v.Elem(), n)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fillAll(t, v.Index(0), n)
	case reflect.String:
		v.SetString(fmt.Sprintf("word %d", 7_000_000+*n))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64, reflect.Int32:
		v.SetInt(int64(7_000_000+*n) * int64(time.Millisecond))
	case reflect.Uint, reflect.Uint64, reflect.Uint32:
		v.SetUint(uint64(7_000_000 + *n))
	default:
		t.Fatalf("no value for a %s", v.Kind())
	}
}

// leaves are all values of a struct as the file would have them.
func leaves(v reflect.Value, path string) map[string]string {
	out := map[string]string{}
	switch at := v.Interface().(type) {
	case time.Time:
		return map[string]string{path: at.Format(time.RFC3339)}
	case time.Duration:
		return map[string]string{path: fmt.Sprint(at.Milliseconds())}
	case json.RawMessage:
		return map[string]string{path: string(at)}
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			for p, s := range leaves(v.Field(i), path+"."+v.Type().Field(i).Name) {
				out[p] = s
			}
		}
	case reflect.Pointer:
		return leaves(v.Elem(), path)
	case reflect.Slice:
		for i := range v.Len() {
			for p, s := range leaves(v.Index(i), fmt.Sprint(path, i)) {
				out[p] = s
			}
		}
	default:
		out[path] = fmt.Sprint(v.Interface())
	}
	return out
}

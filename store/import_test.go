package store_test

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/cordboard/cordboard/screenpop/customer"
	"github.com/cordboard/cordboard/store"
)

func fresh(t testing.TB) *store.Store {
	t.Helper()
	s := openAt(t, filepath.Join(t.TempDir(), "cordboard.db"))
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// load imports a text and returns what was rejected, "line id reason" each.
func load(t *testing.T, s *store.Store, format store.Format, text string) (store.Report, []string) {
	t.Helper()
	var rejects strings.Builder
	report, err := s.Import(t.Context(), strings.NewReader(text), format, store.ImportOptions{Region: "GB", Reject: &rejects})
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(strings.NewReader(rejects.String())).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for i, row := range rows {
		if i > 0 {
			out = append(out, strings.Join(row, " "))
		}
	}
	return report, out
}

func lookup(t *testing.T, s *store.Store, e164 string) *customer.Record {
	t.Helper()
	m, err := s.Lookup(t.Context(), e164)
	if err != nil || m.Record == nil {
		t.Fatalf("look-up: %+v, %v", m, err)
	}
	return m.Record
}

func TestImportCSV(t *testing.T) {
	t.Parallel()
	s := fresh(t)
	text := "\ufeffid,name,numbers,key_account,churn_risk,heed,consent_mail,currency,balance,overdue,overdue_days,products,customer_since,account_manager\r\n" +
		`A1,"Ashdown, Alice",mobile=07700 900001;home=(01632) 960 001;+447700900001,yes,70,Speak clearly; Ask twice,no,GBP,-64.2,64.20,12,fibre|Fibre 500|44|01632 960001;mobile|Mobile,2019-08-12,owen` + "\n" +
		"A2,Barlow,,,,,,,,,,,,\n" +
		"A3,Cartwright,12,,,,,,,,,,,\n" +
		",Nobody,,,,,,,,,,,,\n" +
		"A5,Dunmore,,maybe,,,,,,,,,,\n" +
		"A6,Ellery,,,,,,,12,,,,,\n" +
		"A7,Fairley,,,,,,GBP,1.234,,,,,\n" +
		"A8,too few\n" +
		"A9,Garside,,,101,,,,,,,,12/08/2019,\n" +
		"A10,\"a \"quote,,,,,,,,,,,,\n" +
		"A11,Jessop,+81312345678,,,,,JPY,-1200,,,,,\n"
	report, rejects := load(t, s, store.CSV, text)
	want := []string{
		"4 A3 number 1 is not a telephone number, and left out",
		"5  no id",
		"6 A5 key_account is not yes or no",
		"7 A6 balance: no currency",
		"8 A7 balance is not an amount like -12.50",
		"9  2 columns, the first row has 14",
		"10 A9 churn_risk is not 0 to 100",
		`11  extraneous or missing " in quoted-field`,
	}
	if !reflect.DeepEqual(rejects, want) {
		t.Errorf("rejects\n got %q\nwant %q", rejects, want)
	}
	if report != (store.Report{Line: 12, Bytes: int64(len(text)), Customers: 4, Numbers: 3, Products: 2, Rejected: 7, LeftOut: 1}) {
		t.Errorf("report %+v", report)
	}
	r := lookup(t, s, "+441632960001")
	if r.ID != "A1" || r.Name != "Ashdown, Alice" || !r.KeyAccount || *r.ChurnRisk != 70 || *r.Consent.Mail || r.Consent.Phone != nil ||
		!reflect.DeepEqual(r.Heed, []string{"Speak clearly", "Ask twice"}) || r.AccountManager.Agent != "owen" {
		t.Errorf("record %+v", r)
	}
	if b := r.Billing; b.Balance != (customer.Money{Minor: -6420, Currency: "GBP"}) || b.Overdue.Minor != 6420 || b.OverdueAge != 12 || b.Source != "import" || time.Since(b.At) > time.Hour {
		t.Errorf("billing %+v", b)
	}
	if !reflect.DeepEqual(r.Products, []customer.Product{
		{ID: "P1", Kind: "fibre", Name: "Fibre 500", Status: "active", Detail: "01632 960001", Price: &customer.Money{Minor: 4400, Currency: "GBP"}},
		{ID: "P2", Kind: "mobile", Name: "Mobile", Status: "active"},
	}) {
		t.Errorf("products %+v", r.Products)
	}
	if yen := lookup(t, s, "+81312345678").Billing.Balance.Minor; yen != -1200 {
		t.Errorf("yen have no decimals: %d", yen)
	}

	version := r.Version
	load(t, s, store.CSV, text)
	if r = lookup(t, s, "+441632960001"); r.Version != version {
		t.Errorf("the same file again changed version %d to %d", version, r.Version)
	}
	report, rejects = load(t, s, store.CSV, "id;name;numbers\nA1;Alice Ashdown;\"07700 900002;07700 900003\"\n")
	if report.Customers != 1 || report.Numbers != 2 || rejects != nil {
		t.Errorf("semicolons: %+v, %q", report, rejects)
	}
	if r = lookup(t, s, "+447700900003"); r.Version != version+1 || r.Billing != nil {
		t.Errorf("changed record %+v", r)
	}
}

func TestImportRefusesForeignCSV(t *testing.T) {
	t.Parallel()
	s := fresh(t)
	for text, says := range map[string]string{
		"":                       "empty",
		"id,name,shoe_size\n":    `unknown column "shoe_size"`,
		"id,numbers\nA,1\n":      `no column "name"`,
		"id,name,name\nA,b,c\n":  "twice",
		"\"id,name\nA1,Barlow\n": "first row",
	} {
		report, err := s.Import(t.Context(), strings.NewReader(text), store.CSV, store.ImportOptions{})
		if err == nil || !strings.Contains(err.Error(), says) || report.Customers != 0 {
			t.Errorf("%q: %+v, %v", text, report, err)
		}
	}
	if _, err := s.Import(t.Context(), strings.NewReader(""), "xml", store.ImportOptions{}); err == nil {
		t.Error("xml was taken")
	}
}

func TestImportJSONL(t *testing.T) {
	t.Parallel()
	s := fresh(t)
	whole := customer.Record{
		ID: "J1", Version: 1, Name: "Юлия Озерова", Language: "ru", Country: "RU", Numbers: []customer.Number{{E164: "+70001000001", Label: "mobile"}},
		Products:     []customer.Product{{ID: "p", Kind: "fibre", Name: "Интернет", Status: "active"}},
		Tickets:      []customer.Ticket{{ID: "T-1", Title: "Обрывы", Kind: "fault", Status: "open", OpenedAt: storetestTime}},
		Interactions: []customer.Interaction{{ID: "i", At: storetestTime, Channel: "chat", Title: "Вопрос"}}, Contacts: 4,
	}
	line, err := json.Marshal(whole)
	if err != nil {
		t.Fatal(err)
	}
	bad := func(id, rest string) string { return `{"id":"` + id + `","name":"N"` + rest + "}\n" }
	text := "\ufeff" + string(line) + "\n\n" +
		"{\"id\":\n" +
		bad("J3", `,"shoe":1`) +
		bad("J4", `,"churn_risk":"high"`) +
		bad("J5", `,"numbers":[{"e164":"07700 900009"},{"e164":"999999999999999999"}]`) +
		bad("J6", `,"tickets":[{"id":"a","title":"x","kind":"fault","status":"open","opened_at":"2026-01-02T00:00:00Z"},{"id":"a"}]`) +
		bad("J7", `,"tickets":[{"id":"a","title":"x","kind":"fault","status":"open","opened_at":"yesterday"}]`) +
		bad("J8", `,"interactions":[{"id":"a","at":"2026-01-02T00:00:00Z","channel":"pigeon"}]`) +
		bad("J9", `} {"x":1`) +
		bad("J10", `,"language":"english"`) +
		bad("J11", `,"products":[{"id":"a","kind":"tv","name":"TV","status":"gone"}]`) +
		bad("J12", `,"billing":{"balance":{"minor":1,"currency":"pounds"},"source":"x","at":"2026-01-02T00:00:00Z"}`) +
		bad("J13", `,"name":" "`) +
		strings.Repeat("x", 5<<20) + "\n" +
		bad("J15", `,"numbers":[{"e164":"07700 900015"}]`)[:len(bad("J15", `,"numbers":[{"e164":"07700 900015"}]`))-1]
	report, rejects := load(t, s, store.JSONL, text)
	want := []string{
		"3  not JSON: it ends too soon", `4 J3 unknown field "shoe"`, "5 J4 churn_risk is not of type int",
		"6 J5 number 2 is not a telephone number, and left out", "7 J6 ticket 2: its id is there twice", "8 J7 a time is not RFC 3339",
		"9 J8 interaction 1: unknown channel", "10 J9 more than one value on the line", "11 J10 language is not two small letters (ISO 639-1)",
		"12 J11 product 1: status is not active, paused, fault or ended", "13 J12 balance: currency is not three capital letters (ISO 4217)",
		"14 J13 no name", "15  line is longer than 4 MiB",
	}
	if !reflect.DeepEqual(rejects, want) {
		t.Errorf("rejects\n got %q\nwant %q", rejects, want)
	}
	if report != (store.Report{Line: 16, Bytes: int64(len(text)), Customers: 3, Numbers: 3, Products: 1, Tickets: 1, Interactions: 1, Rejected: 12, LeftOut: 1}) {
		t.Errorf("report %+v", report)
	}
	if got := lookup(t, s, "+70001000001"); !reflect.DeepEqual(*got, whole) {
		t.Errorf("record\n got %+v\nwant %+v", *got, whole)
	}
	lookup(t, s, "+447700900015")
}

var storetestTime = time.Date(2026, 11, 19, 14, 0, 0, 0, time.UTC)

// endless gives customers until somebody stops it.
type endless struct {
	n    int
	left []byte
}

func (e *endless) Read(p []byte) (int, error) {
	if len(e.left) == 0 {
		e.left = fmt.Appendf(nil, "{\"id\":\"C%d\",\"name\":\"N\",\"numbers\":[{\"e164\":\"+7000%07d\"}]}\n", e.n, e.n)
		e.n++
	}
	n := copy(p, e.left)
	e.left = e.left[n:]
	return n, nil
}

func TestImportInterrupted(t *testing.T) {
	t.Parallel()
	s := fresh(t)
	ctx, cancel := context.WithCancel(t.Context())
	calls := 0
	report, err := s.Import(ctx, &endless{}, store.JSONL, store.ImportOptions{Progress: func(store.Report) {
		if calls++; calls == 2 {
			cancel()
		}
	}})
	n, countErr := s.CountCustomers(t.Context())
	if !errors.Is(err, context.Canceled) || countErr != nil || report.Customers == 0 || int64(report.Customers) != n {
		t.Fatalf("report %+v, %d stored, %v, %v", report, n, err, countErr)
	}
}

func TestImportRejectFileFails(t *testing.T) {
	t.Parallel()
	s := fresh(t)
	r, w := io.Pipe()
	broken := errors.New("disk full")
	_ = r.CloseWithError(broken)
	if _, err := s.Import(t.Context(), strings.NewReader("{}\n"), store.JSONL, store.ImportOptions{Reject: w}); !errors.Is(err, broken) {
		t.Fatalf("rejects vanish silently: %v", err)
	}
}

package store

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/cordboard/cordboard/screenpop/customer"
)

// columns of a CSV file. The order in the file is free, only id and name must
// be there; docs/import.md says what each holds.
var csvColumns = []string{
	"id", "name", "language", "country", "zone", "numbers", "segment", "key_account", "customer_since",
	"churn_risk", "churn_reasons", "heed", "consent_phone", "consent_mail", "consent_sms", "consent_recording",
	"account_manager", "account_manager_name", "currency", "yearly_value", "balance", "overdue", "overdue_days",
	"last_bill", "last_bill_on", "paid_on", "next_bill_on", "we_owe", "we_owe_since", "products",
}

type csvFeed struct {
	in   *csv.Reader
	cols []string
	mark int64 // bytes of the byte order mark
}

// newCSVFeed reads the first row. A file whose columns are not understood is
// refused as a whole, before anything is stored.
func newCSVFeed(r io.Reader) (*csvFeed, error) {
	buf := bufio.NewReader(r)
	var bom int
	if mark, err := buf.Peek(3); err == nil && string(mark) == "\ufeff" {
		if bom, err = buf.Discard(3); err != nil {
			return nil, err
		}
	}
	in := csv.NewReader(buf)
	if comma, err := separator(buf); err != nil {
		return nil, err
	} else {
		in.Comma = comma
	}
	first, err := in.Read()
	switch {
	case errors.Is(err, io.EOF):
		return nil, errors.New("the file is empty: its first row names the columns")
	case err != nil:
		return nil, fmt.Errorf("first row: %w", err)
	}
	f := &csvFeed{in: in, mark: int64(bom)}
	for _, name := range first {
		name = strings.ToLower(strings.TrimSpace(name))
		if !slices.Contains(csvColumns, name) {
			return nil, fmt.Errorf("unknown column %q; known are %s", name, strings.Join(csvColumns, " "))
		}
		if slices.Contains(f.cols, name) {
			return nil, fmt.Errorf("column %q is there twice", name)
		}
		f.cols = append(f.cols, name)
	}
	for _, must := range []string{"id", "name"} {
		if !slices.Contains(f.cols, must) {
			return nil, fmt.Errorf("no column %q", must)
		}
	}
	return f, nil
}

// separator looks at the first row: column names hold neither of the two.
func separator(buf *bufio.Reader) (rune, error) {
	head, err := buf.Peek(buf.Size())
	if err != nil && !errors.Is(err, io.EOF) {
		return 0, err
	}
	row, _, _ := strings.Cut(string(head), "\n")
	if strings.Contains(row, ";") && !strings.Contains(row, ",") {
		return ';', nil
	}
	return ',', nil
}

func (f *csvFeed) offset() int64 { return f.mark + f.in.InputOffset() }

func (f *csvFeed) next() (r raw, err error) {
	r.cells, err = f.in.Read()
	var at *csv.ParseError
	switch {
	case errors.As(err, &at):
		r.line = at.StartLine
		if errors.Is(err, csv.ErrFieldCount) {
			return r, bad("%d columns, the first row has %d", len(r.cells), len(f.cols))
		}
		if errors.Is(err, csv.ErrQuote) && at.Line > at.StartLine {
			return r, bad("a quote opened here is not closed as it should, up to line %d", at.Line)
		}
		return r, bad("%v", at.Err)
	case err != nil:
		return r, err
	}
	r.line, _ = f.in.FieldPos(0)
	return r, nil
}

func (f *csvFeed) record(row raw) (customer.Record, error) {
	cells := make(map[string]string, len(f.cols))
	for i, name := range f.cols {
		cells[name] = strings.TrimSpace(row.cells[i])
	}
	for i, name := range f.cols {
		if !utf8.ValidString(row.cells[i]) {
			return customer.Record{ID: strings.ToValidUTF8(cells["id"], "?")}, bad("%s is %s", name, notText)
		}
	}
	return recordOf(cells)
}

// recordOf makes a record of a row. An empty cell is not known.
func recordOf(cell map[string]string) (r customer.Record, err error) {
	p := cellReader{cell: cell}
	r = customer.Record{
		ID: cell["id"], Name: cell["name"], Language: cell["language"], Country: cell["country"], Zone: cell["zone"],
		Segment: cell["segment"], CustomerSince: cell["customer_since"],
		ChurnReasons: list(cell["churn_reasons"]), Heed: list(cell["heed"]),
		ChurnRisk: p.number("churn_risk"), YearlyValue: p.money("yearly_value"),
		Consent: customer.Consent{
			Phone: p.flag("consent_phone"), Mail: p.flag("consent_mail"), SMS: p.flag("consent_sms"), Recording: p.flag("consent_recording"),
		},
	}
	if key := p.flag("key_account"); key != nil {
		r.KeyAccount = *key
	}
	if id := cell["account_manager"]; id != "" {
		r.AccountManager = &customer.Colleague{Agent: id, Name: cell["account_manager_name"]}
		if r.AccountManager.Name == "" {
			r.AccountManager.Name = id
		}
	}
	for _, n := range list(cell["numbers"]) {
		label, digits, labelled := strings.Cut(n, "=")
		if !labelled {
			label, digits = "", n
		}
		r.Numbers = append(r.Numbers, customer.Number{E164: strings.TrimSpace(digits), Label: strings.TrimSpace(label)})
	}
	r.Billing = p.billing()
	r.Products = p.products()
	return r, p.err
}

// list splits a cell at semicolons.
func list(cell string) (out []string) {
	for _, item := range strings.Split(cell, ";") {
		if item = strings.TrimSpace(item); item != "" {
			out = append(out, item)
		}
	}
	return out
}

// cellReader reads typed cells and keeps the first error.
type cellReader struct {
	cell map[string]string
	err  error
}

func (p *cellReader) fail(format string, args ...any) {
	if p.err == nil {
		p.err = bad(format, args...)
	}
}

func (p *cellReader) number(name string) *int {
	text := p.cell[name]
	if text == "" {
		return nil
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		p.fail("%s is not a whole number", name)
		return nil
	}
	return &n
}

func (p *cellReader) flag(name string) *bool {
	var v bool
	switch strings.ToLower(p.cell[name]) {
	case "":
		return nil
	case "yes", "true", "1", "y":
		v = true
	case "no", "false", "0", "n":
	default:
		p.fail("%s is not yes or no", name)
	}
	return &v
}

func (p *cellReader) money(name string) *customer.Money { return p.amount(name, p.cell[name]) }

func (p *cellReader) amount(name, text string) *customer.Money {
	if text == "" {
		return nil
	}
	currency := p.cell["currency"]
	if currency == "" {
		p.fail("%s: no currency", name)
		return nil
	}
	minor, ok := minorUnits(text, decimals(currency))
	if !ok {
		p.fail("%s is not an amount like -12.50", name)
		return nil
	}
	return &customer.Money{Minor: minor, Currency: currency}
}

func (p *cellReader) billing() *customer.Billing {
	balance := p.money("balance")
	if balance == nil {
		for _, name := range []string{"overdue", "overdue_days", "last_bill", "last_bill_on", "paid_on", "next_bill_on", "we_owe", "we_owe_since"} {
			if p.cell[name] != "" {
				p.fail("%s without balance", name)
			}
		}
		return nil
	}
	b := &customer.Billing{
		Balance: *balance, Overdue: p.money("overdue"), LastBill: p.money("last_bill"), LastBillOn: p.cell["last_bill_on"],
		PaidOn: p.cell["paid_on"], NextBillOn: p.cell["next_bill_on"], WeOwe: p.money("we_owe"), WeOweSince: p.cell["we_owe_since"],
	}
	if days := p.number("overdue_days"); days != nil {
		b.OverdueAge = *days
	}
	return b
}

// products are KIND|NAME|PRICE|DETAIL, the last two may be left out.
func (p *cellReader) products() (out []customer.Product) {
	for i, item := range list(p.cell["products"]) {
		f := strings.Split(item, "|")
		if len(f) < 2 || len(f) > 4 {
			p.fail("product %d is not KIND|NAME|PRICE|DETAIL", i+1)
			return nil
		}
		f = append(f, "", "")
		out = append(out, customer.Product{
			ID: "P" + strconv.Itoa(i+1), Kind: strings.TrimSpace(f[0]), Name: strings.TrimSpace(f[1]), Status: "active",
			Price: p.amount(fmt.Sprintf("price of product %d", i+1), strings.TrimSpace(f[2])), Detail: strings.TrimSpace(f[3]),
		})
	}
	return out
}

// minorUnits reads a decimal amount without rounding.
func minorUnits(text string, places int) (int64, bool) {
	sign := int64(1)
	if rest, negative := strings.CutPrefix(text, "-"); negative {
		text, sign = rest, -1
	}
	whole, fraction, _ := strings.Cut(text, ".")
	if whole == "" || len(fraction) > places {
		return 0, false
	}
	n, err := strconv.ParseUint(whole+fraction+strings.Repeat("0", places-len(fraction)), 10, 63)
	if err != nil {
		return 0, false
	}
	return sign * int64(n), true
}

// decimals is how many a currency has (ISO 4217); two but for these.
func decimals(currency string) int {
	switch currency {
	case "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF":
		return 0
	case "BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND":
		return 3
	case "CLF", "UYW":
		return 4
	}
	return 2
}

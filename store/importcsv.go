package store

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode"
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
	"contract_end", "usage_trend", "do_not_call", "fraud_flag", "birth_date", "kind",
}

// csvOpen are the columns whose cells may run over several lines: lists and
// sentences. In any other a line end is the work of a stray quote.
var csvOpen = []string{"numbers", "churn_reasons", "heed", "products"}

// maxRowLines is how many lines a row may have.
const maxRowLines = 10_000

// csvFeed reads rows. It looks ahead of a row that a quote leaves open, and when
// that turns out to be no row it goes on with the next line of the file: a
// stray quote costs the line it stands in and no other.
type csvFeed struct {
	lines lines
	comma byte
	cols  []string
	many  []bool // by column: cells may run over several lines
	n     int    // lines given so far
	taken int64  // bytes of these
	ahead []csvLine
}

// csvLine is a line of the file, or why there is none.
type csvLine struct {
	text string // without the line end
	size int64
	long bool
	err  error
}

// newCSVFeed reads the first row. A file whose columns are not understood is
// refused as a whole, before anything is stored.
func newCSVFeed(r io.Reader) (*csvFeed, error) {
	f := &csvFeed{lines: lines{in: bufio.NewReaderSize(r, 1<<16)}, comma: ','}
	if mark, err := f.lines.in.Peek(3); err == nil && string(mark) == "\ufeff" {
		bom, err := f.lines.in.Discard(3)
		if f.taken = int64(bom); err != nil {
			return nil, err
		}
	}
	first, err := f.line()
	for err == nil && first.text == "" && !first.long {
		first, err = f.line()
	}
	switch {
	case errors.Is(err, io.EOF):
		return nil, errors.New("the file is empty: its first row names the columns")
	case err != nil:
		return nil, fmt.Errorf("first row: %w", err)
	}
	if strings.Contains(first.text, ";") && !strings.Contains(first.text, ",") { // column names hold neither
		f.comma = ';'
	}
	row := csvRow{comma: f.comma}
	open, err := row.add(first.text)
	if err == nil && (open || first.long) {
		err = errors.New("it does not end on its line")
	}
	if err != nil {
		return nil, fmt.Errorf("first row: %w", err)
	}
	return f, f.columns(row.cells)
}

// columns takes the names of the first row.
func (f *csvFeed) columns(first []string) error {
	for _, name := range first {
		name = strings.ToLower(strings.TrimSpace(name))
		own, isOwn := strings.CutPrefix(name, fieldPrefix)
		if !slices.Contains(csvColumns, name) && (!isOwn || !fieldName.MatchString(own)) {
			return fmt.Errorf("unknown column %q; known are %s, and fields.NAME", name, strings.Join(csvColumns, " "))
		}
		if slices.Contains(f.cols, name) {
			return fmt.Errorf("column %q is there twice", name)
		}
		f.cols = append(f.cols, name)
		f.many = append(f.many, isOwn || slices.Contains(csvOpen, name))
	}
	for _, must := range []string{"id", "name"} {
		if !slices.Contains(f.cols, must) {
			return fmt.Errorf("no column %q", must)
		}
	}
	return nil
}

func (f *csvFeed) offset() int64 { return f.taken }

// peek looks at the i-th line from here; its err is io.EOF behind the last.
func (f *csvFeed) peek(i int) csvLine {
	for len(f.ahead) <= i {
		if n := len(f.ahead); n > 0 && f.ahead[n-1].err != nil {
			return f.ahead[n-1]
		}
		before := f.lines.size
		text, long, err := f.lines.read()
		text = bytes.TrimSuffix(bytes.TrimSuffix(text, []byte("\n")), []byte("\r"))
		f.ahead = append(f.ahead, csvLine{string(text), f.lines.size - before, long, err})
	}
	return f.ahead[i]
}

// line takes the next line.
func (f *csvFeed) line() (csvLine, error) {
	l := f.peek(0)
	if l.err != nil {
		return l, l.err
	}
	f.ahead = f.ahead[1:]
	f.n++
	f.taken += l.size
	return l, nil
}

// next gives a row. Empty lines are passed over.
func (f *csvFeed) next() (raw, error) {
	for {
		l, err := f.line()
		r := raw{line: f.n, last: f.n}
		switch {
		case err != nil:
			r.line++
			return r, err
		case l.long:
			return r, bad("line is longer than 4 MiB")
		case l.text != "":
			return f.row(r, l)
		}
	}
}

// row reads the row that begins with first.
func (f *csvFeed) row(r raw, first csvLine) (raw, error) {
	row := csvRow{comma: f.comma, cells: make([]string, 0, len(f.cols))}
	open, err := row.add(first.text)
	more, size := 0, first.size
	like := f.likeness()
	for ; open && err == nil; more++ {
		l := f.peek(more)
		size += l.size
		switch {
		case l.err != nil && !errors.Is(l.err, io.EOF):
			return r, l.err
		case l.err != nil:
			return r, bad("a quote is opened here and never closed")
		case size > maxLine:
			return r, bad("a quote is opened here and not closed within 4 MiB")
		case more == maxRowLines:
			return r, bad("a quote is opened here and not closed within %d lines", maxRowLines)
		case like(row.cells, l.text):
			return r, bad("a quote is opened here and not closed before line %d, which is a row by itself", f.n+1+more)
		}
		open, err = row.add(l.text)
	}
	switch {
	case err != nil && more > 0:
		return r, bad("a quote is opened here and not closed as it should, up to line %d", f.n+more)
	case err != nil:
		return r, err
	case len(row.cells) != len(f.cols) && more > 0:
		return r, bad("a quote is opened here and closed in line %d: that makes %d columns, the first row has %d", f.n+more, len(row.cells), len(f.cols))
	case len(row.cells) != len(f.cols):
		return r, bad("%d columns, the first row has %d", len(row.cells), len(f.cols))
	}
	if more > 0 {
		for i, cell := range row.cells {
			if !f.many[i] && strings.Contains(cell, "\n") {
				return r, bad("a quote is opened here and closed in line %d: %s runs over several lines", f.n+more, f.cols[i])
			}
		}
	}
	for range more {
		if _, err := f.line(); err != nil {
			return r, err
		}
	}
	r.cells, r.last = row.cells, f.n
	return r, nil
}

// likeness tells of a line which an open quote would take in whether it looks
// like a row by itself: as many separators, and in the id's place what is formed
// as the id of the row begun, once that has one.
func (f *csvFeed) likeness() func(begun []string, line string) bool {
	id, comma := slices.Index(f.cols, "id"), string(f.comma)
	known, want := false, ""
	return func(begun []string, line string) bool {
		if strings.Count(line, comma) != len(f.cols)-1 {
			return false
		}
		if !known && id < len(begun) {
			known, want = true, form(begun[id])
		}
		return !known || form(strings.Split(line, comma)[id]) == want
	}
}

// form is a text with each run of digits as 0 and each run of letters as a.
func form(text string) string {
	var b strings.Builder
	var last rune
	for _, c := range text {
		switch {
		case unicode.IsDigit(c):
			c = '0'
		case unicode.IsLetter(c):
			c = 'a'
		}
		if c != last || c != '0' && c != 'a' {
			b.WriteRune(c)
		}
		last = c
	}
	return b.String()
}

// csvRow cuts a row into cells (RFC 4180), line by line.
type csvRow struct {
	comma  byte
	cells  []string
	quoted strings.Builder // the cell that is open
	open   bool
}

// add reads a line of the row. open: a quote is still open at its end, and the
// row goes on in the next line.
func (r *csvRow) add(line string) (open bool, err error) {
	if r.open {
		r.quoted.WriteByte('\n')
		if line, err = r.inQuotes(line); err != nil || r.open || line == "" {
			return r.open, err
		}
		line = line[1:] // the separator
	}
	for {
		if strings.HasPrefix(line, `"`) {
			r.open = true
			if line, err = r.inQuotes(line[1:]); err != nil || r.open || line == "" {
				return r.open, err
			}
			line = line[1:]
			continue
		}
		end := strings.IndexByte(line, r.comma)
		cell := line
		if end >= 0 {
			cell = line[:end]
		}
		if strings.Contains(cell, `"`) {
			return false, bad(`bare " in non-quoted field`)
		}
		r.cells = append(r.cells, cell)
		if end < 0 {
			return false, nil
		}
		line = line[end+1:]
	}
}

// inQuotes reads up to the closing quote. What is left begins with a separator,
// or is "".
func (r *csvRow) inQuotes(line string) (rest string, err error) {
	for {
		end := strings.IndexByte(line, '"')
		if end < 0 {
			r.quoted.WriteString(line)
			return "", nil
		}
		r.quoted.WriteString(line[:end])
		line = line[end+1:]
		switch {
		case strings.HasPrefix(line, `"`):
			r.quoted.WriteByte('"')
			line = line[1:]
		case line == "" || line[0] == r.comma:
			r.cells = append(r.cells, r.quoted.String())
			r.quoted.Reset()
			r.open = false
			return line, nil
		default:
			return "", bad(`extraneous or missing " in quoted-field`)
		}
	}
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
	r.Kind = cell["kind"]
	r.ContractEnd, r.BirthDate, r.UsageTrend, r.Fields = cell["contract_end"], cell["birth_date"], p.number("usage_trend"), csvFields(cell)
	for column, to := range map[string]*bool{"do_not_call": &r.DoNotCall, "fraud_flag": &r.FraudFlag} {
		if yes := p.flag(column); yes != nil {
			*to = *yes
		}
	}
	if id := cell["account_manager"]; id != "" {
		r.AccountManager = &customer.Colleague{Agent: id, Name: cell["account_manager_name"]}
		if r.AccountManager.Name == "" {
			r.AccountManager.Name = id
		}
	}
	for _, n := range numberList(cell["numbers"]) {
		label, digits, labelled := strings.Cut(n, "=")
		if !labelled || strings.ContainsAny(label, "0123456789") && strings.HasSuffix(strings.ToLower(label), "ext") {
			label, digits = "", n
		}
		r.Numbers = append(r.Numbers, customer.Number{E164: strings.TrimSpace(digits), Label: strings.TrimSpace(label)})
	}
	r.Billing = p.billing()
	r.Products = p.products()
	return r, p.err
}

// numberList splits a cell with numbers; ";ext=12" belongs to the one before.
func numberList(cell string) (out []string) {
	for _, item := range list(cell) {
		if len(out) > 0 && strings.HasPrefix(strings.ToLower(item), "ext=") {
			out[len(out)-1] += ";" + item
			continue
		}
		out = append(out, item)
	}
	return out
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

package connector

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/types"
	"github.com/expr-lang/expr/vm"
	"golang.org/x/text/currency"

	"github.com/cordboard/cordboard/screenpop/customer"
)

// mapping turns what a system has answered into the record's own terms: for each
// part of the record an expression (expr-lang.org) over `body`, the decoded JSON,
// and the asked `id` and `number`, whose value has the form of the import.
type mapping struct {
	parts map[string]*vm.Program
	about *vm.Program // whom the answer is about, to be the asked id; nil: it doesn't say
}

// The parts, and the desk's panel that each adds to.
var panelOf = map[string]string{
	"billing": "money", "products": "products", "tickets": "tickets", "interactions": "timeline", "facts": "products",
}

// maxItems of a list are taken: a panel with more is of no use to anybody.
const maxItems = 200

var environment = []expr.Option{
	expr.Env(types.Map{"body": types.Any, "id": types.String, "number": types.String}),
	expr.Function("money", func(args ...any) (any, error) { return toMoney(args[0], args[1].(string)) }, new(func(any, string) map[string]any)),
	expr.Function("minor", func(args ...any) (any, error) { return minorUnits(args[0], args[1].(string)) }, new(func(any, string) map[string]any)),
	expr.Function("unix", func(args ...any) (any, error) { return fromUnix(args[0]) }, new(func(any) string)),
}

// readMapping reads the section `record` of a source.
func readMapping(s Settings) *mapping {
	m := &mapping{parts: map[string]*vm.Program{}}
	record := s.Section("record")
	if record == nil {
		s.Wrong("record", "say what of the record its answers fill: %s", strings.Join(partNames(), ", "))
		return m
	}
	for _, name := range partNames() {
		if p := compiled(record, name); p != nil {
			m.parts[name] = p
		}
	}
	m.about = compiled(s, "about")
	return m
}

func compiled(s Settings, key string) *vm.Program {
	text := s.Text(key)
	if text == "" {
		return nil
	}
	p, err := expr.Compile(text, environment...)
	if err != nil {
		first, _, _ := strings.Cut(err.Error(), "\n")
		s.Wrong(key, "%s", first)
		return nil
	}
	return p
}

func partNames() []string { return []string{"billing", "products", "tickets", "interactions", "facts"} }

func (m *mapping) panels() []string {
	var out []string
	for _, name := range partNames() {
		if m.parts[name] != nil {
			out = append(out, panelOf[name])
		}
	}
	return slices.Compact(out)
}

// errOther says that a system has answered about somebody else.
var errOther = errors.New("the answer is about another customer")

// part reads an answer. Its errors say where and of what kind, and not what stands
// there: that is somebody's data.
func (m *mapping) part(body any, who customer.Subject) (customer.Part, error) {
	env := map[string]any{"body": body, "id": who.ID, "number": who.Number}
	if m.about != nil {
		id, err := run(m.about, "about", env)
		if err != nil {
			return customer.Part{}, err
		}
		if said := plainText(id); said != who.ID {
			return customer.Part{}, errOther
		}
	}
	var p customer.Part
	into := map[string]any{"billing": &p.Billing, "products": &p.Products, "tickets": &p.Tickets, "interactions": &p.Interactions, "facts": &p.Facts}
	for _, name := range partNames() {
		program := m.parts[name]
		if program == nil {
			continue
		}
		v, err := run(program, name, env)
		if err != nil {
			return customer.Part{}, err
		}
		if err := read(name, v, into[name]); err != nil {
			return customer.Part{}, err
		}
	}
	if err := check(&p); err != nil {
		return customer.Part{}, err
	}
	return p, nil
}

// run keeps what an expression says of the values it met out of its error.
func run(p *vm.Program, name string, env map[string]any) (any, error) {
	v, err := expr.Run(p, env)
	if err != nil {
		return nil, fmt.Errorf("record.%s does not fit the answer", name)
	}
	return v, nil
}

// read brings a value into a part, strictly: a field that the record does not have,
// or of another type, is a mistake of the mapping or of the system.
func read(name string, v, into any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("record.%s: no JSON", name)
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		var wrong *json.UnmarshalTypeError
		switch {
		case errors.As(err, &wrong):
			return fmt.Errorf("record.%s: %s is a %s", name, wrong.Field, firstWord(wrong.Value))
		case strings.HasPrefix(err.Error(), "json: unknown field "):
			return fmt.Errorf("record.%s: %s", name, strings.TrimPrefix(err.Error(), "json: "))
		}
		return fmt.Errorf("record.%s: a value has not the form of the record", name)
	}
	return nil
}

// firstWord of "number 4711": the value itself is somebody's.
func firstWord(s string) string {
	word, _, _ := strings.Cut(s, " ")
	return word
}

// check refuses what a desk cannot show, and cuts what is too much.
func check(p *customer.Part) error {
	p.Products, p.Tickets, p.Facts = most(p.Products), most(p.Tickets), most(p.Facts)
	slices.SortStableFunc(p.Interactions, func(a, b customer.Interaction) int { return b.At.Compare(a.At) })
	p.Interactions = most(p.Interactions)
	if b := p.Billing; b != nil {
		if b.Balance.Currency == "" {
			return errors.New("record.billing: balance is missing")
		}
		for _, m := range []*customer.Money{&b.Balance, b.Overdue, b.LastBill, b.WeOwe} {
			if m != nil && !isCurrency(m.Currency) {
				return errors.New("record.billing: an amount has no currency (ISO 4217)")
			}
		}
	}
	for _, x := range p.Products {
		if x.ID == "" || x.Name == "" {
			return errors.New("record.products: one has no id or no name")
		}
		if x.Price != nil && !isCurrency(x.Price.Currency) {
			return errors.New("record.products: a price has no currency (ISO 4217)")
		}
	}
	for i := range p.Tickets {
		x := &p.Tickets[i]
		if x.ID == "" || x.Title == "" {
			return errors.New("record.tickets: one has no id or no title")
		}
		if x.Status != "open" && x.Status != "closed" {
			return errors.New("record.tickets: status is open or closed")
		}
	}
	for _, x := range p.Interactions {
		if x.ID == "" || x.At.IsZero() {
			return errors.New("record.interactions: one has no id or no time")
		}
	}
	for _, x := range p.Facts {
		if x.Name == "" {
			return errors.New("record.facts: one has no name")
		}
	}
	return nil
}

func most[T any](list []T) []T { return list[:min(len(list), maxItems)] }

func isCurrency(code string) bool {
	_, err := currency.ParseISO(code)
	return err == nil
}

// toMoney is an amount in major units, 12.3 or "12.30", as the record has money.
func toMoney(amount any, code string) (map[string]any, error) {
	return inMinor(amount, code, true)
}

// minorUnits is an amount that is in minor units already.
func minorUnits(amount any, code string) (map[string]any, error) {
	return inMinor(amount, code, false)
}

var errAmount = errors.New("not an amount")

func inMinor(amount any, code string, major bool) (map[string]any, error) {
	unit, err := currency.ParseISO(strings.ToUpper(code))
	if err != nil {
		return nil, errAmount
	}
	v, ok := new(big.Rat).SetString(plainText(amount))
	if !ok {
		return nil, errAmount
	}
	if major {
		scale, _ := currency.Standard.Rounding(unit)
		v.Mul(v, new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(scale)), nil)))
	}
	rounded, ok := new(big.Int).SetString(v.FloatString(0), 10)
	if !ok || !rounded.IsInt64() {
		return nil, errAmount
	}
	return map[string]any{"minor": rounded.Int64(), "currency": unit.String()}, nil
}

// fromUnix is seconds since 1970 as the record has times.
func fromUnix(v any) (string, error) {
	s, ok := new(big.Rat).SetString(plainText(v))
	if !ok {
		return "", errors.New("not a time")
	}
	f, _ := s.Float64()
	if math.Abs(f) > 1e11 {
		return "", errors.New("not a time")
	}
	return time.UnixMilli(int64(f * 1000)).UTC().Format(time.RFC3339Nano), nil
}

// plainText is a JSON number or text as it is written; "" for all else.
func plainText(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	case int:
		return fmt.Sprint(v)
	case float64:
		return big.NewFloat(v).Text('f', -1)
	}
	return ""
}

package store

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"

	"github.com/cordboard/cordboard/screenpop/customer"
)

// traits is what a customer's row keeps as one text: what routing asks for, or a desk
// shows, and nobody searches by.
type traits struct {
	ContractEnd string         `json:"contract_end,omitempty"`
	UsageTrend  *int           `json:"usage_trend,omitempty"`
	DoNotCall   bool           `json:"do_not_call,omitempty"`
	FraudFlag   bool           `json:"fraud_flag,omitempty"`
	BirthDate   string         `json:"birth_date,omitempty"`
	Fields      map[string]any `json:"fields,omitempty"`

	Kind        string                `json:"kind,omitempty"`
	PartOf      *customer.SubAccount  `json:"part_of,omitempty"`
	SubAccounts []customer.SubAccount `json:"sub_accounts,omitempty"`
}

// toTraits writes them, "" when there are none.
func toTraits(r *customer.Record) (string, error) {
	if r.ContractEnd == "" && r.UsageTrend == nil && !r.DoNotCall && !r.FraudFlag && r.BirthDate == "" && len(r.Fields) == 0 &&
		r.Kind == "" && r.PartOf == nil && len(r.SubAccounts) == 0 {
		return "", nil
	}
	b, err := json.Marshal(traits{r.ContractEnd, r.UsageTrend, r.DoNotCall, r.FraudFlag, r.BirthDate, r.Fields, r.Kind, r.PartOf, r.SubAccounts})
	return string(b), err
}

func fromTraits(text string, r *customer.Record) error {
	if text == "" {
		return nil
	}
	var t traits
	if err := json.Unmarshal([]byte(text), &t); err != nil {
		return err
	}
	r.ContractEnd, r.UsageTrend, r.DoNotCall, r.FraudFlag, r.BirthDate, r.Fields = t.ContractEnd, t.UsageTrend, t.DoNotCall, t.FraudFlag, t.BirthDate, t.Fields
	r.Kind, r.PartOf, r.SubAccounts = t.Kind, t.PartOf, t.SubAccounts
	return nil
}

// Bounds of own fields.
const (
	maxFields     = 64
	maxFieldList  = 64
	maxFieldChars = 1000
	fieldPrefix   = "fields." // of a CSV column
)

var fieldName = regexp.MustCompile(`^[a-z0-9_.]{1,64}$`)

// checkTraits refuses what cannot be right.
func checkTraits(r *customer.Record) error {
	if err := day("contract_end", r.ContractEnd); err != nil {
		return err
	}
	if err := day("birth_date", r.BirthDate); err != nil {
		return err
	}
	if !slices.Contains([]string{"", "person", "household", "company"}, r.Kind) {
		return bad("kind is not person, household or company")
	}
	if err := checkSubAccounts(r); err != nil {
		return err
	}
	if r.UsageTrend != nil && (*r.UsageTrend < -100 || *r.UsageTrend > 1_000_000) {
		return bad("usage_trend is not a percentage of -100 or more")
	}
	if len(r.Fields) > maxFields {
		return bad("more than %d fields", maxFields)
	}
	for name, v := range r.Fields {
		if !fieldName.MatchString(name) {
			return bad("a name under fields is not lower case letters, digits, _ and ., up to 64")
		}
		if why := fieldFault(v); why != "" {
			return bad("fields.%s %s", name, why)
		}
	}
	return nil
}

// maxSubAccounts is how many a desk is given: of more the source's own is the place.
const maxSubAccounts = 200

func checkSubAccounts(r *customer.Record) error {
	if len(r.SubAccounts) > maxSubAccounts {
		return bad("more than %d sub_accounts", maxSubAccounts)
	}
	seen := map[string]bool{}
	for i, s := range r.SubAccounts {
		if err := part("sub_account", i, s.ID, seen); err != nil {
			return err
		}
	}
	if r.PartOf != nil && (r.PartOf.ID == "" || r.PartOf.ID == r.ID || len(r.PartOf.ID) > maxID) {
		return bad("part_of has no id of another customer")
	}
	return nil
}

func fieldFault(v any) string {
	switch v := v.(type) {
	case bool:
	case string:
		if len(v) > maxFieldChars {
			return "is longer than 1000 bytes"
		}
	case float64:
		if v != float64(int64(v)) {
			return "has a fraction: money is whole minor units"
		}
	case []any:
		if len(v) > maxFieldList {
			return "has more than 64 entries"
		}
		for _, item := range v {
			if s, ok := item.(string); !ok || len(s) > maxFieldChars {
				return "is not a list of texts up to 1000 bytes"
			}
		}
	default:
		return "is no text, whole number, flag or list of texts"
	}
	return ""
}

// csvFields reads the columns of own fields; an empty cell is not known.
func csvFields(cells map[string]string) map[string]any {
	var out map[string]any
	for column, cell := range cells {
		name, own := strings.CutPrefix(column, fieldPrefix)
		if !own || cell == "" {
			continue
		}
		if out == nil {
			out = map[string]any{}
		}
		out[name] = cell
	}
	return out
}

// fields reads own fields of a document.
func (r *documentReader) fields(before map[string]any) map[string]any {
	r.once(before == nil)
	out := map[string]any{}
	r.object(func(name string) {
		_, twice := out[name]
		r.once(!twice)
		switch r.next() {
		case '"':
			out[name] = r.string()
		case 't', 'f':
			out[name] = r.yes()
		case '[':
			out[name] = listOf[any](r, nil, func(v *any) { *v = r.string() })
		default:
			out[name] = float64(r.whole())
		}
	})
	return out
}

func (r *documentReader) subAccount(to *customer.SubAccount) {
	r.object(func(key string) {
		switch key {
		case "id":
			to.ID = r.string()
		case "name":
			to.Name = r.string()
		case "detail":
			to.Detail = r.string()
		default:
			r.odd = true
		}
	})
}

// trait reads what routing asks for.
func (r *documentReader) trait(key string, to *customer.Record) bool {
	switch key {
	case "contract_end":
		to.ContractEnd = r.string()
	case "usage_trend":
		trend := int(r.whole())
		to.UsageTrend = &trend
	case "do_not_call":
		to.DoNotCall = r.yes()
	case "fraud_flag":
		to.FraudFlag = r.yes()
	case "birth_date":
		to.BirthDate = r.string()
	case "fields":
		to.Fields = r.fields(to.Fields)
	case "kind":
		to.Kind = r.string()
	case "part_of":
		r.once(to.PartOf == nil)
		to.PartOf = &customer.SubAccount{}
		r.subAccount(to.PartOf)
	case "sub_accounts":
		to.SubAccounts = listOf(r, to.SubAccounts, r.subAccount)
	default:
		return false
	}
	return true
}

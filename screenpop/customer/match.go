package customer

// Match is what a look-up found. Exactly one record: Record is set. Several:
// Candidates is set, Record is not, and nothing personal is shown before the
// agent chooses. None: both empty.
type Match struct {
	Record     *Record  `json:"record,omitempty"`
	Candidates []Record `json:"candidates,omitempty"`
	// Stale says that the record comes from the cache because no source
	// answered in time; At is its age then.
	Stale bool `json:"stale,omitempty"`
}

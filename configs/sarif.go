package configs

import (
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"path/filepath"
	"slices"
)

// PrintJSON writes the report as one JSON object.
func (r *Report) PrintJSON(w io.Writer) error {
	type finding struct {
		File     string `json:"file"`
		Line     int    `json:"line"`
		Column   int    `json:"column"`
		Severity string `json:"severity"` // E, W, N
		Code     string `json:"code"`
		Path     string `json:"path,omitempty"`
		Message  string `json:"message"`
		Shows    string `json:"shows,omitempty"`
		Accepted string `json:"accepted,omitempty"`
	}
	type missing struct {
		Checks  string `json:"checks"`
		Missing string `json:"missing"`
	}
	out := struct {
		File        string    `json:"file"`
		Findings    []finding `json:"findings"`
		Tests       int       `json:"tests"`
		Hold        int       `json:"hold"`
		NotPossible []missing `json:"not_possible"`
		Errors      int       `json:"errors"`
		Warnings    int       `json:"warnings"`
		Accepted    int       `json:"accepted"`
		Notes       int       `json:"notes"`
		Exit        int       `json:"exit"`
	}{r.File, []finding{}, r.Tests, r.Hold, []missing{}, r.Count(Error), r.Count(Warning), r.accepted(), r.Count(Note), r.Exit()}
	for _, f := range r.Findings {
		out.Findings = append(out.Findings, finding{f.File, f.Line, f.Col, f.Severity.Letter(), f.Code, f.path(), f.Msg, f.Shows, f.Accepted})
	}
	for _, n := range r.NotPossible {
		out.NotPossible = append(out.NotPossible, missing(n))
	}
	return encode(w, out)
}

func encode(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		return fmt.Errorf("print report: %w", err)
	}
	return nil
}

// The parts of SARIF 2.1.0 (OASIS, 27 March 2020) that a report fills; the
// sections are those of the standard.
type (
	sarifLog struct { // 3.13
		Version string     `json:"version"`
		Schema  string     `json:"$schema"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct { // 3.14
		Tool        sarifTool         `json:"tool"`
		Invocations []sarifInvocation `json:"invocations"`
		ColumnKind  string            `json:"columnKind"`
		Results     []sarifResult     `json:"results"`
	}
	sarifTool struct { // 3.18
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct { // 3.19
		Name    string      `json:"name"`
		Version string      `json:"version"`
		Rules   []sarifRule `json:"rules"`
	}
	sarifRule struct { // 3.49
		ID      string    `json:"id"`
		Short   sarifText `json:"shortDescription"`
		HelpURI string    `json:"helpUri"`
		Help    sarifText `json:"help"`
		Default struct {
			Level string `json:"level"`
		} `json:"defaultConfiguration"`
	}
	sarifText struct { // 3.11
		Text string `json:"text"`
	}
	sarifInvocation struct { // 3.20
		Successful    bool                `json:"executionSuccessful"`
		ExitCode      int                 `json:"exitCode"`
		Notifications []sarifNotification `json:"toolExecutionNotifications"`
	}
	sarifNotification struct { // 3.58
		Level   string    `json:"level"`
		Message sarifText `json:"message"`
	}
	sarifResult struct { // 3.27
		RuleID       string             `json:"ruleId"`
		RuleIndex    int                `json:"ruleIndex"`
		Level        string             `json:"level"`
		Message      sarifText          `json:"message"`
		Locations    []sarifLocation    `json:"locations"`
		Suppressions []sarifSuppression `json:"suppressions,omitempty"`
	}
	sarifLocation struct { // 3.28
		Physical sarifPhysical  `json:"physicalLocation"`
		Logical  []sarifLogical `json:"logicalLocations,omitempty"`
	}
	sarifPhysical struct { // 3.29
		Artifact struct {
			URI string `json:"uri"`
		} `json:"artifactLocation"`
		Region struct {
			StartLine   int `json:"startLine"`
			StartColumn int `json:"startColumn"`
		} `json:"region"`
	}
	sarifLogical struct { // 3.33
		Name string `json:"fullyQualifiedName"`
	}
	sarifSuppression struct { // 3.35
		Kind          string `json:"kind"`
		Status        string `json:"status"`
		Justification string `json:"justification"`
	}
)

// codesAt is where the guide has the table of codes.
const codesAt = "https://github.com/cordboard/cordboard/blob/main/docs/routing.md#codes-of-findings"

// help is what a finding of the kind means, and does.
func (l Lint) help() string {
	out := l.Code + ": " + l.What + "."
	switch l.Severity {
	case Error:
		out += " An error: the file is refused, here and wherever it is read."
	case Warning:
		out += " A warning: likely a mistake. Mend it, or accept it with a reason under lint.allow."
	case Note:
		out += " A note: it informs, and nothing need be done."
	}
	if l.Needs != "" {
		out += " Found where the check is given what the document alone does not hold: " + l.Needs + "."
	}
	return out
}

func sarifLevel(s Severity) string {
	switch s {
	case Warning:
		return "warning"
	case Note:
		return "note"
	}
	return "error"
}

// PrintSARIF writes the report as a SARIF 2.1.0 log, for code scanning; version
// is the program's.
func (r *Report) PrintSARIF(w io.Writer, version string) error {
	run := sarifRun{ColumnKind: "unicodeCodePoints", Results: []sarifResult{}}
	run.Tool.Driver = sarifDriver{Name: "cordboard", Version: version}
	kinds := Catalogue()
	for _, k := range kinds {
		rule := sarifRule{ID: k.Code, Short: sarifText{k.What}, HelpURI: codesAt, Help: sarifText{k.help()}}
		rule.Default.Level = sarifLevel(k.Severity)
		run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, rule)
	}
	for _, f := range r.Findings {
		run.Results = append(run.Results, sarifOf(f, slices.IndexFunc(kinds, func(k Lint) bool { return k.Code == f.Code })))
	}
	done := sarifInvocation{Successful: true, ExitCode: r.Exit(), Notifications: []sarifNotification{}}
	for _, n := range r.NotPossible {
		done.Notifications = append(done.Notifications, sarifNotification{"note", sarifText{"not possible: " + n.Checks + " (" + n.Missing + ")"}})
	}
	run.Invocations = []sarifInvocation{done}
	return encode(w, sarifLog{Version: "2.1.0", Schema: "https://json.schemastore.org/sarif-2.1.0.json", Runs: []sarifRun{run}})
}

func sarifOf(f Finding, index int) sarifResult {
	out := sarifResult{RuleID: f.Code, RuleIndex: index, Level: sarifLevel(f.Severity), Message: sarifText{f.Msg}}
	if path := f.path(); path != "" {
		out.Message.Text = path + ": " + f.Msg
	}
	if f.Shows != "" {
		out.Message.Text += " | " + f.Shows
	}
	var at sarifLocation
	at.Physical.Artifact.URI = (&url.URL{Path: filepath.ToSlash(f.File)}).String()
	at.Physical.Region.StartLine, at.Physical.Region.StartColumn = f.Line, f.Col
	if path := f.path(); path != "" {
		at.Logical = []sarifLogical{{path}}
	}
	out.Locations = []sarifLocation{at}
	if f.Accepted != "" {
		out.Suppressions = []sarifSuppression{{"inSource", "accepted", f.Accepted}}
	}
	return out
}

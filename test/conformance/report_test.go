// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package conformance_test

import (
	stdcmp "cmp"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/google/go-cmp/cmp"
	. "github.com/onsi/ginkgo/v2"
)

// outcome is what came of the features so far.
var outcome = results{}

// results are the cells, by column and name of the feature.
type results map[string]map[string]cell

func (all results) note(column, feature string, c cell) {
	if all[column] == nil {
		all[column] = map[string]cell{}
	}
	all[column][feature] = c
}

// whole says whether every feature has a result in every column.
func (all results) whole(columns []string) bool {
	for _, c := range contract {
		for _, r := range c.rows {
			for _, column := range columns {
				if state := all[column][r.name].state; state == "" || state == failed {
					return false
				}
			}
		}
	}
	return true
}

// notes are the reasons, each once, in the order in which the table comes to them.
type notes struct{ list []cell }

func (n *notes) number(c cell) int {
	i := slices.Index(n.list, c)
	if i < 0 {
		n.list = append(n.list, c)
		i = len(n.list) - 1
	}
	return i + 1
}

// table prints the features by section, and then what isn't there and why.
func (all results) table(columns []string) string {
	var out strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&out, format+"\n", args...) }
	var whys notes
	for _, c := range contract {
		line("## %s\n", c.title)
		line("| an adapter | %s |", strings.Join(columns, " | "))
		line("|---%s|", strings.Repeat("|---", len(columns)))
		for _, r := range c.rows {
			cells := make([]string, len(columns))
			for i, column := range columns {
				result := all[column][r.name]
				cells[i] = stdcmp.Or(result.state, "not run")
				if result.reason != "" && result.state != failed {
					cells[i] += fmt.Sprintf(" [%d](#%s)", whys.number(result), anchor)
				}
			}
			line("| %s | %s |", r.name, strings.Join(cells, " | "))
		}
		line("")
	}
	if len(whys.list) > 0 {
		line("## %s\n", explained)
		line("In the adapter's own words.\n")
		for i, why := range whys.list {
			line("%d. %s: %s.", i+1, why.state, why.reason)
		}
	}
	return strings.TrimRight(out.String(), "\n") + "\n"
}

// The heading of the reasons, and where links to it lead.
const (
	explained = "What is not there, and why"
	anchor    = "what-is-not-there-and-why"
)

// The report is printed after every run. The columns of the run are compared
// with the page, or written to it, when every feature was seen on servers of
// our own and nothing failed. Those that the run left out stay as the page has them.
var _ = ReportAfterSuite("the report", func(report Report) {
	if report.SuiteConfig.DryRun || report.SpecialSuiteFailureReasons != nil {
		return
	}
	var shown []string
	for _, c := range columns {
		shown = append(shown, c.title)
	}
	fmt.Printf("\n%s\n", outcome.table(shown))
	for title, why := range missing {
		fmt.Printf("%s was left out: %v\n", title, why)
	}
	if targetFromEnvironment().url != "" || !outcome.whole(shown) {
		if *write {
			Fail("docs/conformance.md is not written: that takes every feature, on servers of our own, and no failure")
		}
		fmt.Println("Not compared with docs/conformance.md: that takes every feature, on servers of our own, and no failure.")
		return
	}
	content, err := os.ReadFile(pagePath)
	if err != nil {
		content = nil // as good as one that says nothing
	}
	now := readPage(string(content)).with(columns, outcome)
	if *write {
		if titles := now.titles(); !now.cells.whole(titles) || len(titles) < len(platforms) {
			Fail("docs/conformance.md is not written: a column that the run left out is not on it, or lacks a feature")
		}
		if err := os.WriteFile(pagePath, []byte(now.String()), 0o644); err != nil { //nolint:gosec // a page is for everybody to read
			Fail(err.Error())
		}
		return
	}
	if diff := cmp.Diff(string(content), now.String()); diff != "" {
		Fail("docs/conformance.md does not say what this run gave (+). Find out why it changed; make conformance-report writes it:\n" + diff)
	}
})

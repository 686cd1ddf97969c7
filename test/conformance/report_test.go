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

// pagePath is the page, from this folder.
const pagePath = "../../docs/conformance.md"

// page is docs/conformance.md as this run would have it.
func (all results) page(columns []*column) string {
	var out strings.Builder
	out.WriteString("# Conformance\n\n" +
		"<!-- make conformance-report writes this page; make test compares it with what its run gave. -->\n\n" +
		"Every adapter keeps one contract ([design](design.md#4-the-platform-contract)), and one suite, `test/conformance`, holds\n" +
		"each of them to it, on real servers. A line is one feature, with a spec of the same name. What a platform can't do is what\n" +
		"its adapter says: a capability of the probe, a loss of the normal form, or the answer to a write. A setting that is taken\n" +
		"away without a word is a failure.\n\n" +
		"The same against another server, such as Synapse: [CONTRIBUTING](../CONTRIBUTING.md#an-adapter-on-another-server).\n\n")
	out.WriteString("| column | server | what its adapter says of it |\n|---|---|---|\n")
	titles := make([]string, 0, len(columns))
	for _, c := range columns {
		titles = append(titles, c.title)
		fmt.Fprintf(&out, "| %s | %s | %s |\n", c.title, c.software(), c.main.info.Server)
	}
	out.WriteString("\n" + all.table(titles))
	return out.String()
}

// The report is printed after every run. It is compared with the page, or
// written to it, when it is the whole suite on servers of our own.
var _ = ReportAfterSuite("the report", func(report Report) {
	if report.SuiteConfig.DryRun || report.SpecialSuiteFailureReasons != nil {
		return
	}
	var shown, all []string
	for _, c := range columns {
		shown = append(shown, c.title)
	}
	for _, p := range platforms {
		all = append(all, p.title)
	}
	fmt.Printf("\n%s\n", outcome.table(shown))
	if targetFromEnvironment().url != "" || !slices.Equal(shown, all) || !outcome.whole(all) {
		for title, why := range missing {
			fmt.Printf("%s was left out: %v\n", title, why)
		}
		if *write {
			Fail("docs/conformance.md is not written: that takes every feature, on every server of our own, and no failure")
		}
		fmt.Println("Not compared with docs/conformance.md: that takes every feature, on every server of our own, and no failure.")
		return
	}
	page := outcome.page(columns)
	if *write {
		if err := os.WriteFile(pagePath, []byte(page), 0o644); err != nil { //nolint:gosec // a page is for everybody to read
			Fail(err.Error())
		}
		return
	}
	content, err := os.ReadFile(pagePath)
	if err != nil {
		content = nil // as good as one that says nothing
	}
	if diff := cmp.Diff(string(content), page); diff != "" {
		Fail("docs/conformance.md does not say what this run gave (+). Find out why it changed; make conformance-report writes it:\n" + diff)
	}
})

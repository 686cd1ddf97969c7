// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package conformance_test

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// pagePath is the page, from this folder.
const pagePath = "../../docs/conformance.md"

// paper is what docs/conformance.md says: a head for each column, in order, and the cells.
type paper struct {
	heads []head
	cells results
}

// head is a column's row in the first table of the page.
type head struct{ title, software, says string }

const (
	headRow    = "| column | server | what its adapter says of it |"
	featureRow = "| an adapter |"
)

// String is the page.
func (p paper) String() string {
	var out strings.Builder
	out.WriteString("# Conformance\n\n" +
		"<!-- make conformance-report writes this page; make test compares the columns that it runs. -->\n\n" +
		"Every adapter keeps one contract ([design](design.md#4-the-platform-contract)), and one suite, `test/conformance`, holds\n" +
		"each of them to it, on real servers. A line is one feature, with a spec of the same name. What a platform can't do is what\n" +
		"its adapter says: a capability of the probe, a loss of the normal form, or the answer to a write. A setting that is taken\n" +
		"away without a word is a failure.\n\n" +
		"The same against a server of yours: [CONTRIBUTING](../CONTRIBUTING.md#an-adapter-on-another-server).\n\n")
	out.WriteString(headRow + "\n|---|---|---|\n")
	for _, h := range p.heads {
		fmt.Fprintf(&out, "| %s | %s | %s |\n", h.title, h.software, h.says)
	}
	out.WriteString("\n" + p.cells.table(p.titles()))
	return out.String()
}

// titles are the headings of the columns.
func (p paper) titles() []string {
	titles := make([]string, 0, len(p.heads))
	for _, h := range p.heads {
		titles = append(titles, h.title)
	}
	return titles
}

// with is the page with what a run gave, in the order of platforms. A column
// that the run left out stays as it is; one that there is no platform for goes.
func (p paper) with(run []*column, came results) paper {
	now := paper{cells: results{}}
	for _, under := range platforms {
		if i := slices.IndexFunc(run, func(c *column) bool { return c.title == under.title }); i >= 0 {
			is := head{under.title, run[i].software(), run[i].main.info.Server}
			if before := slices.Index(p.titles(), under.title); under.moves && before >= 0 && !*write {
				is = p.heads[before]
			}
			now.heads = append(now.heads, is)
			now.cells[under.title] = came[under.title]
		} else if i := slices.Index(p.titles(), under.title); i >= 0 {
			now.heads = append(now.heads, p.heads[i])
			now.cells[under.title] = p.cells[under.title]
		}
	}
	return now
}

var (
	noted    = regexp.MustCompile(`^(\w+) \[(\d+)\]`)
	noteLine = regexp.MustCompile(`^(\d+)\. (\w+): (.*)\.$`)
)

// readPage reads what String wrote. Of another text it understands what it can.
func readPage(content string) paper {
	p := paper{cells: results{}}
	lines := strings.Split(content, "\n")
	reasons := map[string]string{}
	for _, line := range lines {
		if m := noteLine.FindStringSubmatch(line); m != nil {
			reasons[m[1]] = m[3]
		}
	}
	var titles []string // of the table that a line is in; nil in the first one
	inHeads := false
	for _, line := range lines {
		row := strings.Split(strings.TrimSuffix(strings.TrimPrefix(line, "| "), " |"), " | ")
		switch {
		case line == headRow:
			inHeads = true
		case strings.HasPrefix(line, featureRow):
			inHeads, titles = false, row[1:]
		case !strings.HasPrefix(line, "| "):
		case inHeads && len(row) == 3:
			p.heads = append(p.heads, head{row[0], row[1], row[2]})
		case len(row) == len(titles)+1:
			for i, title := range titles {
				c := cell{state: row[i+1]}
				if m := noted.FindStringSubmatch(row[i+1]); m != nil {
					c = cell{m[1], reasons[m[2]]}
				}
				p.cells.note(title, row[0], c)
			}
		}
	}
	return p
}

func TestThePageIsReadAsItWasWritten(t *testing.T) {
	if *write {
		t.Skip("this run writes the page anew")
	}
	content, err := os.ReadFile(pagePath)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(content), readPage(string(content)).String()); diff != "" {
		t.Fatal(diff)
	}
}

func TestOnlyTheColumnsOfARunAreNew(t *testing.T) {
	was := paper{cells: results{}}
	came := results{}
	for i, under := range platforms {
		was.heads = append(was.heads, head{under.title, "a server", strconv.Itoa(i)})
		for _, c := range contract {
			for _, r := range c.rows {
				was.cells.note(under.title, r.name, cell{"Unsupported", "there is none on " + under.title})
				came.note(under.title, r.name, cell{state: passed})
			}
		}
	}
	last := platforms[len(platforms)-1].title
	ran := &column{server: newInMemory(), title: last, main: &actor{}}
	ran.main.info.Server = "now"

	now := readPage(was.String()).with([]*column{ran}, came)
	if got := now.titles(); !slices.Equal(got, was.titles()) {
		t.Errorf("the columns are %v and were %v", got, was.titles())
	}
	for _, title := range now.titles() {
		want := was.cells[title]
		if title == last {
			want = came[title]
		}
		if diff := cmp.Diff(want, now.cells[title], cmp.AllowUnexported(cell{})); diff != "" {
			t.Errorf("%s: %s", title, diff)
		}
	}
	if got := now.heads[len(now.heads)-1].says; got != "now" {
		t.Errorf("the head of what ran says %q", got)
	}
	if got := now.heads[0].says; got != "0" {
		t.Errorf("the head of what did not run says %q", got)
	}
}

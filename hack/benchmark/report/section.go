// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package report is what the benchmarks have in common of telling what they
// measured: figures with their limits, settings, and the page that keeps them.
package report

import (
	"fmt"
	"io"
	"math"
	"runtime"
	"time"

	"github.com/cabildo-dev/cabildo/hack/stack"
)

// Figure is one line of the table. Without a limit it informs.
type Figure struct {
	What, Value, Limit string
	OK                 bool
}

// Setting is something that the figures depend on.
type Setting struct{ Name, Value string }

// Requests are what was asked in one phase.
type Requests struct {
	Of     string
	Asked  stack.Requests
	Groups int
}

// Section is what one benchmark measured.
type Section struct {
	// Name is the one that the section has on the page.
	Name     string
	Figures  []Figure
	Settings []Setting
	// Notes are paragraphs after the tables.
	Notes    []string
	Requests []Requests
	// Complaints say what exactly was wrong; they are printed and not kept.
	Complaints []string
}

// Machine is the setting that every section has.
func Machine() Setting {
	return Setting{"machine", fmt.Sprintf("%d processors, %s, %s/%s; everything runs on it",
		runtime.NumCPU(), runtime.Version(), runtime.GOOS, runtime.GOARCH)}
}

// Missed are the figures that miss their limits.
func (s *Section) Missed() []string {
	var missed []string
	for _, f := range s.Figures {
		if f.Limit != "" && !f.OK {
			missed = append(missed, f.What)
		}
	}
	return missed
}

// Print writes the section as a part of a page.
func (s *Section) Print(to io.Writer) {
	line := func(format string, args ...any) { _, _ = fmt.Fprintf(to, format+"\n", args...) }
	line("| figure | value | limit | |")
	line("|---|---|---|---|")
	for _, f := range s.Figures {
		verdict := ""
		switch {
		case f.OK:
			verdict = "holds"
		case f.Limit != "":
			verdict = "**missed**"
		}
		line("| %s | %s | %s | %s |", f.What, f.Value, f.Limit, verdict)
	}
	line("")
	line("| setting | value |")
	line("|---|---|")
	for _, setting := range s.Settings {
		line("| %s | %s |", setting.Name, setting.Value)
	}
	for _, note := range s.Notes {
		line("")
		line("%s", note)
	}
	for _, r := range s.Requests {
		n := r.Asked.Reads() + r.Asked.Writes()
		line("")
		line("%s: %d requests, %.1f a group; how often, and how long an answer took:", r.Of, n, float64(n)/float64(max(r.Groups, 1)))
		line("")
		line("```text")
		r.Asked.Print(to)
		line("```")
	}
}

// AtMost is a figure that may not be more than a limit.
func AtMost(what string, value, limit int) Figure {
	text := "0"
	if limit > 0 {
		text = fmt.Sprintf("at most %d", limit)
	}
	return Figure{what, fmt.Sprint(value), text, value <= limit}
}

// Ratio is a figure that may not be more than a limit, with two digits.
func Ratio(what string, value, limit float64) Figure {
	return Figure{what, fmt.Sprintf("%.2f", value), fmt.Sprintf("at most %.1f", limit), value <= limit}
}

// Under is a figure that has to be less than a limit.
func Under(what string, value, limit time.Duration) Figure {
	return Figure{what, Seconds(value), "under " + Seconds(limit), value < limit}
}

// Percentile is the smallest of the sorted times that so many percent of them don't exceed.
func Percentile(sorted []time.Duration, percent int) time.Duration {
	return sorted[max(int(math.Ceil(float64(len(sorted)*percent)/100)), 1)-1]
}

// Seconds is a time as the page has it.
func Seconds(d time.Duration) string { return fmt.Sprintf("%.2f s", d.Seconds()) }

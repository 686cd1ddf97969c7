// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/cabildo-dev/cabildo/hack/stack"
)

// results is what was measured.
type results struct {
	versions                    string
	groups, people, memberships int

	cold, bare                 time.Duration
	coldCPU                    processors
	bareCPU                    time.Duration // of the homeserver
	coldRequests, bareRequests stack.Requests

	restart *stack.Restart
	changes []time.Duration // sorted

	resync        stack.Requests
	busiestSecond int // reads
}

// The limits.
const (
	mostRatio    = 1.3
	mostRequests = 10
	mostChange   = 2 * time.Second
)

// figure is one line of the table. Without a limit it informs.
type figure struct {
	what, value, limit string
	ok                 bool
}

func (r *results) figures() []figure {
	ratio := r.cold.Seconds() / r.bare.Seconds()
	asked := r.restart.Requests.Reads() + r.restart.Requests.Writes()
	written := len(r.restart.Events)
	for _, n := range r.restart.Server {
		written += n
	}
	p95 := percentile(r.changes, 95)
	return []figure{
		{what: "cold: from the first apply to the last Ready", value: seconds(r.cold)},
		{what: "bare loop: the same rooms", value: seconds(r.bare)},
		{"cold over bare loop", fmt.Sprintf("%.2f", ratio), fmt.Sprintf("at most %.1f", mostRatio), ratio <= mostRatio},
		{"restart: groups looked at", fmt.Sprint(r.restart.Looked), fmt.Sprintf("at least %d", r.groups), r.restart.Looked >= r.groups},
		{"restart: resources Ready after it", fmt.Sprint(r.restart.Ready), fmt.Sprint(r.restart.All), r.restart.Ready == r.restart.All},
		{"restart: requests to the homeserver", fmt.Sprint(asked), fmt.Sprintf("at most %d", mostRequests), asked <= mostRequests},
		{"restart: writes to the homeserver", fmt.Sprint(r.restart.Requests.Writes()), "0", r.restart.Requests.Writes() == 0},
		{"restart: writes to the API server, leases apart", fmt.Sprint(written), "0", written == 0},
		{what: "change: one group, to the topic of its room, median", value: seconds(percentile(r.changes, 50))},
		{"change: the same, 95th percentile", seconds(p95), "under " + seconds(mostChange), p95 < mostChange},
		{what: "change: the same, longest", value: seconds(r.changes[len(r.changes)-1])},
		{"resync: writes to the homeserver", fmt.Sprint(r.resync.Writes()), "0", r.resync.Writes() == 0},
		{what: "resync: requests in the busiest second", value: fmt.Sprint(r.busiestSecond)},
	}
}

// percentile is the smallest of the sorted times that so many percent of them don't exceed.
func percentile(sorted []time.Duration, percent int) time.Duration {
	return sorted[max(int(math.Ceil(float64(len(sorted)*percent)/100)), 1)-1]
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.2f s", d.Seconds()) }

// report prints the figures, renews the page where one was named, and fails when a limit is missed.
func (b *benchmark) report() error {
	var text bytes.Buffer
	b.results.print(&text)
	fmt.Println()
	if _, err := io.Copy(os.Stdout, bytes.NewReader(text.Bytes())); err != nil {
		return err
	}
	if b.limit > 0 {
		fmt.Printf("\nThis was a limited run with %d groups; its figures are not those of the page.\n", b.results.groups)
	}
	if b.page != "" {
		if err := renew(b.page, text.String()); err != nil {
			return err
		}
		fmt.Printf("\nWritten to %s.\n", b.page)
	}
	var missed []string
	for _, f := range b.results.figures() {
		if f.limit != "" && !f.ok {
			missed = append(missed, f.what)
		}
	}
	for _, what := range b.results.complaints() {
		fmt.Println(what)
	}
	if len(missed) > 0 {
		return fmt.Errorf("missed: %s", strings.Join(missed, "; "))
	}
	return nil
}

// complaints say what exactly was written when nothing should have been.
func (r *results) complaints() []string {
	var all []string
	for what, n := range r.restart.Server {
		all = append(all, fmt.Sprintf("written to the API server: %d × %s", n, what))
	}
	slices.Sort(all)
	for _, event := range r.restart.Events {
		all = append(all, "event: "+event)
	}
	if r.restart.Example != "" {
		all = append(all, "not Ready: "+r.restart.Example)
	}
	return all
}

// print writes the figures as a part of a page.
func (r *results) print(to io.Writer) {
	line := func(format string, args ...any) { _, _ = fmt.Fprintf(to, format+"\n", args...) }
	line("| figure | value | limit | |")
	line("|---|---|---|---|")
	for _, f := range r.figures() {
		verdict := ""
		switch {
		case f.ok:
			verdict = "holds"
		case f.limit != "":
			verdict = "**missed**"
		}
		line("| %s | %s | %s | %s |", f.what, f.value, f.limit, verdict)
	}
	line("")
	line("| setting | value |")
	line("|---|---|")
	line("| servers | %s |", r.versions)
	line("| machine | %d processors, %s, %s/%s; everything runs on it |", runtime.NumCPU(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	line("| resources | 1 Platform, 1 Community, %d Groups; %d people with %d memberships |", r.groups, r.people, r.memberships)
	line("| request budget | %d a second, %d at once; the bare loop: no rate, %d at once |", stack.PerSecond, stack.Concurrency, stack.Concurrency)
	line("| change | %d groups, one after the other; a look into the room every %d ms |", len(r.changes), lookEvery.Milliseconds())
	line("")
	line("Time of the processors: in the cold phase homeserver %s, manager %s, control plane %s; in the bare loop homeserver %s.",
		seconds(r.coldCPU.homeserver), seconds(r.coldCPU.manager), seconds(r.coldCPU.plane), seconds(r.bareCPU))
	requests := func(of string, asked stack.Requests) {
		line("")
		line("%s: %d requests, %.1f a group; how often, and how long an answer took:", of, asked.Reads()+asked.Writes(),
			float64(asked.Reads()+asked.Writes())/float64(r.groups))
		line("")
		line("```text")
		asked.Print(to)
		line("```")
	}
	requests("Cold", r.coldRequests)
	requests("Bare loop", r.bareRequests)
	requests("Restart, until nothing was left to do", r.restart.Requests)
	requests(fmt.Sprintf("Resync, two intervals of %s", resyncInterval), r.resync)
}

// The figures stand between these lines of the page.
const (
	beginFigures = "<!-- make benchmark writes the figures from here -->\n"
	endFigures   = "<!-- to here -->\n"
)

// renew puts the figures into the page.
func renew(page, figures string) error {
	content, err := os.ReadFile(page)
	if err != nil {
		return err
	}
	before, rest, begins := strings.Cut(string(content), beginFigures)
	_, after, ends := strings.Cut(rest, endFigures)
	if !begins || !ends {
		return fmt.Errorf("%s has no place for the figures: it has to have the lines %q and %q", page, beginFigures, endFigures)
	}
	return os.WriteFile(page, []byte(before+beginFigures+"\n"+figures+"\n"+endFigures+after), 0o644) //nolint:gosec // a page is for everybody to read
}

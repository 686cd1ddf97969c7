// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

// The benchmarks: what Cabildo takes on real servers, and what it costs them.
//
//   - matrix: a real community's own configuration on a homeserver
//   - mattermost: the same on Mattermost, and requests counted on a generated one
//   - limits: some hundred groups under Synapse's default rate limits
//   - size: ten thousand groups on a platform in memory
//   - directory: ten thousand people in LDAP, and one of them disabled
//   - governance: ten thousand communities and a policy
//
// Each has a folder, and a section of docs/benchmarks.md of its own. They print
// their figures with their limits; the exit code is 1 when one is missed.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/go-logr/logr"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/cabildo-dev/cabildo/hack/benchmark/directory"
	"github.com/cabildo-dev/cabildo/hack/benchmark/governance"
	"github.com/cabildo-dev/cabildo/hack/benchmark/limits"
	"github.com/cabildo-dev/cabildo/hack/benchmark/matrix"
	"github.com/cabildo-dev/cabildo/hack/benchmark/mattermost"
	"github.com/cabildo-dev/cabildo/hack/benchmark/report"
	"github.com/cabildo-dev/cabildo/hack/benchmark/size"
	"github.com/cabildo-dev/cabildo/hack/devenv"
	"github.com/cabildo-dev/cabildo/hack/stack"
)

// settings are the flags.
type settings struct {
	platforms string
	data      string
	limit     int
	page      string
	rest      time.Duration
	on        stack.HomeserverOptions
}

// benchmark is one of them.
type benchmark struct {
	name string
	run  func(ctx context.Context, s settings) (*report.Section, error)
}

// benchmarks are all that there are, in the order in which they run.
var benchmarks = []benchmark{
	{"matrix", func(ctx context.Context, s settings) (*report.Section, error) {
		return matrix.Run(ctx, s.on, s.data, s.limit)
	}},
	{"mattermost", func(ctx context.Context, s settings) (*report.Section, error) {
		return mattermost.Run(ctx, s.data, s.limit)
	}},
	{"limits", func(ctx context.Context, s settings) (*report.Section, error) { return limits.Run(ctx, s.limit) }},
	{"size", func(ctx context.Context, s settings) (*report.Section, error) { return size.Run(ctx, s.limit, s.rest) }},
	{"directory", func(ctx context.Context, s settings) (*report.Section, error) { return directory.Run(ctx, s.on) }},
	{"governance", func(ctx context.Context, s settings) (*report.Section, error) {
		return governance.Run(ctx, s.on, s.limit)
	}},
}

func main() {
	var s settings
	flag.StringVar(&s.platforms, "platform", "", "which benchmarks run, of matrix,mattermost,limits,size,directory,governance; all when it is empty")
	flag.StringVar(&s.data, "data", "", "the folder to import, in the slack-config format")
	flag.IntVar(&s.limit, "groups", 0, "take so many groups, for a quick run; its figures are not those of the page")
	flag.StringVar(&s.page, "write", "", "the page to renew with the figures")
	flag.DurationVar(&s.rest, "rest", 10*time.Minute, "how long the benchmark of size looks on while nothing changes")
	s.on.Flag(flag.CommandLine)
	flag.BoolVar(&s.on.DefaultLimits, "default-limits", false, "with -homeserver synapse: leave its rate limits as they are by default")
	flag.Parse()
	ctrl.SetLogger(logr.Discard()) // the client that we read with has nothing to say
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, s)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "benchmark:", err)
		os.Exit(1)
	}
}

// run runs what was asked for, one after the other. One that fails doesn't keep the next from running.
func run(ctx context.Context, s settings) error {
	wanted := strings.FieldsFunc(s.platforms, func(r rune) bool { return r == ',' })
	for _, name := range wanted {
		if !slices.ContainsFunc(benchmarks, func(b benchmark) bool { return b.name == name }) {
			return fmt.Errorf("there is no benchmark %q: -platform takes matrix, mattermost, limits, size, directory and governance", name)
		}
	}
	if s.limit > 0 && s.page != "" {
		return errors.New("the page has the figures of all groups: say either -groups or -write")
	}
	var errs []error
	for _, b := range benchmarks {
		if len(wanted) > 0 && !slices.Contains(wanted, b.name) {
			continue
		}
		if err := devenv.HasSynapse(); err != nil && b.name == "limits" && len(wanted) == 0 {
			fmt.Printf("\n=== %s === is left out: %v\n", b.name, err)
			continue
		}
		fmt.Printf("\n=== %s ===\n", b.name)
		section, err := b.run(ctx, s)
		if err == nil {
			err = tell(section, s)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", b.name, err))
		}
		if ctx.Err() != nil {
			break
		}
	}
	return errors.Join(errs...)
}

// tell prints a section, renews the page where one was named, and fails when a limit is missed.
func tell(section *report.Section, s settings) error {
	var text bytes.Buffer
	section.Print(&text)
	fmt.Printf("\n%s", text.String())
	if s.limit > 0 {
		fmt.Println("\nThis was a limited run; its figures are not those of the page.")
	}
	if s.page != "" {
		if err := report.Renew(s.page, section.Name, text.String()); err != nil {
			return err
		}
		fmt.Printf("\nWritten to %s.\n", s.page)
	}
	for _, what := range section.Complaints {
		fmt.Println(what)
	}
	if missed := section.Missed(); len(missed) > 0 {
		return fmt.Errorf("missed: %s", strings.Join(missed, "; "))
	}
	return nil
}

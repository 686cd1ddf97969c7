// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package conformance_test holds every adapter to one contract, on real
// servers. What a platform can't do is what its adapter says about it, never
// something that is written here. docs/conformance.md has what came of it.
package conformance_test

import (
	"cmp"
	"context"
	"debug/buildinfo"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/cabildo-dev/cabildo/hack/devenv"
)

// write renews the page with what the run gives, and every adds the columns that a usual run leaves out.
var (
	write = flag.Bool("write", false, "write docs/conformance.md")
	every = flag.Bool("all", false, "on the servers of every column, also on those that a usual run leaves out")
)

// platformUnderTest is a column of the page: a platform, or one release of its server.
type platformUnderTest struct {
	// title is the column's heading, and platform what it is a server of; the title where that is empty.
	title, platform string
	// moves says that its version is whatever there is on the day, which is no difference from the page.
	moves bool
	// aside says that a usual run leaves it out.
	aside bool
	// builds are the binaries that a server of our own needs.
	builds []string
	// has says why a server that is not built can't be had; nil where there is no such.
	has func() error
	// start starts a server of our own, use takes one that runs already; nil where there can't be one.
	start func(context.Context) (server, error)
	use   func(context.Context, target) (server, error)
}

// platforms are all that there is an adapter for, in the order of the page.
var platforms = []platformUnderTest{
	{title: "memory", start: func(context.Context) (server, error) { return newInMemory(), nil }},
	{title: "Dendrite", platform: "Matrix", builds: []string{"dendrite"}, start: startHomeserver, use: theirHomeserver},
	{title: "Synapse", platform: "Matrix", moves: true, has: devenv.HasSynapse, start: startSynapse, use: theirHomeserver},
	mattermostUnderTest(devenv.MattermostNewest),
	mattermostUnderTest(devenv.MattermostOldest),
}

// mattermostUnderTest is a release of Mattermost. A usual run has the one that make was asked for.
func mattermostUnderTest(release string) platformUnderTest {
	return platformUnderTest{
		title: "Mattermost " + release, platform: "Mattermost", aside: release != devenv.MattermostVersion(),
		builds: []string{devenv.MattermostBinary(release)},
		start:  func(ctx context.Context) (server, error) { return startMattermost(ctx, release) }, use: theirMattermost,
	}
}

// target is a server that somebody else runs.
type target struct {
	platform, url, token, serverName string
	people                           []string
}

// targetFromEnvironment is what make conformance was asked for; an empty one is our own servers.
func targetFromEnvironment() target {
	return target{
		platform: os.Getenv("CONFORMANCE_PLATFORM"), url: os.Getenv("CONFORMANCE_URL"), token: os.Getenv("CONFORMANCE_TOKEN"),
		serverName: os.Getenv("CONFORMANCE_SERVER_NAME"),
		people:     strings.FieldsFunc(os.Getenv("CONFORMANCE_PEOPLE"), func(r rune) bool { return r == ',' || r == ' ' }),
	}
}

// columns are the servers of this run; missing says which of our own could not be had, and why.
var (
	columns []*column
	missing = map[string]error{}
)

func TestConformance(t *testing.T) {
	chosen, err := choose(targetFromEnvironment())
	if err != nil {
		t.Fatal(err)
	}
	RegisterFailHandler(fail)
	SetDefaultEventuallyTimeout(15 * time.Second)
	SetDefaultEventuallyPollingInterval(20 * time.Millisecond)
	for _, p := range chosen {
		columns = append(columns, &column{title: p.title, begin: p.start, tidy: targetFromEnvironment().url != ""})
	}
	Describe("an adapter", Ordered, ContinueOnFailure, func() { // in the order of the page
		for _, c := range contract {
			Describe(c.title, func() {
				for _, r := range c.rows {
					It(r.name, r.labels, r.at, SpecTimeout(specTimeout), func(ctx SpecContext) { holds(ctx, r) })
				}
			})
		}
	})
	RunSpecs(t, "the contract that every adapter keeps")
}

var _ = BeforeSuite(func(ctx SpecContext) {
	starts := make([]func(), 0, len(columns))
	for _, c := range columns {
		starts = append(starts, func() { c.start(context.WithoutCancel(ctx)) })
	}
	defer func() {
		if ended := recover(); ended != nil {
			Fail(cellOf(ended).reason)
		}
	}()
	together(starts...)
}, NodeTimeout(3*time.Minute))

var _ = AfterSuite(func(ctx SpecContext) {
	for _, c := range columns {
		c.close(ctx)
	}
}, NodeTimeout(time.Minute))

// specTimeout is how long one feature may take.
const specTimeout = 2 * time.Minute

// holds runs a feature on all servers at the same time.
func holds(ctx context.Context, r row) {
	came := make([]cell, len(columns))
	plays := make([]func(), 0, len(columns))
	for i, c := range columns {
		plays = append(plays, func() { came[i] = c.play(ctx, r) })
	}
	together(plays...)
	var wrong []string
	for i, c := range columns {
		outcome.note(c.title, r.name, came[i])
		if came[i].state == failed {
			wrong = append(wrong, "on "+c.title+": "+came[i].reason)
		}
	}
	if len(wrong) > 0 {
		Fail(strings.Join(wrong, "\n\n"))
	}
}

// choose picks the columns that are asked for, and those that can be had.
func choose(t target) ([]platformUnderTest, error) {
	var chosen []platformUnderTest
	for _, p := range platforms {
		platform := cmp.Or(p.platform, p.title)
		asked := t.platform == "" || strings.EqualFold(t.platform, platform) || strings.EqualFold(t.platform, p.title)
		if !asked || p.aside && !*every || t.url != "" && len(chosen) > 0 { // one server, one column
			continue
		}
		if t.url != "" {
			if p.use == nil {
				return nil, fmt.Errorf("%s has no servers to point at", platform)
			}
			p.title = platform // of a release that is not known yet
			p.start, p.builds, p.has = func(ctx context.Context) (server, error) { return p.use(ctx, t) }, nil, nil
		}
		for _, name := range p.builds {
			if _, err := devenv.Binary(name); errors.Is(err, devenv.ErrNotBuilt) && os.Getenv("CI") != "true" {
				missing[p.title] = err
			} else if err != nil {
				return nil, err
			}
		}
		if p.has != nil {
			if err := p.has(); devenv.WithoutSynapse(err) {
				missing[p.title] = err
			} else if err != nil {
				return nil, err
			}
		}
		if missing[p.title] == nil {
			chosen = append(chosen, p)
		}
	}
	switch {
	case t.url != "" && t.platform == "":
		return nil, errors.New("a URL needs a PLATFORM: which kind of server is it?")
	case len(chosen) == 0 && len(missing) == 0:
		return nil, fmt.Errorf("there is no platform %q", t.platform)
	}
	return chosen, nil
}

// built is the version of a server, as its binary was built.
func built(binary string) string {
	path, err := devenv.Binary(binary)
	if err != nil {
		return err.Error()
	}
	info, err := buildinfo.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	return info.Main.Version
}

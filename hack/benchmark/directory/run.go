// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package directory measures what it takes to know ten thousand people: reading
// them from a real LDAP server, keeping them in memory, computing from scratch
// who belongs in each of 554 groups, and how soon somebody who was disabled is
// out of all rooms of a real homeserver.
package directory

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"time"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/hack/benchmark/report"
	"github.com/cabildo-dev/cabildo/hack/devenv"
	"github.com/cabildo-dev/cabildo/hack/stack"
	"github.com/cabildo-dev/cabildo/internal/desired"
	"github.com/cabildo-dev/cabildo/internal/directory"
)

// The company, and the groups that take their members from it.
const (
	people        = 10_000
	teams         = 500 // groups in the directory
	inTeam        = 40
	areas         = 40 // values of an attribute
	spaces        = 554
	teamsOfSpace  = 2
	refreshes     = 5
	computedTimes = 5
)

// budget is the built-in leaver budget.
var budget = directory.Budget{Percent: 2, Count: 50}

type benchmark struct {
	server  *devenv.Slapd
	index   *directory.Index
	leavers *leavers
	on      stack.HomeserverOptions
	results results
}

// Run measures.
func Run(ctx context.Context, on stack.HomeserverOptions) (_ *report.Section, err error) {
	b := &benchmark{index: directory.NewIndex(), on: on}
	defer func() {
		if b.leavers != nil {
			err = errors.Join(err, b.leavers.Close())
		}
		if b.server != nil {
			err = errors.Join(err, b.server.Close())
		}
	}()
	if err := stack.Take(ctx,
		stack.Step{Says: fmt.Sprintf("Starting an LDAP server with %d people and %d groups", people, teams), Do: b.start},
		stack.Step{Says: "Reading all of it for the first time", Do: b.first},
		stack.Step{Says: "Reading all of it again", Do: b.refresh},
		stack.Step{Says: fmt.Sprintf("Computing who is in %d groups", spaces), Do: b.compute},
		stack.Step{Says: "Starting a Kubernetes control plane and a Matrix homeserver", Do: b.startServers},
		stack.Step{Says: "Installing the Helm chart, and running the manager with its service account", Do: func(ctx context.Context) error { return b.leavers.Install(ctx) }},
		stack.Step{Says: "Making people's accounts", Do: func(ctx context.Context) error { return b.leavers.people(ctx) }},
		stack.Step{Says: fmt.Sprintf("Making %d groups of people from the directory", rooms), Do: func(ctx context.Context) error { return b.leavers.declare(ctx) }},
		stack.Step{Says: "Disabling one person after the other in the directory", Do: b.disable},
		stack.Step{Says: "Bare loop: taking others out of the same rooms, without the manager", Do: b.bare},
	); err != nil {
		return nil, err
	}
	return b.results.section(), nil
}

func (b *benchmark) start(ctx context.Context) (err error) {
	b.server, err = devenv.StartSlapd(ctx, devenv.SlapdOptions{LDIF: company()})
	return err
}

func (b *benchmark) startServers(ctx context.Context) error {
	var err error
	if b.results.homeserver, err = b.on.Version(); err != nil {
		return err
	}
	b.leavers = &leavers{Stack: stack.Stack{On: b.on}, ldap: b.server}
	return b.leavers.Start(ctx)
}

func (b *benchmark) disable(ctx context.Context) error {
	for range rounds {
		took, err := b.leavers.disable(ctx)
		if err != nil {
			return err
		}
		b.results.revoked = append(b.results.revoked, took)
	}
	return nil
}

func (b *benchmark) bare(ctx context.Context) error {
	b.leavers.Manager.Stop()
	for i := range rounds {
		took, err := b.leavers.bareLoop(ctx, account(rounds+i, b.leavers.Homeserver))
		if err != nil {
			return err
		}
		b.results.bare = append(b.results.bare, took)
	}
	return nil
}

func (b *benchmark) read(ctx context.Context) (directory.Reading, error) {
	return directory.LDAP{
		URL: b.server.SecureURL, CABundle: b.server.CABundle, BindDN: devenv.SlapdAdministrator, Password: b.server.Password,
		People: directory.LDAPPeople{
			BaseDN: "ou=people," + devenv.SlapdSuffix, ID: "employeeNumber", Username: "uid", Email: "mail", DisplayName: "cn",
			Attributes: map[string]string{"businessArea": "departmentNumber"},
		},
		Groups:   &directory.LDAPGroups{BaseDN: "ou=teams," + devenv.SlapdSuffix, Name: "cn", Members: "member"},
		PageSize: 500, Timeout: 30 * time.Second,
	}.Read(ctx)
}

// take reads everything into the index.
func (b *benchmark) take(ctx context.Context) (changed bool, read, took time.Duration, err error) {
	began := time.Now()
	reading, err := b.read(ctx)
	if err != nil {
		return false, 0, 0, err
	}
	read = time.Since(began)
	taken, err := b.index.Take(reading, budget, 0)
	return taken.Changed, read, time.Since(began) - read, err
}

func (b *benchmark) first(ctx context.Context) (err error) {
	before := heap()
	if _, b.results.read, b.results.indexed, err = b.take(ctx); err != nil {
		return err
	}
	b.results.held = heap() - before
	view := b.index.State().View
	if view.Active() != people || view.Groups() != teams || len(view.Notes) > 0 {
		return fmt.Errorf("read %d people and %d groups, not %d and %d: %s", view.Active(), view.Groups(), people, teams, strings.Join(view.Notes, " "))
	}
	return nil
}

// heap is what is in use after everything else was given back.
func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func (b *benchmark) refresh(ctx context.Context) error {
	for range refreshes {
		changed, read, took, err := b.take(ctx)
		if err != nil {
			return err
		}
		if changed {
			b.results.changed++
		}
		b.results.refreshed = append(b.results.refreshed, read+took)
	}
	return nil
}

// compute gathers the members of every group and their accounts, on one core.
func (b *benchmark) compute(ctx context.Context) error {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	sources := make([][]v1alpha1.MemberSource, spaces)
	for i := range sources {
		sources[i] = sourcesOf(i)
	}
	platform := &v1alpha1.Platform{Spec: v1alpha1.PlatformSpec{Matrix: &v1alpha1.MatrixPlatform{ServerName: "example.com"}}}
	for range computedTimes {
		began, members := time.Now(), 0
		view := b.index.State().View
		for _, of := range sources {
			found, unresolved := desired.People(of, nil, lookup{view}, nil, began)
			if len(unresolved) > 0 {
				return fmt.Errorf("%s: %s", unresolved[0].Reason, unresolved[0].Message)
			}
			accounts, _, err := desired.Accounts(platform, found, nil)
			if err != nil {
				return err
			}
			members += len(accounts)
		}
		b.results.computed, b.results.members = append(b.results.computed, time.Since(began)), members
	}
	return ctx.Err()
}

// sourcesOf are those of one group: teams, and an area.
func sourcesOf(i int) []v1alpha1.MemberSource {
	ref := v1alpha1.LocalReference{Name: "corp"}
	sources := []v1alpha1.MemberSource{
		{Attribute: &v1alpha1.AttributeSource{DirectoryRef: ref, Name: "businessArea", Value: area(i)}, Role: v1alpha1.RoleModerator},
	}
	for n := range teamsOfSpace {
		sources = append(sources, v1alpha1.MemberSource{DirectoryGroup: &v1alpha1.DirectoryGroupSource{DirectoryRef: ref, Name: team(i + n)}})
	}
	return sources
}

// lookup answers out of a view, whoever asks.
type lookup struct{ view *directory.View }

func (l lookup) Group(_, name string) ([]string, *desired.Refusal) {
	return certain(l.view.Group(name))
}

func (l lookup) WithAttribute(_, name, value string) ([]string, *desired.Refusal) {
	return certain(l.view.WithAttribute(directory.Attribute{Name: name, Value: value}))
}

func certain(found directory.Result) ([]string, *desired.Refusal) {
	if !found.Known || found.Unsure {
		return nil, &desired.Refusal{Reason: v1alpha1.ReasonDirectoryIncomplete, Message: "not everybody was found"}
	}
	return found.Usernames, nil
}

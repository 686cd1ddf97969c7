// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package leads imports a file in the format of the Kubernetes community's
// sigs.yaml, applies it to a real control plane with a Matrix homeserver and a
// Mattermost server behind it, and looks at both as an administrator: every
// lead has the role in every group that they lead, nobody else has one, and who
// has no account is named.
package leads

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/hack/stack"
)

// mattermost is the second Platform; the first is the one of the manifests.
const mattermost = "team"

// strangers are so many leads who get no account.
const strangers = 3

type run struct {
	stack.Stack
	file      string
	manifests *stack.Manifests
	without   []string // leads without an account
	began     time.Time
	groups    []v1alpha1.Group // as they are in the end
	results   results
}

// Run tells the story in order, and takes everything down at its end.
func Run(ctx context.Context, file string) (err error) {
	if info, err := os.Stat(file); err != nil || info.IsDir() {
		return fmt.Errorf("there is no file %q to import: make acceptance SIGS=file, with a file in the format of sigs.yaml", file)
	}
	r := &run{
		Stack: stack.Stack{WithMattermost: true}, file: file,
		results: results{led: map[string]int{}, all: map[string]int{}, right: map[string]int{}},
	}
	defer func() {
		err = errors.Join(err, r.Close())
		if r.manifests != nil {
			err = errors.Join(err, r.manifests.Remove())
		}
	}()
	if err := stack.Take(ctx,
		stack.Step{Says: "Starting a Kubernetes control plane, a Matrix homeserver and a Mattermost server", Do: r.Start},
		stack.Step{Says: "Installing the Helm chart, and running the manager with its service account", Do: r.Install},
		stack.Step{Says: "Importing " + file, Do: r.importFile},
		stack.Step{Says: fmt.Sprintf("Making the people's accounts on both, but for %d leads", strangers), Do: r.makePeople},
		stack.Step{Says: "Applying the platforms and the manifests", Do: r.apply},
		stack.Step{Says: "Waiting until everything is Ready", Do: r.waitReady},
		stack.Step{Says: "Comparing roles and members on Matrix", Do: r.checkMatrix},
		stack.Step{Says: "Comparing roles and members on Mattermost", Do: r.checkMattermost},
		stack.Step{Says: "Looking for who has no account", Do: r.checkUnresolved},
	); err != nil {
		return err
	}
	return r.results.show()
}

func (r *run) importFile(ctx context.Context) (err error) {
	if r.manifests, err = stack.ImportFrom(ctx, "sigs-yaml", r.file); err != nil {
		return err
	}
	if len(r.manifests.Groups) == 0 {
		return errors.New("the file has no group with leads")
	}
	return nil
}

// leadsOf are the people who are to manage a group.
func leadsOf(g *v1alpha1.Group) []string {
	var leads []string
	for _, m := range g.Spec.Members {
		if m.Role == v1alpha1.RoleManager {
			leads = append(leads, m.Person)
		}
	}
	slices.Sort(leads)
	return leads
}

func (r *run) makePeople(ctx context.Context) error {
	people := r.manifests.People()
	for i := range strangers {
		r.without = append(r.without, people[i*len(people)/strangers])
	}
	people = slices.DeleteFunc(people, func(p string) bool { return slices.Contains(r.without, p) })
	return errors.Join(stack.MakePeople(ctx, r.Homeserver, people), stack.MakeMattermostPeople(ctx, r.Mattermost, people))
}

func (r *run) apply(ctx context.Context) error {
	if err := r.DeclarePlatform(ctx, "acceptance"); err != nil {
		return err
	}
	if err := r.DeclareAs(ctx, mattermost, v1alpha1.PlatformSpec{
		Type: v1alpha1.PlatformMattermost, OwnerID: "acceptance",
		Mattermost: &v1alpha1.MattermostPlatform{URL: r.Mattermost.URL},
	}, map[string]string{"url": r.Mattermost.URL, "accessToken": r.Bot.Token}); err != nil {
		return err
	}
	r.began = time.Now()
	c := &r.manifests.Community
	also := c.Spec.Platforms[0]
	also.PlatformRef.Name = mattermost
	c.Spec.Platforms = append(c.Spec.Platforms, also)
	if err := r.Cluster.Create(ctx, c); err != nil {
		return err
	}
	for i := range r.manifests.Groups {
		if err := r.Cluster.Create(ctx, &r.manifests.Groups[i]); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) waitReady(ctx context.Context) error {
	ready, err := r.WaitReady(ctx, 1+len(r.manifests.Groups), r.began) // one more for the second Platform
	if err != nil {
		return err
	}
	r.results.took = ready.Sub(r.began)
	if _, err := r.WaitQuiet(ctx, 0); err != nil {
		return err
	}
	var list v1alpha1.GroupList
	if err := r.Cluster.List(ctx, &list, client.InNamespace(r.manifests.Community.Namespace)); err != nil {
		return err
	}
	r.groups = list.Items
	return r.Cluster.Get(ctx, client.ObjectKeyFromObject(&r.manifests.Community), &r.manifests.Community)
}

// spaceID is where a group is on a platform.
func spaceID(g *v1alpha1.Group, platform string) string {
	for _, p := range g.Status.Platforms {
		if p.Name == platform {
			return p.SpaceID
		}
	}
	return ""
}

// served are those of the people who have accounts.
func (r *run) served(people []string) []string {
	return slices.DeleteFunc(slices.Clone(people), func(p string) bool { return slices.Contains(r.without, p) })
}

// compare notes whether who has a role, and who is there, are exactly those who should.
func (r *run) compare(on string, g *v1alpha1.Group, managers, members []string) {
	wanted := r.served(leadsOf(g))
	slices.Sort(managers)
	slices.Sort(members)
	r.results.led[on] += len(managers)
	r.results.exact(on+": groups whose leads have the role, and no one else", "Group "+g.Name+" on "+on+": managers", managers, wanted)
	r.results.exact(on+": groups with exactly the declared members", "Group "+g.Name+" on "+on+": members", members, wanted)
}

// checkUnresolved looks for those without an account in the conditions of the groups that they lead, and nowhere else.
func (r *run) checkUnresolved(context.Context) error {
	for i := range r.groups {
		g := &r.groups[i]
		var named []string
		if c := meta.FindStatusCondition(g.Status.Conditions, v1alpha1.ConditionMembersResolved); c != nil {
			for _, person := range r.without {
				if strings.Contains(c.Message, person) {
					named = append(named, person)
				}
			}
		}
		var wanted []string
		for _, person := range leadsOf(g) {
			if slices.Contains(r.without, person) {
				wanted = append(wanted, person)
			}
		}
		slices.Sort(named)
		r.results.exact("groups that name their leads without an account, and no one else", "Group "+g.Name+": named", named, wanted)
	}
	return nil
}

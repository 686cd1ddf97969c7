// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package leads imports a file in the format of the Kubernetes community's
// sigs.yaml, or an organisation in the format of Peribolos, applies it to a real
// control plane with a Matrix homeserver and a Mattermost server behind it, and
// looks at both as an administrator: everybody is in exactly the groups that
// they are declared in, every lead has the role in every group that they lead,
// nobody else has one, and who has no account is named.
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
	"github.com/cabildo-dev/cabildo/internal/desired"
	"github.com/cabildo-dev/cabildo/internal/model"
)

// mattermost is the second Platform; the first is the one of the manifests.
const mattermost = "team"

// strangers are so many people who get no account.
const strangers = 3

// Formats are the formats of the import that this run takes, with what is to be named for each.
var Formats = map[string]string{
	"sigs-yaml": "SIGS=file, with a file in the format of sigs.yaml",
	"peribolos": "ORG=folder, with the folder of one organisation in the format of Peribolos",
}

type run struct {
	stack.Stack
	format    string
	file      string
	manifests *stack.Manifests
	without   []string // leads without an account
	began     time.Time
	groups    []v1alpha1.Group // as they are in the end
	results   results
}

// Run tells the story in order, and takes everything down at its end.
func Run(ctx context.Context, on stack.HomeserverOptions, format, file string) (err error) {
	if _, err := os.Stat(file); err != nil {
		return fmt.Errorf("there is nothing to import at %q: make acceptance %s", file, Formats[format])
	}
	r := &run{
		Stack: stack.Stack{WithMattermost: true, On: on}, format: format, file: file,
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
		stack.Step{Says: fmt.Sprintf("Making the people's accounts on both, but for %d people", strangers), Do: r.makePeople},
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
	if r.manifests, err = stack.ImportFrom(ctx, r.format, r.file); err != nil {
		return err
	}
	if len(r.manifests.Groups) == 0 {
		return errors.New("there is no group in it")
	}
	return nil
}

// declared are the people who are to manage a group, and all who are to be in it, by way of other groups too.
func (r *run) declared(g *v1alpha1.Group) (managers, members []string) {
	people, _ := desired.People(g.Spec.Members, func(name string) *v1alpha1.Group {
		for i := range r.manifests.Groups {
			if r.manifests.Groups[i].Name == name {
				return &r.manifests.Groups[i]
			}
		}
		return nil
	}, nil, nil, time.Now())
	for _, d := range people {
		members = append(members, d.Person)
		if d.Role == model.RoleManager {
			managers = append(managers, d.Person)
		}
	}
	return managers, members
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
	lead, all := r.declared(g)
	slices.Sort(managers)
	slices.Sort(members)
	r.results.led[on] += len(managers)
	r.results.exact(on+": groups whose leads have the role, and no one else", "Group "+g.Name+" on "+on+": managers", managers, r.served(lead))
	r.results.exact(on+": groups with exactly the declared members", "Group "+g.Name+" on "+on+": members", members, r.served(all))
}

// checkUnresolved looks for those without an account in the conditions of the groups that they are declared in, and nowhere else.
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
		_, all := r.declared(g)
		for _, person := range all {
			if slices.Contains(r.without, person) {
				wanted = append(wanted, person)
			}
		}
		slices.Sort(named)
		r.results.exact("groups that name their people without an account, and no one else", "Group "+g.Name+": named", named, wanted)
	}
	return nil
}

// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"

	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/internal/desired"
	"github.com/cabildo-dev/cabildo/internal/directory"
	"github.com/cabildo-dev/cabildo/internal/model"
	"github.com/cabildo-dev/cabildo/internal/platform"
	"github.com/cabildo-dev/cabildo/internal/status"
)

// accounts are the accounts of people on a platform, without those who have
// left the directory that says who they are. nameless are those of whom can't
// be told which account is theirs.
func (r *spaceReconciler) accounts(ctx context.Context, p *pass, people []desired.Declared) (members []model.Member, nameless []string, problem *status.Problem) {
	name, says := r.whoIs(p.platform)
	match := desired.Match(p.platform)
	if support := p.session.Info.Capabilities[platform.CanFindByEmail]; match == v1alpha1.MatchEmail && support.State != platform.Supported {
		return nil, nil, status.Stall(v1alpha1.ReasonInvalidPlatform,
			"Platform %s can't find people by e-mail address: %s. The platform team sets accounts.match to Username or Template.", p.platform.Name, support.Reason)
	}
	if says != nil && says.View == nil && match != v1alpha1.MatchUsername {
		return nil, nil, status.Wait(v1alpha1.ReasonDirectoryUnavailable,
			"Directory %s, which says who people are on Platform %s, has not been read yet. Nothing is changed until it is; the platform team sees why in its condition Ready.", name, p.platform.Name)
	}
	people = r.withoutLeavers(ctx, p, people)
	members, nameless, err := desired.Accounts(p.platform, people, profiles(says))
	if err != nil {
		return nil, nil, status.Stall(v1alpha1.ReasonInvalidPlatform, "%v. The platform team corrects it.", err)
	}
	if match != v1alpha1.MatchEmail || len(members) == 0 {
		return members, nameless, nil
	}
	found, err := p.session.AccountsByEmail(ctx, accounts(members))
	if err != nil {
		return nil, nil, r.platformProblem(p, err)
	}
	members, unknown := desired.Resolve(members, found)
	return members, append(nameless, unknown...), nil
}

// profiles looks people up in what is known of a directory.
func profiles(says *directory.State) desired.Profiles {
	if says == nil || says.View == nil {
		return nil
	}
	return func(username string) (desired.Profile, bool) {
		person, known := says.View.Person(username)
		if !known {
			return desired.Profile{}, false
		}
		profile := desired.Profile{Email: person.Email, DisplayName: person.DisplayName, Attributes: map[string]string{}}
		for _, a := range person.Attributes {
			if _, first := profile.Attributes[a.Name]; !first {
				profile.Attributes[a.Name] = a.Value
			}
		}
		return profile, true
	}
}

// whoIs is the directory that says who the people of a platform are; nil where none does, or it was not read yet.
func (r *spaceReconciler) whoIs(p *v1alpha1.Platform) (string, *directory.State) {
	if p.Spec.Accounts == nil || p.Spec.Accounts.DirectoryRef == nil {
		return "", nil
	}
	name := p.Spec.Accounts.DirectoryRef.Name
	return name, r.directories.Open(name).State()
}

// withoutLeavers takes out who has left the directory that says who people are,
// whatever names them, and notes how to tell that an account is a leaver's.
func (r *spaceReconciler) withoutLeavers(ctx context.Context, p *pass, people []desired.Declared) []desired.Declared {
	name, says := r.whoIs(p.platform)
	if says != nil {
		people = slices.DeleteFunc(slices.Clone(people), func(d desired.Declared) bool { return says.Left(d.Person) })
		p.facts.directories.used[name] = says
	}
	used := make([]*directory.State, 0, len(p.facts.directories.used))
	for _, state := range p.facts.directories.used {
		used = append(used, state)
	}
	p.leavers = sync.OnceValue(func() map[string]bool { return leaverAccounts(ctx, p, used, profiles(says)) })
	return people
}

// leaverAccounts are the accounts of those who have left any of these
// directories, by name and by what stays of it. Whose account can't be told is not among them: that person is
// removed as everybody is who is not declared any more.
func leaverAccounts(ctx context.Context, p *pass, used []*directory.State, profiles desired.Profiles) map[string]bool {
	var left []desired.Declared
	for _, state := range used {
		for _, username := range state.LeftPeople() {
			left = append(left, desired.Declared{Person: username}, desired.Declared{Person: strings.ToLower(username)})
		}
	}
	if len(left) == 0 {
		return nil
	}
	members, _, err := desired.Accounts(p.platform, left, profiles)
	if err == nil && desired.Match(p.platform) == v1alpha1.MatchEmail {
		var found map[string]string
		found, err = p.session.AccountsByEmail(ctx, accounts(members))
		members, _ = desired.Resolve(members, found)
	}
	if err != nil {
		ctrl.LoggerFrom(ctx).Info("Which accounts those had who left is not known; they are removed within the budget", "reason", err.Error())
		return nil
	}
	accounts := map[string]bool{}
	for _, m := range members {
		accounts[m.Account], accounts[p.session.Stable(m.Account)] = true, true
	}
	return accounts
}

// lookInside finds the accounts in a community's groups. They are not the
// community's own members, so that it neither adds nor keeps them; but it does
// not take them out of what they need for their group.
func (r *spaceReconciler) lookInside(ctx context.Context, p *pass) *status.Problem {
	if !p.session.Info.Nested || p.subject.group != nil {
		return nil
	}
	people, whole := r.inside(ctx, p.subject, p.facts)
	accounts, nameless, problem := r.accounts(ctx, p, people)
	if problem != nil {
		return problem
	}
	p.inside, p.insideUnknown = accounts, !whole || len(nameless) > 0
	return nil
}

func (p *pass) isInside(account string) bool {
	return slices.ContainsFunc(p.inside, func(m model.Member) bool { return m.Account == account })
}

// checkAccounts looks the space up once, and takes out of the wanted members
// who has no account. Who is in the space already has one.
func (r *spaceReconciler) checkAccounts(ctx context.Context, p *pass) *status.Problem {
	if problem := r.observe(ctx, p); problem != nil {
		return problem
	}
	var strangers []string
	for _, m := range p.want.Members {
		if p.seen.Space == nil || !hasAccount(p.seen.Space.Members[m.Account]) {
			strangers = append(strangers, m.Account)
		}
	}
	if len(strangers) == 0 {
		return nil
	}
	missing, err := p.session.Missing(ctx, strangers)
	if err != nil {
		return r.platformProblem(p, err)
	}
	p.missing = slices.Concat(p.nameless, missing)
	p.want.Members = slices.DeleteFunc(slices.Clone(p.want.Members), func(m model.Member) bool {
		return slices.Contains(missing, m.Account)
	})
	return nil
}

func hasAccount(m model.Membership) bool {
	return m != "" && m != model.Invited
}

func accounts(members []model.Member) []string {
	names := make([]string, len(members))
	for i, m := range members {
		names[i] = m.Account
	}
	return names
}

// people are the counts of the pass.
func (p *pass) people() (counts v1alpha1.MemberCounts, banned []string) {
	counts.Declared = int32(len(p.members) + len(p.nameless))
	counts.Unresolved = int32(len(p.missing))
	if p.seen.Space == nil {
		return counts, nil
	}
	if p.seen.Space.Members == nil { // nobody is declared, so nobody looked: what was counted last
		before := ptr.Deref(p.subject.status.Members, v1alpha1.MemberCounts{})
		before.Declared, before.Unresolved, before.Left = counts.Declared, counts.Unresolved, 0
		return before, nil
	}
	states := p.seen.Space.Members
	for _, account := range slices.Sorted(maps.Keys(states)) {
		declared := slices.ContainsFunc(p.members, func(m model.Member) bool { return m.Account == account })
		switch states[account] {
		case model.Present:
			counts.Present++
		case model.Invited:
			counts.Invited++
		case model.Left:
			if declared {
				counts.Left++
			}
		case model.Banned:
			if declared {
				banned = append(banned, account)
			}
		case model.Asking, model.Removed:
		}
	}
	return counts, banned
}

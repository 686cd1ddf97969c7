// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package importer

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
)

var (
	personPattern = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]*$`)
	handlePattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]*$`)
)

// maxHandle is GitHub's own limit.
const maxHandle = 39

// Username is what stands for a person: lower case, and a dot for each space.
// It is empty where other characters would have to be changed, because a guess
// could be the name of somebody else.
func Username(person string) string {
	name := strings.ToLower(strings.Join(strings.Fields(person), "."))
	if len(name) > MaxPerson || !personPattern.MatchString(name) {
		return ""
	}
	return name
}

// Handles turns GitHub handles into usernames, and has a finding for each that
// can't be one and for each that is not as it was written.
type Handles struct {
	findings []Finding
	seen     map[string]bool
}

// Username of a handle: the handle in lower case, since GitHub does not tell
// handles apart by case. It is empty where it is no handle. Role says in words
// what the person would have been.
func (h *Handles) Username(handle Name, role string) string {
	switch {
	case handle.Name == "":
		h.findings = append(h.findings, Finding{
			Outcome: LeftOut, Kind: "Person", Position: handle.Position,
			What: "a person without a GitHub handle", Detail: role,
			Why: "A username stands for a person, and the handle is taken for it.",
			Do:  "Add the handle to the source and import again, or add the person's username to spec.members.",
		})
		return ""
	case len(handle.Name) > maxHandle || !handlePattern.MatchString(handle.Name):
		h.findings = append(h.findings, Finding{
			Outcome: LeftOut, Kind: "Person", Name: handle.Name, Position: handle.Position,
			What: "a name that can't be a GitHub handle", Detail: role,
			Why: "Handles have letters, digits, hyphens and underscores, 39 at most; a guess could be somebody else's name.",
			Do:  "Correct the handle in the source and import again, or add the person's username to spec.members.",
		})
		return ""
	}
	username := strings.ToLower(handle.Name)
	if username != handle.Name && !h.seen[handle.Name] {
		if h.seen == nil {
			h.seen = map[string]bool{}
		}
		h.seen[handle.Name] = true
		h.findings = append(h.findings, Finding{
			Outcome: Changed, Kind: "Person", Name: handle.Name, Position: handle.Position,
			What: "the handle of a person", Detail: username,
			Why: "Usernames are in lower case on the platforms, and GitHub does not tell handles apart by case.",
			Do:  "See that this is the person's account, and correct spec.members where it is not.",
		})
	}
	return username
}

// Findings are what there is to say of the handles.
func (h *Handles) Findings() []Finding { return h.findings }

// Roles are people by username, each with the role in one space.
type Roles map[string]v1alpha1.Role

var roleRanks = []v1alpha1.Role{v1alpha1.RoleMember, v1alpha1.RoleModerator, v1alpha1.RoleManager}

// Add gives a person a role, unless they have a higher one.
func (r Roles) Add(person string, role v1alpha1.Role) {
	if slices.Index(roleRanks, role) > slices.Index(roleRanks, r[person]) {
		r[person] = role
	}
}

// Sources lists people by name.
func (r Roles) Sources() []v1alpha1.MemberSource {
	var sources []v1alpha1.MemberSource
	for _, person := range slices.Sorted(maps.Keys(r)) {
		source := v1alpha1.MemberSource{Person: person}
		if role := r[person]; role != v1alpha1.RoleMember {
			source.Role = role
		}
		sources = append(sources, source)
	}
	return sources
}

// Fit cuts a list of members to what the API takes: nobody loses a role over
// somebody who has less. Each who is cut off is in a finding of their own.
func Fit(sources []v1alpha1.MemberSource, kind, name string) ([]v1alpha1.MemberSource, []Finding) {
	if len(sources) <= MaxMembers {
		return sources, nil
	}
	rank := func(s v1alpha1.MemberSource) int {
		if s.Person == "" {
			return len(roleRanks) // many people in one item
		}
		return slices.Index(roleRanks, s.Role)
	}
	order := slices.Clone(sources)
	slices.SortStableFunc(order, func(a, b v1alpha1.MemberSource) int { return rank(b) - rank(a) })
	out := map[string]bool{}
	var findings []Finding
	for _, s := range order[MaxMembers:] {
		out[s.Person] = true
		findings = append(findings, Finding{
			Outcome: LeftOut, Kind: kind, Name: name,
			What:   fmt.Sprintf("members beyond the first %d", MaxMembers),
			Detail: s.Person,
			Why:    fmt.Sprintf("A list of members has %d items at most.", MaxMembers),
			Do:     "Take the members from a group of a Directory.",
		})
	}
	return slices.DeleteFunc(slices.Clone(sources), func(s v1alpha1.MemberSource) bool { return out[s.Person] }), findings
}

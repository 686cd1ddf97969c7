// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package tree renders communities with their groups as a person wants to see
// them: what is there, where it is, what is wrong with it, and what waits for a
// decision. It is a pure function from objects to text; the kubectl plugin fetches
// the objects.
package tree

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/types"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
)

// Options say how much is shown.
type Options struct {
	// Namespaces has every community named with its namespace.
	Namespaces bool
	// Addresses shows the addresses of groups too, and not of communities alone.
	Addresses bool
	// Width to wrap messages at, in columns; 0 never wraps.
	Width int
}

// Render shows the communities with their groups, by namespace and name, and
// below them the groups whose community is not there.
func Render(communities []v1alpha1.Community, groups []v1alpha1.Group, o Options) string {
	byCommunity := map[types.NamespacedName][]v1alpha1.Group{}
	for _, g := range groups {
		key := types.NamespacedName{Namespace: g.Namespace, Name: g.Spec.CommunityRef.Name}
		byCommunity[key] = append(byCommunity[key], g)
	}
	blocks := make([]block, 0, len(communities))
	for _, c := range communities {
		key := types.NamespacedName{Namespace: c.Namespace, Name: c.Name}
		blocks = append(blocks, communityBlock(c, byCommunity[key], o))
		delete(byCommunity, key)
	}
	for key, orphans := range byCommunity {
		blocks = append(blocks, block{key: key, orphaned: true, rows: append(
			[]row{{cells: cells{name: o.name(key), what: "there is no such Community"}}},
			groupRows(orphans, o)...,
		)})
	}
	slices.SortFunc(blocks, func(a, b block) int {
		return cmp.Or(
			cmp.Compare(a.key.Namespace, b.key.Namespace),
			compareBool(a.orphaned, b.orphaned),
			cmp.Compare(a.key.Name, b.key.Name),
		)
	})

	var out strings.Builder
	for _, b := range blocks {
		b.write(&out, o.Width)
		if b.foot != "" {
			for _, line := range wrap(printable(b.foot), o.Width) {
				out.WriteString(line + "\n")
			}
		}
		out.WriteByte('\n')
	}
	out.WriteString(summary(communities, groups))
	return out.String()
}

func (o Options) name(key types.NamespacedName) string {
	if o.Namespaces {
		return key.String()
	}
	return key.Name
}

// block is one community: its own row and those below it.
type block struct {
	key      types.NamespacedName
	orphaned bool
	rows     []row
	// foot is a line below all of them.
	foot string
}

func communityBlock(c v1alpha1.Community, groups []v1alpha1.Group, o Options) block {
	key := types.NamespacedName{Namespace: c.Namespace, Name: c.Name}
	state := stateOf("community", &c.ObjectMeta, c.Status.SpaceStatus)
	what := c.Spec.DisplayName
	if g := c.Status.Governance; g != nil && g.Tier != "" {
		what += " · " + g.Tier
	}
	if g := c.Status.Governance; g != nil {
		state.notes = append(state.notes, proposalNotes("community", c.Namespace, c.Name, g.Proposal)...)
	}
	rows := []row{{
		cells: cells{name: o.name(key), what: what, count: memberCount(c.Status.Members), state: state.text},
		notes: state.notes,
	}}
	for _, p := range c.Spec.Platforms {
		rows = append(rows, platformRow(p.PlatformRef.Name, c.Status.Platforms, groups))
	}
	return block{key: key, rows: append(rows, groupRows(groups, o)...), foot: governanceLine(c)}
}

// governanceLine says which managers a community has of those that it needs, and how far it is from its next tier.
func governanceLine(c v1alpha1.Community) string {
	g := c.Status.Governance
	if g == nil || g.Policy == "" {
		return ""
	}
	var parts []string
	if s := g.Staffing; s != nil {
		var places []string
		for _, p := range s.Places {
			place := fmt.Sprintf("%s %d/%d", p.Commitment, p.Actual, p.Required)
			if p.BusinessArea != "" {
				place += " for " + p.BusinessArea
			}
			places = append(places, place)
		}
		if s.RequiredManagers > 0 {
			places = append(places, fmt.Sprintf("in all %d/%d", s.Managers, s.RequiredManagers))
		}
		if s.RequiredDeputies > 0 {
			places = append(places, fmt.Sprintf("deputies %d/%d", s.Deputies, s.RequiredDeputies))
		}
		if len(places) == 0 {
			places = append(places, plural(int(s.Managers), "manager"))
		}
		parts = append(parts, "staffing  "+strings.Join(places, " · "))
	}
	if n := g.Next; n != nil {
		has := "0"
		if m := c.Status.Members; m != nil {
			has = fmt.Sprint(m.Present)
		}
		parts = append(parts, fmt.Sprintf("growth  %s members; %s takes %s", has, n.Tier, strings.Join(n.When, ", or ")))
	}
	return strings.Join(parts, "   ")
}

// platformRow says where the community is on one platform, and how many of its
// groups are there.
func platformRow(name string, platforms []v1alpha1.PlatformSpaceStatus, groups []v1alpha1.Group) row {
	r := row{cells: cells{name: name, what: "no space yet"}}
	if p := platform(platforms, name); p != nil && p.SpaceID != "" {
		r.what = cmp.Or(p.Address, p.SpaceID)
	}
	there := 0
	for _, g := range groups {
		if p := platform(g.Status.Platforms, name); p != nil && p.SpaceID != "" {
			there++
		}
	}
	switch {
	case there == len(groups):
		r.count = plural(len(groups), "group")
	default:
		r.count = fmt.Sprintf("%d of %s", there, plural(len(groups), "group"))
	}
	return r
}

func groupRows(groups []v1alpha1.Group, o Options) []row {
	slices.SortFunc(groups, func(a, b v1alpha1.Group) int { return cmp.Compare(a.Name, b.Name) })
	rows := make([]row, 0, len(groups))
	for _, g := range groups {
		state := stateOf("group", &g.ObjectMeta, g.Status.SpaceStatus)
		r := row{
			cells: cells{name: g.Name, what: g.Spec.DisplayName, count: memberCount(g.Status.Members), state: state.text},
			notes: state.notes,
		}
		if o.Addresses {
			r.address = addresses(g.Status.Platforms)
		}
		rows = append(rows, r)
	}
	return rows
}

func platform(platforms []v1alpha1.PlatformSpaceStatus, name string) *v1alpha1.PlatformSpaceStatus {
	for i := range platforms {
		if platforms[i].Name == name {
			return &platforms[i]
		}
	}
	return nil
}

func addresses(platforms []v1alpha1.PlatformSpaceStatus) string {
	var all []string
	for _, p := range platforms {
		if address := cmp.Or(p.Address, p.SpaceID); address != "" {
			all = append(all, address)
		}
	}
	return strings.Join(all, " ")
}

func memberCount(m *v1alpha1.MemberCounts) string {
	if m == nil {
		return ""
	}
	text := plural(int(m.Present), "member")
	if m.Invited > 0 {
		text += fmt.Sprintf(", %d invited", m.Invited)
	}
	return text
}

func plural(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %ss", n, one)
}

func summary(communities []v1alpha1.Community, groups []v1alpha1.Group) string {
	what := fmt.Sprintf("%d communities", len(communities))
	if len(communities) == 1 {
		what = "1 community"
	}
	ready, unseen := 0, 0
	note := func(s state) {
		if s.ready {
			ready++
		}
		if s.unseen {
			unseen++
		}
	}
	for i := range communities {
		note(stateOf("community", &communities[i].ObjectMeta, communities[i].Status.SpaceStatus))
	}
	for i := range groups {
		note(stateOf("group", &groups[i].ObjectMeta, groups[i].Status.SpaceStatus))
	}
	all := len(communities) + len(groups)
	text := fmt.Sprintf("%s, %s: %d of %d Ready\n", what, plural(len(groups), "group"), ready, all)
	if ready == all {
		text = fmt.Sprintf("%s, %s: all Ready\n", what, plural(len(groups), "group"))
	}
	if unseen > 0 {
		text += fmt.Sprintf("%d not looked at by the operator yet; if that stays so, see whether it runs: kubectl get deployments -A -l app.kubernetes.io/name=cabildo\n", unseen)
	}
	return text
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	default:
		return 1
	}
}

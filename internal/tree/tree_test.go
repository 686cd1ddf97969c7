// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package tree_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/internal/tree"
)

func TestTree(t *testing.T) {
	for name, tc := range map[string]struct {
		communities []v1alpha1.Community
		groups      []v1alpha1.Group
		options     tree.Options
		want        string
	}{
		"a community where all is well": {
			communities: []v1alpha1.Community{
				community("engineering", "Engineering", ready(), on("#eng:example.com"), members(87)),
			},
			groups: []v1alpha1.Group{
				group("incidents", "Incidents", ready(), on("#eng-incidents:example.com"), members(12), invited(2)),
				group("golang", "Go", ready(), on("#eng-golang:example.com"), members(1)),
			},
			want: `
engineering   Engineering       87 members             Ready
├─ chat       #eng:example.com  2 groups
├─ golang     Go                1 member               Ready
└─ incidents  Incidents         12 members, 2 invited  Ready

1 community, 2 groups: all Ready
`,
		},
		"reasons and messages of what is not Ready": {
			communities: []v1alpha1.Community{
				community("engineering", "Engineering", ready(), on("#eng:example.com"), members(87)),
			},
			groups: []v1alpha1.Group{
				group("golang", "Go", stalled("NameNotGranted", "chat grants this namespace eng-*,\nnot golang; ask the platform team."), members(0)),
				group("rust", "Rust", progressing("Progressing", "3 of 12 members are still to be added."), on("#eng-rust:example.com"), members(9)),
				group("zig", "Zig", ready(), but("MembersResolved", "PeopleNotFound", "Not found: ana.ruiz."), on("#eng-zig:example.com"), members(3)),
			},
			want: `
engineering  Engineering       87 members     Ready
├─ chat      #eng:example.com  2 of 3 groups
├─ golang    Go                0 members      Stalled: NameNotGranted
│                                             chat grants this namespace eng-*, not golang; ask the platform team.
├─ rust      Rust              9 members      Progressing
│                                             3 of 12 members are still to be added.
└─ zig       Zig               3 members      Ready
                                              PeopleNotFound: Not found: ana.ruiz.

1 community, 3 groups: 2 of 4 Ready
`,
		},
		"messages are wrapped at the terminal's width": {
			options:     tree.Options{Width: 70},
			communities: []v1alpha1.Community{community("eng", "Engineering", stalled("NameNotGranted", "chat grants this namespace sales and sales-*, and not eng; ask the platform team."))},
			groups:      []v1alpha1.Group{group("golang", "Go", ready())},
			want: `
eng        Engineering                 Stalled: NameNotGranted
│     chat grants this namespace sales and sales-*, and not eng; ask
│     the platform team.
├─ chat    no space yet  0 of 1 group
└─ golang  Go                          Ready

1 community, 1 group: 1 of 2 Ready
`,
		},
		"namespaces and addresses": {
			options: tree.Options{Namespaces: true, Addresses: true},
			communities: []v1alpha1.Community{
				in("sales", community("field", "Field", ready(), on("#field:example.com"))),
				community("engineering", "Engineering", ready(), on("#eng:example.com")),
			},
			groups: []v1alpha1.Group{group("golang", "Go", ready(), on("#eng-golang:example.com"))},
			want: `
engineering/engineering  Engineering                                         Ready
├─ chat                  #eng:example.com  1 group
└─ golang                Go                         #eng-golang:example.com  Ready

sales/field  Field                         Ready
└─ chat      #field:example.com  0 groups

2 communities, 1 group: all Ready
`,
		},
		"nothing was reconciled yet, and a change": {
			communities: []v1alpha1.Community{community("eng", "Engineering")},
			groups:      []v1alpha1.Group{group("golang", "Go", ready(), changed()), group("rust", "Rust", ready(), deleted())},
			want: `
eng        Engineering                  not reconciled yet
├─ chat    no space yet  0 of 2 groups
├─ golang  Go                           changed, not reconciled yet
└─ rust    Rust                         Deleting

1 community, 2 groups: 0 of 3 Ready
2 not looked at by the operator yet; if that stays so, see whether it runs: kubectl get deployments -A -l app.kubernetes.io/name=cabildo
`,
		},
		"groups whose community is not there": {
			groups: []v1alpha1.Group{group("golang", "Go", stalled("CommunityNotFound", "There is no Community eng in this namespace."))},
			want: `
eng        there is no such Community
└─ golang  Go                          Stalled: CommunityNotFound
                                       There is no Community eng in this namespace.

0 communities, 1 group: 0 of 1 Ready
`,
		},
		"what waits for a decision, and what was refused": {
			communities: []v1alpha1.Community{
				community("engineering", "Engineering", stalled("ProposalRefused", "Nothing is taken away."), on("#eng:example.com"), proposal(v1alpha1.ProposalRefused, "2 roles")),
			},
			groups: []v1alpha1.Group{
				group("golang", "Go", ready(), on("#eng-golang:example.com"), proposal(v1alpha1.ProposalOpen, "3 members")),
				group("incidents", "Incidents", stalled("RemovalBudgetExceeded", "9 members wait."), on("#eng-incidents:example.com"), proposal(v1alpha1.ProposalOpen, "9 members")),
				group("rust", "Rust", progressing("Progressing", "9 members are taken away."), on("#eng-rust:example.com"), proposal(v1alpha1.ProposalApproved, "9 members")),
			},
			want: `
engineering   Engineering                 Stalled: ProposalRefused
│                                         Nothing is taken away.
│                                         refused: would take away 2 roles (decided by carla.mendez)
├─ chat       #eng:example.com  3 groups
├─ golang     Go                          Ready
├─ incidents  Incidents                   Stalled: RemovalBudgetExceeded
│                                         9 members wait.
│                                         waits for approval: would take away 9 members
│                                         kubectl cabildo approve group/incidents -n engineering
└─ rust       Rust                        Progressing
                                          9 members are taken away.

1 community, 3 groups: 1 of 4 Ready
`,
		},
		"wide characters take two columns, and none steers the terminal": {
			communities: []v1alpha1.Community{community("eng", "開発部", ready(), on("#eng:a"))},
			groups:      []v1alpha1.Group{group("go", "G\x1b[2Jo", ready(), on("#go:a")), group("e", "e\u0301te", ready(), on("#e:a"))},
			want: `
eng      開発部            Ready
├─ chat  #eng:a  2 groups
├─ e     e` + "\u0301" + `te               Ready
└─ go    G` + "\uFFFD" + `[2Jo            Ready

1 community, 2 groups: all Ready
`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			for i := range tc.groups {
				tc.groups[i].Spec.CommunityRef.Name = "eng"
				if len(tc.communities) > 0 {
					tc.groups[i].Spec.CommunityRef.Name = tc.communities[len(tc.communities)-1].Name
				}
			}
			got := tree.Render(tc.communities, tc.groups, tc.options)
			if diff := cmp.Diff(strings.TrimPrefix(tc.want, "\n"), got); diff != "" {
				t.Errorf("tree (-want +got):\n%s\n%s", diff, got)
			}
		})
	}
}

type part func(*metav1.ObjectMeta, *v1alpha1.SpaceStatus)

func community(name, display string, parts ...part) v1alpha1.Community {
	c := v1alpha1.Community{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "engineering", Generation: 1},
		Spec: v1alpha1.CommunitySpec{
			DisplayName: display,
			Platforms:   []v1alpha1.CommunityPlatform{{PlatformRef: v1alpha1.LocalReference{Name: "chat"}}},
		},
	}
	for _, p := range parts {
		p(&c.ObjectMeta, &c.Status.SpaceStatus)
	}
	return c
}

func group(name, display string, parts ...part) v1alpha1.Group {
	g := v1alpha1.Group{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "engineering", Generation: 1},
		Spec:       v1alpha1.GroupSpec{DisplayName: display},
	}
	for _, p := range parts {
		p(&g.ObjectMeta, &g.Status.SpaceStatus)
	}
	return g
}

func in(namespace string, c v1alpha1.Community) v1alpha1.Community {
	c.Namespace = namespace
	return c
}

func condition(kind string, status metav1.ConditionStatus, reason, message string) part {
	return func(_ *metav1.ObjectMeta, s *v1alpha1.SpaceStatus) {
		s.ObservedGeneration = 1
		s.Conditions = append(s.Conditions, metav1.Condition{Type: kind, Status: status, Reason: reason, Message: message})
	}
}

func both(parts ...part) part {
	return func(m *metav1.ObjectMeta, s *v1alpha1.SpaceStatus) {
		for _, p := range parts {
			p(m, s)
		}
	}
}

func ready() part { return condition("Ready", metav1.ConditionTrue, "Ready", "All is as declared.") }

func stalled(reason, message string) part {
	return both(condition("Ready", metav1.ConditionFalse, reason, message), condition("Stalled", metav1.ConditionTrue, reason, message))
}

func progressing(reason, message string) part {
	return both(condition("Ready", metav1.ConditionFalse, reason, message), condition("Reconciling", metav1.ConditionTrue, reason, message))
}

func but(kind, reason, message string) part {
	return condition(kind, metav1.ConditionFalse, reason, message)
}

func on(address string) part {
	return func(_ *metav1.ObjectMeta, s *v1alpha1.SpaceStatus) {
		s.Platforms = append(s.Platforms, v1alpha1.PlatformSpaceStatus{Name: "chat", SpaceID: "!" + address, Address: address})
	}
}

func members(present int32) part {
	return func(_ *metav1.ObjectMeta, s *v1alpha1.SpaceStatus) {
		s.Members = &v1alpha1.MemberCounts{Present: present}
	}
}

func invited(count int32) part {
	return func(_ *metav1.ObjectMeta, s *v1alpha1.SpaceStatus) { s.Members.Invited = count }
}

func proposal(state v1alpha1.ProposalState, summary string) part {
	return func(_ *metav1.ObjectMeta, s *v1alpha1.SpaceStatus) {
		s.Proposal = &v1alpha1.Proposal{State: state, Summary: summary, DecidedBy: "carla.mendez"}
	}
}

func changed() part {
	return func(m *metav1.ObjectMeta, _ *v1alpha1.SpaceStatus) { m.Generation = 2 }
}

func deleted() part {
	return func(m *metav1.ObjectMeta, _ *v1alpha1.SpaceStatus) {
		m.DeletionTimestamp = &metav1.Time{Time: time.Unix(1, 0)}
	}
}

// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package governance_test

import (
	"math/rand/v2"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"pgregory.net/rapid"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/internal/governance"
)

var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// ladder has tiers at 0, 50, 150 and 1000 members, in no order, and one for importance.
func ladder() *v1alpha1.GovernancePolicy {
	tier := func(name string, rank, members int32) v1alpha1.Tier {
		t := v1alpha1.Tier{Name: name, Rank: rank}
		if members > 0 {
			t.EnterWhen = &v1alpha1.EnterWhen{AnyOf: []v1alpha1.Threshold{{Members: ptr.To(members)}}}
		}
		return t
	}
	p := &v1alpha1.GovernancePolicy{ObjectMeta: metav1.ObjectMeta{Name: "ladder"}}
	p.Spec.Tiers = []v1alpha1.Tier{
		tier("Distributed", 20, 150), tier("Seed", 0, 0), tier("Strategic", 30, 1000), tier("Small", 10, 50),
		{Name: "Core", Rank: 40, EnterWhen: &v1alpha1.EnterWhen{AnyOf: []v1alpha1.Threshold{{Importance: v1alpha1.ImportanceCore}}}},
	}
	p.Spec.Tiers[0].EnterWhen.AnyOf = append(p.Spec.Tiers[0].EnterWhen.AnyOf, v1alpha1.Threshold{
		BusinessAreas: ptr.To[int32](3), MembersPerArea: ptr.To[int32](10),
	})
	return p
}

var thresholds = map[string]int{"Seed": 0, "Small": 50, "Distributed": 150, "Strategic": 1000}

func has(members int) governance.Measures { return governance.Measures{Members: &members} }

func TestACommunityIsPlacedAndMovesAsItsNumbersSay(t *testing.T) {
	day := 24 * time.Hour
	areas := func(sizes ...int) governance.Measures {
		m := governance.Measures{Members: ptr.To(60), Areas: map[string]int{}}
		for i, n := range sizes {
			m.Areas[string(rune('a'+i))] = n
		}
		return m
	}
	core := has(5)
	core.Importance = v1alpha1.ImportanceCore
	unknownAreas := governance.Measures{Members: ptr.To(60), AreasUnknown: true}
	for _, tc := range []struct {
		name string
		at   governance.Position
		m    governance.Measures
		now  time.Time
		tier string
		// toward and passes are what is counted, and proposed what is proposed.
		toward   string
		passes   int
		proposed string
	}{
		{name: "a new one begins in the lowest", m: has(5000), tier: "Seed"},
		{name: "one whose tier is gone comes where its numbers keep it", at: governance.Position{Tier: "Gone"}, m: has(140), tier: "Distributed"},
		{name: "the first look counts", at: governance.Position{Tier: "Seed"}, m: has(50), tier: "Seed", toward: "Small", passes: 1},
		{name: "one below is nothing", at: governance.Position{Tier: "Seed"}, m: has(49), tier: "Seed"},
		{name: "a look before the interval does not count", at: governance.Position{Tier: "Seed", Toward: "Small", Passes: 1, At: start}, m: has(50), now: start.Add(23 * time.Hour), tier: "Seed", toward: "Small", passes: 1},
		{name: "the third proposes", at: governance.Position{Tier: "Seed", Toward: "Small", Passes: 2, At: start}, m: has(50), now: start.Add(day), tier: "Seed", toward: "Small", passes: 3, proposed: "Small"},
		{name: "a look that says otherwise ends the row", at: governance.Position{Tier: "Seed", Toward: "Small", Passes: 2, At: start}, m: has(49), now: start.Add(day), tier: "Seed"},
		{name: "and takes a proposal back", at: governance.Position{Tier: "Seed", Toward: "Small", Passes: 3, At: start}, m: has(49), now: start.Add(day), tier: "Seed"},
		{name: "of several tiers in a row the nearest counts", at: governance.Position{Tier: "Seed", Toward: "Distributed", Passes: 2, At: start}, m: has(60), now: start.Add(day), tier: "Seed", toward: "Small", passes: 3, proposed: "Small"},
		{name: "a proposed tier that is too high now begins a row anew", at: governance.Position{Tier: "Seed", Toward: "Distributed", Passes: 3, At: start}, m: has(60), now: start.Add(day), tier: "Seed", toward: "Small", passes: 1},
		{name: "members by area", at: governance.Position{Tier: "Small"}, m: areas(10, 11, 12), tier: "Small", toward: "Distributed", passes: 1},
		{name: "areas that are too small", at: governance.Position{Tier: "Small"}, m: areas(10, 11, 9), tier: "Small"},
		{name: "what is declared is at once what it is", at: governance.Position{Tier: "Seed"}, m: core, tier: "Seed", toward: "Core", passes: 1},
		{name: "above the low-water mark nothing moves", at: governance.Position{Tier: "Small", Since: start}, m: has(45), now: start.Add(101 * day), tier: "Small"},
		{name: "below it a lower tier", at: governance.Position{Tier: "Small", Since: start}, m: has(44), now: start.Add(101 * day), tier: "Small", toward: "Seed", passes: 1},
		{name: "but not before the minimum stay", at: governance.Position{Tier: "Small", Since: start}, m: has(44), now: start.Add(99 * day), tier: "Small"},
		{name: "to the tier that keeps it", at: governance.Position{Tier: "Strategic", Since: start}, m: has(48), now: start.Add(101 * day), tier: "Strategic", toward: "Small", passes: 1},
		{name: "members that are not known change nothing", at: governance.Position{Tier: "Seed", Toward: "Small", Passes: 2, At: start}, m: governance.Measures{}, now: start.Add(day), tier: "Seed", toward: "Small", passes: 2},
		{name: "nor do areas that are not known", at: governance.Position{Tier: "Distributed", Since: start}, m: unknownAreas, now: start.Add(101 * day), tier: "Distributed"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			g := NewWithT(t)
			if tc.now.IsZero() {
				tc.now = start
			}
			next, proposed := governance.Evaluate(ladder(), tc.at, tc.m, tc.now)
			g.Expect(next.Tier).To(Equal(tc.tier))
			g.Expect(next.Toward).To(Equal(tc.toward))
			g.Expect(next.Passes).To(Equal(tc.passes))
			name := ""
			if proposed != nil {
				name = proposed.Name
			}
			g.Expect(name).To(Equal(tc.proposed))
		})
	}
}

// look is what one evaluation saw.
type look struct {
	members int
	known   bool
	at      time.Time
}

// For any row of numbers, with every proposal approved at once: no tier is
// entered but after three looks in a row that met its threshold, none is left
// but after the minimum stay and three looks in a row below nine tenths of it.
func TestNoRowOfNumbersMakesACommunityFlap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := ladder()
		at, now := governance.Position{}, start
		var looks []look
		entered := start
		for range rapid.IntRange(1, 120).Draw(t, "looks") {
			now = now.Add(time.Duration(rapid.IntRange(1, 20*24).Draw(t, "hours")) * time.Hour)
			l := look{rapid.SampledFrom([]int{0, 44, 45, 49, 50, 51, 134, 135, 149, 150, 899, 900, 999, 1000}).Draw(t, "members"), rapid.IntRange(0, 9).Draw(t, "known") > 0, now}
			m := governance.Measures{}
			if l.known {
				m = has(l.members)
				looks = append(looks, l)
			}
			before := at
			next, proposed := governance.Evaluate(p, at, m, now)
			if !l.known && before.Tier != "" && next != before {
				t.Fatalf("what is not known changed %+v to %+v", before, next)
			}
			at = next
			if proposed == nil {
				continue
			}
			from, to := thresholds[at.Tier], thresholds[proposed.Name]
			recent := looks[max(0, len(looks)-3):]
			if len(recent) < 3 {
				t.Fatalf("proposed after %d looks", len(recent))
			}
			for _, l := range recent {
				switch {
				case to > from && l.members < to:
					t.Fatalf("promoted to %s though a look saw %d members", proposed.Name, l.members)
				case to < from && l.members*10 >= from*9:
					t.Fatalf("demoted from %s though a look saw %d members", at.Tier, l.members)
				}
			}
			if to < from && now.Sub(entered) < 2400*time.Hour {
				t.Fatalf("left %s after %s", at.Tier, now.Sub(entered))
			}
			if to == from {
				t.Fatal("a tier was proposed that the community is in")
			}
			at, entered = governance.Move(proposed, now), now
		}
	})
}

// More members never speak for a lower tier, and the order in which tiers are written says nothing.
func TestMoreMembersNeverSpeakForLess(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, other := ladder(), ladder()
		rand.Shuffle(len(other.Spec.Tiers), func(i, j int) {
			other.Spec.Tiers[i], other.Spec.Tiers[j] = other.Spec.Tiers[j], other.Spec.Tiers[i]
		})
		for _, policy := range []*v1alpha1.GovernancePolicy{p, other} {
			policy.Spec.Evaluation = &v1alpha1.Evaluation{PromoteAfter: ptr.To[int32](1), MinimumStay: &metav1.Duration{}}
		}
		at := governance.Position{Tier: rapid.SampledFrom([]string{"Seed", "Small", "Distributed", "Strategic"}).Draw(t, "tier"), Since: start}
		few := rapid.IntRange(0, 1200).Draw(t, "few")
		many := few + rapid.IntRange(0, 1200).Draw(t, "more")
		rank := func(p *v1alpha1.GovernancePolicy, members int) int32 {
			next, proposed := governance.Evaluate(p, at, has(members), start.Add(time.Hour))
			if proposed != nil {
				return proposed.Rank
			}
			return governance.TierOf(p, next.Tier).Rank
		}
		if a, b := rank(p, few), rank(p, many); a > b {
			t.Fatalf("%d members speak for rank %d, and %d for %d", few, a, many, b)
		}
		if a, b := rank(p, few), rank(other, few); a != b {
			t.Fatalf("in another order %d members speak for rank %d, not %d", few, b, a)
		}
	})
}

func TestADifferenceNamesAllThatChanges(t *testing.T) {
	g := NewWithT(t)
	from := &v1alpha1.Tier{Name: "Small", Staffing: &v1alpha1.Staffing{Deputies: ptr.To[int32](1)}, Moderation: &v1alpha1.TierModeration{
		Defaults: &v1alpha1.Moderation{MassMentions: v1alpha1.AudienceModerators, Guests: v1alpha1.GuestsForbidden},
	}}
	to := &v1alpha1.Tier{
		Name: "Core", Approvals: &v1alpha1.TierApprovals{GroupCreation: v1alpha1.ApprovalRequired},
		Staffing: &v1alpha1.Staffing{Enforcement: v1alpha1.EnforcementWarn, Managers: []v1alpha1.StaffingRule{
			{Commitment: v1alpha1.CommitmentFullTime, Count: 2},
			{Commitment: v1alpha1.CommitmentPartTime, Count: 1, Per: v1alpha1.PerBusinessArea, AllocationPercent: ptr.To[int32](20)},
		}},
		Moderation: &v1alpha1.TierModeration{
			Defaults: &v1alpha1.Moderation{MassMentions: v1alpha1.AudienceManagers},
			Limits:   &v1alpha1.ModerationLimits{Join: v1alpha1.JoinRequest, BlockedServers: []string{"b.net", "a.net"}},
		},
	}
	g.Expect(governance.Difference(from, to)).To(Equal([]string{
		"tier: Core instead of Small",
		"default massMentions: Managers instead of Moderators",
		"default guests: none instead of Forbidden",
		"limit of join: Request",
		"limit of blockedServers: a.net, b.net",
		"managers: 2 FullTime, 1 PartTime (20 percent) per business area",
		"deputies: none instead of 1",
		"while managers are missing: the community is told instead of new groups wait",
		"approval of new groups: a person's",
	}))
}

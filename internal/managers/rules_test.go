// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package managers_test

import (
	"testing"

	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/internal/managers"
)

func TestWhoDoesNotCountHasASmallerRole(t *testing.T) {
	list := []v1alpha1.CommunityManager{
		manager("ana", v1alpha1.ManagerLead, leave("2027-01-01", "2027-01-02", "dan")),
		manager("ben", v1alpha1.ManagerModerator), manager("cleo", v1alpha1.ManagerAmbassador),
		manager("eva", v1alpha1.ManagerManager, leave("2026-10-01", "2026-10-31", "finn")),
	}
	trained := func(answers map[string]managers.Answer) managers.Rules {
		return managers.Rules{
			Policy:  &v1alpha1.ManagerRules{TrainedGroup: &v1alpha1.DirectoryGroupSource{Name: "trained"}},
			Trained: func(person string) managers.Answer { return answers[person] },
		}
	}
	all := map[string]managers.Answer{"ana": managers.Yes, "ben": managers.Yes, "cleo": managers.Yes, "eva": managers.Yes, "finn": managers.Yes}
	for _, tc := range []struct {
		name                 string
		rules                managers.Rules
		roles                []v1alpha1.Role // of ana, ben, cleo, eva and finn
		serving              []string
		provisional, unknown int
	}{
		{name: "everybody counts", roles: []v1alpha1.Role{"Manager", "Moderator", "Member", "Member", "Manager"}, serving: []string{"ana", "eva"}},
		{name: "everybody is trained", rules: trained(all), roles: []v1alpha1.Role{"Manager", "Moderator", "Member", "Member", "Manager"}, serving: []string{"ana", "eva"}},
		{name: "nobody is", rules: trained(nil), roles: []v1alpha1.Role{"Moderator", "Member", "Member", "Member", "Moderator"}, provisional: 1},
		{name: "it is not known of one", rules: trained(map[string]managers.Answer{"ana": managers.Unknown, "ben": managers.Yes, "finn": managers.Yes}),
			roles: []v1alpha1.Role{"Moderator", "Moderator", "Member", "Member", "Manager"}, provisional: 1, unknown: 1},
		{name: "the platform team declared none of them", rules: managers.Rules{Policy: &v1alpha1.ManagerRules{Appointment: v1alpha1.AppointmentPlatformTeam, Namespaces: []string{"office"}}},
			roles: []v1alpha1.Role{"Moderator", "Member", "Member", "Member", "Moderator"}, provisional: 1},
		{name: "the platform team declared them", rules: managers.Rules{Policy: &v1alpha1.ManagerRules{Appointment: v1alpha1.AppointmentPlatformTeam, Namespaces: []string{"eng"}}},
			roles: []v1alpha1.Role{"Manager", "Moderator", "Member", "Member", "Manager"}, serving: []string{"ana", "eva"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			g := NewWithT(t)
			council := managers.Of(engineering(), list, nil, tc.rules, noon)
			var roles []v1alpha1.Role
			for _, h := range council.Holders {
				roles = append(roles, h.Role)
			}
			var serving []string
			for _, s := range council.Serving {
				serving = append(serving, s.Person)
			}
			g.Expect(roles).To(Equal(tc.roles))
			g.Expect(serving).To(Equal(tc.serving))
			g.Expect(council.Provisional).To(Equal(tc.provisional))
			g.Expect(council.Unknown).To(Equal(tc.unknown))
		})
	}
}

func TestAnAppointmentIsForExactlyThis(t *testing.T) {
	g := NewWithT(t)
	rules := managers.Rules{Policy: &v1alpha1.ManagerRules{Appointment: v1alpha1.AppointmentSponsor}}
	m := manager("ana", v1alpha1.ManagerLead, leave("2026-10-01", "2026-10-31", "dan"), in(
		v1alpha1.ManagedCommunities{Name: "engineering"},
		v1alpha1.ManagedCommunities{Namespace: "sales", Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"a": "b"}}},
	))
	g.Expect(managers.Appointment(&m)).To(Equal([]string{
		"appoint ana as Lead", "commitment PartTime", "in community eng/engineering", "in the communities of namespace sales with labels a=b", "with deputies dan",
	}))
	g.Expect(rules.NeedsApproval(&m)).To(BeTrue())
	m.Status.Appointment = &v1alpha1.AppointmentRecord{Hash: managers.AppointmentHash(&m)}
	g.Expect(rules.Appointed(&m)).To(BeTrue())
	for what, change := range map[string]func(*v1alpha1.CommunityManager){
		"another person":    func(m *v1alpha1.CommunityManager) { m.Spec.Person = "ben" },
		"another role":      func(m *v1alpha1.CommunityManager) { m.Spec.Role = v1alpha1.ManagerManager },
		"another community": func(m *v1alpha1.CommunityManager) { m.Spec.Communities[0].Name = "ops" },
		"another namespace": func(m *v1alpha1.CommunityManager) { m.Spec.Communities[0].Namespace = "ops" },
		"another selector":  func(m *v1alpha1.CommunityManager) { m.Spec.Communities[1].Selector = &metav1.LabelSelector{} },
		"more of a week":    func(m *v1alpha1.CommunityManager) { m.Spec.Commitment = v1alpha1.CommitmentFullTime },
		"another part":      func(m *v1alpha1.CommunityManager) { m.Spec.Communities[0].AllocationPercent = ptr.To[int32](50) },
		"another area":      func(m *v1alpha1.CommunityManager) { m.Spec.BusinessArea = "web" },
		"another term":      func(m *v1alpha1.CommunityManager) { m.Spec.Term = &v1alpha1.Term{Start: "2026-01-01"} },
		"another deputy":    func(m *v1alpha1.CommunityManager) { m.Spec.Deputies[0].Person = "eva" },
	} {
		other := *m.DeepCopy()
		change(&other)
		g.Expect(rules.Appointed(&other)).To(BeFalse(), what)
	}
	same := *m.DeepCopy()
	same.Spec.Purpose, same.Spec.Leave = "Something else.", nil
	g.Expect(rules.Appointed(&same)).To(BeTrue(), "leave and words are no other appointment")
}

// What is for several communities together is not counted for one of them.
func TestWhatAManagerGivesToOneCommunity(t *testing.T) {
	g := NewWithT(t)
	gives := func(m v1alpha1.CommunityManager) int {
		return managers.Of(engineering(), []v1alpha1.CommunityManager{m}, nil, managers.Rules{}, noon).Serving[0].Allocation
	}
	percent := ptr.To[int32](30)
	g.Expect(gives(manager("ana", v1alpha1.ManagerLead, in(v1alpha1.ManagedCommunities{Name: "engineering", AllocationPercent: percent}, v1alpha1.ManagedCommunities{Name: "ops", AllocationPercent: percent})))).To(Equal(30))
	g.Expect(gives(manager("ana", v1alpha1.ManagerLead, in(v1alpha1.ManagedCommunities{Selector: &metav1.LabelSelector{}, AllocationPercent: percent})))).To(BeZero())
	fullTime := func(m *v1alpha1.CommunityManager) { m.Spec.Commitment = v1alpha1.CommitmentFullTime }
	g.Expect(gives(manager("ana", v1alpha1.ManagerLead, fullTime))).To(Equal(100))
	g.Expect(gives(manager("ana", v1alpha1.ManagerLead, fullTime, in(v1alpha1.ManagedCommunities{Name: "engineering"}, v1alpha1.ManagedCommunities{Name: "ops"})))).To(BeZero())
}

func TestCardsTellWhoLooksAfterASpace(t *testing.T) {
	g := NewWithT(t)
	card := func(purpose string, responsibilities ...string) edit {
		return func(m *v1alpha1.CommunityManager) {
			m.Spec.Purpose, m.Spec.Responsibilities = purpose, responsibilities
		}
	}
	list := []v1alpha1.CommunityManager{
		manager("zoe", v1alpha1.ManagerLead, card("Keeps it\nuseful", "Moderation", "Onboarding")),
		manager("ana", v1alpha1.ManagerAmbassador, card("Tells others of it.", "Talks")),
		manager("eva", v1alpha1.ManagerManager, card("Answers.", "Questions"), leave("2026-10-01", "2026-10-31", "finn", "gone")),
		manager("old", v1alpha1.ManagerLead, card("Was here.", "Nothing"), term("2025-01-01", "2025-12-31")),
		manager("gone", v1alpha1.ManagerLead, card("Was here.", "Nothing")),
		manager("far", v1alpha1.ManagerLead, card("Elsewhere.", "Nothing"), in(v1alpha1.ManagedCommunities{Name: "ops"})),
	}
	rules := managers.Rules{Left: func(person string) bool { return person == "gone" }}
	g.Expect(managers.Cards(engineering(), list, nil, rules, noon)).To(Equal(`## Who looks after this space

- **zoe**, Lead. Keeps it useful. Moderation, Onboarding.
- **eva**, Manager. Answers. Questions. Away; meanwhile: finn.
- **ana**, Ambassador. Tells others of it. Talks.
`))
	g.Expect(managers.Cards(engineering(), list[3:], nil, rules, noon)).To(BeEmpty())
	nobody := managers.Rules{Policy: &v1alpha1.ManagerRules{Appointment: v1alpha1.AppointmentSponsor}}
	g.Expect(managers.Cards(engineering(), list, nil, nobody, noon)).To(BeEmpty(), "who does not count is not shown")
}

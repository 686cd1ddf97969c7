// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/internal/model"
)

const oneDay = 24 * time.Hour

// manager is somebody in a formal role in the community engineering.
func (w *world) manager(person string, role v1alpha1.ManagerRole) *v1alpha1.CommunityManager {
	return &v1alpha1.CommunityManager{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: person},
		Spec: v1alpha1.CommunityManagerSpec{
			Person: person, Role: role, Commitment: v1alpha1.CommitmentPartTime,
			Purpose: "Keeps it useful.", Responsibilities: []string{"Onboarding"},
			Communities: []v1alpha1.ManagedCommunities{{Name: "engineering"}},
		},
	}
}

// blind has the manager's lists of CommunityManagers fail.
var blind atomic.Bool

type blindable struct{ client.Client }

func (b blindable) List(ctx context.Context, list client.ObjectList, opts ...client.ListOption) error {
	if _, is := list.(*v1alpha1.CommunityManagerList); is && blind.Load() {
		return errors.New("the list is down")
	}
	return b.Client.List(ctx, list, opts...)
}

// day is a date, as many days from today as said.
func day(from int) string { return now.Now().UTC().AddDate(0, 0, from).Format(time.DateOnly) }

// powers are the roles in a space that are more than a member's.
func (w *world) powers(space string) func() map[string]model.Role {
	return func() map[string]model.Role {
		if s := w.server.Space(space); s != nil {
			return s.Roles
		}
		return nil
	}
}

// inSpace are who is in a space, besides the operator.
func (w *world) inSpace(space string) func() []string {
	return func() []string {
		present := []string{}
		if s := w.server.Space(space); s != nil {
			for account, state := range s.Members {
				if state == model.Present && account != "@cabildo:memory" {
					present = append(present, account)
				}
			}
		}
		return present
	}
}

var _ = Describe("Community managers", func() {
	none := BeEmpty()
	manages := func(person string) OmegaMatcher {
		return Equal(map[string]model.Role{"@" + person + ":memory": model.RoleManager})
	}
	// managed is a community and a group of its own, in which any number may lose their role at once, with managers.
	managed := func(ctx context.Context, people ...string) (*world, *v1alpha1.Community, *v1alpha1.Group) {
		w := newWorld(ctx, people...).ready(ctx)
		c, golang := w.community(), w.group("golang")
		c.Spec.Management = &v1alpha1.Management{RemovalBudget: &v1alpha1.RemovalBudget{Percent: ptr.To[int32](100)}}
		w.create(ctx, c, golang)
		w.expect(ctx, golang, metav1.ConditionTrue, v1alpha1.ReasonReady)
		return w, c, golang
	}

	It("have their role in the community and its groups, and in no other", Label("promise 7"), func(ctx context.Context) {
		w, _, _ := managed(ctx, "lucia", "mo", "amy")
		other := w.community()
		other.Name, other.Spec.Platforms[0].SpaceName = "data", "eng-data"
		lead := w.manager("lucia", v1alpha1.ManagerLead)
		w.create(ctx, other, lead, w.manager("mo", v1alpha1.ManagerModerator), w.manager("amy", v1alpha1.ManagerAmbassador))
		for _, space := range []string{"eng", "eng-golang"} {
			Eventually(w.powers(space)).Should(Equal(map[string]model.Role{"@lucia:memory": model.RoleManager, "@mo:memory": model.RoleModerator}))
			Eventually(w.inSpace(space)).Should(ConsistOf("@lucia:memory", "@mo:memory", "@amy:memory"), "an ambassador is a member, with no power")
		}
		w.expect(ctx, other, metav1.ConditionTrue, v1alpha1.ReasonReady)
		Consistently(w.inSpace("eng-data")).Should(BeEmpty())
		w.expect(ctx, lead, metav1.ConditionTrue, v1alpha1.ReasonReady)
		Expect(lead.Status.Communities).To(Equal([]string{w.namespace + "/engineering"}))
		Expect(lead.Status.Acting).To(Equal(v1alpha1.ActingManager))
	})

	It("who are on leave have deputies, and no power meanwhile", func(ctx context.Context) {
		w, _, _ := managed(ctx, "lucia", "omar")
		m := w.manager("lucia", v1alpha1.ManagerLead)
		m.Spec.Deputies = []v1alpha1.Person{{Person: "omar"}}
		w.create(ctx, m)
		for _, space := range []string{"eng", "eng-golang"} {
			Eventually(w.powers(space)).Should(manages("lucia"))
		}
		w.change(ctx, m, func() { m.Spec.Leave = []v1alpha1.Leave{{Start: day(0), End: day(3)}} })
		for _, space := range []string{"eng", "eng-golang"} {
			Eventually(w.powers(space)).Should(manages("omar"))
			Expect(w.inSpace(space)()).To(ConsistOf("@lucia:memory", "@omar:memory"), "who is on leave stays a member")
		}
		w.expect(ctx, m, metav1.ConditionTrue, v1alpha1.ReasonReady)
		Expect(m.Status.Acting).To(Equal(v1alpha1.ActingDeputies))
		Expect(m.Status.NextChange.UTC().Format(time.DateOnly)).To(Equal(day(4)))
		w.change(ctx, m, func() { m.Spec.Deputies = nil })
		w.expect(ctx, m, metav1.ConditionFalse, v1alpha1.ReasonOnLeave)
	})

	It("whose term has ended lose their role", Label("promise 7"), func(ctx context.Context) {
		w, c, golang := managed(ctx, "lucia")
		m := w.manager("lucia", v1alpha1.ManagerManager)
		m.Spec.Term = &v1alpha1.Term{Start: day(-10), End: day(0)}
		w.create(ctx, m)
		Eventually(w.powers("eng-golang")).Should(manages("lucia"))
		Eventually(w.powers("eng")).Should(manages("lucia"))
		ahead(oneDay)
		defer ahead(-oneDay)
		w.change(ctx, c, func() { c.Spec.Purpose = "Later." })
		w.change(ctx, golang, func() { golang.Spec.Purpose = "Later." })
		w.change(ctx, m, func() { m.Spec.Purpose = "Later." })
		for _, space := range []string{"eng", "eng-golang"} {
			Eventually(w.powers(space)).Should(none)
			Eventually(w.inSpace(space)).Should(none)
		}
		w.expect(ctx, m, metav1.ConditionFalse, v1alpha1.ReasonNotInTerm)
		Expect(m.Status.Communities).To(BeEmpty())
	})

	It("that are deleted leave who was declared otherwise, without the power", func(ctx context.Context) {
		w, c, _ := managed(ctx, "lucia", "mo")
		w.change(ctx, c, func() { c.Spec.Members = []v1alpha1.MemberSource{{Person: "lucia"}} })
		lead, moderator := w.manager("lucia", v1alpha1.ManagerLead), w.manager("mo", v1alpha1.ManagerModerator)
		w.create(ctx, lead, moderator)
		for _, space := range []string{"eng", "eng-golang"} {
			Eventually(w.powers(space)).Should(HaveLen(2))
		}
		Expect(k8s.Delete(ctx, lead)).To(Succeed())
		Expect(k8s.Delete(ctx, moderator)).To(Succeed())
		for _, space := range []string{"eng", "eng-golang"} {
			Eventually(w.powers(space)).Should(none)
		}
		Eventually(w.inSpace("eng")).Should(ConsistOf("@lucia:memory"))
		Eventually(w.inSpace("eng-golang")).Should(none)
	})

	It("that can't be read are not taken for gone", Label("promise 1"), func(ctx context.Context) {
		w, _, golang := managed(ctx, "lucia")
		m := w.manager("lucia", v1alpha1.ManagerLead)
		w.create(ctx, m)
		Eventually(w.powers("eng-golang")).Should(manages("lucia"))
		Eventually(w.powers("eng")).Should(manages("lucia"))
		blind.Store(true)
		defer blind.Store(false)
		w.change(ctx, golang, func() { golang.Spec.Purpose = "Look again." })
		w.expectCondition(ctx, golang, v1alpha1.ConditionMembersResolved, metav1.ConditionFalse, v1alpha1.ReasonManagersUnavailable)
		Consistently(w.powers("eng-golang")).Should(manages("lucia"))
		Expect(w.inSpace("eng-golang")()).To(ConsistOf("@lucia:memory"))
		blind.Store(false)
		w.change(ctx, golang, func() { golang.Spec.Purpose = "And again." })
		w.expectCondition(ctx, golang, v1alpha1.ConditionMembersResolved, metav1.ConditionTrue, v1alpha1.ReasonAllResolved)
		Expect(w.powers("eng-golang")()).To(manages("lucia"))
	})

	It("of another namespace need the community's consent", Label("promise 10"), func(ctx context.Context) {
		w, c, _ := managed(ctx, "lucia")
		office := namespaced(w.namespace + "-office")
		m := w.manager("lucia", v1alpha1.ManagerLead)
		m.Namespace, m.Spec.Communities[0].Namespace = office.Name, w.namespace
		w.create(ctx, office, m)
		refused := w.expect(ctx, m, metav1.ConditionFalse, v1alpha1.ReasonCommunityDoesNotConsent)
		Expect(refused.Message).To(ContainSubstring("ask who owns the community to add this namespace to its spec.managersFrom"))
		Consistently(w.inSpace("eng")).Should(none)
		w.change(ctx, c, func() {
			c.Spec.ManagersFrom = []v1alpha1.ManagersFrom{{NamespaceSelector: metav1.LabelSelector{MatchLabels: map[string]string{"kind": "office"}}}}
		})
		Consistently(w.inSpace("eng")).Should(none)
		w.change(ctx, office, func() { office.Labels["kind"] = "office" })
		for _, space := range []string{"eng", "eng-golang"} {
			Eventually(w.powers(space)).Should(manages("lucia"))
		}
		w.expect(ctx, m, metav1.ConditionTrue, v1alpha1.ReasonReady)
		w.change(ctx, c, func() { c.Spec.ManagersFrom = nil })
		for _, space := range []string{"eng", "eng-golang"} {
			Eventually(w.powers(space)).Should(none)
		}
	})

	It("are told when nothing is there to manage", func(ctx context.Context) {
		w := newWorld(ctx)
		m := w.manager("lucia", v1alpha1.ManagerLead)
		m.Spec.Communities = []v1alpha1.ManagedCommunities{{Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"area": "it"}}}}
		c := w.community()
		w.create(ctx, c, m)
		w.expect(ctx, m, metav1.ConditionFalse, v1alpha1.ReasonNoCommunity)
		w.change(ctx, c, func() { c.Labels = map[string]string{"area": "it"} })
		w.expect(ctx, m, metav1.ConditionTrue, v1alpha1.ReasonReady)
	})

	It("with more than a week of work are told how much more, and not where", Label("promise 12"), func(ctx context.Context) {
		w := newWorld(ctx)
		elsewhere := namespaced(w.namespace + "-secret")
		one, two := w.manager(w.name, v1alpha1.ManagerLead), w.manager(w.name, v1alpha1.ManagerLead)
		two.Namespace = elsewhere.Name
		one.Spec.Commitment, one.Spec.Communities[0].AllocationPercent = v1alpha1.CommitmentFullTime, ptr.To[int32](80)
		two.Spec.Communities[0].AllocationPercent = ptr.To[int32](45)
		w.create(ctx, elsewhere, one)
		w.expectCondition(ctx, one, v1alpha1.ConditionWithinAllocation, metav1.ConditionTrue, v1alpha1.ReasonWithinAllocation)
		w.create(ctx, two)
		said := w.expectCondition(ctx, one, v1alpha1.ConditionWithinAllocation, metav1.ConditionFalse, v1alpha1.ReasonOverAllocated).Message
		Expect(said).To(And(ContainSubstring("25 percent more"), Not(ContainSubstring("45")), Not(ContainSubstring("secret"))))
		Expect(k8s.Delete(ctx, two)).To(Succeed())
		w.expectCondition(ctx, one, v1alpha1.ConditionWithinAllocation, metav1.ConditionTrue, v1alpha1.ReasonWithinAllocation)
	})

	It("are the members of their own community", func(ctx context.Context) {
		w, c, _ := managed(ctx, "lucia", "omar", "amy")
		office := w.community()
		office.Name, office.Spec.Platforms[0].SpaceName = "managers", "eng-managers"
		office.Spec.Members = []v1alpha1.MemberSource{{ManagersOf: &v1alpha1.ManagersSource{
			CommunitySelector: metav1.LabelSelector{MatchLabels: map[string]string{"area": "it"}},
		}}}
		practice := w.group("practice")
		practice.Spec.CommunityRef.Name, practice.Spec.Members = "managers", office.Spec.Members
		lead := w.manager("lucia", v1alpha1.ManagerLead)
		w.create(ctx, office, practice, lead, w.manager("omar", v1alpha1.ManagerManager), w.manager("amy", v1alpha1.ManagerAmbassador))
		w.expectCondition(ctx, practice, v1alpha1.ConditionMembersResolved, metav1.ConditionTrue, v1alpha1.ReasonAllResolved)
		Expect(w.inSpace("eng-managers")()).To(BeEmpty(), "no community has the label yet")
		w.change(ctx, c, func() { c.Labels = map[string]string{"area": "it"} })
		for _, space := range []string{"eng-managers", "eng-managers-practice"} {
			Eventually(w.inSpace(space)).Should(ConsistOf("@lucia:memory", "@omar:memory"), "ambassadors are not managers")
			Expect(w.powers(space)()).To(BeEmpty(), "what they are elsewhere gives them nothing here")
		}
		Expect(k8s.Delete(ctx, lead)).To(Succeed())
		for _, space := range []string{"eng-managers", "eng-managers-practice"} {
			Eventually(w.inSpace(space)).Should(ConsistOf("@omar:memory"))
		}
	})

	It("are told with the guidelines, where these show role cards", func(ctx SpecContext) {
		w := newWorld(ctx, "ana").ready(ctx)
		c, golang := w.community(), w.group("golang")
		c.Spec.Guidelines = &v1alpha1.Guidelines{Text: "Be kind.", RoleCards: v1alpha1.RoleCardsShown}
		lead := w.manager("ana", v1alpha1.ManagerLead)
		w.create(ctx, c, golang, lead)
		card := "Be kind.\n\n## Who looks after this space\n\n- **ana**, Lead. Keeps it useful. Onboarding."
		pinned := func(space string) func() string {
			return func() string {
				if s := w.server.Space(space); s != nil {
					return s.GuidelinesDigest
				}
				return ""
			}
		}
		for _, space := range []string{"eng", "eng-golang"} {
			Eventually(pinned(space)).Should(Equal(model.Digest(card)))
		}
		Expect(k8s.Delete(ctx, lead)).To(Succeed())
		for _, space := range []string{"eng", "eng-golang"} {
			Eventually(pinned(space)).Should(Equal(model.Digest("Be kind.")))
		}
	})
})

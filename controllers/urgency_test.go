// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/internal/model"
	"github.com/cabildo-dev/cabildo/internal/plan"
	"github.com/cabildo-dev/cabildo/internal/platform"
	"github.com/cabildo-dev/cabildo/internal/platform/memory"
)

// question is what the request budget would be told of one call of an adapter.
type question struct {
	About    string
	Share    string
	Priority platform.Priority
}

// questions are those that one platform was asked.
type questions struct {
	mu  sync.Mutex
	all []question
	// hidden is closed when the platform shows again what is written; nil while it does so at once.
	hidden  chan struct{}
	written map[model.Ref]bool
	// lag is how long the platform takes to show what was written, and last when that was.
	lag  time.Duration
	last map[model.Ref]time.Time
	// refused is an account that can't be added to any space.
	refused string
	// nested says that who is in a group has to be in its community.
	nested bool
}

// refuse has one account refused from now on; an empty one ends it.
func (q *questions) refuse(account string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.refused = account
}

// refuses says that an operation adds the account that is refused.
func (q *questions) refuses(op plan.Operation) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return op.Verb == plan.AddMember && op.Members[0].Account == q.refused
}

// late has the platform show what is written from now on after so long.
func (q *questions) late(lag time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.lag, q.last = lag, map[model.Ref]time.Time{}
}

// hide has the platform show nothing of what is written from now on, until it is told to.
func (q *questions) hide() (show func()) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.hidden, q.written = make(chan struct{}), map[model.Ref]bool{}
	return sync.OnceFunc(func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		close(q.hidden)
		q.hidden = nil
	})
}

// hides is what has to be waited for before a space can be seen; nil for nothing.
func (q *questions) hides(ref model.Ref) <-chan struct{} {
	q.mu.Lock()
	defer q.mu.Unlock()
	if left := q.lag - time.Since(q.last[ref]); left > 0 {
		shown := make(chan struct{})
		time.AfterFunc(left, func() { close(shown) })
		return shown
	}
	if !q.written[ref] {
		return nil
	}
	return q.hidden
}

func (q *questions) wrote(ref model.Ref) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.hidden != nil {
		q.written[ref] = true
	}
	if q.lag > 0 {
		q.last[ref] = time.Now()
	}
}

func (q *questions) note(ctx context.Context, about string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.all = append(q.all, question{about, platform.Share(ctx), platform.PriorityOf(ctx)})
}

// take returns what was asked since it was called last.
func (q *questions) take() []question {
	q.mu.Lock()
	defer q.mu.Unlock()
	all := q.all
	q.all = nil
	return all
}

// listening is an adapter that notes how it is called.
type listening struct {
	platform.Adapter
	heard *questions
}

func (l listening) Probe(ctx context.Context) (platform.Info, error) {
	info, err := l.Adapter.Probe(ctx)
	info.Nested = l.heard.nested
	return info, err
}

func (l listening) Observe(ctx context.Context, q platform.Query) (platform.Observation, error) {
	l.heard.note(ctx, "look at "+q.Ref.Name)
	if hidden := l.heard.hides(q.Ref); hidden != nil {
		if q.NoWait {
			return platform.Observation{Pending: true}, nil
		}
		<-hidden
	}
	return l.Adapter.Observe(ctx, q)
}

func (l listening) Apply(ctx context.Context, op plan.Operation) (string, error) {
	l.heard.note(ctx, string(op.Verb)+" "+op.Space.Mark.Ref.Name)
	if l.heard.refuses(op) {
		return "", platform.Refuse(platform.Forbidden, "adding somebody", "the server has it so")
	}
	defer l.heard.wrote(op.Space.Mark.Ref)
	return l.Adapter.Apply(ctx, op)
}

// series are the names of the metrics that are shown of a platform.
func series(name string) (names []string) {
	GinkgoHelper()
	families, err := shown.Gather()
	Expect(err).NotTo(HaveOccurred())
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			for _, label := range metric.GetLabel() {
				if label.GetName() == "platform" && label.GetValue() == name && !slices.Contains(names, family.GetName()) {
					names = append(names, family.GetName())
				}
			}
		}
	}
	return names
}

var _ = Describe("the request budget of a platform", func() {
	It("is told whose a request is, and how urgent", func(ctx SpecContext) {
		w := newWorld(ctx, "ana", "kim").ready(ctx)
		q, _ := asked.Load(w.platform.Spec.Matrix.HomeserverURL)
		heard := q.(*questions)
		golang := w.group("golang")
		golang.Spec.Members = []v1alpha1.MemberSource{{Person: "ana"}, {Person: "kim"}}
		w.create(ctx, w.community(), golang)
		w.expect(ctx, golang, metav1.ConditionTrue, v1alpha1.ReasonReady)
		made := heard.take()
		Expect(made).To(ContainElements(
			HaveField("About", "look at engineering"), HaveField("About", "Create engineering"), HaveField("About", "Create golang")))
		for _, q := range made {
			share := w.namespace + "/engineering"
			if strings.HasSuffix(q.About, " golang") {
				share += "/groups"
			}
			Expect(q.Share).To(Equal(share), "a community takes turns with others, and so do its groups: %s", q.About)
		}

		By("changing who is in it")
		w.change(ctx, golang, func() { golang.Spec.Members = golang.Spec.Members[:1] })
		w.expect(ctx, golang, metav1.ConditionTrue, v1alpha1.ReasonReady)
		changed := heard.take()
		about := func(what string) []question {
			return slices.DeleteFunc(slices.Clone(changed), func(q question) bool { return q.About != what })
		}
		Expect(about("look at golang")).NotTo(BeEmpty())
		Expect(about("look at golang")[0].Priority).To(Equal(platform.PriorityGrant), "what was declared since may be a revocation")
		Expect(about("RemoveMember golang")).To(HaveEach(HaveField("Priority", platform.PriorityRevoke)))
		Expect(about("RemoveMember golang")).NotTo(BeEmpty())

		By("looking at what nobody changed")
		w.server.Edit("eng-golang", func(*model.Observed) {})
		Eventually(func() []question { changed = append(changed, heard.take()...); return changed }).Should(
			ContainElement(And(HaveField("About", "look at golang"), HaveField("Priority", platform.PriorityDrift))))
	})

	It("does not have a revocation wait for all who come in", func(ctx SpecContext) {
		crowd := make([]string, 80)
		for i := range crowd {
			crowd[i] = fmt.Sprintf("p%02d", i)
		}
		w := newWorld(ctx, append(crowd, "ana")...).ready(ctx)
		golang := w.group("golang", "ana")
		w.create(ctx, w.community(), golang)
		w.expect(ctx, golang, metav1.ConditionTrue, v1alpha1.ReasonReady)

		w.server.Delay(memory.Call(plan.AddMember), 50*time.Millisecond)
		w.change(ctx, golang, func() { golang.Spec.Members = append(golang.Spec.Members, members(crowd...)...) })
		Eventually(w.inSpace("eng-golang")).Should(ContainElement("@p00:memory"))
		w.change(ctx, golang, func() { golang.Spec.Members = golang.Spec.Members[1:] })
		Eventually(w.inSpace("eng-golang")).ShouldNot(ContainElement("@ana:memory"))
		Expect(len(w.inSpace("eng-golang")())).To(BeNumerically("<", len(crowd)), "the rest comes after it")
		w.expect(ctx, golang, metav1.ConditionTrue, v1alpha1.ReasonReady)
		Expect(w.inSpace("eng-golang")()).To(HaveLen(len(crowd)))
	})

	It("does not have a revocation wait for all that a policy's edit concerns", func(ctx SpecContext) {
		w := newWorld(ctx, "ana").ready(ctx)
		policy := w.policy()
		w.create(ctx, policy, w.community())
		groups := make([]*v1alpha1.Group, 6*concurrency)
		for i := range groups {
			groups[i] = w.group(fmt.Sprintf("g%d", i), "ana")
			w.create(ctx, groups[i])
		}
		for _, g := range groups {
			w.expect(ctx, g, metav1.ConditionTrue, v1alpha1.ReasonReady)
		}
		edited := func(g *v1alpha1.Group) bool {
			return w.server.Space("eng-" + g.Name).Settings.Permissions[model.ActionPin] == model.RoleModerator
		}
		waiting := func() []*v1alpha1.Group { return slices.DeleteFunc(slices.Clone(groups), edited) }

		w.server.Delay(memory.Call(plan.Set), 500*time.Millisecond)
		w.change(ctx, policy, func() {
			policy.Spec.Tiers[0].Moderation = &v1alpha1.TierModeration{Defaults: &v1alpha1.Moderation{Pins: v1alpha1.AudienceModerators}}
		})
		Eventually(func() int { return len(waiting()) }).Should(BeNumerically("<", len(groups)))
		late := waiting()
		last := late[len(late)-1]
		w.change(ctx, last, func() { last.Spec.Members = nil })
		Eventually(w.inSpace("eng-" + last.Name)).ShouldNot(ContainElement("@ana:memory"))
		Expect(len(waiting())).To(BeNumerically(">", len(groups)/2), "the others come after it")
		Eventually(waiting).Should(BeEmpty())
	})

	It("has nobody wait while a platform does not show what was written", func(ctx SpecContext) {
		w := newWorld(ctx, "ana").ready(ctx)
		q, _ := asked.Load(w.platform.Spec.Matrix.HomeserverURL)
		heard := q.(*questions)
		w.create(ctx, w.community())
		groups := make([]*v1alpha1.Group, concurrency+2)
		for i := range groups {
			groups[i] = w.group(fmt.Sprintf("g%d", i), "ana")
			w.create(ctx, groups[i])
		}
		for _, g := range groups {
			w.expect(ctx, g, metav1.ConditionTrue, v1alpha1.ReasonReady)
		}

		show := heard.hide()
		defer show()
		heard.take()
		for _, g := range groups {
			w.change(ctx, g, func() { g.Spec.Purpose = "Another topic" })
		}
		for _, g := range groups {
			Eventually(func() string { return w.server.Space("eng-" + g.Name).Settings.Topic }).Should(Equal("Another topic"))
		}
		show()
		for _, g := range groups {
			w.expect(ctx, g, metav1.ConditionTrue, v1alpha1.ReasonReady)
		}
		set := slices.DeleteFunc(heard.take(), func(q question) bool { return !strings.HasPrefix(q.About, "Set ") })
		Expect(set).To(HaveLen(len(groups)), "each was set once")
	})

	It("finishes what it began before it begins more", func(ctx SpecContext) {
		w := newWorld(ctx).ready(ctx)
		community := w.community()
		w.create(ctx, community)
		w.expect(ctx, community, metav1.ConditionTrue, v1alpha1.ReasonReady)
		q, _ := asked.Load(w.platform.Spec.Matrix.HomeserverURL)
		q.(*questions).late(300 * time.Millisecond)
		w.server.Delay(memory.Call(plan.Create), 500*time.Millisecond)
		groups := make([]*v1alpha1.Group, 10*concurrency)
		for i := range groups {
			groups[i] = w.group(fmt.Sprintf("g%d", i))
			w.create(ctx, groups[i])
		}
		ready := func(g Gomega) (n int) {
			var all v1alpha1.GroupList
			g.Expect(k8s.List(ctx, &all, client.InNamespace(w.namespace))).To(Succeed())
			for i := range all.Items {
				if meta.IsStatusConditionTrue(all.Items[i].Status.Conditions, v1alpha1.ConditionReady) {
					n++
				}
			}
			return n
		}
		Eventually(ready).Should(BeNumerically(">=", 2*concurrency))
		Expect(w.server.Spaces()).To(BeNumerically("<", len(groups)), "the first are whole before the last are begun")
		Eventually(ready).Should(Equal(len(groups)))
	})

	It("is shown as long as there is the platform", func(ctx SpecContext) {
		w := newWorld(ctx).ready(ctx)
		Expect(series(w.name)).To(ContainElement("cabildo_platform_budget_requests_per_second"))
		Expect(k8s.Delete(ctx, w.platform)).To(Succeed())
		w.gone(ctx, w.platform)
		Eventually(func() []string { return series(w.name) }).Should(BeEmpty())
	})

	It("is not shown of a platform that has no credentials any more", func(ctx SpecContext) {
		w := newWorld(ctx).ready(ctx)
		Expect(k8s.Delete(ctx, w.secret)).To(Succeed())
		w.expect(ctx, w.platform, metav1.ConditionFalse, v1alpha1.ReasonCredentialsNotFound)
		Expect(series(w.name)).To(BeEmpty())
	})
})

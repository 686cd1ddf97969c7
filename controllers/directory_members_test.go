// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"
	"fmt"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/yaml"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/internal/model"
)

var _ = Describe("Members from a directory", func() {
	// of are the group's people on the server.
	of := func(w *world) func() []string {
		return func() []string {
			var present []string
			if space := w.server.Space("eng-golang"); space != nil {
				for account, state := range space.Members {
					if state == model.Present && account != "@cabildo:memory" {
						present = append(present, account)
					}
				}
			}
			return present
		}
	}
	engineers := func(w *world) v1alpha1.MemberSource {
		return v1alpha1.MemberSource{DirectoryGroup: &v1alpha1.DirectoryGroupSource{DirectoryRef: v1alpha1.LocalReference{Name: w.name}, Name: "engineers"}}
	}
	accounts := func(usernames ...string) []string {
		var list []string
		for _, u := range usernames {
			list = append(list, "@"+u+":memory")
		}
		return list
	}
	// crowd are ten people.
	crowd := func() []string {
		var list []string
		for i := range 10 {
			list = append(list, fmt.Sprint("u", i))
		}
		return list
	}
	// staffed is a group of ten people from a directory, which lets any number of them leave.
	staffed := func(ctx context.Context) (*world, *v1alpha1.Directory, *v1alpha1.Group) {
		w := newWorld(ctx, crowd()...).ready(ctx)
		d, golang := w.directory(crowd()...), w.group("golang")
		d.Spec.LeaverBudget = &v1alpha1.LeaverBudget{Percent: ptr.To[int32](100)}
		golang.Spec.Members = []v1alpha1.MemberSource{engineers(w)}
		w.create(ctx, d, w.community(), golang)
		w.expectCondition(ctx, golang, v1alpha1.ConditionMembersResolved, metav1.ConditionTrue, v1alpha1.ReasonAllResolved)
		Eventually(of(w)).Should(ConsistOf(accounts(crowd()...)))
		w.expect(ctx, golang, metav1.ConditionTrue, v1alpha1.ReasonReady)
		return w, d, golang
	}

	It("come from its groups and attributes, and follow it", func(ctx context.Context) {
		w := newWorld(ctx, "ana", "ben", "carla").ready(ctx)
		d, golang := w.directory("ana"), w.group("golang")
		d.Spec.Inline.People = append(d.Spec.Inline.People, people("ben", "carla")...)
		d.Spec.Inline.People[1].Attributes = map[string]string{"area": "it"}
		golang.Spec.Members = []v1alpha1.MemberSource{
			engineers(w),
			{Attribute: &v1alpha1.AttributeSource{DirectoryRef: v1alpha1.LocalReference{Name: w.name}, Name: "area", Value: "it"}, Role: v1alpha1.RoleModerator},
		}
		w.create(ctx, d, w.community(), golang)
		Eventually(of(w)).Should(ConsistOf("@ana:memory", "@ben:memory"))
		w.expect(ctx, golang, metav1.ConditionTrue, v1alpha1.ReasonReady)
		w.change(ctx, d, func() { d.Spec.Inline.People[2].Attributes = map[string]string{"area": "it"} })
		Eventually(of(w)).Should(ConsistOf("@ana:memory", "@ben:memory", "@carla:memory"))
	})

	It("are refused where they are not granted, with whose rule it is", Label("promise 10"), func(ctx context.Context) {
		w := newWorld(ctx, "ana").ready(ctx)
		d, golang := w.directory("ana"), w.group("golang")
		d.Spec.Access = nil
		golang.Spec.Members = []v1alpha1.MemberSource{engineers(w)}
		w.create(ctx, w.community(), golang)
		resolved := func(reason string) string {
			return w.expectCondition(ctx, golang, v1alpha1.ConditionMembersResolved, metav1.ConditionFalse, reason).Message
		}
		resolved(v1alpha1.ReasonDirectoryNotFound)
		w.create(ctx, d)
		Expect(resolved(v1alpha1.ReasonDirectoryNotGranted)).To(ContainSubstring("ask the platform team to add an entry for this namespace to its spec.access"))
		grant := func(groups ...string) {
			w.change(ctx, d, func() {
				d.Spec.Access = []v1alpha1.DirectoryAccess{{NamespaceSelector: metav1.LabelSelector{}, Groups: groups}}
			})
		}
		grant("sales")
		Expect(resolved(v1alpha1.ReasonDirectoryGroupNotGranted)).To(ContainSubstring("use the groups sales, and this is none of them"))
		Expect(of(w)()).To(BeEmpty())
		grant("sales", "eng*")
		Eventually(of(w)).Should(ConsistOf("@ana:memory"))
		mistaken := engineers(w)
		mistaken.DirectoryGroup.Name = "engineering"
		w.change(ctx, golang, func() { golang.Spec.Members = append(golang.Spec.Members, mistaken) })
		Expect(resolved(v1alpha1.ReasonDirectoryGroupNotFound)).To(ContainSubstring("there is no such group"))
		grant("sales")
		resolved(v1alpha1.ReasonDirectoryGroupNotGranted)
		Consistently(of(w)).Should(ConsistOf("@ana:memory"), "a grant that is taken away freezes what is there")
	})

	It("stay while it can't be read", Label("promise 1"), func(ctx context.Context) {
		w := newWorld(ctx, "ana", "ben").ready(ctx)
		d, golang := w.directory("ana", "ben"), w.group("golang")
		list := func(usernames ...string) string {
			text, err := yaml.Marshal(v1alpha1.DirectoryPeople{People: people(usernames...), Groups: []v1alpha1.DirectoryGroup{{Name: "engineers", People: usernames}}})
			Expect(err).NotTo(HaveOccurred())
			return string(text)
		}
		cm := &corev1.ConfigMap{
			ObjectMeta: metav1.ObjectMeta{Namespace: operatorNamespace, Name: "people-" + w.name, Labels: map[string]string{v1alpha1.ReadLabel: "true"}},
			Data:       map[string]string{"people.yaml": list("ana", "ben")},
		}
		d.Spec.Type, d.Spec.Inline = v1alpha1.DirectoryConfigMap, nil
		d.Spec.ConfigMapKeyRef = &v1alpha1.ConfigMapKeyReference{Name: cm.Name, Key: "people.yaml"}
		golang.Spec.Members = []v1alpha1.MemberSource{engineers(w)}
		w.create(ctx, cm, d, w.community(), golang)
		Eventually(of(w)).Should(ConsistOf("@ana:memory", "@ben:memory"))
		w.expect(ctx, golang, metav1.ConditionTrue, v1alpha1.ReasonReady)

		w.change(ctx, cm, func() { cm.Data["people.yaml"] = "people: []" })
		w.expect(ctx, d, metav1.ConditionFalse, v1alpha1.ReasonDirectoryIncomplete)
		w.change(ctx, golang, func() { golang.Spec.Purpose = "Look again." })
		unresolved := w.expectCondition(ctx, golang, v1alpha1.ConditionMembersResolved, metav1.ConditionFalse, v1alpha1.ReasonDirectoryUnavailable)
		Expect(unresolved.Message).To(ContainSubstring("who was in it last is served, and nobody is removed"))
		Consistently(of(w)).Should(ConsistOf("@ana:memory", "@ben:memory"))

		w.change(ctx, cm, func() { cm.Data["people.yaml"] = list("ana") })
		Eventually(of(w)).Should(ConsistOf("@ana:memory"), "when it is back, it counts")
		w.expectCondition(ctx, golang, v1alpha1.ConditionMembersResolved, metav1.ConditionTrue, v1alpha1.ReasonAllResolved)
	})

	It("who have left lose access at once, whatever the space's budget", Label("promise 4"), func(ctx context.Context) {
		w, d, golang := staffed(ctx)
		w.change(ctx, d, func() {
			d.Spec.Inline.People = people("u0", "u1", "u2")
			d.Spec.Inline.People[2].State = v1alpha1.PersonDisabled
		})
		Eventually(of(w)).Should(ConsistOf("@u0:memory", "@u1:memory"))
		w.expect(ctx, golang, metav1.ConditionTrue, v1alpha1.ReasonReady)
		Expect(golang.Status.Proposal).To(BeNil(), "nothing waits for a person")
	})

	It("who have left lose access under another name, too", Label("promise 4"), func(ctx context.Context) {
		w, d, golang := staffed(ctx)
		for i := range 5 {
			w.server.RenamePerson(fmt.Sprintf("@u%d:memory", i), fmt.Sprintf("@n%d:memory", i))
		}
		w.change(ctx, d, func() {
			for i := range 5 {
				d.Spec.Inline.People[i].State = v1alpha1.PersonDisabled
			}
		})
		Eventually(of(w)).Should(ConsistOf(accounts("u5", "u6", "u7", "u8", "u9")))
		w.expect(ctx, golang, metav1.ConditionTrue, v1alpha1.ReasonReady)
		Expect(golang.Status.Proposal).To(BeNil(), "nothing waits for a person")
	})

	It("who are taken out of a group have the space's budget", Label("promise 4"), func(ctx context.Context) {
		w, d, golang := staffed(ctx)
		w.change(ctx, d, func() { d.Spec.Inline.Groups[0].People = []string{"u0", "u1"} })
		w.expectCondition(ctx, golang, v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonRemovalBudgetExceeded)
		Expect(of(w)()).To(HaveLen(8), "a quarter of ten")
	})

	It("who have left go although something names them, where the directory says who people are", func(ctx context.Context) {
		w := newWorld(ctx, "ana", "ben")
		w.platform.Spec.Accounts = &v1alpha1.Accounts{DirectoryRef: &v1alpha1.LocalReference{Name: w.name}}
		w.ready(ctx)
		d, golang := w.directory("ana", "ben"), w.group("golang", "ana", "ben")
		w.create(ctx, d, w.community(), golang)
		Eventually(of(w)).Should(ConsistOf("@ana:memory", "@ben:memory"))
		w.expect(ctx, golang, metav1.ConditionTrue, v1alpha1.ReasonReady)
		w.change(ctx, d, func() { d.Spec.Inline.People[1].State = v1alpha1.PersonDisabled })
		Eventually(of(w)).Should(ConsistOf("@ana:memory"))
		w.change(ctx, d, func() { d.Spec.Inline.People[1].State = v1alpha1.PersonActive })
		Eventually(of(w)).Should(ConsistOf("@ana:memory", "@ben:memory"), "and come back")
	})

	It("are the accounts of their verified e-mail addresses, where the platform says so", func(ctx context.Context) {
		w := newWorld(ctx, "ana-at-chat", "ben-at-chat")
		w.platform.Spec.Accounts = &v1alpha1.Accounts{DirectoryRef: &v1alpha1.LocalReference{Name: w.name}, Match: v1alpha1.MatchEmail}
		w.ready(ctx)
		w.server.AddAddress("ana@example.com", "@ana-at-chat:memory")
		golang := w.group("golang", "ana", "ben", "carla")
		w.create(ctx, w.community(), golang)
		waits := w.expect(ctx, golang, metav1.ConditionFalse, v1alpha1.ReasonDirectoryUnavailable)
		Expect(waits.Message).To(ContainSubstring("has not been read yet"))

		d := w.directory("ana", "ben")
		d.Spec.Inline.People[0].Email, d.Spec.Inline.People[1].Email = "Ana@example.com", "ben@example.com"
		w.create(ctx, d)
		Eventually(of(w)).Should(ConsistOf("@ana-at-chat:memory"))
		missing := w.expectCondition(ctx, golang, v1alpha1.ConditionMembersResolved, metav1.ConditionFalse, v1alpha1.ReasonPeopleNotFound)
		Expect(missing.Message).To(And(ContainSubstring("ben@example.com"), ContainSubstring("carla"), ContainSubstring("2 in all")))
		Expect(golang.Status.Members.Declared).To(BeEquivalentTo(3))

		By("verifying another address")
		w.server.AddAddress("ben@example.com", "@ben-at-chat:memory")
		w.change(ctx, golang, func() { golang.Spec.Members = golang.Spec.Members[:2] })
		Eventually(of(w)).Should(ConsistOf("@ana-at-chat:memory", "@ben-at-chat:memory"))
		w.expectCondition(ctx, golang, v1alpha1.ConditionMembersResolved, metav1.ConditionTrue, v1alpha1.ReasonAllResolved)

		By("leaving")
		w.change(ctx, d, func() { d.Spec.Inline.People[1].State = v1alpha1.PersonDisabled })
		Eventually(of(w)).Should(ConsistOf("@ana-at-chat:memory"))
	})
})

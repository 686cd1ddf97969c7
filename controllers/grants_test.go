// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"
	"slices"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/internal/grants"
	"github.com/cabildo-dev/cabildo/internal/model"
	"github.com/cabildo-dev/cabildo/internal/plan"
	"github.com/cabildo-dev/cabildo/internal/platform"
	"github.com/cabildo-dev/cabildo/internal/platform/memory"
)

// records are the Secrets with the records about an object.
func (w *world) records(ctx context.Context, o client.Object) (about []corev1.Secret) {
	GinkgoHelper()
	var secrets corev1.SecretList
	Expect(k8s.List(ctx, &secrets, client.InNamespace(operatorNamespace), client.MatchingLabels{"community.cabildo.dev/record": "grants"})).To(Succeed())
	kind := map[bool]string{true: "Group ", false: "Community "}[isGroup(o)]
	for _, secret := range secrets.Items {
		if secret.Annotations["community.cabildo.dev/about"] == kind+o.GetNamespace()+"/"+o.GetName() {
			about = append(about, secret)
		}
	}
	return about
}

// record is the Secret with the record of an object; nil where there is none.
func (w *world) record(ctx context.Context, o client.Object) *corev1.Secret {
	GinkgoHelper()
	if about := w.records(ctx, o); len(about) > 0 {
		return &about[0]
	}
	return nil
}

// decoded is the record in a Secret, read with the key that all records have.
func decoded(ctx context.Context, secret *corev1.Secret) *grants.Record {
	GinkgoHelper()
	var key corev1.Secret
	Expect(k8s.Get(ctx, client.ObjectKey{Namespace: operatorNamespace, Name: "cabildo-grants-key"}, &key)).To(Succeed())
	encoded := grants.Encoded{Head: secret.Data["head"], Shards: map[string][]byte{}}
	for name, data := range secret.Data {
		if shard, is := strings.CutPrefix(name, "shard-"); is {
			encoded.Shards[shard] = data
		}
	}
	record, err := grants.Decode(grants.Key(key.Data["key"]), encoded)
	Expect(err).NotTo(HaveOccurred())
	return record
}

// recorded is how many accounts all records about a community have.
func (w *world) recorded(ctx context.Context, c *v1alpha1.Community) (accounts int) {
	GinkgoHelper()
	for _, secret := range w.records(ctx, c) {
		accounts += decoded(ctx, &secret).Size()
	}
	return accounts
}

// rewrite changes the record of an object.
func (w *world) rewrite(ctx context.Context, o client.Object, change func(*grants.Record)) {
	GinkgoHelper()
	secret := w.record(ctx, o)
	record := decoded(ctx, secret)
	change(record)
	encoded, err := record.Encode()
	Expect(err).NotTo(HaveOccurred())
	secret.Data = map[string][]byte{"head": encoded.Head}
	for name, data := range encoded.Shards {
		secret.Data["shard-"+name] = data
	}
	Expect(k8s.Update(ctx, secret)).To(Succeed())
}

func isGroup(o client.Object) bool {
	_, ok := o.(*v1alpha1.Group)
	return ok
}

// undeclare takes people out of a group's members.
func (w *world) undeclare(ctx context.Context, g *v1alpha1.Group, people ...string) {
	GinkgoHelper()
	w.change(ctx, g, func() {
		g.Spec.Members = slices.DeleteFunc(g.Spec.Members, func(m v1alpha1.MemberSource) bool { return slices.Contains(people, m.Person) })
	})
}

var _ = Describe("what was granted", Label("promise 1", "promise 2"), func() {
	members := func(w *world) map[string]model.Membership { return w.server.Space("eng-golang").Members }
	provisioned := func(ctx context.Context, w *world, people ...string) *v1alpha1.Group {
		golang := w.group("golang", people...)
		w.create(ctx, w.community(), golang)
		w.expect(ctx, golang, metav1.ConditionTrue, v1alpha1.ReasonReady)
		return golang
	}

	It("is taken back when it is no longer declared, and who came alone stays", func(ctx SpecContext) {
		w := newWorld(ctx, "ana", "omar", "guest").ready(ctx)
		golang := provisioned(ctx, w, "ana", "omar")
		w.server.Edit("eng-golang", func(o *model.Observed) { o.Members["@guest:memory"] = model.Present })
		w.undeclare(ctx, golang, "omar")
		Eventually(func() model.Membership { return members(w)["@omar:memory"] }).Should(Equal(model.Removed))
		w.expect(ctx, golang, metav1.ConditionTrue, v1alpha1.ReasonReady)
		Expect(members(w)).To(And(HaveKeyWithValue("@ana:memory", model.Present), HaveKeyWithValue("@guest:memory", model.Present)))
	})

	It("is not what somebody had who was there before they were declared", func(ctx SpecContext) {
		w := newWorld(ctx, "ana", "guest").ready(ctx)
		golang := provisioned(ctx, w, "ana")
		w.server.Edit("eng-golang", func(o *model.Observed) { o.Members["@guest:memory"] = model.Present })
		w.change(ctx, golang, func() { golang.Spec.Members = append(golang.Spec.Members, v1alpha1.MemberSource{Person: "guest"}) })
		w.expect(ctx, golang, metav1.ConditionTrue, v1alpha1.ReasonReady)
		w.undeclare(ctx, golang, "guest")
		w.expect(ctx, golang, metav1.ConditionTrue, v1alpha1.ReasonReady)
		Consistently(func() model.Membership { return members(w)["@guest:memory"] }).Should(Equal(model.Present))
	})

	It("and declined is not given again, on a platform that forgets who left, unless that is declared", func(ctx SpecContext) {
		w := newWorld(ctx, "ana", "omar").ready(ctx)
		golang := provisioned(ctx, w, "ana", "omar")
		w.server.Edit("eng-golang", func(o *model.Observed) { delete(o.Members, "@omar:memory") })
		Consistently(func() map[string]model.Membership { return members(w) }).ShouldNot(HaveKey("@omar:memory"))
		w.change(ctx, golang, func() { golang.Spec.Members[1].AfterLeaving = v1alpha1.ReaddAfterLeaving })
		Eventually(func() map[string]model.Membership { return members(w) }).Should(HaveKeyWithValue("@omar:memory", model.Present))
	})

	It("is known after a restart, and a restart writes nothing", func(ctx SpecContext) {
		w := newWorld(ctx, "ana", "omar").ready(ctx)
		golang := provisioned(ctx, w, "ana", "omar")
		record := w.record(ctx, golang)
		Expect(record).NotTo(BeNil())
		looks := w.server.Calls(memory.CallObserve)
		restart()
		Eventually(func() int { return w.server.Calls(memory.CallObserve) }).Should(BeNumerically(">=", looks+2), "both were looked at")
		Expect(w.record(ctx, golang).ResourceVersion).To(Equal(record.ResourceVersion))
		w.undeclare(ctx, golang, "omar")
		Eventually(func() model.Membership { return members(w)["@omar:memory"] }).Should(Equal(model.Removed))
	})

	// found is a group of people who are found by their addresses, so that they stay in it whatever they are called.
	found := func(ctx context.Context, people ...string) (*world, *v1alpha1.Directory, *v1alpha1.Group) {
		w := newWorld(ctx, people...)
		w.platform.Spec.Accounts = &v1alpha1.Accounts{DirectoryRef: &v1alpha1.LocalReference{Name: w.name}, Match: v1alpha1.MatchEmail}
		w.ready(ctx)
		d := w.directory(people...)
		for i, p := range people {
			d.Spec.Inline.People[i].Email = p + "@example.com"
			w.server.AddAddress(p+"@example.com", "@"+p+":memory")
		}
		d.Spec.LeaverBudget = &v1alpha1.LeaverBudget{Percent: ptr.To[int32](100)}
		w.create(ctx, d)
		return w, d, provisioned(ctx, w, people...)
	}
	present := func(w *world) func() []string {
		return func() []string {
			var names []string
			for account, is := range members(w) {
				if is == model.Present {
					names = append(names, account)
				}
			}
			return names
		}
	}
	// renamed gives an account another name, and the manager that knew the old one an end.
	renamed := func(ctx context.Context, w *world, golang *v1alpha1.Group, from, to string) {
		w.server.RenamePerson(from, to)
		restart()
		w.change(ctx, golang, func() { golang.Spec.Purpose = "Look again." })
		w.expect(ctx, golang, metav1.ConditionTrue, v1alpha1.ReasonReady)
		Expect(present(w)()).To(ContainElement(to))
	}

	It("is taken back from an account that was renamed since, also after a restart, and not from who has its name now", func(ctx SpecContext) {
		w, _, golang := found(ctx, "ana", "omar")
		renamed(ctx, w, golang, "@omar:memory", "@sharif:memory")
		w.server.AddPerson("@omar:memory")
		w.server.Edit("eng-golang", func(o *model.Observed) { o.Members["@omar:memory"] = model.Present })
		w.undeclare(ctx, golang, "omar")
		Eventually(present(w)).Should(ConsistOf("@ana:memory", "@omar:memory"))
		w.expect(ctx, golang, metav1.ConditionTrue, v1alpha1.ReasonReady)
		Consistently(present(w)).Should(ConsistOf("@ana:memory", "@omar:memory"), "the other omar came alone")
	})

	It("and declined is not given again to an account that was renamed", func(ctx SpecContext) {
		w, _, golang := found(ctx, "ana", "omar")
		w.server.Edit("eng-golang", func(o *model.Observed) { delete(o.Members, "@omar:memory") })
		Consistently(present(w)).Should(ConsistOf("@ana:memory"))
		w.server.RenamePerson("@omar:memory", "@sharif:memory")
		restart()
		w.change(ctx, golang, func() { golang.Spec.Purpose = "Look again." })
		w.expect(ctx, golang, metav1.ConditionTrue, v1alpha1.ReasonReady)
		Consistently(present(w)).Should(ConsistOf("@ana:memory"))
	})

	It("is known of who was recorded by name, before accounts were known by what stays of them", func(ctx SpecContext) {
		w := newWorld(ctx, "ana", "omar").ready(ctx)
		golang := provisioned(ctx, w, "ana", "omar")
		a, err := w.server.Open(ctx, platform.Config{})
		Expect(err).NotTo(HaveOccurred())
		Expect(a.Missing(ctx, []string{"@omar:memory"})).To(BeEmpty())
		w.rewrite(ctx, golang, func(record *grants.Record) {
			Expect(record.Granted(a.Stable("@omar:memory"))).To(BeTrue())
			record.Rename(a.Stable("@omar:memory"), "@omar:memory")
		})
		restart()
		w.undeclare(ctx, golang, "omar")
		Eventually(present(w)).Should(ConsistOf("@ana:memory"))
	})

	It("is taken from a leaver who was renamed, whatever the budget", Label("promise 4"), func(ctx SpecContext) {
		w, d, golang := found(ctx, "ana", "ben", "carla", "omar")
		renamed(ctx, w, golang, "@omar:memory", "@sharif:memory")
		renamed(ctx, w, golang, "@ben:memory", "@benedict:memory")
		w.change(ctx, d, func() {
			d.Spec.Inline.People[1].State, d.Spec.Inline.People[3].State = v1alpha1.PersonDisabled, v1alpha1.PersonDisabled
		})
		Eventually(present(w)).Should(ConsistOf("@ana:memory", "@carla:memory"))
		w.expect(ctx, golang, metav1.ConditionTrue, v1alpha1.ReasonReady)
		Expect(golang.Status.Proposal).To(BeNil(), "nothing waits for a person")
	})

	It("has who came into a community with a group as long as they are in either", func(ctx SpecContext) {
		w := newWorld(ctx, "ana")
		asked.Store(w.platform.Spec.Matrix.HomeserverURL, &questions{nested: true})
		w.ready(ctx)
		community := w.community()
		golang := w.group("golang", "ana")
		w.create(ctx, community, golang)
		w.expect(ctx, golang, metav1.ConditionTrue, v1alpha1.ReasonReady)
		Expect(w.recorded(ctx, community)).To(Equal(1))

		look := func(purpose string) {
			w.change(ctx, community, func() { community.Spec.Purpose = purpose })
			w.expect(ctx, community, metav1.ConditionTrue, v1alpha1.ReasonReady)
		}
		look("She is in the group")
		Expect(w.recorded(ctx, community)).To(Equal(1))
		w.change(ctx, golang, func() { golang.Spec.Members = nil })
		w.expect(ctx, golang, metav1.ConditionTrue, v1alpha1.ReasonReady)
		look("She came a moment ago")
		Expect(w.recorded(ctx, community)).To(Equal(1), "a pass may know an older group")
		ahead(2 * time.Minute)
		look("She is in neither")
		Eventually(func() int { return w.recorded(ctx, community) }).Should(BeZero())
	})

	It("comes back with a resource that is declared again", func(ctx SpecContext) {
		w := newWorld(ctx, "ana", "omar").ready(ctx)
		golang := provisioned(ctx, w, "ana", "omar")
		Expect(k8s.Delete(ctx, golang)).To(Succeed())
		w.gone(ctx, golang)
		again := w.group("golang", "ana")
		w.create(ctx, again)
		w.expect(ctx, again, metav1.ConditionTrue, v1alpha1.ReasonReady)
		Eventually(func() model.Membership { return members(w)["@omar:memory"] }).Should(Equal(model.Removed))
		Expect(members(w)).To(HaveKeyWithValue("@ana:memory", model.Present))
	})

	It("says nothing about people", Label("promise 12"), func(ctx SpecContext) {
		w := newWorld(ctx, "ana", "omar").ready(ctx)
		golang := provisioned(ctx, w, "ana", "omar")
		record := w.record(ctx, golang)
		for key, value := range record.Data {
			for _, part := range []string{"ana", "omar", "memory", "person"} {
				Expect(key + string(value)).NotTo(ContainSubstring(part))
			}
		}
	})

	It("and lost takes nothing away, says so, and begins anew when a person says that it may", func(ctx SpecContext) {
		w := newWorld(ctx, "ana", "omar", "guest").ready(ctx)
		golang := w.group("golang", "ana", "omar")
		golang.Spec.Members[1].Role = v1alpha1.RoleModerator
		golang.Spec.Management = &v1alpha1.Management{Membership: v1alpha1.MembershipExclusive}
		w.create(ctx, w.community(), golang)
		w.expect(ctx, golang, metav1.ConditionTrue, v1alpha1.ReasonReady)

		Expect(k8s.Delete(ctx, w.record(ctx, golang))).To(Succeed())
		said := w.expectCondition(ctx, golang, v1alpha1.ConditionGrantsRecorded, metav1.ConditionFalse, v1alpha1.ReasonGrantRecordLost)
		Expect(said.Message).To(And(ContainSubstring(v1alpha1.NewRecordAnnotation), ContainSubstring(golang.Status.Platforms[0].SpaceID)))
		w.expect(ctx, golang, metav1.ConditionTrue, v1alpha1.ReasonReady)

		w.undeclare(ctx, golang, "omar")
		w.expectCondition(ctx, golang, v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonGrantRecordLost)
		Consistently(func() model.Membership { return members(w)["@omar:memory"] }).Should(Equal(model.Present))
		Expect(w.server.Space("eng-golang").Roles).To(HaveKey("@omar:memory"))
		Expect(w.server.Calls(memory.Call(plan.RemoveMember))).To(BeZero())

		w.change(ctx, golang, func() {
			golang.Annotations = map[string]string{v1alpha1.NewRecordAnnotation: golang.Status.Platforms[0].SpaceID}
		})
		w.expect(ctx, golang, metav1.ConditionTrue, v1alpha1.ReasonReady)
		Eventually(func() model.Membership { return members(w)["@omar:memory"] }).Should(Equal(model.Removed))
		Expect(k8s.Get(ctx, client.ObjectKeyFromObject(golang), golang)).To(Succeed())
		Expect(meta.FindStatusCondition(golang.Status.Conditions, v1alpha1.ConditionGrantsRecorded)).To(BeNil())
	})

	It("is lost when another record was put in its place", func(ctx SpecContext) {
		w := newWorld(ctx, "ana", "omar").ready(ctx)
		golang := provisioned(ctx, w, "ana", "omar")
		record := w.record(ctx, golang)
		record.Data["head"] = []byte(`{"id":"0000","key":"another"}`)
		Expect(k8s.Update(ctx, record)).To(Succeed())
		w.undeclare(ctx, golang, "omar")
		w.expectCondition(ctx, golang, v1alpha1.ConditionGrantsRecorded, metav1.ConditionFalse, v1alpha1.ReasonGrantRecordLost)
		Expect(members(w)).To(HaveKeyWithValue("@omar:memory", model.Present))
	})

	It("is forgotten with a space that is deleted", func(ctx SpecContext) {
		w := newWorld(ctx, "ana").ready(ctx)
		golang := w.group("golang", "ana")
		golang.Spec.Management = &v1alpha1.Management{Deletion: v1alpha1.DeletionDelete}
		w.create(ctx, w.community(), golang)
		w.expect(ctx, golang, metav1.ConditionTrue, v1alpha1.ReasonReady)
		Expect(w.record(ctx, golang)).NotTo(BeNil())
		Expect(k8s.Delete(ctx, golang)).To(Succeed())
		w.gone(ctx, golang)
		Expect(w.record(ctx, golang)).To(BeNil())
	})
})

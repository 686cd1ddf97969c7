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
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
)

// people are directory entries with these usernames.
func people(usernames ...string) []v1alpha1.DirectoryPerson {
	var list []v1alpha1.DirectoryPerson
	for _, u := range usernames {
		list = append(list, v1alpha1.DirectoryPerson{Username: u})
	}
	return list
}

// directory is a list with the name of the world's platform, for its namespace alone.
func (w *world) directory(usernames ...string) *v1alpha1.Directory {
	return &v1alpha1.Directory{
		ObjectMeta: metav1.ObjectMeta{Name: w.name},
		Spec: v1alpha1.DirectorySpec{
			Type: v1alpha1.DirectoryInline,
			Inline: &v1alpha1.DirectoryPeople{
				People: people(usernames...),
				Groups: []v1alpha1.DirectoryGroup{{Name: "engineers", People: usernames}},
			},
			Access: []v1alpha1.DirectoryAccess{{
				NamespaceSelector: metav1.LabelSelector{MatchLabels: map[string]string{"kubernetes.io/metadata.name": w.namespace}},
				Groups:            []string{"eng*"}, Attributes: []string{"area"},
			}},
		},
	}
}

var _ = Describe("A Directory", func() {
	It("counts who is in it, and says what it left out", func(ctx context.Context) {
		w := newWorld(ctx)
		d := w.directory("ana", "ben", "carla")
		d.Spec.Inline.People[2].State = v1alpha1.PersonDisabled
		d.Spec.Inline.Groups[0].Groups = []string{"nobody-knows"}
		w.create(ctx, d)
		ready := w.expect(ctx, d, metav1.ConditionTrue, v1alpha1.ReasonReady)
		Expect(ready.Message).To(ContainSubstring(`1 groups name a group that does not exist; correct it ("engineers").`))
		Expect(d.Status.People).To(BeEquivalentTo(2))
		Expect(d.Status.Groups).To(BeEquivalentTo(1))
		Expect(d.Status.Left).To(BeEquivalentTo(1))
	})

	It("keeps those whose leaving is more than the budget, until it is raised", func(ctx context.Context) {
		w := newWorld(ctx)
		d := w.directory("ana", "ben", "carla", "dan")
		w.create(ctx, d)
		w.expect(ctx, d, metav1.ConditionTrue, v1alpha1.ReasonReady)
		w.change(ctx, d, func() {
			d.Spec.Inline.People = people("ana", "ben", "new")
			d.Spec.Inline.Groups[0].People = []string{"ana", "ben", "new"}
		})
		stalled := w.expect(ctx, d, metav1.ConditionFalse, v1alpha1.ReasonLeaverBudgetExceeded)
		Expect(stalled.Message).To(HavePrefix("2 people are gone from Directory " + w.name + " or disabled in it, and its leaver budget allows 1 at once."))
		Expect(d.Status.Held).To(BeEquivalentTo(2))
		Expect(d.Status.People).To(BeEquivalentTo(5))
		w.change(ctx, d, func() { d.Spec.LeaverBudget = &v1alpha1.LeaverBudget{Percent: ptr.To[int32](50)} })
		w.expect(ctx, d, metav1.ConditionTrue, v1alpha1.ReasonReady)
		Expect(d.Status.People).To(BeEquivalentTo(3))
		Expect(d.Status.Held).To(BeZero())
		Expect(d.Status.Left).To(BeEquivalentTo(2))
	})

	It("reads a ConfigMap of the operator's namespace, as soon as it is there and when it changes", func(ctx context.Context) {
		w := newWorld(ctx)
		d := w.directory()
		d.Spec.Type, d.Spec.Inline = v1alpha1.DirectoryConfigMap, nil
		d.Spec.ConfigMapKeyRef = &v1alpha1.ConfigMapKeyReference{Name: "people-" + w.name, Key: "people.yaml"}
		w.create(ctx, d)
		missing := w.expect(ctx, d, metav1.ConditionFalse, v1alpha1.ReasonListNotFound)
		Expect(missing.Message).To(ContainSubstring("lacks the label community.cabildo.dev/read=true"))
		cm := &corev1.ConfigMap{
			ObjectMeta: metav1.ObjectMeta{Namespace: operatorNamespace, Name: "people-" + w.name, Labels: map[string]string{v1alpha1.ReadLabel: "true"}},
			Data:       map[string]string{"people.yaml": "people: [{username: ana}]"},
		}
		w.create(ctx, cm)
		w.expect(ctx, d, metav1.ConditionTrue, v1alpha1.ReasonReady)
		w.change(ctx, cm, func() { cm.Data["people.yaml"] = "poeple: []" })
		wrong := w.expect(ctx, d, metav1.ConditionFalse, v1alpha1.ReasonInvalidDirectory)
		Expect(wrong.Message).To(And(ContainSubstring("poeple"), ContainSubstring("what was read last stays")))
		Expect(d.Status.People).To(BeEquivalentTo(1))
	})

	It("sends its password only to the server that it is for, and says what is wrong with the Secret", func(ctx context.Context) {
		w := newWorld(ctx)
		d := w.directory()
		url := "ldaps://127.0.0.1:1"
		d.Spec.Type, d.Spec.Inline = v1alpha1.DirectoryLDAP, nil
		d.Spec.LDAP = &v1alpha1.LDAPDirectory{URL: url, People: v1alpha1.LDAPPeople{BaseDN: "dc=example,dc=com", ID: "uid", Username: "uid"}}
		d.Spec.CredentialsRef = &v1alpha1.LocalReference{Name: "ldap-" + w.name}
		w.create(ctx, d)
		w.expect(ctx, d, metav1.ConditionFalse, v1alpha1.ReasonCredentialsNotFound)
		secret := &corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Namespace: operatorNamespace, Name: "ldap-" + w.name},
			StringData: map[string]string{"url": "ldaps://other.example.com", "bindDN": "cn=cabildo"},
		}
		w.create(ctx, secret)
		w.expect(ctx, d, metav1.ConditionFalse, v1alpha1.ReasonCredentialsInvalid)
		w.change(ctx, secret, func() { secret.StringData = map[string]string{"password": "s3cret-" + w.name} })
		w.expect(ctx, d, metav1.ConditionFalse, v1alpha1.ReasonCredentialNotForThisURL)
		w.change(ctx, secret, func() { secret.StringData = map[string]string{"url": url} })
		down := w.expect(ctx, d, metav1.ConditionFalse, v1alpha1.ReasonDirectoryUnavailable)
		Expect(down.Message).To(ContainSubstring("the connection was refused"))
		Expect(fmt.Sprint(d.Status)).NotTo(ContainSubstring("s3cret"))
	})

	It("is deleted when nothing uses it any more", func(ctx context.Context) {
		w := newWorld(ctx)
		d, c := w.directory("ana"), w.community()
		c.Spec.Members = []v1alpha1.MemberSource{{DirectoryGroup: &v1alpha1.DirectoryGroupSource{DirectoryRef: v1alpha1.LocalReference{Name: w.name}, Name: "engineers"}}}
		w.platform.Spec.Accounts = &v1alpha1.Accounts{DirectoryRef: &v1alpha1.LocalReference{Name: w.name}}
		w.create(ctx, d, w.platform, c)
		w.expect(ctx, d, metav1.ConditionTrue, v1alpha1.ReasonReady)
		Expect(k8s.Delete(ctx, d)).To(Succeed())
		used := w.expect(ctx, d, metav1.ConditionFalse, v1alpha1.ReasonInUse)
		Expect(used.Message).To(ContainSubstring("It is used by Community %s/engineering, Platform %s.", w.namespace, w.name))
		w.change(ctx, c, func() { c.Spec.Members = nil })
		w.change(ctx, w.platform, func() { w.platform.Spec.Accounts = nil })
		w.gone(ctx, d)
	})

	It("writes nothing when nothing changes", func(ctx context.Context) {
		w := newWorld(ctx)
		d := w.directory("ana", "ben")
		w.create(ctx, d)
		w.expect(ctx, d, metav1.ConditionTrue, v1alpha1.ReasonReady)
		version := d.ResourceVersion
		// Whatever it is woken by: it reads all of it again.
		w.create(ctx, w.platform)
		w.change(ctx, w.platform, func() {
			w.platform.Spec.Accounts = &v1alpha1.Accounts{DirectoryRef: &v1alpha1.LocalReference{Name: w.name}}
		})
		w.change(ctx, w.platform, func() { w.platform.Spec.Accounts = nil })
		Consistently(func(g Gomega) {
			g.Expect(k8s.Get(ctx, client.ObjectKeyFromObject(d), d)).To(Succeed())
			g.Expect(d.ResourceVersion).To(Equal(version))
		}).Should(Succeed())
	})
})

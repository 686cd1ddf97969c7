// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"fmt"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cabildo-dev/cabildo/controllers"
	"github.com/cabildo-dev/cabildo/internal/grants"
	"github.com/cabildo-dev/cabildo/internal/model"
)

var _ = Describe("the record of a large space", func() {
	ref := model.Ref{Kind: model.KindCommunity, Namespace: "large", Name: "everybody"}
	people := func(n int) (members []model.Member) {
		for i := range n {
			members = append(members, model.Member{Account: fmt.Sprintf("@%d:memory", i)})
		}
		return members
	}

	It("is kept in several Secrets, found by another process, and made smaller again", func(ctx SpecContext) {
		Expect(k8s.Create(ctx, namespaced("records"))).To(Succeed())
		secrets := func() (names []string) {
			var list corev1.SecretList
			Expect(k8s.List(ctx, &list, client.InNamespace("records"), client.HasLabels{"community.cabildo.dev/record"})).To(Succeed())
			for _, s := range list.Items {
				if strings.HasPrefix(s.Name, controllers.NameOfRecord("chat", "here", ref)) {
					names = append(names, s.Name)
				}
			}
			return names
		}
		name := controllers.NameOfRecord("chat", "here", ref)
		store := controllers.NewRecords(k8s, k8s, "records")
		none, err := controllers.RecallRecord(store, ctx, name)
		Expect(err).NotTo(HaveOccurred())
		Expect(none).To(BeNil())

		record, err := controllers.BeginRecord(store, ctx)
		Expect(err).NotTo(HaveOccurred())
		for _, m := range people(2*grants.MaxShard + 1) {
			record.Give(m, now.Now())
		}
		Expect(controllers.KeepRecord(store, ctx, name, "chat", ref, record)).To(Succeed())
		Expect(secrets()).To(HaveLen(3))

		again := controllers.NewRecords(k8s, k8s, "records")
		found, err := controllers.RecallRecord(again, ctx, name)
		Expect(err).NotTo(HaveOccurred())
		Expect(found.Size()).To(Equal(2*grants.MaxShard + 1))
		Expect(found.Granted("@40000:memory")).To(BeTrue())

		By("forgetting who is neither declared nor there")
		found.Meet(nil, people(1))
		Expect(controllers.KeepRecord(again, ctx, name, "chat", ref, found)).To(Succeed())
		Expect(secrets()).To(Equal([]string{name}))
		Expect(controllers.ForgetRecord(again, ctx, name)).To(Succeed())
		Expect(secrets()).To(BeEmpty())
	})

	It("is lost when one of its parts is", func(ctx SpecContext) {
		Expect(k8s.Create(ctx, namespaced("parts"))).To(Succeed())
		name := controllers.NameOfRecord("chat", "here", ref)
		store := controllers.NewRecords(k8s, k8s, "parts")
		_, err := controllers.RecallRecord(store, ctx, name)
		Expect(err).NotTo(HaveOccurred())
		record, err := controllers.BeginRecord(store, ctx)
		Expect(err).NotTo(HaveOccurred())
		for _, m := range people(grants.MaxShard + 1) {
			record.Give(m, now.Now())
		}
		Expect(controllers.KeepRecord(store, ctx, name, "chat", ref, record)).To(Succeed())
		Expect(k8s.DeleteAllOf(ctx, &corev1.Secret{}, client.InNamespace("parts"), client.MatchingLabels{"community.cabildo.dev/record": "shard"})).To(Succeed())
		found, err := controllers.RecallRecord(controllers.NewRecords(k8s, k8s, "parts"), ctx, name)
		Expect(err).NotTo(HaveOccurred())
		Expect(found).To(BeNil())
	})

	It("can't be read with another key", func(ctx SpecContext) {
		Expect(k8s.Create(ctx, namespaced("keys"))).To(Succeed())
		name := controllers.NameOfRecord("chat", "here", ref)
		store := controllers.NewRecords(k8s, k8s, "keys")
		_, err := controllers.RecallRecord(store, ctx, name)
		Expect(err).NotTo(HaveOccurred())
		record, err := controllers.BeginRecord(store, ctx)
		Expect(err).NotTo(HaveOccurred())
		Expect(controllers.KeepRecord(store, ctx, name, "chat", ref, record)).To(Succeed())
		var key corev1.Secret
		Expect(k8s.Get(ctx, client.ObjectKey{Namespace: "keys", Name: "cabildo-grants-key"}, &key)).To(Succeed())
		Expect(k8s.Delete(ctx, &key)).To(Succeed())
		found, err := controllers.RecallRecord(controllers.NewRecords(k8s, k8s, "keys"), ctx, name)
		Expect(err).NotTo(HaveOccurred())
		Expect(found).To(BeNil())
	})
})

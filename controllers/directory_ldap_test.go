// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"
	"fmt"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/hack/devenv"
	"github.com/cabildo-dev/cabildo/internal/model"
)

// ldif is a tree with these people, all of them in the group engineers.
func ldif(usernames ...string) string {
	var b strings.Builder
	b.WriteString("dn: dc=example,dc=com\nobjectClass: domain\ndc: example\n\n")
	members := ""
	for _, u := range usernames {
		fmt.Fprintf(&b, "dn: uid=%[1]s,dc=example,dc=com\nobjectClass: inetOrgPerson\nuid: %[1]s\ncn: %[1]s\nsn: %[1]s\ndepartmentNumber: it\n\n", u)
		members += fmt.Sprintf("member: uid=%s,dc=example,dc=com\n", u)
	}
	b.WriteString("dn: cn=engineers,dc=example,dc=com\nobjectClass: groupOfNames\ncn: engineers\n" + members + "\n")
	return b.String()
}

var _ = Describe("A Directory in LDAP, on a real server", func() {
	It("brings people in, keeps them while it is down, and takes leavers out", func(ctx context.Context) {
		server, err := devenv.StartSlapd(ctx, devenv.SlapdOptions{LDIF: ldif("ana", "ben")})
		if devenv.WithoutSlapd(err) {
			Skip(err.Error())
		}
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(server.Close)

		w := newWorld(ctx, "ana", "ben").ready(ctx)
		d, golang := w.directory(), w.group("golang")
		d.Spec.Type, d.Spec.Inline = v1alpha1.DirectoryLDAP, nil
		d.Spec.LDAP = &v1alpha1.LDAPDirectory{
			URL: server.URL, CABundle: server.CABundle,
			People: v1alpha1.LDAPPeople{
				// slapd gives a new entryUUID with each Load, so the ID is one that stays.
				BaseDN: devenv.SlapdSuffix, Filter: "(objectClass=inetOrgPerson)", ID: "uid", Username: "uid",
				Attributes: map[string]v1alpha1.LDAPAttribute{"area": "departmentNumber"},
			},
			Groups: &v1alpha1.LDAPGroups{BaseDN: devenv.SlapdSuffix, Filter: "(objectClass=groupOfNames)"},
		}
		d.Spec.CredentialsRef = &v1alpha1.LocalReference{Name: "ldap-" + w.name}
		secret := &corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Namespace: operatorNamespace, Name: "ldap-" + w.name},
			StringData: map[string]string{"url": server.URL, "bindDN": devenv.SlapdAdministrator, "password": "wrong"},
		}
		golang.Spec.Members = []v1alpha1.MemberSource{
			{DirectoryGroup: &v1alpha1.DirectoryGroupSource{DirectoryRef: v1alpha1.LocalReference{Name: w.name}, Name: "engineers"}},
		}
		w.create(ctx, secret, d, w.community(), golang)
		refused := w.expect(ctx, d, metav1.ConditionFalse, v1alpha1.ReasonUnauthorized)
		Expect(refused.Message).To(ContainSubstring("correct bindDN and password in Secret cabildo-system/ldap-" + w.name))
		w.change(ctx, secret, func() { secret.StringData = map[string]string{"password": server.Password} })
		w.expect(ctx, d, metav1.ConditionTrue, v1alpha1.ReasonReady)
		members := func() map[string]model.Membership { return w.server.Space("eng-golang").Members }
		w.expect(ctx, golang, metav1.ConditionTrue, v1alpha1.ReasonReady)
		Eventually(members).Should(And(HaveKeyWithValue("@ana:memory", model.Present), HaveKeyWithValue("@ben:memory", model.Present)))

		By("going down")
		server.Stop()
		w.change(ctx, d, func() { d.Spec.LDAP.People.DisplayName = "cn" })
		down := w.expect(ctx, d, metav1.ConditionFalse, v1alpha1.ReasonDirectoryUnavailable)
		Expect(down.Message).To(And(ContainSubstring("the connection was refused"), Not(ContainSubstring(server.Password))))
		w.change(ctx, golang, func() { golang.Spec.Purpose = "Look again." })
		w.expectCondition(ctx, golang, v1alpha1.ConditionMembersResolved, metav1.ConditionFalse, v1alpha1.ReasonDirectoryUnavailable)
		Expect(members()).To(HaveKeyWithValue("@ben:memory", model.Present))

		By("coming back without one of them")
		Expect(server.Load(ctx, ldif("ana"))).To(Succeed())
		Expect(server.Start(ctx)).To(Succeed())
		Eventually(members).ShouldNot(HaveKeyWithValue("@ben:memory", model.Present))
		w.expectCondition(ctx, golang, v1alpha1.ConditionMembersResolved, metav1.ConditionTrue, v1alpha1.ReasonAllResolved)
		w.expect(ctx, d, metav1.ConditionTrue, v1alpha1.ReasonReady)
		Expect(members()).To(HaveKeyWithValue("@ana:memory", model.Present))
	})
})

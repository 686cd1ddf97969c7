// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package admission_test

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	authorizationv1 "k8s.io/api/authorization/v1"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
)

var _ = DescribeTable("The roles of config/rbac let", func(ctx context.Context, user, verb, resource, subresource, in string, allowed bool) {
	review := &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{
		User: user,
		ResourceAttributes: &authorizationv1.ResourceAttributes{
			Verb: verb, Group: v1alpha1.GroupVersion.Group, Resource: resource, Subresource: subresource, Namespace: in, Name: "a",
		},
	}}
	Expect(admin.Create(ctx, review)).To(Succeed())
	Expect(review.Status.Allowed).To(Equal(allowed), review.Status.Reason)
},
	Entry("the platform team change policies", keeper, "update", "governancepolicies", "", "", true),
	Entry("the platform team see how they do", keeper, "get", "governancepolicies", "status", "", true),
	Entry("the platform team write no status", keeper, "patch", "governancepolicies", "status", "", false),
	Entry("who is on call see policies", onCall, "list", "governancepolicies", "", "", true),
	Entry("who is on call see how they do", onCall, "get", "governancepolicies", "status", "", true),
	Entry("who is on call change none", onCall, "patch", "governancepolicies", "", "", false),
	Entry("a tenant change no policy", tenant, "update", "governancepolicies", "", "", false),
	Entry("an approver change no policy", approver, "update", "governancepolicies", "", "", false),
	Entry("the manager change no policy", manager, "update", "governancepolicies", "", "", false),
	Entry("an approver see who is to be appointed", approver, "get", "communitymanagers", "status", namespace, true),
	Entry("an approver change nobody's declaration", approver, "patch", "communitymanagers", "", namespace, false),
	Entry("an approver decide on no removal of a manager, which there is not", approver, "approve", "communitymanagers", "", namespace, false),
	Entry("an approver decide nowhere else", approver, "approve-tier", "communities", "", other, false),
	Entry("a tenant approve no tier", tenant, "approve-tier", "communities", "", namespace, false),
	Entry("a tenant approve no new group", tenant, "approve-creation", "groups", "", namespace, false),
	Entry("a tenant appoint nobody", tenant, "approve-appointment", "communitymanagers", "", namespace, false),
	Entry("the platform team decide nothing by that alone", keeper, "approve-tier", "communities", "", namespace, false),
	Entry("the manager appoint nobody", manager, "approve-appointment", "communitymanagers", "", namespace, false),
)

// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package devenv

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
)

// OpenPolicy governs every namespace and asks for nothing: without a policy
// nothing is provisioned, and most tests and figures are about something else.
func OpenPolicy() *v1alpha1.GovernancePolicy {
	return &v1alpha1.GovernancePolicy{
		ObjectMeta: metav1.ObjectMeta{Name: "open"},
		Spec: v1alpha1.GovernancePolicySpec{
			Priority: -1000,
			Tiers:    []v1alpha1.Tier{{Name: "Open"}},
		},
	}
}

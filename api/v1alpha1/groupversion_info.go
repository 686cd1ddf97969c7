// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package v1alpha1 holds the kinds that a platform team and its tenants write:
// Platform, Community, Group and GovernanceDecision, with the conditions and
// reasons that Cabildo answers with.
//
// +kubebuilder:object:generate=true
// +groupName=community.cabildo.dev
package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// GroupVersion is the API group and version of every kind in this package.
var GroupVersion = schema.GroupVersion{Group: "community.cabildo.dev", Version: "v1alpha1"}

// SchemeBuilder collects the kinds; AddToScheme adds them to a scheme.
var (
	SchemeBuilder = runtime.NewSchemeBuilder(addKnownTypes)
	AddToScheme   = SchemeBuilder.AddToScheme
)

func addKnownTypes(s *runtime.Scheme) error {
	s.AddKnownTypes(GroupVersion,
		&Platform{}, &PlatformList{},
		&Directory{}, &DirectoryList{},
		&Community{}, &CommunityList{},
		&CommunityManager{}, &CommunityManagerList{},
		&Group{}, &GroupList{},
		&GovernancePolicy{}, &GovernancePolicyList{},
		&GovernanceDecision{}, &GovernanceDecisionList{},
	)
	metav1.AddToGroupVersion(s, GroupVersion)
	return nil
}

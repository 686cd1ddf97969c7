// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// SpaceStatus is what every kind with a space reports.
type SpaceStatus struct {
	// Conditions: Ready, Reconciling, Stalled, MembersResolved and ModerationEnforced.
	// +optional
	// +listType=map
	// +listMapKey=type
	Conditions []metav1.Condition `json:"conditions,omitempty"`
	// ObservedGeneration is the generation that this status is about.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// Platforms are the spaces, one a platform. It is a cache of what the platforms say: the mark in the space decides.
	// +optional
	// +listType=map
	// +listMapKey=name
	Platforms []PlatformSpaceStatus `json:"platforms,omitempty"`
	// Members are counts, never names.
	// +optional
	Members *MemberCounts `json:"members,omitempty"`
	// Effective is what was inherited and what was said, resolved.
	// +optional
	Effective *EffectiveSettings `json:"effective,omitempty"`
	// Pending are the operations that wait, in mode Plan or for a decision; at most 20 of them.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=20
	Pending []string `json:"pending,omitempty"`
}

// PlatformSpaceStatus is one space on one platform.
type PlatformSpaceStatus struct {
	// Name of the Platform.
	Name string `json:"name"`
	// SpaceID is the platform's own identifier of the space.
	// +optional
	SpaceID string `json:"spaceID,omitempty"`
	// Address is what people type to find the space.
	// +optional
	Address string `json:"address,omitempty"`
}

// MemberCounts counts members over all platforms of one space. The counts are
// brought up to date with other changes and at the resync interval, not with every join.
type MemberCounts struct {
	// Declared people, after all sources that could be resolved.
	Declared int32 `json:"declared"`
	// Present in the space.
	Present int32 `json:"present"`
	// Invited and not yet come.
	// +optional
	Invited int32 `json:"invited,omitempty"`
	// Left by their own choice, though declared.
	// +optional
	Left int32 `json:"left,omitempty"`
	// Unresolved people, who have no account or whose source can't be read.
	// +optional
	Unresolved int32 `json:"unresolved,omitempty"`
}

// EffectiveSettings are the settings in force, after inheritance.
type EffectiveSettings struct {
	// Visibility in force.
	// +optional
	Visibility Visibility `json:"visibility,omitempty"`
	// Join in force.
	// +optional
	Join Join `json:"join,omitempty"`
	// Management in force.
	// +optional
	Management *Management `json:"management,omitempty"`
	// Moderation in force.
	// +optional
	Moderation *Moderation `json:"moderation,omitempty"`
}

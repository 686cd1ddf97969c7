// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// GovernanceStatus is what a policy makes of a community.
type GovernanceStatus struct {
	// Policy is the GovernancePolicy that governs the community; empty when none does.
	// +optional
	Policy string `json:"policy,omitempty"`
	// Tier that the community is in.
	// +optional
	Tier string `json:"tier,omitempty"`
	// TierSince is when it came into the tier.
	// +optional
	TierSince *metav1.Time `json:"tierSince,omitempty"`
	// Evaluation counts looks in a row that speak for another tier. There is none while nothing speaks for one.
	// +optional
	Evaluation *TierEvaluation `json:"evaluation,omitempty"`
	// Next is the next tier, and what it takes.
	// +optional
	Next *NextTier `json:"next,omitempty"`
	// Proposal is the other tier that waits for a person's word: a GovernanceDecision with proposalKind Tier on exactly this.
	// +optional
	Proposal *Proposal `json:"proposal,omitempty"`
	// Staffing is how many managers the tier takes, and how many there are.
	// +optional
	Staffing *StaffingStatus `json:"staffing,omitempty"`
	// VacantSince is when the last manager that counts was gone.
	// +optional
	VacantSince *metav1.Time `json:"vacantSince,omitempty"`
}

// TierEvaluation is a row of looks that speak for another tier.
type TierEvaluation struct {
	// Toward is the tier that they speak for.
	Toward string `json:"toward"`
	// Passes is how many there are.
	Passes int32 `json:"passes"`
	// At is when the last one was.
	At metav1.Time `json:"at"`
}

// NextTier is the tier after the one that a community is in.
type NextTier struct {
	// Tier is its name.
	Tier string `json:"tier"`
	// When says what it takes; any of these is enough.
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=8
	When []string `json:"when"`
}

// StaffingStatus is how many managers a community needs and has.
type StaffingStatus struct {
	// Places that are to be filled, each with how many fill it.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=64
	Places []StaffingPlace `json:"places,omitempty"`
	// Managers that count, in all.
	// +optional
	Managers int32 `json:"managers,omitempty"`
	// RequiredManagers is how many there have to be in all.
	// +optional
	RequiredManagers int32 `json:"requiredManagers,omitempty"`
	// Deputies of managers that count.
	// +optional
	Deputies int32 `json:"deputies,omitempty"`
	// RequiredDeputies is how many there have to be.
	// +optional
	RequiredDeputies int32 `json:"requiredDeputies,omitempty"`
	// Provisional managers, who don't count.
	// +optional
	Provisional int32 `json:"provisional,omitempty"`
	// Gap is how many people are missing.
	// +optional
	Gap int32 `json:"gap,omitempty"`
}

// StaffingPlace is a number of managers of one kind.
type StaffingPlace struct {
	// Commitment that it takes, or a larger one.
	Commitment Commitment `json:"commitment"`
	// BusinessArea that it is for; empty for the whole community.
	// +optional
	BusinessArea string `json:"businessArea,omitempty"`
	// AllocationPercent that each gives to the community, at the least.
	// +optional
	AllocationPercent int32 `json:"allocationPercent,omitempty"`
	// Required is how many it takes.
	Required int32 `json:"required"`
	// Actual is how many fill it.
	// +optional
	Actual int32 `json:"actual,omitempty"`
	// Gap is how many are missing.
	// +optional
	Gap int32 `json:"gap,omitempty"`
}

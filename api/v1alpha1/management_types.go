// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// ManagementMode says how far Cabildo may go.
// +kubebuilder:validation:Enum=Observe;Plan;Enforce
type ManagementMode string

// The modes. Observe and Plan never write to a platform.
const (
	// ModeObserve reads the space and says whether it differs; what would change is not listed.
	ModeObserve ManagementMode = "Observe"
	// ModePlan computes what would change and says so; nothing is written.
	ModePlan ManagementMode = "Plan"
	// ModeEnforce makes the space as declared.
	ModeEnforce ManagementMode = "Enforce"
)

// MembershipMode says whether the declared members are a floor or the exact list.
// +kubebuilder:validation:Enum=Additive;Exclusive
type MembershipMode string

// The membership modes.
const (
	// MembershipAdditive adds the declared members and leaves others alone.
	MembershipAdditive MembershipMode = "Additive"
	// MembershipExclusive removes who is not declared as well.
	MembershipExclusive MembershipMode = "Exclusive"
)

// AdoptionMode says what happens when a space of the wanted name exists already.
// +kubebuilder:validation:Enum=Never;IfUnowned
type AdoptionMode string

// The adoption modes.
const (
	// AdoptNever leaves a space that Cabildo did not make untouched.
	AdoptNever AdoptionMode = "Never"
	// AdoptIfUnowned takes over a space that no installation owns.
	AdoptIfUnowned AdoptionMode = "IfUnowned"
)

// DeletionMode says what happens to the space when its resource is deleted.
// +kubebuilder:validation:Enum=Retain;Archive;Delete
type DeletionMode string

// The deletion modes.
const (
	// DeletionRetain leaves the space and its conversations as they are.
	DeletionRetain DeletionMode = "Retain"
	// DeletionArchive closes the space; its conversations can still be read.
	DeletionArchive DeletionMode = "Archive"
	// DeletionDelete removes the space as far as the platform can.
	DeletionDelete DeletionMode = "Delete"
)

// RemovalBudget bounds what may be removed without a person's approval.
// Allowed in the window is min(count, max(floor, percent of the baseline)).
//
// +kubebuilder:validation:XValidation:rule="!has(self.floor) || !has(self.count) || self.floor <= self.count",message="floor is at most count, because count bounds what floor allows"
type RemovalBudget struct {
	// Percent of what is there that may be removed in the window.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=100
	Percent *int32 `json:"percent,omitempty"`
	// Count is the most that may be removed in the window, whatever the percentage.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=1000000
	Count *int32 `json:"count,omitempty"`
	// Floor is what may always be removed, so that small spaces are not stuck. At most count.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=1000000
	Floor *int32 `json:"floor,omitempty"`
	// Window is the time over which removals are counted, from 1m to 8784h (a year), for example 24h.
	// +optional
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule=`self.matches(r'^([0-9]{1,5}(h|m|s|ms)){1,4}$') && duration(self) >= duration('1m') && duration(self) <= duration('8784h')`,message="window is between 1m and 8784h, in hours, minutes and seconds, such as 24h or 168h for a week"
	Window *metav1.Duration `json:"window,omitempty"`
}

// Management says how Cabildo manages spaces. A field that is left out is
// inherited: from the community, then the platform, then what is built in
// (Enforce, Additive, Never, Retain). The result is in status.effective.
type Management struct {
	// Mode is Observe (read and report), Plan (say what would change) or Enforce. Built in: Enforce.
	// +optional
	Mode ManagementMode `json:"mode,omitempty"`
	// Membership is Additive (declared members are a floor) or Exclusive (they are the exact list). Built in: Additive.
	// +optional
	Membership MembershipMode `json:"membership,omitempty"`
	// Adoption of a space that exists already: Never or IfUnowned. Built in: Never.
	// +optional
	Adoption AdoptionMode `json:"adoption,omitempty"`
	// Deletion is what happens to the space when the resource is deleted: Retain, Archive or Delete. Built in: Retain.
	// +optional
	Deletion DeletionMode `json:"deletion,omitempty"`
	// RemovalBudget bounds how many members may be removed without approval. Built in: 25 percent, at most 20, at least 1, in 24h.
	// +optional
	RemovalBudget *RemovalBudget `json:"removalBudget,omitempty"`
}

// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// Verdict is what was decided about a proposal.
// +kubebuilder:validation:Enum=Approve;Refuse
type Verdict string

// The verdicts.
const (
	// VerdictApprove lets exactly what the proposal lists happen, once.
	VerdictApprove Verdict = "Approve"
	// VerdictRefuse keeps it from happening, until the declaration asks for something else.
	VerdictRefuse Verdict = "Refuse"
)

// TargetKind is a kind whose proposals are decided on.
// +kubebuilder:validation:Enum=Community;Group;CommunityManager
type TargetKind string

// The kinds of targets.
const (
	TargetCommunity TargetKind = "Community"
	TargetGroup     TargetKind = "Group"
	TargetManager   TargetKind = "CommunityManager"
)

// DecisionTarget names the resource whose proposal is decided on, in the decision's own namespace.
type DecisionTarget struct {
	// Kind is Community, Group or CommunityManager.
	Kind TargetKind `json:"kind"`
	// Name of the resource.
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="!format.dns1123Subdomain().validate(self).hasValue()",message="the name of an object has lower-case letters, digits, - and ., and begins and ends with a letter or digit"
	Name string `json:"name"`
}

// GovernanceDecisionSpec says what was decided, by whom and why. It is immutable,
// and of several decisions on one proposal the first counts.
//
// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="a decision is immutable; make another GovernanceDecision"
// +kubebuilder:validation:XValidation:rule="(!has(self.proposalKind) || self.proposalKind == 'Removal') ? self.targetRef.kind != 'CommunityManager' : self.targetRef.kind == (self.proposalKind == 'Tier' ? 'Community' : self.proposalKind == 'Creation' ? 'Group' : 'CommunityManager')",message="a proposal of proposalKind Removal is a Community's or a Group's, Tier a Community's, Creation a Group's and Appointment a CommunityManager's; take both from the target's status.proposal"
type GovernanceDecisionSpec struct {
	// TargetRef names the resource whose proposal is decided on.
	TargetRef DecisionTarget `json:"targetRef"`
	// ProposalKind: Removal, Tier, Creation or Appointment, as the proposal's. It decides which verb the decision takes. Left out: Removal.
	// +optional
	ProposalKind ProposalKind `json:"proposalKind,omitempty"`
	// ProposalID is the id of the proposal in the target's status.
	// +kubebuilder:validation:MaxLength=36
	// +kubebuilder:validation:XValidation:rule=`self.matches(r'^[0-9a-f-]{36}$')`,message="proposalID is the id in the target's status.proposal; kubectl cabildo approve fills it in"
	ProposalID string `json:"proposalID"`
	// Hash is the sha256 of what the proposal lists, as in the target's status. What changed meanwhile
	// has another one, and this decision is not about it.
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:XValidation:rule=`self.matches(r'^[0-9a-f]{64}$')`,message="hash is the hash in the target's status.proposal; kubectl cabildo approve fills it in"
	Hash string `json:"hash"`
	// Verdict is Approve or Refuse.
	Verdict Verdict `json:"verdict"`
	// Reason says why, for whoever reads this later.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	Reason string `json:"reason,omitempty"`
	// ExpiresAt is when the decision stops to count, if it was not used before. Left out: a day after it was made.
	// +optional
	ExpiresAt *metav1.Time `json:"expiresAt,omitempty"`
	// DecidedBy is the Kubernetes username of who decides. An admission policy holds it to be the one who makes the
	// decision, and to have the verb on the target that the kind of the proposal takes: approve, approve-tier,
	// approve-creation or approve-appointment.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	DecidedBy string `json:"decidedBy"`
}

// GovernanceDecisionStatus says what became of the decision.
type GovernanceDecisionStatus struct {
	// Conditions: Ready (the decision took effect), Reconciling and Stalled.
	// +optional
	// +listType=map
	// +listMapKey=type
	Conditions []metav1.Condition `json:"conditions,omitempty"`
	// ObservedGeneration is the generation that this status is about.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
}

// GovernanceDecision is a person's word on one proposal: exactly what it lists
// may happen, or may not. It counts once.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:categories=cabildo,shortName=gd
// +kubebuilder:printcolumn:name="Kind",type=string,JSONPath=`.spec.targetRef.kind`
// +kubebuilder:printcolumn:name="Target",type=string,JSONPath=`.spec.targetRef.name`
// +kubebuilder:printcolumn:name="Verdict",type=string,JSONPath=`.spec.verdict`
// +kubebuilder:printcolumn:name="By",type=string,JSONPath=`.spec.decidedBy`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type GovernanceDecision struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec   GovernanceDecisionSpec   `json:"spec"`
	Status GovernanceDecisionStatus `json:"status,omitempty"`
}

// GovernanceDecisionList is a list of GovernanceDecisions.
//
// +kubebuilder:object:root=true
type GovernanceDecisionList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []GovernanceDecision `json:"items"`
}

// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// ManagerRole is the formal role of a person in communities.
// +kubebuilder:validation:Enum=Lead;Manager;Moderator;Ambassador
type ManagerRole string

// The values of ManagerRole. An Ambassador has no power to moderate.
const (
	ManagerLead       ManagerRole = "Lead"
	ManagerManager    ManagerRole = "Manager"
	ManagerModerator  ManagerRole = "Moderator"
	ManagerAmbassador ManagerRole = "Ambassador"
)

// Commitment says how much of somebody's work the role is.
// +kubebuilder:validation:Enum=FullTime;PartTime;Informal
type Commitment string

// The values of Commitment.
const (
	CommitmentFullTime Commitment = "FullTime"
	CommitmentPartTime Commitment = "PartTime"
	CommitmentInformal Commitment = "Informal"
)

// CommunityManagerSpec says who has which role in which communities, why, and until when.
//
// +kubebuilder:validation:XValidation:rule="self.commitment == 'Informal' || self.communities.map(c, has(c.allocationPercent) ? c.allocationPercent : 0).sum() <= 100",message="the allocations of all communities together are at most 100 percent; lower some of them"
// +kubebuilder:validation:XValidation:rule="self.commitment != 'PartTime' || self.communities.map(c, has(c.allocationPercent) ? c.allocationPercent : 0).sum() != 100",message="PartTime is less than 100 percent; lower an allocation, or set commitment to FullTime"
// +kubebuilder:validation:XValidation:rule="!has(self.deputies) || !self.deputies.exists(d, d.person == self.person)",message="a manager can't be their own deputy; name somebody else"
type CommunityManagerSpec struct {
	// Person is the username, without spaces, as the platform's accounts map it to an account.
	// +kubebuilder:validation:MaxLength=255
	// +kubebuilder:validation:XValidation:rule=`self.matches(r'^[^\s\p{Cc}\p{Z}]+$')`,message="person is one username without spaces, such as ana.ruiz"
	Person string `json:"person"`
	// Role: Lead and Manager manage the spaces, Moderator moderates them, Ambassador is a member with no power to moderate.
	Role ManagerRole `json:"role"`
	// Purpose says in a sentence or two why somebody has this role.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	Purpose string `json:"purpose"`
	// Responsibilities that come with the role, such as Moderation or Onboarding.
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=32
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=255
	Responsibilities []string `json:"responsibilities"`
	// Commitment: FullTime (up to 100 percent), PartTime (less), or Informal, whose allocations are not added up.
	Commitment Commitment `json:"commitment"`
	// BusinessArea that the person belongs to.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	BusinessArea string `json:"businessArea,omitempty"`
	// Communities that the role is for: their spaces and all of their groups', and no other.
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=32
	Communities []ManagedCommunities `json:"communities"`
	// Term outside of which the role is nobody's. Left out: without an end.
	// +optional
	Term *Term `json:"term,omitempty"`
	// Leave is when the deputies act instead.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=32
	Leave []Leave `json:"leave,omitempty"`
	// Deputies have the role while the person is on leave, all of them.
	// +optional
	// +listType=map
	// +listMapKey=person
	// +kubebuilder:validation:MaxItems=8
	Deputies []Person `json:"deputies,omitempty"`
}

// ManagedCommunities are one community, or those that a selector picks.
//
// +kubebuilder:validation:XValidation:rule="has(self.name) != has(self.selector)",message="set exactly one of name and selector"
type ManagedCommunities struct {
	// Name of one Community.
	// +optional
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="!format.dns1123Subdomain().validate(self).hasValue()",message="the name of an object has lower-case letters, digits, - and ., and begins and ends with a letter or digit"
	Name string `json:"name,omitempty"`
	// Selector picks Communities by label; empty means all of the namespace.
	// +optional
	// +kubebuilder:validation:XValidation:rule="!has(self.matchExpressions) || self.matchExpressions.size() <= 8 && [0, 1, 2, 3, 4, 5, 6, 7].all(i, i >= self.matchExpressions.size() || (self.matchExpressions[i].operator == 'In' || self.matchExpressions[i].operator == 'NotIn' ? has(self.matchExpressions[i].values) && self.matchExpressions[i].values.size() > 0 : (self.matchExpressions[i].operator == 'Exists' || self.matchExpressions[i].operator == 'DoesNotExist') && (!has(self.matchExpressions[i].values) || self.matchExpressions[i].values.size() == 0)))",message="matchExpressions has at most 8 entries, each with operator In or NotIn and values, or Exists or DoesNotExist and none"
	Selector *metav1.LabelSelector `json:"selector,omitempty"`
	// Namespace of the communities, where they consent through managersFrom. Left out: the manager's own.
	// +optional
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:XValidation:rule="!format.dns1123Label().validate(self).hasValue()",message="the name of a namespace has lower-case letters, digits and -, and begins and ends with a letter or digit"
	Namespace string `json:"namespace,omitempty"`
	// AllocationPercent is the part of a full week for these communities together, from 1 to 100.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100
	AllocationPercent *int32 `json:"allocationPercent,omitempty"`
}

// Term is from a first to a last day.
//
// +kubebuilder:validation:XValidation:rule="!has(self.end) || format.date().validate(self.start).hasValue() || format.date().validate(self.end).hasValue() || self.start <= self.end",message="the term ends before it starts; correct start or end"
type Term struct {
	// Start is the first day of the role, in UTC, as YYYY-MM-DD.
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="!format.date().validate(self).hasValue()",message="start is the first day as YYYY-MM-DD, such as 2026-09-01"
	Start string `json:"start"`
	// End is the last day of the role, in UTC, as YYYY-MM-DD. Left out: without an end.
	// +optional
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="!format.date().validate(self).hasValue()",message="end is the last day as YYYY-MM-DD, such as 2027-08-31"
	End string `json:"end,omitempty"`
}

// Leave is from a first to a last day.
//
// +kubebuilder:validation:XValidation:rule="format.date().validate(self.start).hasValue() || format.date().validate(self.end).hasValue() || self.start <= self.end",message="the leave ends before it starts; correct start or end"
type Leave struct {
	// Start is the first day of the leave, in UTC, as YYYY-MM-DD.
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="!format.date().validate(self).hasValue()",message="start is the first day as YYYY-MM-DD, such as 2026-12-21"
	Start string `json:"start"`
	// End is the last day of the leave, in UTC, as YYYY-MM-DD.
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="!format.date().validate(self).hasValue()",message="end is the last day as YYYY-MM-DD, such as 2027-01-06"
	End string `json:"end"`
}

// Acting says who has the role now.
// +kubebuilder:validation:Enum=Manager;Deputies;Nobody
type Acting string

// The values of Acting.
const (
	ActingManager  Acting = "Manager"
	ActingDeputies Acting = "Deputies"
	ActingNobody   Acting = "Nobody"
)

// CommunityManagerStatus is a summary of where the role is in force.
type CommunityManagerStatus struct {
	// ObservedGeneration is the generation that this status is about.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// Conditions: Ready, Reconciling, Stalled, WithinAllocation, Appointed and TrainingComplete.
	// +optional
	// +listType=map
	// +listMapKey=type
	Conditions []metav1.Condition `json:"conditions,omitempty"`
	// Acting: Manager, Deputies or Nobody.
	// +optional
	Acting Acting `json:"acting,omitempty"`
	// InScope is the number of communities in which the role is in force.
	// +optional
	InScope int32 `json:"inScope,omitempty"`
	// Communities in which the role is in force, as namespace/name; the first twenty.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=20
	Communities []string `json:"communities,omitempty"`
	// Proposal is the appointment that waits for a person's word, where the policy asks for one.
	// +optional
	Proposal *Proposal `json:"proposal,omitempty"`
	// Appointment is the decision by which this counts.
	// +optional
	Appointment *AppointmentRecord `json:"appointment,omitempty"`
	// LastDecision is the decision that took effect last.
	// +optional
	LastDecision *DecisionRecord `json:"lastDecision,omitempty"`
	// NextChange is when the term or a leave next begins or ends.
	// +optional
	NextChange *metav1.Time `json:"nextChange,omitempty"`
}

// AppointmentRecord says who appointed a manager, and to what.
type AppointmentRecord struct {
	// Hash is the sha256 of what was approved: the person, the role, the commitment, the communities, the term and the
	// deputies. What has another one is not appointed.
	Hash string `json:"hash"`
	// DecidedBy is who approved it.
	DecidedBy string `json:"decidedBy"`
	// Decision is the GovernanceDecision.
	Decision string `json:"decision"`
}

// CommunityManager is a person in a formal role in communities.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:categories=cabildo,shortName=cmgr
// +kubebuilder:printcolumn:name="Person",type=string,JSONPath=`.spec.person`
// +kubebuilder:printcolumn:name="Role",type=string,JSONPath=`.spec.role`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Acting",type=string,JSONPath=`.status.acting`
// +kubebuilder:printcolumn:name="Communities",type=integer,JSONPath=`.status.inScope`
// +kubebuilder:printcolumn:name="Commitment",type=string,priority=1,JSONPath=`.spec.commitment`
// +kubebuilder:printcolumn:name="Until",type=string,JSONPath=`.spec.term.end`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type CommunityManager struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec   CommunityManagerSpec   `json:"spec"`
	Status CommunityManagerStatus `json:"status,omitempty"`
}

// CommunityManagerList is a list of CommunityManagers.
//
// +kubebuilder:object:root=true
type CommunityManagerList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []CommunityManager `json:"items"`
}

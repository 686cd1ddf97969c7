// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// SpaceStatus is what every kind with a space reports.
type SpaceStatus struct {
	// Conditions: Ready, Reconciling, Stalled, MembersResolved, ModerationEnforced and, while it is False, GrantsRecorded; of a Community also Governed and Staffed.
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
	// Proposal is what waits for a person's word: a GovernanceDecision on exactly this.
	// +optional
	Proposal *Proposal `json:"proposal,omitempty"`
	// LastDecision is the decision that took effect last.
	// +optional
	LastDecision *DecisionRecord `json:"lastDecision,omitempty"`
	// Pending are the operations that wait in mode Plan; at most 20 of them.
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
	// Record identifies the record of what was granted here, which is in the operator's namespace. A record that
	// is gone, or another one, is a lost record: then nothing is taken away.
	// +optional
	Record string `json:"record,omitempty"`
	// Ledger says of each setting what is wanted here, and what of it was read back from the platform.
	// +optional
	// +listType=map
	// +listMapKey=setting
	// +kubebuilder:validation:MaxItems=32
	Ledger []LedgerEntry `json:"ledger,omitempty"`
}

// SettingState says how far a setting is in force on a platform.
// +kubebuilder:validation:Enum=Enforced;Delegated;Partial;Unlicensed;Unsupported;Drifted;Unknown
type SettingState string

// The states of a setting.
const (
	// SettingEnforced was read back as it is wanted.
	SettingEnforced SettingState = "Enforced"
	// SettingDelegated is for somebody else to set, such as the server's administrators.
	SettingDelegated SettingState = "Delegated"
	// SettingPartial is in force in part; the reason says which.
	SettingPartial SettingState = "Partial"
	// SettingUnlicensed could be set with a licence.
	SettingUnlicensed SettingState = "Unlicensed"
	// SettingUnsupported is nothing that the platform can do.
	SettingUnsupported SettingState = "Unsupported"
	// SettingDrifted was read back as something else.
	SettingDrifted SettingState = "Drifted"
	// SettingUnknown could not be read back.
	SettingUnknown SettingState = "Unknown"
)

// LedgerEntry is one setting on one platform.
type LedgerEntry struct {
	// Setting, as the API names it, such as massMentions.
	Setting string `json:"setting"`
	// Wanted value, after inheritance and limits.
	// +optional
	Wanted string `json:"wanted,omitempty"`
	// Seen value, where it is another one than wanted.
	// +optional
	Seen string `json:"seen,omitempty"`
	// State says how far the setting is in force.
	State SettingState `json:"state"`
	// Reason says why it is not Enforced.
	// +optional
	Reason string `json:"reason,omitempty"`
}

// ProposalState says how far a proposal is.
// +kubebuilder:validation:Enum=Open;Approved;Refused
type ProposalState string

// The states of a proposal.
const (
	// ProposalOpen waits for a decision.
	ProposalOpen ProposalState = "Open"
	// ProposalApproved is being carried out.
	ProposalApproved ProposalState = "Approved"
	// ProposalRefused is not carried out, until the declaration asks for something else.
	ProposalRefused ProposalState = "Refused"
)

// ProposalKind says what a proposal is about. Each kind has an RBAC verb of its own for those who may approve it.
// +kubebuilder:validation:Enum=Removal;Tier;Creation;Appointment
type ProposalKind string

// The kinds of proposals.
const (
	// ProposalRemoval takes away more than a removal budget allows; verb approve.
	ProposalRemoval ProposalKind = "Removal"
	// ProposalTier moves a community to another tier; verb approve-tier.
	ProposalTier ProposalKind = "Tier"
	// ProposalCreation makes the spaces of a new group; verb approve-creation.
	ProposalCreation ProposalKind = "Creation"
	// ProposalAppointment makes somebody a community manager that counts; verb approve-appointment.
	ProposalAppointment ProposalKind = "Appointment"
)

// Proposal is what waits for a person's word, such as what would take away
// more than a removal budget allows. Any change of its list makes it another proposal.
type Proposal struct {
	// Kind: Removal, Tier, Creation or Appointment. Left out: Removal.
	// +optional
	Kind ProposalKind `json:"kind,omitempty"`
	// ID of the proposal, random, so that a decision on one can't be used for another.
	ID string `json:"id"`
	// Hash is the sha256 over the list, in hexadecimal.
	Hash string `json:"hash"`
	// State is Open, Approved or Refused.
	State ProposalState `json:"state"`
	// Summary says in a few words what it is about, such as "6 members" that would be taken away.
	Summary string `json:"summary"`
	// Operations are all that a decision on this is about. What goes beyond 500 comes in a proposal after this one.
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=500
	Operations []string `json:"operations"`
	// Evidence is what speaks for it. A decision is not about the evidence, which may change meanwhile.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=20
	Evidence []string `json:"evidence,omitempty"`
	// Budget is the removal budget that this goes beyond, in words. Another budget has it thought over again.
	// +optional
	Budget string `json:"budget,omitempty"`
	// Decision is the GovernanceDecision that decided, once one has.
	// +optional
	Decision string `json:"decision,omitempty"`
	// DecidedBy is who decided.
	// +optional
	DecidedBy string `json:"decidedBy,omitempty"`
}

// DecisionRecord says which decision took effect, so that it does so once.
type DecisionRecord struct {
	// Name of the GovernanceDecision.
	Name string `json:"name"`
	// ProposalID is the proposal that it was about.
	ProposalID string `json:"proposalID"`
	// Verdict that was given.
	Verdict Verdict `json:"verdict"`
	// DecidedBy is who decided.
	DecidedBy string `json:"decidedBy"`
	// Summary says what it was about, such as "6 members".
	// +optional
	Summary string `json:"summary,omitempty"`
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
	// Origins say where settings come from that are not built in.
	// +optional
	// +listType=map
	// +listMapKey=setting
	// +kubebuilder:validation:MaxItems=32
	Origins []SettingOrigin `json:"origins,omitempty"`
}

// SettingOrigin says where a setting comes from.
type SettingOrigin struct {
	// Setting, as the API names it, such as massMentions.
	Setting string `json:"setting"`
	// From is what says so, such as Community engineering, or limit of tier Small of GovernancePolicy default.
	From string `json:"from"`
}

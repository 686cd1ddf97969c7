// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// GovernancePolicySpec says which communities are governed, and by which rules.
type GovernancePolicySpec struct {
	// Governs picks the namespaces whose communities are governed. It is by namespace alone, so that a tenant can't choose a laxer policy.
	Governs Governs `json:"governs"`
	// Priority: of several policies that pick a namespace, the one with the highest priority governs it; of equals the first by name. Built in: 0.
	// +optional
	// +kubebuilder:validation:Minimum=-1000000
	// +kubebuilder:validation:Maximum=1000000
	Priority int32 `json:"priority,omitempty"`
	// Requires is what a community has to say of itself before it gets a space. Left out: nothing.
	// +optional
	Requires *Requirements `json:"requires,omitempty"`
	// Managers says who counts as a community manager, and what happens when the last one leaves.
	// +optional
	Managers *ManagerRules `json:"managers,omitempty"`
	// Names that nobody may take without the platform team's word.
	// +optional
	Names *NameRules `json:"names,omitempty"`
	// Approvals says who can't approve.
	// +optional
	Approvals *ApprovalRules `json:"approvals,omitempty"`
	// Evaluation says how a community moves from tier to tier.
	// +optional
	Evaluation *Evaluation `json:"evaluation,omitempty"`
	// Tiers that communities grow through, each with a rank of its own. The one of the lowest rank has no enterWhen: every community begins there.
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:XValidation:rule="self.all(t, self.exists_one(u, u.rank == t.rank))",message="each tier has a rank of its own; change one of the equal ranks"
	// +kubebuilder:validation:XValidation:rule="self.size() == 0 || self.filter(t, !has(t.enterWhen)).size() == 1 && self.all(t, !has(t.enterWhen) || self.exists(u, !has(u.enterWhen) && u.rank < t.rank))",message="every community begins in the tier of the lowest rank: that one has no enterWhen, and every other has one"
	Tiers []Tier `json:"tiers"`
}

// Governs picks namespaces.
type Governs struct {
	// NamespaceSelector picks namespaces by label; empty means every namespace.
	// +kubebuilder:validation:XValidation:rule="!has(self.matchExpressions) || self.matchExpressions.size() <= 8 && [0, 1, 2, 3, 4, 5, 6, 7].all(i, i >= self.matchExpressions.size() || (self.matchExpressions[i].operator == 'In' || self.matchExpressions[i].operator == 'NotIn' ? has(self.matchExpressions[i].values) && self.matchExpressions[i].values.size() > 0 : (self.matchExpressions[i].operator == 'Exists' || self.matchExpressions[i].operator == 'DoesNotExist') && (!has(self.matchExpressions[i].values) || self.matchExpressions[i].values.size() == 0)))",message="matchExpressions has at most 8 entries, each with operator In or NotIn and values, or Exists or DoesNotExist and none"
	NamespaceSelector metav1.LabelSelector `json:"namespaceSelector"`
}

// Requirement says whether something has to be there.
// +kubebuilder:validation:Enum=Required;Optional
type Requirement string

// The values of Requirement.
const (
	RequirementRequired Requirement = "Required"
	RequirementOptional Requirement = "Optional"
)

// Requirements are what a community says of itself.
type Requirements struct {
	// Purpose: whether a community needs one. Built in: Optional.
	// +optional
	Purpose Requirement `json:"purpose,omitempty"`
	// Objectives is how many a community needs at the least. Built in: 0.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=16
	Objectives int32 `json:"objectives,omitempty"`
	// Sponsor: whether a community needs one. Built in: Optional.
	// +optional
	Sponsor Requirement `json:"sponsor,omitempty"`
}

// Appointment says who can make somebody a manager that counts.
// +kubebuilder:validation:Enum=Self;Sponsor;PlatformTeam
type Appointment string

// The values of Appointment.
const (
	// AppointmentSelf counts every CommunityManager.
	AppointmentSelf Appointment = "Self"
	// AppointmentSponsor counts a CommunityManager that somebody approved who has the verb approve-appointment on it.
	AppointmentSponsor Appointment = "Sponsor"
	// AppointmentPlatformTeam counts a CommunityManager of a namespace that the policy names.
	AppointmentPlatformTeam Appointment = "PlatformTeam"
)

// ManagerRules say who counts as a community manager.
//
// +kubebuilder:validation:XValidation:rule="!has(self.appointment) || self.appointment != 'PlatformTeam' || has(self.namespaces) && self.namespaces.size() > 0",message="with appointment PlatformTeam, namespaces says where the platform team declares managers; name one at the least"
type ManagerRules struct {
	// Appointment: Self (every CommunityManager counts), Sponsor (each is approved) or PlatformTeam (those of the
	// namespaces that are named here). Who does not count is provisional, with a smaller role. Built in: Self.
	// +optional
	Appointment Appointment `json:"appointment,omitempty"`
	// Namespaces where the platform team declares managers. Those count without an approval, whatever the appointment.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MaxLength=63
	// +kubebuilder:validation:items:XValidation:rule="!format.dns1123Label().validate(self).hasValue()",message="the name of a namespace has lower-case letters, digits and -, and begins and ends with a letter or digit"
	Namespaces []string `json:"namespaces,omitempty"`
	// TrainedGroup is the group of a Directory with everybody who is trained. Who is not in it is provisional. Left out: no proof of training is asked for.
	// +optional
	TrainedGroup *DirectoryGroupSource `json:"trainedGroup,omitempty"`
	// Vacancy is what happens when the last manager that counts is gone.
	// +optional
	Vacancy *Vacancy `json:"vacancy,omitempty"`
}

// Interim says who stands in for managers that are gone.
// +kubebuilder:validation:Enum=Sponsor;Nobody
type Interim string

// The values of Interim.
const (
	InterimSponsor Interim = "Sponsor"
	InterimNobody  Interim = "Nobody"
)

// Vacancy is what happens when the last manager of a community that counts is gone.
type Vacancy struct {
	// Interim: Sponsor gives the community's sponsor a manager's role until there is a manager again, Nobody does not. Built in: Sponsor.
	// +optional
	Interim Interim `json:"interim,omitempty"`
	// Grace is how long the community may look for a manager before it is Orphaned, from 0s to 8784h. Built in: 720h, thirty days.
	// +optional
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule=`self.matches(r'^([0-9]{1,5}(h|m|s|ms)){1,4}$') && duration(self) >= duration('0s') && duration(self) <= duration('8784h')`,message="grace is between 0s and 8784h, in hours, minutes and seconds, such as 720h for thirty days"
	Grace *metav1.Duration `json:"grace,omitempty"`
}

// NameRules keep names from being taken.
type NameRules struct {
	// Reserved are globs, whole-name, of names that no space may have but an official one, which needs the platform
	// team's word on the Platform. A group's own name and its whole address count.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=256
	// +kubebuilder:validation:items:MaxLength=64
	// +kubebuilder:validation:items:XValidation:rule=`self.matches(r'^[a-z0-9_*?-]+$')`,message="a reserved name has lower-case letters, digits, - and _, with * for any text and ? for any one character, such as official-*"
	// +kubebuilder:validation:items:XValidation:rule="self.matches('[^*?]') || !self.contains('*')",message="a pattern of * and ? alone would reserve every name; name what is reserved"
	Reserved []string `json:"reserved,omitempty"`
}

// ApprovalRules say who can't approve, besides who asked for it.
type ApprovalRules struct {
	// Automation are Kubernetes usernames, as globs, that never approve, such as system:serviceaccount:argocd:*.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=253
	Automation []string `json:"automation,omitempty"`
}

// Evaluation says how a community moves from tier to tier.
type Evaluation struct {
	// Interval between two looks at a community's numbers, from 1m to 8784h. Built in: 24h.
	// +optional
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule=`self.matches(r'^([0-9]{1,5}(h|m|s|ms)){1,4}$') && duration(self) >= duration('1m') && duration(self) <= duration('8784h')`,message="interval is between 1m and 8784h, in hours, minutes and seconds, such as 24h"
	Interval *metav1.Duration `json:"interval,omitempty"`
	// PromoteAfter is how many looks in a row have to say the same before another tier is proposed. Built in: 3.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100
	PromoteAfter *int32 `json:"promoteAfter,omitempty"`
	// LeaveBelowPercent is the part of a tier's thresholds below which a lower tier is proposed. Built in: 90.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100
	LeaveBelowPercent *int32 `json:"leaveBelowPercent,omitempty"`
	// MinimumStay in a tier before a lower one is proposed, from 0s to 87840h. Built in: 2400h, a hundred days.
	// +optional
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule=`self.matches(r'^([0-9]{1,5}(h|m|s|ms)){1,4}$') && duration(self) >= duration('0s') && duration(self) <= duration('87840h')`,message="minimumStay is between 0s and 87840h, in hours, minutes and seconds, such as 2400h for a hundred days"
	MinimumStay *metav1.Duration `json:"minimumStay,omitempty"`
	// Areas says where the business area of a person is found, so that members can be counted by area. Left out:
	// a threshold with membersPerArea is never met, and business areas are those that the community declares.
	// +optional
	Areas *AreaSource `json:"areas,omitempty"`
}

// AreaSource is an attribute of people in a Directory.
type AreaSource struct {
	// DirectoryRef names the Directory.
	DirectoryRef LocalReference `json:"directoryRef"`
	// Attribute with the business area, as the Directory maps it.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Attribute string `json:"attribute"`
}

// Tier is a stage of growth, with what holds in it.
type Tier struct {
	// Name of the tier, such as Seed.
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:XValidation:rule=`self.matches(r'^[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?$')`,message="a tier's name has letters, digits and -, and begins and ends with a letter or digit, such as Distributed"
	Name string `json:"name"`
	// Rank orders the tiers: a higher one is for a larger community.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=1000000
	Rank int32 `json:"rank"`
	// EnterWhen is what a community has to reach. The tier of the lowest rank has none.
	// +optional
	EnterWhen *EnterWhen `json:"enterWhen,omitempty"`
	// Staffing is how many managers of which kind the community needs.
	// +optional
	Staffing *Staffing `json:"staffing,omitempty"`
	// Moderation that spaces inherit, and how loose it may be.
	// +optional
	Moderation *TierModeration `json:"moderation,omitempty"`
	// Approvals that people have to give.
	// +optional
	Approvals *TierApprovals `json:"approvals,omitempty"`
	// Reviews says how often people look again. Cabildo shows it; what is overdue is not yet followed.
	// +optional
	Reviews *Reviews `json:"reviews,omitempty"`
}

// EnterWhen is met when any of its thresholds is.
type EnterWhen struct {
	// AnyOf are the thresholds.
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=8
	AnyOf []Threshold `json:"anyOf"`
}

// Threshold is met when all that it says is.
//
// +kubebuilder:validation:XValidation:rule="has(self.members) || has(self.groups) || has(self.businessAreas) || has(self.importance)",message="a threshold says members, groups, businessAreas or importance"
// +kubebuilder:validation:XValidation:rule="!has(self.membersPerArea) || has(self.businessAreas)",message="membersPerArea says how large a business area has to be to count; say in businessAreas how many it takes"
type Threshold struct {
	// Members in the community's space, at the least.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100000000
	Members *int32 `json:"members,omitempty"`
	// Groups of the community, at the least.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000000
	Groups *int32 `json:"groups,omitempty"`
	// BusinessAreas that the community reaches over, at the least.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000
	BusinessAreas *int32 `json:"businessAreas,omitempty"`
	// MembersPerArea that a business area needs to count.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100000000
	MembersPerArea *int32 `json:"membersPerArea,omitempty"`
	// Importance that the community declares, or a higher one.
	// +optional
	Importance Importance `json:"importance,omitempty"`
}

// Enforcement says what happens while managers are missing.
// +kubebuilder:validation:Enum=Warn;Block
type Enforcement string

// The values of Enforcement.
const (
	// EnforcementWarn says so in the condition Staffed.
	EnforcementWarn Enforcement = "Warn"
	// EnforcementBlock has new groups wait as well. What exists goes on.
	EnforcementBlock Enforcement = "Block"
)

// Staffing is how many managers a community needs. Leads and Managers that count are counted, while they are in term,
// and on leave only where deputies act; who gives more of their time fills the place of who would give less.
type Staffing struct {
	// Enforcement: Warn, or Block, with which new groups wait while managers are missing. Built in: Block.
	// +optional
	Enforcement Enforcement `json:"enforcement,omitempty"`
	// Managers that are needed, by commitment.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=8
	Managers []StaffingRule `json:"managers,omitempty"`
	// Total of managers, at the least.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000
	Total *int32 `json:"total,omitempty"`
	// Deputies of the managers, at the least.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000
	Deputies *int32 `json:"deputies,omitempty"`
	// MembersPerManager is how many members one manager can care for.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100000000
	MembersPerManager *int32 `json:"membersPerManager,omitempty"`
}

// StaffingUnit says what managers are counted for.
// +kubebuilder:validation:Enum=Community;BusinessArea
type StaffingUnit string

// The values of StaffingUnit.
const (
	PerCommunity    StaffingUnit = "Community"
	PerBusinessArea StaffingUnit = "BusinessArea"
)

// StaffingRule is a number of managers with a commitment.
type StaffingRule struct {
	// Commitment of the managers, or a larger one.
	Commitment Commitment `json:"commitment"`
	// Count of them.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000
	Count int32 `json:"count"`
	// Per: Community, or BusinessArea for as many in each business area that the community declares. Built in: Community.
	// +optional
	Per StaffingUnit `json:"per,omitempty"`
	// AllocationPercent that each gives to the community, at the least.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100
	AllocationPercent *int32 `json:"allocationPercent,omitempty"`
}

// TierModeration is what the spaces of a tier's communities inherit, and how loose they may be.
type TierModeration struct {
	// Defaults hold where neither the group nor the community says something else.
	// +optional
	Defaults *Moderation `json:"defaults,omitempty"`
	// Limits are the loosest values that a community or group may have. Stricter ones are fine.
	// +optional
	Limits *ModerationLimits `json:"limits,omitempty"`
}

// ModerationLimits are the loosest values of the moderation settings. From loose to strict: Members, Moderators,
// Managers; Allowed, Forbidden; Everything, SinceJoining; Open, Request, Invite; and more blocked servers are stricter than fewer.
type ModerationLimits struct {
	// Posting: who may write messages, at the loosest.
	// +optional
	Posting Audience `json:"posting,omitempty"`
	// Reactions: who may react to messages, at the loosest.
	// +optional
	Reactions Audience `json:"reactions,omitempty"`
	// MassMentions: who may mention everybody at once, at the loosest.
	// +optional
	MassMentions Audience `json:"massMentions,omitempty"`
	// Invitations: who may invite others, at the loosest.
	// +optional
	Invitations Audience `json:"invitations,omitempty"`
	// Removals: who may remove and ban members, at the loosest.
	// +optional
	Removals Audience `json:"removals,omitempty"`
	// Pins: who may pin messages, at the loosest.
	// +optional
	Pins Audience `json:"pins,omitempty"`
	// Deletions: who may delete other people's messages, at the loosest.
	// +optional
	Deletions Audience `json:"deletions,omitempty"`
	// Guests: whether guests may come in, at the loosest.
	// +optional
	Guests GuestAccess `json:"guests,omitempty"`
	// History that newcomers can read, at the loosest.
	// +optional
	History HistoryAccess `json:"history,omitempty"`
	// Join: how people come into a group, at the loosest.
	// +optional
	Join Join `json:"join,omitempty"`
	// BlockedServers that every space has to block.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=100
	// +kubebuilder:validation:items:MaxLength=255
	// +kubebuilder:validation:items:XValidation:rule=`self.matches(r'^[A-Za-z0-9.:*?\[\]-]+$')`,message="a blocked server is a server's name, with * for any text and ? for any one character, such as *.example.net; no https:// and no path"
	// +kubebuilder:validation:items:XValidation:rule="self.matches('^$|[^.:*?]')",message="a pattern that blocks every server would cut the space off; use visibility Internal to keep other servers out"
	BlockedServers []string `json:"blockedServers,omitempty"`
}

// TierApproval says whether a person has to approve.
// +kubebuilder:validation:Enum=Required;NotRequired
type TierApproval string

// The values of TierApproval.
const (
	ApprovalRequired    TierApproval = "Required"
	ApprovalNotRequired TierApproval = "NotRequired"
)

// TierApprovals are what a person has to approve.
type TierApprovals struct {
	// GroupCreation: whether a new group waits for a GovernanceDecision. Built in: NotRequired.
	// +optional
	GroupCreation TierApproval `json:"groupCreation,omitempty"`
}

// Reviews says how often people look again at what was decided, each from 1h to 87840h.
//
// +kubebuilder:validation:XValidation:rule="!has(self.reportAcknowledged) || has(self.report)",message="reportAcknowledged is how soon a report is acknowledged; say in report how often there is one"
type Reviews struct {
	// Policy: how often the community looks at its governance.
	// +optional
	Policy *ReviewInterval `json:"policy,omitempty"`
	// Report: how often the managers report.
	// +optional
	Report *ReviewInterval `json:"report,omitempty"`
	// ReportAcknowledged: how soon the sponsor acknowledges a report.
	// +optional
	ReportAcknowledged *ReviewInterval `json:"reportAcknowledged,omitempty"`
	// Managers: how often their roles are confirmed.
	// +optional
	Managers *ReviewInterval `json:"managers,omitempty"`
	// Members: how often their membership is confirmed.
	// +optional
	Members *ReviewInterval `json:"members,omitempty"`
	// Guests: how often their access is confirmed.
	// +optional
	Guests *ReviewInterval `json:"guests,omitempty"`
}

// ReviewInterval is a duration from an hour to ten years.
// +kubebuilder:validation:MaxLength=32
// +kubebuilder:validation:XValidation:rule=`self.matches(r'^([0-9]{1,5}(h|m|s|ms)){1,4}$') && duration(self) >= duration('1h') && duration(self) <= duration('87840h')`,message="a review interval is between 1h and 87840h, in hours, minutes and seconds, such as 4320h for a hundred and eighty days"
type ReviewInterval string

// GovernancePolicyStatus says whom the policy governs, and who complies.
type GovernancePolicyStatus struct {
	// Conditions: Ready, Reconciling and Stalled.
	// +optional
	// +listType=map
	// +listMapKey=type
	Conditions []metav1.Condition `json:"conditions,omitempty"`
	// ObservedGeneration is the generation that this status is about.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// Governed is the number of communities that the policy governs. The counts are brought up to date with other changes, not with every one.
	// +optional
	Governed int32 `json:"governed,omitempty"`
	// Compliant is the number of those that say what is required and have the managers that they need.
	// +optional
	Compliant int32 `json:"compliant,omitempty"`
	// NotCompliant names communities that don't comply, as namespace/name; the first twenty.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=20
	NotCompliant []string `json:"notCompliant,omitempty"`
}

// GovernancePolicy is how an organisation wants its communities to be governed, and how that grows with them.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:scope=Cluster,path=governancepolicies,categories=cabildo,shortName=gpol
// +kubebuilder:printcolumn:name="Priority",type=integer,JSONPath=`.spec.priority`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Governed",type=integer,JSONPath=`.status.governed`
// +kubebuilder:printcolumn:name="Compliant",type=integer,JSONPath=`.status.compliant`
// +kubebuilder:printcolumn:name="Tiers",type=string,JSONPath=`.spec.tiers[*].name`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type GovernancePolicy struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec   GovernancePolicySpec   `json:"spec"`
	Status GovernancePolicyStatus `json:"status,omitempty"`
}

// GovernancePolicyList is a list of GovernancePolicies.
//
// +kubebuilder:object:root=true
type GovernancePolicyList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []GovernancePolicy `json:"items"`
}

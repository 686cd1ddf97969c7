// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// Visibility says who can find a space and come in.
// +kubebuilder:validation:Enum=Public;Internal;Private
type Visibility string

// The values of Visibility, from the loosest to the strictest.
const (
	// VisibilityPublic can be found and joined by anybody, on other servers too.
	VisibilityPublic Visibility = "Public"
	// VisibilityInternal is open to the people of the organisation's own server.
	VisibilityInternal Visibility = "Internal"
	// VisibilityPrivate is for those who are invited.
	VisibilityPrivate Visibility = "Private"
)

// Importance is what the organisation says a community means to it.
// +kubebuilder:validation:Enum=Standard;Strategic;Core
type Importance string

// The values of Importance.
const (
	ImportanceStandard  Importance = "Standard"
	ImportanceStrategic Importance = "Strategic"
	ImportanceCore      Importance = "Core"
)

// Standing says whether a space speaks for the organisation.
// +kubebuilder:validation:Enum=Official;Unofficial
type Standing string

// The values of Standing.
const (
	StandingOfficial   Standing = "Official"
	StandingUnofficial Standing = "Unofficial"
)

// CommunitySpec says why a community exists, who belongs to it and where it lives.
type CommunitySpec struct {
	// DisplayName is what people see: one line of visible text.
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:XValidation:rule=`self != '' && self == self.trim() && !self.matches(r'[\p{Cc}\p{Zl}\p{Zp}\x{202A}-\x{202E}\x{2066}-\x{2069}]')`,message="displayName is one line of visible text: no line breaks, no control or direction characters, no spaces at its ends"
	DisplayName string `json:"displayName"`
	// Purpose says in a sentence or two why the community exists. It becomes the space's topic.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	Purpose string `json:"purpose,omitempty"`
	// Objectives are what the community wants to reach, each with a measure.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=16
	Objectives []Objective `json:"objectives,omitempty"`
	// Sponsor is the leader who answers for the community.
	// +optional
	Sponsor *Person `json:"sponsor,omitempty"`
	// Importance is what the organisation says the community means to it. Built in: Standard.
	// +optional
	Importance Importance `json:"importance,omitempty"`
	// BusinessAreas that the community reaches over.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=63
	BusinessAreas []string `json:"businessAreas,omitempty"`
	// Visibility: Public, Internal (the people of the organisation's own server) or Private (by invitation). Built in: Internal.
	// +optional
	Visibility Visibility `json:"visibility,omitempty"`
	// Standing: Official only where the Platform's access allows it. Built in: Unofficial.
	// +optional
	Standing Standing `json:"standing,omitempty"`
	// Platforms that the community lives on, each once.
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=8
	// +kubebuilder:validation:XValidation:rule="self.all(p, self.exists_one(q, q.platformRef.name == p.platformRef.name))",message="each platform is listed once; take the second one out"
	Platforms []CommunityPlatform `json:"platforms"`
	// Members of the community, from every source together.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=1000
	Members []MemberSource `json:"members,omitempty"`
	// ManagersFrom lets CommunityManagers of other namespaces act here. The own namespace always may.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=16
	ManagersFrom []ManagersFrom `json:"managersFrom,omitempty"`
	// Guidelines are pinned in the community's space and in each of its groups that has none of its own.
	// +optional
	Guidelines *Guidelines `json:"guidelines,omitempty"`
	// Branding is how the space looks.
	// +optional
	Branding *Branding `json:"branding,omitempty"`
	// Moderation of the community's space, inherited by its groups.
	// +optional
	Moderation *Moderation `json:"moderation,omitempty"`
	// Management says how Cabildo manages the space, inherited by the groups.
	// +optional
	Management *Management `json:"management,omitempty"`
	// Suspend stops every write to the community's space and its groups while it is true.
	// +optional
	Suspend bool `json:"suspend,omitempty"`
}

// Objective is one thing that a community wants to reach.
//
// +kubebuilder:validation:XValidation:rule="!has(self.percent) || !has(self.count)",message="a target is a percent or a count, not both; make two objectives of it"
// +kubebuilder:validation:XValidation:rule="!(has(self.percent) || has(self.count)) || (has(self.metric) && has(self.comparison))",message="a target needs metric and comparison, so that it can be measured"
// +kubebuilder:validation:XValidation:rule="!has(self.comparison) || has(self.percent) || has(self.count)",message="comparison needs a target to compare with: percent or count"
// +kubebuilder:validation:XValidation:rule="!has(self.window) || has(self.metric)",message="window needs the metric that is measured over it"
type Objective struct {
	// Name of the objective, unique in the community: lower-case letters, digits and -.
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:XValidation:rule=`self.matches(r'^[a-z0-9]([a-z0-9-]*[a-z0-9])?$')`,message="an objective's name has lower-case letters, digits and -, and begins and ends with a letter or digit, such as quick-answers"
	Name string `json:"name"`
	// Description says it in words.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	Description string `json:"description"`
	// Metric that shows how it goes.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Metric string `json:"metric,omitempty"`
	// Comparison: whether the metric should be AtMost or AtLeast the target.
	// +optional
	// +kubebuilder:validation:Enum=AtMost;AtLeast
	Comparison string `json:"comparison,omitempty"`
	// Percent is the target of a ratio.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=100
	Percent *int32 `json:"percent,omitempty"`
	// Count is the target of a number.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=1000000000
	Count *int32 `json:"count,omitempty"`
	// Window over which it is measured, from 1h to 8784h (a year), for example 720h.
	// +optional
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule=`self.matches(r'^([0-9]{1,5}(h|m|s|ms)){1,4}$') && duration(self) >= duration('1h') && duration(self) <= duration('8784h')`,message="window is between 1h and 8784h, in hours, minutes and seconds, such as 720h for thirty days"
	Window *metav1.Duration `json:"window,omitempty"`
}

// CommunityPlatform is one platform that a community lives on.
type CommunityPlatform struct {
	// PlatformRef names the Platform.
	PlatformRef LocalReference `json:"platformRef"`
	// SpaceName is the community's name in addresses on that platform: lower-case letters, digits, - and _. Left out: metadata.name.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:XValidation:rule=`self.matches(r'^[a-z0-9]([a-z0-9_-]*[a-z0-9])?$')`,message="spaceName has lower-case letters, digits, - and _, and begins and ends with a letter or digit, such as on-call"
	SpaceName string `json:"spaceName,omitempty"`
}

// ManagersFrom consents to managers from other namespaces.
type ManagersFrom struct {
	// NamespaceSelector picks namespaces by label.
	// +kubebuilder:validation:XValidation:rule="!has(self.matchExpressions) || self.matchExpressions.size() <= 8 && [0, 1, 2, 3, 4, 5, 6, 7].all(i, i >= self.matchExpressions.size() || (self.matchExpressions[i].operator == 'In' || self.matchExpressions[i].operator == 'NotIn' ? has(self.matchExpressions[i].values) && self.matchExpressions[i].values.size() > 0 : (self.matchExpressions[i].operator == 'Exists' || self.matchExpressions[i].operator == 'DoesNotExist') && (!has(self.matchExpressions[i].values) || self.matchExpressions[i].values.size() == 0)))",message="matchExpressions has at most 8 entries, each with operator In or NotIn and values, or Exists or DoesNotExist and none"
	NamespaceSelector metav1.LabelSelector `json:"namespaceSelector"`
}

// CommunityStatus is a summary of what is there.
type CommunityStatus struct {
	SpaceStatus `json:",inline"`
	// Groups is the number of Groups that belong to the community.
	// +optional
	Groups int32 `json:"groups,omitempty"`
	// Governance is which policy governs the community, and what it makes of it.
	// +optional
	Governance *GovernanceStatus `json:"governance,omitempty"`
}

// Community is a governed space: why it exists, who belongs to it, and where it lives.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:categories=cabildo,shortName=comm
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Tier",type=string,JSONPath=`.status.governance.tier`
// +kubebuilder:printcolumn:name="Members",type=integer,JSONPath=`.status.members.present`
// +kubebuilder:printcolumn:name="Groups",type=integer,JSONPath=`.status.groups`
// +kubebuilder:printcolumn:name="Staffed",type=string,JSONPath=`.status.conditions[?(@.type=="Staffed")].status`
// +kubebuilder:printcolumn:name="Platforms",type=string,JSONPath=`.spec.platforms[*].platformRef.name`
// +kubebuilder:printcolumn:name="Address",type=string,priority=1,JSONPath=`.status.platforms[*].address`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:validation:XValidation:rule=`self.spec.platforms.all(p, has(p.spaceName)) || self.metadata.name.matches(r'^[a-z0-9-]{1,64}$')`,message="where spaceName is left out, metadata.name is the name in addresses and has at most 64 characters and no dots; set spaceName on each of spec.platforms"
type Community struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec   CommunitySpec   `json:"spec"`
	Status CommunityStatus `json:"status,omitempty"`
}

// CommunityList is a list of Communities.
//
// +kubebuilder:object:root=true
type CommunityList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Community `json:"items"`
}

// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// Join says how people come into a group.
// +kubebuilder:validation:Enum=Open;Request;Invite
type Join string

// The values of Join, from the loosest to the strictest.
const (
	// JoinOpen lets everybody in who can see the group.
	JoinOpen Join = "Open"
	// JoinRequest lets people ask, and moderators let them in.
	JoinRequest Join = "Request"
	// JoinInvite is for those who are invited.
	JoinInvite Join = "Invite"
)

// GroupSpec says what a group is for and who is in it.
type GroupSpec struct {
	// CommunityRef names the Community of the same namespace that the group belongs to. Immutable.
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="communityRef is immutable; make another Group"
	CommunityRef LocalReference `json:"communityRef"`
	// DisplayName is what people see: one line of visible text.
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:XValidation:rule=`self != '' && self == self.trim() && !self.matches(r'[\p{Cc}\p{Zl}\p{Zp}\x{202A}-\x{202E}\x{2066}-\x{2069}]')`,message="displayName is one line of visible text: no line breaks, no control or direction characters, no spaces at its ends"
	DisplayName string `json:"displayName"`
	// SpaceName is the group's name in addresses, after the community's: lower-case letters, digits, - and _. Left out: metadata.name.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:XValidation:rule=`self.matches(r'^[a-z0-9]([a-z0-9_-]*[a-z0-9])?$')`,message="spaceName has lower-case letters, digits, - and _, and begins and ends with a letter or digit, such as on-call"
	SpaceName string `json:"spaceName,omitempty"`
	// Purpose says what the group is for. It becomes the topic.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	Purpose string `json:"purpose,omitempty"`
	// Visibility of the group; it can't be looser than the community's. Left out: as the community.
	// +optional
	Visibility Visibility `json:"visibility,omitempty"`
	// Join says how people come in: Open, Request or Invite. Built in: Open.
	// +optional
	Join Join `json:"join,omitempty"`
	// Standing: Official only where the Platform's access allows it. Built in: Unofficial.
	// +optional
	Standing Standing `json:"standing,omitempty"`
	// Members of the group, from every source together. Who looks after the group has role Manager.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=1000
	Members []MemberSource `json:"members,omitempty"`
	// Guidelines of the group, instead of the community's.
	// +optional
	Guidelines *Guidelines `json:"guidelines,omitempty"`
	// Branding is how the space looks.
	// +optional
	Branding *Branding `json:"branding,omitempty"`
	// Moderation of the group; what is left out is as in the community.
	// +optional
	Moderation *Moderation `json:"moderation,omitempty"`
	// Management says how Cabildo manages the space; what is left out is as in the community.
	// +optional
	Management *Management `json:"management,omitempty"`
	// Suspend stops every write to the group's space while it is true.
	// +optional
	Suspend bool `json:"suspend,omitempty"`
}

// GroupStatus is a summary of what is there.
type GroupStatus struct {
	SpaceStatus `json:",inline"`
}

// Group is a channel or room inside a Community.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:categories=cabildo,shortName=grp
// +kubebuilder:printcolumn:name="Community",type=string,JSONPath=`.spec.communityRef.name`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Members",type=integer,JSONPath=`.status.members.present`
// +kubebuilder:printcolumn:name="Join",type=string,JSONPath=`.status.effective.join`
// +kubebuilder:printcolumn:name="Address",type=string,priority=1,JSONPath=`.status.platforms[*].address`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:selectablefield:JSONPath=`.spec.communityRef.name`
// +kubebuilder:validation:XValidation:rule=`has(self.spec.spaceName) || self.metadata.name.matches(r'^[a-z0-9-]{1,64}$')`,message="where spaceName is left out, metadata.name is the name in addresses and has at most 64 characters and no dots; set spec.spaceName"
// +kubebuilder:validation:XValidation:rule="!has(self.spec.members) || !self.spec.members.exists(m, has(m.group) && m.group.name == self.metadata.name)",message="a group can't be a source of its own members; name another group"
type Group struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec   GroupSpec   `json:"spec"`
	Status GroupStatus `json:"status,omitempty"`
}

// GroupList is a list of Groups.
//
// +kubebuilder:object:root=true
type GroupList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Group `json:"items"`
}

// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// Role is what a person is in one space.
// +kubebuilder:validation:Enum=Member;Moderator;Manager
type Role string

// The roles, from the least power to the most. All of them are below the operator's own.
const (
	RoleMember    Role = "Member"
	RoleModerator Role = "Moderator"
	RoleManager   Role = "Manager"
)

// AfterLeaving says what happens to a declared person who left by their own choice.
// +kubebuilder:validation:Enum=Respect;Readd
type AfterLeaving string

// The values of AfterLeaving.
const (
	// RespectLeaving leaves them out; they may come back by themselves.
	RespectLeaving AfterLeaving = "Respect"
	// ReaddAfterLeaving adds or invites them again.
	ReaddAfterLeaving AfterLeaving = "Readd"
)

// MemberSource is one place that members come from. Exactly one of person,
// directoryGroup, attribute, group and managersOf is set. When several sources
// name one person, the highest role wins.
//
// +kubebuilder:validation:XValidation:rule="[has(self.person), has(self.directoryGroup), has(self.attribute), has(self.group), has(self.managersOf)].filter(x, x).size() == 1",message="a list item has exactly one source: person, directoryGroup, attribute, group or managersOf"
// +kubebuilder:validation:XValidation:rule="!has(self.expires) || has(self.person)",message="expires is for a person; a derived source ends when what it is derived from changes"
type MemberSource struct {
	// Person is one person's username, without spaces, as the platform's accounts map it to an account.
	// +optional
	// +kubebuilder:validation:MaxLength=255
	// +kubebuilder:validation:XValidation:rule=`self.matches(r'^[^\s\p{Cc}\p{Z}]+$')`,message="person is one username without spaces, such as ana.ruiz"
	Person string `json:"person,omitempty"`
	// DirectoryGroup is everybody in a group of a Directory.
	// +optional
	DirectoryGroup *DirectoryGroupSource `json:"directoryGroup,omitempty"`
	// Attribute is everybody whose attribute in a Directory has a value.
	// +optional
	Attribute *AttributeSource `json:"attribute,omitempty"`
	// Group is everybody who is declared in another Group of the same namespace.
	// +optional
	Group *LocalReference `json:"group,omitempty"`
	// ManagersOf is the managers (Lead or Manager, also on leave, and deputies who act for one) of the communities that a selector picks in the same namespace.
	// +optional
	ManagersOf *ManagersSource `json:"managersOf,omitempty"`
	// Role of these people in the space. Built in: Member.
	// +optional
	Role Role `json:"role,omitempty"`
	// Expires is the last day of the membership, in UTC, as YYYY-MM-DD.
	// +optional
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="!format.date().validate(self).hasValue()",message="expires is the last day of the membership as YYYY-MM-DD, such as 2027-03-31"
	Expires string `json:"expires,omitempty"`
	// AfterLeaving: Respect leaves out who left by their own choice, Readd adds them again. Built in: Respect.
	// +optional
	AfterLeaving AfterLeaving `json:"afterLeaving,omitempty"`
}

// DirectoryGroupSource names a group of a Directory.
type DirectoryGroupSource struct {
	// DirectoryRef names the Directory.
	DirectoryRef LocalReference `json:"directoryRef"`
	// Name of the group in the Directory.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=255
	Name string `json:"name"`
}

// AttributeSource names an attribute of people in a Directory and its value.
type AttributeSource struct {
	// DirectoryRef names the Directory.
	DirectoryRef LocalReference `json:"directoryRef"`
	// Name of the attribute, as the Directory maps it.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Name string `json:"name"`
	// Value that the attribute must have, compared exactly.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=255
	Value string `json:"value"`
}

// ManagersSource picks communities whose managers are meant.
type ManagersSource struct {
	// CommunitySelector picks Communities of the same namespace by label; empty means all of them.
	// +kubebuilder:validation:XValidation:rule="!has(self.matchExpressions) || self.matchExpressions.size() <= 8 && [0, 1, 2, 3, 4, 5, 6, 7].all(i, i >= self.matchExpressions.size() || (self.matchExpressions[i].operator == 'In' || self.matchExpressions[i].operator == 'NotIn' ? has(self.matchExpressions[i].values) && self.matchExpressions[i].values.size() > 0 : (self.matchExpressions[i].operator == 'Exists' || self.matchExpressions[i].operator == 'DoesNotExist') && (!has(self.matchExpressions[i].values) || self.matchExpressions[i].values.size() == 0)))",message="matchExpressions has at most 8 entries, each with operator In or NotIn and values, or Exists or DoesNotExist and none"
	CommunitySelector metav1.LabelSelector `json:"communitySelector"`
}

// LocalReference names another object: in the same namespace, or of the cluster where the kind is cluster-scoped.
type LocalReference struct {
	// Name of the object.
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="!format.dns1123Subdomain().validate(self).hasValue()",message="the name of an object has lower-case letters, digits, - and ., and begins and ends with a letter or digit"
	Name string `json:"name"`
}

// Person names one person by username.
type Person struct {
	// Person is the username, without spaces, as the platform's accounts map it to an account.
	// +kubebuilder:validation:MaxLength=255
	// +kubebuilder:validation:XValidation:rule=`self.matches(r'^[^\s\p{Cc}\p{Z}]+$')`,message="person is one username without spaces, such as ana.ruiz"
	Person string `json:"person"`
}

// RoleCards says whether who looks after a space is told with its guidelines.
// +kubebuilder:validation:Enum=Shown;Hidden
type RoleCards string

// The values of RoleCards.
const (
	RoleCardsShown  RoleCards = "Shown"
	RoleCardsHidden RoleCards = "Hidden"
)

// Guidelines are the rules of a space, pinned where everybody sees them and
// updated in place when they change. Exactly one of text and configMapKeyRef is set.
//
// +kubebuilder:validation:XValidation:rule="has(self.text) != has(self.configMapKeyRef)",message="set exactly one of text and configMapKeyRef"
type Guidelines struct {
	// Text of the guidelines, in Markdown.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=16384
	Text string `json:"text,omitempty"`
	// ConfigMapKeyRef is a key of a ConfigMap in the same namespace, labelled community.cabildo.dev/read=true.
	// +optional
	ConfigMapKeyRef *ConfigMapKeyReference `json:"configMapKeyRef,omitempty"`
	// RoleCards: Shown adds who looks after the community below the text: each CommunityManager in force, with role,
	// purpose and responsibilities. Built in: Hidden.
	// +optional
	RoleCards RoleCards `json:"roleCards,omitempty"`
}

// ConfigMapKeyReference names one key of a ConfigMap in the same namespace.
type ConfigMapKeyReference struct {
	// Name of the ConfigMap.
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="!format.dns1123Subdomain().validate(self).hasValue()",message="the name of a ConfigMap has lower-case letters, digits, - and ., and begins and ends with a letter or digit"
	Name string `json:"name"`
	// Key in its data.
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule=`self.matches(r'^[A-Za-z0-9._-]+$')`,message="a key of a ConfigMap has letters, digits, -, _ and ., such as guidelines.md"
	Key string `json:"key"`
}

// Branding is how a space looks.
type Branding struct {
	// AvatarURL is the picture: an mxc:// URI on Matrix.
	// +optional
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:XValidation:rule=`self.matches(r'^mxc://[^/\s]+/[A-Za-z0-9_-]+$')`,message="avatarURL is the mxc:// URI of a picture on the homeserver, such as mxc://example.com/abc123; upload the picture there first"
	AvatarURL string `json:"avatarURL,omitempty"`
	// Icon is the picture itself, for the icon of a Mattermost team: a data: URI with a small PNG, JPEG or GIF.
	// +optional
	// +kubebuilder:validation:MaxLength=65536
	// +kubebuilder:validation:XValidation:rule=`self.matches(r'^data:image/(png|jpeg|gif);base64,[A-Za-z0-9+/]+=*$')`,message="icon is a data: URI with a PNG, JPEG or GIF of at most 48 KiB, such as data:image/png;base64,iVBORw0KGgo..."
	Icon string `json:"icon,omitempty"`
}

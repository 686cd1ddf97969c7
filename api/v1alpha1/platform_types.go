// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// PlatformType is a kind of chat platform.
// +kubebuilder:validation:Enum=Matrix;Mattermost
type PlatformType string

// The platform types.
const (
	PlatformMatrix     PlatformType = "Matrix"
	PlatformMattermost PlatformType = "Mattermost"
)

// PlatformSpec says which chat platform this is, how it is reached, and who may use it.
//
// +kubebuilder:validation:XValidation:rule="(self.type == 'Matrix') == has(self.matrix) && (self.type == 'Mattermost') == has(self.mattermost)",message="set the field of the type and no other: matrix where type is Matrix, mattermost where it is Mattermost"
type PlatformSpec struct {
	// Type of the platform: Matrix or Mattermost. Immutable.
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="type is immutable; make another Platform"
	Type PlatformType `json:"type"`
	// OwnerID says which installation we are, for example prod-eu. It is written into every space that
	// Cabildo makes; two installations on one server must differ in it. Lower-case letters, digits, - and .; immutable.
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:XValidation:rule=`self.matches(r'^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$')`,message="ownerID has lower-case letters, digits, - and ., and begins and ends with a letter or digit, such as prod-eu"
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="ownerID is immutable; release the spaces and adopt them from another Platform instead"
	OwnerID string `json:"ownerID"`
	// Matrix says how a Matrix homeserver is reached.
	// +optional
	Matrix *MatrixPlatform `json:"matrix,omitempty"`
	// Mattermost says how a Mattermost server is reached.
	// +optional
	Mattermost *MattermostPlatform `json:"mattermost,omitempty"`
	// CredentialsRef names a Secret in the operator's namespace. It has the key url, which must equal the
	// URL of this Platform, and accessToken or, for a Matrix application service, asToken.
	CredentialsRef LocalReference `json:"credentialsRef"`
	// Accounts says how a person is an account on this platform. Left out: the username is the account's name.
	// +optional
	Accounts *Accounts `json:"accounts,omitempty"`
	// Access says which namespaces may use this platform and which names they may take. Missing means nobody.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=64
	Access []PlatformAccess `json:"access,omitempty"`
	// Requests is the budget of requests to this platform, shared by every resource.
	// +optional
	Requests *RequestBudget `json:"requests,omitempty"`
	// RemovalBudget bounds removals on this platform where a community or group does not say otherwise.
	// +optional
	RemovalBudget *PlatformRemovalBudget `json:"removalBudget,omitempty"`
	// ResyncInterval is how often everything is verified against the platform, even when no change was seen,
	// spread over the interval; from 1m to 24h. Built in: 10m.
	// +optional
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule=`self.matches(r'^([0-9]{1,5}(h|m|s|ms)){1,4}$') && duration(self) >= duration('1m') && duration(self) <= duration('24h')`,message="resyncInterval is between 1m and 24h, in hours, minutes and seconds, such as 10m or 1h30m"
	ResyncInterval *metav1.Duration `json:"resyncInterval,omitempty"`
	// Management is what communities and groups on this platform inherit.
	// +optional
	Management *Management `json:"management,omitempty"`
	// CABundle is a PEM bundle of the authorities that the platform's certificate may come from, instead of the system's.
	// +optional
	// +kubebuilder:validation:MaxLength=131072
	// +kubebuilder:validation:XValidation:rule="self.contains('-----BEGIN CERTIFICATE-----')",message="caBundle is PEM text with at least one BEGIN CERTIFICATE block"
	CABundle string `json:"caBundle,omitempty"`
	// ProxyURL is an HTTP proxy to reach the platform through, without user and password. Left out: a direct connection.
	// +optional
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:XValidation:rule=`isURL(self) && self.matches(r'^https?://[^\s/@?#]+/?$')`,message="proxyURL is http:// or https:// and a host with its port, without user and password, such as http://proxy.example.com:3128"
	ProxyURL string `json:"proxyURL,omitempty"`
	// Suspend stops every write to this platform while it is true.
	// +optional
	Suspend bool `json:"suspend,omitempty"`
}

// MatrixPlatform says how a Matrix homeserver is reached.
type MatrixPlatform struct {
	// HomeserverURL is the base URL of the client-server API: http or https, without a path and without / at the end.
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:XValidation:rule=`isURL(self) && self.matches(r'^https?://[^\s/@?#]+$')`,message="homeserverURL is http:// or https:// and a host, with a port where needed; no user, no path and no / at the end, such as https://matrix.example.com"
	HomeserverURL string `json:"homeserverURL"`
	// ServerName is the name after the colon in the homeserver's user IDs and aliases, for example example.com.
	// +kubebuilder:validation:MaxLength=230
	// +kubebuilder:validation:XValidation:rule=`self.matches(r'^([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?$')`,message="serverName is what follows the colon in user IDs, such as example.com; no https:// and no path"
	ServerName string `json:"serverName"`
	// Account is the local part of the account that Cabildo acts as with an application service's token (asToken):
	// cabildo for @cabildo:example.com. It is registered when it does not exist. It must be another one than the
	// registration's sender_localpart, for which Synapse has no /sync, and must not be changed while there are spaces:
	// they are the account's. With accessToken the account is the token's, and this is ignored. Built in: cabildo.
	// +optional
	// +kubebuilder:validation:MaxLength=230
	// +kubebuilder:validation:XValidation:rule=`self.matches(r'^[a-z0-9._=/+-]+$')`,message="account is the part of a user ID between @ and the colon, such as cabildo: lower-case letters, digits and . _ = / + -"
	Account string `json:"account,omitempty"`
}

// MattermostPlatform says how a Mattermost server is reached.
type MattermostPlatform struct {
	// URL is the site's base URL: http or https, with its path where it has one, without / at the end.
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:XValidation:rule=`isURL(self) && self.matches(r'^https?://[^\s/@?#][^\s@?#]*[^\s/@?#]$')`,message="url is http:// or https:// and a host, with a port and a path where needed; no user, no query and no / at the end, such as https://chat.example.com"
	URL string `json:"url"`
}

// AccountMatch says how a person is matched to an account.
// +kubebuilder:validation:Enum=Username;Template;Email
type AccountMatch string

// The values of AccountMatch.
const (
	// MatchUsername takes the person's username as the account's local name.
	MatchUsername AccountMatch = "Username"
	// MatchTemplate builds the account from a template over the person's attributes.
	MatchTemplate AccountMatch = "Template"
	// MatchEmail finds the account by the person's verified e-mail address.
	MatchEmail AccountMatch = "Email"
)

// Accounts says how a person is an account on a platform.
//
// +kubebuilder:validation:XValidation:rule="(has(self.match) && self.match == 'Template') == has(self.template)",message="set template when, and only when, match is Template"
// +kubebuilder:validation:XValidation:rule="!has(self.match) || self.match != 'Email' || has(self.directoryRef)",message="match: Email needs directoryRef, because the address comes from there"
type Accounts struct {
	// DirectoryRef names the Directory that says who people are.
	// +optional
	DirectoryRef *LocalReference `json:"directoryRef,omitempty"`
	// Match is Username, Template or Email. Email is for platforms that find accounts by verified addresses. Built in: Username.
	// +optional
	Match AccountMatch `json:"match,omitempty"`
	// Template of the account, for example @{{ .username }}:example.com. It must name the person. With directoryRef it can
	// use .email, .displayName and .attributes.NAME too.
	// +optional
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:XValidation:rule=`self.matches(r'\{\{.*\}\}')`,message="template names the person, as in @{{ .username }}:example.com; without that everybody would have one account"
	Template string `json:"template,omitempty"`
}

// OfficialAccess says whether spaces may call themselves official.
// +kubebuilder:validation:Enum=Allowed;Forbidden
type OfficialAccess string

// The values of OfficialAccess.
const (
	OfficialAllowed   OfficialAccess = "Allowed"
	OfficialForbidden OfficialAccess = "Forbidden"
)

// PlatformAccess lets namespaces use a platform under certain names.
type PlatformAccess struct {
	// NamespaceSelector picks namespaces by label; empty means every namespace.
	// +kubebuilder:validation:XValidation:rule="!has(self.matchExpressions) || self.matchExpressions.size() <= 8 && [0, 1, 2, 3, 4, 5, 6, 7].all(i, i >= self.matchExpressions.size() || (self.matchExpressions[i].operator == 'In' || self.matchExpressions[i].operator == 'NotIn' ? has(self.matchExpressions[i].values) && self.matchExpressions[i].values.size() > 0 : (self.matchExpressions[i].operator == 'Exists' || self.matchExpressions[i].operator == 'DoesNotExist') && (!has(self.matchExpressions[i].values) || self.matchExpressions[i].values.size() == 0)))",message="matchExpressions has at most 8 entries, each with operator In or NotIn and values, or Exists or DoesNotExist and none"
	NamespaceSelector metav1.LabelSelector `json:"namespaceSelector"`
	// Names that these namespaces may take on the platform, as whole-name globs (* and ?), such as eng and eng-*.
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MaxLength=128
	// +kubebuilder:validation:items:XValidation:rule=`self.matches(r'^[a-z0-9._*?-]+$')`,message="a name is lower-case letters, digits, ., _ and -, with * for any text and ? for any one character, such as eng-*"
	Names []string `json:"names"`
	// Official says whether spaces of these namespaces may call themselves official. Built in: Forbidden.
	// +optional
	Official OfficialAccess `json:"official,omitempty"`
}

// RequestBudget bounds the requests to a platform.
type RequestBudget struct {
	// PerSecond is the most requests in any second. Built in: 50.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=10000
	PerSecond *int32 `json:"perSecond,omitempty"`
	// Concurrency is the most requests under way at once. Built in: 8.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=256
	Concurrency *int32 `json:"concurrency,omitempty"`
}

// PlatformRemovalBudget is what spaces on a platform inherit, and how many spaces may go at once.
type PlatformRemovalBudget struct {
	RemovalBudget `json:",inline"`
	// Spaces bounds how many spaces may be archived or deleted in the window. Built in: 3.
	// +optional
	Spaces *SpaceRemovalBudget `json:"spaces,omitempty"`
}

// SpaceRemovalBudget bounds how many spaces may be archived or deleted.
type SpaceRemovalBudget struct {
	// Count is the most spaces in the window.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=1000000
	Count int32 `json:"count"`
}

// CapabilityState says whether a platform can do something.
// +kubebuilder:validation:Enum=Supported;Unsupported;Unlicensed;Delegated
type CapabilityState string

// Capability is one thing that a platform can or can't do, as it was found out.
type Capability struct {
	// Name of the capability.
	Name string `json:"name"`
	// State: Supported, Unsupported, Unlicensed or Delegated.
	State CapabilityState `json:"state"`
	// Reason says why, where the state is not Supported.
	// +optional
	Reason string `json:"reason,omitempty"`
}

// PlatformStatus is what was found out about the platform.
type PlatformStatus struct {
	// Conditions: Ready, Reconciling and Stalled.
	// +optional
	// +listType=map
	// +listMapKey=type
	Conditions []metav1.Condition `json:"conditions,omitempty"`
	// ObservedGeneration is the generation that this status is about.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// Server names the server's software and version, where it tells.
	// +optional
	Server string `json:"server,omitempty"`
	// Account that Cabildo acts as.
	// +optional
	Account string `json:"account,omitempty"`
	// Capabilities that were found out.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=64
	Capabilities []Capability `json:"capabilities,omitempty"`
}

// Platform is a chat platform that communities live on.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:scope=Cluster,categories=cabildo,shortName=plat
// +kubebuilder:printcolumn:name="Type",type=string,JSONPath=`.spec.type`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Server",type=string,JSONPath=`.status.server`
// +kubebuilder:printcolumn:name="Owner",type=string,JSONPath=`.spec.ownerID`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type Platform struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec   PlatformSpec   `json:"spec"`
	Status PlatformStatus `json:"status,omitempty"`
}

// PlatformList is a list of Platforms.
//
// +kubebuilder:object:root=true
type PlatformList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Platform `json:"items"`
}

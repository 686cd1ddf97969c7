// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// DirectoryType is where a Directory has its people from.
// +kubebuilder:validation:Enum=LDAP;Inline;ConfigMap
type DirectoryType string

// The types of Directory.
const (
	DirectoryLDAP      DirectoryType = "LDAP"
	DirectoryInline    DirectoryType = "Inline"
	DirectoryConfigMap DirectoryType = "ConfigMap"
)

// DirectorySpec says where people come from, and who may use what of it.
//
// +kubebuilder:validation:XValidation:rule="(self.type == 'LDAP') == has(self.ldap) && (self.type == 'Inline') == has(self.inline) && (self.type == 'ConfigMap') == has(self.configMapKeyRef)",message="set the field of the type and no other: ldap where type is LDAP, inline where it is Inline, configMapKeyRef where it is ConfigMap"
// +kubebuilder:validation:XValidation:rule="!has(self.credentialsRef) || has(self.ldap)",message="credentialsRef is for type LDAP; a list needs no credentials"
// +kubebuilder:validation:XValidation:rule="!has(self.credentialsRef) || !has(self.ldap) || !has(self.ldap.startTLS) || self.ldap.startTLS == 'Required'",message="a password is not sent in the clear: use ldaps:// or startTLS: Required, or take credentialsRef out"
type DirectorySpec struct {
	// Type of the directory: LDAP, Inline or ConfigMap.
	Type DirectoryType `json:"type"`
	// LDAP says how an LDAP directory is reached, and what is where in it.
	// +optional
	LDAP *LDAPDirectory `json:"ldap,omitempty"`
	// Inline is a list of people and groups.
	// +optional
	Inline *DirectoryPeople `json:"inline,omitempty"`
	// ConfigMapKeyRef is a key of a ConfigMap in the operator's namespace, labelled community.cabildo.dev/read=true,
	// that has people and groups as inline has them.
	// +optional
	ConfigMapKeyRef *ConfigMapKeyReference `json:"configMapKeyRef,omitempty"`
	// CredentialsRef names a Secret in the operator's namespace with the keys url, which must equal ldap.url, bindDN and
	// password. Left out: the directory is read anonymously.
	// +optional
	CredentialsRef *LocalReference `json:"credentialsRef,omitempty"`
	// Access says which namespaces may take members from which groups and attributes. Missing means nobody.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=64
	Access []DirectoryAccess `json:"access,omitempty"`
	// LeaverBudget bounds how many people may be gone from one reading to the next without a person's look at it.
	// +optional
	LeaverBudget *LeaverBudget `json:"leaverBudget,omitempty"`
	// RefreshInterval is how often everything is read again, from 1m to 24h. Built in: 10m.
	// +optional
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule=`self.matches(r'^([0-9]{1,5}(h|m|s|ms)){1,4}$') && duration(self) >= duration('1m') && duration(self) <= duration('24h')`,message="refreshInterval is between 1m and 24h, in hours, minutes and seconds, such as 10m or 1h30m"
	RefreshInterval *metav1.Duration `json:"refreshInterval,omitempty"`
}

// StartTLS says whether an ldap:// connection is made safe.
// +kubebuilder:validation:Enum=Required;Disabled
type StartTLS string

// The values of StartTLS.
const (
	StartTLSRequired StartTLS = "Required"
	StartTLSDisabled StartTLS = "Disabled"
)

// LDAPAttribute is the name of an attribute in LDAP.
// +kubebuilder:validation:MaxLength=128
// +kubebuilder:validation:XValidation:rule=`self.matches(r'^([A-Za-z][A-Za-z0-9-]*|[0-9]+(\.[0-9]+)+)$')`,message="an attribute of LDAP has letters, digits and -, such as uid or employeeNumber"
type LDAPAttribute string

// LDAPDirectory says how an LDAP directory is reached, and what is where in it.
//
// +kubebuilder:validation:XValidation:rule="!has(self.startTLS) || self.url.startsWith('ldap://')",message="startTLS is for ldap://; ldaps:// is safe from the start"
type LDAPDirectory struct {
	// URL is ldaps:// or ldap:// and a host, with a port where needed.
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:XValidation:rule=`self.matches(r'^ldaps?://[^\s/@?#]+$')`,message="url is ldaps:// or ldap:// and a host, with a port where needed, and nothing after it, such as ldaps://ldap.example.com"
	URL string `json:"url"`
	// StartTLS makes an ldap:// connection safe before anything is said. Built in for ldap://: Required.
	// +optional
	StartTLS StartTLS `json:"startTLS,omitempty"`
	// CABundle is a PEM bundle of the authorities that the server's certificate may come from, instead of the system's.
	// +optional
	// +kubebuilder:validation:MaxLength=131072
	// +kubebuilder:validation:XValidation:rule="self.contains('-----BEGIN CERTIFICATE-----')",message="caBundle is PEM text with at least one BEGIN CERTIFICATE block"
	CABundle string `json:"caBundle,omitempty"`
	// People says where people are, and which of their attributes is what.
	People LDAPPeople `json:"people"`
	// Groups says where groups are. Left out: there are none.
	// +optional
	Groups *LDAPGroups `json:"groups,omitempty"`
	// PageSize is how many entries are asked for at once. Built in: 500.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=10000
	PageSize *int32 `json:"pageSize,omitempty"`
	// Timeout is how long one answer may take, from 1s to 10m. Built in: 30s.
	// +optional
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule=`self.matches(r'^([0-9]{1,5}(h|m|s|ms)){1,4}$') && duration(self) >= duration('1s') && duration(self) <= duration('10m')`,message="timeout is between 1s and 10m, in minutes and seconds, such as 30s"
	Timeout *metav1.Duration `json:"timeout,omitempty"`
}

// LDAPPeople says where people are in LDAP, and which of their attributes is what.
type LDAPPeople struct {
	// BaseDN is the entry under which people are.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	BaseDN string `json:"baseDN"`
	// Filter narrows down who is meant, such as (objectClass=inetOrgPerson). Left out: everybody with an id.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	// +kubebuilder:validation:XValidation:rule=`self.matches(r'^\(.+\)$')`,message="filter is an LDAP filter in parentheses, such as (objectClass=inetOrgPerson)"
	Filter string `json:"filter,omitempty"`
	// ID is the attribute that stays the same when a person is renamed, such as entryUUID or objectGUID.
	ID LDAPAttribute `json:"id"`
	// Username is the attribute with the username, such as uid or sAMAccountName.
	Username LDAPAttribute `json:"username"`
	// Email is the attribute with the e-mail address, such as mail.
	// +optional
	Email LDAPAttribute `json:"email,omitempty"`
	// DisplayName is the attribute with the name that is shown, such as cn.
	// +optional
	DisplayName LDAPAttribute `json:"displayName,omitempty"`
	// Attributes are further ones, by the name that members use.
	// +optional
	// +kubebuilder:validation:MaxProperties=32
	Attributes map[string]LDAPAttribute `json:"attributes,omitempty"`
	// Disabled says who is in the directory and is not let in any more.
	// +optional
	Disabled *LDAPDisabled `json:"disabled,omitempty"`
}

// LDAPDisabled says by which attribute somebody is not let in any more.
type LDAPDisabled struct {
	// Attribute that says it, such as userAccountControl or pwdAccountLockedTime.
	Attribute LDAPAttribute `json:"attribute"`
	// Values that say it, in upper or lower case; * is any value.
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=32
	// +kubebuilder:validation:items:MaxLength=255
	Values []string `json:"values"`
}

// LDAPMembers says what the attribute with a group's members holds.
// +kubebuilder:validation:Enum=DN;Username
type LDAPMembers string

// The values of LDAPMembers.
const (
	LDAPMembersDN       LDAPMembers = "DN"
	LDAPMembersUsername LDAPMembers = "Username"
)

// LDAPGroups says where groups are in LDAP.
type LDAPGroups struct {
	// BaseDN is the entry under which groups are.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	BaseDN string `json:"baseDN"`
	// Filter narrows down which ones are meant, such as (objectClass=groupOfNames). Left out: every entry with a name.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	// +kubebuilder:validation:XValidation:rule=`self.matches(r'^\(.+\)$')`,message="filter is an LDAP filter in parentheses, such as (objectClass=groupOfNames)"
	Filter string `json:"filter,omitempty"`
	// Name is the attribute with the group's name. Built in: cn.
	// +optional
	Name LDAPAttribute `json:"name,omitempty"`
	// Members is the attribute with the members, such as member, uniqueMember or memberUid. Built in: member.
	// +optional
	Members LDAPAttribute `json:"members,omitempty"`
	// MembersAre DN (of people and of groups) or Username. Built in: DN.
	// +optional
	MembersAre LDAPMembers `json:"membersAre,omitempty"`
}

// PersonState says whether somebody is let in.
// +kubebuilder:validation:Enum=Active;Disabled
type PersonState string

// The values of PersonState.
const (
	PersonActive   PersonState = "Active"
	PersonDisabled PersonState = "Disabled"
)

// DirectoryPeople is a list of people and groups.
type DirectoryPeople struct {
	// People in the directory.
	// +listType=map
	// +listMapKey=username
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=1000
	People []DirectoryPerson `json:"people"`
	// Groups in the directory.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=200
	Groups []DirectoryGroup `json:"groups,omitempty"`
}

// DirectoryPerson is one person of a list.
type DirectoryPerson struct {
	// Username, without spaces.
	// +kubebuilder:validation:MaxLength=255
	// +kubebuilder:validation:XValidation:rule=`self.matches(r'^[^\s\p{Cc}\p{Z}]+$')`,message="username is one username without spaces, such as ana.ruiz"
	Username string `json:"username"`
	// Email is the person's address.
	// +optional
	// +kubebuilder:validation:MaxLength=254
	Email string `json:"email,omitempty"`
	// State is Active or Disabled. Built in: Active.
	// +optional
	State PersonState `json:"state,omitempty"`
	// Attributes of the person, by name.
	// +optional
	// +kubebuilder:validation:MaxProperties=32
	Attributes map[string]string `json:"attributes,omitempty"`
}

// DirectoryGroup is one group of a list.
type DirectoryGroup struct {
	// Name of the group.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=255
	Name string `json:"name"`
	// People in the group, by username.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=1000
	// +kubebuilder:validation:items:MaxLength=255
	People []string `json:"people,omitempty"`
	// Groups whose people are in this one too.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=200
	// +kubebuilder:validation:items:MaxLength=255
	Groups []string `json:"groups,omitempty"`
}

// DirectoryAccess lets namespaces take members from groups and attributes.
type DirectoryAccess struct {
	// NamespaceSelector picks namespaces by label; empty means every namespace.
	// +kubebuilder:validation:XValidation:rule="!has(self.matchExpressions) || self.matchExpressions.size() <= 8 && [0, 1, 2, 3, 4, 5, 6, 7].all(i, i >= self.matchExpressions.size() || (self.matchExpressions[i].operator == 'In' || self.matchExpressions[i].operator == 'NotIn' ? has(self.matchExpressions[i].values) && self.matchExpressions[i].values.size() > 0 : (self.matchExpressions[i].operator == 'Exists' || self.matchExpressions[i].operator == 'DoesNotExist') && (!has(self.matchExpressions[i].values) || self.matchExpressions[i].values.size() == 0)))",message="matchExpressions has at most 8 entries, each with operator In or NotIn and values, or Exists or DoesNotExist and none"
	NamespaceSelector metav1.LabelSelector `json:"namespaceSelector"`
	// Groups that these namespaces may use, as whole-name globs (* and ?), such as engineers and eng-*.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=255
	Groups []string `json:"groups,omitempty"`
	// Attributes that these namespaces may use, by name.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=63
	Attributes []string `json:"attributes,omitempty"`
}

// LeaverBudget bounds how many people may be gone from one reading to the next:
// min(count, max(1, percent of the people)). More than that stay as they were until the budget is raised or they are back.
type LeaverBudget struct {
	// Percent of the people. Built in: 2.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=100
	Percent *int32 `json:"percent,omitempty"`
	// Count is the most, whatever the percentage; 0 lets nobody go. Built in: 50.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=1000000
	Count *int32 `json:"count,omitempty"`
}

// DirectoryStatus is what was read of the directory.
type DirectoryStatus struct {
	// Conditions: Ready, Reconciling and Stalled.
	// +optional
	// +listType=map
	// +listMapKey=type
	Conditions []metav1.Condition `json:"conditions,omitempty"`
	// ObservedGeneration is the generation that this status is about.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// People who are let in.
	// +optional
	People int32 `json:"people,omitempty"`
	// Groups that can be used.
	// +optional
	Groups int32 `json:"groups,omitempty"`
	// Left are those who are known not to be let in any more.
	// +optional
	Left int32 `json:"left,omitempty"`
	// Held are those who are gone, and stay because they are more than the leaver budget allows.
	// +optional
	Held int32 `json:"held,omitempty"`
}

// Directory is where people come from: LDAP, or a list.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:scope=Cluster,categories=cabildo,shortName=dir
// +kubebuilder:printcolumn:name="Type",type=string,JSONPath=`.spec.type`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="People",type=integer,JSONPath=`.status.people`
// +kubebuilder:printcolumn:name="Groups",type=integer,JSONPath=`.status.groups`
// +kubebuilder:printcolumn:name="Held",type=integer,JSONPath=`.status.held`,priority=1
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type Directory struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec   DirectorySpec   `json:"spec"`
	Status DirectoryStatus `json:"status,omitempty"`
}

// DirectoryList is a list of Directories.
//
// +kubebuilder:object:root=true
type DirectoryList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Directory `json:"items"`
}

// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

// Audience says who in a space may do something. Managers may do all that
// moderators may, and moderators all that members may.
// +kubebuilder:validation:Enum=Members;Moderators;Managers
type Audience string

// The audiences, from the loosest to the strictest.
const (
	AudienceMembers    Audience = "Members"
	AudienceModerators Audience = "Moderators"
	AudienceManagers   Audience = "Managers"
)

// GuestAccess says whether guests (people without an account) may come in.
// +kubebuilder:validation:Enum=Allowed;Forbidden
type GuestAccess string

// The values of GuestAccess, from the loosest to the strictest.
const (
	GuestsAllowed   GuestAccess = "Allowed"
	GuestsForbidden GuestAccess = "Forbidden"
)

// HistoryAccess says what a newcomer can read of what was said before.
// +kubebuilder:validation:Enum=Everything;SinceJoining
type HistoryAccess string

// The values of HistoryAccess, from the loosest to the strictest.
const (
	HistoryEverything   HistoryAccess = "Everything"
	HistorySinceJoining HistoryAccess = "SinceJoining"
)

// OnUnsupported says what happens when a platform can't do what is declared.
// +kubebuilder:validation:Enum=Report;Block
type OnUnsupported string

// The values of OnUnsupported.
const (
	// ReportUnsupported says so in the condition ModerationEnforced and goes on.
	ReportUnsupported OnUnsupported = "Report"
	// BlockUnsupported makes the resource not Ready, and a new space is not made.
	BlockUnsupported OnUnsupported = "Block"
)

// Moderation is the portable vocabulary of who may do what in a space. What is
// left out is inherited from the community, then from what is built in.
type Moderation struct {
	// Posting: who may write messages. Managers makes an announcement space. Built in: Members.
	// +optional
	Posting Audience `json:"posting,omitempty"`
	// Reactions: who may react to messages. Built in: Members.
	// +optional
	Reactions Audience `json:"reactions,omitempty"`
	// MassMentions: who may mention everybody at once. Built in: Members.
	// +optional
	MassMentions Audience `json:"massMentions,omitempty"`
	// Invitations: who may invite others. Built in: Members, and Moderators where the group's join is Invite.
	// +optional
	Invitations Audience `json:"invitations,omitempty"`
	// Removals: who may remove and ban members, Moderators or Managers. Built in: Moderators.
	// +optional
	// +kubebuilder:validation:XValidation:rule="self != 'Members'",message="removals are for Moderators or Managers; members don't remove each other"
	Removals Audience `json:"removals,omitempty"`
	// Pins: who may pin messages. Built in: Members.
	// +optional
	Pins Audience `json:"pins,omitempty"`
	// Deletions: who may delete other people's messages, Moderators or Managers. Built in: Moderators.
	// +optional
	// +kubebuilder:validation:XValidation:rule="self != 'Members'",message="deletions are for Moderators or Managers; members don't delete each other's messages"
	Deletions Audience `json:"deletions,omitempty"`
	// Guests: whether people without an account may come in. Built in: Forbidden.
	// +optional
	Guests GuestAccess `json:"guests,omitempty"`
	// History: what newcomers can read of what was said before. Built in: Everything, and SinceJoining where visibility is Private.
	// +optional
	History HistoryAccess `json:"history,omitempty"`
	// BlockedServers are other servers whose people may not take part, as whole-name globs such as *.example.net.
	// On platforms without federation this has nothing to do. "*" is refused: use visibility Internal.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=100
	// +kubebuilder:validation:items:MaxLength=255
	// +kubebuilder:validation:items:XValidation:rule=`self.matches(r'^[A-Za-z0-9.:*?\[\]-]+$')`,message="a blocked server is a server's name, with * for any text and ? for any one character, such as *.example.net; no https:// and no path"
	// +kubebuilder:validation:items:XValidation:rule="self.matches('^$|[^.:*?]')",message="a pattern that blocks every server would cut the space off; use visibility Internal to keep other servers out"
	BlockedServers []string `json:"blockedServers,omitempty"`
	// OnUnsupported says what happens when a platform can't hold one of these settings: Report or Block. Built in: Report.
	// +optional
	OnUnsupported OnUnsupported `json:"onUnsupported,omitempty"`
}

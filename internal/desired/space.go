// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package desired

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/internal/model"
)

// Inputs are a resource and what it refers to, all of it read.
type Inputs struct {
	Platform  *v1alpha1.Platform
	Community *v1alpha1.Community
	// Group is nil when the space is the community's own.
	Group *v1alpha1.Group
	// SpaceName is the community's name on this platform.
	SpaceName string
	// Guidelines is the text to pin.
	Guidelines string
	// Members are the declared accounts, each once.
	Members []model.Member
	// Policy is the name of the policy that governs the community, and Tier where it is there; nil where none governs it.
	Policy string
	Tier   *v1alpha1.Tier
}

// CommunityRef and GroupRef name the resource that a space is for.
func CommunityRef(c *v1alpha1.Community) model.Ref {
	return model.Ref{Kind: model.KindCommunity, Namespace: c.Namespace, Name: c.Name}
}

// GroupRef names the Group that a space is for.
func GroupRef(g *v1alpha1.Group) model.Ref {
	return model.Ref{Kind: model.KindGroup, Namespace: g.Namespace, Name: g.Name}
}

// SpaceName is the name of a community on a platform.
func SpaceName(c *v1alpha1.Community, p v1alpha1.CommunityPlatform) string {
	return first(p.SpaceName, c.Name)
}

// Address is the name of the space in the platform's addresses. They are shared
// by a whole server, so a group's begins with its community's.
func Address(communityName string, g *v1alpha1.Group) string {
	if g == nil {
		return communityName
	}
	return communityName + "-" + first(g.Spec.SpaceName, g.Name)
}

// Effective resolves everything that the space inherits. refused says why it
// can't be made like this at all; tooLoose what is stricter than it was
// declared, because a policy says so.
func Effective(in Inputs) (e v1alpha1.EffectiveSettings, refused, tooLoose *Refusal) {
	c := in.Community.Spec
	visibility, join := first(c.Visibility, v1alpha1.VisibilityInternal), v1alpha1.JoinOpen
	management := []*v1alpha1.Management{c.Management, PlatformLayer(in.Platform)}
	var own moderated
	if c.Visibility != "" {
		own.from("visibility", "Community "+in.Community.Name)
	}
	layers := []Layer{{Name: "Community " + in.Community.Name, Moderation: c.Moderation, Own: in.Group == nil}}
	var limits Limits
	if t := in.Tier; t != nil && t.Moderation != nil {
		of := fmt.Sprintf("tier %s of GovernancePolicy %s", t.Name, in.Policy)
		layers = append(layers, Layer{Name: of, Moderation: t.Moderation.Defaults})
		limits = Limits{"limit of " + of, t.Moderation.Limits}
	}
	var joined moderated
	if g := in.Group; g != nil {
		wanted := first(g.Spec.Visibility, visibility)
		if looseness(wanted) > looseness(visibility) {
			refused = &Refusal{v1alpha1.ReasonVisibilityTooLoose, fmt.Sprintf(
				"visibility %s is looser than %s, which is Community %s's. Choose %s or stricter, or change the community.",
				wanted, visibility, in.Community.Name, visibility)}
		}
		visibility, join = wanted, first(g.Spec.Join, v1alpha1.JoinOpen)
		least := limits.of(func(l *v1alpha1.ModerationLimits) string { return string(l.Join) })
		if g.Spec.Visibility != "" {
			own.from("visibility", "Group "+g.Name)
		}
		if g.Spec.Join != "" {
			joined.from("join", "Group "+g.Name)
		}
		join = v1alpha1.Join(joined.bound("join", string(join), joins, least, limits.Name, g.Spec.Join != ""))
		management = slices.Insert(management, 0, g.Spec.Management)
		layers = slices.Insert(layers, 0, Layer{Name: "Group " + g.Name, Moderation: g.Spec.Moderation, Own: true})
	}
	managed := Management(management...)
	m := moderate(visibility, join, layers, limits)
	if loose := slices.Concat(joined.tooLoose, m.tooLoose); len(loose) > 0 {
		tooLoose = &Refusal{v1alpha1.ReasonModerationTooLoose, strings.Join(loose, ". ") + "."}
	}
	return v1alpha1.EffectiveSettings{
		Visibility: visibility, Join: join, Management: &managed, Moderation: &m.Moderation, Origins: slices.Concat(own.origins, joined.origins, m.origins),
	}, refused, tooLoose
}

func looseness(v v1alpha1.Visibility) int {
	switch v {
	case v1alpha1.VisibilityPublic:
		return 2
	case v1alpha1.VisibilityInternal:
		return 1
	default:
		return 0
	}
}

// Space is the wanted space of a community or group with these settings in force.
func Space(in Inputs, effective v1alpha1.EffectiveSettings) model.Space {
	c := in.Community
	s := model.Space{
		Mark: model.Mark{
			OwnerID: in.Platform.Spec.OwnerID, Ref: CommunityRef(c),
			Official: c.Spec.Standing == v1alpha1.StandingOfficial,
		},
		Address:  Address(in.SpaceName, in.Group),
		Members:  in.Members,
		Settings: settings(effective, in.Group != nil),
	}
	s.Settings.DisplayName, s.Settings.Topic = c.Spec.DisplayName, oneLine(c.Spec.Purpose)
	branding := c.Spec.Branding
	if g := in.Group; g != nil {
		parent := CommunityRef(c)
		s.Parent = &parent
		s.Mark.Ref, s.Mark.Official = GroupRef(g), g.Spec.Standing == v1alpha1.StandingOfficial
		s.Settings.DisplayName, s.Settings.Topic = g.Spec.DisplayName, oneLine(g.Spec.Purpose)
		branding = g.Spec.Branding
	}
	if branding != nil {
		s.Settings.Avatar, s.Settings.Icon = branding.AvatarURL, branding.Icon
	}
	s.Settings.Guidelines = in.Guidelines
	return s
}

// settings puts visibility, join and moderation into the vocabulary of spaces.
func settings(e v1alpha1.EffectiveSettings, group bool) model.Settings {
	m := e.Moderation
	s := model.Settings{
		Join:    joinRule(e.Visibility, e.Join, group),
		Listed:  e.Visibility == v1alpha1.VisibilityPublic && !group,
		History: model.HistoryEverything,
		Guests:  model.GuestsForbidden,
		Servers: model.Servers{OwnOnly: e.Visibility == v1alpha1.VisibilityInternal},
		Permissions: map[model.Action]model.Role{
			model.ActionPost:       role(m.Posting),
			model.ActionReact:      role(m.Reactions),
			model.ActionMentionAll: role(m.MassMentions),
			model.ActionInvite:     role(m.Invitations),
			model.ActionRemove:     role(m.Removals),
			model.ActionPin:        role(m.Pins),
			model.ActionDelete:     role(m.Deletions),
			model.ActionGovern:     model.RoleOperator,
		},
	}
	if m.History == v1alpha1.HistorySinceJoining {
		s.History = model.HistorySinceJoining
	}
	if m.Guests == v1alpha1.GuestsAllowed {
		s.Guests = model.GuestsAllowed
	}
	if len(m.BlockedServers) > 0 {
		s.Servers.Blocked = slices.Sorted(slices.Values(m.BlockedServers))
	}
	return s
}

// joinRule says how people come in. An open group of a community that isn't
// public is open to the community's members; a private one is by invitation.
func joinRule(v v1alpha1.Visibility, j v1alpha1.Join, group bool) model.JoinRule {
	switch {
	case j == v1alpha1.JoinInvite:
		return model.JoinInvite
	case j == v1alpha1.JoinRequest:
		return model.JoinRequest
	case v == v1alpha1.VisibilityPrivate:
		return model.JoinInvite
	case v == v1alpha1.VisibilityInternal && group:
		return model.JoinParentMembers
	default:
		return model.JoinAnybody
	}
}

func role(a v1alpha1.Audience) model.Role {
	switch a {
	case v1alpha1.AudienceManagers:
		return model.RoleManager
	case v1alpha1.AudienceModerators:
		return model.RoleModerator
	default:
		return model.RoleMember
	}
}

// oneLine is a text as a topic shows it: without line breaks and doubled spaces.
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

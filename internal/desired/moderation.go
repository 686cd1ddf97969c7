// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package desired

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
)

// Layer is one place that says something of moderation, and what it is called.
type Layer struct {
	Name string
	*v1alpha1.Moderation
	// Own says that this is what the space's resource says itself, so that it is told what of it is too loose.
	Own bool
}

// Limits are the loosest values of a tier, and whose they are.
type Limits struct {
	Name string
	*v1alpha1.ModerationLimits
}

// setting is one of the settings whose values are ordered from loose to strict.
type setting struct {
	name  string
	get   func(*v1alpha1.Moderation) string
	set   func(*v1alpha1.Moderation, string)
	limit func(*v1alpha1.ModerationLimits) string
	// order is from the loosest to the strictest.
	order []string
}

// The orders, from the loosest to the strictest. docs/concepts.md shows them to users.
var (
	audiences = []string{string(v1alpha1.AudienceMembers), string(v1alpha1.AudienceModerators), string(v1alpha1.AudienceManagers)}
	guests    = []string{string(v1alpha1.GuestsAllowed), string(v1alpha1.GuestsForbidden)}
	histories = []string{string(v1alpha1.HistoryEverything), string(v1alpha1.HistorySinceJoining)}
	joins     = []string{string(v1alpha1.JoinOpen), string(v1alpha1.JoinRequest), string(v1alpha1.JoinInvite)}
)

// of is a setting in the field of a moderation, and the field of its limit.
func of[T ~string](name string, order []string, value func(*v1alpha1.Moderation) *T, limit func(*v1alpha1.ModerationLimits) T) setting {
	return setting{
		name: name, order: order,
		get:   func(m *v1alpha1.Moderation) string { return string(*value(m)) },
		set:   func(m *v1alpha1.Moderation, v string) { *value(m) = T(v) },
		limit: func(l *v1alpha1.ModerationLimits) string { return string(limit(l)) },
	}
}

// ordered are the settings that have an order.
var ordered = func() []setting {
	type moderation = v1alpha1.Moderation
	type limits = v1alpha1.ModerationLimits
	type audience = v1alpha1.Audience
	return []setting{
		of("posting", audiences, func(m *moderation) *audience { return &m.Posting }, func(l *limits) audience { return l.Posting }),
		of("reactions", audiences, func(m *moderation) *audience { return &m.Reactions }, func(l *limits) audience { return l.Reactions }),
		of("massMentions", audiences, func(m *moderation) *audience { return &m.MassMentions }, func(l *limits) audience { return l.MassMentions }),
		of("invitations", audiences, func(m *moderation) *audience { return &m.Invitations }, func(l *limits) audience { return l.Invitations }),
		of("removals", audiences, func(m *moderation) *audience { return &m.Removals }, func(l *limits) audience { return l.Removals }),
		of("pins", audiences, func(m *moderation) *audience { return &m.Pins }, func(l *limits) audience { return l.Pins }),
		of("deletions", audiences, func(m *moderation) *audience { return &m.Deletions }, func(l *limits) audience { return l.Deletions }),
		of("guests", guests, func(m *moderation) *v1alpha1.GuestAccess { return &m.Guests }, func(l *limits) v1alpha1.GuestAccess { return l.Guests }),
		of("history", histories, func(m *moderation) *v1alpha1.HistoryAccess { return &m.History }, func(l *limits) v1alpha1.HistoryAccess { return l.History }),
	}
}()

// builtIn is the moderation of a space of this visibility and join where nobody says anything.
func builtIn(visibility v1alpha1.Visibility, join v1alpha1.Join) v1alpha1.Moderation {
	m := v1alpha1.Moderation{
		Posting: v1alpha1.AudienceMembers, Reactions: v1alpha1.AudienceMembers, MassMentions: v1alpha1.AudienceMembers,
		Invitations: v1alpha1.AudienceMembers, Removals: v1alpha1.AudienceModerators, Pins: v1alpha1.AudienceMembers,
		Deletions: v1alpha1.AudienceModerators, Guests: v1alpha1.GuestsForbidden, History: v1alpha1.HistoryEverything,
		OnUnsupported: v1alpha1.ReportUnsupported,
	}
	if join == v1alpha1.JoinInvite {
		m.Invitations = v1alpha1.AudienceModerators
	}
	if visibility == v1alpha1.VisibilityPrivate {
		m.History = v1alpha1.HistorySinceJoining
	}
	return m
}

// moderated is a moderation in force.
type moderated struct {
	v1alpha1.Moderation
	// origins say where settings come from that are not built in.
	origins []v1alpha1.SettingOrigin
	// tooLoose says, in words, what was declared looser than its limit.
	tooLoose []string
}

// moderate resolves what is inherited, setting by setting: the first layer
// that says something decides, and last what is built in. No value is looser
// than its limit: a looser one is raised to it, and said where it is the space's own.
func moderate(visibility v1alpha1.Visibility, join v1alpha1.Join, layers []Layer, limits Limits) moderated {
	m := moderated{Moderation: builtIn(visibility, join)}
	for _, s := range ordered {
		value := s.get(&m.Moderation)
		layer, said := firstThatSays(layers, func(l *v1alpha1.Moderation) bool { return s.get(l) != "" })
		if said {
			value = s.get(layer.Moderation)
			m.from(s.name, layer.Name)
		}
		s.set(&m.Moderation, m.bound(s.name, value, s.order, limits.of(s.limit), limits.Name, said && layer.Own))
	}
	if layer, said := firstThatSays(layers, func(l *v1alpha1.Moderation) bool { return l.OnUnsupported != "" }); said {
		m.OnUnsupported = layer.OnUnsupported
		m.from("onUnsupported", layer.Name)
	}
	if layer, said := firstThatSays(layers, func(l *v1alpha1.Moderation) bool { return l.BlockedServers != nil }); said {
		m.BlockedServers = layer.BlockedServers
		m.from("blockedServers", layer.Name)
	}
	if limits.ModerationLimits != nil && len(limits.BlockedServers) > 0 { // more blocked servers are stricter
		m.BlockedServers = slices.Compact(slices.Sorted(slices.Values(slices.Concat(m.BlockedServers, limits.BlockedServers))))
		m.from("blockedServers", limits.Name)
	}
	return m
}

// bound is a value, or its limit where the value is looser. own says that it was declared by the space's resource itself.
func (m *moderated) bound(name, value string, order []string, limit, whose string, own bool) string {
	least := slices.Index(order, limit)
	if slices.Index(order, value) >= least {
		return value
	}
	if own {
		m.tooLoose = append(m.tooLoose, fmt.Sprintf("%s: %s is looser than %s, the %s, which is in force instead; choose %s",
			name, value, limit, whose, strings.Join(order[least:], " or ")))
	}
	m.from(name, whose)
	return limit
}

// from notes where a setting comes from; what is noted later replaces what was.
func (m *moderated) from(name, origin string) {
	for i := range m.origins {
		if m.origins[i].Setting == name {
			m.origins[i].From = origin
			return
		}
	}
	m.origins = append(m.origins, v1alpha1.SettingOrigin{Setting: name, From: origin})
}

func firstThatSays(layers []Layer, says func(*v1alpha1.Moderation) bool) (Layer, bool) {
	for _, l := range layers {
		if l.Moderation != nil && says(l.Moderation) {
			return l, true
		}
	}
	return Layer{}, false
}

// of is one of the limits; empty where there is none.
func (l Limits) of(setting func(*v1alpha1.ModerationLimits) string) string {
	if l.ModerationLimits == nil {
		return ""
	}
	return setting(l.ModerationLimits)
}

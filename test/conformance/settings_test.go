// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package conformance_test

import (
	"context"
	"slices"

	. "github.com/onsi/gomega"

	"github.com/cabildo-dev/cabildo/internal/model"
	"github.com/cabildo-dev/cabildo/internal/plan"
)

var settings = section("What a space is set to",
	sets("the display name of a space", displayName, plan.FieldDisplayName, func(s *model.Settings) { s.DisplayName = "Another <name> & more" }),
	sets("the topic of a space", topic, plan.FieldTopic, func(s *model.Settings) { s.Topic = "Another purpose" }),
	sets("no topic of a space", topic, plan.FieldTopic, func(s *model.Settings) { s.Topic = "" }),
	ofBoth("sets the picture of a space", func(ctx context.Context, s *stage, kind model.Kind) {
		s.sets(ctx, kind, picture, plan.FieldAvatar, func(is *model.Settings) { is.Avatar = s.picture() })
	}),
	sets("the icon of a space", icon, plan.FieldIcon, func(s *model.Settings) { s.Icon = redDot }),
	sets("whether the directory lists a space", listing, plan.FieldListed, func(s *model.Settings) { s.Listed = true }),
	sets("how much of the past newcomers to a space can read", history, plan.FieldHistory, func(s *model.Settings) { s.History = model.HistorySinceJoining }),
	sets("whether guests may come into a space", guests, plan.FieldGuests, func(s *model.Settings) { s.Guests = model.GuestsAllowed }),
	sets("that other servers are kept out of a space", ownServer, plan.FieldServers, func(s *model.Settings) { s.Servers.OwnOnly = true }),
	sets("which servers are kept out of a space", blocked, plan.FieldServers, func(s *model.Settings) { s.Servers.Blocked = []string{"*.evil.example"} }),
	feature("shows people the name and the topic that are set", func(ctx context.Context, s *stage) {
		p := s.somebody(ctx)
		want, made := s.common(ctx, model.KindGroup, withMembers(names(model.RoleMember, p)))
		want.Settings.DisplayName, want.Settings.Topic = "Renamed "+unique("n"), "A new purpose"
		s.make(ctx, want)
		s.accept(ctx, want, p)
		shown, err := p.read(ctx, made.ID)
		Expect(err).NotTo(HaveOccurred())
		Expect(shown.name).To(Equal(want.Settings.DisplayName))
		Expect(shown.topic).To(Equal(want.Settings.Topic))
	}),
)

// redDot is a picture of one pixel.
const redDot = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC"

// sets is the features of one setting of a community and of a group.
func sets(what string, part aspect, field plan.Field, change func(*model.Settings)) []row {
	rows := ofBoth("sets "+what, func(ctx context.Context, s *stage, kind model.Kind) { s.sets(ctx, kind, part, field, change) })
	return slices.Clip(rows)
}

// sets changes one setting and sets it back. Everything else stays as it is.
func (s *stage) sets(ctx context.Context, kind model.Kind, part aspect, field plan.Field, change func(*model.Settings)) {
	want, _ := s.common(ctx, kind)
	was := want
	change(&want.Settings)
	s.holds(want, part)
	for _, next := range []model.Space{want, was} {
		Expect(s.differs(ctx, next)).To(Equal([]string{"set " + string(field)}))
		s.took(s.set(ctx, field, next), s.seesSpace(ctx, next).ID)
		Expect(s.differs(ctx, next)).To(BeEmpty())
		Expect(s.set(ctx, field, next)).To(Succeed(), "again, which changes nothing")
		Expect(s.differs(ctx, next)).To(BeEmpty())
	}
}

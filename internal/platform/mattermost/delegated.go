// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package mattermost

import (
	mm "github.com/mattermost/mattermost/server/public/model"

	"github.com/cabildo-dev/cabildo/internal/model"
)

// policies says whether access policies are in force on the server: with a
// licence of the highest tier, and where they are turned on (server 11.1,
// App.ChannelAccessControlled). Elsewhere a policy that was left behind still
// shows in its channel, and the server does not look at it.
func policies(config *mm.Config, licence map[string]string) bool {
	return licence["IsLicensed"] == "true" &&
		mm.MinimumEnterpriseAdvancedLicense(&mm.License{SkuShortName: licence["SkuShortName"]}) &&
		enabled(config.AccessControlSettings.EnableAttributeBasedAccessControl)
}

// delegated says what else decides who is in a space; nil when nothing does.
//
// Of a team or channel that is limited to groups of the server's directory, the
// server takes out nobody but through them, and their synchronisation sets who
// administers it (server 11.1, api4/channel.go and App.SyncSyncableRoles). Of a
// channel with an access policy it adds nobody whom the policy does not let in,
// and a job adds and removes people (App.addUserToChannel).
func (s *space) delegated(offer offer) *model.Delegation {
	switch {
	case s.grouped && s.isTeam():
		return &model.Delegation{By: "the synchronisation of the team with groups", Alone: true}
	case s.grouped:
		return &model.Delegation{By: "the synchronisation of the channel with groups", Alone: true}
	case s.policied && offer.policies:
		return &model.Delegation{By: "the access policy of the channel"}
	default:
		return nil
	}
}

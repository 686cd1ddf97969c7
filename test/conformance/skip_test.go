// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package conformance_test

import (
	"cmp"
	"errors"
	"fmt"
	"reflect"
	"strings"

	. "github.com/onsi/ginkgo/v2"

	"github.com/cabildo-dev/cabildo/internal/model"
	"github.com/cabildo-dev/cabildo/internal/platform"
)

// aspect is a part of a wanted space, by its name in the API.
type aspect struct {
	setting string
	// needs is the capability that it takes; empty where it takes none.
	needs platform.Capability
	of    func(model.Space) any
}

// The parts that a platform may not be able to hold.
var (
	displayName = aspect{setting: "displayName", of: func(s model.Space) any { return s.Settings.DisplayName }}
	topic       = aspect{setting: "purpose", of: func(s model.Space) any { return s.Settings.Topic }}
	picture     = aspect{setting: "branding.avatarURL", of: func(s model.Space) any { return s.Settings.Avatar }}
	icon        = aspect{setting: "branding.icon", of: func(s model.Space) any { return s.Settings.Icon }}
	pinnedText  = aspect{setting: "guidelines", of: func(s model.Space) any { return s.Settings.Guidelines }}
	// What anybody can come into a platform may show to everybody anyway.
	listing = aspect{setting: "visibility", of: func(s model.Space) any {
		return s.Settings.Listed && s.Settings.Join != model.JoinAnybody
	}}
	ownServer = aspect{setting: "visibility", needs: platform.CanFederate, of: func(s model.Space) any { return s.Settings.Servers.OwnOnly }}
	blocked   = aspect{
		setting: "moderation.blockedServers", needs: platform.CanFederate,
		of: func(s model.Space) any { return strings.Join(s.Settings.Servers.Blocked, " ") },
	}
	history = aspect{setting: "moderation.history", of: func(s model.Space) any { return s.Settings.History }}
	guests  = aspect{setting: "moderation.guests", of: func(s model.Space) any { return s.Settings.Guests }}
	rolesOf = aspect{setting: "members.role", of: func(s model.Space) any {
		roles := map[string]model.Role{}
		for _, m := range s.Members {
			roles[m.Account] = m.Role
		}
		return roles
	}}
)

// joining is how people come in. Where a group can be reached through its
// community alone, it is open to anybody when it is open to the community.
func joining(rule model.JoinRule) aspect {
	return aspect{
		setting: "join", of: func(s model.Space) any {
			if is := s.Settings.Join; rule != model.JoinAnybody || is != model.JoinParentMembers {
				return is
			}
			return model.JoinAnybody
		},
		needs: map[model.JoinRule]platform.Capability{
			model.JoinRequest: platform.CanJoinByRequest, model.JoinParentMembers: platform.CanJoinFromParent,
		}[rule],
	}
}

// permitting is who may do something.
func permitting(action model.Action) aspect {
	return aspect{
		setting: map[model.Action]string{
			model.ActionPost: "moderation.posting", model.ActionReact: "moderation.reactions",
			model.ActionMentionAll: "moderation.massMentions", model.ActionInvite: "moderation.invitations",
			model.ActionRemove: "moderation.removals", model.ActionPin: "moderation.pins", model.ActionDelete: "moderation.deletions",
		}[action],
		needs: platform.CanModerate,
		of:    func(s model.Space) any { return s.Settings.Permissions[action] },
	}
}

// needs ends the spec on a platform that says it can't do something.
func (s *stage) needs(can platform.Capability) {
	GinkgoHelper()
	support, said := s.info.Capabilities[can]
	switch {
	case !said:
		fail(fmt.Sprintf("the probe says nothing of %s", can))
	case support.State != platform.Supported && support.Reason == "":
		fail(fmt.Sprintf("the probe says that %s is %s, and not why", can, support.State))
	case support.State != platform.Supported:
		s.leave(support.State, support.Reason)
	}
}

// holds ends the spec where these parts of the wanted space can't be held, with
// what the adapter says of each. One that is taken away without a word is a failure.
func (s *stage) holds(want model.Space, parts ...aspect) {
	GinkgoHelper()
	got, losses := s.Normalize(want)
	state, reasons := platform.Supported, []string(nil)
	for _, part := range parts {
		same := reflect.DeepEqual(part.of(want), part.of(got))
		if loss := s.lossOf(losses, part, same); loss != nil {
			state = loss.State
			reasons = append(reasons, loss.Message)
		} else if !same {
			fail(s.silent(part, want, got, losses))
		}
	}
	if len(reasons) > 0 {
		s.leave(state, strings.Join(reasons, "; "))
	}
}

// silent says that a part is taken away and nothing tells so.
func (s *stage) silent(part aspect, want, got model.Space, losses []platform.Loss) string {
	return fmt.Sprintf("%s is wanted as %v and becomes %v, without a word about it: %v", part.setting, part.of(want), part.of(got), losses)
}

// lossOf is what was lost of a part, or of more than that part; nil when
// nothing was. A part that is not the same any more, and whose capability the
// probe denies, is lost as that is: people of other servers need not be kept out where there are none.
func (s *stage) lossOf(losses []platform.Loss, part aspect, same bool) *platform.Loss {
	for _, loss := range losses {
		if loss.Setting == part.setting || strings.HasPrefix(part.setting, loss.Setting+".") {
			loss.State = cmp.Or(loss.State, platform.Unsupported)
			return &loss
		}
	}
	if denied, said := s.info.Capabilities[part.needs]; said && denied.State != platform.Supported && !same {
		return &platform.Loss{Setting: part.setting, State: denied.State, Message: denied.Reason}
	}
	return nil
}

// took ends the spec where the platform answers that it can't do what was
// applied. The adapter can't know before it has asked the server.
func (s *stage) took(err error, space string) {
	GinkgoHelper()
	if why := refusalOf(err); why != "" {
		s.leave(platform.Unsupported, strings.ReplaceAll(why, space, "…"))
	}
	if err != nil {
		fail(err.Error(), 1)
	}
}

// refusalOf is why a platform can't do what was applied; empty for every other answer.
func refusalOf(err error) string {
	var typed, answer *platform.Error
	if !errors.As(err, &typed) || typed.Kind != platform.NotSupported {
		return ""
	}
	if typed.Err == nil || errors.As(typed.Err, &answer) {
		return typed.Doing
	}
	return typed.Doing + ": " + typed.Err.Error() // the adapter's own words, not the server's
}

// leave ends the spec with what its cell says. What is different in every run is taken out.
func (s *stage) leave(state platform.SupportState, reason string) {
	for _, account := range s.accounts() {
		reason = strings.ReplaceAll(reason, account, "somebody")
	}
	leave(state, strings.TrimSuffix(reason, "."))
}

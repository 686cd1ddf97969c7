// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package matrix

import (
	"encoding/json"
	"net"
	"net/netip"
	"slices"
	"strings"

	"github.com/cabildo-dev/cabildo/internal/model"
	"github.com/cabildo-dev/cabildo/internal/platform"
)

type (
	historyContent struct {
		Visibility string `json:"history_visibility"`
	}
	guestsContent struct {
		Access string `json:"guest_access"`
	}
	aliasContent struct {
		Alias        string   `json:"alias,omitempty"`
		Alternatives []string `json:"alt_aliases,omitempty"`
	}
	archivedContent struct {
		Archived bool `json:"archived,omitempty"`
	}
	linkContent struct {
		Via       []string `json:"via,omitempty"`
		Canonical bool     `json:"canonical,omitempty"`
	}
)

// joinRules are m.room.join_rules.
type joinRules struct {
	rule string
	// rooms whose members may join by a restricted rule
	rooms []string
	// more says that there are conditions which we have no word for.
	more bool
}

type allowed struct {
	Type string `json:"type"`
	Room string `json:"room_id,omitempty"`
}

func parseJoinRules(raw json.RawMessage) joinRules {
	content := decode[struct {
		Rule  string    `json:"join_rule"`
		Allow []allowed `json:"allow"`
	}](raw)
	rules := joinRules{rule: intern(content.Rule)}
	for _, a := range content.Allow {
		if a.Type == "m.room_membership" {
			rules.rooms = append(rules.rooms, intern(a.Room))
		} else {
			rules.more = true
		}
	}
	return rules
}

// model says how people come in; parent is the space whose members may.
func (j joinRules) model(parent string) model.JoinRule {
	switch j.rule {
	case "public":
		return model.JoinAnybody
	case "knock":
		return model.JoinRequest
	case "invite", "":
		return model.JoinInvite
	case "restricted":
		if !j.more && parent != "" && slices.Equal(j.rooms, []string{parent}) {
			return model.JoinParentMembers
		}
	}
	return model.JoinOther
}

func joinContent(rule model.JoinRule, parent string) (any, error) {
	content := map[string]any{"join_rule": "invite"}
	switch rule {
	case model.JoinAnybody:
		content["join_rule"] = "public"
	case model.JoinRequest:
		content["join_rule"] = "knock"
	case model.JoinInvite:
	case model.JoinParentMembers:
		if parent == "" {
			return nil, platform.Refuse(platform.Invalid, "setting who may join", "the parent's space is not known yet")
		}
		content["join_rule"] = "restricted"
		content["allow"] = []allowed{{Type: "m.room_membership", Room: parent}}
	default:
		return nil, platform.Refuse(platform.Invalid, "setting who may join", "there is no rule "+string(rule))
	}
	return content, nil
}

func historyOf(visibility string) model.History {
	switch visibility {
	case "shared", "": // shared is the default
		return model.HistoryEverything
	case "joined":
		return model.HistorySinceJoining
	default:
		return model.HistoryOther
	}
}

func historySetting(h model.History) historyContent {
	if h == model.HistorySinceJoining {
		return historyContent{"joined"}
	}
	return historyContent{"shared"}
}

func guestsOf(access string) model.Guests {
	if access == "can_join" {
		return model.GuestsAllowed
	}
	return model.GuestsForbidden
}

func guestsSetting(g model.Guests) guestsContent {
	if g == model.GuestsAllowed {
		return guestsContent{"can_join"}
	}
	return guestsContent{"forbidden"}
}

// parseServerACL reads m.room.server_acl. Without a list of who is allowed,
// nobody is: an event that was redacted, or is nonsense, cuts everybody off.
func parseServerACL(raw json.RawMessage) *serverACL {
	acl := decode[serverACL](raw)
	return &acl
}

// serversOf reads a server ACL. What it says of bare IP addresses is left
// aside: it can only keep more servers out.
func serversOf(acl *serverACL, own string) model.Servers {
	if acl == nil {
		return model.Servers{}
	}
	servers := model.Servers{Blocked: normalBlocked(acl.Deny)}
	switch {
	case slices.Equal(acl.Allow, []string{hostOf(own)}):
		servers.OwnOnly = true
	case !slices.Equal(acl.Allow, []string{"*"}):
		servers.Other = true
	}
	return servers
}

func aclSetting(s model.Servers, own string) serverACL {
	acl := serverACL{Allow: []string{"*"}, Deny: normalBlocked(s.Blocked), IPLiterals: true}
	if s.OwnOnly {
		// A server without a name would be cut off together with the others.
		_, err := netip.ParseAddr(strings.Trim(hostOf(own), "[]"))
		acl.Allow, acl.IPLiterals = []string{hostOf(own)}, err == nil
	}
	if acl.Deny == nil {
		acl.Deny = []string{}
	}
	return acl
}

// normalBlocked is lower case, sorted, and has everything once; nil for nothing.
func normalBlocked(globs []string) []string {
	var out []string
	for _, glob := range globs {
		if glob = strings.ToLower(strings.TrimSpace(glob)); glob != "" {
			out = append(out, glob)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// hostOf is a server's name without the port, as server ACLs see it.
func hostOf(server string) string {
	if host, _, err := net.SplitHostPort(server); err == nil {
		if strings.Contains(host, ":") {
			return "[" + host + "]"
		}
		return strings.ToLower(host)
	}
	return strings.ToLower(server)
}

// globMatches says whether a pattern with * and ? matches a whole name.
func globMatches(glob, name string) bool {
	g, n := 0, 0
	star, retry := -1, 0 // where the last * was, and what it has swallowed so far
	for n < len(name) {
		switch {
		case g < len(glob) && glob[g] == '*':
			star, retry = g, n
			g++
		case g < len(glob) && (glob[g] == '?' || glob[g] == name[n]):
			g, n = g+1, n+1
		case star >= 0:
			retry++
			g, n = star+1, retry
		default:
			return false
		}
	}
	return strings.Trim(glob[g:], "*") == ""
}

// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package mattermost

import (
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	mm "github.com/mattermost/mattermost/server/public/model"

	"github.com/cabildo-dev/cabildo/internal/model"
)

// space is a team or a channel as the server last told it.
type space struct {
	id   string
	team string // the team that a channel is in; empty for a team
	name string
	// displayName, topic and header: a channel's purpose and header, a team's description.
	displayName, topic, header string
	// category is the part of the sidebar in which a channel is shown to who comes in.
	category              string
	open                  bool
	createdAt, archivedAt int64
	iconAt                int64
	// byUs says that our account made it.
	byUs bool
	// sign is what a team's company name says of whose it is.
	sign string
	// grouped says that groups of the server's directory decide who is in it, and policied that a channel has an access policy.
	grouped, policied bool

	// stale says that it may have changed since it was read.
	stale bool
	// members are who is in it; nil when nobody looked, or it may have changed since.
	members *membership
}

func (s *space) isTeam() bool { return s.team == "" }

// signPrefix begins the company name of a team that an installation of Cabildo made.
const signPrefix = "cabildo:"

func teamSpace(t *mm.Team, email string) *space {
	return &space{
		id: t.Id, name: t.Name, displayName: t.DisplayName, topic: t.Description, open: t.AllowOpenInvite,
		createdAt: t.CreateAt, archivedAt: t.DeleteAt, iconAt: t.LastTeamIconUpdate,
		byUs: email != "" && t.Email == email, sign: t.CompanyName, grouped: t.IsGroupConstrained(),
	}
}

func channelSpace(c *mm.Channel, us string) *space {
	return &space{
		id: c.Id, team: c.TeamId, name: c.Name, displayName: c.DisplayName, topic: c.Purpose, header: c.Header,
		open: c.Type == mm.ChannelTypeOpen, createdAt: c.CreateAt, archivedAt: c.DeleteAt, byUs: us != "" && c.CreatorId == us,
		category: c.DefaultCategoryName, grouped: c.IsGroupConstrained(), policied: c.PolicyEnforced,
	}
}

// view is what is known of the server: all its teams, and the channels of those that are ours.
type view struct {
	records *records
	ownerID string

	mu     sync.Mutex // guards what follows
	spaces map[string]*space
	// names are the spaces by where their names are unique: the team's ID, or nothing for a team, and the name.
	names map[string]string
	// listed are the teams whose channels were read.
	listed map[string]bool
	// unsure are names that a lost answer may have given to a space.
	unsure map[string]bool
	// touched are the spaces that were told anew since the listing that is under way began; nil when none is.
	touched map[string]struct{}
	// read is when everything was read last; zero when it never was.
	read time.Time
	// verified is after which space the guidelines are verified next.
	verified string
	// heard says that the WebSocket was connected before, and hears that it is.
	heard, hears bool
}

func newView(r *records, ownerID string) *view {
	return &view{
		records: r, ownerID: ownerID, spaces: map[string]*space{}, names: map[string]string{},
		listed: map[string]bool{}, unsure: map[string]bool{},
	}
}

func nameKey(team, name string) string { return team + "/" + name }

// put takes over what the server told of a space, and keeps who is in it. The lock is held.
func (v *view) put(s *space) {
	if old := v.spaces[s.id]; old != nil {
		s.members = old.members
		if v.names[nameKey(old.team, old.name)] == s.id {
			delete(v.names, nameKey(old.team, old.name))
		}
	}
	v.spaces[s.id] = s
	v.names[nameKey(s.team, s.name)] = s.id
	delete(v.unsure, nameKey(s.team, s.name))
	v.touch(s.id)
}

// touch has a listing that is under way not take back what is known now. The lock is held.
func (v *view) touch(id string) {
	if v.touched != nil {
		v.touched[id] = struct{}{}
	}
}

// drop forgets a space that is gone. The lock is held.
func (v *view) drop(id string) {
	if s := v.spaces[id]; s != nil {
		if v.names[nameKey(s.team, s.name)] == id {
			delete(v.names, nameKey(s.team, s.name))
		}
		delete(v.spaces, id)
		v.touch(id)
	}
}

// named is the space with a name, archived or not; nil when there is none. The lock is held.
func (v *view) named(team, name string) *space { return v.spaces[v.names[nameKey(team, name)]] }

// markOf says whose a space is: what the record says, or for a team without one
// what its company name says. What others can write never makes a space ours. The lock is held.
func (v *view) markOf(s *space) *model.Mark {
	if rec, recorded := v.records.get(s.id); recorded {
		return rec.mark()
	}
	owner, signed := strings.CutPrefix(s.sign, signPrefix)
	switch {
	case !s.isTeam(), !signed:
		return nil
	case s.sign == sign(v.ownerID):
		return nil // made by us and not recorded yet, or forged
	default:
		return &model.Mark{OwnerID: owner}
	}
}

// unrecorded says that a space was made by us for what has its name, and we
// were stopped before that was recorded. The lock is held.
func (v *view) unrecorded(s *space) bool {
	if _, recorded := v.records.get(s.id); recorded || !s.byUs {
		return false
	}
	if s.isTeam() {
		return s.sign == sign(v.ownerID)
	}
	return v.ours(v.spaces[s.team])
}

// ours says that a team is this installation's. The lock is held.
func (v *view) ours(team *space) bool {
	if team == nil {
		return false
	}
	mark := v.markOf(team)
	return mark != nil && mark.OwnerID == v.ownerID || v.unrecorded(team)
}

// of are the spaces of a resource, open ones first and then by age. Where none
// carries its mark, it is the one with its name that we made and didn't record. The lock is held.
func (v *view) of(ref model.Ref, team, name string) []*space {
	var found []*space
	for _, id := range v.records.of(v.ownerID, ref) {
		if s := v.spaces[id]; s != nil {
			found = append(found, s)
		}
	}
	if len(found) == 0 && name != "" && (ref.Kind == model.KindCommunity) == (team == "") {
		if s := v.named(team, name); s != nil && v.unrecorded(s) {
			found = append(found, s)
		}
	}
	slices.SortFunc(found, func(a, b *space) int {
		switch {
		case (a.archivedAt == 0) != (b.archivedAt == 0):
			if a.archivedAt == 0 {
				return -1
			}
			return 1
		case a.createdAt != b.createdAt:
			return int(min(max(a.createdAt-b.createdAt, -1), 1))
		default:
			return strings.Compare(a.id, b.id)
		}
	})
	return found
}

// begin notes that everything is about to be read.
func (v *view) begin() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.touched = map[string]struct{}{}
}

// replace takes over a whole listing: who is in which space is kept, and what
// is not listed any more is gone. What was told anew in the meantime is newer
// than the listing. It returns the resources whose spaces changed.
func (v *view) replace(listing []*space, teams []string) []model.Ref {
	v.mu.Lock()
	defer v.mu.Unlock()
	old, touched := v.spaces, v.touched
	v.touched = nil
	v.spaces, v.names = make(map[string]*space, len(listing)), make(map[string]string, len(listing))
	v.listed = map[string]bool{}
	for _, id := range teams {
		v.listed[id] = true
	}
	for _, s := range listing {
		if _, newer := touched[s.id]; newer {
			continue
		}
		if was := old[s.id]; was != nil {
			s.members = was.members
		}
		v.put(s)
	}
	for id := range touched {
		if s := old[id]; s != nil {
			v.put(s)
		}
	}
	clear(v.unsure)
	v.read = time.Now()
	changed := map[model.Ref]struct{}{}
	for id, was := range old {
		if now := v.spaces[id]; now == nil || !now.same(was) {
			v.note(changed, was)
		}
	}
	return slices.Collect(maps.Keys(changed))
}

// note adds the resource of a space of ours. The lock is held.
func (v *view) note(refs map[model.Ref]struct{}, s *space) {
	if mark := v.markOf(s); mark != nil && mark.OwnerID == v.ownerID {
		refs[mark.Ref] = struct{}{}
	}
}

// same says that nothing that the server tells is different.
func (s *space) same(as *space) bool {
	a, b := *s, *as
	a.members, b.members, a.stale, b.stale = nil, nil, false, false
	return a == b
}

// fresh says whether everything was read not longer ago than this.
func (v *view) fresh(most time.Duration) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return !v.read.IsZero() && time.Since(v.read) < most
}

// oursOf are the teams of a listing that are this installation's, sorted.
func (v *view) oursOf(listing []*space) []string {
	v.mu.Lock()
	defer v.mu.Unlock()
	var teams []string
	for _, s := range listing {
		if v.ours(s) {
			teams = append(teams, s.id)
		}
	}
	slices.Sort(teams)
	return teams
}

// isListed says whether the channels of a team were read.
func (v *view) isListed(team string) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.listed[team]
}

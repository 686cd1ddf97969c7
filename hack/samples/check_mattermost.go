// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package samples

import (
	"context"
	"slices"
	"strings"

	"github.com/mattermost/mattermost/server/public/model"
	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/hack/devenv"
)

// CheckMattermost is Check for a Mattermost server: a community is a team, a
// group a channel in it. The operator is the user ID of its account.
func CheckMattermost(ctx context.Context, c client.Reader, server *devenv.Mattermost, operator string) (checks int, wrong []string, err error) {
	all, err := readDeclared(ctx, c)
	if err != nil {
		return 0, nil, err
	}
	k := &mattermostChecker{server: server, admin: server.Admin(), operator: operator, people: map[string]acting{}}
	k.complete(all)
	teams := map[client.ObjectKey]string{}
	for i := range all.communities {
		o := &all.communities[i]
		teams[client.ObjectKeyFromObject(o)] = k.team(ctx, o)
	}
	for i := range all.groups {
		o := &all.groups[i]
		team := teams[client.ObjectKey{Namespace: o.Namespace, Name: o.Spec.CommunityRef.Name}]
		if channel := k.channel(ctx, o, team); channel != "" {
			k.posting(ctx, o, channel)
			k.joining(ctx, o, channel)
		}
	}
	return k.checks, k.wrong, nil
}

type mattermostChecker struct {
	tally

	server   *devenv.Mattermost
	admin    *model.Client4
	operator string
	people   map[string]acting
}

// acting is somebody with their own account.
type acting struct {
	*model.Client4

	id string
}

// team checks a community's team, and returns its ID.
func (k *mattermostChecker) team(ctx context.Context, c *v1alpha1.Community) string {
	on := k.on(MattermostPlatform, c.Name, c.Status.SpaceStatus)
	if on == nil {
		return ""
	}
	team, _, err := k.admin.GetTeam(ctx, on.SpaceID, "")
	k.expect(err == nil, "%s: its team is there: %v", c.Name, err)
	if err != nil {
		return ""
	}
	name := c.Name
	for _, p := range c.Spec.Platforms {
		if p.PlatformRef.Name == MattermostPlatform && p.SpaceName != "" {
			name = p.SpaceName
		}
	}
	k.expect(team.Name == name, "%s: the team's address is %q, and should be %q", c.Name, team.Name, name)
	k.expect(team.DisplayName == c.Spec.DisplayName, "%s: the team is called %q", c.Name, team.DisplayName)
	k.expect(team.Description == c.Spec.Purpose, "%s: the team is described as %q", c.Name, team.Description)

	members, _, err := k.admin.GetTeamMembers(ctx, team.Id, 0, page, "")
	k.expect(err == nil, "%s: reading who is in the team: %v", c.Name, err)
	roles := map[string]v1alpha1.Role{}
	for _, m := range members {
		if m.DeleteAt == 0 {
			roles[m.UserId] = roleOn(m.SchemeAdmin)
		}
	}
	k.members(ctx, c.Name, roles, c.Spec.Members)

	square, _, err := k.admin.GetChannelByName(ctx, model.DefaultChannelName, team.Id, "")
	k.expect(err == nil, "%s: the team has a channel for all: %v", c.Name, err)
	if err == nil {
		k.pinned(ctx, c.Name, square.Id)
	}
	k.entering(ctx, c, team.Id)
	return team.Id
}

// channel checks a group's channel, and returns its ID.
func (k *mattermostChecker) channel(ctx context.Context, g *v1alpha1.Group, team string) string {
	on := k.on(MattermostPlatform, g.Name, g.Status.SpaceStatus)
	if on == nil {
		return ""
	}
	channel, _, err := k.admin.GetChannel(ctx, on.SpaceID)
	k.expect(err == nil, "%s: its channel is there: %v", g.Name, err)
	if err != nil {
		return ""
	}
	k.expect(channel.TeamId == team, "%s: the channel is in the community's team", g.Name)
	k.expect(channel.DisplayName == g.Spec.DisplayName, "%s: the channel is called %q", g.Name, channel.DisplayName)
	k.expect(channel.Header == g.Spec.Purpose, "%s: the channel's header is %q", g.Name, channel.Header)
	k.expect(channel.Purpose == g.Spec.Purpose, "%s: the channel's purpose is %q", g.Name, channel.Purpose)
	want := model.ChannelTypePrivate
	if g.Status.Effective.Join == v1alpha1.JoinOpen && g.Status.Effective.Visibility != v1alpha1.VisibilityPrivate {
		want = model.ChannelTypeOpen
	}
	k.expect(channel.Type == want, "%s: the channel is of type %s, and should be of %s", g.Name, channel.Type, want)

	members, _, err := k.admin.GetChannelMembers(ctx, channel.Id, 0, page, "")
	k.expect(err == nil, "%s: reading who is in the channel: %v", g.Name, err)
	roles := map[string]v1alpha1.Role{}
	for _, m := range members {
		roles[m.UserId] = roleOn(m.SchemeAdmin)
	}
	k.members(ctx, g.Name, roles, g.Spec.Members)
	k.pinned(ctx, g.Name, channel.Id)
	return channel.Id
}

// page is more than anything of the samples has.
const page = 200

// roleOn is what Mattermost knows of roles: it has no moderators.
func roleOn(admin bool) v1alpha1.Role {
	if admin {
		return v1alpha1.RoleManager
	}
	return v1alpha1.RoleMember
}

// members checks that everybody who is declared by name is in, as what they should be.
func (k *mattermostChecker) members(ctx context.Context, name string, roles map[string]v1alpha1.Role, sources []v1alpha1.MemberSource) {
	for _, s := range sources {
		if s.Person == "" {
			continue
		}
		role, in := roles[k.person(ctx, s.Person).id]
		k.expect(in, "%s: %s is in it", name, s.Person)
		k.expect(role == roleOn(roleOf(s) == v1alpha1.RoleManager), "%s: %s, declared as %s, is %s", name, s.Person, roleOf(s), role)
	}
}

// pinned checks that one message is pinned, and that the operator wrote it.
func (k *mattermostChecker) pinned(ctx context.Context, name, channel string) {
	pins, _, err := k.admin.GetPinnedPosts(ctx, channel, "")
	k.expect(err == nil && len(pins.Order) == 1, "%s: one message is pinned: %v", name, err)
	if err != nil {
		return
	}
	for _, post := range pins.Posts {
		k.expect(post.UserId == k.operator && strings.HasPrefix(post.Message, "#"), "%s: the guidelines are pinned: %q", name, post.Message)
	}
}

// entering checks with the account of somebody who is not declared who can come into a team.
func (k *mattermostChecker) entering(ctx context.Context, c *v1alpha1.Community, team string) {
	who := k.person(ctx, stranger)
	_, _, err := who.AddTeamMember(ctx, team, who.id)
	if c.Status.Effective.Visibility == v1alpha1.VisibilityPrivate {
		k.expect(err != nil, "%s: a stranger can't come in", c.Name)
	} else {
		k.expect(err == nil, "%s: everybody can come in: %v", c.Name, err)
	}
}

// joining checks the same of a channel, with somebody who is in the team where they can be.
func (k *mattermostChecker) joining(ctx context.Context, g *v1alpha1.Group, channel string) {
	if g.Status.Effective.Join == v1alpha1.JoinOpen && g.Status.Effective.Visibility != v1alpha1.VisibilityPrivate {
		return
	}
	who := k.person(ctx, stranger)
	_, _, err := who.AddChannelMember(ctx, channel, who.id)
	k.expect(err != nil, "%s: a stranger can't come in", g.Name)
}

// posting checks with people's own accounts that those who may write can, and
// that the status says so where others can too: without a licence, a channel
// can't be for its managers to write in.
func (k *mattermostChecker) posting(ctx context.Context, g *v1alpha1.Group, channel string) {
	for _, role := range []v1alpha1.Role{v1alpha1.RoleMember, v1alpha1.RoleManager} {
		person := somebody(g, role)
		if person == "" {
			continue
		}
		_, _, err := k.person(ctx, person).CreatePost(ctx, &model.Post{ChannelId: channel, Message: "Hello from the check."})
		k.expect(err == nil, "%s: %s can write: %v", g.Name, person, err)
	}
	if g.Status.Effective.Moderation.Posting == v1alpha1.AudienceMembers {
		return
	}
	enforced := meta.FindStatusCondition(g.Status.Conditions, v1alpha1.ConditionModerationEnforced)
	k.expect(enforced != nil && slices.Contains(strings.FieldsFunc(enforced.Message, notALetter), "posting"),
		"%s: the condition says that everybody can write on Mattermost", g.Name)
}

func notALetter(r rune) bool { return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') }

// person is a client with somebody's own account.
func (k *mattermostChecker) person(ctx context.Context, name string) acting {
	if who, ok := k.people[name]; ok {
		return who
	}
	account, err := k.server.CreatePerson(ctx, name, Password, display(name))
	k.expect(err == nil, "%s can log in: %v", name, err)
	who := acting{Client4: k.server.Client(account.Token), id: account.ID}
	k.people[name] = who
	return who
}

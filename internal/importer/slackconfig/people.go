// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package slackconfig

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/cabildo-dev/cabildo/internal/importer"
)

// people knows the username of everybody who may become a member.
type people struct {
	usernames map[string]string // by the name in the files
}

// people finds a username for each name that is used, and reports the names
// that have none: whoever can't be told apart from somebody else is left out,
// since a wrong guess would let a stranger in.
func (c *converter) people() people {
	users := map[string]User{}
	for _, u := range c.config.Users {
		users[u.Name.Name] = u
	}
	used := c.usedNames()

	candidates := map[string][]User{} // by username
	for _, name := range slices.Sorted(maps.Keys(used)) {
		user, mapped := users[name]
		switch candidate := importer.Username(name); {
		case !mapped:
			c.report(importer.Finding{
				Outcome: importer.LeftOut, Kind: "Person", Name: name, Position: used[name],
				What: "a person without an entry in users.yaml",
				Why:  "The name may be misspelt, and whoever has an account of that name would be let in.",
				Do:   "Find out who is meant, and add them to spec.members of the Groups.",
			})
		case candidate == "":
			c.report(importer.Finding{
				Outcome: importer.LeftOut, Kind: "Person", Name: name, Position: user.Position,
				What: "a name that can't be a username",
				Why:  "Usernames have letters without accents, digits, dots, hyphens and underscores; a guess could be somebody else's name.",
				Do:   "Find out the person's username, and add it to spec.members of the Groups.",
			})
		default:
			candidates[candidate] = append(candidates[candidate], user)
		}
	}

	p := people{usernames: map[string]string{}}
	for _, candidate := range slices.Sorted(maps.Keys(candidates)) {
		for _, user := range c.withoutDoubt(candidate, candidates[candidate]) {
			p.usernames[user.Name.Name] = candidate
			if candidate != user.Name.Name {
				c.report(importer.Finding{
					Outcome: importer.Changed, Kind: "Person", Name: user.Name.Name, Position: user.Position,
					What:   "the name of a person",
					Detail: candidate,
					Why:    "Usernames are in lower case and without spaces on the platforms; a space becomes a dot.",
					Do:     "See that this is the person's account, and correct spec.members where it is not.",
				})
			}
		}
	}
	c.reportUsers(used)
	return p
}

// usedNames are the names that a user group or a channel refers to, each with
// the first place.
func (c *converter) usedNames() map[string]importer.Position {
	used := map[string]importer.Position{}
	note := func(names []Name) {
		for _, n := range names {
			if _, ok := used[n.Name]; !ok {
				used[n.Name] = n.Position
			}
		}
	}
	for _, g := range c.config.UserGroups {
		if !g.External {
			note(g.Members)
		}
	}
	for _, ch := range c.config.Channels {
		if !ch.Archived {
			note(ch.Moderators)
		}
	}
	return used
}

// withoutDoubt returns those of the users with the same username who are
// surely meant by it: all of them when they are one Slack account, and else
// the one who is called exactly that.
func (c *converter) withoutDoubt(candidate string, users []User) []User {
	one := true
	for _, u := range users {
		one = one && u.ID == users[0].ID
	}
	if one {
		return users
	}
	var sure []User
	for _, u := range users {
		if u.Name.Name == candidate {
			sure = append(sure, u)
			continue
		}
		c.report(importer.Finding{
			Outcome: importer.LeftOut, Kind: "Person", Name: u.Name.Name, Position: u.Position,
			What:   "a name that differs from somebody else's only in case or spaces",
			Detail: "both would be " + candidate,
			Why:    "Usernames do not tell the two apart, and one would be let in for the other.",
			Do:     "Find out the person's username, and add it to spec.members of the Groups.",
		})
	}
	return sure
}

// reportUsers says what became of the mappings themselves.
func (c *converter) reportUsers(used map[string]importer.Position) {
	byID := map[string][]User{}
	for _, u := range c.config.Users {
		byID[u.ID] = append(byID[u.ID], u)
		if _, ok := used[u.Name.Name]; ok {
			c.report(importer.Finding{
				Outcome: importer.LeftOut, Kind: "User", Name: u.Name.Name, Position: u.Position,
				What: "the Slack user ID of a person",
				Why:  "A username stands for the person, and the Platform's accounts say which account that is.",
				Do:   "See that the usernames are accounts, or set spec.accounts of the Platform.",
			})
			continue
		}
		c.report(importer.Finding{
			Outcome: importer.LeftOut, Kind: "User", Name: u.Name.Name, Position: u.Position,
			What: "the mapping of somebody who is in no user group",
			Why:  "Nothing refers to it, so there is nothing to declare.",
			Do:   "Nothing; add the person to spec.members of the Community if they should be there.",
		})
	}
	for _, id := range slices.Sorted(maps.Keys(byID)) {
		users := byID[id]
		if len(users) < 2 {
			continue
		}
		names := make([]string, len(users))
		for i, u := range users {
			names[i] = u.Name.Name
		}
		c.report(importer.Finding{
			Outcome: importer.Check, Kind: "User", Name: users[0].Name.Name, Position: users[0].Position,
			What:   "several names for one Slack account",
			Detail: fmt.Sprintf("%s are all %s", strings.Join(names, " and "), id),
			Why:    "It is one person, who would be two members under two usernames.",
			Do:     "Find out which name is the username, and use that one everywhere in spec.members.",
		})
	}
}

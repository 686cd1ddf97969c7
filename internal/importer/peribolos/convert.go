// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package peribolos

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/internal/importer"
)

// Convert makes a Community of an organisation with a Group for each team, and
// a finding for everything that they can't say. Where the options name no
// community, it has the name of the organisation.
func Convert(org *Org, options importer.Options) (*importer.Result, error) {
	options.Community = cmp.Or(options.Community, strings.ToLower(org.Name.Name))
	if err := options.Validate(); err != nil {
		return nil, err
	}
	c := &converter{org: org, options: options, groups: map[string]*v1alpha1.Group{}, own: map[string]importer.Roles{}}
	c.result.Source = "peribolos"
	c.convert()
	c.result.Sort()
	return &c.result, nil
}

type converter struct {
	org     *Org
	options importer.Options
	handles importer.Handles
	result  importer.Result

	// people are everybody in the organisation.
	people importer.Roles
	// groups, and the people whom the team itself names, by the team's name.
	groups map[string]*v1alpha1.Group
	own    map[string]importer.Roles
}

func (c *converter) report(findings ...importer.Finding) {
	c.result.Findings = append(c.result.Findings, findings...)
}

func (c *converter) convert() {
	c.people = c.roles([]office{{"admin", c.org.Admins, v1alpha1.RoleManager}, {"member", c.org.Members, v1alpha1.RoleMember}}, "of the organisation")
	for _, admin := range c.org.Admins {
		c.report(importer.Finding{
			Outcome: importer.Check, Kind: "Person", Name: admin.Name, Position: admin.Position,
			What: "an admin of the organisation, who is a manager of the Community",
			Why:  "Admins are often bots, or people who look after GitHub alone.",
			Do:   "Take out of spec.members of the Community who should not manage it.",
		})
	}

	var wanted []importer.Wanted
	c.walk(c.org.Teams, false, func(t Team, _ bool) { wanted = append(wanted, importer.Wanted{Name: t.Name}) })
	addresses, findings := importer.Addresses("Team", wanted)
	c.report(findings...)
	nested := 0
	c.walk(c.org.Teams, false, func(t Team, below bool) {
		if below {
			nested++
		}
		c.own[t.Name.Name] = c.inTheOrganisation(t)
		c.reportRest(t)
		if address, ok := addresses[t.Name.Name]; ok {
			c.groups[t.Name.Name] = c.group(t, address, below)
			return
		}
		c.reportPeopleOfNothing(t)
	})
	members := 0
	c.walk(c.org.Teams, false, func(t Team, _ bool) {
		if g := c.groups[t.Name.Name]; g != nil {
			g.Spec.Members = c.members(t, g.Name)
			members += len(g.Spec.Members)
			c.result.Objects = append(c.result.Objects, g)
		}
	})
	community := c.community()
	c.reportOrg()
	c.report(c.handles.Findings()...)

	c.result.Read = []importer.Count{
		{Name: "admins", Count: len(c.org.Admins)},
		{Name: "members", Count: len(c.org.Members)},
		{Name: "teams", Count: len(wanted)},
		{Name: "teams below others", Count: nested},
	}
	c.result.Made = []importer.Count{
		{Name: "Community", Count: 1},
		{Name: "Groups", Count: len(c.groups)},
		{Name: "items in the members of the Community", Count: len(community.Spec.Members)},
		{Name: "items in the members of Groups", Count: members},
	}
	c.result.Objects = append(c.result.Objects, community)
}

// walk goes through the teams, each before those below it.
func (c *converter) walk(teams []Team, below bool, visit func(t Team, below bool)) {
	for _, t := range teams {
		visit(t, below)
		c.walk(t.Teams, true, visit)
	}
}

// office is a list of people with what they are.
type office struct {
	name  string
	names []importer.Name
	role  v1alpha1.Role
}

// roles gives people the highest of their roles.
func (c *converter) roles(offices []office, where string) importer.Roles {
	roles := importer.Roles{}
	for _, o := range offices {
		for _, n := range o.names {
			username := c.handles.Username(n, o.name+" "+where)
			if username == "" {
				continue
			}
			if was, twice := roles[username]; twice {
				c.report(importer.Finding{
					Outcome: importer.Changed, Kind: "Person", Name: n.Name, Position: n.Position,
					What: "a person who is named twice", Detail: fmt.Sprintf("%s %s, and %s already", o.name, where, was),
					Why: "A person has one role in a space, the highest.",
					Do:  "Nothing, or take one of the two out of the source.",
				})
			}
			roles.Add(username, o.role)
		}
	}
	return roles
}

// inTheOrganisation are the people of a team, without those who are not in its
// organisation: GitHub has none, so it is a mistake or somebody who left.
func (c *converter) inTheOrganisation(t Team) importer.Roles {
	offices := []office{{"maintainer", t.Maintainers, v1alpha1.RoleManager}, {"member", t.Members, v1alpha1.RoleMember}}
	for i, o := range offices {
		offices[i].names = slices.DeleteFunc(slices.Clone(o.names), func(n importer.Name) bool {
			if _, known := c.people[strings.ToLower(n.Name)]; known || n.Name == "" {
				return false
			}
			c.report(importer.Finding{
				Outcome: importer.LeftOut, Kind: "Person", Name: n.Name, Position: n.Position,
				What: "a person of a team who is not in the organisation", Detail: o.name + " of team " + t.Name.Name,
				Why: "A team has people of its organisation alone; this may be a mistake, or somebody who left.",
				Do:  "Correct the source and import again.",
			})
			return true
		})
	}
	return c.roles(offices, "of team "+t.Name.Name)
}

func (c *converter) group(t Team, address importer.Address, below bool) *v1alpha1.Group {
	g := c.options.NewGroup(address)
	g.Spec.Purpose = c.purpose(t)
	privacy := t.Privacy.Name
	if privacy == "" {
		privacy = secret
		if below || len(t.Teams) > 0 {
			privacy = closed
		}
		c.report(importer.Finding{
			Outcome: importer.Check, Kind: "Team", Name: t.Name.Name, Position: t.Position,
			What: "a team without privacy", Detail: privacy,
			Why: "GitHub takes it for secret when it stands alone, and for closed when it is above or below another.",
			Do:  "See that visibility and join of the Group are right.",
		})
	}
	if privacy == secret {
		g.Spec.Visibility, g.Spec.Join = v1alpha1.VisibilityPrivate, v1alpha1.JoinInvite
	} else {
		g.Spec.Join = v1alpha1.JoinRequest
	}
	return g
}

func (c *converter) purpose(t Team) string {
	purpose, cut := importer.Purpose(t.Description)
	if cut {
		c.report(importer.Finding{
			Outcome: importer.Changed, Kind: "Team", Name: t.Name.Name, Position: t.Position,
			What: fmt.Sprintf("a description of more than %d characters, cut", importer.MaxPurpose),
			Why:  "It becomes the topic, and platforms have no room for more.",
			Do:   "Write a shorter one into spec.purpose of the Group.",
		})
	}
	if purpose != "" {
		return purpose
	}
	purpose, _ = importer.Purpose("Team " + t.Name.Name + " of " + cmp.Or(c.org.Title, c.org.Name.Name))
	c.report(importer.Finding{
		Outcome: importer.Check, Kind: "Team", Name: t.Name.Name, Position: t.Position,
		What: "a team without a description", Detail: purpose,
		Why: "The source does not say what the team is for, and its name alone is the purpose.",
		Do:  "Say it in spec.purpose of the Group; it becomes the topic.",
	})
	return purpose
}

// members are the team's own people and those of the teams below it, who are
// members of it on GitHub too, whatever they are in theirs.
func (c *converter) members(t Team, group string) []v1alpha1.MemberSource {
	roles := importer.Roles{}
	for person, role := range c.own[t.Name.Name] {
		roles.Add(person, role)
	}
	var below []v1alpha1.MemberSource
	var gather func(teams []Team)
	gather = func(teams []Team) {
		for _, child := range teams {
			if g := c.groups[child.Name.Name]; g != nil {
				below = append(below, source(g))
				continue
			}
			for person := range c.own[child.Name.Name] {
				roles.Add(person, v1alpha1.RoleMember)
			}
			gather(child.Teams)
		}
	}
	gather(t.Teams)
	sortSources(below)
	sources, findings := importer.Fit(append(below, roles.Sources()...), "Group", group)
	c.report(findings...)
	return sources
}

func source(g *v1alpha1.Group) v1alpha1.MemberSource {
	return v1alpha1.MemberSource{Group: &v1alpha1.LocalReference{Name: g.Name}}
}

func sortSources(sources []v1alpha1.MemberSource) {
	slices.SortFunc(sources, func(a, b v1alpha1.MemberSource) int { return cmp.Compare(a.Group.Name, b.Group.Name) })
}

func (c *converter) community() *v1alpha1.Community {
	community := c.options.NewCommunity(c.org.Title)
	var cut bool
	community.Spec.Purpose, cut = importer.Purpose(c.org.Description)
	what := "objectives and sponsor are missing"
	if community.Spec.Purpose == "" {
		what = "purpose, objectives and sponsor are missing"
	}
	if cut {
		what = "the purpose was cut, and objectives and sponsor are missing"
	}
	c.report(c.options.GrantFinding(), importer.Finding{
		Outcome: importer.Check, Kind: "Community", Name: c.options.Community, Position: c.org.Position,
		What: what,
		Why:  "An organisation on GitHub does not say what the community wants to reach and who answers for it.",
		Do:   "Fill in what is missing of spec.purpose, spec.objectives and spec.sponsor; a policy may require them.",
	})
	if community.Spec.DisplayName != c.org.Title {
		c.report(importer.Finding{
			Outcome: importer.Changed, Kind: "Community", Name: c.options.Community, Position: c.org.Position,
			What: "the name of the organisation", Detail: community.Spec.DisplayName,
			Why: "What is shown is one line of visible text, 64 characters at most.",
			Do:  "Set spec.displayName of the Community if another name is better.",
		})
	}
	sources, findings := importer.Fit(c.fewer(), "Community", c.options.Community)
	c.report(findings...)
	community.Spec.Members = sources
	return community
}

// fewer lists the people of the organisation. Where a list has no room for all
// of them, those who are in a team come through its Group: the Group first
// through which most come who are not there yet.
func (c *converter) fewer() []v1alpha1.MemberSource {
	single := importer.Roles{}
	for person, role := range c.people {
		single.Add(person, role)
	}
	var through []v1alpha1.MemberSource
	for len(single)+len(through) > importer.MaxMembers {
		var best string
		most := 1 // a Group takes the place of one person itself
		c.walk(c.org.Teams, false, func(t Team, _ bool) {
			if g := c.groups[t.Name.Name]; g != nil {
				if n := c.spared(single, t); n > most || n == most && best != "" && t.Name.Name < best {
					best, most = t.Name.Name, n
				}
			}
		})
		if best == "" {
			break
		}
		g := c.groups[best]
		through = append(through, source(g))
		for _, s := range g.Spec.Members {
			if single[s.Person] == v1alpha1.RoleMember {
				delete(single, s.Person)
			}
		}
		c.report(importer.Finding{
			Outcome: importer.Changed, Kind: "Team", Name: best,
			What:   "a team through which people are members of the Community",
			Detail: fmt.Sprintf("Group %s, %d people", g.Name, most),
			Why:    fmt.Sprintf("A list of members has %d items at most, and the organisation has more people.", importer.MaxMembers),
			Do:     "Before somebody is taken out of that Group alone, name them in spec.members of the Community.",
		})
	}
	sortSources(through)
	return append(through, single.Sources()...)
}

// spared is how many people need not be listed when the Group of a team is.
func (c *converter) spared(single importer.Roles, t Team) int {
	n := 0
	for _, s := range c.groups[t.Name.Name].Spec.Members {
		if single[s.Person] == v1alpha1.RoleMember {
			n++
		}
	}
	return n
}

// reportRest reports what a team has that no Group can say.
func (c *converter) reportRest(t Team) {
	for _, n := range t.Previously {
		c.report(importer.Finding{
			Outcome: importer.LeftOut, Kind: "Team", Name: t.Name.Name, Position: n.Position,
			What: "a name that a team had before", Detail: n.Name,
			Why: "There is no space of that name yet to be renamed.",
			Do:  "Nothing.",
		})
	}
	for _, n := range t.Repos {
		c.report(importer.Finding{
			Outcome: importer.LeftOut, Kind: "Team", Name: t.Name.Name, Position: n.Position,
			What: "what a team may do in a repository", Detail: n.Name,
			Why: "Cabildo gives roles in spaces, and none in repositories.",
			Do:  "Keep it with Peribolos.",
		})
	}
}

// reportPeopleOfNothing says who would have been in a team that was left out.
func (c *converter) reportPeopleOfNothing(t Team) {
	for _, n := range slices.Concat(t.Maintainers, t.Members) {
		c.report(importer.Finding{
			Outcome: importer.LeftOut, Kind: "Person", Name: n.Name, Position: n.Position,
			What: "a person of a team that was left out", Detail: "of team " + t.Name.Name,
			Why: "The team has no Group of its own; the Group of a team above it has its people all the same.",
			Do:  "See what is said of the team.",
		})
	}
}

func (c *converter) reportOrg() {
	for _, n := range c.org.Settings {
		c.report(importer.Finding{
			Outcome: importer.LeftOut, Kind: "Organisation", Name: n.Name, Position: n.Position,
			What: "a setting of the organisation on GitHub",
			Why:  "It says nothing about spaces on a chat platform.",
			Do:   "Keep it with Peribolos.",
		})
	}
	for _, n := range c.org.Repos {
		c.report(importer.Finding{
			Outcome: importer.LeftOut, Kind: "Repository", Name: n.Name, Position: n.Position,
			What: "a repository of the organisation",
			Why:  "Cabildo has spaces, and no repositories.",
			Do:   "Keep it with Peribolos.",
		})
	}
	for _, name := range c.org.Others {
		c.report(importer.Finding{
			Outcome: importer.LeftOut, Kind: "Organisation", Name: name, Position: importer.Position{File: name},
			What: "another organisation in the folder",
			Why:  "Each organisation is a Community of its own, in a namespace of its own: teams of two may have one name.",
			Do:   "Import it with --org into another namespace.",
		})
	}
	for _, name := range c.org.Unread {
		c.report(importer.Finding{
			Outcome: importer.Check, Kind: "File", Name: name, Position: importer.Position{File: name},
			What: "a file that was not read",
			Why:  "The format is in files of the organisation's folder whose names end in .yaml.",
			Do:   "Rename or move it if it belongs to the organisation, and import again.",
		})
	}
}

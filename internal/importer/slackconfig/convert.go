// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package slackconfig

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/internal/importer"
)

// Options say what the files do not.
type Options = importer.Options

// Convert makes a Community with a Group for each active channel, and a
// finding for everything that they can't say.
func Convert(config *Config, options Options) (*importer.Result, error) {
	if err := options.Validate(); err != nil {
		return nil, err
	}
	c := &converter{config: config, options: options}
	c.result.Source = "slack-config"
	c.convert()
	c.result.Sort()
	return &c.result, nil
}

type converter struct {
	config  *Config
	options Options
	result  importer.Result
}

func (c *converter) report(f importer.Finding) { c.result.Findings = append(c.result.Findings, f) }

func (c *converter) convert() {
	people := c.people()
	groups := c.groups()
	members := c.members(people, groups)
	community := c.community(members.everybody)
	c.template(community, groups)
	for _, g := range groups {
		g.Spec.Members = c.sources(members.of[g], "Group", g.Name)
	}
	c.reportRest()

	c.result.Objects = append(c.result.Objects, community)
	for _, g := range groups {
		c.result.Objects = append(c.result.Objects, g)
	}
	c.count(groups, members)
}

// groups makes a Group for each active channel.
func (c *converter) groups() map[string]*v1alpha1.Group {
	var channels []importer.Wanted
	for _, ch := range c.config.Channels {
		if ch.ID != "" {
			c.report(importer.Finding{
				Outcome: importer.LeftOut, Kind: "Channel", Name: ch.Name.Name, Position: ch.Position,
				What:   "the Slack ID of a channel",
				Detail: ch.ID,
				Why:    "It says which channel is meant when it is renamed; in Cabildo that is the Group's metadata.name.",
				Do:     "Nothing; keep it if messages are to be moved from Slack later.",
			})
		}
		if ch.Archived {
			c.report(importer.Finding{
				Outcome: importer.LeftOut, Kind: "Channel", Name: ch.Name.Name, Position: ch.Position,
				What: "an archived channel",
				Why:  "A Group is a space that is open; there is none to declare.",
				Do:   "Nothing; do not give a new Group the name while the old space keeps it on the platform.",
			})
			continue
		}
		channels = append(channels, importer.Wanted{Name: ch.Name})
	}
	addresses, findings := importer.Addresses("Channel", channels)
	c.result.Findings = append(c.result.Findings, findings...)
	groups := map[string]*v1alpha1.Group{} // by the channel's name
	for name, address := range addresses {
		groups[name] = c.options.NewGroup(address)
	}
	return groups
}

// membership is who is in which Group, with which role.
type membership struct {
	of        map[*v1alpha1.Group]importer.Roles
	everybody importer.Roles
}

func (c *converter) members(people people, groups map[string]*v1alpha1.Group) membership {
	m := membership{of: map[*v1alpha1.Group]importer.Roles{}, everybody: importer.Roles{}}
	add := func(g *v1alpha1.Group, names []Name, role v1alpha1.Role) {
		for _, n := range names {
			person, ok := people.usernames[n.Name]
			if !ok {
				continue // reported by people
			}
			m.everybody.Add(person, v1alpha1.RoleMember)
			if g == nil {
				continue
			}
			if m.of[g] == nil {
				m.of[g] = importer.Roles{}
			}
			m.of[g].Add(person, role)
		}
	}
	archived := map[string]bool{}
	for _, ch := range c.config.Channels {
		archived[ch.Name.Name] = ch.Archived
		if g := groups[ch.Name.Name]; g != nil {
			add(g, ch.Moderators, v1alpha1.RoleModerator)
		}
	}
	for _, ug := range c.config.UserGroups {
		if ug.External {
			c.report(importer.Finding{
				Outcome: importer.LeftOut, Kind: "User group", Name: ug.Name.Name, Position: ug.Position,
				What: "a user group that another tool looks after",
				Why:  "The files do not say who is in it.",
				Do:   "Declare its people where that tool has them, for example through a Directory.",
			})
			continue
		}
		add(nil, ug.Members, v1alpha1.RoleMember)
		for _, ch := range ug.Channels {
			if g := groups[ch.Name]; g != nil {
				add(g, ug.Members, v1alpha1.RoleMember)
				continue
			}
			c.reportLink(ug, ch, archived)
		}
		c.reportHandle(ug)
	}
	return m
}

// reportLink says why the members of a user group are not in one of its channels.
func (c *converter) reportLink(ug UserGroup, ch Name, archived map[string]bool) {
	what, why, do := "a channel of a user group that is not declared",
		"There is no Group that its people could be members of.",
		"Correct the name in the source, and import again."
	if isArchived, declared := archived[ch.Name]; declared {
		what, do = "a channel of a user group that was left out", "See what is said of the channel above or below."
		if isArchived {
			what, do = "a channel of a user group that is archived", "Nothing, unless the channel should be open."
		}
	}
	c.report(importer.Finding{
		Outcome: importer.LeftOut, Kind: "User group", Name: ug.Name.Name, Position: ch.Position,
		What: what, Detail: "channel " + ch.Name, Why: why, Do: do,
	})
}

func (c *converter) reportHandle(ug UserGroup) {
	distinct := map[string]bool{}
	for _, n := range ug.Members {
		distinct[n.Name] = true
	}
	if len(ug.Channels) == 0 {
		c.report(importer.Finding{
			Outcome: importer.LeftOut, Kind: "User group", Name: ug.Name.Name, Position: ug.Position,
			What:   "a user group without channels",
			Detail: fmt.Sprintf("%s: %d people, who are members of the community alone", cmp.Or(ug.LongName, ug.Name.Name), len(distinct)),
			Why:    "Cabildo has members of spaces, and no handle that mentions people across them.",
			Do:     "Give its people a Group, or keep the handle with the platform.",
		})
		return
	}
	names := make([]string, len(ug.Channels))
	for i, ch := range ug.Channels {
		names[i] = ch.Name
	}
	slices.Sort(names)
	c.report(importer.Finding{
		Outcome: importer.Changed, Kind: "User group", Name: ug.Name.Name, Position: ug.Position,
		What:   "a user group: its people are members of the Groups of its channels",
		Detail: fmt.Sprintf("%s: %d people in %s", cmp.Or(ug.LongName, ug.Name.Name), len(distinct), strings.Join(names, ", ")),
		Why:    "Cabildo has members of spaces, and no handle that mentions people across them.",
		Do:     "Keep the handle with the platform if it is used to call people.",
	})
}

// sources lists people by name, and never more than the API takes.
func (c *converter) sources(roles importer.Roles, kind, name string) []v1alpha1.MemberSource {
	sources, findings := importer.Fit(roles.Sources(), kind, name)
	c.result.Findings = append(c.result.Findings, findings...)
	return sources
}

func (c *converter) community(everybody importer.Roles) *v1alpha1.Community {
	name := c.options.Community
	c.report(importer.Finding{
		Outcome: importer.Check, Kind: "Community", Name: name,
		What: "purpose, objectives and sponsor are missing",
		Why:  "The files do not say why the community exists and who answers for it.",
		Do:   "Fill in spec.purpose, spec.objectives and spec.sponsor; a policy may require them.",
	})
	c.report(c.options.GrantFinding())
	c.report(importer.Finding{
		Outcome: importer.Check, Kind: "Channel",
		What: "who may see and join",
		Why:  "The files have the public channels alone, so every Group keeps what is built in: visible to the organisation, open to join.",
		Do:   "Set visibility and join of the Community or of single Groups where it should be otherwise.",
	})
	community := c.options.NewCommunity("")
	community.Spec.Members = c.sources(everybody, "Community", name)
	return community
}

// template takes over what new channels start with.
func (c *converter) template(community *v1alpha1.Community, groups map[string]*v1alpha1.Group) {
	t := c.config.Template
	purpose := ""
	if t != nil {
		c.guidelines(community, t)
		purpose = strings.TrimSpace(cmp.Or(t.Purpose, t.Topic))
		if t.Purpose != "" && t.Topic != "" {
			c.report(importer.Finding{
				Outcome: importer.LeftOut, Kind: "Template", Name: "topic", Position: t.Position,
				What: "the topic beside the purpose",
				Why:  "A Group has one text that says what it is for, and the purpose is taken for it.",
				Do:   "Set spec.purpose of the Groups where the topic says it better.",
			})
		}
		if utf8.RuneCountInString(purpose) > importer.MaxPurpose {
			c.report(importer.Finding{
				Outcome: importer.LeftOut, Kind: "Template", Name: "purpose", Position: t.Position,
				What: fmt.Sprintf("a purpose of more than %d characters", importer.MaxPurpose),
				Why:  "Platforms have no room for more.",
				Do:   "Write a shorter one into spec.purpose of the Groups.",
			})
			purpose = ""
		}
	}
	if purpose == "" {
		c.report(importer.Finding{
			Outcome: importer.LeftOut, Kind: "Channel",
			What: "topics and purposes of the channels",
			Why:  "They are in Slack and not in the files.",
			Do:   "Fill in spec.purpose of the Groups; it becomes the topic.",
		})
	}
	for _, g := range groups {
		g.Spec.Purpose = purpose
	}
}

func (c *converter) guidelines(community *v1alpha1.Community, t *Template) {
	var pins []string
	for _, pin := range t.Pins {
		if pin = strings.TrimSpace(pin); pin != "" {
			pins = append(pins, pin)
		}
	}
	text := strings.Join(pins, "\n\n")
	switch {
	case text == "":
	case utf8.RuneCountInString(text) > importer.MaxGuidelines:
		c.report(importer.Finding{
			Outcome: importer.LeftOut, Kind: "Template", Name: "pins", Position: t.Position,
			What: fmt.Sprintf("pinned messages of more than %d characters", importer.MaxGuidelines),
			Why:  "They would be the guidelines, which have no room for more.",
			Do:   "Write shorter guidelines into spec.guidelines of the Community.",
		})
	default:
		community.Spec.Guidelines = &v1alpha1.Guidelines{Text: text}
		c.report(importer.Finding{
			Outcome: importer.Changed, Kind: "Template", Name: "pins", Position: t.Position,
			What:   "the pinned messages of new channels, as guidelines of the community",
			Detail: "messages: " + strconv.Itoa(len(pins)),
			Why:    "A new channel got them once; guidelines are pinned in the community and in every group, and kept up to date.",
			Do:     "See that channels and addresses that the text names are right on the platform.",
		})
	}
}

// reportRest reports what has no counterpart at all.
func (c *converter) reportRest() {
	for _, r := range c.config.Restrictions {
		c.report(importer.Finding{
			Outcome: importer.LeftOut, Kind: "Restriction", Name: r.Path, Position: r.Position,
			What:   "which file may declare what",
			Detail: describeRestriction(r),
			Why:    "Cabildo delegates by namespace and not by file: a Platform's access says which names a namespace may take.",
			Do:     "Guard the manifests with code owners, or give those who look after a file a community in a namespace of their own.",
		})
	}
	for _, name := range c.config.Unread {
		c.report(importer.Finding{
			Outcome: importer.Check, Kind: "File", Name: name, Position: importer.Position{File: name},
			What: "a file that was not read",
			Why:  "The format is in files whose names end in .yaml.",
			Do:   "Rename it if it belongs to the configuration, and import again.",
		})
	}
}

func describeRestriction(r Restriction) string {
	var may []string
	if r.Users {
		may = append(may, "users")
	}
	if r.Template {
		may = append(may, "the template")
	}
	if len(r.Channels) > 0 {
		may = append(may, "channels "+strings.Join(r.Channels, " "))
	}
	if len(r.UserGroups) > 0 {
		may = append(may, "user groups "+strings.Join(r.UserGroups, " "))
	}
	if len(may) == 0 {
		return "nothing"
	}
	return strings.Join(may, ", ")
}

func (c *converter) count(groups map[string]*v1alpha1.Group, m membership) {
	active, ids, links, memberships, people := 0, 0, 0, 0, map[string]bool{}
	for _, ch := range c.config.Channels {
		if ch.ID != "" {
			ids++
		}
		if !ch.Archived {
			active++
		}
	}
	for _, ug := range c.config.UserGroups {
		links += len(ug.Channels)
		memberships += len(ug.Members)
		for _, n := range ug.Members {
			people[n.Name] = true
		}
	}
	c.result.Read = []importer.Count{
		{Name: "channels", Count: len(c.config.Channels)},
		{Name: "active channels", Count: active},
		{Name: "archived channels", Count: len(c.config.Channels) - active},
		{Name: "channels with an ID", Count: ids},
		{Name: "user groups", Count: len(c.config.UserGroups)},
		{Name: "links from user groups to channels", Count: links},
		{Name: "memberships of user groups", Count: memberships},
		{Name: "people in user groups", Count: len(people)},
		{Name: "user mappings", Count: len(c.config.Users)},
		{Name: "restrictions", Count: len(c.config.Restrictions)},
	}
	members := 0
	for _, roles := range m.of {
		members += min(len(roles), importer.MaxMembers)
	}
	c.result.Made = []importer.Count{
		{Name: "Community", Count: 1},
		{Name: "Groups", Count: len(groups)},
		{Name: "members of the Community", Count: min(len(m.everybody), importer.MaxMembers)},
		{Name: "Groups with members", Count: len(m.of)},
		{Name: "members of Groups", Count: members},
	}
}

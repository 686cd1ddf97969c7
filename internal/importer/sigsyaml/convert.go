// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package sigsyaml

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/internal/importer"
)

// Convert makes a Community with a Group for each group that is led, and a
// finding for everything that they can't say.
func Convert(config *Config, options importer.Options) (*importer.Result, error) {
	if err := options.Validate(); err != nil {
		return nil, err
	}
	c := &converter{config: config, options: options}
	c.result.Source = "sigs-yaml"
	c.convert()
	c.result.Sort()
	return &c.result, nil
}

type converter struct {
	config  *Config
	options importer.Options
	handles importer.Handles
	result  importer.Result
}

func (c *converter) report(findings ...importer.Finding) {
	c.result.Findings = append(c.result.Findings, findings...)
}

func (c *converter) convert() {
	var wanted []importer.Wanted
	for _, g := range c.config.Groups {
		c.reportRest(g)
		if c.active(g) {
			wanted = append(wanted, importer.Wanted{Name: g.Name, Display: displayName(g)})
		}
	}
	addresses, findings := importer.Addresses("Group", wanted)
	c.report(findings...)

	everybody := importer.Roles{}
	var managers int
	for _, g := range c.config.Groups {
		address, ok := addresses[g.Name.Name]
		if !ok {
			c.reportLeadsOfNothing(g)
			continue
		}
		group := c.options.NewGroup(address)
		group.Spec.Purpose = c.purpose(g)
		if g.Kind == Committee {
			group.Spec.Join = v1alpha1.JoinInvite
			c.report(importer.Finding{
				Outcome: importer.Check, Kind: "Group", Name: g.Name.Name, Position: g.Position,
				What: "a committee, which people join by invitation",
				Why:  "A committee has the members that were elected or appointed; the file does not say whether others may see it.",
				Do:   "Set visibility: Private where the committee works in confidence, or join: Open where everybody may come.",
			})
		}
		leads := c.leads(g)
		for person := range leads {
			everybody.Add(person, v1alpha1.RoleMember)
		}
		group.Spec.Members = c.fit(leads.Sources(), "Group", group.Name)
		managers += len(group.Spec.Members)
		c.result.Objects = append(c.result.Objects, group)
	}
	c.reportRepresentatives()
	c.report(c.handles.Findings()...)

	community := c.community(everybody)
	c.result.Made = []importer.Count{
		{Name: "Community", Count: 1},
		{Name: "Groups", Count: len(c.result.Objects)},
		{Name: "managers of Groups", Count: managers},
		{Name: "members of the Community", Count: len(community.Spec.Members)},
	}
	c.result.Objects = append(c.result.Objects, community)
	c.countRead()
}

// leads decides what the leadership of a group is in Cabildo's words: chairs
// and tech leads manage their own Group, and have no more than membership
// anywhere else. Leads emeriti are nothing. This is the one place to change if
// leads are to govern a community of their own.
func (c *converter) leads(g Group) importer.Roles {
	roles := importer.Roles{}
	for _, office := range []struct {
		name   string
		people []Person
	}{{"chair", g.Chairs}, {"tech lead", g.TechLeads}} {
		for _, p := range office.people {
			c.reportPerson(p, office.name+" of "+g.Name.Name)
			username := c.handles.Username(p.Name, office.name+" of "+g.Name.Name)
			if username == "" {
				continue
			}
			if _, twice := roles[username]; twice {
				c.report(importer.Finding{
					Outcome: importer.Changed, Kind: "Person", Name: p.Name.Name, Position: p.Position,
					What: "a lead who is named twice in one group", Detail: office.name + " of " + g.Name.Name,
					Why: "A person has one role in a Group.",
					Do:  "Nothing, where it is one person with two offices.",
				})
			}
			roles.Add(username, v1alpha1.RoleManager)
		}
	}
	for _, p := range g.Emeritus {
		c.report(importer.Finding{
			Outcome: importer.LeftOut, Kind: "Person", Name: p.Name.Name, Position: p.Position,
			What: "a lead emeritus", Detail: "of " + g.Name.Name,
			Why: "Who led a group before has no role in it.",
			Do:  "Nothing; add the person to spec.members of the Group if they should be there.",
		})
	}
	return roles
}

// retired is the folder that the files of groups go to that are no more.
const retired = "archive/"

func (c *converter) active(g Group) bool {
	why := "It has neither chairs nor tech leads, and nobody would look after its Group."
	switch {
	case strings.HasPrefix(g.Name.Name, retired):
		why = "Its folder is in " + retired + ", where groups go that are no more."
	case len(g.Chairs)+len(g.TechLeads) > 0:
		return true
	}
	c.report(importer.Finding{
		Outcome: importer.LeftOut, Kind: "Group", Name: g.Name.Name, Position: g.Position,
		What: "a " + string(g.Kind) + " that is not active", Why: why,
		Do: "Nothing; name a chair in the source and import again if the group goes on.",
	})
	return false
}

// reportLeadsOfNothing says who would have led a group that was left out.
func (c *converter) reportLeadsOfNothing(g Group) {
	for _, p := range slices.Concat(g.Chairs, g.TechLeads, g.Emeritus) {
		c.report(importer.Finding{
			Outcome: importer.LeftOut, Kind: "Person", Name: p.Name.Name, Position: p.Position,
			What: "a lead of a group that was left out", Detail: "of " + g.Name.Name,
			Why: "There is no Group that the person could manage.",
			Do:  "See what is said of the group.",
		})
	}
}

func (c *converter) reportPerson(p Person, office string) {
	if p.FullName == "" && p.Company == "" {
		return
	}
	detail := strings.Trim(p.FullName+", "+p.Company, ", ")
	c.report(importer.Finding{
		Outcome: importer.LeftOut, Kind: "Person", Name: p.Name.Name, Position: p.Position,
		What: "the name and the company of a lead", Detail: detail + "; " + office,
		Why: "A username stands for the person; who that is, the platform's account or a Directory says.",
		Do:  "Nothing.",
	})
}

func (c *converter) reportRepresentatives() {
	for _, p := range c.config.Representatives {
		c.report(importer.Finding{
			Outcome: importer.LeftOut, Kind: "Person", Name: p.Name.Name, Position: p.Position,
			What: "a representative on the governing board",
			Why:  "It is an office outside the groups, and gives no role in a space.",
			Do:   "Add a Group for the representatives if they should have a space.",
		})
	}
}

func displayName(g Group) string {
	switch g.Kind {
	case SIG:
		return "SIG " + g.Title
	case WorkingGroup:
		return "WG " + g.Title
	case UserGroup:
		return "UG " + g.Title
	default:
		return g.Title + " Committee"
	}
}

func (c *converter) purpose(g Group) string {
	purpose, cut := importer.Purpose(g.Mission)
	if cut {
		c.report(importer.Finding{
			Outcome: importer.Changed, Kind: "Group", Name: g.Name.Name, Position: g.Position,
			What: fmt.Sprintf("a mission statement of more than %d characters, cut", importer.MaxPurpose),
			Why:  "It becomes the topic, and platforms have no room for more.",
			Do:   "Write a shorter one into spec.purpose of the Group.",
		})
	}
	if purpose == "" {
		c.report(importer.Finding{
			Outcome: importer.Check, Kind: "Group", Name: g.Name.Name, Position: g.Position,
			What: "a group without a mission statement",
			Why:  "The file does not say what the group is for.",
			Do:   "Fill in spec.purpose of the Group; it becomes the topic.",
		})
	}
	return purpose
}

func (c *converter) fit(sources []v1alpha1.MemberSource, kind, name string) []v1alpha1.MemberSource {
	sources, findings := importer.Fit(sources, kind, name)
	c.report(findings...)
	return sources
}

func (c *converter) community(everybody importer.Roles) *v1alpha1.Community {
	name := c.options.Community
	c.report(c.options.GrantFinding(), importer.Finding{
		Outcome: importer.Check, Kind: "Community", Name: name,
		What: "purpose, objectives and sponsor are missing",
		Why:  "The file does not say why the community exists and who answers for it.",
		Do:   "Fill in spec.purpose, spec.objectives and spec.sponsor; a policy may require them.",
	}, importer.Finding{
		Outcome: importer.Check, Kind: "Group",
		What: "who may see and join",
		Why:  "The file does not say it, so every Group but a committee's keeps what is built in: visible to the organisation, open to join.",
		Do:   "Set visibility and join of the Community or of single Groups where it should be otherwise.",
	})
	community := c.options.NewCommunity("")
	community.Spec.Members = c.fit(everybody.Sources(), "Community", name)
	return community
}

// reportRest reports what a group has that no Group can say.
func (c *converter) reportRest(g Group) {
	leftOut := func(kind string, names []importer.Name, what, why, do string) {
		for _, n := range names {
			if n.Name == "" && n.Line == 0 {
				continue
			}
			c.report(importer.Finding{
				Outcome: importer.LeftOut, Kind: kind, Name: n.Name, Position: n.Position,
				What: what, Detail: "of " + g.Name.Name, Why: why, Do: do,
			})
		}
	}
	one := func(n importer.Name) []importer.Name { return []importer.Name{n} }
	leftOut("Group", one(g.Charter), "a charter", "A Group has no field for documents.", "Link it in spec.guidelines of the Group.")
	leftOut("Group", one(g.Label), "a label for issues", "It is for another tool.", "Nothing.")
	leftOut("Group", g.StakeholderSIGs, "a SIG that has a stake in a working group", "It gives nobody a role.", "Nothing; name the SIG's Group in spec.members of the working group's if its people should be there.")
	leftOut("Meeting", g.Meetings, "a meeting", "Cabildo has spaces, and no calendar.", "Keep it in the calendar; pin it with spec.guidelines of the Group if people look for it there.")
	leftOut("Contact", one(g.Slack), "a Slack channel", "The Group has a space of its own.", "Import the slack-config if the channels are to come along.")
	leftOut("Contact", one(g.MailingList), "a mailing list", "Cabildo has spaces on chat platforms.", "Keep it with its provider.")
	leftOut("Contact", one(g.PrivateMailingList), "a private mailing list", "Cabildo has spaces on chat platforms.", "Keep it with its provider.")
	leftOut("Contact", g.Teams, "a GitHub team", "The file does not say who is in it.", "Import the peribolos configuration of the organisation.")
	if g.Liaison != nil {
		leftOut("Person", one(g.Liaison.Name), "a liaison of the steering committee", "It is not an office in the group, and gives no role in its Group.", "Add the person to spec.members of the Group if they should be there.")
	}
	for _, s := range g.Subprojects {
		c.report(importer.Finding{
			Outcome: importer.LeftOut, Kind: "Subproject", Name: s.Name.Name, Position: s.Position,
			What:   "a subproject",
			Detail: strings.Join(append([]string{fmt.Sprintf("of %s, with %d files of owners", g.Name.Name, len(s.Owners))}, s.Contacts...), "; "),
			Why:    "It is code with owners; the file does not say that it has a space.",
			Do:     "Add a Group by hand for a subproject that needs one.",
		})
		for _, p := range s.Leads {
			leftOut("Person", one(p.Name), "a lead of a subproject", "A subproject has no Group that the person could manage.", "Add the person to spec.members of a Group if they should be there.")
		}
	}
}

func (c *converter) countRead() {
	kinds := map[Kind]int{}
	people := map[string]bool{}
	var active, emeritus, subprojects int
	for _, g := range c.config.Groups {
		kinds[g.Kind]++
		active += len(g.Chairs) + len(g.TechLeads)
		emeritus += len(g.Emeritus)
		subprojects += len(g.Subprojects)
		for _, p := range slices.Concat(g.Chairs, g.TechLeads) {
			people[strings.ToLower(p.Name.Name)] = true
		}
	}
	c.result.Read = []importer.Count{
		{Name: "SIGs", Count: kinds[SIG]},
		{Name: "working groups", Count: kinds[WorkingGroup]},
		{Name: "user groups", Count: kinds[UserGroup]},
		{Name: "committees", Count: kinds[Committee]},
		{Name: "active leads", Count: active},
		{Name: "people among them", Count: len(people)},
		{Name: "leads emeriti", Count: emeritus},
		{Name: "subprojects", Count: subprojects},
	}
}

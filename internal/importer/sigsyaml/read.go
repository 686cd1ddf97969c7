// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package sigsyaml

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"go.yaml.in/yaml/v3"

	"github.com/cabildo-dev/cabildo/internal/importer"
	"github.com/cabildo-dev/cabildo/internal/importer/strictyaml"
)

// ReadFile reads a file.
func ReadFile(path string) (*Config, error) {
	content, err := os.ReadFile(path) //nolint:gosec // whoever calls names the file
	if err != nil {
		return nil, fmt.Errorf("reading sigs.yaml: %w", err)
	}
	return Read(filepath.Base(path), content)
}

// Read reads the content of a file. What it does not understand is an error
// that names file and line, and all errors come together.
func Read(name string, content []byte) (*Config, error) {
	r := &strictyaml.Reader{}
	f := &file{File: r.File(name), config: &Config{}}
	f.Document(content, strictyaml.Fields{
		"sigs":          f.List(f.group(SIG)),
		"workinggroups": f.List(f.group(WorkingGroup)),
		"usergroups":    f.List(f.group(UserGroup)),
		"committees":    f.List(f.group(Committee)),
		"gb_rep": func(what string, n *yaml.Node) {
			f.config.Representatives = append(f.config.Representatives, f.person(what, n))
		},
	})
	if err := r.Err(); err != nil {
		return nil, err
	}
	if len(f.config.Groups) == 0 {
		return nil, errors.New(name + ": no sigs, workinggroups, usergroups or committees in the file: name the sigs.yaml of a community")
	}
	return f.config, nil
}

type file struct {
	*strictyaml.File

	config *Config
}

func (f *file) group(kind Kind) func(*yaml.Node) {
	return func(n *yaml.Node) {
		g := Group{Name: importer.Name{Position: f.At(n)}, Kind: kind}
		f.Mapping(n, "a "+string(kind), strictyaml.Fields{
			"dir":               f.Text(&g.Name.Name),
			"name":              f.Text(&g.Title),
			"mission_statement": f.OptionalText(&g.Mission),
			"charter_link":      f.Noted(&g.Charter),
			"label":             f.Noted(&g.Label),
			"stakeholder_sigs":  f.Names(&g.StakeholderSIGs),
			"leadership": func(what string, n *yaml.Node) {
				f.Mapping(n, what, strictyaml.Fields{
					"chairs":         f.people(&g.Chairs),
					"tech_leads":     f.people(&g.TechLeads),
					"emeritus_leads": f.people(&g.Emeritus),
				})
			},
			"meetings":    f.List(f.meeting(&g)),
			"contact":     f.contact(&g),
			"subprojects": f.List(f.subproject(&g)),
		})
		if g.Name.Name == "" || g.Title == "" {
			f.Fail(g.Position, "a %s without dir or name: both say what it is called", kind)
			return
		}
		f.Declare("dir", g.Name.Name, g.Position)
		f.config.Groups = append(f.config.Groups, g)
	}
}

func (f *file) people(target *[]Person) strictyaml.Read {
	return func(what string, n *yaml.Node) {
		f.List(func(item *yaml.Node) {
			*target = append(*target, f.person("an item in "+what, item))
		})(what, n)
	}
}

func (f *file) person(what string, n *yaml.Node) Person {
	p := Person{Name: importer.Name{Position: f.At(n)}}
	f.Mapping(n, what, strictyaml.Fields{
		"github":  f.OptionalText(&p.Name.Name),
		"name":    f.OptionalText(&p.FullName),
		"company": f.OptionalText(&p.Company),
	})
	return p
}

func (f *file) meeting(g *Group) func(*yaml.Node) {
	return func(n *yaml.Node) {
		m := importer.Name{Position: f.At(n)}
		var other string
		f.Mapping(n, "a meeting", strictyaml.Fields{
			"description":    f.OptionalText(&m.Name),
			"day":            f.OptionalText(&other),
			"time":           f.OptionalText(&other),
			"tz":             f.OptionalText(&other),
			"frequency":      f.OptionalText(&other),
			"url":            f.OptionalText(&other),
			"archive_url":    f.OptionalText(&other),
			"recordings_url": f.OptionalText(&other),
			"calendar_url":   f.OptionalText(&other),
		})
		g.Meetings = append(g.Meetings, m)
	}
}

func (f *file) contact(g *Group) strictyaml.Read {
	return func(what string, n *yaml.Node) {
		f.Mapping(n, what, strictyaml.Fields{
			"slack":                f.Noted(&g.Slack),
			"mailing_list":         f.Noted(&g.MailingList),
			"private_mailing_list": f.Noted(&g.PrivateMailingList),
			"teams":                f.List(f.team(&g.Teams)),
			"liaison": func(what string, n *yaml.Node) {
				liaison := f.person(what, n)
				g.Liaison = &liaison
			},
		})
	}
}

func (f *file) team(target *[]importer.Name) func(*yaml.Node) {
	return func(n *yaml.Node) {
		team := importer.Name{Position: f.At(n)}
		var description string
		f.Mapping(n, "a team", strictyaml.Fields{
			"name":        f.Text(&team.Name),
			"description": f.OptionalText(&description),
		})
		*target = append(*target, team)
	}
}

func (f *file) subproject(g *Group) func(*yaml.Node) {
	return func(n *yaml.Node) {
		s := Subproject{Name: importer.Name{Position: f.At(n)}}
		var description string
		f.Mapping(n, "a subproject", strictyaml.Fields{
			"name":        f.Text(&s.Name.Name),
			"description": f.OptionalText(&description),
			"owners":      f.Texts(&s.Owners),
			"leads":       f.people(&s.Leads),
			"meetings":    f.List(f.meeting(g)),
			"contact": func(what string, n *yaml.Node) {
				var slack, list, private importer.Name
				var teams []importer.Name
				f.Mapping(n, what, strictyaml.Fields{
					"slack":                f.Noted(&slack),
					"mailing_list":         f.Noted(&list),
					"private_mailing_list": f.Noted(&private),
					"teams":                f.List(f.team(&teams)),
				})
				for _, contact := range append(teams, slack, list, private) {
					if contact.Name != "" {
						s.Contacts = append(s.Contacts, contact.Name)
					}
				}
			},
		})
		g.Subprojects = append(g.Subprojects, s)
	}
}

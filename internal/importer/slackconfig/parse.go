// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package slackconfig

import (
	"go.yaml.in/yaml/v3"

	"github.com/cabildo-dev/cabildo/internal/importer/strictyaml"
)

// file is one file that is being read.
type file struct {
	*strictyaml.File

	config *Config
}

func (r *reader) read(name string, content []byte) {
	f := &file{File: r.File(name), config: r.config}
	f.Document(content, strictyaml.Fields{
		"channels":         f.List(f.channel),
		"usergroups":       f.List(f.userGroup),
		"users":            f.users,
		"channel_template": f.template,
		"restrictions": func(what string, n *yaml.Node) {
			f.Declare("key", "restrictions", f.At(n))
			f.List(f.restriction)(what, n)
		},
	})
}

func (f *file) channel(n *yaml.Node) {
	c := Channel{Name: Name{Position: f.At(n)}}
	f.Mapping(n, "a channel", strictyaml.Fields{
		"name":       f.Text(&c.Name.Name),
		"id":         f.Text(&c.ID),
		"archived":   f.Bool(&c.Archived),
		"moderators": f.Names(&c.Moderators),
	})
	if c.Name.Name == "" {
		f.Fail(c.Position, "a channel without a name")
		return
	}
	f.Declare("channel", c.Name.Name, c.Position)
	if c.ID != "" {
		f.Declare("channel id", c.ID, c.Position)
	}
	f.config.Channels = append(f.config.Channels, c)
}

func (f *file) userGroup(n *yaml.Node) {
	g := UserGroup{Name: Name{Position: f.At(n)}}
	f.Mapping(n, "a user group", strictyaml.Fields{
		"name":        f.Text(&g.Name.Name),
		"long_name":   f.Text(&g.LongName),
		"description": f.Text(&g.Description),
		"channels":    f.Names(&g.Channels),
		"members":     f.Names(&g.Members),
		"external":    f.Bool(&g.External),
	})
	if g.Name.Name == "" {
		f.Fail(g.Position, "a user group without a name")
		return
	}
	f.Declare("user group", g.Name.Name, g.Position)
	f.config.UserGroups = append(f.config.UserGroups, g)
}

func (f *file) users(_ string, n *yaml.Node) {
	if strictyaml.IsNull(n) {
		return
	}
	n = strictyaml.Resolve(n)
	if n.Kind != yaml.MappingNode {
		f.Fail(f.At(n), "users must be a mapping from names to Slack user IDs, not %s", strictyaml.Describe(n))
		return
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		u := User{Name: Name{Position: f.At(n.Content[i])}}
		f.Text(&u.Name.Name)("a user's name", n.Content[i])
		f.Text(&u.ID)("a user's Slack user ID", n.Content[i+1])
		if u.Name.Name == "" {
			f.Fail(u.Position, "a user without a name")
			continue
		}
		f.Declare("user", u.Name.Name, u.Position)
		f.config.Users = append(f.config.Users, u)
	}
}

func (f *file) restriction(n *yaml.Node) {
	r := Restriction{Position: f.At(n)}
	f.Mapping(n, "a restriction", strictyaml.Fields{
		"path":       f.Text(&r.Path),
		"users":      f.Bool(&r.Users),
		"template":   f.Bool(&r.Template),
		"channels":   f.Texts(&r.Channels),
		"usergroups": f.Texts(&r.UserGroups),
	})
	if r.Path == "" {
		f.Fail(r.Position, "a restriction without a path")
		return
	}
	f.config.Restrictions = append(f.config.Restrictions, r)
}

func (f *file) template(_ string, n *yaml.Node) {
	if strictyaml.IsNull(n) {
		return
	}
	f.Declare("key", "channel_template", f.At(n))
	t := &Template{Position: f.At(n)}
	f.Mapping(n, "the channel template", strictyaml.Fields{
		"topic":   f.Text(&t.Topic),
		"purpose": f.Text(&t.Purpose),
		"pins":    f.Texts(&t.Pins),
	})
	f.config.Template = t
}

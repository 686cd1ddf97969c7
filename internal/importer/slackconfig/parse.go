// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package slackconfig

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/cabildo-dev/cabildo/internal/importer"
)

// The files are walked as YAML nodes rather than decoded into structs, because
// a report that sends people to a line needs the line of everything, and an
// error should speak of channels and keys, not of Go types.

// fields say how to read the value of each key that a mapping may have.
type fields map[string]readValue

// readValue reads a value; what names it, for errors.
type readValue func(what string, n *yaml.Node)

// file is one file that is being read.
type file struct {
	*reader

	name string
}

func (r *reader) read(name string, content []byte) {
	f := &file{reader: r, name: name}
	documents := yaml.NewDecoder(bytes.NewReader(content))
	for first := true; ; first = false {
		var document yaml.Node
		err := documents.Decode(&document)
		switch {
		case errors.Is(err, io.EOF):
			return
		case err != nil:
			f.syntax(err)
			return
		case !first:
			f.fail(f.at(&document), "a second YAML document: the format has one in each file")
			return
		}
		f.root(&document)
	}
}

var yamlLine = regexp.MustCompile(`^yaml: line (\d+): `)

// syntax moves the line number from the parser's message to where ours have it.
func (f *file) syntax(err error) {
	message, at := err.Error(), importer.Position{File: f.name}
	if match := yamlLine.FindStringSubmatch(message); match != nil {
		at.Line, _ = strconv.Atoi(match[1])
		message = strings.TrimPrefix(message, match[0])
	}
	f.fail(at, "not YAML: %s", strings.TrimPrefix(message, "yaml: "))
}

func (f *file) root(document *yaml.Node) {
	if len(document.Content) == 0 || isNull(document.Content[0]) {
		return // nothing but comments
	}
	f.mapping(document.Content[0], "the file", fields{
		"channels":         f.list(f.channel),
		"usergroups":       f.list(f.userGroup),
		"users":            f.users,
		"channel_template": f.template,
		"restrictions": func(what string, n *yaml.Node) {
			f.declare("key", "restrictions", f.at(n))
			f.list(f.restriction)(what, n)
		},
	})
}

func (f *file) channel(n *yaml.Node) {
	c := Channel{Name: Name{Position: f.at(n)}}
	f.mapping(n, "a channel", fields{
		"name":       f.string(&c.Name.Name),
		"id":         f.string(&c.ID),
		"archived":   f.bool(&c.Archived),
		"moderators": f.names(&c.Moderators),
	})
	if c.Name.Name == "" {
		f.fail(c.Position, "a channel without a name")
		return
	}
	f.declare("channel", c.Name.Name, c.Position)
	if c.ID != "" {
		f.declare("channel id", c.ID, c.Position)
	}
	f.config.Channels = append(f.config.Channels, c)
}

func (f *file) userGroup(n *yaml.Node) {
	g := UserGroup{Name: Name{Position: f.at(n)}}
	f.mapping(n, "a user group", fields{
		"name":        f.string(&g.Name.Name),
		"long_name":   f.string(&g.LongName),
		"description": f.string(&g.Description),
		"channels":    f.names(&g.Channels),
		"members":     f.names(&g.Members),
		"external":    f.bool(&g.External),
	})
	if g.Name.Name == "" {
		f.fail(g.Position, "a user group without a name")
		return
	}
	f.declare("user group", g.Name.Name, g.Position)
	f.config.UserGroups = append(f.config.UserGroups, g)
}

func (f *file) users(_ string, n *yaml.Node) {
	if isNull(n) {
		return
	}
	n = resolve(n)
	if n.Kind != yaml.MappingNode {
		f.fail(f.at(n), "users must be a mapping from names to Slack user IDs, not %s", describe(n))
		return
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		u := User{Name: Name{Position: f.at(n.Content[i])}}
		f.string(&u.Name.Name)("a user's name", n.Content[i])
		f.string(&u.ID)("a user's Slack user ID", n.Content[i+1])
		if u.Name.Name == "" {
			f.fail(u.Position, "a user without a name")
			continue
		}
		f.declare("user", u.Name.Name, u.Position)
		f.config.Users = append(f.config.Users, u)
	}
}

func (f *file) restriction(n *yaml.Node) {
	r := Restriction{Position: f.at(n)}
	f.mapping(n, "a restriction", fields{
		"path":       f.string(&r.Path),
		"users":      f.bool(&r.Users),
		"template":   f.bool(&r.Template),
		"channels":   f.strings(&r.Channels),
		"usergroups": f.strings(&r.UserGroups),
	})
	if r.Path == "" {
		f.fail(r.Position, "a restriction without a path")
		return
	}
	f.config.Restrictions = append(f.config.Restrictions, r)
}

func (f *file) template(_ string, n *yaml.Node) {
	if isNull(n) {
		return
	}
	f.declare("key", "channel_template", f.at(n))
	t := &Template{Position: f.at(n)}
	f.mapping(n, "the channel template", fields{
		"topic":   f.string(&t.Topic),
		"purpose": f.string(&t.Purpose),
		"pins":    f.strings(&t.Pins),
	})
	f.config.Template = t
}

// mapping reads the values of a mapping and complains about keys that it may
// not have, or has twice.
func (f *file) mapping(n *yaml.Node, what string, known fields) {
	n = resolve(n)
	if n.Kind != yaml.MappingNode {
		f.fail(f.at(n), "%s must be a mapping, not %s", what, describe(n))
		return
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		read, ok := known[key.Value]
		switch {
		case !ok || key.Kind != yaml.ScalarNode:
			f.fail(f.at(key), "unknown key %q in %s; known are %s", key.Value, what,
				strings.Join(slices.Sorted(maps.Keys(known)), ", "))
		case seen[key.Value]:
			f.fail(f.at(key), "key %q twice in %s", key.Value, what)
		default:
			seen[key.Value] = true
			read(key.Value+" of "+what, value)
		}
	}
}

// list takes a key with all its items commented out for an empty list.
func (f *file) list(read func(*yaml.Node)) readValue {
	return func(what string, n *yaml.Node) {
		if isNull(n) {
			return
		}
		n = resolve(n)
		if n.Kind != yaml.SequenceNode {
			f.fail(f.at(n), "%s must be a list, not %s", what, describe(n))
			return
		}
		for _, item := range n.Content {
			read(item)
		}
	}
}

func (f *file) string(target *string) readValue {
	return func(what string, n *yaml.Node) {
		n = resolve(n)
		if n.Kind != yaml.ScalarNode || isNull(n) {
			f.fail(f.at(n), "%s must be text, not %s", what, describe(n))
			return
		}
		*target = n.Value
	}
}

func (f *file) bool(target *bool) readValue {
	return func(what string, n *yaml.Node) {
		n = resolve(n)
		if n.ShortTag() != "!!bool" || n.Decode(target) != nil {
			f.fail(f.at(n), "%s must be true or false, not %s", what, describe(n))
		}
	}
}

func (f *file) strings(target *[]string) readValue {
	return func(what string, n *yaml.Node) {
		f.list(func(item *yaml.Node) {
			var s string
			f.string(&s)("an item in "+what, item)
			*target = append(*target, s)
		})(what, n)
	}
}

func (f *file) names(target *[]Name) readValue {
	return func(what string, n *yaml.Node) {
		f.list(func(item *yaml.Node) {
			name := Name{Position: f.at(item)}
			f.string(&name.Name)("an item in "+what, item)
			*target = append(*target, name)
		})(what, n)
	}
}

func (f *file) at(n *yaml.Node) importer.Position {
	return importer.Position{File: f.name, Line: n.Line}
}

// resolve follows an alias to what it stands for. The walk has the depth of
// the format, so that an alias into itself ends in an error and not never.
func resolve(n *yaml.Node) *yaml.Node {
	for range 8 {
		if n.Kind != yaml.AliasNode || n.Alias == nil {
			break
		}
		n = n.Alias
	}
	return n
}

func isNull(n *yaml.Node) bool { return resolve(n).ShortTag() == "!!null" }

func describe(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	case yaml.ScalarNode:
		if isNull(n) {
			return "nothing"
		}
		return fmt.Sprintf("%q", n.Value)
	default:
		return "something else"
	}
}

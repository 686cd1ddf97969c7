// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package strictyaml reads the YAML files of other tools: what it does not
// understand is an error with file and line, and all errors come together. It
// knows no format; each importer says which keys there are.
//
// Files are walked as YAML nodes rather than decoded into structs, because a
// report that sends people to a line needs the line of everything, and an
// error should speak of channels and keys, not of Go types.
package strictyaml

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

// Fields say how to read the value of each key that a mapping may have.
type Fields map[string]Read

// Read reads a value; what names it, for errors.
type Read func(what string, n *yaml.Node)

// Reader collects what is wrong in the files of one import.
type Reader struct {
	errs []error
	// seen is where each name was declared, by what it is and the name.
	seen map[string]importer.Position
}

// Err is everything that was wrong, or nil.
func (r *Reader) Err() error { return errors.Join(r.errs...) }

// Fail notes that something is wrong at a place.
func (r *Reader) Fail(at importer.Position, format string, args ...any) {
	r.errs = append(r.errs, fmt.Errorf("%s: %w", at.Where(), fmt.Errorf(format, args...)))
}

// Declare notes that a name is taken, and complains when it was.
func (r *Reader) Declare(kind, name string, at importer.Position) {
	key := kind + "\x00" + name
	if first, ok := r.seen[key]; ok {
		r.Fail(at, "%s %q is declared twice: first in %s", kind, name, first.Where())
		return
	}
	if r.seen == nil {
		r.seen = map[string]importer.Position{}
	}
	r.seen[key] = at
}

// File is one file that is being read.
type File struct {
	*Reader

	name string
}

// File is for reading a file of that name, relative to the folder of the import.
func (r *Reader) File(name string) *File { return &File{Reader: r, name: name} }

var yamlLine = regexp.MustCompile(`^yaml: line (\d+): `)

// Document reads the one YAML document of the file, a mapping. Without
// anything but comments it is empty.
func (f *File) Document(content []byte, known Fields) {
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
			f.Fail(f.At(&document), "a second YAML document: the format has one in each file")
			return
		}
		if len(document.Content) > 0 && !IsNull(document.Content[0]) {
			f.Mapping(document.Content[0], "the file", known)
		}
	}
}

// syntax moves the line number from the parser's message to where ours have it.
func (f *File) syntax(err error) {
	message, at := err.Error(), importer.Position{File: f.name}
	if match := yamlLine.FindStringSubmatch(message); match != nil {
		at.Line, _ = strconv.Atoi(match[1])
		message = strings.TrimPrefix(message, match[0])
	}
	f.Fail(at, "not YAML: %s", strings.TrimPrefix(message, "yaml: "))
}

// Mapping reads the values of a mapping and complains about keys that it may
// not have, or has twice.
func (f *File) Mapping(n *yaml.Node, what string, known Fields) {
	n = Resolve(n)
	if n.Kind != yaml.MappingNode {
		f.Fail(f.At(n), "%s must be a mapping, not %s", what, Describe(n))
		return
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		read, ok := known[key.Value]
		switch {
		case !ok || key.Kind != yaml.ScalarNode:
			f.Fail(f.At(key), "unknown key %q in %s; known are %s", key.Value, what,
				strings.Join(slices.Sorted(maps.Keys(known)), ", "))
		case seen[key.Value]:
			f.Fail(f.At(key), "key %q twice in %s", key.Value, what)
		default:
			seen[key.Value] = true
			read(key.Value+" of "+what, value)
		}
	}
}

// Entries reads a mapping whose keys are names that the file gives. Nothing at
// all is an empty one. An alias is refused, so that a mapping of mappings ends.
func (f *File) Entries(read func(key importer.Name, value *yaml.Node)) Read {
	return func(what string, n *yaml.Node) {
		if IsNull(n) {
			return
		}
		if n.Kind != yaml.MappingNode {
			f.Fail(f.At(n), "%s must be a mapping, not %s", what, Describe(n))
			return
		}
		for i := 0; i+1 < len(n.Content); i += 2 {
			key := importer.Name{Position: f.At(n.Content[i])}
			if n.Content[i].Kind != yaml.ScalarNode || n.Content[i].ShortTag() == "!!merge" || n.Content[i].Value == "" {
				f.Fail(key.Position, "a key in %s must be a name, not %s", what, Describe(n.Content[i]))
				continue
			}
			key.Name = n.Content[i].Value
			read(key, n.Content[i+1])
		}
	}
}

// List takes a key with all its items commented out for an empty list.
func (f *File) List(read func(*yaml.Node)) Read {
	return func(what string, n *yaml.Node) {
		if IsNull(n) {
			return
		}
		n = Resolve(n)
		if n.Kind != yaml.SequenceNode {
			f.Fail(f.At(n), "%s must be a list, not %s", what, Describe(n))
			return
		}
		for _, item := range n.Content {
			read(item)
		}
	}
}

// Text reads text, which must be there.
func (f *File) Text(target *string) Read {
	return func(what string, n *yaml.Node) {
		n = Resolve(n)
		if n.Kind != yaml.ScalarNode || IsNull(n) {
			f.Fail(f.At(n), "%s must be text, not %s", what, Describe(n))
			return
		}
		*target = n.Value
	}
}

// OptionalText reads text, or nothing.
func (f *File) OptionalText(target *string) Read {
	return func(what string, n *yaml.Node) {
		if !IsNull(n) {
			f.Text(target)(what, n)
		}
	}
}

// Bool reads true or false.
func (f *File) Bool(target *bool) Read {
	return func(what string, n *yaml.Node) {
		n = Resolve(n)
		if n.ShortTag() != "!!bool" || n.Decode(target) != nil {
			f.Fail(f.At(n), "%s must be true or false, not %s", what, Describe(n))
		}
	}
}

// Texts reads a list of texts.
func (f *File) Texts(target *[]string) Read {
	return func(what string, n *yaml.Node) {
		f.List(func(item *yaml.Node) {
			var s string
			f.Text(&s)("an item in "+what, item)
			*target = append(*target, s)
		})(what, n)
	}
}

// Names reads a list of names, each with its place.
func (f *File) Names(target *[]importer.Name) Read {
	return func(what string, n *yaml.Node) {
		f.List(func(item *yaml.Node) {
			name := importer.Name{Position: f.At(item)}
			f.Text(&name.Name)("an item in "+what, item)
			*target = append(*target, name)
		})(what, n)
	}
}

// Noted reads any text of a key, and notes what it is and where.
func (f *File) Noted(target *importer.Name) Read {
	return func(what string, n *yaml.Node) {
		target.Position = f.At(n)
		f.OptionalText(&target.Name)(what, n)
	}
}

// At is the place of a node.
func (f *File) At(n *yaml.Node) importer.Position {
	return importer.Position{File: f.name, Line: n.Line}
}

// Resolve follows an alias to what it stands for. A walk has the depth of its
// format, so that an alias into itself ends in an error and not never.
func Resolve(n *yaml.Node) *yaml.Node {
	for range 8 {
		if n.Kind != yaml.AliasNode || n.Alias == nil {
			break
		}
		n = n.Alias
	}
	return n
}

// IsNull says whether there is no value.
func IsNull(n *yaml.Node) bool { return Resolve(n).ShortTag() == "!!null" }

// Describe says in an error what was found instead.
func Describe(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	case yaml.ScalarNode:
		if IsNull(n) {
			return "nothing"
		}
		return fmt.Sprintf("%q", n.Value)
	case yaml.AliasNode:
		return "an alias; write it out"
	default:
		return "something else"
	}
}

// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
)

// A stage is what the last stage of a Dockerfile says.
type stage struct {
	base   string // the image that it begins with
	config v1.Config
	copies []copied
}

// copied is one COPY of files, each to a file or into a folder.
type copied struct {
	from  string // the stage; empty for the context
	files []string
	to    string
}

// lastStage reads a Dockerfile with the parser of BuildKit.
func lastStage(file string) (stage, error) {
	content, err := os.Open(file)
	if err != nil {
		return stage{}, err
	}
	defer func() { _ = content.Close() }()
	tree, err := parser.Parse(content)
	if err != nil {
		return stage{}, fmt.Errorf("reading %s: %w", file, err)
	}
	stages, _, err := instructions.Parse(tree.AST, linter.New(&linter.Config{}))
	if err != nil {
		return stage{}, fmt.Errorf("reading %s: %w", file, err)
	}
	last := stages[len(stages)-1]
	s := stage{base: last.BaseName, config: v1.Config{WorkingDir: "/", Labels: map[string]string{}}}
	for _, instruction := range last.Commands {
		if err := s.take(instruction); err != nil {
			return stage{}, fmt.Errorf("%s:%d: %s: %w", file, instruction.Location()[0].Start.Line, instruction.Name(), err)
		}
	}
	return s, nil
}

func (s *stage) take(instruction instructions.Command) error {
	switch i := instruction.(type) {
	case *instructions.LabelCommand:
		for _, label := range i.Labels {
			s.config.Labels[label.Key] = strings.Trim(label.Value, `"`)
		}
	case *instructions.UserCommand:
		s.config.User = i.User
	case *instructions.WorkdirCommand:
		s.config.WorkingDir = i.Path
	case *instructions.EntrypointCommand:
		if i.PrependShell {
			return errors.New("there is no shell: write it as a JSON list")
		}
		s.config.Entrypoint = i.CmdLine
	case *instructions.CopyCommand:
		if i.Chown != "" || i.Chmod != "" || i.Link || len(i.SourceContents) > 0 || len(i.ExcludePatterns) > 0 {
			return errors.New("options other than --from are not known")
		}
		s.copies = append(s.copies, copied{from: i.From, files: i.SourcePaths, to: i.DestPath})
	default:
		return errors.New("not known")
	}
	return nil
}

// sources are where the files of an image come from.
type sources struct {
	context string
	built   files
}

// pack makes the image: a layer for the base, and one for what is copied.
func (s stage) pack(from sources, arch string) (v1.Image, error) {
	config, err := empty.Image.ConfigFile()
	if err != nil {
		return nil, err
	}
	config = config.DeepCopy()
	config.OS, config.Architecture, config.Config = "linux", arch, s.config
	image, err := mutate.ConfigFile(empty.Image, config)
	if err != nil {
		return nil, err
	}
	base, err := baseOf(s.base)
	if err != nil {
		return nil, err
	}
	var own []entry
	for _, c := range s.copies {
		entries, err := c.entries(from)
		if err != nil {
			return nil, err
		}
		own = append(own, entries...)
	}
	for _, entries := range [][]entry{base, own} {
		if len(entries) == 0 {
			continue
		}
		layer, err := layerOf(entries)
		if err != nil {
			return nil, err
		}
		if image, err = mutate.AppendLayers(image, layer); err != nil {
			return nil, err
		}
	}
	return image, nil
}

// entries are the files of a COPY, where they go in the image.
func (c copied) entries(from sources) ([]entry, error) {
	var entries []entry
	for _, file := range c.files {
		source := filepath.Join(from.context, filepath.FromSlash(file))
		if c.from != "" {
			var ok bool
			if source, ok = from.built[file]; !ok {
				return nil, fmt.Errorf("COPY --from=%s %s: say with -built %s=… where it is", c.from, file, file)
			}
		}
		to := c.to
		if strings.HasSuffix(to, "/") {
			to = path.Join(to, path.Base(file))
		}
		e, err := fileEntry(to, source)
		if err != nil {
			return nil, err
		}
		entries = append(entries, e)
	}
	return entries, nil
}

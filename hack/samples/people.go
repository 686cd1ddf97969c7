// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package samples brings the small company of config/samples to life on a
// homeserver, and with config/samples-mattermost on a Mattermost server too: its
// people's accounts, its platforms, and a look at everything as people see it.
// The demo and the end-to-end suite share it; it is no part of the operator.
package samples

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"
	"sigs.k8s.io/yaml"

	"github.com/cabildo-dev/cabildo/hack/devenv"
)

// Password is everybody's, on homeservers that nobody else reaches.
const Password = "cabildo-demo"

// MakePeople makes an account for everybody whom the manifests of a folder
// name, and returns their names.
func MakePeople(ctx context.Context, homeserver *devenv.Homeserver, folder string) ([]string, error) {
	return makePeople(ctx, folder, func(ctx context.Context, name string) error {
		_, err := homeserver.CreatePerson(ctx, name, Password, display(name))
		return err
	})
}

// MakeMattermostPeople makes the same people's accounts on a Mattermost server.
func MakeMattermostPeople(ctx context.Context, server *devenv.Mattermost, folder string) ([]string, error) {
	return makePeople(ctx, folder, func(ctx context.Context, name string) error {
		_, err := server.CreatePerson(ctx, name, Password, display(name))
		return err
	})
}

func makePeople(ctx context.Context, folder string, create func(ctx context.Context, name string) error) ([]string, error) {
	people, err := people(folder)
	if err != nil {
		return nil, err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(4)
	for _, name := range people {
		group.Go(func() error { return create(ctx, name) })
	}
	return people, group.Wait()
}

// people are those whom the manifests of a folder name.
func people(folder string) ([]string, error) {
	files, err := filepath.Glob(filepath.Join(folder, "*.yaml"))
	if err != nil {
		return nil, fmt.Errorf("listing the samples: %w", err)
	}
	found := map[string]bool{}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("reading the samples: %w", err)
		}
		var manifest any
		if err := yaml.Unmarshal(content, &manifest); err != nil {
			return nil, fmt.Errorf("reading %s: %w", file, err)
		}
		collect(manifest, found)
	}
	return slices.Sorted(maps.Keys(found)), nil
}

// collect gathers the values of every field person.
func collect(value any, into map[string]bool) {
	switch value := value.(type) {
	case map[string]any:
		for key, inner := range value {
			if name, ok := inner.(string); ok && key == "person" {
				into[name] = true
			}
			collect(inner, into)
		}
	case []any:
		for _, inner := range value {
			collect(inner, into)
		}
	}
}

// display is a person's name as people write it: ana.ruiz is Ana Ruiz.
func display(username string) string {
	words := strings.Split(username, ".")
	for i, word := range words {
		if word != "" {
			words[i] = strings.ToUpper(word[:1]) + word[1:]
		}
	}
	return strings.Join(words, " ")
}

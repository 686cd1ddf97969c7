// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package stack

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/yaml"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/hack/devenv"
)

// Names of what is applied.
const (
	communityName = "kubernetes"
	namespace     = "kubernetes"
	// PlatformName is the Platform that the manifests name.
	PlatformName = "chat"
	// Namespace is where they are declared.
	Namespace = namespace
	// NamePrefix begins the names of what is declared besides the manifests.
	NamePrefix = communityName + "-"
	// generatedName is the community of Generate.
	generatedName = "town"
)

// Manifests are what the import wrote.
type Manifests struct {
	Community v1alpha1.Community
	Groups    []v1alpha1.Group

	dir string
}

// Import turns a configuration in the slack-config format into manifests.
func Import(ctx context.Context, data string) (*Manifests, error) {
	return ImportFrom(ctx, "slack-config", data)
}

// ImportFrom turns a configuration into manifests with the plugin, as a person
// would. Remove takes them away.
func ImportFrom(ctx context.Context, format, data string) (_ *Manifests, err error) {
	plugin, err := devenv.Binary("kubectl-cabildo")
	if err != nil {
		return nil, err
	}
	m := &Manifests{}
	if m.dir, err = os.MkdirTemp("", "cabildo-manifests-"); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, m.Remove())
		}
	}()
	command := exec.CommandContext(ctx, plugin, "import", format, data, "--output", m.dir,
		"--namespace", namespace, "--community", communityName, "--platform", PlatformName)
	var report bytes.Buffer
	command.Stderr = &report
	if err := command.Run(); err != nil {
		return nil, fmt.Errorf("%w\n%s", err, report.String())
	}
	for line := range strings.Lines(report.String()) {
		if strings.TrimSpace(line) == "" {
			break // the findings follow
		}
		fmt.Print("  ", line)
	}
	return m, m.read()
}

// ImportSome imports a configuration, and leaves so many groups of it; all with 0.
func ImportSome(ctx context.Context, data string, groups int) (*Manifests, error) {
	if info, err := os.Stat(data); err != nil || !info.IsDir() {
		return nil, fmt.Errorf("there is no folder %q to import: say DATA=folder, with a folder in the slack-config format", data)
	}
	m, err := Import(ctx, data)
	if err != nil || groups == 0 {
		return m, err
	}
	if err := m.Keep(groups); err != nil {
		return nil, errors.Join(err, m.Remove())
	}
	return m, nil
}

// Remove takes the files away.
func (m *Manifests) Remove() error { return os.RemoveAll(m.dir) }

func (m *Manifests) read() error {
	err := documents(m.file("community.yaml"), func(document []byte) error {
		return yaml.UnmarshalStrict(document, &m.Community)
	})
	if err != nil {
		return err
	}
	return documents(m.file("groups.yaml"), func(document []byte) error {
		m.Groups = append(m.Groups, v1alpha1.Group{})
		return yaml.UnmarshalStrict(document, &m.Groups[len(m.Groups)-1])
	})
}

func (m *Manifests) file(name string) string { return filepath.Join(m.dir, name) }

// documents gives out the documents of a file of YAML, one after the other.
func documents(file string, take func(document []byte) error) error {
	content, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	all := yaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(content)))
	for {
		document, err := all.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = take(document)
		}
		if err != nil {
			return fmt.Errorf("reading %s: %w", file, err)
		}
	}
}

// People are everybody who is declared.
func (m *Manifests) People() []string {
	all := map[string]bool{}
	note := func(sources []v1alpha1.MemberSource) {
		for _, s := range sources {
			if s.Person != "" { // others come by way of a group
				all[s.Person] = true
			}
		}
	}
	note(m.Community.Spec.Members)
	for _, g := range m.Groups {
		note(g.Spec.Members)
	}
	return slices.Sorted(maps.Keys(all))
}

// Keep leaves so many groups, spread over all of them, and of the community's
// members those who are in one of these.
func (m *Manifests) Keep(groups int) error {
	all := m.Groups
	if groups < 1 || groups >= len(all) {
		return nil
	}
	m.Groups = nil
	for i := range groups {
		m.Groups = append(m.Groups, all[i*len(all)/groups])
	}
	everybody := m.Community.Spec.Members
	m.Community.Spec.Members = nil
	kept := m.People()
	m.Community.Spec.Members = slices.DeleteFunc(everybody, func(s v1alpha1.MemberSource) bool {
		return !slices.Contains(kept, s.Person)
	})
	return m.write()
}

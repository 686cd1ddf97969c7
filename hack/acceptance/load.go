// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package main

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
	"time"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/yaml"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/hack/devenv"
)

// Names of what is applied.
const (
	communityName = "kubernetes"
	namespace     = "kubernetes"
	platformName  = "chat"
	ownerID       = "acceptance"
)

// manifests are what the import wrote.
type manifests struct {
	dir       string
	community v1alpha1.Community
	groups    []v1alpha1.Group
}

// importData uses the plugin, as a person would.
func (a *acceptance) importData(ctx context.Context) error {
	plugin, err := devenv.Binary("kubectl-cabildo")
	if err != nil {
		return err
	}
	if a.manifests.dir, err = os.MkdirTemp("", "cabildo-acceptance-"); err != nil {
		return err
	}
	command := exec.CommandContext(ctx, plugin, "import", "slack-config", a.data, "--output", a.manifests.dir,
		"--namespace", namespace, "--community", communityName, "--platform", platformName)
	var report bytes.Buffer
	command.Stderr = &report
	if err := command.Run(); err != nil {
		return fmt.Errorf("%w\n%s", err, report.String())
	}
	for line := range strings.Lines(report.String()) {
		if strings.TrimSpace(line) == "" {
			break // the findings follow
		}
		fmt.Print("  ", line)
	}
	for _, name := range []string{"community.yaml", "groups.yaml"} {
		if err := a.manifests.read(name); err != nil {
			return err
		}
	}
	return nil
}

func (m *manifests) read(name string) error {
	content, err := os.ReadFile(filepath.Join(m.dir, name))
	if err != nil {
		return err
	}
	documents := yaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(content)))
	for {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("reading %s: %w", name, err)
		}
		if name == "community.yaml" {
			err = yaml.UnmarshalStrict(document, &m.community)
		} else {
			m.groups = append(m.groups, v1alpha1.Group{})
			err = yaml.UnmarshalStrict(document, &m.groups[len(m.groups)-1])
		}
		if err != nil {
			return fmt.Errorf("reading %s: %w", name, err)
		}
	}
}

// people are everybody who is declared.
func (m *manifests) people() []string {
	all := map[string]bool{}
	note := func(sources []v1alpha1.MemberSource) {
		for _, s := range sources {
			all[s.Person] = true
		}
	}
	note(m.community.Spec.Members)
	for _, g := range m.groups {
		note(g.Spec.Members)
	}
	return slices.Sorted(maps.Keys(all))
}

func (a *acceptance) makePeople(ctx context.Context) error {
	people := a.manifests.people()
	began := time.Now()
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(8)
	for _, person := range people {
		group.Go(func() error {
			_, err := a.homeserver.CreatePerson(ctx, person, "cabildo-acceptance", person)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	fmt.Printf("  %d accounts, %.0f a second\n", len(people), float64(len(people))/time.Since(began).Seconds())
	return nil
}

func (a *acceptance) apply(ctx context.Context) error {
	perSecond, concurrency := int32(1000), int32(8)
	if err := a.cluster.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}}); err != nil {
		return err
	}
	if err := a.cluster.Create(ctx, &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: platformName, Namespace: devenv.OperatorNamespace},
		StringData: map[string]string{"url": a.homeserver.URL, "asToken": a.homeserver.ASToken},
	}); err != nil {
		return err
	}
	if err := a.cluster.Create(ctx, &v1alpha1.Platform{
		ObjectMeta: metav1.ObjectMeta{Name: platformName},
		Spec: v1alpha1.PlatformSpec{
			Type:           v1alpha1.PlatformMatrix,
			OwnerID:        ownerID,
			Matrix:         &v1alpha1.MatrixPlatform{HomeserverURL: a.homeserver.URL, ServerName: a.homeserver.ServerName},
			CredentialsRef: v1alpha1.LocalReference{Name: platformName},
			Access: []v1alpha1.PlatformAccess{{
				NamespaceSelector: metav1.LabelSelector{MatchLabels: map[string]string{corev1.LabelMetadataName: namespace}},
				Names:             []string{communityName, communityName + "-*"},
			}},
			Requests: &v1alpha1.RequestBudget{PerSecond: &perSecond, Concurrency: &concurrency},
		},
	}); err != nil {
		return err
	}
	kubectl, err := devenv.Binary("kubectl")
	if err != nil {
		return err
	}
	a.results.applied = time.Now()
	command := exec.CommandContext(ctx, kubectl, "apply", "--server-side", "--kubeconfig", a.plane.Kubeconfig(), "-f", a.manifests.dir)
	if out, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("kubectl apply: %w\n%s", err, out)
	}
	return nil
}

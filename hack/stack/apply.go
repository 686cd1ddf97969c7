// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package stack

import (
	"context"
	"fmt"
	"os/exec"
	"time"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/hack/devenv"
)

// The budget of requests to the homeserver. Its rate is out of the way: the
// homeserver is the one that is slow.
const (
	PerSecond   = 1000
	Concurrency = 8
)

// MakePeople makes an account for everybody.
func MakePeople(ctx context.Context, homeserver *devenv.Dendrite, people []string) error {
	began := time.Now()
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(Concurrency)
	for _, person := range people {
		group.Go(func() error {
			_, err := homeserver.CreatePerson(ctx, person, "cabildo-stack", person)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	fmt.Printf("  %d accounts, %.0f a second\n", len(people), float64(len(people))/time.Since(began).Seconds())
	return nil
}

// DeclarePlatform makes the namespace of the manifests and the Platform that they name.
func (s *Stack) DeclarePlatform(ctx context.Context, ownerID string) error {
	perSecond, concurrency := int32(PerSecond), int32(Concurrency)
	if err := s.Cluster.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}}); err != nil {
		return err
	}
	if err := s.Cluster.Create(ctx, &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: PlatformName, Namespace: devenv.OperatorNamespace},
		StringData: map[string]string{"url": s.Homeserver.URL, "asToken": s.Homeserver.ASToken},
	}); err != nil {
		return err
	}
	return s.Cluster.Create(ctx, &v1alpha1.Platform{
		ObjectMeta: metav1.ObjectMeta{Name: PlatformName},
		Spec: v1alpha1.PlatformSpec{
			Type:           v1alpha1.PlatformMatrix,
			OwnerID:        ownerID,
			Matrix:         &v1alpha1.MatrixPlatform{HomeserverURL: s.Homeserver.URL, ServerName: s.Homeserver.ServerName},
			CredentialsRef: v1alpha1.LocalReference{Name: PlatformName},
			Access: []v1alpha1.PlatformAccess{{
				NamespaceSelector: metav1.LabelSelector{MatchLabels: map[string]string{corev1.LabelMetadataName: namespace}},
				Names:             []string{communityName, communityName + "-*"},
			}},
			Requests: &v1alpha1.RequestBudget{PerSecond: &perSecond, Concurrency: &concurrency},
		},
	})
}

// Apply applies the manifests as a person would, and returns when it began.
func (s *Stack) Apply(ctx context.Context, m *Manifests) (began time.Time, err error) {
	kubectl, err := devenv.Binary("kubectl")
	if err != nil {
		return began, err
	}
	began = time.Now()
	command := exec.CommandContext(ctx, kubectl, "apply", "--server-side", "--kubeconfig", s.Plane.Kubeconfig(), "-f", m.dir)
	if out, err := command.CombinedOutput(); err != nil {
		return began, fmt.Errorf("kubectl apply: %w\n%s", err, out)
	}
	return began, nil
}

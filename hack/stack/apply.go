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
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/hack/devenv"
)

// The budgets of requests to the platforms. Their rate is out of the way: the
// servers are the ones that are slow.
const (
	PerSecond   = 1000
	Concurrency = 8
	// MostPerSecond is the highest rate that a Platform can have: nothing waits for it.
	MostPerSecond = 10_000
)

// MakePeople makes an account for everybody.
func MakePeople(ctx context.Context, homeserver *devenv.LocalHomeserver, people []string) error {
	return makePeople(ctx, people, func(ctx context.Context, person string) error {
		_, err := homeserver.CreatePerson(ctx, person, password, person)
		return err
	})
}

// MakeMattermostPeople is MakePeople on a Mattermost server.
func MakeMattermostPeople(ctx context.Context, server *devenv.Mattermost, people []string) error {
	return makePeople(ctx, people, func(ctx context.Context, person string) error {
		_, err := server.CreatePerson(ctx, person, password, person)
		return err
	})
}

// password is everybody's, on servers that nobody else reaches.
const password = "cabildo-stack"

func makePeople(ctx context.Context, people []string, create func(context.Context, string) error) error {
	began := time.Now()
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(Concurrency)
	for _, person := range people {
		group.Go(func() error { return create(ctx, person) })
	}
	if err := group.Wait(); err != nil {
		return err
	}
	fmt.Printf("  %d accounts, %.0f a second\n", len(people), float64(len(people))/time.Since(began).Seconds())
	return nil
}

// DeclarePlatform makes the namespace of the manifests and the Platform that
// they name, on the homeserver.
func (s *Stack) DeclarePlatform(ctx context.Context, ownerID string) error {
	return s.Declare(ctx, v1alpha1.PlatformSpec{
		Type: v1alpha1.PlatformMatrix, OwnerID: ownerID, Requests: Budget(PerSecond),
		Matrix: &v1alpha1.MatrixPlatform{HomeserverURL: s.Homeserver.URL, ServerName: s.Homeserver.ServerName},
	}, map[string]string{"url": s.Homeserver.URL, "asToken": s.Homeserver.ASToken})
}

// DeclareMattermost is DeclarePlatform for the Mattermost server.
func (s *Stack) DeclareMattermost(ctx context.Context, ownerID string) error {
	return s.Declare(ctx, v1alpha1.PlatformSpec{
		Type: v1alpha1.PlatformMattermost, OwnerID: ownerID, Requests: Budget(MostPerSecond),
		Mattermost: &v1alpha1.MattermostPlatform{URL: s.Mattermost.URL},
	}, map[string]string{"url": s.Mattermost.URL, "accessToken": s.Bot.Token})
}

// Budget is a budget of requests with a rate, and as many at once as everywhere here.
func Budget(perSecond int32) *v1alpha1.RequestBudget {
	concurrency := int32(Concurrency)
	return &v1alpha1.RequestBudget{PerSecond: &perSecond, Concurrency: &concurrency}
}

// Declare makes the namespace of the manifests, the Platform that they name,
// and its credentials. The manifests may use it.
func (s *Stack) Declare(ctx context.Context, spec v1alpha1.PlatformSpec, credentials map[string]string) error {
	return s.DeclareAs(ctx, PlatformName, spec, credentials)
}

// DeclareAs is Declare, for a Platform of another name beside the one of the manifests.
func (s *Stack) DeclareAs(ctx context.Context, name string, spec v1alpha1.PlatformSpec, credentials map[string]string) error {
	err := s.Cluster.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}})
	if client.IgnoreAlreadyExists(err) != nil {
		return err
	}
	if err := client.IgnoreAlreadyExists(s.Cluster.Create(ctx, devenv.OpenPolicy())); err != nil {
		return err
	}
	if err := s.Cluster.Create(ctx, &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: devenv.OperatorNamespace},
		StringData: credentials,
	}); err != nil {
		return err
	}
	spec.CredentialsRef = v1alpha1.LocalReference{Name: name}
	spec.Access = []v1alpha1.PlatformAccess{{
		NamespaceSelector: metav1.LabelSelector{MatchLabels: map[string]string{corev1.LabelMetadataName: namespace}},
		Names:             []string{communityName, communityName + "-*", generatedName, generatedName + "-*"},
	}}
	return s.Cluster.Create(ctx, &v1alpha1.Platform{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: spec})
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

// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package devenv

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// GuardDecisions puts the admission policies in force without which no decision
// is honoured, from the folder of their manifests, and waits until the API
// server holds them: one that changes objects takes some seconds to know their kinds.
func GuardDecisions(ctx context.Context, c client.Client, folder string) error {
	for _, policy := range []string{"decisions", "requester"} {
		if err := CreateFiles(ctx, c, filepath.Join(folder, policy+"_policy.yaml"), filepath.Join(folder, policy+"_binding.yaml")); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithTimeoutCause(ctx, startTimeout, errors.New("it is not noted who asks for what"))
	defer cancel()
	for {
		community := nobodysCommunity()
		community.SetNamespace("default")
		err := c.Create(ctx, community, client.DryRunAll)
		if err == nil && community.GetAnnotations()["community.cabildo.dev/requested-by"] != "" {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(context.Cause(ctx), err)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// NewDecider returns a client of somebody else than who has config, with all
// rights: nobody approves what they asked for themselves.
func NewDecider(config *rest.Config, options client.Options) (client.Client, error) {
	other := rest.CopyConfig(config)
	other.Impersonate = rest.ImpersonationConfig{UserName: "decider", Groups: []string{"system:masters"}}
	c, err := client.New(other, options)
	if err != nil {
		return nil, fmt.Errorf("a client of who decides: %w", err)
	}
	return c, nil
}

// nobodysCommunity is a Community that the API takes.
func nobodysCommunity() *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "community.cabildo.dev/v1alpha1", "kind": "Community", "metadata": map[string]any{"name": "nobodys"},
		"spec": map[string]any{
			"displayName": "Nobody's", "platforms": []any{map[string]any{"platformRef": map[string]any{"name": "nowhere"}}},
		},
	}}
}

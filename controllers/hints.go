// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"

	"sigs.k8s.io/controller-runtime/pkg/event"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/internal/model"
	"github.com/cabildo-dev/cabildo/internal/platform"
)

// hintRouter brings what platforms tell to the resources that it is about.
type hintRouter struct {
	sessions    *platform.Sessions
	platforms   chan event.TypedGenericEvent[*v1alpha1.Platform]
	communities chan event.TypedGenericEvent[*v1alpha1.Community]
	groups      chan event.TypedGenericEvent[*v1alpha1.Group]
	managers    chan event.TypedGenericEvent[*v1alpha1.CommunityManager]
}

func newHintRouter(sessions *platform.Sessions) *hintRouter {
	return &hintRouter{
		sessions:    sessions,
		platforms:   make(chan event.TypedGenericEvent[*v1alpha1.Platform], 64),
		communities: make(chan event.TypedGenericEvent[*v1alpha1.Community], 64),
		groups:      make(chan event.TypedGenericEvent[*v1alpha1.Group], 64),
		managers:    make(chan event.TypedGenericEvent[*v1alpha1.CommunityManager], 64),
	}
}

// Start routes hints until the context ends. A hint about everything goes to
// the Platform, whose probe then says whether all of its spaces are to be looked at.
func (h *hintRouter) Start(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case hint := <-h.sessions.Hints():
			h.route(ctx, hint)
		}
	}
}

func (h *hintRouter) route(ctx context.Context, hint platform.SessionHint) {
	meta := metav1.ObjectMeta{Namespace: hint.Hint.Ref.Namespace, Name: hint.Hint.Ref.Name}
	switch hint.Hint.Ref.Kind {
	case model.KindCommunity:
		send(ctx, h.communities, &v1alpha1.Community{ObjectMeta: meta})
	case model.KindGroup:
		send(ctx, h.groups, &v1alpha1.Group{ObjectMeta: meta})
	default:
		send(ctx, h.platforms, &v1alpha1.Platform{ObjectMeta: metav1.ObjectMeta{Name: hint.Platform}})
	}
}

// troubled has a Platform probed, because somebody met an error on it. It never blocks.
func (h *hintRouter) troubled(name string) {
	select {
	case h.platforms <- event.TypedGenericEvent[*v1alpha1.Platform]{Object: &v1alpha1.Platform{ObjectMeta: metav1.ObjectMeta{Name: name}}}:
	default: // the queue of Platforms is full of such news already
	}
}

func send[T any](ctx context.Context, to chan event.TypedGenericEvent[T], object T) {
	select {
	case to <- event.TypedGenericEvent[T]{Object: object}:
	case <-ctx.Done():
	}
}

// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/internal/desired"
)

// closures counts the spaces that are archived and deleted on each platform, in
// a Secret of the operator's namespace, so that a pruned folder of two hundred
// groups is one event for the budget, and a restart gives nothing back.
type closures struct {
	client    client.Client
	reader    client.Reader
	namespace string
	clock     clock.PassiveClock

	mu     sync.Mutex // guards what follows, and the order of writes
	ledger map[string]*corev1.Secret
}

// closure is one space that was let go. Asking for the same space again takes nothing more.
type closure struct {
	Space string    `json:"space"`
	At    time.Time `json:"at"`
}

const keyClosures = "closures"

func newClosures(c client.Client, reader client.Reader, namespace string, clock clock.PassiveClock) *closures {
	return &closures{client: c, reader: reader, namespace: namespace, clock: clock, ledger: map[string]*corev1.Secret{}}
}

// left is how many more spaces the platform's budget lets go now.
func (c *closures) left(ctx context.Context, p *v1alpha1.Platform) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, closed, err := c.read(ctx, p)
	return desired.SpaceBudget(p).Count - len(closed), err
}

// reserve takes one space out of the platform's budget before it is closed, and says whether it may be.
func (c *closures) reserve(ctx context.Context, p *v1alpha1.Platform, space string) (bool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	secret, closed, err := c.read(ctx, p)
	if err != nil {
		return false, err
	}
	if slices.ContainsFunc(closed, func(one closure) bool { return one.Space == space }) {
		return true, nil
	}
	if len(closed) >= desired.SpaceBudget(p).Count {
		return false, nil
	}
	// Times and strings can always be encoded.
	encoded, _ := json.Marshal(append(closed, closure{Space: space, At: c.clock.Now().UTC()}))
	next := secret.DeepCopy()
	next.Data = map[string][]byte{keyClosures: encoded}
	if next.ResourceVersion == "" {
		err = c.client.Create(ctx, next)
	} else {
		err = c.client.Update(ctx, next)
	}
	if err != nil {
		delete(c.ledger, secret.Name) // what is there has to be read again
		return false, fmt.Errorf("counting the spaces that are let go on Platform %s: %w", p.Name, err)
	}
	c.ledger[next.Name] = next
	return true, nil
}

// read returns the ledger of a platform, and what of it is in the window. The lock is held.
func (c *closures) read(ctx context.Context, p *v1alpha1.Platform) (*corev1.Secret, []closure, error) {
	name := types.NamespacedName{Namespace: c.namespace, Name: "cabildo-spaces-" + shortHash(p.Name, p.Spec.OwnerID)}
	secret := c.ledger[name.Name]
	if secret == nil {
		secret = &corev1.Secret{}
		if err := c.reader.Get(ctx, name, secret); apierrors.IsNotFound(err) {
			secret = &corev1.Secret{ObjectMeta: metav1.ObjectMeta{
				Namespace: name.Namespace, Name: name.Name,
				Labels: map[string]string{recordLabel: "spaces"}, Annotations: map[string]string{platformAnnotation: p.Name},
			}}
		} else if err != nil {
			return nil, nil, fmt.Errorf("reading how many spaces were let go on Platform %s: %w", p.Name, err)
		}
		c.ledger[name.Name] = secret
	}
	var closed []closure
	if content, there := secret.Data[keyClosures]; there {
		if err := json.Unmarshal(content, &closed); err != nil {
			return nil, nil, fmt.Errorf("reading Secret %s: %w; correct or delete it", name, err)
		}
	}
	since := c.clock.Now().Add(-desired.SpaceBudget(p).Window)
	return secret, slices.DeleteFunc(closed, func(one closure) bool { return !one.At.After(since) }), nil
}

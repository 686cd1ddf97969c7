// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/internal/desired"
	"github.com/cabildo-dev/cabildo/internal/managers"
	"github.com/cabildo-dev/cabildo/internal/status"
)

// managing answers who manages the communities of one namespace now.
type managing struct {
	ctx       context.Context
	reader    client.Reader
	namespace string
	now       time.Time
	rules     managers.Rules

	// list are the managers who name communities of the namespace, and namespaces the labels of theirs.
	list       []v1alpha1.CommunityManager
	namespaces map[string]map[string]string
	// trouble says that not all of them could be read.
	trouble *desired.Refusal
	// untold says that it is not known of everybody whether they are trained.
	untold *desired.Refusal
	// next is when any answer that was given changes; zero when none does.
	next time.Time
}

func (r *spaceReconciler) managing(ctx context.Context, namespace string, rules managers.Rules) *managing {
	m := &managing{ctx: ctx, reader: r.Client, namespace: namespace, now: r.clock.Now(), rules: rules, namespaces: map[string]map[string]string{}}
	var found v1alpha1.CommunityManagerList
	if err := r.List(ctx, &found, client.MatchingFields{indexManages: namespace}, client.UnsafeDisableDeepCopy); err != nil {
		m.fail(err)
		return m
	}
	m.list = found.Items
	for _, item := range m.list {
		if _, known := m.namespaces[item.Namespace]; known || item.Namespace == namespace {
			continue
		}
		labels, err := labelsOf(ctx, r.Client, item.Namespace)
		if err != nil {
			m.fail(err)
		}
		m.namespaces[item.Namespace] = labels
	}
	return m
}

func (m *managing) fail(err error) {
	m.trouble = &desired.Refusal{Reason: v1alpha1.ReasonManagersUnavailable, Message: fmt.Sprintf(
		"the CommunityManagers of namespace %s could not be read, so nobody is removed: %v; it is tried again", m.namespace, err)}
}

// labelsOf are the labels of a namespace; none where it is gone.
func labelsOf(ctx context.Context, reader client.Reader, name string) (map[string]string, error) {
	namespace := metav1.PartialObjectMetadata{}
	namespace.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Namespace"))
	if err := reader.Get(ctx, types.NamespacedName{Name: name}, &namespace); err != nil && !apierrors.IsNotFound(err) {
		return nil, fmt.Errorf("reading namespace %s: %w", name, err)
	}
	return namespace.Labels, nil
}

// of are those with a role in a community now.
func (m *managing) of(c *v1alpha1.Community) managers.Council {
	var concerned []v1alpha1.CommunityManager
	for i := range m.list {
		if managers.Names(&m.list[i], c) {
			concerned = append(concerned, m.list[i])
		}
	}
	if next := managers.NextChange(concerned, m.now); !next.IsZero() && (m.next.IsZero() || next.Before(m.next)) {
		m.next = next
	}
	council := managers.Of(c, concerned, m.namespaces, m.rules, m.now)
	if council.Unknown > 0 {
		group := m.rules.Policy.TrainedGroup
		m.untold = &desired.Refusal{Reason: v1alpha1.ReasonTrainingUnknown, Message: fmt.Sprintf(
			"whether %d managers are trained is not known, because group %q of Directory %s can't be read or is not there; nobody is removed, and the platform team sees why on the Directory",
			council.Unknown, group.Name, group.DirectoryRef.Name)}
	}
	return council
}

// withCards are guidelines with who looks after the community below them. What can't be known leaves what is pinned.
func (m *managing) withCards(guidelines string, c *v1alpha1.Community) (string, *status.Problem) {
	m.of(c) // when that changes
	if trouble := m.trouble; trouble != nil {
		return "", status.Wait(trouble.Reason, "The guidelines stay as they are: %s.", trouble.Message)
	}
	if m.untold != nil {
		return "", status.Wait(m.untold.Reason, "The guidelines stay as they are: %s.", m.untold.Message)
	}
	cards := managers.Cards(c, m.list, m.namespaces, m.rules, m.now)
	if cards == "" {
		return guidelines, nil
	}
	return strings.TrimSpace(strings.TrimSpace(guidelines) + "\n\n" + cards), nil
}

// appointed are the people whom their role brings into a community's spaces.
func (m *managing) appointed(c *v1alpha1.Community) []desired.Declared {
	var people []desired.Declared
	for _, h := range m.of(c).Holders {
		people = append(people, desired.Appointed(h.Person, h.Role))
	}
	return people
}

// managersOf are the managers of the communities that a selector picks in the namespace.
func (m *managing) managersOf(selector *metav1.LabelSelector) ([]string, *desired.Refusal) {
	if m.trouble != nil {
		return nil, m.trouble
	}
	picked, err := metav1.LabelSelectorAsSelector(selector)
	if err != nil { // the API takes none that can't be read
		return nil, &desired.Refusal{Reason: v1alpha1.ReasonSourceUnsupported, Message: fmt.Sprintf("managersOf: communitySelector can't be read: %v; correct it", err)}
	}
	var communities v1alpha1.CommunityList
	if err := m.reader.List(m.ctx, &communities, client.InNamespace(m.namespace), client.MatchingLabelsSelector{Selector: picked}); err != nil {
		return nil, &desired.Refusal{Reason: v1alpha1.ReasonManagersUnavailable, Message: fmt.Sprintf("managersOf: the communities could not be read, so nobody is removed: %v; it is tried again", err)}
	}
	var people []string
	for i := range communities.Items {
		for _, h := range m.of(&communities.Items[i]).Holders {
			if h.Manages {
				people = append(people, h.Person)
			}
		}
	}
	return people, nil
}

// earliest is the earlier of two moments, of which zero is none.
func earliest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// managedNamespaces are the namespaces whose communities a manager names.
func managedNamespaces(m *v1alpha1.CommunityManager) []string {
	var names []string
	for _, e := range m.Spec.Communities {
		names = append(names, cmp.Or(e.Namespace, m.Namespace))
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// managed are the communities that a manager names, whether they consent or not.
func managed(ctx context.Context, reader client.Reader, m *v1alpha1.CommunityManager) ([]v1alpha1.Community, error) {
	var found []v1alpha1.Community
	for _, namespace := range managedNamespaces(m) {
		var list v1alpha1.CommunityList
		if err := reader.List(ctx, &list, client.InNamespace(namespace)); err != nil {
			return nil, fmt.Errorf("listing the communities of namespace %s: %w", namespace, err)
		}
		for _, c := range list.Items {
			if managers.Names(m, &c) {
				found = append(found, c)
			}
		}
	}
	return found, nil
}

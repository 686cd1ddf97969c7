// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package desired

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
)

// BuiltInResync is how often everything is verified where the Platform doesn't say.
const BuiltInResync = 10 * time.Minute

// Management resolves what is inherited: the first of the layers that says
// something decides, field by field, and last what is built in.
func Management(layers ...*v1alpha1.Management) v1alpha1.Management {
	var m v1alpha1.Management
	var budget v1alpha1.RemovalBudget
	for _, layer := range layers {
		if layer == nil {
			continue
		}
		m.Mode = first(m.Mode, layer.Mode)
		m.Membership = first(m.Membership, layer.Membership)
		m.Adoption = first(m.Adoption, layer.Adoption)
		m.Deletion = first(m.Deletion, layer.Deletion)
		if layer.RemovalBudget != nil {
			budget = mergeBudget(budget, *layer.RemovalBudget)
		}
	}
	m.Mode = first(m.Mode, v1alpha1.ModeEnforce)
	m.Membership = first(m.Membership, v1alpha1.MembershipAdditive)
	m.Adoption = first(m.Adoption, v1alpha1.AdoptNever)
	m.Deletion = first(m.Deletion, v1alpha1.DeletionRetain)
	budget = mergeBudget(budget, v1alpha1.RemovalBudget{
		Percent: ptr.To[int32](25), Count: ptr.To[int32](20), Floor: ptr.To[int32](1),
		Window: &metav1.Duration{Duration: 24 * time.Hour},
	})
	m.RemovalBudget = &budget
	return m
}

// PlatformLayer is what a platform gives to inherit: its management, with its
// removalBudget where the management has none.
func PlatformLayer(p *v1alpha1.Platform) *v1alpha1.Management {
	var m v1alpha1.Management
	if p.Spec.Management != nil {
		m = *p.Spec.Management.DeepCopy()
	}
	if p.Spec.RemovalBudget != nil {
		own := ptr.Deref(m.RemovalBudget, v1alpha1.RemovalBudget{})
		merged := mergeBudget(own, p.Spec.RemovalBudget.RemovalBudget)
		m.RemovalBudget = &merged
	}
	return &m
}

func mergeBudget(b, under v1alpha1.RemovalBudget) v1alpha1.RemovalBudget {
	if b.Percent == nil {
		b.Percent = under.Percent
	}
	if b.Count == nil {
		b.Count = under.Count
	}
	if b.Floor == nil {
		b.Floor = under.Floor
	}
	if b.Window == nil {
		b.Window = under.Window
	}
	return b
}

// first is the first of the two that is set.
func first[T ~string](a, b T) T {
	if a != "" {
		return a
	}
	return b
}

// Spaces is how many spaces may be archived or deleted on a platform, and in what time.
type Spaces struct {
	Count  int
	Window time.Duration
}

// builtInSpaces is the budget of a Platform that doesn't say.
const builtInSpaces = 3

// SpaceBudget is how many spaces may be archived or deleted on a platform without a person's word.
func SpaceBudget(p *v1alpha1.Platform) Spaces {
	s := Spaces{Count: builtInSpaces, Window: Management(PlatformLayer(p)).RemovalBudget.Window.Duration}
	if p.Spec.RemovalBudget != nil && p.Spec.RemovalBudget.Spaces != nil {
		s.Count = int(p.Spec.RemovalBudget.Spaces.Count)
	}
	return s
}

// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package governance

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/hack/devenv"
	"github.com/cabildo-dev/cabildo/internal/governance"
	"github.com/cabildo-dev/cabildo/internal/managers"
)

const (
	// evaluated is how many communities are evaluated, and managed how many managers each has.
	evaluated, managed = 10_000, 3
	evaluatedTimes     = 5
)

// evaluate computes for every community which policy governs it, what it lacks,
// its managers and their places, its tier, and what would be proposed.
func (b *benchmark) evaluate(context.Context) error {
	policies, err := policies()
	if err != nil {
		return err
	}
	communities, declared := company()
	labels := map[string]string{"department": "engineering"}
	now := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	one := runtime.GOMAXPROCS(1)
	defer runtime.GOMAXPROCS(one)
	for range evaluatedTimes {
		proposals := 0
		began := time.Now()
		for i := range communities {
			c := &communities[i]
			policy := governance.Governing(policies, labels)
			lacks := governance.Lacks(policy, c)
			council := managers.Of(c, declared[i*managed:(i+1)*managed], nil, managers.Rules{Policy: policy.Spec.Managers}, now)
			at := governance.Position{Tier: "Small", Since: now.Add(-200 * 24 * time.Hour), Toward: "Distributed", Passes: 2, At: now.Add(-25 * time.Hour)}
			members, groups := i%300, i%40
			m := governance.Measures{Members: &members, Groups: &groups, DeclaredAreas: 3, Areas: map[string]int{"a": members / 3, "b": members / 3, "c": members / 3}}
			next, toward := governance.Evaluate(policy, at, m, now)
			here := governance.TierOf(policy, next.Tier)
			staffing := managers.Staff(here.Staffing, c.Spec.BusinessAreas, members, council.Serving)
			if p := governance.ProposeTier(policy, nil, here, toward, m, func() string { return "x" }); p != nil && len(lacks) == 0 && staffing.Gap >= 0 {
				proposals++
			}
		}
		b.results.evaluated = append(b.results.evaluated, time.Since(began))
		b.results.proposals = proposals
	}
	slices.Sort(b.results.evaluated)
	return nil
}

// policies are the default one, and some that govern other namespaces.
func policies() ([]v1alpha1.GovernancePolicy, error) {
	helm, err := devenv.Binary("helm") // the repository is where its bin is
	if err != nil {
		return nil, err
	}
	content, err := os.ReadFile(filepath.Join(filepath.Dir(filepath.Dir(helm)), "config", "samples", "governancepolicy.yaml"))
	if err != nil {
		return nil, err
	}
	var p v1alpha1.GovernancePolicy
	if err := yaml.UnmarshalStrict(content, &p); err != nil {
		return nil, err
	}
	all := []v1alpha1.GovernancePolicy{p}
	for _, department := range []string{"sales", "legal", "operations"} {
		other := p.DeepCopy()
		other.Name, other.Spec.Priority = department, 10
		other.Spec.Governs.NamespaceSelector.MatchLabels = map[string]string{"department": department}
		all = append(all, *other)
	}
	return all, nil
}

// company has the communities and the managers of each, one after the other.
func company() (communities []v1alpha1.Community, declared []v1alpha1.CommunityManager) {
	for i := range evaluated {
		c := v1alpha1.Community{ObjectMeta: metav1.ObjectMeta{Namespace: "engineering", Name: fmt.Sprintf("community-%d", i)}}
		c.Spec.Purpose, c.Spec.Sponsor = "Share practice.", &v1alpha1.Person{Person: "carla"}
		c.Spec.Objectives, c.Spec.BusinessAreas = make([]v1alpha1.Objective, 1), []string{"a", "b", "c"}
		communities = append(communities, c)
		for j := range managed {
			m := v1alpha1.CommunityManager{ObjectMeta: metav1.ObjectMeta{Namespace: "engineering", Name: fmt.Sprintf("manager-%d-%d", i, j)}}
			m.Spec.Person, m.Spec.Role, m.Spec.Commitment = m.Name, v1alpha1.ManagerManager, v1alpha1.CommitmentPartTime
			m.Spec.BusinessArea = c.Spec.BusinessAreas[j]
			m.Spec.Communities = []v1alpha1.ManagedCommunities{{Name: c.Name}}
			m.Spec.Term = &v1alpha1.Term{Start: "2026-01-01", End: "2027-01-01"}
			declared = append(declared, m)
		}
	}
	return communities, declared
}

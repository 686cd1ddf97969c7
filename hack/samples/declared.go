// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package samples

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
)

// declared is what the cluster has of the samples.
type declared struct {
	communities []v1alpha1.Community
	groups      []v1alpha1.Group
}

func readDeclared(ctx context.Context, c client.Reader) (*declared, error) {
	var communities v1alpha1.CommunityList
	var groups v1alpha1.GroupList
	if err := errors.Join(c.List(ctx, &communities), c.List(ctx, &groups)); err != nil {
		return nil, fmt.Errorf("reading what was declared: %w", err)
	}
	return &declared{communities: communities.Items, groups: groups.Items}, nil
}

// stranger is somebody whom no manifest names.
const stranger = "stranger"

// somebody is a person whom the group declares with the role; empty for nobody.
func somebody(g *v1alpha1.Group, role v1alpha1.Role) string {
	i := slices.IndexFunc(g.Spec.Members, func(s v1alpha1.MemberSource) bool { return s.Person != "" && roleOf(s) == role })
	if i < 0 {
		return ""
	}
	return g.Spec.Members[i].Person
}

func roleOf(s v1alpha1.MemberSource) v1alpha1.Role {
	if s.Role == "" {
		return v1alpha1.RoleMember
	}
	return s.Role
}

// A tally counts checks, and keeps what was wrong.
type tally struct {
	checks int
	wrong  []string
}

func (t *tally) expect(ok bool, format string, args ...any) {
	t.checks++
	if !ok {
		t.wrong = append(t.wrong, fmt.Sprintf(format, args...))
	}
}

// complete checks that nothing of the samples is missing.
func (t *tally) complete(all *declared) {
	t.expect(len(all.communities) == 3 && len(all.groups) == 10,
		"there are %d communities and %d groups, of 3 and 10", len(all.communities), len(all.groups))
}

// on is the space on a platform; nil when the status names none.
func (t *tally) on(platform, name string, s v1alpha1.SpaceStatus) *v1alpha1.PlatformSpaceStatus {
	i := slices.IndexFunc(s.Platforms, func(p v1alpha1.PlatformSpaceStatus) bool { return p.Name == platform })
	if i < 0 {
		t.expect(false, "%s is not on %s", name, platform)
		return nil
	}
	return &s.Platforms[i]
}

// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package stack

import (
	"errors"
	"fmt"
	"os"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/internal/importer"
)

// A Shape says what a generated community is like.
type Shape struct {
	// Groups of which each tenth declares Members, the first of them as its manager.
	Groups, Members int
	// People are the members of the community, from whom the groups' members come in turn.
	People int
}

// Memberships are those of the groups and of the community.
func (s Shape) Memberships() int { return s.MemberGroups()*s.Members + s.People }

// MemberGroups are the groups that declare members.
func (s Shape) MemberGroups() int { return (s.Groups + memberEvery - 1) / memberEvery }

// Least is the fewest requests that make it: one a space, one a membership and
// one a role. Roles are the managers'.
func (s Shape) Least() int { return 1 + s.Groups + s.Memberships() + s.MemberGroups() }

// memberEvery is how many groups there are for each that declares members.
const memberEvery = 10

// Declared is one community of this shape. A larger one begins with the same groups.
func (s Shape) Declared() *Manifests {
	m := &Manifests{Community: s.community()}
	for i := range s.Groups {
		m.Groups = append(m.Groups, s.group(i))
	}
	return m
}

// Generate writes the manifests of one community of this shape. Remove takes
// them away.
func Generate(shape Shape) (_ *Manifests, err error) {
	m := shape.Declared()
	if m.dir, err = os.MkdirTemp("", "cabildo-manifests-"); err != nil {
		return nil, err
	}
	if err := m.write(); err != nil {
		return nil, errors.Join(err, m.Remove())
	}
	return m, nil
}

func (s Shape) community() v1alpha1.Community {
	c := v1alpha1.Community{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1alpha1.GroupVersion.String(), Kind: "Community"},
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: generatedName},
		Spec: v1alpha1.CommunitySpec{
			DisplayName: "Town", Purpose: "A town that was generated.",
			Platforms: []v1alpha1.CommunityPlatform{{PlatformRef: v1alpha1.LocalReference{Name: PlatformName}}},
		},
	}
	for i := range s.People {
		c.Spec.Members = append(c.Spec.Members, v1alpha1.MemberSource{Person: Person(i)})
	}
	return c
}

func (s Shape) group(i int) v1alpha1.Group {
	name := fmt.Sprintf("street-%05d", i)
	g := v1alpha1.Group{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1alpha1.GroupVersion.String(), Kind: "Group"},
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec: v1alpha1.GroupSpec{
			CommunityRef: v1alpha1.LocalReference{Name: generatedName},
			DisplayName:  fmt.Sprintf("Street %d", i), Purpose: fmt.Sprintf("Who lives in street %d.", i),
		},
	}
	if i%memberEvery != 0 {
		return g
	}
	for k := range s.Members {
		member := v1alpha1.MemberSource{Person: Person((i/memberEvery + k) % s.People)}
		if k == 0 {
			member.Role = v1alpha1.RoleManager
		}
		g.Spec.Members = append(g.Spec.Members, member)
	}
	return g
}

// Person is somebody of a generated community.
func Person(i int) string { return fmt.Sprintf("neighbour-%d", i) }

// write writes what is declared into the folder.
func (m *Manifests) write() error {
	objects := []importer.Object{&m.Community}
	for i := range m.Groups {
		objects = append(objects, &m.Groups[i])
	}
	files, err := importer.Manifests(objects)
	if err != nil {
		return err
	}
	return importer.WriteFiles(m.dir, files, true)
}

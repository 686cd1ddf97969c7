// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package importertest

import (
	"regexp"
	"testing"

	"k8s.io/apimachinery/pkg/api/validate/content"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/internal/importer"
)

var (
	spaceNames = regexp.MustCompile(`^[a-z0-9]([a-z0-9_-]{0,62}[a-z0-9])?$`)
	usernames  = regexp.MustCompile(`^[a-z0-9._-]{1,255}$`)
)

// CheckNames holds the names in what an importer made to the rules of the API:
// names and addresses of Groups that there is one of each, usernames that are
// in a list once, and Groups as sources that are there.
func CheckNames(t testing.TB, result *importer.Result) {
	t.Helper()
	objects, spaces := map[string]bool{}, map[string]bool{}
	members := map[string][]v1alpha1.MemberSource{}
	for _, o := range result.Objects {
		if c, ok := o.(*v1alpha1.Community); ok {
			members["the Community"] = c.Spec.Members
		}
		g, ok := o.(*v1alpha1.Group)
		if !ok {
			continue
		}
		if problems := content.IsDNS1123Subdomain(g.Name); len(problems) > 0 {
			t.Errorf("metadata.name %q: %v", g.Name, problems)
		}
		space := g.Name
		if g.Spec.SpaceName != "" {
			space = g.Spec.SpaceName
		}
		if !spaceNames.MatchString(space) {
			t.Errorf("spaceName %q", space)
		}
		if objects[g.Name] || spaces[space] {
			t.Errorf("%s, address %s, is there twice", g.Name, space)
		}
		objects[g.Name], spaces[space] = true, true
		members[g.Name] = g.Spec.Members
	}
	for name, sources := range members {
		if len(sources) > importer.MaxMembers {
			t.Errorf("%d members of %s", len(sources), name)
		}
		persons := map[string]bool{}
		for _, m := range sources {
			if m.Group != nil {
				if m.Person != "" || !objects[m.Group.Name] || m.Group.Name == name {
					t.Errorf("group %q as a source of %s", m.Group.Name, name)
				}
				continue
			}
			if !usernames.MatchString(m.Person) || persons[m.Person] {
				t.Errorf("member %q of %s", m.Person, name)
			}
			persons[m.Person] = true
		}
	}
}

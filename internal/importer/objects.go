// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package importer

import (
	"fmt"

	"k8s.io/apimachinery/pkg/api/validate/content"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
)

// Options say what the files do not.
type Options struct {
	// Community is the name of the Community.
	Community string
	// Namespace of all objects; empty leaves it to whoever applies them.
	Namespace string
	// Platform that the community lives on.
	Platform string
}

// Validate refuses what can't be a name.
func (o Options) Validate() error {
	if !spaceNamePattern.MatchString(o.Community) || len(content.IsDNS1123Label(o.Community)) > 0 {
		return fmt.Errorf("%q can't be a community's name: use lower-case letters, digits and hyphens, 63 at most", o.Community)
	}
	if len(content.IsDNS1123Subdomain(o.Platform)) > 0 {
		return fmt.Errorf("%q can't be a platform's name: name a Platform of the cluster", o.Platform)
	}
	if o.Namespace != "" && len(content.IsDNS1123Label(o.Namespace)) > 0 {
		return fmt.Errorf("%q can't be a namespace: use lower-case letters, digits and hyphens, 63 at most", o.Namespace)
	}
	return nil
}

// NewCommunity is a Community on the platform.
func (o Options) NewCommunity(displayName string) *v1alpha1.Community {
	return &v1alpha1.Community{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1alpha1.GroupVersion.String(), Kind: "Community"},
		ObjectMeta: metav1.ObjectMeta{Name: o.Community, Namespace: o.Namespace},
		Spec: v1alpha1.CommunitySpec{
			DisplayName: DisplayName(displayName, o.Community),
			Platforms:   []v1alpha1.CommunityPlatform{{PlatformRef: v1alpha1.LocalReference{Name: o.Platform}}},
		},
	}
}

// NewGroup is a Group of the community.
func (o Options) NewGroup(a Address) *v1alpha1.Group {
	g := &v1alpha1.Group{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1alpha1.GroupVersion.String(), Kind: "Group"},
		ObjectMeta: metav1.ObjectMeta{Name: a.Object, Namespace: o.Namespace},
		Spec:       v1alpha1.GroupSpec{CommunityRef: v1alpha1.LocalReference{Name: o.Community}, DisplayName: a.Display},
	}
	if a.Space != a.Object {
		g.Spec.SpaceName = a.Space
	}
	return g
}

// GrantFinding says which names the platform team has to grant.
func (o Options) GrantFinding() Finding {
	return Finding{
		Outcome: Check, Kind: "Community", Name: o.Community,
		What:   "the grant of its names",
		Detail: fmt.Sprintf("names: [%q, %q]", o.Community, o.Community+"-*"),
		Why:    fmt.Sprintf("A namespace takes only the names that spec.access of Platform %s grants it.", o.Platform),
		Do:     "Have the platform team grant these names to the namespace.",
	}
}

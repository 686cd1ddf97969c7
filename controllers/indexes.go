// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"slices"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
)

// The indexes of the cache, and what each is of.
const (
	indexPlatform    = "platform"    // of Communities and Groups: Platforms that they are on, or were
	indexCommunity   = "community"   // of Groups: their Community
	indexGuidelines  = "guidelines"  // of Communities and Groups: the ConfigMap with their guidelines
	indexMemberGroup = "memberGroup" // of Communities and Groups: Groups that they take members from
	indexCredentials = "credentials" // of Platforms and Directories: their Secret
	indexDirectory   = "directory"   // of Communities, Groups, Platforms and GovernancePolicies: Directories that they use
	indexList        = "list"        // of Directories: the ConfigMap with their people
	indexManages     = "manages"     // of CommunityManagers: namespaces whose Communities they name
	indexPerson      = "person"      // of CommunityManagers: who they are about
	indexManagersOf  = "managersOf"  // of Communities and Groups: "true" where members come from managers
	indexTarget      = "target"      // of GovernanceDecisions: the kind and name of what was decided on
)

func addIndexes(ctx context.Context, indexer client.FieldIndexer) error {
	for _, index := range []struct {
		object client.Object
		name   string
		values func(client.Object) []string
	}{
		{&v1alpha1.Community{}, indexPlatform, func(o client.Object) []string {
			c := o.(*v1alpha1.Community)
			names := platformsIn(c.Status.SpaceStatus)
			for _, p := range c.Spec.Platforms {
				names = append(names, p.PlatformRef.Name)
			}
			return names
		}},
		{&v1alpha1.Group{}, indexPlatform, func(o client.Object) []string {
			return platformsIn(o.(*v1alpha1.Group).Status.SpaceStatus)
		}},
		{&v1alpha1.Group{}, indexCommunity, func(o client.Object) []string {
			return []string{o.(*v1alpha1.Group).Spec.CommunityRef.Name}
		}},
		{&v1alpha1.Community{}, indexGuidelines, func(o client.Object) []string {
			return configMapIn(o.(*v1alpha1.Community).Spec.Guidelines)
		}},
		{&v1alpha1.Group{}, indexGuidelines, func(o client.Object) []string {
			return configMapIn(o.(*v1alpha1.Group).Spec.Guidelines)
		}},
		{&v1alpha1.Community{}, indexMemberGroup, func(o client.Object) []string {
			return groupsIn(o.(*v1alpha1.Community).Spec.Members)
		}},
		{&v1alpha1.Group{}, indexMemberGroup, func(o client.Object) []string {
			return groupsIn(o.(*v1alpha1.Group).Spec.Members)
		}},
		{&v1alpha1.Platform{}, indexCredentials, func(o client.Object) []string {
			return []string{o.(*v1alpha1.Platform).Spec.CredentialsRef.Name}
		}},
		{&v1alpha1.Directory{}, indexCredentials, func(o client.Object) []string {
			if ref := o.(*v1alpha1.Directory).Spec.CredentialsRef; ref != nil {
				return []string{ref.Name}
			}
			return nil
		}},
		{&v1alpha1.Directory{}, indexList, func(o client.Object) []string {
			if ref := o.(*v1alpha1.Directory).Spec.ConfigMapKeyRef; ref != nil {
				return []string{ref.Name}
			}
			return nil
		}},
		{&v1alpha1.Community{}, indexDirectory, directoriesIn},
		{&v1alpha1.Group{}, indexDirectory, directoriesIn},
		{&v1alpha1.Platform{}, indexDirectory, directoriesIn},
		{&v1alpha1.GovernancePolicy{}, indexDirectory, directoriesIn},
		{&v1alpha1.CommunityManager{}, indexManages, func(o client.Object) []string {
			return managedNamespaces(o.(*v1alpha1.CommunityManager))
		}},
		{&v1alpha1.CommunityManager{}, indexPerson, func(o client.Object) []string {
			return []string{o.(*v1alpha1.CommunityManager).Spec.Person}
		}},
		{&v1alpha1.Community{}, indexManagersOf, func(o client.Object) []string {
			return managersOfIn(o.(*v1alpha1.Community).Spec.Members)
		}},
		{&v1alpha1.Group{}, indexManagersOf, func(o client.Object) []string {
			return managersOfIn(o.(*v1alpha1.Group).Spec.Members)
		}},
		{&v1alpha1.GovernanceDecision{}, indexTarget, func(o client.Object) []string {
			return []string{targetKey(o.(*v1alpha1.GovernanceDecision).Spec.TargetRef)}
		}},
	} {
		if err := indexer.IndexField(ctx, index.object, index.name, index.values); err != nil {
			return fmt.Errorf("indexing %T by %s: %w", index.object, index.name, err)
		}
	}
	return nil
}

func platformsIn(s v1alpha1.SpaceStatus) []string {
	names := make([]string, 0, len(s.Platforms))
	for _, p := range s.Platforms {
		names = append(names, p.Name)
	}
	return names
}

func configMapIn(g *v1alpha1.Guidelines) []string {
	if g == nil || g.ConfigMapKeyRef == nil {
		return nil
	}
	return []string{g.ConfigMapKeyRef.Name}
}

// directoriesIn are the Directories that a Community, Group, Platform or GovernancePolicy names.
func directoriesIn(o client.Object) []string {
	var sources []v1alpha1.MemberSource
	var names []string
	switch o := o.(type) {
	case *v1alpha1.Community:
		sources = o.Spec.Members
	case *v1alpha1.Group:
		sources = o.Spec.Members
	case *v1alpha1.Platform:
		if a := o.Spec.Accounts; a != nil && a.DirectoryRef != nil {
			names = append(names, a.DirectoryRef.Name)
		}
	case *v1alpha1.GovernancePolicy:
		if m := o.Spec.Managers; m != nil && m.TrainedGroup != nil {
			names = append(names, m.TrainedGroup.DirectoryRef.Name)
		}
		if e := o.Spec.Evaluation; e != nil && e.Areas != nil {
			names = append(names, e.Areas.DirectoryRef.Name)
		}
	}
	for _, s := range sources {
		switch {
		case s.DirectoryGroup != nil:
			names = append(names, s.DirectoryGroup.DirectoryRef.Name)
		case s.Attribute != nil:
			names = append(names, s.Attribute.DirectoryRef.Name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func groupsIn(sources []v1alpha1.MemberSource) []string {
	var names []string
	for _, s := range sources {
		if s.Group != nil {
			names = append(names, s.Group.Name)
		}
	}
	return names
}

func managersOfIn(sources []v1alpha1.MemberSource) []string {
	if slices.ContainsFunc(sources, func(s v1alpha1.MemberSource) bool { return s.ManagersOf != nil }) {
		return []string{"true"}
	}
	return nil
}

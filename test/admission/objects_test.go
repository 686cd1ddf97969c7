// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package admission_test

import (
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
)

// platform is a Platform that lets in whom the entries say.
func platform(name string, access ...v1alpha1.PlatformAccess) *v1alpha1.Platform {
	return &v1alpha1.Platform{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: v1alpha1.PlatformSpec{
			Type: v1alpha1.PlatformMatrix, OwnerID: "test",
			Matrix:         &v1alpha1.MatrixPlatform{HomeserverURL: "https://matrix.example.com", ServerName: "example.com"},
			CredentialsRef: v1alpha1.LocalReference{Name: "matrix"},
			Access:         access,
		},
	}
}

func access(selector metav1.LabelSelector, names ...string) v1alpha1.PlatformAccess {
	return v1alpha1.PlatformAccess{NamespaceSelector: selector, Names: names}
}

func official(entry v1alpha1.PlatformAccess, says v1alpha1.OfficialAccess) v1alpha1.PlatformAccess {
	entry.Official = says
	return entry
}

// An edit changes one thing of an object before it is submitted.
type edit func(client.Object)

func community(name string, edits ...edit) *v1alpha1.Community {
	c := &v1alpha1.Community{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: namespace},
		Spec:       v1alpha1.CommunitySpec{DisplayName: "Engineering"},
	}
	for _, e := range edits {
		e(c)
	}
	return c
}

func group(edits ...edit) *v1alpha1.Group {
	g := &v1alpha1.Group{
		ObjectMeta: metav1.ObjectMeta{Name: "golang", Namespace: namespace},
		Spec:       v1alpha1.GroupSpec{CommunityRef: v1alpha1.LocalReference{Name: "engineering"}, DisplayName: "Go"},
	}
	for _, e := range edits {
		e(g)
	}
	return g
}

func communityManager(name string) *v1alpha1.CommunityManager {
	return &v1alpha1.CommunityManager{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: namespace},
		Spec: v1alpha1.CommunityManagerSpec{
			Person: "lucia.prieto", Role: v1alpha1.ManagerLead, Purpose: "Keeps it useful.", Responsibilities: []string{"Moderation"},
			Commitment: v1alpha1.CommitmentPartTime, Communities: []v1alpha1.ManagedCommunities{{Name: "engineering"}},
		},
	}
}

// decision is one that the approver makes about Group golang.
func decision(edits ...edit) *v1alpha1.GovernanceDecision {
	d := &v1alpha1.GovernanceDecision{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "golang-", Namespace: namespace},
		Spec: v1alpha1.GovernanceDecisionSpec{
			TargetRef:  v1alpha1.DecisionTarget{Kind: v1alpha1.TargetGroup, Name: "golang"},
			ProposalID: "6f1a2b3c-0000-4000-8000-000000000000", Hash: strings.Repeat("0a", 32),
			Verdict: v1alpha1.VerdictApprove, DecidedBy: tenant,
		},
	}
	for _, e := range edits {
		e(d)
	}
	return d
}

// on has the community live on a Platform, under a name; empty is metadata.name.
func on(platform, name string) edit {
	return func(o client.Object) {
		c := o.(*v1alpha1.Community)
		c.Spec.Platforms = append(c.Spec.Platforms, v1alpha1.CommunityPlatform{
			PlatformRef: v1alpha1.LocalReference{Name: platform}, SpaceName: name,
		})
	}
}

func standing(s v1alpha1.Standing) edit {
	return func(o client.Object) { o.(*v1alpha1.Community).Spec.Standing = s }
}

func in(namespace string) edit { return func(o client.Object) { o.SetNamespace(namespace) } }

func annotated(value string) edit {
	return func(o client.Object) { o.SetAnnotations(map[string]string{v1alpha1.ForceReleaseAnnotation: value}) }
}

func decidedBy(user string) edit {
	return func(o client.Object) { o.(*v1alpha1.GovernanceDecision).Spec.DecidedBy = user }
}

func about(kind v1alpha1.TargetKind, name string) edit {
	return func(o client.Object) {
		o.(*v1alpha1.GovernanceDecision).Spec.TargetRef = v1alpha1.DecisionTarget{Kind: kind, Name: name}
	}
}

func ofKind(kind v1alpha1.ProposalKind) edit {
	return func(o client.Object) { o.(*v1alpha1.GovernanceDecision).Spec.ProposalKind = kind }
}

// merge is a patch, as a manager or kubectl sends it.
func merge(json string) client.Patch { return client.RawPatch(types.MergePatchType, []byte(json)) }

// withoutFinalizers lets an object go.
var withoutFinalizers = merge(`{"metadata":{"finalizers":null}}`)

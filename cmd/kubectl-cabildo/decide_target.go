// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
)

// target is a resource to decide on, as it is named on the command line.
type target struct {
	kind v1alpha1.TargetKind
	name string
}

func (t target) String() string { return strings.ToLower(string(t.kind)) + "/" + t.name }

// targetsOf reads arguments such as group/incidents, each target once. A kind
// may be said in every way that kubectl takes.
func targetsOf(args []string) ([]target, error) {
	kinds := map[string]v1alpha1.TargetKind{
		"community": v1alpha1.TargetCommunity, "communities": v1alpha1.TargetCommunity, "comm": v1alpha1.TargetCommunity,
		"group": v1alpha1.TargetGroup, "groups": v1alpha1.TargetGroup, "grp": v1alpha1.TargetGroup,
		"communitymanager": v1alpha1.TargetManager, "communitymanagers": v1alpha1.TargetManager, "cmgr": v1alpha1.TargetManager,
	}
	var targets []target
	for _, arg := range args {
		word, name, _ := strings.Cut(arg, "/")
		kind, known := kinds[strings.TrimSuffix(strings.ToLower(word), "."+v1alpha1.GroupVersion.Group)]
		if !known || name == "" || strings.Contains(name, "/") {
			return nil, fmt.Errorf("%q names no community, group or manager: say community/NAME, group/NAME or communitymanager/NAME, such as group/incidents", arg)
		}
		if t := (target{kind, name}); !slices.Contains(targets, t) {
			targets = append(targets, t)
		}
	}
	return targets, nil
}

// get reads the target into an object of its kind, or says what a person can do about that it can't.
func (t target) get(ctx context.Context, cluster client.Client, namespace string, object client.Object, plural string) error {
	err := cluster.Get(ctx, client.ObjectKey{Namespace: namespace, Name: t.name}, object)
	switch {
	case err == nil:
		return nil
	case apierrors.IsNotFound(err) && !apierrors.HasStatusCause(err, metav1.CauseTypeUnexpectedServerResponse):
		return fmt.Errorf("there is none in namespace %s; kubectl cabildo tree shows what there is, and -n names another namespace", namespace)
	default:
		return explain(err, "read", plural, namespace)
	}
}

// read are the proposals of the target.
func (t target) read(ctx context.Context, cluster client.Client, namespace string) ([]*v1alpha1.Proposal, error) {
	var community v1alpha1.Community
	var group v1alpha1.Group
	var manager v1alpha1.CommunityManager
	object, plural := client.Object(&group), "groups"
	switch t.kind {
	case v1alpha1.TargetCommunity:
		object, plural = &community, "communities"
	case v1alpha1.TargetManager:
		object, plural = &manager, "communitymanagers"
	case v1alpha1.TargetGroup:
	}
	if err := t.get(ctx, cluster, namespace, object, plural); err != nil {
		return nil, err
	}
	proposals := []*v1alpha1.Proposal{community.Status.Proposal, group.Status.Proposal, manager.Status.Proposal}
	if g := community.Status.Governance; g != nil {
		proposals = append(proposals, g.Proposal)
	}
	return slices.DeleteFunc(proposals, func(p *v1alpha1.Proposal) bool { return p == nil }), nil
}

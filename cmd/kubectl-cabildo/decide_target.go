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
	}
	var targets []target
	for _, arg := range args {
		word, name, _ := strings.Cut(arg, "/")
		kind, known := kinds[strings.TrimSuffix(strings.ToLower(word), "."+v1alpha1.GroupVersion.Group)]
		if !known || name == "" || strings.Contains(name, "/") {
			return nil, fmt.Errorf("%q names no community or group: say community/NAME or group/NAME, such as group/incidents", arg)
		}
		if t := (target{kind, name}); !slices.Contains(targets, t) {
			targets = append(targets, t)
		}
	}
	return targets, nil
}

// read is the status of the target.
func (t target) read(ctx context.Context, cluster client.Client, namespace string) (*v1alpha1.SpaceStatus, error) {
	key := client.ObjectKey{Namespace: namespace, Name: t.name}
	var community v1alpha1.Community
	var group v1alpha1.Group
	object, status, plural := client.Object(&group), &group.Status.SpaceStatus, "groups"
	if t.kind == v1alpha1.TargetCommunity {
		object, status, plural = &community, &community.Status.SpaceStatus, "communities"
	}
	err := cluster.Get(ctx, key, object)
	switch {
	case err == nil:
		return status, nil
	case apierrors.IsNotFound(err) && !apierrors.HasStatusCause(err, metav1.CauseTypeUnexpectedServerResponse):
		return nil, fmt.Errorf("there is none in namespace %s; kubectl cabildo tree shows what there is, and -n names another namespace", namespace)
	default:
		return nil, explain(err, "read", plural, namespace)
	}
}

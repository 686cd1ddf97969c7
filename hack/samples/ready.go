// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package samples

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
)

// Unready says which platforms, communities and groups are not Ready on the
// generation that was applied, and why.
func Unready(ctx context.Context, c client.Reader) ([]string, error) {
	var waiting []string
	for _, list := range []client.ObjectList{&v1alpha1.PlatformList{}, &v1alpha1.CommunityList{}, &v1alpha1.GroupList{}} {
		if err := c.List(ctx, list); err != nil {
			return nil, fmt.Errorf("reading what is Ready: %w", err)
		}
		err := meta.EachListItem(list, func(o runtime.Object) error {
			object, ok := o.(client.Object)
			if !ok {
				return fmt.Errorf("%T is no object", o)
			}
			if why := whyUnready(object); why != "" {
				waiting = append(waiting, fmt.Sprintf("%T %s/%s: %s", o, object.GetNamespace(), object.GetName(), why))
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return waiting, nil
}

func whyUnready(o client.Object) string {
	switch ready := meta.FindStatusCondition(v1alpha1.ConditionsOf(o), v1alpha1.ConditionReady); {
	case ready == nil:
		return "nothing was said yet"
	case ready.Status != "True" || ready.ObservedGeneration != o.GetGeneration():
		return ready.Reason + ": " + ready.Message
	default:
		return ""
	}
}

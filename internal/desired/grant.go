// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package desired turns resources and what they refer to into wanted spaces.
// It is pure: what has to be read was read before, and time is passed in.
package desired

import (
	"fmt"
	"path"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
)

// Refusal says why something is not granted: the rule, whose it is, and what would pass.
type Refusal struct {
	Reason  string
	Message string
}

// Granted says whether a namespace may take a name on a platform. A platform
// without access rules lets nobody in.
func Granted(p *v1alpha1.Platform, namespace string, namespaceLabels map[string]string, name string, standing v1alpha1.Standing) (*Refusal, error) {
	var names []string
	var granted, official bool
	for _, access := range p.Spec.Access {
		selector, err := metav1.LabelSelectorAsSelector(&access.NamespaceSelector)
		if err != nil {
			return nil, fmt.Errorf("reading the namespaceSelector of Platform %s: %w", p.Name, err)
		}
		if !selector.Matches(labels.Set(namespaceLabels)) {
			continue
		}
		granted = true
		for _, glob := range access.Names {
			names = append(names, glob)
			// path.Match treats / as a separator; names have none.
			if ok, _ := path.Match(glob, name); !ok {
				continue
			}
			if standing != v1alpha1.StandingOfficial || access.Official == v1alpha1.OfficialAllowed {
				return nil, nil
			}
			official = true
		}
	}
	switch {
	case !granted:
		return &Refusal{v1alpha1.ReasonNamespaceNotGranted, fmt.Sprintf(
			"Platform %s lets no space of namespace %s in. Ask the platform team to add an entry for this namespace to its spec.access.",
			p.Name, namespace)}, nil
	case official:
		return &Refusal{v1alpha1.ReasonOfficialNotGranted, fmt.Sprintf(
			"Platform %s lets namespace %s take the name %q, but not call it official. Set standing: Unofficial, or ask the platform team for official: Allowed in its spec.access.",
			p.Name, namespace, name)}, nil
	default:
		return &Refusal{v1alpha1.ReasonNameNotGranted, fmt.Sprintf(
			"Platform %s lets namespace %s take the names %s, and %q is none of them. Choose another spaceName, or ask the platform team to add it to its spec.access.",
			p.Name, namespace, strings.Join(names, ", "), name)}, nil
	}
}

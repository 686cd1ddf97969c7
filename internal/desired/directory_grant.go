// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package desired

import (
	"fmt"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
)

// DirectoryGroupGranted says whether a namespace may take members from a
// group of a directory; nil when it may. A directory without access rules lets nobody.
func DirectoryGroupGranted(d *v1alpha1.Directory, namespace string, namespaceLabels map[string]string, group string) *Refusal {
	groups, _, refusal := directoryAccess(d, namespace, namespaceLabels)
	if refusal != nil || slices.ContainsFunc(groups, func(glob string) bool { return matches(glob, group) }) {
		return refusal
	}
	return &Refusal{v1alpha1.ReasonDirectoryGroupNotGranted, fmt.Sprintf(
		"directoryGroup %q: Directory %s lets namespace %s use the groups %s, and this is none of them; choose another group, or ask the platform team to add it to its spec.access",
		group, d.Name, namespace, orNone(groups))}
}

// AttributeGranted says whether a namespace may take members by an attribute of a directory; nil when it may.
func AttributeGranted(d *v1alpha1.Directory, namespace string, namespaceLabels map[string]string, attribute string) *Refusal {
	_, attributes, refusal := directoryAccess(d, namespace, namespaceLabels)
	if refusal != nil || slices.Contains(attributes, attribute) {
		return refusal
	}
	return &Refusal{v1alpha1.ReasonDirectoryAttributeNotGranted, fmt.Sprintf(
		"attribute %q: Directory %s lets namespace %s use the attributes %s, and this is none of them; choose another attribute, or ask the platform team to add it to its spec.access",
		attribute, d.Name, namespace, orNone(attributes))}
}

func orNone(list []string) string {
	if len(list) == 0 {
		return "(none)"
	}
	return strings.Join(list, ", ")
}

// directoryAccess are all groups and attributes that the entries for a namespace grant.
func directoryAccess(d *v1alpha1.Directory, namespace string, namespaceLabels map[string]string) (groups, attributes []string, refusal *Refusal) {
	granted := false
	for _, access := range d.Spec.Access {
		// The API takes none that can't be read; one that can't be read grants nothing.
		selector, err := metav1.LabelSelectorAsSelector(&access.NamespaceSelector)
		if err != nil || !selector.Matches(labels.Set(namespaceLabels)) {
			continue
		}
		granted = true
		groups, attributes = append(groups, access.Groups...), append(attributes, access.Attributes...)
	}
	if !granted {
		return nil, nil, &Refusal{v1alpha1.ReasonDirectoryNotGranted, fmt.Sprintf(
			"Directory %s lets nothing of namespace %s use it; ask the platform team to add an entry for this namespace to its spec.access", d.Name, namespace)}
	}
	return groups, attributes, nil
}

// matches compares a whole name with a glob, in which * is any text and ? any
// one character. Names of groups have any character, so nothing else has a meaning.
func matches(glob, name string) bool {
	g, n := []rune(glob), []rune(name)
	star, from := -1, 0
	i, j := 0, 0
	for j < len(n) {
		switch {
		case i < len(g) && g[i] == '*':
			star, from = i, j
			i++
		case i < len(g) && (g[i] == '?' || g[i] == n[j]):
			i++
			j++
		case star >= 0: // the last * takes one more
			from++
			i, j = star+1, from
		default:
			return false
		}
	}
	for i < len(g) && g[i] == '*' {
		i++
	}
	return i == len(g)
}

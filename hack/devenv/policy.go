// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package devenv

import "k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

// OpenPolicy governs every namespace and asks for nothing: without a policy
// nothing is provisioned, and most tests and figures are about something else.
// Any other policy comes before it.
func OpenPolicy() *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "community.cabildo.dev/v1alpha1", "kind": "GovernancePolicy",
		"metadata": map[string]any{"name": "open"},
		"spec": map[string]any{
			"governs":  map[string]any{"namespaceSelector": map[string]any{}},
			"priority": int64(-1000),
			"tiers":    []any{map[string]any{"name": "Open", "rank": int64(0)}},
		},
	}}
}

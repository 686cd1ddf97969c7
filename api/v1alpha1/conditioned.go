// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// Conditioned is an object that says in conditions how it is, as every kind of this API does.
// +kubebuilder:object:generate=false
type Conditioned interface {
	GetConditions() []metav1.Condition
}

// ConditionsOf are the conditions of an object; none of one that has none.
func ConditionsOf(o any) []metav1.Condition {
	if c, ok := o.(Conditioned); ok {
		return c.GetConditions()
	}
	return nil
}

// GetConditions is Conditioned's.
func (o *Platform) GetConditions() []metav1.Condition { return o.Status.Conditions }

// GetConditions is Conditioned's.
func (o *Directory) GetConditions() []metav1.Condition { return o.Status.Conditions }

// GetConditions is Conditioned's.
func (o *Community) GetConditions() []metav1.Condition { return o.Status.Conditions }

// GetConditions is Conditioned's.
func (o *Group) GetConditions() []metav1.Condition { return o.Status.Conditions }

// GetConditions is Conditioned's.
func (o *CommunityManager) GetConditions() []metav1.Condition { return o.Status.Conditions }

// GetConditions is Conditioned's.
func (o *GovernancePolicy) GetConditions() []metav1.Condition { return o.Status.Conditions }

// GetConditions is Conditioned's.
func (o *GovernanceDecision) GetConditions() []metav1.Condition { return o.Status.Conditions }

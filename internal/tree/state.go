// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package tree

import (
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
)

// state is what the conditions of an object come down to.
type state struct {
	text  string
	notes []string
	// ready: Ready, and about the newest generation.
	ready bool
	// unseen: the operator has said nothing about the newest generation.
	unseen bool
}

// stateOf is about an object of a kind, as kubectl names it.
func stateOf(kind string, object *metav1.ObjectMeta, status v1alpha1.SpaceStatus) state {
	ready := meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionReady)
	var s state
	switch {
	case ready == nil:
		s = state{text: "not reconciled yet", unseen: true}
	case status.ObservedGeneration < object.Generation:
		s = state{text: "changed, not reconciled yet", unseen: true}
	case ready.Status == metav1.ConditionTrue:
		s = state{text: "Ready", ready: true}
	case meta.IsStatusConditionTrue(status.Conditions, v1alpha1.ConditionStalled):
		s = state{text: "Stalled: " + ready.Reason, notes: messages(ready.Message)}
	default:
		s = state{text: ready.Reason, notes: messages(ready.Message)}
	}
	if object.DeletionTimestamp != nil {
		if s.ready {
			s.text = v1alpha1.ReasonDeleting
		} else if s.text != v1alpha1.ReasonDeleting {
			s.text = v1alpha1.ReasonDeleting + ", " + s.text
		}
		s.ready = false
	}
	if !s.ready { // while Ready, nothing of the space waits
		s.notes = append(s.notes, proposalNotes(kind, object.Namespace, object.Name, status.Proposal)...)
	}
	// Conditions that inform don't make an object unready, but nobody would
	// look for them under a Ready.
	for _, c := range status.Conditions {
		switch c.Type {
		case v1alpha1.ConditionReady, v1alpha1.ConditionReconciling, v1alpha1.ConditionStalled:
			continue
		}
		if c.Status != metav1.ConditionFalse || ready != nil && c.Message == ready.Message {
			continue
		}
		message := c.Message
		if c.Reason == v1alpha1.ReasonSettingsUnsupported { // it says them one by one; here is how many
			message, _, _ = strings.Cut(message, ". ")
		}
		s.notes = append(s.notes, messages(c.Reason+": "+message)...)
	}
	return s
}

// messages is a message on one line, or nothing.
func messages(message string) []string {
	message = strings.Join(strings.Fields(message), " ")
	if message == "" {
		return nil
	}
	return []string{message}
}

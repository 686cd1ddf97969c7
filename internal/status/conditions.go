// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package status

import (
	"cmp"
	"fmt"
	"strings"
	"unicode/utf8"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
)

// maxMessage is the longest message that the API server takes. It counts
// characters, which are never more than bytes.
const maxMessage = 32768

// MaxSamples is how many items a message names.
const MaxSamples = 20

// Outcome is what a pass over a resource found.
type Outcome struct {
	Generation int64
	// Problem is why the resource isn't Ready; nil when it is.
	Problem *Problem
	// Halted, when set, says why nothing is done on purpose: Suspended, Observed, Planned, Deleting.
	Halted string
	// Message goes with Ready, or with Halted.
	Message string
	// Members, Moderation and Grants are findings that do not make the resource unready. A nil finding is not known.
	Members    *Finding
	Moderation *Finding
	Grants     *Finding
	// Governed and Staffed are about a Community's governance.
	Governed, Staffed *Finding
}

// Finding is good when its reason is empty.
type Finding struct {
	Reason  string
	Message string
}

// Apply sets the conditions that the outcome stands for, and takes away those
// that no longer hold. Ready is always there; Stalled and Reconciling only
// while they are true, and never both; GrantsRecorded only while it is false.
func Apply(conditions *[]metav1.Condition, o Outcome) {
	set := func(kind string, value metav1.ConditionStatus, reason, message string) {
		meta.SetStatusCondition(conditions, metav1.Condition{
			Type: kind, Status: value, Reason: reason, Message: fit(message), ObservedGeneration: o.Generation,
		})
	}
	stalled, reconciling := false, false
	switch {
	case o.Problem != nil:
		set(v1alpha1.ConditionReady, metav1.ConditionFalse, o.Problem.Reason, o.Problem.Message)
		if stalled = o.Problem.Severity == Stalled; stalled {
			set(v1alpha1.ConditionStalled, metav1.ConditionTrue, o.Problem.Reason, o.Problem.Message)
		} else {
			reconciling = true
			set(v1alpha1.ConditionReconciling, metav1.ConditionTrue, o.Problem.Reason, o.Problem.Message)
		}
	case o.Halted != "":
		set(v1alpha1.ConditionReady, metav1.ConditionFalse, o.Halted, o.Message)
	default:
		set(v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonReady, o.Message)
	}
	if !stalled {
		meta.RemoveStatusCondition(conditions, v1alpha1.ConditionStalled)
	}
	if !reconciling {
		meta.RemoveStatusCondition(conditions, v1alpha1.ConditionReconciling)
	}
	finding := func(kind, good, message string, f *Finding) {
		switch {
		case f == nil:
		case f.Reason == "":
			set(kind, metav1.ConditionTrue, good, cmp.Or(f.Message, message))
		default:
			set(kind, metav1.ConditionFalse, f.Reason, f.Message)
		}
	}
	finding(v1alpha1.ConditionMembersResolved, v1alpha1.ReasonAllResolved, "Every declared person has an account.", o.Members)
	finding(v1alpha1.ConditionModerationEnforced, v1alpha1.ReasonEnforced, "Every setting was read back from the platform.", o.Moderation)
	finding(v1alpha1.ConditionGoverned, v1alpha1.ReasonGoverned, "", o.Governed)
	finding(v1alpha1.ConditionStaffed, v1alpha1.ReasonStaffed, "", o.Staffed)
	switch {
	case o.Grants == nil:
	case o.Grants.Reason == "": // as it should be: not worth a condition on every resource
		meta.RemoveStatusCondition(conditions, v1alpha1.ConditionGrantsRecorded)
	default:
		set(v1alpha1.ConditionGrantsRecorded, metav1.ConditionFalse, o.Grants.Reason, o.Grants.Message)
	}
}

// fit makes a message one that the API server takes and gives back as it is;
// a platform's words may be long, and in no encoding.
func fit(message string) string {
	message = strings.ToValidUTF8(message, "\uFFFD")
	if len(message) <= maxMessage {
		return message
	}
	const more = "…"
	end := maxMessage - len(more)
	for !utf8.RuneStart(message[end]) {
		end--
	}
	return message[:end] + more
}

// Sample joins at most MaxSamples items, and says how many more there are.
func Sample(items []string) string {
	if len(items) <= MaxSamples {
		return strings.Join(items, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(items[:MaxSamples], ", "), len(items)-MaxSamples)
}

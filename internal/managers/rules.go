// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package managers

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
)

// Answer is No, Unknown or Yes.
type Answer int8

// The answers.
const (
	No Answer = iota
	Unknown
	Yes
)

// Rules say who counts as a manager. The zero value counts everybody.
type Rules struct {
	// Policy is the governing policy's; nil for none.
	Policy *v1alpha1.ManagerRules
	// Trained says whether a person is proven to be trained. It is asked where the policy wants proof alone.
	Trained func(person string) Answer
	// Left says that a person has left the organisation; nil says so of nobody.
	Left func(person string) bool
}

// Appointed says that a manager was made one by whom the policy says.
func (r Rules) Appointed(m *v1alpha1.CommunityManager) bool {
	if r.Policy == nil || slices.Contains(r.Policy.Namespaces, m.Namespace) {
		return true
	}
	switch r.Policy.Appointment {
	case v1alpha1.AppointmentPlatformTeam:
		return false
	case v1alpha1.AppointmentSponsor:
		return m.Status.Appointment != nil && m.Status.Appointment.Hash == AppointmentHash(m)
	default:
		return true
	}
}

// NeedsApproval says that somebody has to approve a manager before they count, and nobody has.
func (r Rules) NeedsApproval(m *v1alpha1.CommunityManager) bool {
	return !r.Appointed(m) && r.Policy.Appointment == v1alpha1.AppointmentSponsor
}

// ProofAsked says that managers have to be proven to be trained.
func (r Rules) ProofAsked() bool { return r.Policy != nil && r.Policy.TrainedGroup != nil }

func (r Rules) left(person string) bool { return r.Left != nil && r.Left(person) }

// deputies are those of a manager who have not left themselves.
func (r Rules) deputies(m *v1alpha1.CommunityManager) []string {
	var people []string
	for _, d := range m.Spec.Deputies {
		if !r.left(d.Person) {
			people = append(people, d.Person)
		}
	}
	return people
}

func (r Rules) trained(person string) Answer {
	if !r.ProofAsked() {
		return Yes
	}
	return r.Trained(person)
}

// Appointment is what is approved when somebody is made a manager, line by
// line: who, as what, with how much of their time, where, until when, and who acts for them.
func Appointment(m *v1alpha1.CommunityManager) []string {
	lines := []string{fmt.Sprintf("appoint %s as %s", m.Spec.Person, m.Spec.Role)}
	commitment := "commitment " + string(m.Spec.Commitment)
	if m.Spec.BusinessArea != "" {
		commitment += ", of business area " + m.Spec.BusinessArea
	}
	lines = append(lines, commitment)
	for _, e := range m.Spec.Communities {
		namespace := cmp.Or(e.Namespace, m.Namespace)
		where := fmt.Sprintf("in community %s/%s", namespace, e.Name)
		if e.Selector != nil {
			where = fmt.Sprintf("in the communities of namespace %s with labels %s", namespace, cmp.Or(metav1.FormatLabelSelector(e.Selector), "everything"))
		}
		if e.AllocationPercent != nil {
			where += fmt.Sprintf(", %d percent", *e.AllocationPercent)
		}
		lines = append(lines, where)
	}
	if t := m.Spec.Term; t != nil {
		lines = append(lines, strings.TrimSpace("from "+t.Start+" to "+cmp.Or(t.End, "no end")))
	}
	var deputies []string
	for _, d := range m.Spec.Deputies {
		deputies = append(deputies, d.Person)
	}
	if len(deputies) > 0 {
		slices.Sort(deputies)
		lines = append(lines, "with deputies "+strings.Join(deputies, ", "))
	}
	return lines
}

// AppointmentHash identifies an appointment: the sha256 of its lines.
func AppointmentHash(m *v1alpha1.CommunityManager) string {
	sum := sha256.Sum256([]byte(strings.Join(Appointment(m), "\n") + "\n"))
	return hex.EncodeToString(sum[:])
}

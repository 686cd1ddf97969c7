// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package tree

import (
	"fmt"
	"strings"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
)

// Proposal shows all that a decision would be about: a person decides on the
// whole list, or on nothing. The target is named as kubectl does, such as
// group/incidents; the width is that of the terminal, and 0 never wraps.
func Proposal(target, namespace string, p *v1alpha1.Proposal, width int) string {
	const indent = "  "
	var out strings.Builder
	fmt.Fprintf(&out, "%s in namespace %s %s:\n", target, namespace, printable(wouldDo(p)))
	for _, operation := range p.Operations {
		fmt.Fprintf(&out, "%s%s\n", indent, printable(operation))
	}
	if len(p.Evidence) > 0 {
		fmt.Fprintf(&out, "because of\n")
	}
	for _, evidence := range p.Evidence {
		fmt.Fprintf(&out, "%s%s\n", indent, printable(evidence))
	}
	if p.Budget != "" {
		for _, line := range wrap(printable("That is more than the removal budget allows: "+p.Budget), width) {
			out.WriteString(line + "\n")
		}
	}
	return out.String()
}

// wouldDo says what a proposal comes to.
func wouldDo(p *v1alpha1.Proposal) string {
	switch p.Kind {
	case v1alpha1.ProposalTier:
		return "would come into " + p.Summary
	case v1alpha1.ProposalCreation:
		return "would get " + p.Summary
	case v1alpha1.ProposalAppointment:
		return "would " + p.Summary
	default:
		return "would take away " + p.Summary
	}
}

// proposalNotes are the lines about a proposal below a resource that is not Ready.
func proposalNotes(kind, namespace, name string, p *v1alpha1.Proposal) []string {
	switch {
	case p == nil:
		return nil
	case p.State == v1alpha1.ProposalOpen:
		return []string{
			"waits for approval: " + wouldDo(p),
			fmt.Sprintf("kubectl cabildo approve %s/%s -n %s", kind, name, namespace),
		}
	case p.State == v1alpha1.ProposalRefused:
		return []string{fmt.Sprintf("refused: %s (decided by %s)", wouldDo(p), p.DecidedBy)}
	default:
		return nil
	}
}

// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package api_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"
)

// Who may make a decision, and in whose name, is in test/admission.
var _ = DescribeTable("GovernanceDecision", decisions().check, decisions().entries())

const fullDecision = `
spec:
  targetRef: {kind: Group, name: incidents}
  proposalKind: Removal
  proposalID: 6f1a2b3c-4d5e-4f60-8172-93a4b5c6d7e8
  hash: 2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae
  verdict: Approve
  reason: The team of nine moved to another department.
  expiresAt: "2027-03-31T12:00:00Z"
  decidedBy: ana.ruiz@example.com
`

const minimalDecision = `
spec:
  targetRef: {kind: Group, name: incidents}
  proposalID: 6f1a2b3c-4d5e-4f60-8172-93a4b5c6d7e8
  hash: 2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae
  verdict: Refuse
  decidedBy: ana.ruiz@example.com
`

func decisions() kind {
	return kind{name: "GovernanceDecision", minimal: minimalDecision, full: fullDecision, rows: slices.Concat(
		required("spec", "spec.targetRef", "spec.proposalID", "spec.hash", "spec.verdict", "spec.decidedBy"),
		required("spec.targetRef.kind"),
		reference("spec.targetRef"),
		kindsOfProposals(),
		proposalAndHash(),
		choice("spec.verdict", "the verdict", "Approve", "Refuse"),
		someText("spec.reason", "a reason", 1024),
		[]row{accepts("a decision without a reason", remove("spec.reason"))},
		acceptsEach("spec.expiresAt", "the expiry", "2027-03-31T12:00:00Z", "2020-01-01T00:00:00+02:00"),
		refusesEach("spec.expiresAt", "the expiry", "must be of type date-time", "", "tomorrow", "2027-03-31", "24h"),
		someText("spec.decidedBy", "the name of who decides", 253),
		acceptsEach("spec.decidedBy", "who decides:", "system:serviceaccount:sales:robot", "https://id.example.com#ana", "Añá Ruiz"),
		misspelt("spec.target", "spec.proposal", "spec.decision", "spec.expires", "spec.approver"),
		immutableDecision(),
	)}
}

func kindsOfProposals() []row {
	const says = "a proposal of proposalKind Removal is a Community's or a Group's, Tier a Community's, Creation a Group's and Appointment a CommunityManager's"
	targets := map[string][]string{
		"": {"Community", "Group"}, "Removal": {"Community", "Group"}, "Tier": {"Community"}, "Creation": {"Group"}, "Appointment": {"CommunityManager"},
	}
	rows := []row{
		refuses("a target of a kind that nobody decides on, and lists the others", `supported values: "Community", "Group", "CommunityManager"`, set("spec.targetRef.kind", "Platform")),
		refuses("a proposal of a kind that does not exist, and lists the others", `supported values: "Removal", "Tier", "Creation", "Appointment"`, set("spec.proposalKind", "Promotion")),
	}
	for _, proposal := range slices.Sorted(maps.Keys(targets)) {
		for _, target := range []string{"Community", "Group", "CommunityManager"} {
			edits := []edit{set("spec.proposalKind", proposal), set("spec.targetRef.kind", target)}
			what := fmt.Sprintf("a proposal of kind %s on a %s", proposal, target)
			if proposal == "" {
				edits[0], what = remove("spec.proposalKind"), "a proposal that says no kind on a "+target
			}
			if slices.Contains(targets[proposal], target) {
				rows = append(rows, accepts(what, edits...))
			} else {
				rows = append(rows, refuses(what, says, edits...))
			}
		}
	}
	return rows
}

func proposalAndHash() []row {
	const id, hash = "spec.proposalID", "spec.hash"
	return slices.Concat(
		atMost(id, "a proposalID", 36, "a"),
		refusesEach(id, "the proposalID", "proposalID is the id in the target's status.proposal; kubectl cabildo approve fills it in",
			"", "6f1a2b3c", strings.Repeat("A", 36), strings.Repeat("g", 36), strings.Repeat(" ", 36)),
		atMost(hash, "a hash", 64, "a"),
		refusesEach(hash, "the hash", "hash is the hash in the target's status.proposal; kubectl cabildo approve fills it in",
			"", "2c26b46b", strings.Repeat("A", 64), strings.Repeat("-", 64), "sha256:"+strings.Repeat("0", 57)),
	)
}

func immutableDecision() []row {
	const says = "a decision is immutable; make another GovernanceDecision"
	return []row{
		later(accepts("a label", set("metadata.labels", from("{a: b}")))),
		later(refuses("a change of mind", says, set("spec.verdict", "Refuse"))),
		later(refuses("another name under it", says, set("spec.decidedBy", "carla"))),
		later(refuses("another kind of proposal", says, set("spec.proposalKind", "Creation"))),
		later(refuses("another target", says, set("spec.targetRef.name", "golang"))),
		later(refuses("a later expiry", says, set("spec.expiresAt", "2028-03-31T12:00:00Z"))),
		later(refuses("an expiry that is taken away", says, remove("spec.expiresAt"))),
		later(refuses("another reason", says, set("spec.reason", "Because."))),
	}
}

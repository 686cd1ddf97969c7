// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package governance

import (
	"fmt"
	"slices"
	"time"

	"github.com/cabildo-dev/cabildo/hack/benchmark/report"
	"github.com/cabildo-dev/cabildo/hack/stack"
)

// results is what was measured.
type results struct {
	versions          string
	evaluated         []time.Duration
	proposals         int
	communities       int
	atRest, during    []time.Duration
	edited, revokedBy time.Duration
	asked             stack.Requests
	joined, left      move
}

// mostEvaluated is the limit for the evaluation of all communities on one core.
const mostEvaluated = 2 * time.Second

func (r *results) section() *report.Section {
	slices.Sort(r.atRest)
	slices.Sort(r.during)
	return &report.Section{
		Name: "governance",
		Figures: []report.Figure{
			report.Under(fmt.Sprintf("evaluation of %d communities on one core, the longest", evaluated), r.evaluated[len(r.evaluated)-1], mostEvaluated),
			{What: "evaluation: tiers that were proposed", Value: fmt.Sprint(r.proposals)},
			{What: fmt.Sprintf("policy edit: until it was read back from all %d communities' spaces", r.communities), Value: report.Seconds(r.edited)},
			r.inBudget("policy edit: requests a second, on average", move{r.edited, r.asked}),
			{What: "revocation while nothing else is to do, the longest", Value: report.Seconds(r.atRest[len(r.atRest)-1])},
			{What: "revocation in the middle of the edit, median", Value: report.Seconds(report.Percentile(r.during, 50))},
			{What: "revocation in the middle of the edit, the longest", Value: report.Seconds(r.during[len(r.during)-1])},
			{What: "the last of them, after the edit had begun", Value: report.Seconds(r.revokedBy)},
			{What: "a manager of all communities: until they are in every space", Value: report.Seconds(r.joined.took)},
			{What: "a manager of all communities: requests for each space, on average", Value: r.perSpace(r.joined)},
			r.inBudget("a manager of all communities: requests a second, on average", r.joined),
			{What: "the manager is deleted: until they are out of every space", Value: report.Seconds(r.left.took)},
			{What: "the manager is deleted: requests for each space, on average", Value: r.perSpace(r.left)},
			r.inBudget("the manager is deleted: requests a second, on average", r.left),
		},
		Settings: []report.Setting{
			{Name: "servers", Value: r.versions}, report.Machine(),
			{Name: "evaluation", Value: fmt.Sprintf("the default policy and three others, %d managers for each community; %d times", managed, evaluatedTimes)},
			{Name: "request budget during the edit", Value: fmt.Sprintf("%d a second, %d at once", perSecond, stack.Concurrency)},
			{Name: "revocations", Value: fmt.Sprintf("%d at rest and %d during the edit, each from the changed declaration until the room says that the person is out; %s apart", revoked, revoked, apart)},
		},
		Requests: []report.Requests{
			{Of: "The policy edit, with the revocations", Asked: r.asked, Groups: r.communities},
			{Of: "The manager of all communities", Asked: r.joined.asked, Groups: r.communities},
			{Of: "The manager's deletion", Asked: r.left.asked, Groups: r.communities},
		},
	}
}

func (r *results) perSpace(m move) string {
	return fmt.Sprintf("%.2f", float64(m.asked.Reads()+m.asked.Writes())/float64(r.communities))
}

// inBudget is how often the platform was asked, and whether that is within its request budget.
func (r *results) inBudget(what string, m move) report.Figure {
	rate := float64(m.asked.Reads()+m.asked.Writes()) / m.took.Seconds()
	return report.Figure{What: what, Value: fmt.Sprintf("%.1f", rate), Limit: fmt.Sprintf("at most %d", perSecond), OK: rate <= perSecond}
}

// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package tree_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/internal/tree"
)

func TestAProposalIsShownWhole(t *testing.T) {
	p := &v1alpha1.Proposal{
		State: v1alpha1.ProposalOpen, Summary: "2 members",
		Operations: []string{"remove @rosa:example.com", "remove @lu\x1b[2Jis:example.com"},
		Budget:     "1 of 12 members in 24h, which is 10 % of them.",
	}
	want := `group/incidents in namespace engineering would take away 2 members:
  remove @rosa:example.com
  remove @lu` + "\uFFFD" + `[2Jis:example.com
That is more than the removal budget
allows: 1 of 12 members in 24h, which is
10 % of them.
`
	if diff := cmp.Diff(want, tree.Proposal("group/incidents", "engineering", p, 40)); diff != "" {
		t.Errorf("proposal (-want +got):\n%s", diff)
	}

	p.Operations = nil
	for i := range 500 {
		p.Operations = append(p.Operations, fmt.Sprintf("remove @p%d:example.com", i))
	}
	if shown := strings.Count(tree.Proposal("group/incidents", "engineering", p, 0), "\n  remove "); shown != 500 {
		t.Errorf("%d of 500 operations are shown: nobody decides on what they don't see", shown)
	}
}

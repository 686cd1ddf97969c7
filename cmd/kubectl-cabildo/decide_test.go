// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/cli-runtime/pkg/genericclioptions"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
)

const (
	guild    = "/apis/community.cabildo.dev/v1alpha1/namespaces/guild/"
	whoIsIt  = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
	denial   = `governancedecisions.community.cabildo.dev "ovens-x" is forbidden: ValidatingAdmissionPolicy 'decisions.community.cabildo.dev' with binding 'decisions.community.cabildo.dev' denied request: ana may not decide on Group ovens.`
	noRights = `governancedecisions.community.cabildo.dev is forbidden: User "ana" cannot create resource "governancedecisions"`
)

// cluster answers like an API server with a few groups, and keeps the decisions.
type cluster struct {
	url string
	// becomes are the conditions that a decision has when it is looked at: first, then, and from then on.
	becomes [][]metav1.Condition
	// refuses is the answer to a decision, where one is not taken.
	refuses string

	mutex  sync.Mutex
	made   []v1alpha1.GovernanceDecision
	looked int
}

func newCluster(t *testing.T) *cluster {
	c := &cluster{}
	server := httptest.NewServer(c)
	t.Cleanup(server.Close)
	c.url = server.URL
	return c
}

func (c *cluster) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	reply := func(object any) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(object)
	}
	kind := func(k string) metav1.TypeMeta {
		return metav1.TypeMeta{APIVersion: v1alpha1.GroupVersion.String(), Kind: k}
	}
	switch path, _ := strings.CutPrefix(r.URL.Path, guild); {
	case r.URL.Path == whoIsIt:
		reply(map[string]any{
			"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview",
			"status": map[string]any{"userInfo": map[string]any{"username": "ana"}},
		})
	case r.Method == http.MethodPost && path == "governancedecisions" && c.refuses != "":
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusForbidden)
		reply(metav1.Status{
			TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Status"},
			Status:   metav1.StatusFailure, Code: http.StatusForbidden, Reason: metav1.StatusReasonForbidden, Message: c.refuses,
		})
	case r.Method == http.MethodPost && path == "governancedecisions":
		var d v1alpha1.GovernanceDecision
		_ = json.NewDecoder(r.Body).Decode(&d)
		d.Name = fmt.Sprint(d.GenerateName, len(c.made))
		c.made = append(c.made, d)
		reply(d)
	case strings.HasPrefix(path, "governancedecisions/"):
		d := v1alpha1.GovernanceDecision{TypeMeta: kind("GovernanceDecision"), ObjectMeta: metav1.ObjectMeta{
			Namespace: "guild", Name: strings.TrimPrefix(path, "governancedecisions/"),
		}}
		if len(c.becomes) > 0 {
			d.Status.Conditions = c.becomes[min(c.looked, len(c.becomes)-1)]
		}
		c.looked++
		reply(d)
	case path == "communities/bread":
		reply(v1alpha1.Community{TypeMeta: kind("Community"), Status: v1alpha1.CommunityStatus{SpaceStatus: waiting(v1alpha1.ProposalOpen, "b")}})
	case strings.HasPrefix(path, "groups/"):
		status, found := map[string]v1alpha1.SpaceStatus{
			"ovens":    waiting(v1alpha1.ProposalOpen, "a"),
			"cakes":    waiting(v1alpha1.ProposalOpen, "c"),
			"pans":     {},
			"refused":  waiting(v1alpha1.ProposalRefused, "d"),
			"approved": waiting(v1alpha1.ProposalApproved, "e"),
		}[strings.TrimPrefix(path, "groups/")]
		if !found {
			answer(w, http.StatusNotFound, metav1.StatusReasonNotFound)
			return
		}
		reply(v1alpha1.Group{TypeMeta: kind("Group"), Status: v1alpha1.GroupStatus{SpaceStatus: status}})
	default:
		http.NotFound(w, r)
	}
}

// decisions are those that were made.
func (c *cluster) decisions() []v1alpha1.GovernanceDecision {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return c.made
}

func waiting(state v1alpha1.ProposalState, letter string) v1alpha1.SpaceStatus {
	return v1alpha1.SpaceStatus{Proposal: &v1alpha1.Proposal{
		ID: strings.Repeat(letter, 36), Hash: strings.Repeat(letter, 64), State: state, Summary: "2 members",
		Operations: []string{"remove @rosa:example.com", "remove @luis:example.com"}, Budget: "1 member in 24h.", DecidedBy: "carla",
	}}
}

func ready(status metav1.ConditionStatus, reason, message string) []metav1.Condition {
	conditions := []metav1.Condition{{Type: v1alpha1.ConditionReady, Status: status, Reason: reason, Message: message}}
	if status == metav1.ConditionFalse {
		conditions = append(conditions, metav1.Condition{Type: v1alpha1.ConditionStalled, Status: metav1.ConditionTrue, Reason: reason, Message: message})
	}
	return conditions
}

func TestADecisionIsAboutExactlyWhatIsShown(t *testing.T) {
	c := newCluster(t)
	c.becomes = [][]metav1.Condition{nil, ready(metav1.ConditionTrue, v1alpha1.ReasonReady, "2 members were taken away.")}
	out, errOut, err := run("approve", "group/ovens", "-n", "guild", "--yes", "--reason", "They moved.", "--server", c.url)
	if err != nil {
		t.Fatal(err, errOut)
	}
	for _, want := range []string{
		"group/ovens in namespace guild would take away 2 members:\n  remove @rosa:example.com\n  remove @luis:example.com\n",
		"more than the removal budget allows: 1 member in 24h.",
		"group/ovens: made the decision ovens-0\n",
		"group/ovens: 2 members were taken away.\n",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	made := c.decisions()
	if len(made) != 1 {
		t.Fatalf("%d decisions were made", len(made))
	}
	want := v1alpha1.GovernanceDecisionSpec{
		TargetRef:  v1alpha1.DecisionTarget{Kind: v1alpha1.TargetGroup, Name: "ovens"},
		ProposalID: strings.Repeat("a", 36), Hash: strings.Repeat("a", 64),
		Verdict: v1alpha1.VerdictApprove, Reason: "They moved.", DecidedBy: "ana",
	}
	if made[0].Spec != want || made[0].Namespace != "guild" || made[0].GenerateName != "ovens-" {
		t.Errorf("made %+v, want %+v", made[0], want)
	}
}

func TestRefuseIsTheOtherVerdict(t *testing.T) {
	c := newCluster(t)
	before := time.Now()
	if _, _, err := run("refuse", "comm/bread", "-n", "guild", "-y", "--expires", "2h", "--wait=false", "--server", c.url); err != nil {
		t.Fatal(err)
	}
	made := c.decisions()[0].Spec
	if made.Verdict != v1alpha1.VerdictRefuse || made.TargetRef.Kind != v1alpha1.TargetCommunity || made.ProposalID != strings.Repeat("b", 36) {
		t.Errorf("made %+v", made)
	}
	// The API keeps whole seconds.
	if made.ExpiresAt == nil || made.ExpiresAt.Before(&metav1.Time{Time: before.Add(2*time.Hour - time.Second)}) {
		t.Errorf("expires at %v", made.ExpiresAt)
	}
	if c.looked != 0 {
		t.Errorf("it was looked at %d times, with --wait=false", c.looked)
	}
}

func TestOneThatCantBeDecidedHoldsUpNoOther(t *testing.T) {
	c := newCluster(t)
	c.becomes = [][]metav1.Condition{ready(metav1.ConditionTrue, v1alpha1.ReasonReady, "Done.")}
	out, _, err := run("approve", "group/pans", "grp/ovens", "groups.community.cabildo.dev/ovens", "community/bread", "-n", "guild", "-y", "--server", c.url)
	if err == nil || err.Error() != "group/pans: nothing waits for a decision" {
		t.Errorf("error %v", err)
	}
	if made := c.decisions(); len(made) != 2 || made[0].Spec.TargetRef.Name != "ovens" || made[1].Spec.TargetRef.Name != "bread" {
		t.Errorf("made %+v", made)
	}
	if strings.Count(out, ": Done.") != 2 {
		t.Errorf("output:\n%s", out)
	}
}

func TestNothingIsDecidedAndThePluginSaysWhy(t *testing.T) {
	for name, tc := range map[string]struct {
		args []string
		want string
	}{
		"without a target":         {args: []string{"approve"}, want: "kubectl cabildo approve group/incidents"},
		"on another kind":          {args: []string{"approve", "platform/chat"}, want: `"platform/chat" names no community, group or manager`},
		"on a name without a kind": {args: []string{"approve", "ovens"}, want: `"ovens" names no community, group or manager`},
		"on two names in one":      {args: []string{"approve", "group/ovens/pans"}, want: "names no community, group or manager"},
		"without a terminal":       {args: []string{"approve", "group/ovens"}, want: "add --yes to approve what is listed above"},
		"nor to refuse":            {args: []string{"refuse", "group/ovens"}, want: "add --yes to refuse what is listed above"},
		"without a proposal":       {args: []string{"approve", "group/pans", "-y"}, want: "group/pans: nothing waits for a decision"},
		"on what was approved":     {args: []string{"refuse", "group/approved", "-y"}, want: "carla approved 2 members, and it is being carried out"},
		"on what was refused":      {args: []string{"approve", "group/refused", "-y"}, want: "carla refused 2 members; change the declaration, its removal budget or the policy"},
		"on what is not there":     {args: []string{"approve", "group/forks", "-y"}, want: "group/forks: there is none in namespace guild"},
		"for the past":             {args: []string{"approve", "group/ovens", "-y", "--expires", "-1h"}, want: "--expires -1h0m0s is in the past"},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCluster(t)
			out, _, err := run(append(tc.args, "-n", "guild", "--server", c.url)...)
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %v does not say %q", err, tc.want)
			}
			if len(c.decisions()) != 0 {
				t.Errorf("a decision was made, and this printed:\n%s", out)
			}
		})
	}
}

func TestADecisionThatIsNotTakenIsExplained(t *testing.T) {
	for name, tc := range map[string]struct {
		refuses, want, not string
	}{
		"by the admission policy": {refuses: denial, want: "group/ovens: the decision was refused: ana may not decide on Group ovens.", not: "ValidatingAdmissionPolicy"},
		"by the roles":            {refuses: noRights, want: "ask whoever hands out roles there for the ClusterRole cabildo-approver", not: "denied"},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCluster(t)
			c.refuses = tc.refuses
			_, _, err := run("approve", "group/ovens", "-n", "guild", "-y", "--server", c.url)
			if err == nil || !strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error(), tc.not) {
				t.Errorf("error %v does not say %q", err, tc.want)
			}
		})
	}
}

func TestAClusterWithoutCabildoIsNotOneWithoutTheGroup(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(server.Close)
	_, _, err := run("approve", "group/ovens", "-n", "guild", "-y", "--server", server.URL)
	if err == nil || !strings.Contains(err.Error(), "install Cabildo's chart") {
		t.Errorf("error %v", err)
	}
}

func TestADecisionWithoutEffectSaysWhy(t *testing.T) {
	c := newCluster(t)
	c.becomes = [][]metav1.Condition{ready(metav1.ConditionFalse, v1alpha1.ReasonProposalChanged, "Another list waits now.")}
	_, _, err := run("approve", "group/ovens", "-n", "guild", "-y", "--server", c.url)
	if err == nil || err.Error() != "group/ovens: the decision ovens-0 has no effect: ProposalChanged: Another list waits now." {
		t.Errorf("error %v", err)
	}
}

func TestADecisionThatNobodyTakesUpIsNotWaitedForForever(t *testing.T) {
	for name, tc := range map[string]struct {
		becomes [][]metav1.Condition
		want    string
	}{
		"no operator": {want: "the operator has not taken it up"},
		"an operator that waits": {
			becomes: [][]metav1.Condition{{{Type: v1alpha1.ConditionReady, Status: metav1.ConditionFalse, Reason: v1alpha1.ReasonDecisionPending, Message: "The Platform is down."}}},
			want:    "is not carried out yet: DecisionPending: The Platform is down.",
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCluster(t)
			c.becomes = tc.becomes
			flags := genericclioptions.NewConfigFlags(true)
			flags.APIServer = &c.url
			cluster, err := clusterOf(flags)
			if err != nil {
				t.Fatal(err)
			}
			ctx, stop := context.WithTimeout(t.Context(), 100*time.Millisecond)
			defer stop()
			d := &v1alpha1.GovernanceDecision{ObjectMeta: metav1.ObjectMeta{Namespace: "guild", Name: "ovens-0"}}
			if _, err := outcome(ctx, cluster, d); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %v does not say %q", err, tc.want)
			}
		})
	}
}

func TestOnlyYesIsYes(t *testing.T) {
	for answer, want := range map[string]bool{
		"y\n": true, "yes\n": true, "Y\n": true, "y": true, "\n": false, "": false, "n\n": false, "yeah\n": false, "no\ny\n": false,
	} {
		var out bytes.Buffer
		got, err := ask(strings.NewReader(answer), &out, "Approve this?")
		if err != nil || got != want || out.String() != "Approve this? [y/N] " {
			t.Errorf("%q: %t, %v, asked %q", answer, got, err, out.String())
		}
	}
}

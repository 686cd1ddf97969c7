// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
)

func governedCommunity() v1alpha1.Community {
	return v1alpha1.Community{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1alpha1.GroupVersion.String(), Kind: "Community"},
		ObjectMeta: metav1.ObjectMeta{Name: "bread", Namespace: "guild"},
		Spec:       v1alpha1.CommunitySpec{DisplayName: "Bread"},
		Status: v1alpha1.CommunityStatus{SpaceStatus: v1alpha1.SpaceStatus{Members: &v1alpha1.MemberCounts{Present: 12}}, Governance: &v1alpha1.GovernanceStatus{
			Policy: "bakers", Tier: "Seed", Next: &v1alpha1.NextTier{Tier: "Growing", When: []string{"50 members"}},
		}},
	}
}

func TestExplainShowsWhatGoverns(t *testing.T) {
	group := v1alpha1.Group{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1alpha1.GroupVersion.String(), Kind: "Group"},
		ObjectMeta: metav1.ObjectMeta{Name: "ovens", Namespace: "guild"},
		Spec:       v1alpha1.GroupSpec{DisplayName: "Ovens", CommunityRef: v1alpha1.LocalReference{Name: "bread"}},
	}
	policy := v1alpha1.GovernancePolicy{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1alpha1.GroupVersion.String(), Kind: "GovernancePolicy"},
		ObjectMeta: metav1.ObjectMeta{Name: "bakers"},
		Spec: v1alpha1.GovernancePolicySpec{Tiers: []v1alpha1.Tier{
			{Name: "Seed", Rank: 0},
			{Name: "Growing", Rank: 1, EnterWhen: &v1alpha1.EnterWhen{AnyOf: []v1alpha1.Threshold{{Members: ptr.To[int32](50)}}}},
		}},
	}
	server := serve(t, map[string]any{
		guild + "communities/bread": governedCommunity(),
		guild + "groups/ovens":      group,
		"/apis/community.cabildo.dev/v1alpha1/governancepolicies/bakers": policy,
	})
	for name, tc := range map[string]struct {
		args  []string
		wants []string
	}{
		"a community": {args: []string{"community", "bread"}, wants: []string{"Bread", "bakers", "Seed", "Growing: 12 of 50 members"}},
		"in one word": {args: []string{"community/bread"}, wants: []string{"Bread", "bakers"}},
		"a group":     {args: []string{"groups/ovens"}, wants: []string{"Ovens"}},
	} {
		t.Run(name, func(t *testing.T) {
			out, errOut, err := run(append([]string{"explain", "-n", "guild", "--server", server}, tc.args...)...)
			if err != nil || errOut != "" {
				t.Fatalf("%v\n%s", err, errOut)
			}
			for _, want := range tc.wants {
				if !strings.Contains(out, want) {
					t.Errorf("no %q in\n%s", want, out)
				}
			}
		})
	}
}

// A tenant may read the community and not the policy: the community says the rest.
func TestExplainWithoutTheRightToReadThePolicy(t *testing.T) {
	for name, tc := range map[string]struct {
		code   int
		reason metav1.StatusReason
		fails  string
	}{
		"no right":             {code: http.StatusForbidden, reason: metav1.StatusReasonForbidden},
		"gone meanwhile":       {code: http.StatusNotFound, reason: metav1.StatusReasonNotFound},
		"an answer that fails": {code: http.StatusBadRequest, reason: metav1.StatusReasonBadRequest, fails: "can't read governancepolicies"},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != guild+"communities/bread" {
					answer(w, tc.code, tc.reason)
					return
				}
				w.Header().Set("Content-Type", "application/json")
				_ = json.NewEncoder(w).Encode(governedCommunity())
			}))
			defer server.Close()
			out, _, err := run("explain", "community", "bread", "-n", "guild", "--server", server.URL)
			switch {
			case tc.fails == "" && (err != nil || !strings.Contains(out, "Growing takes 50 members")):
				t.Errorf("%v\n%s", err, out)
			case tc.fails != "" && (err == nil || !strings.Contains(err.Error(), tc.fails)):
				t.Errorf("error %v does not say %q", err, tc.fails)
			}
		})
	}
}

func TestErrorsOfExplainSayWhatToDo(t *testing.T) {
	nothing := serve(t, nil)
	for name, tc := range map[string]struct {
		server string
		args   []string
		want   string
	}{
		"nothing named":        {server: nothing, want: "such as: kubectl cabildo explain community engineering"},
		"another kind":         {server: nothing, args: []string{"platform", "chat"}, want: "names no community, group or manager"},
		"a manager":            {server: nothing, args: []string{"communitymanager", "ana"}, want: "kubectl describe"},
		"none of that name":    {server: nothing, args: []string{"group", "pans"}, want: "there is none in namespace guild"},
		"no right to see them": {server: refuse(t, http.StatusForbidden, metav1.StatusReasonForbidden), args: []string{"group", "pans"}, want: "you may not read groups in namespace guild"},
	} {
		t.Run(name, func(t *testing.T) {
			out, _, err := run(append([]string{"explain", "-n", "guild", "--server", tc.server}, tc.args...)...)
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %v does not say %q", err, tc.want)
			}
			if out != "" {
				t.Errorf("output all the same:\n%s", out)
			}
		})
	}
}

// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package status_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"pgregory.net/rapid"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/internal/status"
)

// asKstatusReads computes what Flux and others make of conditions, by the
// rules of sigs.k8s.io/cli-utils/pkg/kstatus for resources that it doesn't know.
func asKstatusReads(conditions []metav1.Condition, generation int64) string {
	ready := meta.FindStatusCondition(conditions, v1alpha1.ConditionReady)
	switch {
	case ready != nil && ready.ObservedGeneration != generation:
		return "InProgress"
	case meta.IsStatusConditionTrue(conditions, v1alpha1.ConditionReconciling):
		return "InProgress"
	case meta.IsStatusConditionTrue(conditions, v1alpha1.ConditionStalled):
		return "Failed"
	case ready != nil && ready.Status != metav1.ConditionTrue:
		return "InProgress"
	default:
		return "Current"
	}
}

// short writes conditions as Type=Status Reason.
func short(conditions []metav1.Condition) []string {
	var texts []string
	for _, c := range conditions {
		texts = append(texts, fmt.Sprintf("%s=%s %s", c.Type, c.Status, c.Reason))
	}
	return texts
}

func TestWhatAnOutcomeSays(t *testing.T) {
	for name, tc := range map[string]struct {
		outcome    status.Outcome
		conditions []string
		kstatus    string
	}{
		"as declared": {status.Outcome{}, []string{"Ready=True Ready"}, "Current"},
		"a person must act": {status.Outcome{Problem: status.Stall("NameTaken", "taken")},
			[]string{"Ready=False NameTaken", "Stalled=True NameTaken"}, "Failed"},
		"something else will change": {status.Outcome{Problem: status.Wait("PlatformNotReady", "soon")},
			[]string{"Ready=False PlatformNotReady", "Reconciling=True PlatformNotReady"}, "InProgress"},
		"it is tried again": {status.Outcome{Problem: status.Retry("Unavailable", nil, "down")},
			[]string{"Ready=False Unavailable", "Reconciling=True Unavailable"}, "InProgress"},
		"nothing is done on purpose": {status.Outcome{Halted: "Suspended", Message: "suspended"},
			[]string{"Ready=False Suspended"}, "InProgress"},
		"a problem is more than a purpose": {status.Outcome{Halted: "Suspended", Problem: status.Stall("NameTaken", "taken")},
			[]string{"Ready=False NameTaken", "Stalled=True NameTaken"}, "Failed"},
		"good findings": {status.Outcome{Members: &status.Finding{}, Moderation: &status.Finding{}},
			[]string{"Ready=True Ready", "MembersResolved=True AllResolved", "ModerationEnforced=True Enforced"}, "Current"},
		"bad findings don't make it unready": {
			status.Outcome{Members: &status.Finding{Reason: "PeopleNotFound", Message: "who?"}, Moderation: &status.Finding{Reason: "SettingsUnsupported"}},
			[]string{"Ready=True Ready", "MembersResolved=False PeopleNotFound", "ModerationEnforced=False SettingsUnsupported"}, "Current"},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			var conditions []metav1.Condition
			tc.outcome.Generation = 3
			status.Apply(&conditions, tc.outcome)
			g.Expect(short(conditions)).To(ConsistOf(tc.conditions))
			g.Expect(asKstatusReads(conditions, 3)).To(Equal(tc.kstatus))
			g.Expect(asKstatusReads(conditions, 4)).To(Equal("InProgress"), "what was said of an older generation is no answer")
		})
	}
}

func TestMessagesGoWhereTheyBelong(t *testing.T) {
	g := NewWithT(t)
	message := func(o status.Outcome, kind string) string {
		var conditions []metav1.Condition
		status.Apply(&conditions, o)
		return meta.FindStatusCondition(conditions, kind).Message
	}
	g.Expect(message(status.Outcome{Message: "All is well."}, v1alpha1.ConditionReady)).To(Equal("All is well."))
	g.Expect(message(status.Outcome{Message: "Waiting.", Halted: "Suspended"}, v1alpha1.ConditionReady)).To(Equal("Waiting."))
	g.Expect(message(status.Outcome{Problem: status.Stall("NameTaken", "%s is taken", "eng")}, v1alpha1.ConditionReady)).To(Equal("eng is taken"))
	g.Expect(message(status.Outcome{Problem: status.Stall("NameTaken", "eng is taken")}, v1alpha1.ConditionStalled)).To(Equal("eng is taken"))
	g.Expect(message(status.Outcome{Problem: status.Wait("InUse", "used")}, v1alpha1.ConditionReconciling)).To(Equal("used"))
	g.Expect(message(status.Outcome{Members: &status.Finding{Reason: "PeopleNotFound", Message: "who?"}}, v1alpha1.ConditionMembersResolved)).
		To(Equal("who?"))
	g.Expect(message(status.Outcome{Moderation: &status.Finding{}}, v1alpha1.ConditionModerationEnforced)).NotTo(BeEmpty())
}

var someOutcome = rapid.Custom(func(t *rapid.T) status.Outcome {
	o := status.Outcome{
		Generation: rapid.Int64Range(1, 3).Draw(t, "generation"),
		Message:    rapid.SampledFrom([]string{"", "one", "two"}).Draw(t, "message"),
		Halted:     rapid.SampledFrom([]string{"", "", "Suspended", "Planned"}).Draw(t, "halted"),
	}
	if rapid.Bool().Draw(t, "wrong") {
		o.Problem = &status.Problem{
			Severity: rapid.SampledFrom([]status.Severity{status.Waiting, status.Transient, status.Stalled}).Draw(t, "severity"),
			Reason:   rapid.SampledFrom([]string{"NameTaken", "Unavailable"}).Draw(t, "reason"), Message: "problem",
		}
	}
	finding := rapid.SampledFrom([]*status.Finding{nil, {}, {Reason: "PeopleNotFound", Message: "who?"}})
	o.Members, o.Moderation = finding.Draw(t, "members"), finding.Draw(t, "moderation")
	return o
})

func TestConditionsAreSoundAfterAnyHistory(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := NewWithT(t)
		var conditions []metav1.Condition
		for range rapid.IntRange(1, 6).Draw(t, "outcomes") {
			before := slices.Clone(conditions)
			o := someOutcome.Draw(t, "outcome")
			status.Apply(&conditions, o)

			ready := meta.FindStatusCondition(conditions, v1alpha1.ConditionReady)
			g.Expect(ready).NotTo(BeNil(), "Ready is always there")
			g.Expect(ready.Status == metav1.ConditionTrue).To(Equal(o.Problem == nil && o.Halted == ""))
			stalled := meta.FindStatusCondition(conditions, v1alpha1.ConditionStalled)
			reconciling := meta.FindStatusCondition(conditions, v1alpha1.ConditionReconciling)
			g.Expect(stalled != nil && reconciling != nil).To(BeFalse(), "never both")
			g.Expect(stalled != nil || reconciling != nil).To(Equal(o.Problem != nil), "one of them with a problem, none without")
			for _, c := range []*metav1.Condition{ready, stalled, reconciling} {
				if c != nil {
					g.Expect(c.ObservedGeneration).To(Equal(o.Generation), c.Type)
				}
			}
			if stalled != nil {
				g.Expect(stalled.Status).To(Equal(metav1.ConditionTrue))
			}
			if reconciling != nil {
				g.Expect(reconciling.Status).To(Equal(metav1.ConditionTrue))
			}
			for kind, finding := range map[string]*status.Finding{
				v1alpha1.ConditionMembersResolved: o.Members, v1alpha1.ConditionModerationEnforced: o.Moderation,
			} {
				now := meta.FindStatusCondition(conditions, kind)
				if finding == nil {
					g.Expect(now).To(Equal(meta.FindStatusCondition(before, kind)), "what is not known stays as it was known")
					continue
				}
				g.Expect(now.ObservedGeneration).To(Equal(o.Generation), kind)
				g.Expect(now.Status == metav1.ConditionTrue).To(Equal(finding.Reason == ""), kind)
			}
			types := map[string]bool{}
			for _, c := range conditions {
				g.Expect(types).NotTo(HaveKey(c.Type), "each type once")
				types[c.Type] = true
			}

			again := slices.Clone(conditions)
			status.Apply(&again, o)
			g.Expect(again).To(Equal(conditions), "the same outcome changes nothing")
		}
	})
}

func TestTheTimeOfATransitionIsThatOfTheStatus(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewWithT(t)
		var conditions []metav1.Condition
		ready := func() metav1.Condition { return *meta.FindStatusCondition(conditions, v1alpha1.ConditionReady) }
		status.Apply(&conditions, status.Outcome{Problem: status.Stall("NameTaken", "taken")})
		first := ready().LastTransitionTime

		time.Sleep(time.Hour)
		status.Apply(&conditions, status.Outcome{Problem: status.Wait("Unavailable", "down")})
		g.Expect(ready().LastTransitionTime).To(Equal(first), "another reason is no transition")
		status.Apply(&conditions, status.Outcome{})
		g.Expect(ready().LastTransitionTime.Sub(first.Time)).To(Equal(time.Hour))
	})
}

// most is the longest message that the schema of metav1.Condition allows, in characters.
const most = 32768

func TestALongMessageIsCutBetweenCharacters(t *testing.T) {
	fitted := func(message string) string {
		var conditions []metav1.Condition
		status.Apply(&conditions, status.Outcome{Message: message})
		return conditions[0].Message
	}
	for name, tc := range map[string]struct{ message, fitted string }{
		"a short one stays":          {"short", "short"},
		"the longest stays":          {strings.Repeat("x", most), strings.Repeat("x", most)},
		"one more is cut":            {strings.Repeat("x", most+1), strings.Repeat("x", most-3) + "…"},
		"a character stays whole":    {strings.Repeat("ñ", most), strings.Repeat("ñ", (most-3)/2) + "…"},
		"also one of four bytes":     {strings.Repeat("🏛", most), strings.Repeat("🏛", (most-3)/4) + "…"},
		"what is no text is made so": {"a\xffb", "a\uFFFDb"},
	} {
		t.Run(name, func(t *testing.T) {
			NewWithT(t).Expect(fitted(tc.message) == tc.fitted).To(BeTrue(), "%.20q… of %d bytes", fitted(tc.message), len(fitted(tc.message)))
		})
	}
}

// Messages hold what platforms say. The API server must take them, and give
// them back as they were: else every pass would write them anew.
func FuzzAMessageFits(f *testing.F) {
	f.Add("the name is taken", 1)
	f.Add("ñ", most)
	f.Add("\xff\xf0\x9f", most/2)
	f.Fuzz(func(t *testing.T, text string, times int) {
		if times < 0 || times > 4*most || times*len(text) > 8*most {
			t.Skip()
		}
		var conditions []metav1.Condition
		message := strings.Repeat(text, times)
		status.Apply(&conditions, status.Outcome{Message: message})
		is := conditions[0].Message
		if !utf8.ValidString(is) {
			t.Errorf("not UTF-8: %.40q", is)
		}
		if utf8.RuneCountInString(is) > most {
			t.Errorf("%d characters", utf8.RuneCountInString(is))
		}
		if utf8.ValidString(message) && !strings.HasPrefix(message, strings.TrimSuffix(is, "…")) {
			t.Errorf("%.40q became %.40q", message, is)
		}
	})
}

func TestASampleNamesTwentyAndCountsTheRest(t *testing.T) {
	g := NewWithT(t)
	items := func(n int) []string {
		var list []string
		for i := range n {
			list = append(list, fmt.Sprint("p", i))
		}
		return list
	}
	g.Expect(status.Sample(nil)).To(BeEmpty())
	g.Expect(status.Sample([]string{"ana"})).To(Equal("ana"))
	g.Expect(status.Sample(items(20))).To(And(HavePrefix("p0, p1, "), HaveSuffix(", p19")))
	g.Expect(status.Sample(items(21))).To(HaveSuffix(", p19 and 1 more"))
	g.Expect(status.Sample(items(1000))).To(HaveSuffix(", p19 and 980 more"))
}

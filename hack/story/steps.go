// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/internal/tree"
)

// say tells something of a day.
func (w *world) say(format string, args ...any) {
	fmt.Printf("%s  %s\n", w.clock.Now().UTC().Format(time.DateOnly), fmt.Sprintf(format, args...))
}

// quote shows what a resource or the API server said.
func quote(text string) {
	for line := range strings.SplitSeq(strings.TrimRight(text, "\n"), "\n") {
		fmt.Println("              │ " + line)
	}
}

// chapter begins a part of the year.
func chapter(title string) {
	fmt.Printf("\n%s\n%s\n", title, strings.Repeat("─", len([]rune(title))))
}

// days puts the clock ahead.
func (w *world) days(n int) { w.clock.by.Add(int64(time.Duration(n) * 24 * time.Hour)) }

// check notes what has to hold.
func (w *world) check(holds bool, format string, args ...any) error {
	if !holds {
		return fmt.Errorf("it does not hold: "+format, args...)
	}
	w.checks++
	return nil
}

// patience is how long anything may take that is waited for.
const patience = 90 * time.Second

// until waits for something to hold; says is what it lacks.
func (w *world) until(ctx context.Context, holds func() error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		err := holds()
		if err == nil {
			w.checks++
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(err, ctx.Err())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// change edits an object as somebody.
func (w *world) change(ctx context.Context, as client.Client, o client.Object, edit func()) error {
	return w.until(ctx, func() error {
		if err := as.Get(ctx, client.ObjectKeyFromObject(o), o); err != nil {
			return err
		}
		edit()
		return as.Update(ctx, o)
	})
}

// look has an object looked at anew, as the next resync would.
func (w *world) look(ctx context.Context, o client.Object) error {
	return w.change(ctx, w.cluster, o, func() {
		annotations := o.GetAnnotations()
		if annotations == nil {
			annotations = map[string]string{}
		}
		annotations["story.example.com/looked"] = fmt.Sprint(w.clock.Now().UnixNano())
		o.SetAnnotations(annotations)
	})
}

// condition waits until a condition has a reason, and returns its message.
func (w *world) condition(ctx context.Context, o client.Object, kind, reason string) (message string, err error) {
	err = w.until(ctx, func() error {
		if err := w.cluster.Get(ctx, client.ObjectKeyFromObject(o), o); err != nil {
			return err
		}
		c := meta.FindStatusCondition(v1alpha1.ConditionsOf(o), kind)
		switch {
		case c == nil:
			return fmt.Errorf("%s has no condition %s, wanted is %s", o.GetName(), kind, reason)
		case c.Reason != reason || c.ObservedGeneration != o.GetGeneration():
			return fmt.Errorf("%s is %s for %s (%s), wanted is %s", kind, c.Status, c.Reason, c.Message, reason)
		}
		message = c.Message
		return nil
	})
	return message, err
}

// ready waits until an object is Ready.
func (w *world) ready(ctx context.Context, o client.Object) error {
	_, err := w.condition(ctx, o, v1alpha1.ConditionReady, v1alpha1.ReasonReady)
	return err
}

// community is the one that the story is about.
func community() *v1alpha1.Community {
	return &v1alpha1.Community{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "engineering"}}
}

func group(name string) *v1alpha1.Group {
	return &v1alpha1.Group{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec:       v1alpha1.GroupSpec{CommunityRef: v1alpha1.LocalReference{Name: "engineering"}, DisplayName: name, Purpose: "About " + name + "."},
	}
}

// proposal lets as many days pass as looks in a row are needed, and waits for the proposal of a tier.
func (w *world) proposal(ctx context.Context, tier string) (*v1alpha1.Proposal, error) {
	c := community()
	for passes := int32(0); passes < 3; {
		if err := w.look(ctx, c); err != nil {
			return nil, err
		}
		if err := w.until(ctx, func() error {
			if err := w.cluster.Get(ctx, client.ObjectKeyFromObject(c), c); err != nil {
				return err
			}
			if e := c.Status.Governance.Evaluation; e == nil || e.Toward != tier || e.Passes <= passes {
				return fmt.Errorf("after %d looks the next does not speak for %s: %+v", passes, tier, e)
			}
			return nil
		}); err != nil {
			return nil, err
		}
		passes = c.Status.Governance.Evaluation.Passes
		if err := w.check((c.Status.Governance.Proposal != nil) == (passes == 3), "a proposal comes with the third look, and this is look %d", passes); err != nil {
			return nil, err
		}
		w.clock.by.Add(int64(25 * time.Hour)) // a look is due after a day, and no earlier
	}
	p := c.Status.Governance.Proposal
	w.say("Cabildo proposes the tier %s: %s.", tier, strings.Join(p.Evidence, ", "))
	quote(strings.Join(p.Operations, "\n"))
	return p, nil
}

// decision is somebody's word on a proposal. It counts for a day of the story.
func (w *world) decision(o client.Object, kind v1alpha1.TargetKind, p *v1alpha1.Proposal, verdict v1alpha1.Verdict, by, reason string) *v1alpha1.GovernanceDecision {
	return &v1alpha1.GovernanceDecision{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, GenerateName: o.GetName() + "-"},
		Spec: v1alpha1.GovernanceDecisionSpec{
			TargetRef: v1alpha1.DecisionTarget{Kind: kind, Name: o.GetName()}, ProposalKind: p.Kind, ProposalID: p.ID, Hash: p.Hash,
			Verdict: verdict, Reason: reason, DecidedBy: by, ExpiresAt: &metav1.Time{Time: w.clock.Now().Add(24 * time.Hour)},
		},
	}
}

// decides has the approver decide, and waits until it took effect.
func (w *world) decides(ctx context.Context, o client.Object, kind v1alpha1.TargetKind, p *v1alpha1.Proposal, verdict v1alpha1.Verdict, reason string) error {
	d := w.decision(o, kind, p, verdict, approver, reason)
	if err := w.as[approver].Create(ctx, d); err != nil {
		return err
	}
	if err := w.ready(ctx, d); err != nil {
		return err
	}
	word := map[v1alpha1.Verdict]string{v1alpha1.VerdictApprove: "approves", v1alpha1.VerdictRefuse: "refuses"}[verdict]
	w.say("%s %s: %q", approver, word, reason)
	return nil
}

// grow is the whole of a promotion: proposed, approved, and in force as the table says.
func (w *world) grow(ctx context.Context, tier, reason string) error {
	p, err := w.proposal(ctx, tier)
	if err != nil {
		return err
	}
	if err := w.decides(ctx, community(), v1alpha1.TargetCommunity, p, v1alpha1.VerdictApprove, reason); err != nil {
		return err
	}
	return w.inForce(ctx, tier, "golang")
}

// tableOfTiers is what each tier sets for spaces that say nothing themselves, as the table of the default policy has it.
var tableOfTiers = map[string]map[string]string{
	"Seed":        {"massMentions": "Members", "pins": "Members", "invitations": "Members"},
	"Small":       {"massMentions": "Moderators", "pins": "Members", "invitations": "Members"},
	"Distributed": {"massMentions": "Moderators", "pins": "Moderators", "invitations": "Moderators"},
	"Strategic":   {"massMentions": "Managers", "pins": "Moderators", "invitations": "Moderators"},
	"Core":        {"massMentions": "Managers", "pins": "Managers", "invitations": "Moderators"},
}

// inForce waits until the community and a group have what the table says of the
// tier, on every platform: read back, or said to be more than the platform can do.
func (w *world) inForce(ctx context.Context, tier string, groups ...string) error {
	c := community()
	if err := w.until(ctx, func() error {
		if err := w.cluster.Get(ctx, client.ObjectKeyFromObject(c), c); err != nil {
			return err
		}
		if g := c.Status.Governance; g == nil || g.Tier != tier {
			return fmt.Errorf("the tier is not %s: %+v", tier, g)
		}
		return w.holds(tier, c.Status.SpaceStatus)
	}); err != nil {
		return err
	}
	for _, name := range groups {
		g := group(name)
		if err := w.until(ctx, func() error {
			if err := w.cluster.Get(ctx, client.ObjectKeyFromObject(g), g); err != nil {
				return err
			}
			return w.holds(tier, g.Status.SpaceStatus)
		}); err != nil {
			return err
		}
	}
	w.say("%s: %s", tier, w.settings(c.Status.SpaceStatus))
	return nil
}

func (w *world) holds(tier string, s v1alpha1.SpaceStatus) error {
	platforms := 1
	if w.real {
		platforms = 2
	}
	if len(s.Platforms) != platforms {
		return fmt.Errorf("it is on %d platforms", len(s.Platforms))
	}
	for _, p := range s.Platforms {
		for setting, value := range tableOfTiers[tier] {
			i := slices.IndexFunc(p.Ledger, func(e v1alpha1.LedgerEntry) bool { return e.Setting == setting })
			switch {
			case i < 0:
				return fmt.Errorf("%s says nothing of %s", p.Name, setting)
			case p.Ledger[i].Wanted != value:
				return fmt.Errorf("%s wants %s for %s, and the table says %s", p.Name, setting, p.Ledger[i].Wanted, value)
			case p.Ledger[i].State != v1alpha1.SettingEnforced && !w.real: // a real server may say that it can't
				return fmt.Errorf("%s on %s is %s: %s", setting, p.Name, p.Ledger[i].State, p.Ledger[i].Reason)
			case p.Ledger[i].State == v1alpha1.SettingDrifted || p.Ledger[i].State == v1alpha1.SettingUnknown:
				return fmt.Errorf("%s on %s is %s: %s", setting, p.Name, p.Ledger[i].State, p.Ledger[i].Reason)
			}
		}
	}
	return nil
}

// explain shows how everything is, where the story can't go on.
func (w *world) explain(ctx context.Context) {
	c := community()
	var groups v1alpha1.GroupList
	if err := errors.Join(w.cluster.Get(ctx, client.ObjectKeyFromObject(c), c), w.cluster.List(ctx, &groups)); err != nil {
		return
	}
	fmt.Println("\n" + tree.Explain(c, nil, 0))
	for i := range groups.Items {
		fmt.Println(tree.ExplainGroup(&groups.Items[i], 0))
	}
}

// settings says what was read back, platform by platform.
func (w *world) settings(s v1alpha1.SpaceStatus) string {
	var parts []string
	for _, p := range s.Platforms {
		var each []string
		for _, setting := range []string{"massMentions", "pins", "invitations"} {
			for _, e := range p.Ledger {
				if e.Setting == setting {
					each = append(each, fmt.Sprintf("%s %s %s", e.Setting, e.Wanted, e.State))
				}
			}
		}
		parts = append(parts, p.Name+": "+strings.Join(each, ", "))
	}
	return strings.Join(parts, "; ")
}

// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package stack

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
)

const (
	// progressEvery is how often a line says how far it is.
	progressEvery = 5 * time.Second
	// patience is how long nothing may become Ready, and nobody may come into a space, before the run gives up.
	patience = 10 * time.Minute
)

// objects are what the cluster has, with the state that it is in.
type objects struct {
	platforms   v1alpha1.PlatformList
	communities v1alpha1.CommunityList
	groups      v1alpha1.GroupList
}

func (s *Stack) read(ctx context.Context) (*objects, error) {
	var o objects
	if err := s.Cluster.List(ctx, &o.platforms); err != nil {
		return nil, err
	}
	if err := s.Cluster.List(ctx, &o.communities); err != nil {
		return nil, err
	}
	return &o, s.Cluster.List(ctx, &o.groups)
}

// ready counts what is Ready on its newest generation, and the reasons of the rest.
func (o *objects) ready() (ready, all int, reasons map[string]int, example string) {
	reasons = map[string]int{}
	note := func(what string, m metav1.ObjectMeta, observed int64, conditions []metav1.Condition) {
		all++
		c := meta.FindStatusCondition(conditions, v1alpha1.ConditionReady)
		switch {
		case IsReady(m.Generation, observed, conditions):
			ready++
		case c == nil || observed < m.Generation:
			reasons["not looked at"]++
		default:
			reasons[c.Reason]++
			example = fmt.Sprintf("%s %s: %s: %s", what, m.Name, c.Reason, c.Message)
		}
	}
	for _, p := range o.platforms.Items {
		note("Platform", p.ObjectMeta, p.Status.ObservedGeneration, p.Status.Conditions)
	}
	for _, c := range o.communities.Items {
		note("Community", c.ObjectMeta, c.Status.ObservedGeneration, c.Status.Conditions)
	}
	for _, g := range o.groups.Items {
		note("Group", g.ObjectMeta, g.Status.ObservedGeneration, g.Status.Conditions)
	}
	return ready, all, reasons, example
}

// present is how many members all spaces have.
func (o *objects) present() int {
	sum := 0
	add := func(m *v1alpha1.MemberCounts) {
		if m != nil {
			sum += int(m.Present)
		}
	}
	for _, c := range o.communities.Items {
		add(c.Status.Members)
	}
	for _, g := range o.groups.Items {
		add(g.Status.Members)
	}
	return sum
}

// IsReady says whether a resource is Ready on its newest generation.
func IsReady(generation, observed int64, conditions []metav1.Condition) bool {
	return observed >= generation && meta.IsStatusConditionTrue(conditions, v1alpha1.ConditionReady)
}

// WaitReady waits until the platform, the community and so many groups are
// Ready, and returns when the last of them was. It says how far it is, counted
// from when it began.
func (s *Stack) WaitReady(ctx context.Context, groups int, began time.Time) (time.Time, error) {
	want := 2 + groups
	most, crowd, moved, said := -1, 0, time.Now(), time.Now()
	for {
		o, err := s.read(ctx)
		if err != nil {
			return time.Time{}, err
		}
		ready, all, reasons, example := o.ready()
		if ready == all && all == want {
			return time.Now(), nil
		}
		if there := o.present(); ready > most || there > crowd {
			most, crowd, moved = max(most, ready), max(crowd, there), time.Now()
		}
		if time.Since(moved) > patience {
			return time.Time{}, fmt.Errorf("nothing became Ready in %s: %s. For example, %s. %s",
				patience, progress(ready, want, reasons), example, s.LastLog())
		}
		if time.Since(said) > progressEvery {
			said = time.Now()
			fmt.Printf("  %3.0f s  %s\n", time.Since(began).Seconds(), progress(ready, want, reasons))
		}
		if err := s.rest(ctx, lookAgain(time.Since(began))); err != nil {
			return time.Time{}, err
		}
	}
}

// lookAgain is when to read everything again after so long: the reading is work
// for the machine that is measured, and an error of two in a hundred is small enough.
func lookAgain(after time.Duration) time.Duration {
	return min(max(after/50, 250*time.Millisecond), progressEvery)
}

func progress(ready, want int, reasons map[string]int) string {
	text := fmt.Sprintf("%d of %d Ready", ready, want)
	var rest []string
	for _, reason := range slices.Sorted(maps.Keys(reasons)) {
		rest = append(rest, fmt.Sprintf("%d %s", reasons[reason], reason))
	}
	if len(rest) > 0 {
		text += "; " + strings.Join(rest, ", ")
	}
	return text
}

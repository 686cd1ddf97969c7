// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"testing"

	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/event"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
)

func TestACacheBehindOurOwnWriteIsNotReconciledFrom(t *testing.T) {
	g, w := NewWithT(t), newWritten()
	at := func(version string) *v1alpha1.Group {
		return &v1alpha1.Group{ObjectMeta: metav1.ObjectMeta{UID: "one", ResourceVersion: version}}
	}
	g.Expect(w.behind(at("7"))).To(BeFalse(), "nothing was written yet")
	w.note(at("10"))
	g.Expect(w.behind(at("9"))).To(BeTrue())
	g.Expect(w.behind(at("10"))).To(BeFalse())
	g.Expect(w.behind(at("11"))).To(BeFalse(), "somebody wrote after us")
	w.intend(at("10"))
	g.Expect(w.behind(at("9"))).To(BeTrue(), "a write that was not answered changes nothing about the one before")
	w.forget(at("10"))
	g.Expect(w.behind(at("9"))).To(BeFalse())
}

func TestOnlyAStatusThatSomebodyElseWroteIsANewReason(t *testing.T) {
	g, w := NewWithT(t), newWritten()
	with := func(reason string, spec bool) *v1alpha1.Group {
		o := &v1alpha1.Group{ObjectMeta: metav1.ObjectMeta{UID: "one"}}
		o.Spec.Suspend = spec
		o.Status.Conditions = []metav1.Condition{{Type: "Ready", Reason: reason}}
		return o
	}
	passes := func(before, after *v1alpha1.Group) bool {
		return w.byOthers().Update(event.UpdateEvent{ObjectOld: before, ObjectNew: after})
	}
	g.Expect(passes(with("", false), with("Lost", false))).To(BeFalse(), "this process has not reported on it yet")
	w.intend(with("Ready", false))
	g.Expect(passes(with("", false), with("Ready", false))).To(BeFalse(), "the watch can be faster than the answer")
	g.Expect(passes(with("Ready", false), with("Lost", false))).To(BeTrue())
	g.Expect(passes(with("Ready", false), with("Ready", true))).To(BeFalse(), "that is for the predicate of the spec")
}

// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package importer holds what every importer has in common: the result of
// reading another tool's files, with the objects that say the same in Cabildo's
// words and a finding for everything that could not be said, and how both are
// written down. Each format has a package of its own below this one. Nothing
// here talks to a cluster or a platform.
package importer

import (
	"cmp"
	"fmt"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// Result is what an importer made of its input.
type Result struct {
	// Source is the name of the format, such as slack-config.
	Source string
	// Read and Made count what was read and what came of it, in the order to be shown.
	Read, Made []Count
	// Objects to apply. Their order says nothing: Sort puts them in one.
	Objects []Object
	// Findings are everything that is not in Objects as it was in the input.
	Findings []Finding
}

// Object is any object to apply.
type Object interface {
	metav1.Object
	runtime.Object
}

// Count is a number of things.
type Count struct {
	Name  string `json:"name"`
	Count int    `json:"count"`
}

// Position is a place in the input.
type Position struct {
	// File, relative to the folder that was read, with slashes.
	File string `json:"file,omitempty"`
	// Line, from 1.
	Line int `json:"line,omitempty"`
}

// Where is file:line, as editors and compilers have it.
func (p Position) Where() string {
	if p.Line == 0 {
		return p.File
	}
	return fmt.Sprintf("%s:%d", p.File, p.Line)
}

// Name is a name that something is referred to by, and where.
type Name struct {
	Position

	Name string
}

// Outcome says what became of something that a Finding is about.
type Outcome string

// The outcomes, in the order in which a reader wants them.
const (
	// Check: imported, and a person should look at it.
	Check Outcome = "Check"
	// LeftOut: nothing in the objects stands for it.
	LeftOut Outcome = "LeftOut"
	// Changed: it is there, and not as it was written.
	Changed Outcome = "Changed"
)

var outcomes = []Outcome{Check, LeftOut, Changed}

// Finding is one thing in the input that could not be taken over as it is.
// Findings that say the same about different things have the same What, Why
// and Do, so that a reader meets each sentence once.
type Finding struct {
	Outcome Outcome `json:"outcome"`
	// Kind and Name of the thing, in the words of the input.
	Kind string `json:"kind"`
	Name string `json:"name,omitempty"`
	Position
	// What was not taken over as it is.
	What string `json:"what"`
	// Detail of this one thing.
	Detail string `json:"detail,omitempty"`
	// Why it could not be.
	Why string `json:"why"`
	// Do says what the reader can do about it.
	Do string `json:"do"`
}

// Sort brings objects and findings into an order that depends on nothing but
// what they are: communities before what belongs to them.
func (r *Result) Sort() {
	slices.SortStableFunc(r.Objects, func(a, b Object) int {
		return cmp.Or(
			cmp.Compare(kindRank(a), kindRank(b)),
			cmp.Compare(kindOf(a), kindOf(b)),
			cmp.Compare(a.GetNamespace(), b.GetNamespace()),
			cmp.Compare(a.GetName(), b.GetName()),
		)
	})
	slices.SortStableFunc(r.Findings, func(a, b Finding) int {
		return cmp.Or(
			cmp.Compare(slices.Index(outcomes, a.Outcome), slices.Index(outcomes, b.Outcome)),
			cmp.Compare(a.Kind, b.Kind),
			cmp.Compare(a.What, b.What),
			cmp.Compare(a.Why, b.Why),
			cmp.Compare(a.Do, b.Do),
			cmp.Compare(a.File, b.File),
			cmp.Compare(a.Line, b.Line),
			cmp.Compare(a.Name, b.Name),
			cmp.Compare(a.Detail, b.Detail),
		)
	})
}

func kindOf(o Object) string { return o.GetObjectKind().GroupVersionKind().Kind }

func kindRank(o Object) int {
	if kindOf(o) == "Community" {
		return 0
	}
	return 1
}

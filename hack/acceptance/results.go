// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/cabildo-dev/cabildo/hack/stack"
)

// results is what the run found out.
type results struct {
	applied, ready time.Time     // when the manifests were applied, and when all was Ready
	second         time.Duration // how long the second pass took
	rooms          int

	firstPass, secondPass stack.Requests

	rows       []result
	complaints []string
}

type result struct {
	what      string
	want, got int
}

func (r *results) expect(what string, want, got int) {
	r.rows = append(r.rows, result{what, want, got})
}

func (r *results) complain(format string, args ...any) {
	r.complaints = append(r.complaints, fmt.Sprintf(format, args...))
}

// mostComplaints are shown; the table counts all.
const mostComplaints = 20

// show prints the table and the figures; the error says that not all is as it should be.
func (r *results) show() error {
	width, wrong := 0, 0
	for _, row := range r.rows {
		width = max(width, len(row.what))
	}
	fmt.Printf("\n    %-*s  %6s  %6s\n", width, "", "want", "got")
	for _, row := range r.rows {
		mark := "✓"
		if row.want != row.got {
			mark = "✗"
			wrong++
		}
		fmt.Printf("  %s %-*s  %6d  %6d\n", mark, width, row.what, row.want, row.got)
	}
	for i, complaint := range r.complaints {
		if i == mostComplaints {
			fmt.Printf("  … and %d more\n", len(r.complaints)-mostComplaints)
			break
		}
		fmt.Println("  ", complaint)
	}
	r.figures()
	if wrong > 0 {
		return fmt.Errorf("%d of %d checks failed", wrong, len(r.rows))
	}
	if len(r.complaints) > 0 {
		return errors.New("not all is as it should be")
	}
	fmt.Printf("\n%d checks, all as declared.\n", len(r.rows))
	return nil
}

func (r *results) figures() {
	took := r.ready.Sub(r.applied).Seconds()
	rooms := float64(r.rooms)
	fmt.Printf("\nFirst pass: %d rooms Ready %.0f s after kubectl apply began, %.1f a second.\n", r.rooms, took, rooms/took)
	fmt.Printf("  %d writes to the homeserver, %.1f a room; %d reads, %.2f a room.\n",
		r.firstPass.Writes(), float64(r.firstPass.Writes())/rooms, r.firstPass.Reads(), float64(r.firstPass.Reads())/rooms)
	r.firstPass.Print(os.Stdout)
	fmt.Printf("Second pass: %.0f s; %d writes; %d reads, %.2f a room.\n",
		r.second.Seconds(), r.secondPass.Writes(), r.secondPass.Reads(), float64(r.secondPass.Reads())/rooms)
	r.secondPass.Print(os.Stdout)
}

func boolCount(b bool) int {
	if b {
		return 1
	}
	return 0
}

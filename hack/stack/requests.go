// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package stack

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// Requests are what was asked of the platform, by "METHOD route".
type Requests map[string]Exchange

// Exchange is how often something was asked, and how long the answers took together.
type Exchange struct {
	Count   int
	Seconds float64
}

// Reads is how many requests only read.
func (r Requests) Reads() int { return r.sum(isRead) }

// Writes is how many requests were no reads.
func (r Requests) Writes() int { return r.sum(func(route string) bool { return !isRead(route) }) }

func (r Requests) sum(counted func(route string) bool) int {
	n := 0
	for route, e := range r {
		if counted(route) {
			n += e.Count
		}
	}
	return n
}

// questions are the routes of Mattermost that ask for what is in the body of a POST.
var questions = []string{
	"POST /channels/search", "POST /posts/ids", "POST /roles/names", "POST /users/ids", "POST /users/usernames",
}

func isRead(route string) bool {
	return strings.HasPrefix(route, "GET ") || strings.HasPrefix(route, "HEAD ") || slices.Contains(questions, route)
}

// Since is what was asked since there were only the earlier ones.
func (r Requests) Since(earlier Requests) Requests {
	more := Requests{}
	for route, e := range r {
		if n := e.Count - earlier[route].Count; n > 0 {
			more[route] = Exchange{Count: n, Seconds: e.Seconds - earlier[route].Seconds}
		}
	}
	return more
}

// Print prints a line for each route, the most frequent first.
func (r Requests) Print(to io.Writer) {
	for _, route := range r.routes() {
		e := r[route]
		_, _ = fmt.Fprintf(to, "  %7d × %7.1f ms  %s\n", e.Count, 1000*e.Seconds/float64(max(e.Count, 1)), route)
	}
}

func (r Requests) routes() []string {
	return slices.SortedFunc(maps.Keys(r), func(a, b string) int {
		return cmp.Or(cmp.Compare(r[b].Count, r[a].Count), strings.Compare(a, b))
	})
}

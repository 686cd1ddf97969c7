// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package crash_test

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// A call is one kind of request that the manager makes: to which server, with
// which method, and what for. Names and IDs are left out, so that a call of one
// run is the same in the next.
type call struct{ side, method, route string }

// The servers.
const (
	kubernetes = "kubernetes"
	matrix     = "matrix"
)

func (c call) String() string { return c.side + " " + c.method + " " + c.route }

// writes says whether the call can change anything.
func (c call) writes() bool { return c.method != http.MethodGet && c.method != http.MethodHead }

// callOf sorts a request. It gives false for those that are no step of the
// work: what waits for news (a watch, the sync) and the leader's lease.
func callOf(side string, r *http.Request) (call, bool) {
	var parts []string
	for part := range strings.SplitSeq(strings.Trim(r.URL.EscapedPath(), "/"), "/") {
		plain, err := url.PathUnescape(part)
		if err != nil {
			plain = part
		}
		parts = append(parts, plain)
	}
	c := call{side: side, method: r.Method}
	if side == matrix {
		c.route = matrixRoute(parts)
		return c, c.route != "sync"
	}
	c.route = kubernetesRoute(parts)
	return c, c.route != "leases" && !r.URL.Query().Has("watch")
}

// placeholders are for what differs in each run, by its sigil.
var placeholders = map[byte]string{'!': "{room}", '#': "{alias}", '@': "{account}", '$': "{event}"}

// matrixRoute keeps the type of what is written into a room: the name of a room
// is another step than its guidelines.
func matrixRoute(parts []string) string {
	if len(parts) > 3 && parts[0] == "_matrix" && parts[1] == "client" {
		parts = parts[3:]
	}
	for i, part := range parts {
		if part != "" && placeholders[part[0]] != "" {
			parts[i] = placeholders[part[0]]
		}
	}
	if parts[0] == "rooms" && len(parts) > 4 { // a state key or the ID of a transaction comes last
		parts = parts[:4]
	}
	return strings.Join(parts, "/")
}

// kubernetesRoute is the resource and its subresource.
func kubernetesRoute(parts []string) string {
	switch {
	case len(parts) > 2 && parts[0] == "api":
		parts = parts[2:]
	case len(parts) > 3 && parts[0] == "apis":
		parts = parts[3:]
	default:
		return "discovery"
	}
	if parts[0] == "namespaces" && len(parts) > 2 {
		parts = parts[2:]
	}
	if len(parts) > 2 {
		return parts[0] + "/" + parts[2]
	}
	return parts[0]
}

// A variant is what happens to the manager at a point.
type variant string

const (
	// killed: the server has done the call, and the manager is killed before it
	// can do anything else. Whether the answer still reached it makes no
	// difference to what is left: it takes what it knew with it.
	killed variant = "killed"
	// unanswered: the server has done the call, the connection is cut, and the
	// manager lives on without knowing. The homeserver's news comes late as well,
	// so that the next attempt can't see what the last one did.
	unanswered variant = "unanswered"
	// midway: the manager is killed while the server is at it. Whether the call
	// is done, or half of it, is the server's affair, and another one each time.
	midway variant = "midway"
)

var variants = []variant{killed, unanswered, midway}

// A point is the nth call of a kind. Calls of different kinds come in any
// order, so a point by its number in the whole run would hit another call each time.
type point struct {
	call
	nth int
}

func (p point) String() string { return fmt.Sprintf("%s #%d", p.call, p.nth) }

// pointsOf are the points that a run has, in the order in which they came.
func pointsOf(calls []call, reads bool) []point {
	seen := map[call]int{}
	var points []point
	for _, c := range calls {
		seen[c]++
		if c.writes() || reads {
			points = append(points, point{c, seen[c]})
		}
	}
	return points
}

// A trial is one run: what happens where.
type trial struct {
	point
	variant
}

func (t trial) String() string { return fmt.Sprintf("%s %s", t.point, t.variant) }

// registers is the first run on a homeserver: later ones find the operator's account.
var registers = trial{point{call{matrix, "POST", "register"}, 1}, killed}

// every is every point in every variant.
func every(points []point) []trial {
	var trials []trial
	for _, p := range points {
		for _, v := range variants {
			trials = append(trials, trial{p, v})
		}
	}
	return trials
}

// ours are the resources of Cabildo, whose writes are one kind to the sample.
var ours = strings.NewReplacer("communities", "resource", "groups", "resource", "platforms", "resource")

// sample is what `make test` has time for: every making of a room killed and
// unanswered, because that is the one write that is not idempotent; an archive
// that is cut off before its last step; and the first write of each other kind,
// the variants in turn. It is the same in every run.
func sample(points []point) []trial {
	var trials []trial
	others := map[string]point{}
	for _, p := range points {
		kind := ours.Replace(p.call.String())
		switch {
		case p.route == "events" && p.method == http.MethodPatch: // an event told again, in some runs alone
		case p.route == "createRoom" && p.nth == 1:
			trials = append(trials, every([]point{p})...)
		case p.route == "createRoom":
			trials = append(trials, trial{p, killed}, trial{p, unanswered})
		case p.route == "rooms/{room}/state/m.room.join_rules":
			trials = append(trials, trial{p, killed})
		case strings.HasPrefix(p.route, "rooms/{room}/state/"):
			others["state"] = p // the last one, which comes after everything else
		case p.nth == 1 && others[kind].nth == 0:
			others[kind] = p
		}
	}
	for i, kind := range slices.Sorted(maps.Keys(others)) {
		trials = append(trials, trial{others[kind], variants[i%len(variants)]})
	}
	return trials
}

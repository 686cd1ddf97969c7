// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package desired

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/internal/model"
)

// Declared is one person that the sources of a space name.
type Declared struct {
	Person string
	Role   model.Role
	Readd  bool
}

// Unresolved is a source that could not be read.
type Unresolved struct {
	Reason  string
	Message string
}

// Directories looks up usernames in the directories that a namespace may use.
// A refusal says why there are none, or that they may not be all.
type Directories interface {
	Group(directory, name string) ([]string, *Refusal)
	WithAttribute(directory, name, value string) ([]string, *Refusal)
}

// ManagersOf looks up who manages the communities that a selector picks in the same namespace.
type ManagersOf func(communities *metav1.LabelSelector) ([]string, *Refusal)

// Appointed is somebody whom a formal role brings into a space.
func Appointed(person string, r v1alpha1.Role) Declared {
	return Declared{Person: person, Role: role(memberAudience(r))}
}

// Join adds people to those that sources name, by name; the highest role wins.
func Join(people, more []Declared) []Declared {
	g := gathering{people: map[string]Declared{}}
	for _, d := range slices.Concat(people, more) {
		g.person(d.Person, d.Role, d.Readd)
	}
	joined := make([]Declared, 0, len(g.people))
	for _, name := range slices.Sorted(maps.Keys(g.people)) {
		joined = append(joined, g.people[name])
	}
	return joined
}

// People gathers the people of an ordered list of sources; the highest role
// wins. Another group's members are looked up with groups, by name, and those
// of directories with directories, and managers with managersOf; today is the date in UTC.
// A source that can't be read is in unresolved, and then the people are not all of them.
func People(sources []v1alpha1.MemberSource, groups func(name string) *v1alpha1.Group, directories Directories, managersOf ManagersOf, today time.Time) (people []Declared, unresolved []Unresolved) {
	g := gathering{
		people: map[string]Declared{}, groups: groups, directories: directories, managersOf: managersOf, today: today.UTC().Format(time.DateOnly), visits: map[visit]progress{},
	}
	for _, s := range sources {
		g.add(s, role(memberAudience(s.Role)), s.AfterLeaving == v1alpha1.ReaddAfterLeaving)
	}
	for _, name := range slices.Sorted(maps.Keys(g.people)) {
		people = append(people, g.people[name])
	}
	return people, g.unresolved
}

type gathering struct {
	people      map[string]Declared
	unresolved  []Unresolved
	groups      func(string) *v1alpha1.Group
	directories Directories
	managersOf  ManagersOf
	today       string
	// visits keeps a group from being gathered twice for one role. Without it, a row of groups that each
	// name the next one twice takes twice as long with every group.
	visits map[visit]progress
	// path are the groups on the way to the source that is read.
	path []string
}

// visit is a group whose members come in with one role.
type visit struct {
	group string
	as    model.Role
	readd bool
}

type progress int

const (
	begun progress = iota + 1
	done
)

func (g *gathering) add(s v1alpha1.MemberSource, as model.Role, readd bool) {
	switch {
	case s.Person != "":
		if s.Expires != "" && s.Expires < g.today {
			return
		}
		g.person(s.Person, as, readd)
	case s.Group != nil:
		g.addGroup(visit{s.Group.Name, as, readd})
	case s.DirectoryGroup != nil:
		usernames, refusal := g.directories.Group(s.DirectoryGroup.DirectoryRef.Name, s.DirectoryGroup.Name)
		g.found(usernames, refusal, as, readd)
	case s.Attribute != nil:
		usernames, refusal := g.directories.WithAttribute(s.Attribute.DirectoryRef.Name, s.Attribute.Name, s.Attribute.Value)
		g.found(usernames, refusal, as, readd)
	case s.ManagersOf != nil:
		usernames, refusal := g.managersOf(&s.ManagersOf.CommunitySelector)
		g.found(usernames, refusal, as, readd)
	default: // a source of a later version, which this one can't see
		g.fail(v1alpha1.ReasonSourceUnsupported, "a list item has no source that this version knows; name people with person")
	}
}

func (g *gathering) person(username string, as model.Role, readd bool) {
	d := g.people[username]
	g.people[username] = Declared{Person: username, Role: max(d.Role, as), Readd: d.Readd || readd}
}

func (g *gathering) found(usernames []string, refusal *Refusal, as model.Role, readd bool) {
	for _, username := range usernames {
		g.person(username, as, readd)
	}
	if refusal != nil {
		g.fail(refusal.Reason, "%s", refusal.Message)
	}
}

func (g *gathering) addGroup(v visit) {
	switch g.visits[v] {
	case done:
		return
	case begun:
		way := append(slices.Clone(g.path[slices.Index(g.path, v.group):]), v.group)
		g.fail(v1alpha1.ReasonGroupCycle, "group %s takes its members from itself, by way of %s; take one of them out", v.group, strings.Join(way, " → "))
		return
	}
	g.visits[v] = begun
	g.path = append(g.path, v.group)
	if group := g.groups(v.group); group == nil {
		g.fail(v1alpha1.ReasonGroupNotFound, "group %s does not exist in this namespace; correct the name or take it out", v.group)
	} else {
		for _, s := range group.Spec.Members {
			g.add(s, v.as, v.readd)
		}
	}
	g.path = g.path[:len(g.path)-1]
	g.visits[v] = done
}

func (g *gathering) fail(reason, format string, args ...any) {
	u := Unresolved{reason, fmt.Sprintf(format, args...)}
	if !slices.Contains(g.unresolved, u) {
		g.unresolved = append(g.unresolved, u)
	}
}

func memberAudience(r v1alpha1.Role) v1alpha1.Audience {
	switch r {
	case v1alpha1.RoleManager:
		return v1alpha1.AudienceManagers
	case v1alpha1.RoleModerator:
		return v1alpha1.AudienceModerators
	default:
		return v1alpha1.AudienceMembers
	}
}

// NextExpiry is the earliest day on which a membership of these sources ends,
// as the moment at which it has ended; zero when none does.
func NextExpiry(sources []v1alpha1.MemberSource, now time.Time) time.Time {
	var next time.Time
	for _, s := range sources {
		day, err := time.Parse(time.DateOnly, s.Expires)
		if err != nil {
			continue
		}
		if ends := day.AddDate(0, 0, 1); ends.After(now) && (next.IsZero() || ends.Before(next)) {
			next = ends
		}
	}
	return next
}

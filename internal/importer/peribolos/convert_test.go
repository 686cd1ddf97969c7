// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package peribolos_test

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/internal/importer"
	"github.com/cabildo-dev/cabildo/internal/importer/importertest"
	"github.com/cabildo-dev/cabildo/internal/importer/peribolos"
)

var exampleDir = filepath.Join("testdata", "example", "in")

// TestAnExampleBecomesManifestsAndAReport reads a folder with a bit of
// everything. What comes of it lies beside it, to be read.
func TestAnExampleBecomesManifestsAndAReport(t *testing.T) {
	importertest.Golden(t, convertDir(t, exampleDir, "guild"), filepath.Join("testdata", "example", "out"))
}

func TestATeamBecomesAGroup(t *testing.T) {
	const org = "admins: [elder]\nmembers: [mila, noor, tomas]\nteams:\n"
	for name, tc := range map[string]struct {
		teams   string
		want    map[string][]string // Group → members
		reports map[string]string   // person → what, but admins
	}{
		"maintainers manage, and others are members": {
			teams: "  ovens: {description: x, privacy: closed, maintainers: [mila], members: [noor]}",
			want:  map[string][]string{"ovens": {"mila Manager", "noor "}},
		},
		"the higher role wins": {
			teams:   "  ovens: {maintainers: [mila], members: [mila]}",
			want:    map[string][]string{"ovens": {"mila Manager"}},
			reports: map[string]string{"mila": "a person who is named twice"},
		},
		"case makes no other person": {
			teams:   "  ovens: {members: [Mila, mila]}",
			want:    map[string][]string{"ovens": {"mila "}},
			reports: map[string]string{"Mila": "the handle of a person", "mila": "a person who is named twice"},
		},
		"who is not in the organisation stays out": {
			teams:   "  ovens: {maintainers: [stranger], members: [noor]}",
			want:    map[string][]string{"ovens": {"noor "}},
			reports: map[string]string{"stranger": "a person of a team who is not in the organisation"},
		},
		"an admin of the organisation is nothing more in a team": {
			teams: "  ovens: {members: [elder]}",
			want:  map[string][]string{"ovens": {"elder "}},
		},
		"the people of a team below are members of the one above, and no more": {
			teams: "  ovens: {maintainers: [mila], teams: {keepers: {maintainers: [noor], teams: {stokers: {members: [tomas]}}}}}",
			want: map[string][]string{
				"ovens":   {"mila Manager", "@keepers "},
				"keepers": {"noor Manager", "@stokers "},
				"stokers": {"tomas "},
			},
		},
		"people of a team below that has no Group are listed": {
			teams:   "  ovens: {members: [mila], teams: {'!!': {maintainers: [noor], teams: {stokers: {members: [tomas]}}}}}",
			want:    map[string][]string{"ovens": {"mila ", "noor ", "@stokers "}, "stokers": {"tomas "}},
			reports: map[string]string{"noor": "a person of a team that was left out"},
		},
		"an empty team is there": {
			teams: "  ovens:",
			want:  map[string][]string{"ovens": nil},
		},
	} {
		t.Run(name, func(t *testing.T) {
			result := convert(t, org+tc.teams)
			got := membersOf(result)
			if diff := cmp.Diff([]string{"elder Manager", "mila ", "noor ", "tomas "}, got["Community"]); diff != "" {
				t.Errorf("members of the Community (-want +got):\n%s", diff)
			}
			delete(got, "Community")
			for _, members := range tc.want {
				slices.Sort(members)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("members of the Groups (-want +got):\n%s", diff)
			}
			reports := map[string]string{}
			for _, f := range result.Findings {
				if f.Kind == "Person" && f.Name != "elder" {
					reports[f.Name] = f.What
				}
			}
			if len(reports) > 0 || len(tc.reports) > 0 {
				if diff := cmp.Diff(tc.reports, reports); diff != "" {
					t.Errorf("reports (-want +got):\n%s", diff)
				}
			}
		})
	}
}

func TestPrivacySaysWhoSeesAndJoins(t *testing.T) {
	for name, tc := range map[string]struct {
		teams, want string
		reported    bool
	}{
		"secret":                     {"a: {privacy: secret}", "Private Invite", false},
		"closed":                     {"a: {privacy: closed}", " Request", false},
		"left out, alone":            {"a: {}", "Private Invite", true},
		"left out, above another":    {"a: {teams: {b: {privacy: closed}}}", " Request", true},
		"left out, below another":    {"b: {privacy: closed, teams: {a: {}}}", " Request", true},
		"nothing, which is left out": {"a: {privacy: }", "Private Invite", true},
	} {
		t.Run(name, func(t *testing.T) {
			result := convert(t, "teams:\n  "+tc.teams)
			for _, o := range result.Objects {
				if g, ok := o.(*v1alpha1.Group); ok && g.Name == "a" {
					if got := fmt.Sprintf("%s %s", g.Spec.Visibility, g.Spec.Join); got != tc.want {
						t.Errorf("%q, want %q", got, tc.want)
					}
				}
			}
			reported := slices.ContainsFunc(result.Findings, func(f importer.Finding) bool { return f.What == "a team without privacy" })
			if reported != tc.reported {
				t.Errorf("reported: %t", reported)
			}
		})
	}
}

func TestTheOrganisationIsPickedByName(t *testing.T) {
	files := map[string]string{"a/org.yaml": "admins: [mila]", "b/org.yaml": "admins: [noor]", "a/x/teams.yaml": "teams: {t: {}}", "top.yaml": "x: y"}
	for name, tc := range map[string]struct {
		files        map[string]string
		org          string
		admin, fails string
	}{
		"one of several":           {files: files, org: "b", admin: "noor"},
		"several and none is said": {files: files, fails: "say --org with one of a, b"},
		"one that is not there":    {files: files, org: "c", fails: `no organisation "c" in the folder: there are a, b`},
		"the only one":             {files: map[string]string{"a/org.yaml": "admins: [mila]"}, admin: "mila"},
		"the folder itself":        {files: map[string]string{"org.yaml": "admins: [mila]"}, admin: "mila"},
		"the folder by its name":   {files: map[string]string{"org.yaml": "admins: [mila]"}, org: "folder", admin: "mila"},
		"the folder is another":    {files: map[string]string{"org.yaml": "admins: [mila]"}, org: "a", fails: "is an organisation itself and not a"},
		"none":                     {files: map[string]string{"a/b/org.yaml": ""}, fails: "no org.yaml in the folder or right below it"},
	} {
		t.Run(name, func(t *testing.T) {
			org, err := peribolos.Read(mapFS(tc.files), "folder", tc.org)
			if tc.fails != "" {
				if err == nil || !strings.Contains(err.Error(), tc.fails) {
					t.Errorf("error %v, want %q", err, tc.fails)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if len(org.Admins) != 1 || org.Admins[0].Name != tc.admin {
				t.Errorf("admins %v", org.Admins)
			}
		})
	}
	org, err := peribolos.Read(mapFS(files), "folder", "a")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([][]string{{"b"}, {"top.yaml"}}, [][]string{org.Others, org.Unread}); diff != "" {
		t.Errorf("others and unread (-want +got):\n%s", diff)
	}
	if len(org.Teams) != 1 {
		t.Errorf("teams %v", org.Teams)
	}
}

func TestWhatIsNotUnderstoodIsAnErrorWithFileAndLine(t *testing.T) {
	for name, tc := range map[string]struct {
		files map[string]string
		want  string
	}{
		"a misspelt key of the organisation": {map[string]string{"org.yaml": "admin: []\n"}, `org.yaml:1: unknown key "admin" in the file`},
		"people in a file of teams":          {map[string]string{"org.yaml": "", "a/teams.yaml": "members: [mila]\n"}, `a/teams.yaml:1: unknown key "members" in the file; known are teams`},
		"a misspelt key of a team":           {map[string]string{"org.yaml": "teams:\n  a:\n    member: []\n"}, `org.yaml:3: unknown key "member" in a team; known are description, maintainers, members, previously, privacy, repos, teams`},
		"a privacy that GitHub hasn't":       {map[string]string{"org.yaml": "teams:\n  a:\n    privacy: open\n"}, `org.yaml:3: privacy of a team must be secret or closed, not "open"`},
		"a team that is there twice":         {map[string]string{"org.yaml": "teams: {a: {}}\n", "b/teams.yaml": "teams:\n  a: {}\n"}, `org.yaml:1: team "a" is declared twice: first in b/teams.yaml:2`},
		"a team below itself":                {map[string]string{"org.yaml": "teams: {a: &a {teams: {b: *a}}}\n"}, `org.yaml:1: team b must be a mapping, not an alias; write it out`},
		"teams that are an alias":            {map[string]string{"org.yaml": "teams: {a: {teams: &t {b: {teams: *t}}}}\n"}, `org.yaml:1: teams of a team must be a mapping, not an alias; write it out`},
		"nobody where a person should be":    {map[string]string{"org.yaml": "members:\n- mila\n-\n"}, `org.yaml:3: an item in members of the file must be text, not nothing`},
		"teams in a list":                    {map[string]string{"org.yaml": "teams: [a]\n"}, `org.yaml:1: teams of the file must be a mapping, not a list`},
		"a merge key":                        {map[string]string{"org.yaml": "teams:\n  <<: {a: {}}\n"}, `org.yaml:2: a key in teams of the file must be a name`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := peribolos.Read(mapFS(tc.files), "guild", "")
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %v, want %q", err, tc.want)
			}
		})
	}
}

// TestAnOrganisationOfMoreThanAListHoldsIsWhole: who has no room in the list
// comes through the Group of a team, and everybody else is named.
func TestAnOrganisationOfMoreThanAListHoldsIsWhole(t *testing.T) {
	org := &peribolos.Org{Name: importer.Name{Name: "guild"}, Admins: names("elder")}
	bakers := peribolos.Team{Name: importer.Name{Name: "bakers"}}
	millers := peribolos.Team{Name: importer.Name{Name: "millers"}}
	for i := range 1100 {
		n := fmt.Sprintf("baker-%04d", i)
		org.Members = append(org.Members, names(n)...)
		if i < 150 {
			bakers.Members = append(bakers.Members, names(n)...)
		}
		if i < 10 {
			millers.Members = append(millers.Members, names(n)...)
		}
	}
	bakers.Members = append(bakers.Members, names("elder")...)
	org.Teams = []peribolos.Team{millers, bakers}
	result := convertOrg(t, org)
	community := membersOf(result)["Community"]
	if len(community) != 1+1+950 || community[0] != "@bakers " || !slices.Contains(community, "elder Manager") {
		t.Errorf("%d members: %v …", len(community), community[:3])
	}

	org.Teams = nil
	result = convertOrg(t, org)
	left := 0
	for _, f := range result.Findings {
		if f.What == "members beyond the first 1000" {
			left++
		}
	}
	if community := membersOf(result)["Community"]; left != 101 || len(community) != 1000 || !slices.Contains(community, "elder Manager") {
		t.Errorf("without teams %d are left out and %d are there", left, len(community))
	}
}

// TestTheKubernetesOrganisationsAreReadWhole compares with numbers that were
// counted without the importer, and everybody's membership with the source.
func TestTheKubernetesOrganisationsAreReadWhole(t *testing.T) {
	dir := importertest.Data(t, "kubernetes", "org")
	for org, want := range map[string]struct{ admins, members, teams, nested int }{
		"etcd-io":              {10, 48, 15, 1},
		"kubernetes":           {10, 1266, 284, 42},
		"kubernetes-client":    {10, 41, 14, 0},
		"kubernetes-csi":       {10, 84, 45, 0},
		"kubernetes-incubator": {10, 0, 0, 0},
		"kubernetes-nightly":   {17, 6, 3, 0},
		"kubernetes-retired":   {10, 0, 0, 0},
		"kubernetes-sigs":      {10, 1134, 405, 13},
	} {
		t.Run(org, func(t *testing.T) {
			result := convertDir(t, dir, org)
			wantRead := []importer.Count{
				{Name: "admins", Count: want.admins},
				{Name: "members", Count: want.members},
				{Name: "teams", Count: want.teams},
				{Name: "teams below others", Count: want.nested},
			}
			if diff := cmp.Diff(wantRead, result.Read); diff != "" {
				t.Errorf("read (-want +got):\n%s", diff)
			}
			everybody := resolved(membersOf(result), "Community", map[string]string{})
			if len(everybody) != want.admins+want.members {
				t.Errorf("%d people are members of the Community", len(everybody))
			}
			managers := 0
			for _, role := range everybody {
				if role == string(v1alpha1.RoleManager) {
					managers++
				}
			}
			if managers != want.admins {
				t.Errorf("%d managers", managers)
			}
			if groups := len(result.Objects) - 1; groups != want.teams {
				t.Errorf("%d Groups", groups)
			}
			for _, f := range result.Findings {
				if f.Kind == "Person" && f.Outcome == importer.LeftOut {
					t.Errorf("%s was left out: %s", f.Name, f.What)
				}
			}
		})
	}
}

// resolved follows Groups as sources to people, whose role is the source's.
func resolved(members map[string][]string, of string, people map[string]string) map[string]string {
	for _, m := range members[of] {
		name, role, _ := strings.Cut(m, " ")
		if group, ok := strings.CutPrefix(name, "@"); ok {
			for person := range resolved(members, group, map[string]string{}) {
				if _, named := people[person]; !named {
					people[person] = ""
				}
			}
			continue
		}
		people[name] = role
	}
	return people
}

func TestTheSameFolderGivesTheSameBytes(t *testing.T) {
	first := importertest.Files(t, convertDir(t, exampleDir, "guild"))
	for range 20 {
		if diff := cmp.Diff(first, importertest.Files(t, convertDir(t, exampleDir, "guild"))); diff != "" {
			t.Fatal(diff)
		}
	}
}

// FuzzRead: whatever the files hold, they are refused with a place, or they
// become objects with names that the API takes.
func FuzzRead(f *testing.F) {
	f.Add("admins: [elder]\nmembers: [Mila, mila]\n", "teams:\n  a_b: {members: [mila]}\n  a-b: {privacy: secret, teams: {c: {maintainers: [elder]}}}\n")
	f.Add("name: x\nrepos: {a: {}}\nbilling_email: a@example.com\n", "teams: {'!!': , '': {}}\n")
	f.Add("teams: {a: &a {teams: {b: *a}}}\n", "teams: &t {x: {teams: *t}}\n")
	f.Add("teams: {<<: {a: {}}}\n", "--- \n---\n")
	f.Fuzz(func(t *testing.T, main, more string) {
		org, err := peribolos.Read(mapFS(map[string]string{"org.yaml": main, "fuzz/teams.yaml": more}), "guild", "")
		if err != nil {
			for line := range strings.SplitSeq(err.Error(), "\n") {
				if !strings.HasPrefix(line, "org.yaml:") && !strings.HasPrefix(line, "fuzz/teams.yaml:") {
					t.Errorf("an error without a place: %q", line)
				}
			}
			return
		}
		importertest.Files(t, convertOrg(t, org))
	})
}

func convert(t *testing.T, content string) *importer.Result {
	t.Helper()
	org, err := peribolos.Read(mapFS(map[string]string{"org.yaml": content}), "guild", "")
	if err != nil {
		t.Fatal(err)
	}
	return convertOrg(t, org)
}

func convertDir(t *testing.T, dir, name string) *importer.Result {
	t.Helper()
	org, err := peribolos.ReadDir(dir, name)
	if err != nil {
		t.Fatal(err)
	}
	return convertOrg(t, org)
}

func convertOrg(t *testing.T, org *peribolos.Org) *importer.Result {
	t.Helper()
	result, err := peribolos.Convert(org, importer.Options{Namespace: "town", Platform: "chat"})
	if err != nil {
		t.Fatal(err)
	}
	importertest.CheckNames(t, result)
	return result
}

// membersOf are the members of each Group by its name, and of the Community,
// with their roles; a Group as a source has an @.
func membersOf(result *importer.Result) map[string][]string {
	members := map[string][]string{}
	for _, o := range result.Objects {
		name, sources := "Community", []v1alpha1.MemberSource(nil)
		switch o := o.(type) {
		case *v1alpha1.Community:
			sources = o.Spec.Members
		case *v1alpha1.Group:
			name, sources = o.Name, o.Spec.Members
		}
		members[name] = nil
		for _, s := range sources {
			person := s.Person
			if s.Group != nil {
				person = "@" + s.Group.Name
			}
			members[name] = append(members[name], fmt.Sprintf("%s %s", person, s.Role))
		}
		slices.Sort(members[name])
	}
	return members
}

func names(all ...string) []importer.Name {
	var list []importer.Name
	for _, n := range all {
		list = append(list, importer.Name{Name: n})
	}
	return list
}

func mapFS(files map[string]string) fstest.MapFS {
	fsys := fstest.MapFS{}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		fsys[name] = &fstest.MapFile{Data: []byte(files[name])}
	}
	return fsys
}

// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package sigsyaml_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/internal/importer"
	"github.com/cabildo-dev/cabildo/internal/importer/importertest"
	"github.com/cabildo-dev/cabildo/internal/importer/sigsyaml"
)

// TestAnExampleBecomesManifestsAndAReport reads a file with a bit of
// everything. What comes of it lies beside it, to be read.
func TestAnExampleBecomesManifestsAndAReport(t *testing.T) {
	result := convertFile(t, filepath.Join("testdata", "example", "in", "sigs.yaml"))
	importertest.Golden(t, result, filepath.Join("testdata", "example", "out"))
}

func TestEveryLeadHasTheRoleAndNoOther(t *testing.T) {
	for name, tc := range map[string]struct {
		leadership string
		want       []string          // members of the Group
		reports    map[string]string // person → what
	}{
		"chairs and tech leads manage": {
			leadership: "{chairs: [{github: mila}], tech_leads: [{github: noor}]}",
			want:       []string{"mila Manager", "noor Manager"},
		},
		"leads emeriti are nothing": {
			leadership: "{chairs: [{github: mila}], emeritus_leads: [{github: noor}]}",
			want:       []string{"mila Manager"},
			reports:    map[string]string{"noor": "a lead emeritus"},
		},
		"an emeritus who leads again leads": {
			leadership: "{chairs: [{github: mila}], emeritus_leads: [{github: mila}]}",
			want:       []string{"mila Manager"},
			reports:    map[string]string{"mila": "a lead emeritus"},
		},
		"two offices are one role": {
			leadership: "{chairs: [{github: mila}], tech_leads: [{github: mila}]}",
			want:       []string{"mila Manager"},
			reports:    map[string]string{"mila": "a lead who is named twice in one group"},
		},
		"case makes no other person": {
			leadership: "{chairs: [{github: Mila}, {github: mila}]}",
			want:       []string{"mila Manager"},
			reports:    map[string]string{"Mila": "the handle of a person", "mila": "a lead who is named twice in one group"},
		},
		"nothing is guessed": {
			leadership: "{chairs: [{github: mila}, {name: Noor Haddad}, {github: 'jo sé'}, {github: '@ines'}, {github: a/b}, {github: " + strings.Repeat("a", 40) + "}]}",
			want:       []string{"mila Manager"},
			reports: map[string]string{
				"":                      "a person without a GitHub handle",
				"jo sé":                 "a name that can't be a GitHub handle",
				"@ines":                 "a name that can't be a GitHub handle",
				"a/b":                   "a name that can't be a GitHub handle",
				strings.Repeat("a", 40): "a name that can't be a GitHub handle",
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			result := convert(t, "sigs: [{dir: sig-ovens, name: Ovens, leadership: "+tc.leadership+"}]")
			got := membersOf(result)["Group/sig-ovens"]
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("members (-want +got):\n%s", diff)
			}
			reports := map[string]string{}
			for _, f := range result.Findings {
				if f.Kind == "Person" && f.What != "the name and the company of a lead" {
					reports[f.Name] = f.What
				}
			}
			if diff := cmp.Diff(tc.reports, reports, emptyIsNil); diff != "" {
				t.Errorf("reports (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAGroupThatNobodyLeadsIsLeftOut(t *testing.T) {
	result := convert(t, `
sigs:
- {dir: sig-a, name: A, leadership: {emeritus_leads: [{github: noor}]}}
- {dir: archive/sig-b, name: B, leadership: {chairs: [{github: mila}]}}
- {dir: sig-c, name: C, leadership: {chairs: [{github: tomas}]}}
`)
	want := map[string][]string{"Community/guild": {"tomas "}, "Group/sig-c": {"tomas Manager"}}
	if diff := cmp.Diff(want, membersOf(result)); diff != "" {
		t.Errorf("objects (-want +got):\n%s", diff)
	}
	var left []string
	for _, f := range result.Findings {
		if f.What == "a SIG that is not active" || f.What == "a lead of a group that was left out" {
			left = append(left, f.Name)
		}
	}
	if diff := cmp.Diff([]string{"sig-a", "archive/sig-b", "noor", "mila"}, left); diff != "" {
		t.Errorf("left out (-want +got):\n%s", diff)
	}
}

func TestAMissionBecomesAPurpose(t *testing.T) {
	long := strings.Repeat("words ", 400)
	for name, tc := range map[string]struct{ mission, want, what string }{
		"one paragraph":      {mission: `"Bakes\n  bread.\n"`, want: "Bakes bread."},
		"what can't be seen": {mission: `"Bakes\u202E bread\u0007."`, want: "Bakes bread."},
		"too long":           {mission: long, want: strings.TrimSpace(long[:1020]) + "…", what: "a mission statement of more than 1024 characters, cut"},
		"none":               {mission: "", want: "", what: "a group without a mission statement"},
	} {
		t.Run(name, func(t *testing.T) {
			result := convert(t, "sigs: [{dir: sig-a, name: A, mission_statement: "+tc.mission+", leadership: {chairs: [{github: mila}]}}]")
			for _, o := range result.Objects {
				if g, ok := o.(*v1alpha1.Group); ok && g.Spec.Purpose != tc.want {
					t.Errorf("purpose %q, want %q", g.Spec.Purpose, tc.want)
				}
			}
			found := tc.what == ""
			for _, f := range result.Findings {
				found = found || f.What == tc.what
			}
			if !found {
				t.Errorf("%q is not reported", tc.what)
			}
		})
	}
}

func TestWhatIsNotUnderstoodIsAnErrorWithFileAndLine(t *testing.T) {
	for name, tc := range map[string]struct{ content, want string }{
		"a misspelt key of the file":  {"sig: []\n", `sigs.yaml:1: unknown key "sig" in the file; known are committees, gb_rep, sigs, usergroups, workinggroups`},
		"a misspelt key of a group":   {"sigs:\n- dir: a\n  name: A\n  labels: x\n", `sigs.yaml:4: unknown key "labels" in a SIG; known are charter_link, contact, dir`},
		"a misspelt office":           {"sigs:\n- dir: a\n  name: A\n  leadership:\n    chair: []\n", `sigs.yaml:5: unknown key "chair" in leadership of a SIG; known are chairs, emeritus_leads, tech_leads`},
		"a misspelt key of a person":  {"committees:\n- dir: a\n  name: A\n  leadership:\n    chairs:\n    - githup: mila\n", `sigs.yaml:6: unknown key "githup" in an item in chairs of leadership of a committee; known are company, github, name`},
		"a misspelt key of a meeting": {"sigs:\n- dir: a\n  name: A\n  meetings:\n  - dya: Monday\n", `sigs.yaml:5: unknown key "dya" in a meeting`},
		"a group without a name":      {"sigs:\n- dir: a\n", `sigs.yaml:2: a SIG without dir or name`},
		"a group that is there twice": {"sigs:\n- dir: a\n  name: A\nworkinggroups:\n- dir: a\n  name: B\n", `sigs.yaml:5: dir "a" is declared twice: first in sigs.yaml:2`},
		"a list that is a text":       {"sigs: none\n", `sigs.yaml:1: sigs of the file must be a list, not "none"`},
		"an alias into itself":        {"sigs: &a [*a]\n", `sigs.yaml:1: a SIG must be a mapping, not a list`},
		"no groups":                   {"# nothing\n", `sigs.yaml: no sigs, workinggroups, usergroups or committees in the file`},
		"no YAML":                     {"sigs:\n  - a: b\n c\n", `sigs.yaml:`},
		"two documents":               {"sigs: []\n---\nsigs: []\n", `sigs.yaml:2: a second YAML document`},
		"all errors come together":    {"sigs:\n- dir: a\n- x: y\n", "sigs.yaml:3: unknown key"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := sigsyaml.Read("sigs.yaml", []byte(tc.content))
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %v, want %q", err, tc.want)
			}
		})
	}
}

// TestTheKubernetesCommunityIsReadWhole compares with what is counted in the
// file without the importer.
func TestTheKubernetesCommunityIsReadWhole(t *testing.T) {
	path := importertest.Data(t, "kubernetes", "sigs.yaml")
	result := convertFile(t, path)
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var file map[string]any
	if err := yaml.Unmarshal(content, &file); err != nil {
		t.Fatal(err)
	}
	want := map[string][]string{}
	everybody := importer.Roles{}
	leads, pairs := 0, 0
	for _, section := range []string{"sigs", "workinggroups", "usergroups", "committees"} {
		groups, _ := file[section].([]any)
		for _, g := range groups {
			group := g.(map[string]any)
			roles := importer.Roles{}
			for _, office := range []string{"chairs", "tech_leads"} {
				people, _ := group["leadership"].(map[string]any)[office].([]any)
				for _, p := range people {
					leads++
					handle := strings.ToLower(p.(map[string]any)["github"].(string))
					roles[handle], everybody[handle] = v1alpha1.RoleManager, v1alpha1.RoleMember
				}
			}
			pairs += len(roles)
			want["Group/"+group["dir"].(string)] = listed(roles.Sources())
		}
	}
	want["Community/guild"] = listed(everybody.Sources())
	if diff := cmp.Diff(want, membersOf(result)); diff != "" {
		t.Errorf("members (-want +got):\n%s", diff)
	}
	if leads != 166 || pairs != 155 || len(everybody) != 129 {
		t.Errorf("%d leads, %d roles, %d people", leads, pairs, len(everybody))
	}
	wantRead := []importer.Count{
		{Name: "SIGs", Count: 24},
		{Name: "working groups", Count: 8},
		{Name: "user groups", Count: 0},
		{Name: "committees", Count: 3},
		{Name: "active leads", Count: 166},
		{Name: "people among them", Count: 129},
		{Name: "leads emeriti", Count: 120},
		{Name: "subprojects", Count: 236},
	}
	if diff := cmp.Diff(wantRead, result.Read); diff != "" {
		t.Errorf("read (-want +got):\n%s", diff)
	}
	wantMade := []importer.Count{
		{Name: "Community", Count: 1},
		{Name: "Groups", Count: 35},
		{Name: "managers of Groups", Count: 155},
		{Name: "members of the Community", Count: 129},
	}
	if diff := cmp.Diff(wantMade, result.Made); diff != "" {
		t.Errorf("made (-want +got):\n%s", diff)
	}
	whats := map[string]int{}
	for _, f := range result.Findings {
		whats[f.What]++
	}
	for what, count := range map[string]int{
		"a lead who is named twice in one group":       11,
		"a lead emeritus":                              120,
		"a subproject":                                 236,
		"a lead of a subproject":                       35,
		"a liaison of the steering committee":          34,
		"the name and the company of a lead":           166,
		"a committee, which people join by invitation": 3,
		"a representative on the governing board":      1,
		"a person without a GitHub handle":             0,
		"a name that can't be a GitHub handle":         0,
	} {
		if whats[what] != count {
			t.Errorf("%q is reported %d times, not %d", what, whats[what], count)
		}
	}
}

func TestTheSameFileGivesTheSameBytes(t *testing.T) {
	path := filepath.Join("testdata", "example", "in", "sigs.yaml")
	first := importertest.Files(t, convertFile(t, path))
	for range 20 {
		if diff := cmp.Diff(first, importertest.Files(t, convertFile(t, path))); diff != "" {
			t.Fatal(diff)
		}
	}
}

// FuzzRead: whatever the file holds, it is refused with the file's name, or it
// becomes objects with names that the API takes.
func FuzzRead(f *testing.F) {
	f.Add("sigs:\n- dir: sig-ovens\n  name: Ovens\n  leadership: {chairs: [{github: mila}], tech_leads: [{github: Mila}]}\n")
	f.Add("committees:\n- {dir: A_b, name: 'x', leadership: {chairs: [{github: -}]}}\n- {dir: a-b, name: y, leadership: {chairs: [{}]}}\n")
	f.Add("workinggroups: [{dir: a, name: b, meetings: [{}], contact: {slack: x, teams: [{name: t}], liaison: {}}, subprojects: [{name: s}]}]\n")
	f.Add("sigs: &a [*a]\n")
	f.Add("gb_rep: {github: a}\n---\n")
	f.Fuzz(func(t *testing.T, content string) {
		config, err := sigsyaml.Read("fuzz.yaml", []byte(content))
		if err != nil {
			for line := range strings.SplitSeq(err.Error(), "\n") {
				if !strings.HasPrefix(line, "fuzz.yaml:") {
					t.Errorf("an error without a place: %q", line)
				}
			}
			return
		}
		result, err := sigsyaml.Convert(config, importer.Options{Community: "guild", Platform: "chat"})
		if err != nil {
			t.Fatal(err)
		}
		importertest.CheckNames(t, result)
		importertest.Files(t, result)
	})
}

func convert(t *testing.T, content string) *importer.Result {
	t.Helper()
	config, err := sigsyaml.Read("sigs.yaml", []byte(content))
	if err != nil {
		t.Fatal(err)
	}
	return convertConfig(t, config)
}

func convertFile(t *testing.T, path string) *importer.Result {
	t.Helper()
	config, err := sigsyaml.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return convertConfig(t, config)
}

func convertConfig(t *testing.T, config *sigsyaml.Config) *importer.Result {
	t.Helper()
	result, err := sigsyaml.Convert(config, importer.Options{Community: "guild", Namespace: "town", Platform: "chat"})
	if err != nil {
		t.Fatal(err)
	}
	importertest.CheckNames(t, result)
	return result
}

// membersOf are the members of each object, with their roles.
func membersOf(result *importer.Result) map[string][]string {
	members := map[string][]string{}
	for _, o := range result.Objects {
		switch o := o.(type) {
		case *v1alpha1.Community:
			members["Community/"+o.Name] = listed(o.Spec.Members)
		case *v1alpha1.Group:
			members["Group/"+o.Name] = listed(o.Spec.Members)
		}
	}
	return members
}

func listed(sources []v1alpha1.MemberSource) []string {
	var list []string
	for _, s := range sources {
		list = append(list, fmt.Sprintf("%s %s", s.Person, s.Role))
	}
	return list
}

var emptyIsNil = cmp.Transformer("emptyIsNil", func(m map[string]string) map[string]string {
	if len(m) == 0 {
		return nil
	}
	return m
})

// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package slackconfig_test

import (
	"regexp"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/api/validate/content"

	"github.com/cabildo-dev/cabildo/internal/importer"
	"github.com/cabildo-dev/cabildo/internal/importer/slackconfig"
)

var (
	spaceNames = regexp.MustCompile(`^[a-z0-9]([a-z0-9_-]{0,62}[a-z0-9])?$`)
	errorLine  = regexp.MustCompile(`^fuzz\.yaml(:\d+)?: `)
)

// FuzzRead: whatever the file holds, it is refused with a place, or it becomes
// objects that the API takes.
func FuzzRead(f *testing.F) {
	f.Add("channels:\n- name: go\n- {name: pt_br, archived: true}\n- name: -edge\n  moderators: [Mila]\n")
	f.Add("usergroups:\n- name: elders\n  channels: [go, rye]\n  members: [Mila, josé]\nusers: {Mila: U1, mila: U2}\nchannels: [{name: go}, {name: GO}]\n")
	f.Add("channel_template:\n  topic: a\n  purpose: |\n    b\n  pins: [x, 'y']\n")
	f.Add("restrictions:\n- path: '**/*'\n  channels: ['^a$']\n")
	f.Add("channels: &a [*a]\n")
	f.Add("? [a]\n: !!binary x\n")
	f.Add("users: {<<: {a: b}}\n---\n")
	f.Fuzz(func(t *testing.T, content string) {
		config, err := slackconfig.Read(mapFS(map[string]string{"fuzz.yaml": content}))
		if err != nil {
			for line := range strings.SplitSeq(err.Error(), "\n") {
				if !errorLine.MatchString(line) {
					t.Errorf("an error without a place: %q", line)
				}
			}
			return
		}
		result := convert(t, config)
		checkNames(t, result)
		if _, err := importer.Manifests(result.Objects); err != nil {
			t.Error(err)
		}
		_, _ = result.Text(), result.Markdown()
	})
}

func checkNames(t *testing.T, result *importer.Result) {
	t.Helper()
	objects, spaces := map[string]bool{}, map[string]bool{}
	for _, g := range groupsOf(result) {
		if problems := content.IsDNS1123Subdomain(g.Name); len(problems) > 0 {
			t.Errorf("metadata.name %q: %v", g.Name, problems)
		}
		space := g.Name
		if g.Spec.SpaceName != "" {
			space = g.Spec.SpaceName
		}
		if !spaceNames.MatchString(space) {
			t.Errorf("spaceName %q", space)
		}
		if objects[g.Name] || spaces[space] {
			t.Errorf("%s, address %s, is there twice", g.Name, space)
		}
		objects[g.Name], spaces[space] = true, true
		persons := map[string]bool{}
		for _, m := range g.Spec.Members {
			if !usernames.MatchString(m.Person) || persons[m.Person] {
				t.Errorf("member %q of %s", m.Person, g.Name)
			}
			persons[m.Person] = true
		}
	}
}

var usernames = regexp.MustCompile(`^[a-z0-9._-]{1,255}$`)

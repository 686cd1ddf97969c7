// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package slackconfig_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/cabildo-dev/cabildo/internal/importer"
	"github.com/cabildo-dev/cabildo/internal/importer/importertest"
	"github.com/cabildo-dev/cabildo/internal/importer/slackconfig"
)

var errorLine = regexp.MustCompile(`^fuzz\.yaml(:\d+)?: `)

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
		importertest.CheckNames(t, result)
		if _, err := importer.Manifests(result.Objects); err != nil {
			t.Error(err)
		}
		_, _ = result.Text(), result.Markdown()
	})
}

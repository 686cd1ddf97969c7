// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package slackconfig_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/cabildo-dev/cabildo/internal/importer/slackconfig"
)

func TestWhatIsNotUnderstoodIsAnErrorWithFileAndLine(t *testing.T) {
	for name, tc := range map[string]struct {
		files map[string]string
		want  []string
	}{
		"a misspelt key of the file": {
			files: map[string]string{"a/channels.yaml": "# all of them\nchanels:\n- name: go\n"},
			want:  []string{`a/channels.yaml:2: unknown key "chanels" in the file; known are channel_template, channels, restrictions, usergroups, users`},
		},
		"a misspelt key of a channel": {
			files: map[string]string{"c.yaml": "channels:\n- name: go\n  archive: true\n"},
			want:  []string{`c.yaml:3: unknown key "archive" in a channel; known are archived, id, moderators, name`},
		},
		"a misspelt key of a user group": {
			files: map[string]string{"c.yaml": "usergroups:\n- name: go\n  member: [mila]\n"},
			want:  []string{`c.yaml:3: unknown key "member" in a user group; known are channels, description, external, long_name, members, name`},
		},
		"a misspelt key of a restriction and of the template": {
			files: map[string]string{"c.yaml": "restrictions:\n- path: x\n  user: true\nchannel_template:\n  pin: []\n"},
			want: []string{
				`c.yaml:3: unknown key "user" in a restriction; known are channels, path, template, usergroups, users`,
				`c.yaml:5: unknown key "pin" in the channel template; known are pins, purpose, topic`,
			},
		},
		"a merge key": {
			files: map[string]string{"c.yaml": "channels:\n- &go {name: go}\n- {<<: *go, archived: true}\n"},
			want:  []string{`c.yaml:3: unknown key "<<" in a channel; known are archived, id, moderators, name`, `c.yaml:3: a channel without a name`},
		},
		"values of the wrong type": {
			files: map[string]string{"c.yaml": "channels:\n- name: [go]\n- name: rust\n  archived: \"maybe\"\n  moderators: mila\n- zig\nusers: [mila]\nusergroups:\n- name: {}\n"},
			want: []string{
				`c.yaml:2: name of a channel must be text, not a list`,
				`c.yaml:2: a channel without a name`,
				`c.yaml:4: archived of a channel must be true or false, not "maybe"`,
				`c.yaml:5: moderators of a channel must be a list, not "mila"`,
				`c.yaml:6: a channel must be a mapping, not "zig"`,
				`c.yaml:6: a channel without a name`,
				`c.yaml:7: users must be a mapping from names to Slack user IDs, not a list`,
				`c.yaml:9: name of a user group must be text, not a mapping`,
				`c.yaml:9: a user group without a name`,
			},
		},
		"nothing where a name should be": {
			files: map[string]string{"c.yaml": "usergroups:\n- name: elders\n  members:\n  -\n  - mila\nrestrictions:\n- users: true\n"},
			want: []string{
				`c.yaml:4: an item in members of a user group must be text, not nothing`,
				`c.yaml:7: a restriction without a path`,
			},
		},
		"names that are declared twice": {
			files: map[string]string{
				"a.yaml": "channels:\n- name: go\n  id: C1\nusers:\n  mila: U1\nusergroups:\n- name: elders\n",
				"b.yaml": "channels:\n- name: go\n- name: rust\n  id: C1\nusers:\n  mila: U2\nusergroups:\n- name: elders\n",
			},
			want: []string{
				`b.yaml:2: channel "go" is declared twice: first in a.yaml:2`,
				`b.yaml:3: channel id "C1" is declared twice: first in a.yaml:2`,
				`b.yaml:6: user "mila" is declared twice: first in a.yaml:5`,
				`b.yaml:8: user group "elders" is declared twice: first in a.yaml:7`,
			},
		},
		"a template and restrictions in two files": {
			files: map[string]string{
				"a.yaml": "channel_template:\n  topic: bread\nrestrictions:\n- path: x\n",
				"b.yaml": "channel_template:\n  topic: bread\nrestrictions:\n- path: x\n",
			},
			want: []string{
				`b.yaml:2: key "channel_template" is declared twice: first in a.yaml:2`,
				`b.yaml:4: key "restrictions" is declared twice: first in a.yaml:4`,
			},
		},
		"a key twice in a channel": {
			files: map[string]string{"c.yaml": "channels:\n- name: go\n  name: rust\n"},
			want:  []string{`c.yaml:3: key "name" twice in a channel`},
		},
		"not YAML": {
			files: map[string]string{"c.yaml": "channels:\n- name: go\n\t- name: rust\n", "d.yaml": "usergroups:\n- name: 'x\n"},
			want: []string{
				`c.yaml:2: not YAML: found a tab character that violates indentation`,
				`d.yaml:2: not YAML: found unexpected end of stream`,
			},
		},
		"two documents in one file": {
			files: map[string]string{"c.yaml": "channels: []\n---\nchannels:\n- name: go\n"},
			want:  []string{`c.yaml:2: a second YAML document: the format has one in each file`},
		},
		"a file that is a list": {
			files: map[string]string{"c.yaml": "- name: go\n"},
			want:  []string{`c.yaml:1: the file must be a mapping, not a list`},
		},
		"an alias that holds itself": {
			files: map[string]string{"c.yaml": "channels: &all\n- *all\n"},
			want:  []string{`c.yaml:1: a channel must be a mapping, not a list`, `c.yaml:2: a channel without a name`},
		},
		"a folder without the format": {
			files: map[string]string{"README.md": "hello"},
			want:  []string{`reading the slack-config: no *.yaml file in the folder: name the folder with channels.yaml and usergroups.yaml`},
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := slackconfig.Read(mapFS(tc.files))
			if err == nil {
				t.Fatal("no error")
			}
			if diff := cmp.Diff(strings.Join(tc.want, "\n"), err.Error()); diff != "" {
				t.Errorf("error (-want +got):\n%s", diff)
			}
		})
	}
}

func TestWhatTempelisTakesIsTaken(t *testing.T) {
	config, err := slackconfig.Read(mapFS(map[string]string{
		"empty.yaml":    "",
		"comments.yaml": "# nothing yet\n",
		"nulls.yaml":    "channels:\nusers:\nusergroups:\n- name: elders\n  channels:\n  members:\n  # - mila\n",
		"numbers.yaml":  "channels:\n- name: 2024\n- name: on\n",
		"alias.yaml":    "usergroups:\n- name: a\n  members: &people [mila, tomas]\n- name: b\n  members: *people\n",
		"deep/er/c.yaml": "channels:\n" +
			"- {name: deep, archived: True}\n",
		"OWNERS": "approvers: [mila]",
	}))
	if err != nil {
		t.Fatal(err)
	}
	var channels, groups []string
	for _, ch := range config.Channels {
		channels = append(channels, ch.Name.Name)
		if ch.Name.Name == "deep" && !ch.Archived {
			t.Error("deep is not archived")
		}
	}
	for _, g := range config.UserGroups {
		groups = append(groups, g.Name.Name)
		if g.Name.Name == "b" && (len(g.Members) != 2 || g.Members[1].Name != "tomas") {
			t.Errorf("members of b: %v", g.Members)
		}
	}
	if diff := cmp.Diff([]string{"deep", "2024", "on"}, channels); diff != "" {
		t.Errorf("channels (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"a", "b", "elders"}, groups); diff != "" {
		t.Errorf("user groups (-want +got):\n%s", diff)
	}
}

func TestLinksThatLeaveTheFolderAreNotFollowed(t *testing.T) {
	outside := filepath.Join(t.TempDir(), "secret.yaml")
	if err := os.WriteFile(outside, []byte("channels: []"), 0o600); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.Symlink(outside, filepath.Join(dir, "channels.yaml")); err != nil {
		t.Skip("no symbolic links here:", err)
	}
	if _, err := slackconfig.ReadDir(dir); err == nil {
		t.Error("the link was followed")
	}
}

func mapFS(files map[string]string) fstest.MapFS {
	fsys := fstest.MapFS{}
	for name, content := range files {
		fsys[name] = &fstest.MapFile{Data: []byte(content)}
	}
	return fsys
}

// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package matrix

import (
	"encoding/json"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
)

const spaceAlias, roomAlias = "#town:example.org", "#town-square:example.org"

func space() room {
	return room{alias: spaceAlias, leads: true, members: []string{"@ana:example.org"}, state: map[at]string{
		{kind: typeAlias}:                `{"alias":"#town:example.org"}`,
		{typeChild, roomName(roomAlias)}: `{"via":["example.org"]}`,
	}}
}

func square() room {
	return room{
		alias: roomAlias, leads: true, message: `{"body":"be kind"}`, members: []string{"@ana:example.org"},
		state: map[at]string{
			{kind: typeCreate}:                 `{"creator":"@cabildo:example.org","dev.cabildo.key":"k","room_version":"12"}`,
			{kind: typePowers}:                 `{"users":{}}`,
			{kind: typeJoinRules}:              `{"allow":[{"room_id":"` + roomName(spaceAlias) + `"}],"join_rule":"restricted"}`,
			{kind: typePins}:                   `{"pinned":["` + messageName(roomAlias) + `"]}`,
			{typeParent, roomName(spaceAlias)}: `{"canonical":true}`,
		},
	}
}

func TestRoomsThatAreTheSameDoNotDiffer(t *testing.T) {
	NewWithT(t).Expect(differences([]room{space(), square()}, []room{square(), space()})).To(BeEmpty())
}

func TestEveryDifferenceOfARoomIsTold(t *testing.T) {
	for what, change := range map[string]func(*room){
		"address":     func(r *room) { r.leads = false },
		"listed":      func(r *room) { r.listed = true },
		"guidelines":  func(r *room) { r.message = `{"body":"be quick"}` },
		"joined":      func(r *room) { r.members = nil },
		typePowers:    func(r *room) { r.state[at{kind: typePowers}] = `{}` },
		"state there": func(r *room) { r.state[at{kind: "m.room.encryption"}] = `{}` },
	} {
		t.Run(what, func(t *testing.T) {
			g, changed := NewWithT(t), square()
			change(&changed)
			g.Expect(differences([]room{square()}, []room{changed})).To(ConsistOf(ContainSubstring(what)))
		})
	}
}

func TestARoomThatIsMissingOrTooMuchIsTold(t *testing.T) {
	g := NewWithT(t)
	g.Expect(differences([]room{space(), square()}, []room{space()})).NotTo(BeEmpty())
	g.Expect(differences([]room{space()}, []room{space(), square()})).NotTo(BeEmpty())
}

func TestCreateRoomCarriesWhatItCan(t *testing.T) {
	g := NewWithT(t)
	body, err := square().creation(strings.NewReplacer(roomName(spaceAlias), "!space"))
	g.Expect(err).NotTo(HaveOccurred())
	raw, err := json.Marshal(body)
	g.Expect(err).NotTo(HaveOccurred())
	var sent struct {
		Version  string         `json:"room_version"`
		Alias    string         `json:"room_alias_name"`
		Creation map[string]any `json:"creation_content"`
		Invite   []string       `json:"invite"`
		State    []struct {
			Type string `json:"type"`
			Key  string `json:"state_key"`
		} `json:"initial_state"`
	}
	g.Expect(json.Unmarshal(raw, &sent)).To(Succeed())
	g.Expect(sent.Version).To(Equal("12"))
	g.Expect(sent.Alias).To(Equal("town-square"))
	g.Expect(sent.Creation).To(Equal(map[string]any{"dev.cabildo.key": "k"}))
	g.Expect(sent.Invite).To(ConsistOf("@ana:example.org"))
	g.Expect(sent.State).To(HaveLen(2), "join rules and parent; the pin needs a message that is not there yet")
	g.Expect(sent.State).To(ContainElement(HaveField("Key", "!space")), "IDs are those of this server")
	g.Expect(string(raw)).NotTo(ContainSubstring("{room "))
}

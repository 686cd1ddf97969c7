// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package matrix

import (
	"encoding/json"
	"fmt"
	"testing"

	. "github.com/onsi/gomega"
	"pgregory.net/rapid"

	"github.com/cabildo-dev/cabildo/internal/model"
)

// reread is the powers as they come back from the server.
func reread(t interface{ Fatal(...any) }, p *powers) *powers {
	raw, err := json.Marshal(p.content())
	if err != nil {
		t.Fatal(err)
	}
	return parsePowers(raw)
}

func TestPermissionsAndRolesComeBackAsTheyWereWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := NewWithT(t)
		want, _ := onExample.normalize(wanted().Draw(t, "want"))
		p := newPowers(want.Settings.Permissions)
		members := []model.Member{
			{Account: "@a:example.com", Role: rapid.SampledFrom([]model.Role{model.RoleMember, model.RoleModerator, model.RoleManager}).Draw(t, "a")},
			{Account: "@b:example.com", Role: rapid.SampledFrom([]model.Role{model.RoleMember, model.RoleModerator, model.RoleManager}).Draw(t, "b")},
			{Account: "@us:example.com", Role: model.RoleMember},
		}
		p.users["@us:example.com"] = powerOperator
		p.users["@b:example.com"] = 33
		g.Expect(p.setRoles("@us:example.com", members)).To(Succeed())
		back := reread(t, p)
		g.Expect(back).To(Equal(p))
		g.Expect(back.permissions()).To(Equal(want.Settings.Permissions))
		g.Expect(back.users["@us:example.com"]).To(Equal(powerOperator))
		for _, m := range members[:2] {
			g.Expect(roleOf(back.users[m.Account])).To(Equal(m.Role))
		}
	})
}

func TestAnActionWhosePartsDisagreeHasNoRole(t *testing.T) {
	for name, row := range map[string]struct {
		content string
		action  model.Action
	}{
		"messages and stickers":            {`{"events_default":0,"events":{"m.sticker":50}}`, model.ActionPost},
		"encrypted messages, which escape": {`{"events_default":75,"events":{"m.room.encrypted":0}}`, model.ActionPost},
		"kicking and banning":              {`{"kick":50,"ban":75}`, model.ActionRemove},
		"a level of no role":               {`{"invite":10}`, model.ActionInvite},
		"redacting one's own":              {`{"redact":50,"events":{"m.room.redaction":50}}`, model.ActionDelete},
		"state by default":                 {`{"state_default":50}`, model.ActionGovern},
		"power for everybody":              {`{"users_default":50}`, model.ActionGovern},
		"an event that we don't know":      {`{"events":{"com.example.widget":0}}`, model.ActionGovern},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			whole := newPowers(builtIn).content()
			var change map[string]any
			g.Expect(json.Unmarshal([]byte(row.content), &change)).To(Succeed())
			for key, value := range change {
				if key != "events" {
					whole[key] = value
					continue
				}
				for kind, power := range value.(map[string]any) {
					whole["events"].(map[string]int)[kind] = int(power.(float64))
				}
			}
			raw, err := json.Marshal(whole)
			g.Expect(err).NotTo(HaveOccurred())
			for action, role := range parsePowers(raw).permissions() {
				if action == row.action {
					g.Expect(role).To(Equal(model.RoleUnknown), string(action))
				} else if action != model.ActionReact {
					g.Expect(role).To(Equal(builtIn[action]), string(action))
				}
			}
		})
	}
}

func TestReactionsStayOpenWhereOnlyManagersPost(t *testing.T) {
	g := NewWithT(t)
	want, _ := onExample.normalize(model.Space{Settings: model.Settings{
		Permissions: map[model.Action]model.Role{model.ActionPost: model.RoleManager},
	}})
	p := newPowers(want.Settings.Permissions)
	g.Expect(p.eventsDefault).To(Equal(powerManager))
	g.Expect(p.forMessage("m.reaction")).To(Equal(powerMember))
	g.Expect(p.forMessage("m.room.encrypted")).To(Equal(powerManager))
}

func TestEveryKeyOfThePowerLevelsIsSaid(t *testing.T) {
	g := NewWithT(t)
	p := newPowers(builtIn)
	for _, key := range []string{"users", "users_default", "events", "events_default", "state_default", "ban", "kick", "redact", "invite", "notifications"} {
		g.Expect(p.content()).To(HaveKey(key))
	}
	for _, kind := range readTypes {
		if kind != typeCreate && kind != typeMember { // these have rules of their own
			g.Expect(p.events).To(HaveKey(kind))
		}
	}
}

func TestLevelsOfOldRoomsAndNonsenseAreRead(t *testing.T) {
	g := NewWithT(t)
	p := parsePowers(json.RawMessage(`{"users":{"@a:x":"50","@b:x":100.0,"@c:x":" 75 ","@d:x":{}},"ban":null,"kick":"x"}`))
	g.Expect(p.users).To(Equal(map[string]int{"@a:x": 50, "@b:x": 100, "@c:x": 75, "@d:x": 0}))
	g.Expect(p.ban).To(Equal(50))
	g.Expect(p.kick).To(BeZero())
	g.Expect(parsePowers(json.RawMessage(`[]`)).stateDefault).To(Equal(50))
}

func TestTooManyRolesForOneEventAreRefused(t *testing.T) {
	g := NewWithT(t)
	p := newPowers(builtIn)
	for i := range 4000 {
		p.users[fmt.Sprintf("@somebody%d:example.com", i)] = powerModerator
	}
	g.Expect(tooLarge(p.content(), "setting roles")).To(MatchError(ContainSubstring("give fewer people a role")))
}

// Promise 7.
func TestRolesAreRefusedThatNobodyMayHave(t *testing.T) {
	g := NewWithT(t)
	p := newPowers(builtIn)
	for _, m := range []model.Member{
		{Account: "@a:x", Role: model.RoleOperator}, {Account: "@a:x", Role: model.RoleUnknown}, {Account: "nobody", Role: model.RoleManager},
	} {
		g.Expect(p.setRoles("@us:x", []model.Member{m})).NotTo(Succeed())
	}
	g.Expect(p.users).To(BeEmpty())
}

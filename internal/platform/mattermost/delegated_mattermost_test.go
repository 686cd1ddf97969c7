// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package mattermost_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"

	mm "github.com/mattermost/mattermost/server/public/model"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/utils/ptr"

	"github.com/cabildo-dev/cabildo/internal/model"
	"github.com/cabildo-dev/cabildo/internal/plan"
	"github.com/cabildo-dev/cabildo/internal/platform"
)

var _ = Describe("what the server gives to others to decide", func() {
	It("is said of a team and a channel that are limited to groups, which the server alone changes", func(ctx SpecContext) {
		a := open(ctx)
		ana, omar := somebody(ctx, "ana"), somebody(ctx, "omar")
		town := a.community(with(model.Member{Account: ana.Username}))
		market := a.group(town, with(model.Member{Account: ana.Username}))
		team := a.make(ctx, town)
		id := a.make(ctx, market)
		Expect(a.see(ctx, market).Space.Delegated).To(BeNil())
		recorded(ctx, market)

		By("limiting them to groups, which takes out who is in none of them")
		_, _, err := server.Admin().PatchChannel(ctx, id, &mm.ChannelPatch{GroupConstrained: ptr.To(true)})
		Expect(err).NotTo(HaveOccurred())
		b := openAgain(ctx)
		Expect(b.see(ctx, market).Space.Delegated).To(HaveValue(Equal(
			model.Delegation{By: "the synchronisation of the channel with groups", Alone: true})))
		Expect(b.see(ctx, town).Space.Delegated).To(BeNil())
		market.Members = append(market.Members, model.Member{Account: omar.Username})
		for _, op := range b.plan(ctx, market) {
			if op.Verb == plan.AddMember {
				_, err := b.Apply(ctx, op)
				Expect(platform.IsKind(err, platform.Invalid)).To(BeTrue(), "the server refuses it: %v", err)
			}
		}
		_, _, err = server.Admin().PatchTeam(ctx, team, &mm.TeamPatch{GroupConstrained: ptr.To(true)})
		Expect(err).NotTo(HaveOccurred())
		Expect(openAgain(ctx).see(ctx, town).Space.Delegated).To(HaveValue(Equal(
			model.Delegation{By: "the synchronisation of the team with groups", Alone: true})))
	})

	It("is said of a channel with an access policy, which is not opened", func(ctx SpecContext) {
		a := open(ctx)
		ana := somebody(ctx, "ana")
		town := a.community()
		market := a.group(town, with(model.Member{Account: ana.Username, Role: model.RoleManager}), func(s *model.Space) {
			s.Settings.Join = model.JoinInvite
		})
		a.make(ctx, town)
		id := a.make(ctx, market)
		recorded(ctx, market)

		By("a licensed server's words")
		policied := says{
			"/license/client": func(v map[string]any) {
				v["IsLicensed"], v["SkuShortName"] = "true", mm.LicenseShortSkuEnterpriseAdvanced
			},
			"/config": func(v map[string]any) {
				v["AccessControlSettings"] = map[string]any{"EnableAttributeBasedAccessControl": true}
			},
			"/channels": func(v map[string]any) { v["policy_enforced"] = v["id"] == id },
		}
		b := open(ctx, through(policied))
		Expect(b.see(ctx, market).Space.Delegated).To(HaveValue(Equal(model.Delegation{By: "the access policy of the channel"})))
		market.Settings.Join = model.JoinParentMembers
		ops := slices.DeleteFunc(b.plan(ctx, market), func(op plan.Operation) bool { return op.Field != plan.FieldJoin })
		Expect(ops).To(HaveLen(1))
		_, err := b.Apply(ctx, ops[0])
		Expect(err).To(MatchError(ContainSubstring("its access policy is for a private channel")))
		Expect(platform.IsKind(err, platform.NotSupported)).To(BeTrue())
		channel, _, err := server.Admin().GetChannel(ctx, id)
		Expect(err).NotTo(HaveOccurred())
		Expect(channel.Type).To(Equal(mm.ChannelTypePrivate))

		By("a server that does not look at policies")
		delete(policied, "/config")
		Expect(open(ctx, through(policied)).see(ctx, market).Space.Delegated).To(BeNil())
	})

	It("leaves people of other servers in a shared channel to these", func(ctx SpecContext) {
		a := open(ctx)
		ana, remote := somebody(ctx, "ana"), somebody(ctx, "remote")
		town := a.community(with(model.Member{Account: ana.Username}))
		a.make(ctx, town)
		_, _, err := server.Admin().AddTeamMember(ctx, a.see(ctx, town).Space.ID, remote.ID)
		Expect(err).NotTo(HaveOccurred())
		Expect(openAgain(ctx).see(ctx, town).Space.Members).To(HaveKey(remote.Username))
		elsewhere := says{"/users": func(v map[string]any) {
			if v["id"] == remote.ID {
				v["remote_id"] = mm.NewId()
			}
		}}
		b := open(ctx, through(elsewhere))
		Expect(b.see(ctx, town).Space.Members).To(And(HaveKey(ana.Username), Not(HaveKey(remote.Username))))
		Expect(b.plan(ctx, town)).To(BeEmpty(), "though the declared members are the exact list")
	})
})

// recorded waits until a process that knows nothing finds a space as it is wanted.
func recorded(ctx SpecContext, want model.Space) {
	GinkgoHelper()
	Eventually(func() []plan.Operation { return openAgain(ctx).plan(ctx, want) }).Should(BeEmpty(), want.Settings.DisplayName)
}

// says is how answers of the server are changed, by a part of the path: a
// licensed server can't be had here.
type says map[string]func(map[string]any)

// through puts what changes the answers between the adapter and the server.
func through(s says) option {
	return func(c *platform.Config) { c.Client = &http.Client{Transport: s} }
}

// RoundTrip is that of an http.RoundTripper.
func (s says) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	for part, change := range s {
		if strings.Contains(req.URL.Path, "/api/v4"+part) {
			return changed(resp, change)
		}
	}
	return resp, nil
}

// changed is an answer in which each object was changed.
func changed(resp *http.Response, change func(map[string]any)) (*http.Response, error) {
	body, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if err != nil {
		return nil, err
	}
	var value any
	if json.Unmarshal(body, &value) == nil {
		each(value, change)
		if body, err = json.Marshal(value); err != nil {
			return nil, err
		}
	}
	resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	resp.Header.Del("Content-Length")
	return resp, nil
}

func each(value any, change func(map[string]any)) {
	switch v := value.(type) {
	case []any:
		for _, one := range v {
			each(one, change)
		}
	case map[string]any:
		each(v["channels"], change) // of a search
		change(v)
	}
}

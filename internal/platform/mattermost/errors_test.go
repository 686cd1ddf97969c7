// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package mattermost

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	mm "github.com/mattermost/mattermost/server/public/model"
	. "github.com/onsi/gomega"

	"github.com/cabildo-dev/cabildo/internal/model"
	"github.com/cabildo-dev/cabildo/internal/platform"
)

// answering is a client of a server that always says the same.
func answering(t *testing.T, status int, body string, header ...string) *client {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(server.Close)
	c, err := newClient(platform.Config{URL: server.URL, Token: "secret-token"})
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	return c
}

func TestAnswersAreSorted(t *testing.T) {
	for name, c := range map[string]struct {
		status      int
		body        string
		read, write platform.ErrorKind
	}{
		"a refused token":         {401, `{"id":"api.context.session_expired.app_error","message":"Invalid"}`, platform.Unauthorized, platform.Unauthorized},
		"no permission":           {403, `{"id":"api.context.permissions.app_error","message":"No"}`, platform.Forbidden, platform.Forbidden},
		"nothing there":           {404, `{"id":"x","message":"gone"}`, platform.NotFound, platform.NotFound},
		"no such route":           {404, `404 page not found`, platform.Unavailable, platform.Unavailable}, // said by a gateway
		"a name that is taken":    {400, `{"id":"` + channelExists + `","message":"taken"}`, platform.AlreadyExists, platform.AlreadyExists},
		"a team that is there":    {400, `{"id":"` + teamIDExists + `","message":"taken"}`, platform.AlreadyExists, platform.AlreadyExists},
		"what it doesn't take":    {400, `{"id":"x","message":"too long"}`, platform.Invalid, platform.Invalid},
		"no licence":              {501, `{"id":"x","message":"licence"}`, platform.NotSupported, platform.NotSupported},
		"trouble":                 {500, `{"id":"x","message":"oops"}`, platform.Unavailable, platform.Ambiguous},
		"a proxy's own page":      {502, `<html>bad gateway</html>`, platform.Unavailable, platform.Ambiguous},
		"going down":              {503, ``, platform.Unavailable, platform.Unavailable},
		"too many":                {429, `limit exceeded`, platform.RateLimited, platform.RateLimited},
		"an answer that is cut":   {200, `{"id":"abc`, platform.Unavailable, platform.Ambiguous},
		"a page that is no JSON":  {200, `<html>`, platform.Unavailable, platform.Ambiguous},
		"the token said back":     {400, `{"id":"x","message":"secret-token is bad"}`, platform.Invalid, platform.Invalid},
		"an endpoint that is not": {405, ``, platform.NotSupported, platform.NotSupported},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			cl := answering(t, c.status, c.body)
			send := func(ctx context.Context, api *mm.Client4) (*mm.Channel, *mm.Response, error) {
				return api.GetChannel(ctx, mm.NewId())
			}
			_, err := get(t.Context(), cl, read("r", "reading"), send)
			g.Expect(platform.IsKind(err, c.read)).To(BeTrue(), "%v", err)
			g.Expect(err.Error()).NotTo(ContainSubstring("secret-token"))
			_, err = get(t.Context(), cl, write("r", "writing"), send)
			g.Expect(platform.IsKind(err, c.write)).To(BeTrue(), "%v", err)
		})
	}
}

func TestAWriteThatWasNeverSentDidNotHappen(t *testing.T) {
	g := NewWithT(t)
	server := httptest.NewServer(nil)
	server.Close()
	c, err := newClient(platform.Config{URL: server.URL, Token: "secret-token"})
	g.Expect(err).NotTo(HaveOccurred())
	err = c.do(t.Context(), write("r", "writing"), func(ctx context.Context, api *mm.Client4) (*mm.Response, error) {
		return api.DeleteChannel(ctx, mm.NewId())
	})
	g.Expect(platform.IsKind(err, platform.Unavailable)).To(BeTrue(), "%v", err)
}

func TestRetryAfterIsTaken(t *testing.T) {
	g := NewWithT(t)
	c := answering(t, 429, "", "Retry-After", "7")
	_, err := get(t.Context(), c, read("r", "reading"), func(ctx context.Context, api *mm.Client4) (*mm.User, *mm.Response, error) { return api.GetMe(ctx, "") })
	var typed *platform.Error
	g.Expect(errors.As(err, &typed)).To(BeTrue())
	g.Expect(typed.RetryAfter).To(Equal(7 * time.Second))
}

// A licensed server is not to be had here: this one answers as the API's reference says.
func TestModerationOfAChannelIsReadAndWritten(t *testing.T) {
	g := NewWithT(t)
	var wrote string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPut {
			body, _ := io.ReadAll(r.Body)
			wrote = string(body)
		}
		_, _ = io.WriteString(w, `[
			{"name":"create_post","roles":{"guests":{"value":true,"enabled":true},"members":{"value":false,"enabled":true}}},
			{"name":"manage_members","roles":{"members":{"value":true,"enabled":true}}},
			{"name":"use_channel_mentions","roles":{}},
			{"name":"something_new","roles":{"members":{"value":false,"enabled":true}}}]`)
	}))
	t.Cleanup(server.Close)
	opened, err := New(t.Context(), platform.Config{URL: server.URL, Token: "t", OwnerID: "here"})
	g.Expect(err).NotTo(HaveOccurred())
	t.Cleanup(opened.Close)
	a := opened.(*Adapter)
	a.offer = &offer{licensed: true, fixed: builtIn}
	permissions := map[model.Action]model.Role{model.ActionMentionAll: model.RoleMember}
	g.Expect(a.readModeration(t.Context(), &space{id: mm.NewId(), team: "t"}, permissions)).To(Succeed())
	g.Expect(permissions).To(Equal(map[model.Action]model.Role{
		model.ActionPost: model.RoleManager, model.ActionInvite: model.RoleMember, model.ActionRemove: model.RoleMember, model.ActionMentionAll: model.RoleMember,
	}))
	w := &writing{Adapter: a, is: &space{id: mm.NewId(), team: "t"}}
	g.Expect(w.setModeration(t.Context(), map[model.Action]model.Role{model.ActionPost: model.RoleManager})).To(Succeed())
	g.Expect(wrote).To(And(ContainSubstring(`{"name":"create_post","roles":{"guests":null,"members":false}}`),
		ContainSubstring(`{"name":"manage_members","roles":{"guests":null,"members":true}}`)))
}

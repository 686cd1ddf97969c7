// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package devenv

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/mattermost/mattermost/server/public/model"
	. "github.com/onsi/gomega"
)

func TestMattermost(t *testing.T) {
	needs(t, MattermostBinary(""))
	g, ctx, root := NewWithT(t), t.Context(), ownSessions(t)

	begin := time.Now()
	m, err := StartMattermost(ctx, MattermostOptions{})
	g.Expect(err).NotTo(HaveOccurred())
	t.Cleanup(func() { _ = m.Close() })
	t.Logf("Mattermost up in %s", time.Since(begin).Round(time.Millisecond))

	bot, token, err := m.CreateBot(ctx, "cabildo")
	g.Expect(err).NotTo(HaveOccurred())
	self, answer, err := m.Client(token).GetMe(ctx, "")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(answer.ServerVersion).To(HavePrefix(MattermostVersion()+"."), "the binary is of the release that its name says")
	g.Expect(self.Id).To(Equal(bot))
	g.Expect(self.IsBot).To(BeTrue())
	g.Expect(self.IsSystemAdmin()).To(BeTrue(), "the operator's account has all rights")

	begin = time.Now()
	const people = 10
	for i := range people {
		_, err := m.CreatePerson(ctx, fmt.Sprintf("person%d", i), "correct horse", "")
		g.Expect(err).NotTo(HaveOccurred())
	}
	t.Logf("%d people in %s", people, time.Since(begin).Round(time.Millisecond))

	ana, err := m.CreatePerson(ctx, "ana.ruiz", "correct horse", "Ana Ruiz")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(ana.Email).To(Equal("ana.ruiz@cabildo.test"))
	again, err := m.CreatePerson(ctx, "ana.ruiz", "correct horse", "Ana Ruiz")
	g.Expect(err).NotTo(HaveOccurred(), "an account that exists is logged in to")
	g.Expect(again.ID).To(Equal(ana.ID))
	person, _, err := m.Client(again.Token).GetMe(ctx, "")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(person.GetFullName()).To(Equal("Ana Ruiz"))
	g.Expect(person.IsSystemAdmin()).To(BeFalse())
	_, err = m.Login(ctx, "ana.ruiz", "wrong")
	g.Expect(statusOf(err)).To(Equal(http.StatusUnauthorized))

	team, _, err := m.Client(token).CreateTeam(ctx, &model.Team{Name: "town", DisplayName: "Town", Type: model.TeamInvite})
	g.Expect(err).NotTo(HaveOccurred())
	_, err = m.Client(token).PermanentDeleteTeam(ctx, team.Id)
	g.Expect(statusOf(err)).To(Equal(http.StatusUnauthorized), "nothing is deleted for good")

	address := m.URL
	begin = time.Now()
	m.Stop()
	t.Logf("Mattermost down in %s", time.Since(begin).Round(time.Millisecond))
	_, err = m.Login(ctx, "ana.ruiz", "correct horse")
	g.Expect(err).To(MatchError(ContainSubstring("connection refused")))
	begin = time.Now()
	g.Expect(m.Start(ctx)).To(Succeed())
	t.Logf("Mattermost up again in %s", time.Since(begin).Round(time.Millisecond))
	g.Expect(m.URL).To(Equal(address))
	found, _, err := m.Client(token).GetTeamByName(ctx, "town", "")
	g.Expect(err).NotTo(HaveOccurred(), "teams and tokens outlive a restart")
	g.Expect(found.Id).To(Equal(team.Id))
	g.Expect(m.Start(ctx)).To(Succeed(), "starting what runs is harmless")

	server, database, data := m.process, m.database.process, m.database.dir
	g.Expect(data).To(BeADirectory())
	begin = time.Now()
	g.Expect(m.Close()).To(Succeed())
	t.Logf("Mattermost gone in %s", time.Since(begin).Round(time.Millisecond))
	g.Expect(server.done).To(BeClosed())
	g.Expect(database.done).To(BeClosed())
	g.Expect(data).NotTo(BeADirectory())
	g.Expect(sessionsIn(root)).To(BeEmpty())
	g.Expect(m.Close()).To(Succeed(), "closing twice is harmless")
}

func TestMattermostWithOptions(t *testing.T) {
	needs(t, MattermostBinary(""))
	g, ctx := NewWithT(t), t.Context()
	ownSessions(t)
	m, err := StartMattermost(ctx, MattermostOptions{
		PermanentDeletion: true,
		RateLimit:         &MattermostRateLimit{PerSecond: 1, Burst: 20},
	})
	g.Expect(err).NotTo(HaveOccurred())
	t.Cleanup(func() { _ = m.Close() })
	_, token, err := m.CreateBot(ctx, "cabildo")
	g.Expect(err).NotTo(HaveOccurred())
	bot := m.Client(token)

	team, _, err := bot.CreateTeam(ctx, &model.Team{Name: "town", DisplayName: "Town", Type: model.TeamOpen})
	g.Expect(err).NotTo(HaveOccurred())
	_, err = bot.PermanentDeleteTeam(ctx, team.Id)
	g.Expect(err).NotTo(HaveOccurred())
	_, _, err = bot.GetTeam(ctx, team.Id, "")
	g.Expect(statusOf(err)).To(Equal(http.StatusNotFound), "it is gone for good")

	var response *model.Response
	for range 30 {
		if _, response, err = bot.GetMe(ctx, ""); err != nil {
			break
		}
	}
	g.Expect(response.StatusCode).To(Equal(http.StatusTooManyRequests), "what goes beyond the burst is refused")
	g.Expect(response.Header.Get("Retry-After")).NotTo(BeEmpty())
	_, _, err = m.Admin().GetMe(ctx, "")
	g.Expect(err).NotTo(HaveOccurred(), "each token has a limit of its own")
}

func TestPostgresIsLookedFor(t *testing.T) {
	g := NewWithT(t)
	dir := t.TempDir()
	t.Setenv("CABILDO_POSTGRES", dir)
	_, err := Postgres()
	g.Expect(err).To(MatchError(ContainSubstring(dir)), "a folder that is named and empty is a mistake")
	g.Expect(err).NotTo(MatchError(ErrNotBuilt))
	for _, name := range []string{"initdb", "postgres"} {
		g.Expect(os.WriteFile(filepath.Join(dir, name), nil, 0o700)).To(Succeed())
	}
	g.Expect(Postgres()).To(Equal(dir))

	t.Setenv("CABILDO_POSTGRES", "")
	t.Setenv("PATH", dir)
	g.Expect(Postgres()).To(Equal(dir))
	g.Expect(errors.Is(notInstalled(""), ErrNotBuilt)).To(BeTrue(), "suites skip what needs it")
}

func TestWhatLiesOutsideGoesWithTheSession(t *testing.T) {
	g := NewWithT(t)
	ownSessions(t)
	s, err := newSession()
	g.Expect(err).NotTo(HaveOccurred())
	dir, err := s.makeOutside("postgres", os.Getuid(), os.Getgid())
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(dir).To(BeADirectory())
	g.Expect(os.WriteFile(filepath.Join(dir, "data"), nil, 0o600)).To(Succeed())
	g.Expect(s.remove()).To(Succeed())
	g.Expect(dir).NotTo(BeADirectory())
}

func statusOf(err error) int {
	var refused *model.AppError
	if errors.As(err, &refused) {
		return refused.StatusCode
	}
	return 0
}

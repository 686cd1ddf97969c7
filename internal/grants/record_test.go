// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package grants_test

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"pgregory.net/rapid"

	"github.com/cabildo-dev/cabildo/internal/grants"
	"github.com/cabildo-dev/cabildo/internal/model"
)

var (
	key = grants.Key(bytes.Repeat([]byte{7}, grants.KeySize))
	now = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
)

func member(name string) model.Member { return model.Member{Account: name} }

// with is a record in which these were added, and were seen afterwards.
func with(names ...string) *grants.Record {
	r := grants.New(key, "one")
	seen := map[string]model.Membership{}
	var declared []model.Member
	for _, name := range names {
		r.Give(member(name), now)
		seen[name] = model.Present
		declared = append(declared, member(name))
	}
	r.Meet(seen, declared)
	return r
}

func TestWhoWeAddedIsToldFromWhoJoinedAlone(t *testing.T) {
	g := NewWithT(t)
	r := with("ana")
	g.Expect(r.Granted("ana")).To(BeTrue())
	g.Expect(r.Granted("bob")).To(BeFalse())
}

func TestAGrantThatACrashKeptFromHappeningIsNotTakenForOneThatWasDeclined(t *testing.T) {
	g := NewWithT(t)
	r := grants.New(key, "one")
	r.Give(member("ana"), now)
	r.Meet(map[string]model.Membership{}, []model.Member{member("ana")})
	g.Expect(r.Declined("ana")).To(BeFalse())
	g.Expect(r.Granted("ana")).To(BeTrue(), "she is about to be added")
}

func TestWhatBecomesOfAGrant(t *testing.T) {
	for _, row := range []struct {
		what              string
		seen              model.Membership // empty: not in the view
		declared          bool
		granted, declined bool
	}{
		{"she is there", model.Present, true, true, false},
		{"she is invited", model.Invited, true, true, false},
		{"she is there, and no longer declared", model.Present, false, true, false},
		{"she left", model.Left, true, false, true},
		{"she left, and is no longer declared", model.Left, false, false, false},
		{"she is gone, on a platform that forgets who left", "", true, false, true},
		{"she is gone and no longer declared", "", false, false, false},
		{"somebody removed her", model.Removed, true, false, false},
		{"somebody banned her", model.Banned, true, false, false},
	} {
		t.Run(row.what, func(t *testing.T) {
			g := NewWithT(t)
			r := with("ana")
			seen := map[string]model.Membership{}
			if row.seen != "" {
				seen["ana"] = row.seen
			}
			var declared []model.Member
			if row.declared {
				declared = []model.Member{member("ana")}
			}
			r.Meet(seen, declared)
			g.Expect(r.Granted("ana")).To(Equal(row.granted))
			g.Expect(r.Declined("ana")).To(Equal(row.declined))
			g.Expect(r.Meet(seen, declared)).To(BeFalse(), "a second look changes nothing")
		})
	}
}

func TestWhoDeclinedAndCameBackCameByThemselves(t *testing.T) {
	g := NewWithT(t)
	r, declared := with("ana"), []model.Member{member("ana")}
	r.Meet(map[string]model.Membership{"ana": model.Left}, declared)
	r.Meet(map[string]model.Membership{"ana": model.Present}, declared)
	g.Expect(r.Granted("ana")).To(BeFalse(), "taking her out of the declaration leaves her in")
	g.Expect(r.Declined("ana")).To(BeFalse())
}

func TestWhatIsKnownOfAnAccountStaysKnownUnderAnotherName(t *testing.T) {
	g := NewWithT(t)
	r := with("ana", "bob", "cem")
	r.Meet(map[string]model.Membership{"ana": model.Present, "bob": model.Present, "cem": model.Left},
		[]model.Member{member("ana"), member("bob"), member("cem")})
	r.Rename("ana", "1")
	r.Rename("cem", "3")
	g.Expect([]bool{r.Granted("1"), r.Granted("ana"), r.Granted("bob")}).To(Equal([]bool{true, false, true}))
	g.Expect([]bool{r.Declined("3"), r.Declined("cem")}).To(Equal([]bool{true, false}))
	r.Rename("bob", "bob")
	r.Rename("nobody", "4")
	g.Expect([]bool{r.Granted("bob"), r.Granted("4")}).To(Equal([]bool{true, false}))
	r.Rename("bob", "3")
	g.Expect(r.Declined("3")).To(BeTrue(), "what is known under a name is not written over")
	g.Expect(r.Size()).To(Equal(2))
}

// Promise 12.
func TestARecordHasNothingReadableAboutAPerson(t *testing.T) {
	g := NewWithT(t)
	one, other := with("@ana.ruiz:example.com"), grants.New(key, "other")
	other.Give(member("@ana.ruiz:example.com"), now)
	encoded, err := one.Encode()
	g.Expect(err).NotTo(HaveOccurred())
	all := append(slices.Clone(encoded.Head), bytes.Join(slices.Collect(maps.Values(encoded.Shards)), nil)...)
	for _, part := range []string{"ana", "ruiz", "example"} {
		g.Expect(string(all)).NotTo(ContainSubstring(part))
	}
	elsewhere, err := other.Encode()
	g.Expect(err).NotTo(HaveOccurred())
	for name, shard := range encoded.Shards {
		g.Expect(shard).To(HaveLen(22))
		for _, theirs := range elsewhere.Shards {
			g.Expect(theirs[:16]).NotTo(Equal(shard[:16]), "one person in two spaces can't be seen to be one (%s)", name)
		}
	}
}

func TestALargeRecordIsKeptInShardsThatEachFitASecret(t *testing.T) {
	g := NewWithT(t)
	r := grants.New(key, "large")
	for i := range 2*grants.MaxShard + 1 {
		r.Give(member(fmt.Sprintf("@%d:example.com", i)), now)
	}
	encoded, err := r.Encode()
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(encoded.Shards).To(HaveLen(3))
	for _, shard := range encoded.Shards {
		g.Expect(len(shard)).To(BeNumerically("<", 1<<19))
	}
	back, err := grants.Decode(key, encoded)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(back.Size()).To(Equal(r.Size()))
	g.Expect(back.Granted("@40000:example.com")).To(BeTrue())
}

func TestARecordThatIsNotAsItWasWrittenIsLost(t *testing.T) {
	g := NewWithT(t)
	encoded, err := with("ana", "bob").Encode()
	g.Expect(err).NotTo(HaveOccurred())
	_, err = grants.Decode(grants.Key("another"), encoded)
	g.Expect(err).To(MatchError(grants.ErrOtherKey))
	for name, shard := range encoded.Shards {
		for what, changed := range map[string][]byte{
			"cut off": shard[:len(shard)-22], "changed": append(bytes.Repeat([]byte{0}, 16), shard[16:]...), "gone": nil,
		} {
			_, err := grants.Decode(key, grants.Encoded{Head: encoded.Head, Shards: map[string][]byte{name: changed}})
			g.Expect(err).To(HaveOccurred(), what)
		}
	}
	for _, head := range []string{"", "{}", `{"id":""}`, "null", "garbage"} {
		_, err := grants.Decode(key, grants.Encoded{Head: []byte(head)})
		g.Expect(err).To(HaveOccurred(), head)
	}
}

func TestARecordComesBackAsItWas(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := NewWithT(t)
		r := grants.New(key, rapid.StringMatching(`[a-f0-9]{8}`).Draw(t, "id"))
		r.Partial = rapid.Bool().Draw(t, "partial")
		r.Window = grants.Window{Began: now, Members: rapid.IntRange(0, 99).Draw(t, "members"), BaselineMembers: 100}
		names := rapid.SliceOfDistinct(rapid.StringMatching(`@[a-z]{1,6}:x`), func(s string) string { return s }).Draw(t, "names")
		seen := map[string]model.Membership{}
		var declared []model.Member
		for _, name := range names {
			m := model.Member{Account: name, Role: rapid.SampledFrom([]model.Role{model.RoleMember, model.RoleManager}).Draw(t, "role")}
			r.Give(m, now)
			if rapid.Bool().Draw(t, "declared") {
				declared = append(declared, m)
			}
			if s := rapid.SampledFrom([]model.Membership{"", model.Present, model.Left, model.Removed}).Draw(t, "seen"); s != "" {
				seen[name] = s
			}
		}
		r.Meet(seen, declared)
		counted := rapid.SliceOfDistinct(rapid.StringMatching(`remove [a-z]{1,3}`), func(s string) string { return s }).Draw(t, "counted")
		for _, op := range counted {
			g.Expect(r.Count(op)).To(BeTrue())
		}
		encoded, err := r.Encode()
		g.Expect(err).NotTo(HaveOccurred())
		back, err := grants.Decode(key, encoded)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(back.ID).To(Equal(r.ID))
		g.Expect(back.Partial).To(Equal(r.Partial))
		g.Expect(back.Window).To(Equal(r.Window))
		for _, name := range names {
			g.Expect(back.Granted(name)).To(Equal(r.Granted(name)), name)
			g.Expect(back.Declined(name)).To(Equal(r.Declined(name)), name)
		}
		for _, op := range counted {
			g.Expect(back.Count(op)).To(BeFalse(), "it was counted already")
		}
		again, err := back.Encode()
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(again).To(Equal(encoded))
	})
}

func TestWhatWasCountedIsNotCountedTwiceUntilItIsDone(t *testing.T) {
	g := NewWithT(t)
	r := grants.New(key, "a")
	g.Expect(r.Counted("remove a")).To(BeFalse())
	g.Expect(r.Uncount("remove a")).To(BeFalse(), "nothing to take back")
	g.Expect(r.Count("remove a")).To(BeTrue())
	g.Expect(r.Count("remove a")).To(BeFalse())
	g.Expect(r.Counted("remove a")).To(BeTrue())
	g.Expect(r.Counted("remove b")).To(BeFalse())
	g.Expect(r.Uncount("remove a")).To(BeTrue())
	g.Expect(r.Count("remove a")).To(BeTrue())
	r.Settle()
	g.Expect(r.Counted("remove a")).To(BeFalse())
}

func TestWhoIsNotInASuccessorYetHasNotDeclined(t *testing.T) {
	g := NewWithT(t)
	r := grants.New(make(grants.Key, grants.KeySize), "one")
	declared := []model.Member{{Account: "ana"}, {Account: "omar"}}
	for _, m := range declared {
		r.Give(m, time.Now())
	}
	r.Bind("old")
	r.Meet(map[string]model.Membership{"ana": model.Present, "omar": model.Present}, declared)
	r.Meet(map[string]model.Membership{"ana": model.Present, "omar": model.Left}, declared)
	g.Expect(r.Declined("omar")).To(BeTrue())

	r.Bind("new")
	r.Meet(map[string]model.Membership{}, declared)
	g.Expect(r.Granted("ana")).To(BeTrue())
	g.Expect(r.Declined("omar")).To(BeTrue(), "who left the old one left the community of both")
	r.Meet(map[string]model.Membership{"ana": model.Present}, declared)
	r.Bind("new")
	r.Meet(map[string]model.Membership{}, declared)
	g.Expect(r.Declined("ana")).To(BeTrue(), "in the same space who is gone has declined")
}

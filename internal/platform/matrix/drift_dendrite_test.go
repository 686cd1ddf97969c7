// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package matrix_test

import (
	"context"
	"net/http"
	"net/url"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/cabildo-dev/cabildo/internal/model"
)

// hinted waits for a hint about a resource.
func (a *actor) hinted(ref model.Ref) {
	GinkgoHelper()
	deadline := time.After(10 * time.Second)
	for {
		select {
		case hint := <-a.Hints():
			if hint.Ref == ref {
				return
			}
		case <-deadline:
			Fail("no hint about " + ref.String())
		}
	}
}

// quiet takes the hints that are there already, until none has come for a while.
func (a *actor) quiet() {
	GinkgoHelper()
	limit := time.After(15 * time.Second)
	for {
		select {
		case <-a.Hints():
		case <-time.After(300 * time.Millisecond):
			return
		case <-limit:
			Fail("there is a hint every moment")
		}
	}
}

var _ = Describe("what somebody does by hand", func() {
	It("is told to the group when the space no longer names it", func(ctx context.Context) {
		a := open(ctx)
		town := a.want()
		space := a.make(ctx, town)
		g := group(town)
		room := a.make(ctx, g)
		a.quiet()
		operator().does(ctx, http.MethodPut, inRoom(space.ID, "state", "m.space.child", room.ID), map[string]any{}, nil)
		a.hinted(g.Mark.Ref)
		Expect(a.differs(ctx, g)).To(Equal([]string{"link"}))
		a.make(ctx, g)
	})

	It("is found by verifying, where sync doesn't tell of it", func(ctx context.Context) {
		a := open(ctx)
		town := a.want()
		made := a.make(ctx, town)
		operator().does(ctx, http.MethodPut, "/directory/list/room/"+url.PathEscape(made.ID), map[string]string{"visibility": "private"}, nil)
		operator().does(ctx, http.MethodDelete, aliasPath(town.Address), nil, nil)
		q := query(town)
		q.Verify = true
		o, err := a.Observe(ctx, q)
		Expect(err).NotTo(HaveOccurred())
		Expect(o.Space.Address).To(BeEmpty())
		Expect(o.Space.Settings.Listed).To(BeFalse())
		a.make(ctx, town)
	})

	It("is found without asking for it when the resync interval is over", func(ctx context.Context) {
		a := open(ctx, every(50*time.Millisecond))
		town := a.want()
		made := a.make(ctx, town)
		operator().does(ctx, http.MethodPut, "/directory/list/room/"+url.PathEscape(made.ID), map[string]string{"visibility": "private"}, nil)
		Eventually(func() bool { return a.sees(ctx, town).Space.Settings.Listed }).Should(BeFalse())
	})
})

var _ = Describe("addresses", func() {
	It("keeps the old one working after a rename", func(ctx context.Context) {
		a := open(ctx)
		town := a.want()
		made := a.make(ctx, town)
		old := town.Address
		town.Address = unique("renamed")
		a.make(ctx, town)
		var lead struct {
			Room string `json:"room_id"`
		}
		operator().does(ctx, http.MethodGet, aliasPath(old), nil, &lead)
		Expect(lead.Room).To(Equal(made.ID))
		alias := operator().reads(ctx, made.ID, "m.room.canonical_alias")
		Expect(alias["alias"]).To(Equal(a.Display(town.Address)))
		Expect(alias["alt_aliases"]).To(ConsistOf(a.Display(old)))
	})
})

var _ = Describe("guidelines", func() {
	// pinned are the pins and the text of the first one, as a client sees it.
	pinned := func(ctx context.Context, room string) (pins []any, body string) {
		GinkgoHelper()
		pins, _ = operator().reads(ctx, room, "m.room.pinned_events")["pinned"].([]any)
		if len(pins) == 0 {
			return nil, ""
		}
		var event struct {
			Content struct{ Body string } `json:"content"`
		}
		operator().does(ctx, http.MethodGet, inRoom(room, "event", pins[0].(string)), nil, &event)
		return pins, event.Content.Body
	}

	It("are changed in place, beside what others pinned", func(ctx context.Context) {
		a := open(ctx)
		town := a.want()
		town.Settings.Guidelines = "Be *kind*."
		made := a.make(ctx, town)
		pins, body := pinned(ctx, made.ID)
		Expect(body).To(Equal("Be *kind*."))
		operator().sets(ctx, made.ID, "m.room.pinned_events", map[string]any{"pinned": append([]any{"$another"}, pins...)})

		for _, text := range []string{"Be **very** kind.", "Be *kind*.", "Be **very** kind."} {
			town.Settings.Guidelines = text
			a.make(ctx, town)
		}
		after, _ := pinned(ctx, made.ID)
		Expect(after).To(ConsistOf(pins[0], "$another"))
		var thread struct {
			Chunk []struct {
				Content struct {
					New struct {
						Body string
						HTML string `json:"formatted_body"`
					} `json:"m.new_content"`
				} `json:"content"`
			} `json:"chunk"`
		}
		err := operator().try(ctx, http.MethodGet,
			"/v1"+inRoom(made.ID, "relations", pins[0].(string), "m.replace"), nil, &thread)
		Expect(err).NotTo(HaveOccurred())
		Expect(thread.Chunk).To(HaveLen(3))
		Expect(thread.Chunk[0].Content.New.Body).To(Equal("Be **very** kind."))
		Expect(thread.Chunk[0].Content.New.HTML).To(Equal("<p>Be <strong>very</strong> kind.</p>"))
	})

	It("are pinned again when they were unpinned, and sent again when they were redacted", func(ctx context.Context) {
		a := open(ctx)
		town := a.want()
		town.Settings.Guidelines = "Be kind."
		made := a.make(ctx, town)
		first, _ := pinned(ctx, made.ID)

		operator().sets(ctx, made.ID, "m.room.pinned_events", map[string]any{"pinned": []any{}})
		Eventually(func() []string { return a.differs(ctx, town) }).Should(Equal([]string{"set Guidelines"}))
		a.make(ctx, town)
		again, _ := pinned(ctx, made.ID)
		Expect(again).To(Equal(first))

		operator().does(ctx, http.MethodPut, inRoom(made.ID, "redact", first[0].(string), unique("txn")), nil, nil)
		Eventually(func() []string { return a.differs(ctx, town) }).Should(Equal([]string{"set Guidelines"}))
		a.make(ctx, town)
		anew, body := pinned(ctx, made.ID)
		Expect(anew).To(HaveLen(1))
		Expect(anew).NotTo(Equal(first))
		Expect(body).To(Equal("Be kind."))
	})

	It("that were redacted while nobody looked are found by verifying", func(ctx context.Context) {
		a := open(ctx)
		town := a.want()
		town.Settings.Guidelines = "Be kind."
		made := a.make(ctx, town)
		pins, _ := pinned(ctx, made.ID)
		a.Close()
		operator().does(ctx, http.MethodPut, inRoom(made.ID, "redact", pins[0].(string), unique("txn")), nil, nil)

		again := open(ctx)
		q := query(town)
		q.Verify = true
		o, err := again.Observe(ctx, q)
		Expect(err).NotTo(HaveOccurred())
		Expect(o.Space.GuidelinesDigest).To(BeEmpty())
		again.make(ctx, town)
	})

})

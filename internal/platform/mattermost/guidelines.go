// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package mattermost

import (
	"context"

	mm "github.com/mattermost/mattermost/server/public/model"

	"github.com/cabildo-dev/cabildo/internal/model"
	"github.com/cabildo-dev/cabildo/internal/platform"
)

// guidelinesProp marks our message with the guidelines, with the digest of its text.
const guidelinesProp = "cabildo_guidelines"

// setGuidelines keeps one pinned message with the text, in a team in its
// default channel. A changed text is an edit of the message, so that links to
// it stay. The record says which message it is, and is written last.
func (w *writing) setGuidelines(ctx context.Context, text string) error {
	rec, _ := w.records.get(w.is.id)
	channel, post, err := w.ourPost(ctx, rec.Post)
	if err != nil {
		return err
	}
	if text == "" {
		return w.dropGuidelines(ctx, post)
	}
	digest := model.Digest(text)
	if post == nil {
		w.creations.touch(w.is.id)
		post, err = get(ctx, w.client, write("POST /posts", "posting the guidelines of "+w.is.id),
			func(ctx context.Context, api *mm.Client4) (*mm.Post, *mm.Response, error) {
				return api.CreatePost(ctx, &mm.Post{
					ChannelId: channel, Message: text, IsPinned: true, Props: mm.StringInterface{guidelinesProp: digest},
				})
			})
	} else if post.Message != text || !post.IsPinned || post.GetProp(guidelinesProp) != digest {
		pinned, props := true, mm.StringInterface{guidelinesProp: digest}
		post, err = get(ctx, w.client, write("PUT /posts/{post}/patch", "changing the guidelines of "+w.is.id),
			func(ctx context.Context, api *mm.Client4) (*mm.Post, *mm.Response, error) {
				return api.PatchPost(ctx, post.Id, &mm.PostPatch{Message: &text, IsPinned: &pinned, Props: &props})
			})
	}
	if err != nil {
		return err
	}
	// It is written with others a moment later: until then the message itself tells.
	rec, _ = w.records.get(w.is.id)
	rec.Post, rec.Digest = post.Id, digest
	w.records.set(w.is.id, rec)
	return nil
}

func (w *writing) dropGuidelines(ctx context.Context, post *mm.Post) error {
	if post != nil {
		err := w.client.do(ctx, write("DELETE /posts/{post}", "removing the guidelines of "+w.is.id),
			func(ctx context.Context, api *mm.Client4) (*mm.Response, error) { return api.DeletePost(ctx, post.Id) })
		if err != nil && !platform.IsKind(err, platform.NotFound) {
			return err
		}
	}
	return w.record(ctx, func(r record) record {
		r.Post, r.Digest = "", ""
		return r
	})
}

// ourPost is our message with guidelines and the channel that it belongs in. It
// is the one that the record names, or one that was posted before we were
// stopped. In a space that we have just made there is none to look for.
func (w *writing) ourPost(ctx context.Context, recorded string) (channel string, post *mm.Post, err error) {
	channel = w.is.id
	if w.is.isTeam() {
		if channel, err = w.defaultChannel(ctx, w.is.id); err != nil {
			return "", nil, err
		}
	}
	if recorded != "" {
		post, err = get(ctx, w.client, read("GET /posts/{post}", "reading the guidelines of "+w.is.id),
			func(ctx context.Context, api *mm.Client4) (*mm.Post, *mm.Response, error) {
				return api.GetPost(ctx, recorded, "")
			})
		if err == nil && post.DeleteAt == 0 && post.UserId == w.us().id {
			return channel, post, nil
		}
		if err != nil && !platform.IsKind(err, platform.NotFound) {
			return "", nil, err
		}
	}
	if w.creations.untouched(w.is.id) {
		return channel, nil, nil
	}
	pinned, err := get(ctx, w.client, read("GET /channels/{channel}/pinned", "looking for guidelines in "+channel),
		func(ctx context.Context, api *mm.Client4) (*mm.PostList, *mm.Response, error) {
			return api.GetPinnedPosts(ctx, channel, "")
		})
	if err != nil {
		return "", nil, err
	}
	for _, id := range pinned.Order {
		if p := pinned.Posts[id]; p != nil && p.UserId == w.us().id && p.GetProp(guidelinesProp) != nil {
			return channel, p, nil
		}
	}
	return channel, nil, nil
}

// guidelinesAtOnce is how many messages one request reads at the most (servers 9.9 and 11.1, api4/post.go: 1,000).
const guidelinesAtOnce = 200

// verifyGuidelines looks whether messages are as their records say, many with
// one request, and returns the resources of those that are not. The records are changed here alone: what is to
// be written is decided by who looks at the space again.
func (a *Adapter) verifyGuidelines(ctx context.Context, spaces []string) ([]model.Ref, error) {
	posts := map[string]string{}
	var ids []string
	for _, space := range spaces {
		if rec, recorded := a.records.get(space); recorded && rec.Post != "" {
			posts[rec.Post] = space
			ids = append(ids, rec.Post)
		}
	}
	if len(ids) == 0 {
		return nil, nil
	}
	there, err := get(ctx, a.client, read("POST /posts/ids", "looking whether guidelines are pinned"),
		func(ctx context.Context, api *mm.Client4) ([]*mm.Post, *mm.Response, error) {
			return api.GetPostsByIds(ctx, ids)
		})
	if err != nil {
		return nil, err
	}
	right := map[string]bool{}
	for _, p := range there {
		rec, _ := a.records.get(posts[p.Id])
		right[p.Id] = p.DeleteAt == 0 && p.IsPinned && model.Digest(p.Message) == rec.Digest
	}
	var changed []model.Ref
	for post, space := range posts {
		rec, _ := a.records.get(space)
		if right[post] || rec.Post != post {
			continue
		}
		rec.Digest = "" // it is not what is wanted any more
		a.records.set(space, rec)
		if mark := rec.mark(); mark != nil {
			changed = append(changed, mark.Ref)
		}
	}
	return changed, nil
}

// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package mattermost

import (
	"context"
	"encoding/base64"
	"strings"

	mm "github.com/mattermost/mattermost/server/public/model"

	"github.com/cabildo-dev/cabildo/internal/model"
	"github.com/cabildo-dev/cabildo/internal/platform"
)

// icon is a picture that a team can have.
func icon(uri string, team bool, lost *platform.Losses) string {
	switch _, err := picture(uri); {
	case uri == "":
		return ""
	case !team:
		lost.Add("branding.icon", "a channel has no icon")
	case err != nil:
		lost.Add("branding.icon", "it can't be read, so none is set: %v", err)
	default:
		return uri
	}
	return ""
}

// picture is what a data: URI holds.
func picture(uri string) ([]byte, error) {
	_, encoded, _ := strings.Cut(uri, ";base64,")
	return base64.StdEncoding.DecodeString(encoded)
}

// setIcon sets or removes a team's icon. The server keeps it in its own format,
// so that the record says which one it is, and the time of it whether somebody changed it since.
func (w *writing) setIcon(ctx context.Context, uri string) error {
	doing := "setting the icon of " + w.is.id
	if !w.is.isTeam() {
		return platform.Refuse(platform.NotSupported, doing, "a channel has no icon")
	}
	data, err := picture(uri)
	if err != nil {
		return platform.Refuse(platform.Invalid, doing, "the picture can't be read: "+err.Error())
	}
	if uri == "" {
		err = w.client.do(ctx, write("DELETE /teams/{team}/image", doing), func(ctx context.Context, api *mm.Client4) (*mm.Response, error) {
			return api.RemoveTeamIcon(ctx, w.is.id)
		})
	} else {
		err = w.client.do(ctx, write("POST /teams/{team}/image", doing), func(ctx context.Context, api *mm.Client4) (*mm.Response, error) {
			return api.SetTeamIcon(ctx, w.is.id, data)
		})
	}
	if err != nil {
		return err
	}
	if err := w.refresh(ctx, w.is); err != nil { // the answer doesn't say when it was set
		return err
	}
	w.view.mu.Lock()
	var at int64
	if s := w.view.spaces[w.is.id]; s != nil {
		at = s.iconAt
	}
	w.view.mu.Unlock()
	return w.record(ctx, func(r record) record {
		r.Icon, r.IconAt = model.Digest(uri), at
		return r
	})
}

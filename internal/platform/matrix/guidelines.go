// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package matrix

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
	"maunium.net/go/mautrix/format/mdext"

	"github.com/cabildo-dev/cabildo/internal/model"
	"github.com/cabildo-dev/cabildo/internal/platform"
)

// setGuidelines keeps one pinned message with the text. A changed text is an
// edit of the message, so that the pin and links to it stay; one that somebody
// took away is sent anew. Our own state says which message it is and what is
// in it, and is written last.
func (w *write) setGuidelines(ctx context.Context, text string) error {
	g := w.is.guidelines
	if text == "" {
		return w.dropGuidelines(ctx)
	}
	digest := model.Digest(text)
	switch {
	case g.Event == "" || w.is.isGone(g.Event):
		event, err := w.send(ctx, message(text), "message", digest)
		if err != nil {
			return err
		}
		g = guidelinesContent{Event: event}
	case g.Digest != digest || w.is.isGone(g.Edit):
		event, err := w.send(ctx, edit(g.Event, text), "edit", digest)
		if err != nil {
			return err
		}
		g.Edit = event
	}
	g.Digest = digest
	pins := append([]string{g.Event}, without(w.is.pins, g.Event, w.is.guidelines.Event)...)
	if !slices.Equal(pins, w.is.pins) {
		if err := w.put(ctx, typePins, "", map[string][]string{"pinned": pins}); err != nil {
			return err
		}
	}
	return w.put(ctx, typeGuidelines, "", g)
}

// dropGuidelines unpins the message, takes its text away, and forgets it.
func (w *write) dropGuidelines(ctx context.Context) error {
	g := w.is.guidelines
	if g.Event == "" {
		return nil
	}
	if pins := without(w.is.pins, g.Event); len(pins) < len(w.is.pins) {
		if err := w.put(ctx, typePins, "", map[string][]string{"pinned": pins}); err != nil {
			return err
		}
	}
	for _, event := range []string{g.Edit, g.Event} {
		if event == "" || w.is.isGone(event) {
			continue
		}
		err := w.client.do(ctx, request{
			doing: "redacting the guidelines of " + w.id, route: "PUT /rooms/{room}/redact/{event}/{txn}",
			method: http.MethodPut, path: v3("rooms", w.id, "redact", event, w.transaction("redact", event)),
			body: map[string]string{"reason": "these guidelines no longer hold"},
		})
		if err != nil && !platform.IsKind(err, platform.NotFound) {
			return err
		}
	}
	return w.put(ctx, typeGuidelines, "", guidelinesContent{})
}

func without(list []string, out ...string) []string {
	return slices.DeleteFunc(append([]string{}, list...), func(s string) bool { return slices.Contains(out, s) })
}

// send sends a message once: a repeated attempt has the same transaction ID,
// and the server answers it with the message that it has. Dendrite remembers an
// attempt only when it could answer it, and until it restarts, so the message
// of an earlier attempt is looked for first where there may be one.
func (w *write) send(ctx context.Context, content map[string]any, seed ...string) (string, error) {
	doing := "sending the guidelines of " + w.id
	transaction := w.transaction(seed...)
	content[attemptKey] = transaction
	if err := fits(content, doing); err != nil {
		return "", err
	}
	if !w.creations.untouched(w.id) {
		if event, err := w.sent(ctx, transaction); event != "" || err != nil {
			return event, err
		}
	}
	var answer struct {
		Event string `json:"event_id"`
	}
	if err := w.client.do(ctx, request{
		doing: doing, route: "PUT /rooms/{room}/send/{type}/{txn}",
		method: http.MethodPut, path: v3("rooms", w.id, "send", typeMessage, transaction), body: content, into: &answer,
	}); err != nil {
		return "", err
	}
	note(w.directory, w.directory.messages, answer.Event, asked(w.directory, true))
	return answer.Event, nil
}

// attemptKey is where a message of ours carries its transaction ID, which a server shows to the device that sent it alone.
const attemptKey = "dev.cabildo.attempt"

// sent finds a message of ours by its transaction ID. A message from so long
// ago that it is not among the last ones is from a step that was finished.
func (w *write) sent(ctx context.Context, transaction string) (string, error) {
	filter, err := json.Marshal(map[string]any{"types": []string{typeMessage}, "senders": []string{w.us}})
	if err != nil {
		return "", err
	}
	var answer struct {
		Messages []event `json:"chunk"`
	}
	if err := w.client.do(ctx, request{
		doing: "looking for guidelines that were sent to " + w.id, route: "GET /rooms/{room}/messages",
		method: http.MethodGet, path: v3("rooms", w.id, "messages"), into: &answer,
		query: url.Values{"dir": {"b"}, "limit": {"20"}, "filter": {string(filter)}},
	}); err != nil {
		return "", err
	}
	for _, e := range answer.Messages {
		attempt := decode[struct {
			Transaction string `json:"dev.cabildo.attempt"`
		}](e.Content).Transaction
		if e.Sender == w.us && attempt == transaction {
			return e.ID, nil
		}
	}
	return "", nil
}

// transaction is an ID that is the same for the same step from the same state
// of the room, and for no other.
func (w *write) transaction(seed ...string) string {
	g := w.is.guidelines
	parts := append([]string{
		w.op.Key(), w.is.current[stateKey{typeGuidelines, ""}].id, g.Event, g.Edit,
		fmt.Sprint(w.is.isGone(g.Event), w.is.isGone(g.Edit)),
	}, seed...)
	sum := sha256.Sum256([]byte(strings.Join(parts, "|")))
	return "cabildo-" + hex.EncodeToString(sum[:16])
}

// markdown renders the guidelines. HTML in them is shown as it is written, and
// links that could run something are left out.
var markdown = goldmark.New(goldmark.WithExtensions(extension.Table, extension.Strikethrough, mdext.EscapeHTML))

// message is the text as it was written, and rendered for clients that show
// HTML, when both fit.
func message(text string) map[string]any {
	content := map[string]any{"msgtype": "m.text", "body": text, "m.mentions": map[string]any{}}
	var html bytes.Buffer
	if markdown.Convert([]byte(text), &html) != nil {
		return content
	}
	content["format"] = "org.matrix.custom.html"
	content["formatted_body"] = strings.TrimSpace(html.String())
	if size(content) > maxContent-1024 { // an edit adds a little
		delete(content, "format")
		delete(content, "formatted_body")
	}
	return content
}

// edit replaces the text of a message. What clients without edits show is short.
func edit(event, text string) map[string]any {
	return map[string]any{
		"msgtype":       "m.text",
		"body":          "* the guidelines were updated",
		"m.mentions":    map[string]any{},
		"m.new_content": message(text),
		"m.relates_to":  map[string]string{"rel_type": "m.replace", "event_id": event},
	}
}

// size is how large a content is in an event: servers write it without the
// escapes that Go adds for HTML.
func size(content any) int {
	var raw bytes.Buffer
	encoder := json.NewEncoder(&raw)
	encoder.SetEscapeHTML(false)
	if encoder.Encode(content) != nil {
		return maxContent + 1
	}
	return raw.Len()
}

func fits(content any, doing string) error {
	if n := size(content); n > maxContent {
		return platform.Refuse(platform.Invalid, doing, fmt.Sprintf("the message would have %d bytes and a Matrix event holds %d: shorten the text", n, maxContent))
	}
	return nil
}

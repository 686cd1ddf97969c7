// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package conformance_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/go-logr/logr"

	"github.com/cabildo-dev/cabildo/hack/devenv"
	"github.com/cabildo-dev/cabildo/internal/platform"
	"github.com/cabildo-dev/cabildo/internal/platform/matrix"
)

// homeserver is a Matrix homeserver: one of our own, or one that somebody else runs.
type homeserver struct {
	url, name, what string
	// us is Cabildo's account, appService says of which kind its token is.
	us         matrixAccount
	appService bool
	// register makes an account; nil where there are only these people.
	register func(ctx context.Context, localpart string) (token string, err error)
	people   []matrixAccount
	end      func()

	mu    sync.Mutex // guards what follows
	other *matrixAccount
}

// startHomeserver starts one of our own.
func startHomeserver(ctx context.Context) (server, error) {
	dendrite, err := devenv.StartDendrite(ctx, devenv.DendriteOptions{})
	if err != nil {
		return nil, err
	}
	return ourHomeserver(dendrite, "Dendrite "+built("dendrite")), nil
}

// startSynapse starts one whose directory everybody may publish rooms in, and whose rate limits nobody reaches.
func startSynapse(ctx context.Context) (server, error) {
	synapse, err := devenv.StartSynapse(ctx, devenv.SynapseOptions{Publish: true})
	if err != nil {
		return nil, err
	}
	return ourHomeserver(synapse, "Synapse "+devenv.SynapseVersion()), nil
}

func ourHomeserver(at *devenv.LocalHomeserver, software string) *homeserver {
	h := &homeserver{
		url: at.URL, name: at.ServerName, what: software + " with SQLite, and an application service's token", appService: true,
		register: func(ctx context.Context, localpart string) (string, error) {
			return at.CreateUser(ctx, localpart, "a long password")
		},
		end: func() { _ = at.Close() },
	}
	h.us = matrixAccount{at: h, id: at.OperatorUserID, token: at.ASToken, asserted: true}
	return h
}

// theirHomeserver is one that runs already.
func theirHomeserver(ctx context.Context, t target) (server, error) {
	h := &homeserver{url: t.url, name: t.serverName, end: func() {}}
	for _, token := range t.people {
		p, err := h.holder(ctx, token, "")
		if err != nil {
			return nil, fmt.Errorf("finding out whose a token of PEOPLE is: %w", err)
		}
		h.people = append(h.people, p)
	}
	if len(h.people) < leastPeople {
		return nil, fmt.Errorf("PEOPLE has %d tokens, and the specs need %d people at once and a second account for Cabildo", len(h.people), leastPeople-1)
	}
	last := len(h.people) - 1
	h.other, h.people = &h.people[last], h.people[:last]
	var err error
	if h.us, err = h.holder(ctx, t.token, ""); err != nil {
		return nil, fmt.Errorf("finding out whose TOKEN is: %w", err)
	}
	// Only an application service can say that it is somebody else.
	as, err := h.holder(ctx, t.token, h.people[0].id)
	if h.appService = err == nil && as.id == h.people[0].id; h.appService {
		h.us = matrixAccount{at: h, id: "@cabildo:" + h.name, token: t.token, asserted: true} // the adapter registers it
	}
	h.what = "somebody's homeserver, with an ordinary account's token"
	if h.appService {
		h.what = "somebody's homeserver, with an application service's token"
	}
	return h, nil
}

// leastPeople are the tokens that PEOPLE needs: the last is the second account of Cabildo.
const leastPeople = 5

// holder is whose a token is.
func (h *homeserver) holder(ctx context.Context, token, as string) (matrixAccount, error) {
	p := matrixAccount{at: h, token: token}
	path := "/account/whoami"
	if as != "" {
		path += "?user_id=" + url.QueryEscape(as)
	}
	var answer struct {
		User string `json:"user_id"`
	}
	err := p.call(ctx, http.MethodGet, path, nil, &answer)
	p.id = answer.User
	return p, err
}

func (h *homeserver) software() string { return h.what }
func (h *homeserver) nobody() string   { return "@nobody-has-this-" + run + ":" + h.name }
func (h *homeserver) picture() string  { return "mxc://" + h.name + "/picture" }
func (h *homeserver) stop()            { h.end() }

func (h *homeserver) open(ctx context.Context, as opening) (platform.Adapter, wire, error) {
	w := newHTTPWire(func(req *http.Request) traffic {
		switch {
		case platform.Route(req.Context()) == platform.LongPoll:
			return listening
		case req.Method == http.MethodGet:
			return reading
		default:
			return writing
		}
	})
	cfg := platform.Config{
		Name: "conformance", OwnerID: as.ownerID, URL: h.url, ServerName: h.name, Token: h.us.token, AppService: h.appService,
		Account: strings.TrimPrefix(strings.TrimSuffix(h.us.id, ":"+h.name), "@"),
		Client:  &http.Client{Transport: w}, ResyncInterval: time.Hour, Log: logr.Discard(),
	}
	if as.elsewhere {
		other, err := h.second(ctx)
		if err != nil {
			return nil, nil, err
		}
		cfg.Token, cfg.AppService = other.token, false
	}
	if as.token != "" {
		cfg.Token = as.token
	}
	adapter, err := matrix.New(ctx, cfg)
	return adapter, w, err
}

// second is the account of another Cabildo.
func (h *homeserver) second(ctx context.Context) (matrixAccount, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.other == nil {
		p, err := h.newAccount(ctx, "cabildo-too-"+run)
		if err != nil {
			return p, err
		}
		h.other = &p
	}
	return *h.other, nil
}

func (h *homeserver) newAccount(ctx context.Context, localpart string) (matrixAccount, error) {
	token, err := h.register(ctx, localpart)
	return matrixAccount{at: h, id: "@" + localpart + ":" + h.name, token: token}, err
}

func (h *homeserver) person(ctx context.Context, nth int) (person, error) {
	if h.register != nil {
		return h.newAccount(ctx, unique("person"))
	}
	if nth >= len(h.people) {
		return nil, fmt.Errorf("this spec needs more than %d people: PEOPLE has too few tokens", len(h.people))
	}
	return h.people[nth], nil
}

func (h *homeserver) administrator() administrator { return matrixAdministrator{h.us} }

// matrixAccount is an account, with its token.
type matrixAccount struct {
	at        *homeserver
	id, token string
	// asserted: the token is an application service's, which says whom it acts as.
	asserted bool
}

// call sends a request by hand.
func (p matrixAccount) call(ctx context.Context, method, path string, body, into any) error {
	content := []byte("{}")
	if body != nil {
		var err error
		if content, err = json.Marshal(body); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	if !strings.HasPrefix(path, "/v1/") {
		path = "/v3" + path
	}
	req, err := http.NewRequestWithContext(ctx, method, p.at.url+"/_matrix/client"+path, bytes.NewReader(content))
	if err != nil {
		return err
	}
	if p.asserted {
		query := req.URL.Query()
		query.Set("user_id", p.id)
		req.URL.RawQuery = query.Encode()
	}
	req.Header.Set("Authorization", "Bearer "+p.token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s %s: %s", method, path, answer)
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(answer, into)
}

// in is the path of something in a room.
func in(room string, parts ...string) string {
	path := "/rooms/" + url.PathEscape(room)
	for _, part := range parts {
		path += "/" + url.PathEscape(part)
	}
	return path
}

func (p matrixAccount) put(ctx context.Context, room, kind string, content any) error {
	return p.call(ctx, http.MethodPut, in(room, "state", kind, ""), content, nil)
}

func (p matrixAccount) get(ctx context.Context, room, kind string, into any) error {
	return p.call(ctx, http.MethodGet, in(room, "state", kind, ""), nil, into)
}

func (p matrixAccount) post(ctx context.Context, room, verb string, body any) error {
	return p.call(ctx, http.MethodPost, in(room, verb), body, nil)
}

// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package devenv

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// A MatrixError is what the homeserver answers when it refuses.
type MatrixError struct {
	Status  int    `json:"-"` // of HTTP
	Code    string `json:"errcode"`
	Message string `json:"error"`
}

func (e *MatrixError) Error() string {
	return fmt.Sprintf("%s (HTTP %d): %s", e.Code, e.Status, e.Message)
}

// An Account is a person on the homeserver, ready to use.
type Account struct {
	UserID      string `json:"user_id"`
	AccessToken string `json:"access_token"`
	DeviceID    string `json:"device_id"`
}

// CreateUser makes an ordinary account and returns an access token. An account
// that exists is logged in to with the password.
func (h *Homeserver) CreateUser(ctx context.Context, localpart, password string) (string, error) {
	account, err := h.register(ctx, localpart, password, "", false)
	return account.AccessToken, err
}

// CreateAdmin makes a server administrator and returns an access token. An
// account that exists is logged in to with the password.
func (h *Homeserver) CreateAdmin(ctx context.Context, localpart, password string) (string, error) {
	account, err := h.register(ctx, localpart, password, "", true)
	return account.AccessToken, err
}

// CreatePerson makes an ordinary account with a display name. An account that
// exists is logged in to with the password and keeps the name that it has.
func (h *Homeserver) CreatePerson(ctx context.Context, localpart, password, displayName string) (Account, error) {
	return h.register(ctx, localpart, password, displayName, false)
}

// register uses the shared secret: one request for a nonce and one for the
// account, without the stages that a person registering would go through.
func (h *Homeserver) register(ctx context.Context, localpart, password, displayName string, admin bool) (Account, error) {
	const path = "/_synapse/admin/v1/register"
	var challenge struct {
		Nonce string `json:"nonce"`
	}
	if err := h.call(ctx, request{method: http.MethodGet, path: path}, &challenge); err != nil {
		return Account{}, fmt.Errorf("creating user %s: %w", localpart, err)
	}
	kind := "notadmin"
	if admin {
		kind = "admin"
	}
	mac := hmac.New(sha1.New, []byte(h.sharedSecret))
	_, _ = io.WriteString(mac, strings.Join([]string{challenge.Nonce, localpart, password, kind}, "\x00"))

	var account Account
	body := map[string]any{
		"nonce":    challenge.Nonce,
		"username": localpart,
		"password": password,
		"admin":    admin,
		"mac":      hex.EncodeToString(mac.Sum(nil)),
	}
	if displayName != "" { // with an empty one, Synapse makes an account without a profile
		body["displayname"] = displayName
	}
	err := h.call(ctx, request{method: http.MethodPost, path: path, body: body}, &account)
	var refused *MatrixError
	if errors.As(err, &refused) && refused.Code == "M_USER_IN_USE" {
		return h.Login(ctx, localpart, password)
	}
	if err != nil {
		return Account{}, fmt.Errorf("creating user %s: %w", localpart, err)
	}
	return account, nil
}

// RegisterOperator makes the operator's account through the application service, as the operator does when there is
// none. It is for those who act as the operator on a homeserver that none has connected to.
func (h *Homeserver) RegisterOperator(ctx context.Context) error {
	err := h.call(ctx, request{method: http.MethodPost, path: "/_matrix/client/v3/register", token: h.ASToken, body: map[string]any{
		"type": "m.login.application_service", "username": operatorLocalpart, "inhibit_login": true,
	}}, nil)
	var refused *MatrixError
	if errors.As(err, &refused) && refused.Code == "M_USER_IN_USE" {
		return nil
	}
	if err != nil {
		return fmt.Errorf("registering %s: %w", h.OperatorUserID, err)
	}
	return nil
}

// Login logs in with a password, as a new device.
func (h *Homeserver) Login(ctx context.Context, localpart, password string) (Account, error) {
	var account Account
	if err := h.call(ctx, request{method: http.MethodPost, path: "/_matrix/client/v3/login", body: map[string]any{
		"type":                        "m.login.password",
		"identifier":                  map[string]any{"type": "m.id.user", "user": localpart},
		"password":                    password,
		"initial_device_display_name": "cabildo-devenv",
	}}, &account); err != nil {
		return Account{}, fmt.Errorf("logging in as %s: %w", localpart, err)
	}
	return account, nil
}

// PurgeRoom removes a room with all that was said in it, as an administrator of
// a homeserver can.
func (h *Homeserver) PurgeRoom(ctx context.Context, roomID string) error {
	token, err := h.administrator(ctx)
	if err != nil {
		return err
	}
	if err := h.purge(ctx, token, roomID); err != nil {
		return fmt.Errorf("purging room %s: %w", roomID, err)
	}
	return nil
}

// forgetAdministrator is for a homeserver that has forgotten all accounts.
func (h *Homeserver) forgetAdministrator() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.adminToken = ""
}

// administrator returns the token of an administrator of our own.
func (h *Homeserver) administrator(ctx context.Context) (string, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.adminToken == "" {
		token, err := h.CreateAdmin(ctx, "devenv-admin-"+newSecret()[:8], newSecret())
		if err != nil {
			return "", err
		}
		h.adminToken = token
	}
	return h.adminToken, nil
}

type request struct {
	method, path, token string
	body                any
}

// requestTimeout bounds one request; they take milliseconds.
const requestTimeout = 30 * time.Second

// call sends one request and reads its JSON answer into out, unless out is nil.
func (h *Homeserver) call(ctx context.Context, r request, out any) error {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	var body io.Reader
	if r.body != nil {
		content, err := json.Marshal(r.body)
		if err != nil {
			return err
		}
		body = bytes.NewReader(content)
	}
	req, err := http.NewRequestWithContext(ctx, r.method, h.URL+r.path, body)
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	if r.token != "" {
		req.Header.Set("Authorization", "Bearer "+r.token)
	}
	response, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		refused := &MatrixError{Status: response.StatusCode}
		if json.Unmarshal(content, refused) != nil || refused.Code == "" {
			refused.Message = strings.TrimSpace(string(content))
		}
		return refused
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(content, out)
}

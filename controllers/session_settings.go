// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/internal/desired"
	"github.com/cabildo-dev/cabildo/internal/platform"
	"github.com/cabildo-dev/cabildo/internal/status"
)

// The keys of a Secret with credentials.
const (
	keyURL         = "url"
	keyAccessToken = "accessToken"
	keyASToken     = "asToken"
)

// Built in where the Platform does not say.
const (
	builtInPerSecond   = 50
	builtInConcurrency = 8
	builtInAccount     = "cabildo"
)

// sessionSettings are everything that a session is opened with.
type sessionSettings struct {
	Platform    string
	OwnerID     string
	URL         string
	ServerName  string
	Token       string
	AppService  bool
	Account     string
	CABundle    string
	ProxyURL    string
	PerSecond   int
	Concurrency int
	Resync      time.Duration
}

// sessionSettings reads the Platform and its Secret. What is wrong with them is a problem, and no session.
func (r *PlatformReconciler) sessionSettings(ctx context.Context, p *v1alpha1.Platform) (sessionSettings, *status.Problem) {
	requests := ptr.Deref(p.Spec.Requests, v1alpha1.RequestBudget{})
	s := sessionSettings{
		Platform: p.Name, OwnerID: p.Spec.OwnerID, CABundle: p.Spec.CABundle, ProxyURL: p.Spec.ProxyURL,
		PerSecond:   int(ptr.Deref(requests.PerSecond, builtInPerSecond)),
		Concurrency: int(ptr.Deref(requests.Concurrency, builtInConcurrency)),
		Resync:      resync(p),
	}
	switch {
	case p.Spec.Matrix != nil:
		s.URL, s.ServerName = p.Spec.Matrix.HomeserverURL, p.Spec.Matrix.ServerName
		s.Account = cmp.Or(p.Spec.Matrix.Account, builtInAccount)
	case p.Spec.Mattermost != nil:
		s.URL = p.Spec.Mattermost.URL
	}
	name := types.NamespacedName{Namespace: r.namespace, Name: p.Spec.CredentialsRef.Name}
	var secret corev1.Secret
	if err := r.secrets.Get(ctx, name, &secret); apierrors.IsNotFound(err) {
		return s, status.Wait(v1alpha1.ReasonCredentialsNotFound,
			"Secret %s does not exist. Make it with the keys url and accessToken, or asToken for an application service.", name)
	} else if err != nil {
		return s, status.Retry(v1alpha1.ReasonCredentialsNotFound, err, "Secret %s could not be read: %v.", name, err)
	}
	access, as := text(secret, keyAccessToken), text(secret, keyASToken)
	switch {
	case (access == "") == (as == ""):
		return s, status.Stall(v1alpha1.ReasonCredentialsInvalid,
			"Secret %s must have exactly one of the keys accessToken and asToken, and it must not be empty.", name)
	case strings.TrimRight(text(secret, keyURL), "/") != strings.TrimRight(s.URL, "/"):
		return s, status.Stall(v1alpha1.ReasonCredentialNotForThisURL,
			"Secret %s is not for this server: its key url must be %s. A token is sent only to the server that it is for.", name, s.URL)
	}
	s.Token, s.AppService = access+as, as != ""
	return s, nil
}

func text(secret corev1.Secret, key string) string {
	return strings.TrimSpace(string(secret.Data[key]))
}

// fingerprint changes when anything in the settings does. It does not show the token.
func (s sessionSettings) fingerprint() string {
	// A struct of strings, numbers and booleans can always be encoded.
	encoded, _ := json.Marshal(s)
	sum := sha256.Sum256(encoded)
	return hex.EncodeToString(sum[:])
}

// open makes the client and the adapter. It does not talk to the platform.
func (s sessionSettings) open(ctx context.Context, factory platform.Factory, metrics *platform.Metrics) (platform.Adapter, error) {
	options := platform.ClientOptions{
		Platform: s.Platform, CABundle: s.CABundle, ProxyURL: s.ProxyURL,
		Budget: platform.NewBudget(s.PerSecond, s.Concurrency), Metrics: metrics,
	}
	client, err := platform.NewClient(options)
	if err != nil {
		return nil, err
	}
	certificates, proxy, err := options.Dialing()
	if err != nil {
		return nil, err
	}
	adapter, err := factory(ctx, platform.Config{
		Name: s.Platform, OwnerID: s.OwnerID, URL: s.URL, ServerName: s.ServerName, Token: s.Token,
		AppService: s.AppService, Account: s.Account, Client: client, TLS: certificates, Proxy: proxy,
		Turn: options.Budget.Wait, ResyncInterval: s.Resync,
		Log: ctrl.LoggerFrom(ctx).WithName("platform"),
	})
	if err != nil {
		return nil, fmt.Errorf("opening the platform: %w", err)
	}
	return adapter, nil
}

func resync(p *v1alpha1.Platform) time.Duration {
	if p.Spec.ResyncInterval == nil {
		return desired.BuiltInResync
	}
	return p.Spec.ResyncInterval.Duration
}

// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package proxy is what tests put between the manager and a server, to see what
// it asks and to disturb what it is told.
package proxy

import (
	"bytes"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httputil"
	"net/url"
)

// Before passes every request on to a server, and every answer back. What goes
// wrong behind it is a connection that is cut, as it is without a proxy; so is
// an error of answered, which sees each answer on its way.
func Before(server string, transport http.RoundTripper, answered func(*http.Response) error) (http.Handler, error) {
	target, err := url.Parse(server)
	if err != nil {
		return nil, fmt.Errorf("reading the URL of a server: %w", err)
	}
	return &httputil.ReverseProxy{
		Rewrite:        func(r *httputil.ProxyRequest) { r.SetURL(target) },
		Transport:      transport,
		ModifyResponse: answered,
		ErrorLog:       Silent,
		ErrorHandler:   func(http.ResponseWriter, *http.Request, error) { Cut() },
	}, nil
}

// Silent is for servers whose clients are killed or cut off: they complain of it.
var Silent = log.New(io.Discard, "", 0)

// Cut ends a request in its handler, without an answer.
func Cut() { panic(http.ErrAbortHandler) }

// Whole waits for the whole body of an answer, and leaves it to be read again:
// the server is done when all of it is here.
func Whole(r *http.Response) ([]byte, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	_ = r.Body.Close()
	r.Body = io.NopCloser(bytes.NewReader(body))
	return body, nil
}

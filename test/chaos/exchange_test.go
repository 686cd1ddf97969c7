// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package chaos_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"time"

	"github.com/cabildo-dev/cabildo/test/proxy"
)

// exchange is one request and its answer, as a fault has it in hand.
type exchange struct {
	*front

	w    http.ResponseWriter
	r    *http.Request
	on   *connection
	kind kind
	// nth of its kind in the run, from 1.
	nth int
}

// answer is what the server said.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// ask has the server do what is asked, and returns its whole answer.
func (x *exchange) ask() answer {
	recorder := httptest.NewRecorder()
	x.forward.ServeHTTP(recorder, x.r)
	a := answer{recorder.Code, recorder.Header(), recorder.Body.Bytes()}
	if id := x.chat.made(x.r, a.body); id != "" && a.status < 300 {
		x.makes(id)
	}
	return a
}

func (x *exchange) send(a answer) {
	x.head(a, len(a.body))
	_, _ = x.w.Write(a.body)
}

func (x *exchange) head(a answer, length int) {
	for name, values := range a.header {
		x.w.Header()[name] = values
	}
	x.w.Header().Set("Content-Length", strconv.Itoa(length))
	x.w.WriteHeader(a.status)
}

// refuse answers in the server's place.
func (x *exchange) refuse(status int, body string, header ...string) {
	a := answer{status, http.Header{"Content-Type": {"text/plain"}}, []byte(body)}
	for i := 0; i < len(header); i += 2 {
		a.header.Set(header[i], header[i+1])
	}
	x.send(a)
}

// half sends the first half of an answer. Either the connection ends there, or
// the answer pretends that this is all of it.
func (x *exchange) half(a answer, pretends bool) {
	some := a.body[:len(a.body)/2]
	if pretends {
		x.send(answer{a.status, a.header, some})
		return
	}
	x.head(a, len(a.body))
	_, _ = x.w.Write(some)
	x.flush()
	x.cut()
}

// trickle sends an answer in pieces, and takes so long for all of them.
func (x *exchange) trickle(a answer, takes time.Duration) {
	const pieces = 20
	x.head(a, len(a.body))
	for i := range pieces {
		_, _ = x.w.Write(a.body[len(a.body)*i/pieces : len(a.body)*(i+1)/pieces])
		x.flush()
		x.rest(takes / pieces)
	}
}

func (x *exchange) flush() { _ = http.NewResponseController(x.w).Flush() }

// cut resets the connection: whoever waits for the answer gets an error.
func (x *exchange) cut() {
	x.on.reset()
	proxy.Cut()
}

// rest waits, or until nobody waits for the answer any more.
func (x *exchange) rest(d time.Duration) {
	select {
	case <-time.After(d):
	case <-x.r.Context().Done():
	}
}

// connection is one that the manager made, and what ends the count of the
// request on it: a manager that was cut off is free to send the next one.
type connection struct {
	*net.TCPConn

	mu   sync.Mutex // guards what follows
	over func()
}

// ofConnection is the key of a request's context for its connection.
type ofConnection struct{}

func withConnection(ctx context.Context, c net.Conn) context.Context {
	tcp, _ := c.(*net.TCPConn)
	return context.WithValue(ctx, ofConnection{}, &connection{TCPConn: tcp, over: func() {}})
}

// carries notes which request is on the connection now.
func (c *connection) carries(over func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.over = over
}

// reset ends the connection, as a broken network does.
func (c *connection) reset() {
	c.mu.Lock()
	over := c.over
	c.mu.Unlock()
	over()
	_ = c.SetLinger(0)
	_ = c.Close()
}

// hold keeps the body of a request, so that it is here before anything is done.
func hold(r *http.Request) error {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	return nil
}

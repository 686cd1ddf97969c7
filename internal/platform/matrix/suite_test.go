// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package matrix_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-logr/logr"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/cabildo-dev/cabildo/hack/devenv"
	"github.com/cabildo-dev/cabildo/internal/model"
	"github.com/cabildo-dev/cabildo/internal/plan"
	"github.com/cabildo-dev/cabildo/internal/platform"
	"github.com/cabildo-dev/cabildo/internal/platform/matrix"
)

// server is the homeserver of all specs that don't stop it.
var server *devenv.LocalHomeserver

func TestMatrix(t *testing.T) {
	_, err := devenv.Binary("dendrite")
	switch {
	case errors.Is(err, devenv.ErrNotBuilt) && os.Getenv("CI") != "true":
		t.Skip(err)
	case err != nil:
		t.Fatal(err)
	}
	RegisterFailHandler(Fail)
	SetDefaultEventuallyTimeout(10 * time.Second)
	SetDefaultEventuallyPollingInterval(20 * time.Millisecond)
	RunSpecs(t, "the Matrix adapter on a real homeserver")
}

var _ = BeforeSuite(func() { server = start() })

// start starts a homeserver that ends with the spec or suite.
func start() *devenv.LocalHomeserver {
	GinkgoHelper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	s, err := devenv.StartDendrite(ctx, devenv.DendriteOptions{})
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(s.Close)
	return s
}

// startedSynapse is the Synapse of all specs that don't stop it, which starts with the first of them.
var startedSynapse = sync.OnceValues(func() (*devenv.LocalHomeserver, error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	return devenv.StartSynapse(ctx, devenv.SynapseOptions{Publish: true})
})

// theSynapse is startedSynapse; without one the spec is skipped.
func theSynapse() *devenv.LocalHomeserver {
	GinkgoHelper()
	s, err := startedSynapse()
	if devenv.WithoutSynapse(err) {
		Skip(err.Error())
	}
	Expect(err).NotTo(HaveOccurred())
	return s
}

var _ = AfterSuite(func() {
	if devenv.HasSynapse() != nil {
		return
	}
	if s, err := startedSynapse(); err == nil {
		Expect(s.Close()).To(Succeed())
	}
})

// serial makes names that no other spec has.
var serial atomic.Int64

func unique(prefix string) string { return fmt.Sprintf("%s%d", prefix, serial.Add(1)) }

// person is an account that does things by hand.
type person struct {
	id, token string
	at        *devenv.LocalHomeserver
	// asserted: the token is an application service's, which says whom it acts as.
	asserted bool
}

func somebody(ctx context.Context, prefix string) person { return somebodyAt(ctx, server, prefix) }

func somebodyAt(ctx context.Context, at *devenv.LocalHomeserver, prefix string) person {
	GinkgoHelper()
	local := unique(prefix)
	token, err := at.CreateUser(ctx, local, "a long password")
	Expect(err).NotTo(HaveOccurred())
	return person{id: "@" + local + ":" + at.ServerName, token: token, at: at}
}

// operator is the operator's account, doing things by hand.
func operator() person { return operatorAt(server) }

func operatorAt(at *devenv.LocalHomeserver) person {
	return person{id: at.OperatorUserID, token: at.ASToken, at: at, asserted: true}
}

// try sends a request by hand.
func (p person) try(ctx context.Context, method, path string, body, into any) error {
	content, err := json.Marshal(body)
	if err != nil {
		return err
	}
	if body == nil {
		content = []byte("{}")
	}
	version := "/v3"
	if strings.HasPrefix(path, "/v1/") {
		version = ""
	}
	req, err := http.NewRequestWithContext(ctx, method, p.at.URL+"/_matrix/client"+version+path, bytes.NewReader(content))
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

// does sends a request by hand that has to work.
func (p person) does(ctx context.Context, method, path string, body, into any) {
	GinkgoHelper()
	Expect(p.try(ctx, method, path, body, into)).To(Succeed())
}

func (p person) sets(ctx context.Context, room, kind string, content any) {
	GinkgoHelper()
	p.does(ctx, http.MethodPut, inRoom(room, "state", kind, ""), content, nil)
}

func (p person) reads(ctx context.Context, room, kind string) map[string]any {
	GinkgoHelper()
	var content map[string]any
	p.does(ctx, http.MethodGet, inRoom(room, "state", kind, ""), nil, &content)
	return content
}

func inRoom(room string, parts ...string) string {
	path := "/rooms/" + url.PathEscape(room)
	for _, part := range parts {
		path += "/" + url.PathEscape(part)
	}
	return path
}

func aliasPath(address string) string {
	return "/directory/room/" + url.PathEscape("#"+address+":"+server.ServerName)
}

// wire counts requests by route, can lose the answer of one, can hold some back, and can pretend
// that the server makes rooms of one version only, that people can ask to join, or that nobody can
// change who may mention everybody.
type wire struct {
	// next sends the requests; nil for http.DefaultTransport.
	next     http.RoundTripper
	version  string
	knocks   bool
	mentions bool

	mu     sync.Mutex
	counts map[string]int
	lose   string
	// held is part of the paths that wait until let is closed; asked has one for each that came.
	held       string
	asked, let chan struct{}
}

// hold has requests wait whose path has this in it, until they are let go.
func (w *wire) hold(part string) (asked <-chan struct{}, let func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.held, w.asked, w.let = part, make(chan struct{}, 8), make(chan struct{})
	return w.asked, sync.OnceFunc(func() { close(w.let) })
}

func (w *wire) RoundTrip(req *http.Request) (*http.Response, error) {
	route := platform.Route(req.Context())
	w.mu.Lock()
	if w.counts == nil {
		w.counts = map[string]int{}
	}
	w.counts[route]++
	lose := w.lose == route
	if lose {
		w.lose = ""
	}
	hold := w.held != "" && strings.Contains(req.URL.Path, w.held)
	w.mu.Unlock()
	if hold {
		w.asked <- struct{}{}
		<-w.let
	}
	if w.mentions && mentionsSomeonesOnly(req) {
		return forbidden(req), nil
	}
	next := w.next
	if next == nil {
		next = http.DefaultTransport
	}
	resp, err := next.RoundTrip(req)
	if err == nil && w.version != "" && route == "GET /capabilities" {
		_ = resp.Body.Close()
		pretence := fmt.Sprintf(`{"capabilities":{"m.room_versions":{"available":{%q:"stable","99":"stable","org.new":"unstable"}}}}`, w.version)
		resp.Body, resp.ContentLength = io.NopCloser(strings.NewReader(pretence)), int64(len(pretence))
	}
	if err == nil && w.knocks && route == "GET /knock/{room}" {
		resp.StatusCode = http.StatusMethodNotAllowed
	}
	if lose && err == nil {
		_ = resp.Body.Close()
		return nil, errors.New("the connection was cut")
	}
	return resp, err
}

// mentionsSomeonesOnly says that a request sets power levels with which not everybody may mention everybody.
func mentionsSomeonesOnly(req *http.Request) bool {
	if req.Method != http.MethodPut || !strings.Contains(req.URL.Path, "/state/m.room.power_levels") {
		return false
	}
	body, err := io.ReadAll(req.Body)
	req.Body = io.NopCloser(bytes.NewReader(body))
	var levels struct{ Notifications struct{ Room int } }
	return err == nil && json.Unmarshal(body, &levels) == nil && levels.Notifications.Room != 0
}

// forbidden is how a server answers to who has not got the power.
func forbidden(req *http.Request) *http.Response {
	const body = `{"errcode":"M_FORBIDDEN","error":"sender with level 0 is not allowed change notification level"}`
	return &http.Response{
		Request: req, StatusCode: http.StatusForbidden, Status: "403 Forbidden", Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)),
	}
}

// requests are those so far, long polls apart.
func (w *wire) requests() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := 0
	for route, count := range w.counts {
		if route != platform.LongPoll {
			n += count
		}
	}
	return n
}

func (w *wire) of(route string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.counts[route]
}

func (w *wire) loseNext(route string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lose = route
}

// actor is an adapter with what a spec wants to know of it.
type actor struct {
	platform.Adapter
	wire  *wire
	owner string
	info  platform.Info
}

type option func(*platform.Config)

func as(p person) option { return func(c *platform.Config) { c.Token, c.AppService = p.token, false } }

func owned(owner string) option { return func(c *platform.Config) { c.OwnerID = owner } }

// making pretends that the server makes rooms of this version.
func making(version string) option {
	return func(c *platform.Config) { c.Client.Transport.(*wire).version = version }
}

// asking pretends that the server has a way to ask to join: Dendrite has none, and its rooms could be asked.
func asking() option { return func(c *platform.Config) { c.Client.Transport.(*wire).knocks = true } }

// mentionsFixed pretends that nobody can change who may mention everybody once a room is made: so it is in
// rooms of version 12 on Dendrite 0.15.
func mentionsFixed() option {
	return func(c *platform.Config) { c.Client.Transport.(*wire).mentions = true }
}

func every(d time.Duration) option { return func(c *platform.Config) { c.ResyncInterval = d } }

// opened opens an adapter and does not talk to the server yet.
func opened(at *devenv.LocalHomeserver, options ...option) *actor {
	GinkgoHelper()
	w := &wire{}
	cfg := platform.Config{
		Name: "test", OwnerID: "prod", URL: at.URL, ServerName: at.ServerName, Token: at.ASToken, AppService: true, Account: "cabildo",
		Client: &http.Client{Transport: w}, ResyncInterval: time.Hour, Log: logr.Discard(),
	}
	for _, o := range options {
		o(&cfg)
	}
	adapter, err := matrix.New(context.Background(), cfg)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(adapter.Close)
	return &actor{Adapter: adapter, wire: w, owner: cfg.OwnerID}
}

// openAt opens an adapter on any URL.
func openAt(url string) (platform.Adapter, error) {
	return matrix.New(context.Background(), platform.Config{URL: url, ServerName: "cabildo.test", Log: logr.Discard()})
}

// open opens and probes an adapter on the server of all specs.
func open(ctx context.Context, options ...option) *actor {
	GinkgoHelper()
	return openOn(ctx, server, options...)
}

// openOn opens and probes an adapter on a server.
func openOn(ctx context.Context, at *devenv.LocalHomeserver, options ...option) *actor {
	GinkgoHelper()
	a := opened(at, options...)
	var err error
	a.info, err = a.Probe(ctx)
	Expect(err).NotTo(HaveOccurred())
	return a
}

func community(name string) model.Ref {
	return model.Ref{Kind: model.KindCommunity, Namespace: "town", Name: name}
}

// want is a wanted community with a name of its own.
func (a *actor) want() model.Space {
	name := unique("c")
	return model.Space{
		Mark:    model.Mark{OwnerID: a.owner, Ref: community(name)},
		Address: name,
		Settings: model.Settings{
			DisplayName: "The town of " + name, Topic: "What the town is for", Join: model.JoinAnybody,
			Listed: true, History: model.HistoryEverything, Guests: model.GuestsForbidden,
		},
	}
}

// group is a wanted group of a community.
func group(parent model.Space) model.Space {
	name := unique("g")
	g := parent
	g.Mark.Ref = model.Ref{Kind: model.KindGroup, Namespace: "town", Name: name}
	g.Parent, g.Address, g.Members = &parent.Mark.Ref, parent.Address+"-"+name, nil
	g.Settings.DisplayName, g.Settings.Join, g.Settings.Listed = "The group "+name, model.JoinParentMembers, false
	return g
}

func query(want model.Space) platform.Query {
	return platform.Query{OwnerID: want.Mark.OwnerID, Ref: want.Mark.Ref, Parent: want.Parent, Address: want.Address}
}

// sees observes and expects a whole answer.
func (a *actor) sees(ctx context.Context, want model.Space) platform.Observation {
	GinkgoHelper()
	o, err := a.Observe(ctx, query(want))
	Expect(err).NotTo(HaveOccurred())
	Expect(o.Complete).To(BeTrue(), o.Why)
	return o
}

// differs is what has still to be done to a space.
func (a *actor) differs(ctx context.Context, want model.Space) []string {
	GinkgoHelper()
	want, losses := a.Normalize(want)
	Expect(losses).To(BeEmpty())
	o := a.sees(ctx, want)
	var ops []string
	for _, op := range plan.Diff(want, o.Space, o.ParentID) {
		ops = append(ops, op.String())
	}
	return ops
}

// make brings a space to what is wanted, as the operator would, and checks
// that nothing is left to do then.
func (a *actor) make(ctx context.Context, want model.Space) *model.Observed {
	GinkgoHelper()
	want, losses := a.Normalize(want)
	Expect(losses).To(BeEmpty())
	for range 3 {
		o := a.sees(ctx, want)
		if o.Space == nil && o.Holder != nil {
			o.Space = o.Holder.Space // adopts
		}
		ops := plan.Diff(want, o.Space, o.ParentID)
		if len(ops) == 0 {
			return o.Space
		}
		for _, op := range ops {
			_, err := a.Apply(ctx, op)
			Expect(err).NotTo(HaveOccurred(), op.String())
		}
	}
	Expect(a.differs(ctx, want)).To(BeEmpty())
	return a.sees(ctx, want).Space
}

// op is an operation on a space.
func op(verb plan.Verb, want model.Space, id string, members ...model.Member) plan.Operation {
	return plan.Operation{Verb: verb, Space: want, SpaceID: id, Members: members}
}

func set(field plan.Field, want model.Space, id string) plan.Operation {
	return plan.Operation{Verb: plan.Set, Field: field, Space: want, SpaceID: id}
}

func kindOf(err error) platform.ErrorKind {
	var typed *platform.Error
	if errors.As(err, &typed) {
		return typed.Kind
	}
	return ""
}

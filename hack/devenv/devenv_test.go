// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package devenv

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

// parentVariable makes this test binary play the parent that is killed.
const parentVariable = "CABILDO_DEVENV_TEST_PARENT"

func TestMain(m *testing.M) {
	if os.Getenv(parentVariable) != "" {
		playParent()
		return
	}
	os.Exit(m.Run())
}

// needs skips a test on a machine without the servers. In CI that is a failure:
// there they are always built.
func needs(t *testing.T, binaries ...string) {
	t.Helper()
	for _, binary := range binaries {
		_, err := Binary(binary)
		if err == nil && binary == MattermostBinary("") {
			_, err = Postgres()
		}
		switch {
		case errors.Is(err, ErrNotBuilt) && os.Getenv("CI") != "true":
			t.Skip(err)
		case err != nil:
			t.Fatal(err)
		}
	}
}

// ownSessions gives the test a root of its own, so that others' environments
// don't come into it.
func ownSessions(t *testing.T) string {
	t.Helper()
	// t.TempDir has the test's name in it, which can make sockets' paths too long.
	dir, err := os.MkdirTemp("", "devenv-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	t.Setenv("TMPDIR", dir)
	root, err := sessionRoot()
	if err != nil {
		t.Fatal(err)
	}
	return root
}

func sessionsIn(root string) []string {
	found, _ := filepath.Glob(filepath.Join(root, sessionPrefix+"*"))
	return found
}

// outsideOf are the folders that sessions have elsewhere.
func outsideOf(root string) []string {
	var dirs []string
	links, _ := filepath.Glob(filepath.Join(root, sessionPrefix+"*", outsideDir, "*"))
	for _, link := range links {
		if dir, err := os.Readlink(link); err == nil {
			dirs = append(dirs, dir)
		}
	}
	return dirs
}

func TestControlPlane(t *testing.T) {
	needs(t, "etcd", "kube-apiserver", "kube-controller-manager")
	g, ctx, root := NewWithT(t), t.Context(), ownSessions(t)

	begin := time.Now()
	cp, err := StartControlPlane(ctx)
	g.Expect(err).NotTo(HaveOccurred())
	t.Cleanup(func() { _ = cp.Stop() })
	t.Logf("control plane up in %s", time.Since(begin).Round(time.Millisecond))

	admin, err := kubernetes.NewForConfig(cp.RESTConfig())
	g.Expect(err).NotTo(HaveOccurred())
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "town"}}
	_, err = admin.CoreV1().Namespaces().Create(ctx, namespace, metav1.CreateOptions{})
	g.Expect(err).NotTo(HaveOccurred())
	g.Eventually(func() error {
		_, err := admin.CoreV1().ServiceAccounts("town").Get(ctx, "default", metav1.GetOptions{})
		return err
	}, "30s", "50ms").Should(Succeed(), "the service account controller gives each namespace its default account")

	kubeconfig, err := cp.KubeconfigFor(ctx, "town", "default")
	g.Expect(err).NotTo(HaveOccurred())
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	g.Expect(err).NotTo(HaveOccurred())
	account, err := kubernetes.NewForConfig(config)
	g.Expect(err).NotTo(HaveOccurred())
	self, err := account.AuthenticationV1().SelfSubjectReviews().
		Create(ctx, &authenticationv1.SelfSubjectReview{}, metav1.CreateOptions{})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(self.Status.UserInfo.Username).To(Equal("system:serviceaccount:town:default"))
	_, err = account.CoreV1().Secrets("town").List(ctx, metav1.ListOptions{})
	g.Expect(apierrors.IsForbidden(err)).To(BeTrue(), "RBAC holds for service accounts, got %v", err)

	g.Expect(clientcmd.LoadFromFile(cp.Kubeconfig())).NotTo(BeNil())
	g.Expect(admin.CoreV1().Namespaces().Delete(ctx, "town", metav1.DeleteOptions{})).To(Succeed())
	g.Eventually(func() bool {
		_, err := admin.CoreV1().Namespaces().Get(ctx, "town", metav1.GetOptions{})
		return apierrors.IsNotFound(err)
	}, "30s", "50ms").Should(BeTrue(), "the namespace controller finishes deletions")

	g.Expect(sessionsIn(root)).To(HaveLen(1))
	begin = time.Now()
	g.Expect(cp.Stop()).To(Succeed())
	t.Logf("control plane down in %s", time.Since(begin).Round(time.Millisecond))
	for _, p := range cp.processes {
		g.Expect(p.done).To(BeClosed(), "%s has ended", p.name)
	}
	g.Expect(sessionsIn(root)).To(BeEmpty())
	g.Expect(cp.Stop()).To(Succeed(), "stopping twice is harmless")
}

func TestDendrite(t *testing.T) {
	needs(t, "dendrite")
	livesThrough(t, func(ctx context.Context) (*LocalHomeserver, error) { return StartDendrite(ctx, DendriteOptions{}) })
}

func TestSynapse(t *testing.T) {
	if err := HasSynapse(); WithoutSynapse(err) {
		t.Skip(err)
	}
	livesThrough(t, func(ctx context.Context) (*LocalHomeserver, error) { return StartSynapse(ctx, SynapseOptions{}) })
}

// livesThrough has a homeserver serve, go down and up again, forget everything, and end.
func livesThrough(t *testing.T, start func(context.Context) (*LocalHomeserver, error)) {
	t.Helper()
	g, ctx, root := NewWithT(t), t.Context(), ownSessions(t)

	begin := time.Now()
	d, err := start(ctx)
	g.Expect(err).NotTo(HaveOccurred())
	t.Cleanup(func() { _ = d.Close() })
	t.Logf("up in %s", time.Since(begin).Round(time.Millisecond))

	begin = time.Now()
	const people = 50
	for i := range people {
		_, err := d.CreateUser(ctx, fmt.Sprintf("person%d", i), "correct horse")
		g.Expect(err).NotTo(HaveOccurred())
	}
	t.Logf("%d users in %s", people, time.Since(begin).Round(time.Millisecond))

	ana, err := d.CreatePerson(ctx, "ana", "correct horse", "Ana Ruiz")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(ana.UserID).To(Equal("@ana:cabildo.test"))
	again, err := d.CreateUser(ctx, "ana", "correct horse")
	g.Expect(err).NotTo(HaveOccurred(), "an account that exists is logged in to")
	g.Expect(whoami(ctx, d, again, "")).To(Equal(ana.UserID))
	var refused *MatrixError
	_, err = d.Login(ctx, "ana", "wrong")
	g.Expect(errors.As(err, &refused)).To(BeTrue())
	g.Expect(refused.Status).To(Equal(http.StatusForbidden))

	g.Expect(whoami(ctx, d, d.ASToken, "")).To(Equal("@"+senderLocalpart+":cabildo.test"), "which is not the operator's account")
	g.Expect(whoami(ctx, d, d.ASToken, ana.UserID)).To(Equal(ana.UserID), "the application service acts for users")

	room := createRoom(ctx, g, d, "11")
	g.Expect(d.PurgeRoom(ctx, room)).To(Succeed())

	address := d.URL
	begin = time.Now()
	d.Stop()
	t.Logf("down in %s", time.Since(begin).Round(time.Millisecond))
	_, err = d.Login(ctx, "ana", "correct horse")
	g.Expect(err).To(MatchError(ContainSubstring("connection refused")))
	begin = time.Now()
	g.Expect(d.Start(ctx)).To(Succeed())
	t.Logf("up again in %s", time.Since(begin).Round(time.Millisecond))
	g.Expect(d.URL).To(Equal(address))
	g.Expect(whoami(ctx, d, ana.AccessToken, "")).To(Equal(ana.UserID), "accounts and tokens outlive a restart")

	g.Expect(d.Wipe()).To(Succeed())
	g.Expect(d.Start(ctx)).To(Succeed())
	_, err = d.Login(ctx, "ana", "correct horse")
	g.Expect(err).To(HaveOccurred(), "nobody outlives a wipe")
	g.Expect(d.PurgeRoom(ctx, createRoom(ctx, g, d, "11"))).To(Succeed(), "the administrator is made anew")

	g.Expect(d.Close()).To(Succeed())
	g.Expect(sessionsIn(root)).To(BeEmpty())
	g.Expect(d.Close()).To(Succeed(), "closing twice is harmless")
}

func TestDendriteLimitsRates(t *testing.T) {
	needs(t, "dendrite")
	g, ctx := NewWithT(t), t.Context()
	ownSessions(t)
	d, err := StartDendrite(ctx, DendriteOptions{
		ServerName: "limits.test",
		RateLimit:  &RateLimit{Threshold: 2, Cooloff: 10 * time.Second},
	})
	g.Expect(err).NotTo(HaveOccurred())
	t.Cleanup(func() { _ = d.Close() })
	token, err := d.CreateUser(ctx, "bea", "correct horse")
	g.Expect(err).NotTo(HaveOccurred())

	var refused *MatrixError
	for range 5 {
		if _, err = whoami(ctx, d, token, ""); err != nil {
			break
		}
	}
	g.Expect(errors.As(err, &refused)).To(BeTrue(), "the third request in ten seconds is refused, got %v", err)
	g.Expect(refused.Status).To(Equal(http.StatusTooManyRequests))
	for range 5 {
		g.Expect(whoami(ctx, d, d.ASToken, "")).To(Equal("@"+senderLocalpart+":limits.test"), "the application service is exempt")
	}
}

func TestNothingOutlivesAKilledParent(t *testing.T) {
	needs(t, "etcd", "kube-apiserver", "kube-controller-manager", "dendrite", MattermostBinary(""))
	g, root := NewWithT(t), ownSessions(t)

	self, err := os.Executable()
	g.Expect(err).NotTo(HaveOccurred())
	parent := exec.CommandContext(t.Context(), self)
	parent.Env = append(os.Environ(), parentVariable+"=1")
	parent.Stderr = os.Stderr
	out, err := parent.StdoutPipe()
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(parent.Start()).To(Succeed())

	var children []identity
	g.Expect(json.NewDecoder(out).Decode(&children)).To(Succeed(), "the parent starts its servers")
	g.Expect(children).To(HaveLen(6))
	for _, child := range children {
		g.Expect(child.alive()).To(BeTrue())
	}
	g.Expect(sessionsIn(root)).To(HaveLen(3))

	g.Expect(parent.Process.Kill()).To(Succeed())
	_ = parent.Wait()
	if realm() == "" { // no help from the kernel here: the next start does it
		sweep(root)
	}
	for _, child := range children {
		g.Eventually(child.alive, "10s", "20ms").Should(BeFalse(), "process %d ends with its parent", child.PID)
	}
	outside := outsideOf(root)
	sweep(root)
	g.Expect(sessionsIn(root)).To(BeEmpty(), "the next start clears away what is left")
	for _, dir := range outside {
		g.Expect(dir).NotTo(BeADirectory(), "also what lies outside")
	}
}

// playParent starts all servers, tells who they are, and waits to be killed.
func playParent() {
	ctx := context.Background()
	cp, err := StartControlPlane(ctx)
	if err != nil {
		panic(err)
	}
	d, err := StartDendrite(ctx, DendriteOptions{})
	if err != nil {
		panic(err)
	}
	m, err := StartMattermost(ctx, MattermostOptions{})
	if err != nil {
		panic(err)
	}
	var children []identity
	for _, p := range append(cp.processes, d.process, m.process, m.database.process) {
		id, err := identify(p.cmd.Process.Pid)
		if err != nil {
			panic(err)
		}
		children = append(children, id)
	}
	if err := json.NewEncoder(os.Stdout).Encode(children); err != nil {
		panic(err)
	}
	select {}
}

func TestSweepEndsOnlyWhatWasRecorded(t *testing.T) {
	g, root := NewWithT(t), ownSessions(t)

	owner := sleeper(t)
	ours, foreign := sleeper(t), sleeper(t)
	// The foreign process has the recorded ID, but it isn't the one that was
	// recorded: it started at another time.
	reused := foreign
	reused.Start = "another time"

	s, err := newSession()
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(writeJSON(s.path(ownerFile), owner)).To(Succeed())
	g.Expect(writeJSON(s.path(childrenDir, "1.json"), ours)).To(Succeed())
	g.Expect(writeJSON(s.path(childrenDir, "2.json"), reused)).To(Succeed())

	sweep(root)
	g.Expect(ours.alive()).To(BeTrue(), "nothing happens while the owner lives")
	g.Expect(s.dir).To(BeADirectory())

	owner.kill()
	g.Eventually(owner.alive, "10s", "20ms").Should(BeFalse(), "the owner has been killed")
	sweep(root)
	g.Eventually(ours.alive, "10s", "20ms").Should(BeFalse(), "a recorded child of a dead owner is ended")
	g.Expect(foreign.alive()).To(BeTrue(), "another process with a recorded ID is left alone")
	g.Expect(s.dir).NotTo(BeADirectory())
}

func sleeper(t *testing.T) identity {
	t.Helper()
	command := exec.CommandContext(t.Context(), "sleep", "600")
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { _ = command.Wait() }()
	id, err := identify(command.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func TestPortsAreLeasedOnce(t *testing.T) {
	g := NewWithT(t)
	root := ownSessions(t)
	lease, err := leasePort()
	g.Expect(err).NotTo(HaveOccurred())
	path := filepath.Join(root, "ports", fmt.Sprint(lease.port))

	second, err := tryLease(path, lease.port)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(second).To(BeNil(), "a leased port is taken even when nothing listens on it")

	lease.release()
	second, err = tryLease(path, lease.port)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(second).NotTo(BeNil(), "a released port is free again")
	second.release()
}

func whoami(ctx context.Context, d *LocalHomeserver, token, as string) (string, error) {
	path := "/_matrix/client/v3/account/whoami"
	if as != "" {
		path += "?user_id=" + url.QueryEscape(as)
	}
	var account Account
	err := d.call(ctx, request{method: http.MethodGet, path: path, token: token}, &account)
	return account.UserID, err
}

func createRoom(ctx context.Context, g Gomega, d *LocalHomeserver, version string) string {
	var room struct {
		ID string `json:"room_id"`
	}
	err := d.call(ctx, request{
		method: http.MethodPost,
		path:   "/_matrix/client/v3/createRoom",
		token:  d.ASToken,
		body:   map[string]any{"room_version": version},
	}, &room)
	g.ExpectWithOffset(1, err).NotTo(HaveOccurred())
	return room.ID
}

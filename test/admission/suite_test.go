// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package admission_test shows what the admission policies take and what they
// refuse, against a real API server, for users who have the roles of
// config/rbac. It runs no controller.
package admission_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	logf "sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/yaml"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
)

const (
	root = "../.."
	// The namespaces of the suite: one with the label team=eng and one without.
	namespace = "engineering"
	other     = "sales"
)

// The users of the suite. Each has the roles that config/rbac has for such people.
const (
	// tenant may edit communities and groups in both namespaces.
	tenant = "tomas"
	// approver may decide in the first namespace alone.
	approver = "ana"
	// keeper is of the platform team.
	keeper = "paula"
	// onCall may see what the platform team declares.
	onCall = "oscar"
	// manager is the operator.
	manager = "system:serviceaccount:cabildo-system:cabildo"
)

// settles is how long a policy may take to be in force: the API server reads
// policies, bindings and Platforms from caches.
const settles = time.Minute

var (
	config *rest.Config
	scheme = runtime.NewScheme()
	// admin may do everything.
	admin client.Client
)

func TestAdmission(t *testing.T) {
	RegisterFailHandler(Fail)
	for _, name := range []string{"etcd", "kube-apiserver"} {
		path := filepath.Join(binaries(), name)
		if _, err := os.Stat(path); err == nil {
			continue
		}
		if os.Getenv("CI") == "true" {
			t.Fatalf("%s is missing; make servers builds it", path)
		}
		t.Skipf("%s is missing; make servers builds it", path)
	}
	logf.SetLogger(GinkgoLogr)
	RunSpecs(t, "Admission")
}

// binaries is the folder of etcd and kube-apiserver.
func binaries() string {
	if folder := os.Getenv("KUBEBUILDER_ASSETS"); folder != "" {
		return folder
	}
	return filepath.Join(root, "bin")
}

var _ = BeforeSuite(func(ctx context.Context) {
	server := &envtest.Environment{
		BinaryAssetsDirectory: binaries(),
		CRDDirectoryPaths:     []string{root + "/config/crd/bases"},
		ErrorIfCRDPathMissing: true,
		// The default is too short for a machine that is busy with other suites.
		ControlPlaneStartTimeout: 2 * time.Minute,
	}
	var err error
	config, err = server.Start()
	DeferCleanup(server.Stop)
	Expect(err).NotTo(HaveOccurred())
	config.QPS = -1

	utilruntime.Must(clientgoscheme.AddToScheme(scheme))
	utilruntime.Must(v1alpha1.AddToScheme(scheme))
	admin, err = client.New(config, client.Options{Scheme: scheme})
	Expect(err).NotTo(HaveOccurred())

	for name, labels := range map[string]map[string]string{namespace: {"team": "eng", "stage": "live"}, other: nil} {
		Expect(admin.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels}})).To(Succeed())
	}
	for _, file := range []string{"tenant_editor_role", "approver_role", "platform_editor_role", "platform_viewer_role", "role"} {
		create(ctx, "config/rbac/"+file+".yaml")
	}
	bind(ctx, tenant, "cabildo-tenant-editor", namespace, other)
	bind(ctx, approver, "cabildo-approver", namespace)
	bindEverywhere(ctx, keeper, "cabildo-platform-editor")
	bind(ctx, keeper, "cabildo-tenant-editor", namespace)
	bindEverywhere(ctx, onCall, "cabildo-platform-viewer")
	bindEverywhere(ctx, manager, "cabildo-manager")

	for _, object := range requested {
		Expect(admin.Create(ctx, object(older))).To(Succeed())
	}
	policies, err := filepath.Glob(filepath.Join(root, "config/admission/*_policy.yaml"))
	Expect(err).NotTo(HaveOccurred())
	Expect(policies).To(HaveLen(4))
	for _, policy := range policies {
		path, err := filepath.Rel(root, policy)
		Expect(err).NotTo(HaveOccurred())
		create(ctx, path)
		create(ctx, strings.Replace(path, "_policy", "_binding", 1))
	}
	inForce(ctx)
})

// inForce waits until each policy has refused something, or noted it.
func inForce(ctx context.Context) {
	GinkgoHelper()
	waits := func(policy string, refused func() error) {
		GinkgoHelper()
		Eventually(refused, settles).Should(MatchError(ContainSubstring(policy)), "the policy %s comes into force", policy)
	}
	waits("decisions.community.cabildo.dev", func() error {
		return as(approver).Create(ctx, decision(), client.DryRunAll)
	})
	waits("force-release.community.cabildo.dev", func() error {
		return as(tenant).Create(ctx, group(annotated("true")), client.DryRunAll)
	})
	Eventually(func(g Gomega) {
		waits := group()
		g.Expect(as(tenant).Create(ctx, waits, client.DryRunAll)).To(Succeed())
		g.Expect(waits.Annotations).To(HaveKey(v1alpha1.RequestedByAnnotation))
	}, settles).Should(Succeed(), "the policy requester.community.cabildo.dev comes into force")
	caughtUp(ctx)
}

// caughtUp waits until the policy about names sees all Platforms as they are
// now. It makes one more and waits until that is seen: changes come in order.
func caughtUp(ctx context.Context) {
	GinkgoHelper()
	last := platform("")
	last.GenerateName = "last-"
	Expect(admin.Create(ctx, last)).To(Succeed())
	defer func() { Expect(admin.Delete(ctx, last)).To(Succeed()) }()
	Eventually(func() error {
		return as(tenant).Create(ctx, community("waits", on(last.Name, "waits")), client.DryRunAll)
	}, settles).Should(MatchError(ContainSubstring("Platform "+last.Name)), "the API server sees Platform %s", last.Name)
}

// as is a client of a user, who is in no group but that of everybody who is known.
func as(user string) client.Client {
	GinkgoHelper()
	theirs := rest.CopyConfig(config)
	theirs.Impersonate = rest.ImpersonationConfig{UserName: user, Groups: []string{"system:authenticated"}}
	c, err := client.New(theirs, client.Options{Scheme: scheme, Mapper: admin.RESTMapper()})
	Expect(err).NotTo(HaveOccurred())
	return c
}

// create makes the object of a file of the project.
func create(ctx context.Context, path string) {
	GinkgoHelper()
	content, err := os.ReadFile(filepath.Join(root, path))
	Expect(err).NotTo(HaveOccurred())
	object := &unstructured.Unstructured{}
	Expect(yaml.Unmarshal(content, &object.Object)).To(Succeed(), path)
	strict := client.WithFieldValidation(admin, metav1.FieldValidationStrict)
	Expect(strict.Create(ctx, object)).To(Succeed(), path)
}

func bind(ctx context.Context, user, role string, namespaces ...string) {
	GinkgoHelper()
	for _, in := range namespaces {
		Expect(admin.Create(ctx, &rbacv1.RoleBinding{
			ObjectMeta: metav1.ObjectMeta{Namespace: in, Name: user + "-" + role},
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role},
			Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: user}},
		})).To(Succeed())
	}
}

func bindEverywhere(ctx context.Context, user, role string) {
	GinkgoHelper()
	Expect(admin.Create(ctx, &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: strings.ReplaceAll(user, ":", "-") + "-" + role},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role},
		Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: user}},
	})).To(Succeed())
}

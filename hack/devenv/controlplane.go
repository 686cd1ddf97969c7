// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package devenv

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// A ControlPlane is a Kubernetes API without nodes: etcd, kube-apiserver with
// RBAC, and the controllers of kube-controller-manager that an operator meets
// (namespaces, garbage collection, service accounts). Workloads are stored and
// never run. Its data goes when it stops.
type ControlPlane struct {
	session   *session
	lease     *portLease
	authority *authority
	host      string
	admin     *rest.Config
	processes []*process // in the order in which they were started
	stopOnce  sync.Once
	stopErr   error
}

// startTimeout bounds a start that would hang; a usual one takes seconds.
const startTimeout = 2 * time.Minute

// tokenLifetime is how long the tokens of KubeconfigFor are good for.
const tokenLifetime = 30 * 24 * time.Hour

// controllers are those of kube-controller-manager that need no nodes.
var controllers = []string{
	"clusterrole-aggregation-controller",
	"garbage-collector-controller",
	"namespace-controller",
	"resourcequota-controller",
	"root-ca-certificate-publisher-controller",
	"serviceaccount-controller",
	"validatingadmissionpolicy-status-controller",
}

// StartControlPlane starts a control plane and returns when it serves. The
// context bounds the start alone; Stop ends it.
func StartControlPlane(ctx context.Context) (_ *ControlPlane, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, startTimeout, errors.New("not ready in time"))
	defer cancel()

	s, err := newSession()
	if err != nil {
		return nil, err
	}
	cp := &ControlPlane{session: s}
	defer func() {
		if err != nil {
			err = errors.Join(err, cp.Stop())
		}
	}()
	if cp.lease, err = leasePort(); err != nil {
		return nil, err
	}
	cp.host = "https://" + cp.lease.address()
	if err := cp.prepare(); err != nil {
		return nil, err
	}
	for _, step := range []func(context.Context) error{cp.startEtcd, cp.startAPIServer, cp.startControllers} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	return cp, nil
}

// prepare writes the keys, certificates and kubeconfigs that the servers read.
func (cp *ControlPlane) prepare() error {
	ca, err := newAuthority()
	if err != nil {
		return err
	}
	cp.authority = ca
	serving, servingKey, err := ca.server("localhost", "kubernetes.default.svc")
	if err != nil {
		return err
	}
	tokenKey, err := newKey()
	if err != nil {
		return err
	}
	tokenKeyPEM, err := encodeKey(tokenKey)
	if err != nil {
		return err
	}
	if err := writeFiles(map[string][]byte{
		cp.session.path("ca.crt"):        ca.pem,
		cp.session.path("apiserver.crt"): serving,
		cp.session.path("apiserver.key"): servingKey,
		cp.session.path("tokens.key"):    tokenKeyPEM,
	}); err != nil {
		return err
	}

	controllerCert, controllerKey, err := ca.client("system:kube-controller-manager")
	if err != nil {
		return err
	}
	if err := cp.writeKubeconfig(cp.session.path("controllers.kubeconfig"), "default",
		clientcmdapi.AuthInfo{ClientCertificateData: controllerCert, ClientKeyData: controllerKey}); err != nil {
		return err
	}

	adminCert, adminKey, err := ca.client("cabildo-devenv-admin", "system:masters")
	if err != nil {
		return err
	}
	cp.admin = &rest.Config{
		Host:            cp.host,
		TLSClientConfig: rest.TLSClientConfig{CAData: ca.pem, CertData: adminCert, KeyData: adminKey},
		QPS:             500,
		Burst:           1000,
	}
	return cp.writeKubeconfig(cp.Kubeconfig(), "default",
		clientcmdapi.AuthInfo{ClientCertificateData: adminCert, ClientKeyData: adminKey})
}

func (cp *ControlPlane) startEtcd(context.Context) error {
	// etcd listens on a socket in our own folder: it has no users of its own,
	// so a port would be open to everybody on the machine.
	return cp.start(command{binary: "etcd", args: []string{
		"--data-dir=" + cp.session.path("etcd"),
		"--listen-client-urls=" + cp.etcdURL("client"),
		"--advertise-client-urls=" + cp.etcdURL("client"),
		"--listen-peer-urls=" + cp.etcdURL("peer"),
		"--initial-advertise-peer-urls=" + cp.etcdURL("peer"),
		"--initial-cluster=default=" + cp.etcdURL("peer"),
		"--unsafe-no-fsync", // the data goes when the control plane stops
		"--log-level=warn",
	}})
}

func (cp *ControlPlane) etcdURL(socket string) string {
	return "unix://" + cp.session.path("etcd-"+socket+".sock")
}

func (cp *ControlPlane) startAPIServer(ctx context.Context) error {
	if err := cp.start(command{binary: "kube-apiserver", args: []string{
		"--etcd-servers=" + cp.etcdURL("client"),
		"--bind-address=127.0.0.1",
		"--advertise-address=127.0.0.1",
		fmt.Sprintf("--secure-port=%d", cp.lease.port),
		"--tls-cert-file=" + cp.session.path("apiserver.crt"),
		"--tls-private-key-file=" + cp.session.path("apiserver.key"),
		"--client-ca-file=" + cp.session.path("ca.crt"),
		"--authorization-mode=RBAC",
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file=" + cp.session.path("tokens.key"),
		"--service-account-signing-key-file=" + cp.session.path("tokens.key"),
		"--service-cluster-ip-range=10.0.0.0/24",
		"--endpoint-reconciler-type=none", // loopback is not allowed as an endpoint, and there are no pods to use it
		"--profiling=false",
	}}); err != nil {
		return err
	}
	client, err := kubernetes.NewForConfig(cp.admin)
	if err != nil {
		return fmt.Errorf("making a client for the API server: %w", err)
	}
	return cp.newest().waitReady(ctx, func(ctx context.Context) error {
		return client.Discovery().RESTClient().Get().AbsPath("/readyz").Do(ctx).Error()
	})
}

func (cp *ControlPlane) startControllers(ctx context.Context) error {
	if err := cp.start(command{binary: "kube-controller-manager", args: []string{
		"--kubeconfig=" + cp.session.path("controllers.kubeconfig"),
		"--service-account-private-key-file=" + cp.session.path("tokens.key"),
		"--root-ca-file=" + cp.session.path("ca.crt"),
		"--use-service-account-credentials=true",
		"--controllers=" + strings.Join(controllers, ","),
		"--leader-elect=false",
		"--secure-port=0", // serves nothing; its work shows whether it is ready
		"--kube-api-qps=200",
		"--kube-api-burst=400",
	}}); err != nil {
		return err
	}
	client, err := kubernetes.NewForConfig(cp.admin)
	if err != nil {
		return fmt.Errorf("making a client for the API server: %w", err)
	}
	return cp.newest().waitReady(ctx, func(ctx context.Context) error {
		_, err := client.CoreV1().ServiceAccounts("default").Get(ctx, "default", metav1.GetOptions{})
		return err
	})
}

func (cp *ControlPlane) start(c command) error {
	p, err := cp.session.start(c)
	if err != nil {
		return err
	}
	cp.processes = append(cp.processes, p)
	return nil
}

func (cp *ControlPlane) newest() *process { return cp.processes[len(cp.processes)-1] }

// RESTConfig returns a configuration for clients with all rights. The caller
// may change it.
func (cp *ControlPlane) RESTConfig() *rest.Config { return rest.CopyConfig(cp.admin) }

// Kubeconfig returns the path of a kubeconfig with all rights.
func (cp *ControlPlane) Kubeconfig() string { return cp.session.path("admin.kubeconfig") }

// LogDir returns the folder with the servers' logs. It goes with Stop.
func (cp *ControlPlane) LogDir() string { return cp.session.path("logs") }

// KubeconfigFor writes a kubeconfig that holds a fresh token of an existing
// service account, good for 30 days, and returns its path. Whoever uses it has
// exactly the rights that RBAC gives to the service account.
func (cp *ControlPlane) KubeconfigFor(ctx context.Context, namespace, serviceAccount string) (string, error) {
	client, err := kubernetes.NewForConfig(cp.admin)
	if err != nil {
		return "", fmt.Errorf("making a client for the API server: %w", err)
	}
	seconds := int64(tokenLifetime / time.Second)
	request, err := client.CoreV1().ServiceAccounts(namespace).CreateToken(ctx, serviceAccount,
		&authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{ExpirationSeconds: &seconds}},
		metav1.CreateOptions{})
	if err != nil {
		return "", fmt.Errorf("requesting a token of service account %s/%s: %w", namespace, serviceAccount, err)
	}
	file, err := os.CreateTemp(cp.session.dir, fmt.Sprintf("%s.%s.*.kubeconfig", namespace, serviceAccount))
	if err != nil {
		return "", fmt.Errorf("writing a kubeconfig: %w", err)
	}
	if err := file.Close(); err != nil {
		return "", fmt.Errorf("writing a kubeconfig: %w", err)
	}
	return file.Name(), cp.writeKubeconfig(file.Name(), namespace, clientcmdapi.AuthInfo{Token: request.Status.Token})
}

func (cp *ControlPlane) writeKubeconfig(path, namespace string, user clientcmdapi.AuthInfo) error {
	const name = "cabildo-devenv"
	config := clientcmdapi.NewConfig()
	config.Clusters[name] = &clientcmdapi.Cluster{Server: cp.host, CertificateAuthorityData: cp.authority.pem}
	config.AuthInfos[name] = &user
	config.Contexts[name] = &clientcmdapi.Context{Cluster: name, AuthInfo: name, Namespace: namespace}
	config.CurrentContext = name
	if err := clientcmd.WriteToFile(*config, path); err != nil {
		return fmt.Errorf("writing a kubeconfig: %w", err)
	}
	return nil
}

// Stop ends the servers, the last one first, and removes their data. Stopping
// twice is harmless.
func (cp *ControlPlane) Stop() error {
	cp.stopOnce.Do(func() {
		for i := len(cp.processes) - 1; i >= 0; i-- {
			cp.processes[i].stop(0) // nothing of it is kept, so there is nothing to finish
		}
		if cp.lease != nil {
			cp.lease.release()
		}
		cp.stopErr = cp.session.remove()
	})
	return cp.stopErr
}

// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e_test

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"regexp"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cabildo-dev/cabildo/hack/devenv"
)

// inCluster is where the manager reaches the homeserver.
const inCluster = "http://dendrite." + beside + ".svc:8008"

// startHomeserver runs Dendrite in the cluster, and reaches it from here
// through the API server, as anybody can who may forward ports.
func startHomeserver(ctx context.Context) *devenv.Homeserver {
	GinkgoHelper()
	homeserver := devenv.NewDendrite(devenv.DefaultServerName)
	homeserver.URL = inCluster
	files, err := homeserver.DendriteFiles(nil)
	Expect(err).NotTo(HaveOccurred())
	manifests, err := os.ReadFile("test/e2e/homeserver.yaml")
	Expect(err).NotTo(HaveOccurred())
	does(kubectl(ctx, strings.ReplaceAll(string(manifests), "DENDRITE_IMAGE", images.dendrite), "apply", "-f", "-"))
	Expect(k8s.Create(ctx, &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: beside, Name: "dendrite"}, Data: files,
	})).To(Succeed())
	does(kubectl(ctx, "", "rollout", "status", "deployment/dendrite", "--namespace", beside, "--timeout", patience.String()))
	homeserver.URL = forward("service/dendrite")
	return homeserver
}

var forwarding = regexp.MustCompile(`^Forwarding from (127\.0\.0\.1:\d+)`)

// forward makes a Service's port one of this machine, until the suite ends.
func forward(service string) string {
	GinkgoHelper()
	binary, err := devenv.Binary("kubectl")
	Expect(err).NotTo(HaveOccurred())
	command := exec.Command(binary, "port-forward", "--namespace", beside, "--address", "127.0.0.1", service, ":http")
	command.Stderr = GinkgoWriter
	out, err := command.StdoutPipe()
	Expect(err).NotTo(HaveOccurred())
	Expect(command.Start()).To(Succeed())
	DeferCleanup(func() {
		_ = command.Process.Kill()
		_ = command.Wait() // it was killed
	})
	address := make(chan string, 1)
	go func() {
		defer close(address)
		for lines := bufio.NewScanner(out); lines.Scan(); { // to its end, so that it is never held up
			if match := forwarding.FindStringSubmatch(lines.Text()); match != nil {
				select {
				case address <- match[1]:
				default:
				}
			}
		}
	}()
	var local string
	Eventually(address).Should(Receive(&local), "kubectl says which port it took")
	Expect(local).NotTo(BeEmpty(), "kubectl ended without a port")
	return "http://" + local
}

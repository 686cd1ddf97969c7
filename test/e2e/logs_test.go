// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e_test

import (
	"bufio"
	"context"
	"strings"
	"sync"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// logs are the lines that every Pod of the release has logged, those that are
// gone by now as well.
type logs struct {
	mu     sync.Mutex
	lines  map[types.UID][]string
	former map[types.UID]bool // Pods that are of no interest any more
}

// followLogs listens to each Pod of the release from its start to its end.
func followLogs() *logs {
	l := &logs{lines: map[types.UID][]string{}, former: map[types.UID]bool{}}
	ctx, cancel := context.WithCancel(context.Background())
	var followers sync.WaitGroup
	followers.Go(func() {
		defer GinkgoRecover()
		for ctx.Err() == nil { // the API server ends a watch now and then
			pods, err := clientset.CoreV1().Pods(namespace).Watch(ctx, metav1.ListOptions{
				LabelSelector: "app.kubernetes.io/instance=" + release,
			})
			if ctx.Err() != nil {
				return
			}
			Expect(err).NotTo(HaveOccurred(), "watching the manager's Pods")
			for change := range pods.ResultChan() {
				pod, ok := change.Object.(*corev1.Pod)
				if !ok || len(pod.Status.ContainerStatuses) == 0 || pod.Status.ContainerStatuses[0].State.Running == nil || !l.begin(pod.UID) {
					continue
				}
				followers.Go(func() { l.follow(ctx, pod) })
			}
		}
	})
	DeferCleanup(func() {
		cancel()
		followers.Wait()
	})
	return l
}

// begin says whether nobody listens to a Pod yet.
func (l *logs) begin(pod types.UID) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, known := l.lines[pod]
	if !known {
		l.lines[pod] = nil
	}
	return !known
}

func (l *logs) follow(ctx context.Context, pod *corev1.Pod) {
	stream, err := clientset.CoreV1().Pods(namespace).GetLogs(pod.Name, &corev1.PodLogOptions{Follow: true}).Stream(ctx)
	if err != nil {
		return // a Pod without lines is noticed
	}
	defer func() { _ = stream.Close() }()
	lines := bufio.NewScanner(stream)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		l.mu.Lock()
		if !l.former[pod.UID] {
			l.lines[pod.UID] = append(l.lines[pod.UID], lines.Text())
		}
		l.mu.Unlock()
	}
}

// pods is how many Pods have logged something.
func (l *logs) pods() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := 0
	for _, lines := range l.lines {
		if len(lines) > 0 {
			n++
		}
	}
	return n
}

// forget leaves out the Pods that there were so far.
func (l *logs) forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for pod := range l.lines {
		l.lines[pod], l.former[pod] = nil, true
	}
}

// refusals are the lines of all Pods that say what the API server did not allow.
func (l *logs) refusals() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var found []string
	for _, lines := range l.lines {
		for _, line := range lines {
			// Events about resources that go with their namespace find no room in it.
			if strings.Contains(line, "forbidden") && !strings.Contains(line, "because it is being terminated") {
				found = append(found, line)
			}
		}
	}
	return found
}

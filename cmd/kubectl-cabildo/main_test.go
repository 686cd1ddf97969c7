// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
)

var example = filepath.Join("..", "..", "internal", "importer", "slackconfig", "testdata", "example", "in")

// TestMain keeps the tests from the clusters of whoever runs them.
func TestMain(m *testing.M) {
	if err := os.Setenv("KUBECONFIG", os.DevNull); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

func TestImportToStandardOutputHasManifestsAlone(t *testing.T) {
	out, errOut, err := run("import", "slack-config", example, "-n", "guild", "--community", "bread", "--platform", "town")
	if err != nil {
		t.Fatal(err)
	}
	if documents := strings.Count(out, "\nkind: "); documents != 6 {
		t.Errorf("%d documents", documents)
	}
	for _, want := range []string{"namespace: guild", "name: bread", "name: town"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	if strings.Contains(out, "Left out") || !strings.Contains(errOut, "Left out") {
		t.Errorf("the report is not on standard error:\n%s", errOut)
	}
}

func TestImportToAFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "manifests")
	report := filepath.Join(t.TempDir(), "report.json")
	out, errOut, err := run("import", "slack-config", example, "-o", dir, "--report", report)
	if err != nil {
		t.Fatal(err)
	}
	if out != "" || !strings.Contains(errOut, "kubectl apply --server-side -f "+dir) {
		t.Errorf("standard output %q, and no next step in\n%s", out, errOut)
	}
	for _, file := range []string{"community.yaml", "groups.yaml", "report.md"} {
		if _, err := os.Stat(filepath.Join(dir, file)); err != nil {
			t.Error(err)
		}
	}
	content, err := os.ReadFile(report)
	if err != nil {
		t.Fatal(err)
	}
	var parsed struct{ Findings []map[string]any }
	if err := json.Unmarshal(content, &parsed); err != nil || len(parsed.Findings) == 0 {
		t.Errorf("report: %v, %d findings", err, len(parsed.Findings))
	}

	if _, _, err := run("import", "slack-config", example, "-o", dir, "--community", "other"); err == nil || !strings.Contains(err.Error(), "--overwrite") {
		t.Errorf("other content was written over what was there: %v", err)
	}
	if _, _, err := run("import", "slack-config", example, "-o", dir, "--community", "other", "--overwrite"); err != nil {
		t.Error(err)
	}
}

func TestEveryImporterWritesManifestsThatNameItsSource(t *testing.T) {
	testdata := func(format string) string {
		return filepath.Join("..", "..", "internal", "importer", format, "testdata", "example", "in")
	}
	for name, tc := range map[string]struct {
		args      []string
		documents int
		wants     []string
		report    string
	}{
		"sigs-yaml": {
			args:      []string{"import", "sigs-yaml", filepath.Join(testdata("sigsyaml"), "sigs.yaml"), "-n", "guild", "--platform", "town"},
			documents: 4,
			wants:     []string{"namespace: guild", "name: kubernetes-community", "name: town", "displayName: SIG Ovens", "role: Manager"},
			report:    "sigs-yaml: read 3 SIGs",
		},
		"one organisation of several": {
			args:      []string{"import", "peribolos", testdata("peribolos"), "--org", "guild", "-n", "town"},
			documents: 5,
			wants:     []string{"namespace: town", "name: guild", "name: chat", "displayName: The Guild", "visibility: Private"},
			report:    "peribolos: read 2 admins",
		},
		"one organisation": {
			args:      []string{"import", "peribolos", filepath.Join(testdata("peribolos"), "guild"), "--community", "bread"},
			documents: 5,
			wants:     []string{"name: bread"},
			report:    "peribolos: read 2 admins",
		},
	} {
		t.Run(name, func(t *testing.T) {
			out, errOut, err := run(tc.args...)
			if err != nil {
				t.Fatal(err)
			}
			if documents := strings.Count(out, "\nkind: "); documents != tc.documents {
				t.Errorf("%d documents", documents)
			}
			for _, want := range tc.wants {
				if !strings.Contains(out, want) {
					t.Errorf("no %q in\n%s", want, out)
				}
			}
			if !strings.HasPrefix(errOut, tc.report) || !strings.Contains(errOut, "Left out") {
				t.Errorf("standard error:\n%s", errOut)
			}
		})
	}
}

func TestErrorsOfImportSayWhatToDo(t *testing.T) {
	broken := t.TempDir()
	if err := os.WriteFile(filepath.Join(broken, "channels.yaml"), []byte("channels:\n- nam: go\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		args []string
		want string
	}{
		"no folder":              {args: []string{"import", "slack-config"}, want: "name one folder"},
		"a file that is broken":  {args: []string{"import", "slack-config", broken}, want: `channels.yaml:2: unknown key "nam" in a channel`},
		"a report of no kind":    {args: []string{"import", "slack-config", example, "--report", "report.txt"}, want: ".md or .json"},
		"an unknown flag":        {args: []string{"import", "slack-config", example, "--colour"}, want: "See 'kubectl cabildo import slack-config --help'"},
		"no file":                {args: []string{"import", "sigs-yaml"}, want: "name one file"},
		"a file of another tool": {args: []string{"import", "sigs-yaml", filepath.Join(broken, "channels.yaml")}, want: `channels.yaml:1: unknown key "channels" in the file`},
		"no organisation":        {args: []string{"import", "peribolos", broken}, want: "no org.yaml in the folder"},
		"several organisations":  {args: []string{"import", "peribolos", filepath.Join("..", "..", "internal", "importer", "peribolos", "testdata", "example", "in")}, want: "say --org with one of guild, guild-attic"},
		"a bad name":             {args: []string{"import", "slack-config", example, "--community", "Bread"}, want: "lower-case letters"},
	} {
		t.Run(name, func(t *testing.T) {
			out, _, err := run(tc.args...)
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %v does not say %q", err, tc.want)
			}
			if out != "" {
				t.Errorf("output all the same:\n%s", out)
			}
		})
	}
}

func TestTreeShowsWhatTheClusterHas(t *testing.T) {
	community := v1alpha1.Community{ObjectMeta: metav1.ObjectMeta{Name: "bread", Namespace: "guild"}, Spec: v1alpha1.CommunitySpec{DisplayName: "Bread"}}
	group := v1alpha1.Group{ObjectMeta: metav1.ObjectMeta{Name: "ovens", Namespace: "guild"}, Spec: v1alpha1.GroupSpec{
		DisplayName: "Ovens", CommunityRef: v1alpha1.LocalReference{Name: "bread"},
	}}
	type list struct {
		metav1.TypeMeta `json:",inline"`
		Items           any `json:"items"`
	}
	kind := func(k string) metav1.TypeMeta {
		return metav1.TypeMeta{APIVersion: v1alpha1.GroupVersion.String(), Kind: k}
	}
	server := serve(t, map[string]any{
		"/apis/community.cabildo.dev/v1alpha1/namespaces/guild/communities": list{kind("CommunityList"), []v1alpha1.Community{community}},
		"/apis/community.cabildo.dev/v1alpha1/namespaces/guild/groups":      list{kind("GroupList"), []v1alpha1.Group{group}},
		"/apis/community.cabildo.dev/v1alpha1/communities":                  list{kind("CommunityList"), []v1alpha1.Community{community}},
		"/apis/community.cabildo.dev/v1alpha1/groups":                       list{kind("GroupList"), []v1alpha1.Group{group}},
		"/apis/community.cabildo.dev/v1alpha1/namespaces/empty/communities": list{kind("CommunityList"), []v1alpha1.Community{}},
		"/apis/community.cabildo.dev/v1alpha1/namespaces/empty/groups":      list{kind("GroupList"), []v1alpha1.Group{}},
	})

	for name, tc := range map[string]struct {
		args       []string
		out, error string
	}{
		"one namespace":  {args: []string{"-n", "guild"}, out: "bread     Bread"},
		"all namespaces": {args: []string{"-A"}, out: "guild/bread  Bread"},
		"nothing there":  {args: []string{"-n", "empty"}, error: "No communities found in namespace empty."},
	} {
		t.Run(name, func(t *testing.T) {
			out, errOut, err := run(append([]string{"tree", "--server", server}, tc.args...)...)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasPrefix(out, tc.out) || !strings.Contains(errOut, tc.error) {
				t.Errorf("output:\n%s\nerrors:\n%s", out, errOut)
			}
		})
	}
}

func TestErrorsOfTreeSayWhatToDo(t *testing.T) {
	down := httptest.NewServer(http.NotFoundHandler())
	down.Close()
	for name, tc := range map[string]struct {
		server string
		args   []string
		want   string
	}{
		"Cabildo is not installed": {server: serve(t, nil), want: "install Cabildo's chart"},
		"no right to list":         {server: refuse(t, http.StatusForbidden, metav1.StatusReasonForbidden), want: "name a namespace of yours with -n"},
		"nobody we know":           {server: refuse(t, http.StatusUnauthorized, metav1.StatusReasonUnauthorized), want: "log in again"},
		"the cluster is down":      {server: down.URL, want: "can't be reached"},
		"an unknown output":        {server: down.URL, args: []string{"-o", "yaml"}, want: "kubectl get communities,groups"},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := run(append([]string{"tree", "-n", "guild", "--server", tc.server}, tc.args...)...)
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %v does not say %q", err, tc.want)
			}
		})
	}
}

func TestVersion(t *testing.T) {
	out, _, err := run("version")
	if err != nil || !strings.HasPrefix(out, "kubectl-cabildo ") {
		t.Errorf("%q, %v", out, err)
	}
}

func run(args ...string) (out, errOut string, err error) {
	streams, _, stdout, stderr := genericiooptions.NewTestIOStreams()
	command := newRootCommand(streams)
	command.SetArgs(args)
	err = command.Execute()
	return stdout.String(), stderr.String(), err
}

// serve answers like an API server that has these lists.
func serve(t *testing.T, lists map[string]any) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		list, ok := lists[r.URL.Path]
		if !ok {
			answer(w, http.StatusNotFound, metav1.StatusReasonNotFound)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(list)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func refuse(t *testing.T, code int, reason metav1.StatusReason) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { answer(w, code, reason) }))
	t.Cleanup(server.Close)
	return server.URL
}

func answer(w http.ResponseWriter, code int, reason metav1.StatusReason) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(metav1.Status{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Status"},
		Status:   metav1.StatusFailure, Code: int32(code), Reason: reason, Message: string(reason),
	})
}

# The commands of this project. `make help` lists them; CONTRIBUTING.md tells
# when to use which. What they need beyond Go, git and a C compiler is built
# into bin/ when it is first needed.

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

BIN := $(CURDIR)/bin
export CABILDO_BIN := $(BIN)
export KUBEBUILDER_ASSETS := $(BIN)
# A busy machine takes longer than the default of 20 seconds.
export KUBEBUILDER_CONTROLPLANE_START_TIMEOUT ?= 2m

# goolm is the pure Go implementation of the Matrix client's cryptography.
TAGS := goolm
# One set of flags for everything of ours, so that every package is compiled once.
GO := CGO_ENABLED=0 go
GO_BUILD := $(GO) build -tags $(TAGS)
# Where there is a release, its version; otherwise the commit.
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)

# MATTERMOST=9.9 has the oldest supported version built and run instead of the
# newest. hack/devenv reads it as CABILDO_MATTERMOST. Without a licence 11.1 takes
# 250 accounts; what makes more runs on 9.9, which takes 11,000.
MATTERMOST ?= $(if $(filter acceptance benchmark,$(MAKECMDGOALS)),9.9,11.1)
export CABILDO_MATTERMOST := $(MATTERMOST)
mattermost = bin/mattermost$(patsubst %,-%,$(filter-out 11.1,$(1)))
MATTERMOST_SERVER := $(call mattermost,$(MATTERMOST))

MATRIX_SERVERS := bin/etcd bin/kube-apiserver bin/kube-controller-manager bin/kubectl bin/dendrite

##@ Use it

# Mattermost and Synapse are built for those who ask for them.
ASKED_FOR = $(if $(findstring synapse,$(ARGS)),$(if $(CABILDO_SYNAPSE),,bin/synapse/VERSION))

.PHONY: demo
demo: $(MATRIX_SERVERS) $(ASKED_FOR) $(if $(findstring mattermost,$(ARGS)),$(MATTERMOST_SERVER)) bin/helm bin/manager bin/kubectl-cabildo ## Start a control plane and a homeserver, install Cabildo, show it work. ARGS='--platforms matrix,mattermost': on both; --homeserver synapse: on Synapse; --once: check and exit
	@$(call need,hack/demo)
	@$(GO_BUILD) -o bin/demo ./hack/demo
	@exec bin/demo $(ARGS)

.PHONY: story
story: $(MATRIX_SERVERS) $(ASKED_FOR) $(if $(findstring real,$(ARGS)),$(MATTERMOST_SERVER)) bin/helm ## Tell a year of a community that grows from tier to tier, checked step by step. ARGS=--real: on a real Matrix and a real Mattermost server
	@$(call need,hack/story)
	@$(GO_BUILD) -o bin/story ./hack/story
	@exec bin/story $(ARGS)

.PHONY: acceptance
acceptance: servers bin/helm bin/manager bin/kubectl-cabildo ## Import a real Slack configuration and see every room become Ready. DATA=folder; SIGS=file, ORG=folder: the leads of a sigs.yaml, or an organisation's teams, on both platforms instead
	@$(call need,hack/acceptance)
	@$(GO_BUILD) -o bin/acceptance ./hack/acceptance
	@exec bin/acceptance $(if $(SIGS),-sigs "$(SIGS)",$(if $(ORG),-org "$(ORG)",-data "$(DATA)")) $(ARGS)

.PHONY: benchmark
benchmark: servers bin/helm bin/manager bin/kubectl-cabildo ## Measure on Matrix, on Mattermost, size, and LDAP. DATA=folder, ARGS='-platform mattermost -groups 40': a quick look
	@$(call need,hack/benchmark)
	@$(GO_BUILD) -o bin/benchmark ./hack/benchmark
	@$(GO_BUILD) -o bin/benchmark-manager ./hack/benchmark/manager
	@exec bin/benchmark -data "$(DATA)" $(ARGS)

# The files of the Kubernetes project that the acceptance run and the benchmark import.
DATA ?= ../shared/data/kubernetes/slack-config

##@ Change it

.PHONY: test
test: servers bin/helm bin/manager ## Run all tests. ARGS are passed to go test, PACKAGES says which; MATTERMOST=9.9: on the oldest supported one
	@$(GO) test -tags $(TAGS) -timeout 25m $(ARGS) $(PACKAGES)

PACKAGES ?= ./...

# One suite for every adapter. Without a URL it starts servers of its own.
CONFORMANCE := $(GO) test -tags $(TAGS) -count 1 -timeout 25m -v ./test/conformance
.PHONY: conformance
conformance: $(if $(URL),,bin/dendrite $(MATTERMOST_SERVER)) ## Hold the adapters to their contract, on real servers. PLATFORM=matrix URL=… TOKEN=…: on one of yours
	@CONFORMANCE_PLATFORM='$(PLATFORM)' CONFORMANCE_URL='$(URL)' CONFORMANCE_TOKEN='$(TOKEN)' \
	  CONFORMANCE_SERVER_NAME='$(SERVER_NAME)' CONFORMANCE_PEOPLE='$(PEOPLE)' $(CONFORMANCE) $(ARGS)

.PHONY: conformance-report
conformance-report: bin/dendrite $(call mattermost,11.1) $(call mattermost,9.9) ## The same on servers of its own, every version, and write docs/conformance.md
	@$(CONFORMANCE) $(ARGS) -args -all -write

# In the package's folder, go test shows the table while it grows.
.PHONY: crash
crash: servers bin/helm bin/manager ## Kill the manager at every write of a scenario, and compare what is left. ALL=1: at reads too
	@cd test/crash && $(GO) test -tags $(TAGS) -count=1 -timeout 6h -args -every $(if $(ALL),-reads) $(ARGS)

# In the package's folder, as above.
.PHONY: chaos
chaos: servers bin/helm bin/manager ## Meet every fault between the manager and each platform, and compare what is left. ARGS="-only 'Matrix lost'"
	@cd test/chaos && $(GO) test -tags $(TAGS) -count=1 -timeout 2h -args -every $(ARGS)

.PHONY: e2e
e2e: e2e-cluster bin/images/cabildo.tar bin/images/dendrite.tar bin/helm bin/kubectl ## Install on the cluster of KUBECONFIG, and see all of it work there. LOAD='kind load image-archive'
	@echo 'Loading the images' && $(LOAD) bin/images/cabildo.tar && $(LOAD) bin/images/dendrite.tar
	@CABILDO_IMAGE=$(IMAGE) DENDRITE_IMAGE=$(DENDRITE_IMAGE) \
	  $(GO) test -tags $(TAGS) -count 1 -timeout 40m -v ./test/e2e -ginkgo.v -ginkgo.no-color $(ARGS)

# Any cluster will do, but none by accident.
.PHONY: e2e-cluster
e2e-cluster:
	@test -n "$${KUBECONFIG-}" || { echo "make e2e: KUBECONFIG must name a cluster to install on and to clear up afterwards"; exit 1; }
	@test -n '$(LOAD)' || { echo "make e2e: LOAD must be a command that takes an archive of images to the cluster's nodes, such as LOAD='kind load image-archive'; LOAD=true where they have the images"; exit 1; }

LOAD ?=
DENDRITE_IMAGE ?= ghcr.io/cabildo-dev/dendrite:$(VERSION)

.PHONY: generate
generate: bin/controller-gen bin/crd-ref-docs ## Generate deep copies, CRDs, the RBAC role, the chart's copies and the API reference
	@bin/controller-gen object:headerFile=hack/boilerplate.go.txt paths=./api/...
	@bin/controller-gen crd paths=./api/... output:crd:dir=config/crd/bases
	@if [ -d controllers ]; then bin/controller-gen rbac:roleName=cabildo-manager paths=./controllers/... output:rbac:dir=config/rbac; fi
	@if [ -x hack/sync-chart.sh ]; then hack/sync-chart.sh; fi
	@mkdir -p docs
	@bin/crd-ref-docs --log-level=ERROR --renderer=markdown --source-path=api --config=hack/crd-ref-docs.yaml --output-path=docs/api-reference.md

.PHONY: lint
lint: bin/golangci-lint ## Lint, with the import rules of the design
	@CGO_ENABLED=0 bin/golangci-lint run --allow-serial-runners

.PHONY: check
check: check-format check-generated vet lint ## Check formatting, generated files, vet and lint, as CI does

.PHONY: check-format
check-format:
	@unformatted=$$(git ls-files -co --exclude-standard '*.go' | xargs gofmt -l); \
	if [ -n "$$unformatted" ]; then echo "Not formatted; run gofmt -w on:"; echo "$$unformatted"; exit 1; fi

# Compared with what was there before, so that it works on a tree with changes.
GENERATED := api config docs/api-reference.md charts
.PHONY: check-generated
check-generated: bin/controller-gen bin/crd-ref-docs
	@hack/check-generated.sh $(GENERATED)

.PHONY: vet
vet:
	@$(GO) vet -tags $(TAGS) ./...

.PHONY: vulncheck
vulncheck: bin/govulncheck ## Look for known vulnerabilities; needs the network for its database
	@bin/govulncheck -tags $(TAGS) ./...

##@ Build it

.PHONY: build
build: bin/manager bin/kubectl-cabildo ## Build the manager and the kubectl plugin

# go knows what changed, so these two are asked for every time.
.PHONY: bin/manager
bin/manager:
	@$(call need,cmd/main.go)
	@$(GO_BUILD) -ldflags "-X main.version=$(VERSION)" -o $@ ./cmd

.PHONY: bin/kubectl-cabildo
bin/kubectl-cabildo:
	@$(call need,cmd/kubectl-cabildo)
	@$(GO_BUILD) -ldflags "-X main.version=$(VERSION)" -o $@ ./cmd/kubectl-cabildo

# Where the nodes of the cluster are of another architecture: ARCH=arm64.
ARCH ?= $(shell go env GOARCH)
IMAGE ?= ghcr.io/cabildo-dev/cabildo:$(VERSION)
LINUX := bin/linux-$(ARCH)

.PHONY: image
image: bin/images/cabildo.tar ## Build the manager's image without Docker, as bin/images/cabildo.tar. IMAGE=name:tag ARCH=arm64
	@echo "bin/images/cabildo.tar holds $(IMAGE)"

# pack: Dockerfile, its context, name and tag, a binary of its first stage.
pack = mkdir -p $(@D) && bin/pack-image -file $(1) -context $(2) -name $(3) -arch $(ARCH) -built /$(notdir $(4))=$(4) -output $@

.PHONY: bin/images/cabildo.tar
bin/images/cabildo.tar: bin/pack-image $(LINUX)/manager
	@$(call pack,Dockerfile,.,$(IMAGE),$(LINUX)/manager)

.PHONY: bin/images/dendrite.tar
bin/images/dendrite.tar: bin/pack-image $(LINUX)/dendrite
	@$(call pack,hack/servers/dendrite/Dockerfile,.,$(DENDRITE_IMAGE),$(LINUX)/dendrite)

# The manager is built by the command in the Dockerfile, with its flags.
.PHONY: $(LINUX)/manager
$(LINUX)/manager:
	@build=$$(sed -n 's|^ *\(go build .*\) -o /manager |\1 -o $@ |p' Dockerfile); \
	VERSION="$(VERSION)" CGO_ENABLED=0 GOOS=linux GOARCH=$(ARCH) sh -c "$${build:?is not where it was in the Dockerfile}"

.PHONY: servers
servers: synapse $(MATRIX_SERVERS) $(MATTERMOST_SERVER) ## Build the real servers for development and tests
	@:

.PHONY: clean
clean: ## Remove everything that was built
	@rm -rf bin

##@ Help

.PHONY: help
help: ## Show this list
	@awk 'BEGIN { FS = ":.*## " } \
	  /^##@ / { printf "\n%s\n", substr($$0, 5) } \
	  /^[a-z0-9-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' Makefile

# need stops with one line when a part of the source tree is missing.
need = test -e $(1) || { echo "make $@: there is no $(1) in this tree"; exit 1; }

# Servers and tools, each from a module of its own under hack/, rebuilt when
# that module changes. Times are those of two cores with nothing cached.
# from: module folder, package, time, flags of go build.
from = hack/build-binary.sh $@ $(1) $(2) $(3) $(4)

# As a release would be stamped, so that clients see the version.
KUBERNETES := hack/servers/kubernetes
KUBERNETES_VERSION = $(shell sed -n 's|^require k8s.io/kubernetes \(v[^ ]*\).*|\1|p' $(KUBERNETES)/go.mod)
KUBERNETES_FLAGS = -ldflags "-s -w \
	-X k8s.io/component-base/version.gitVersion=$(KUBERNETES_VERSION) \
	-X k8s.io/component-base/version.gitMajor=$(word 1,$(subst ., ,$(KUBERNETES_VERSION:v%=%))) \
	-X k8s.io/component-base/version.gitMinor=$(word 2,$(subst ., ,$(KUBERNETES_VERSION:v%=%)))"

bin/etcd: $(KUBERNETES)/go.mod $(KUBERNETES)/go.sum
	@CGO_ENABLED=0 $(call from,$(KUBERNETES),go.etcd.io/etcd/server/v3,"a minute",-ldflags "-s -w")

bin/kube-apiserver bin/kube-controller-manager bin/kubectl: $(KUBERNETES)/go.mod $(KUBERNETES)/go.sum
	@CGO_ENABLED=0 $(call from,$(KUBERNETES),k8s.io/kubernetes/cmd/$(@F),$(TIME),$(KUBERNETES_FLAGS))

bin/kube-apiserver: TIME = "5 minutes"
bin/kube-controller-manager: TIME = "2 minutes"
bin/kubectl: TIME = "half a minute"

# SQLite is C; without a compiler, or with CGO_ENABLED=0, Dendrite takes a translation of it into Go, of which a
# request that ends early may leave a connection in the middle of a transaction.
bin/dendrite: hack/servers/dendrite/go.mod hack/servers/dendrite/go.sum
	@$(call from,hack/servers/dendrite,github.com/matrix-org/dendrite/cmd/dendrite,"2 minutes",-ldflags "-s -w")

# Its texts, templates and fonts lie beside it. An older version is the same main
# with another module file.
MM := hack/servers/mattermost
bin/mattermost: $(MM)/go.mod $(MM)/go.sum $(MM)/main.go | bin/mattermost-files
	@CGO_ENABLED=0 $(call from,$(MM),.,"4 minutes",-ldflags "-s -w")

bin/mattermost-files: $(MM)/go.mod $(MM)/copy-files.sh
	@$(MM)/copy-files.sh $@ go.mod

bin/mattermost-%: $(MM)/%.mod $(MM)/%.sum $(MM)/main.go | bin/mattermost-%-files
	@CGO_ENABLED=0 $(call from,$(MM),.,"4 minutes",-modfile=$*.mod -ldflags "-s -w")

bin/mattermost-%-files: $(MM)/%.mod $(MM)/copy-files.sh
	@$(MM)/copy-files.sh $@ $*.mod
.PRECIOUS: bin/mattermost-%-files

# Synapse is a package of Debian's, unpacked into a folder. Where that can't be, its tests are left out, by name, and in
# CI they fail. CABILDO_SYNAPSE is a Python that has Synapse, or none to leave it out.
bin/synapse/VERSION: hack/servers/synapse/unpack.sh
	@hack/servers/synapse/unpack.sh bin/synapse

.PHONY: synapse
synapse: ## Unpack Synapse for development and tests, if this machine can
	@if [ -n "$${CABILDO_SYNAPSE-}" ]; then exit 0; fi; \
	$(MAKE) --no-print-directory bin/synapse/VERSION || { \
	  if [ "$${CI-}" = true ]; then exit 1; fi; echo 'synapse: what needs it is left out'; }

bin/pack-image: hack/pack-image/go.mod hack/pack-image/go.sum $(wildcard hack/pack-image/*.go)
	@CGO_ENABLED=0 $(call from,hack/pack-image,.,"half a minute",-ldflags "-s -w")

# As its Dockerfile builds it: static, with SQLite in C where there is a compiler for its machine.
STATIC := -tags netgo,osusergo,sqlite_omit_load_extension -ldflags "-s -w -extldflags -static"
$(LINUX)/dendrite: hack/servers/dendrite/go.mod hack/servers/dendrite/go.sum hack/servers/dendrite/Dockerfile
	@TARGETOS=linux TARGETARCH=$(ARCH) $(call from,hack/servers/dendrite,github.com/matrix-org/dendrite/cmd/dendrite,"2 minutes",$(STATIC))

tool = CGO_ENABLED=0 $(call from,hack/tools/$(@F),$(1),$(2),-ldflags "-s -w")

bin/controller-gen: hack/tools/controller-gen/go.mod hack/tools/controller-gen/go.sum
	@$(call tool,sigs.k8s.io/controller-tools/cmd/controller-gen,"half a minute")

bin/crd-ref-docs: hack/tools/crd-ref-docs/go.mod hack/tools/crd-ref-docs/go.sum
	@$(call tool,github.com/elastic/crd-ref-docs,"half a minute")

bin/golangci-lint: hack/tools/golangci-lint/go.mod hack/tools/golangci-lint/go.sum
	@$(call tool,github.com/golangci/golangci-lint/v2/cmd/golangci-lint,"3 minutes")

bin/govulncheck: hack/tools/govulncheck/go.mod hack/tools/govulncheck/go.sum
	@$(call tool,golang.org/x/vuln/cmd/govulncheck,"half a minute")

bin/helm: hack/tools/helm/go.mod hack/tools/helm/go.sum
	@$(call tool,helm.sh/helm/v3/cmd/helm,"2 minutes")

# Adds a kind to PROJECT; see CONTRIBUTING.md.
bin/kubebuilder: hack/tools/kubebuilder/go.mod hack/tools/kubebuilder/go.sum
	@$(call tool,sigs.k8s.io/kubebuilder/v4,"half a minute")

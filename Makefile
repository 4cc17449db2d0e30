# Angler's two commands are `make demo` and `make test`. They need Go and make,
# nothing else: what they use beside the Go standard library comes as modules.

GO        ?= go
BIN       := $(CURDIR)/bin
VERSION   ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
IMAGE     ?= ghcr.io/angler-dex/angler:$(VERSION)
ARCH      ?= $(shell $(GO) env GOARCH)
CONTAINER ?= docker
LDFLAGS   := -s -w -X github.com/angler-dex/angler/internal/cli.version=$(VERSION)

.PHONY: all counts build kubelab demo test unit race bench lint vulncheck fmt man image packages clean

all: build

build: ## the angler binary
	$(GO) build -ldflags '$(LDFLAGS)' -o $(BIN)/angler ./cmd/angler

kubelab: ## a Kubernetes control plane in one binary, for demo and tests (the first build takes minutes)
	@test -x $(BIN)/kubelab || echo "building kubelab: etcd, kube-apiserver and controllers from their modules; the first time takes 5 to 10 minutes"
	./testdata/kubelab/build.sh $(BIN)/kubelab

demo: build kubelab ## a pool of five providers, one private match, one namespace (KEEP=1 leaves it running; OPERATOR=1: contributed with kubectl)
	KEEP=$(KEEP) ./testdata/demo/$(if $(OPERATOR),operator,run).sh $(BIN)

test: build kubelab ## everything
	@unformatted=$$(gofmt -l cmd deploy internal testdata); test -z "$$unformatted" || { echo "gofmt would change: $$unformatted"; exit 1; }
	$(GO) vet ./...
	cd testdata/kubelab && $(GO) vet ./...
	cd testdata/helm && $(GO) vet ./...
	ANGLER_KUBELAB=$(BIN)/kubelab $(GO) test -timeout 20m ./...
	$(MAKE) race

# The race detector needs a C compiler, and makes cryptography ten times slower:
# with -short the long runs of the protocol are shorter.
race:
	@if command -v "$$($(GO) env CC)" >/dev/null; then \
		echo "$(GO) test -race -short ./..."; ANGLER_KUBELAB=$(BIN)/kubelab $(GO) test -race -short -timeout 20m ./...; \
	else \
		echo "no C compiler here: NOT run under the race detector"; \
	fi

bench: ## the figures of docs/performance.md, as its tables: minutes, on a machine that does nothing else
	$(GO) run ./testdata/bench

lint: ## what the linters say
	$(GO) run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0 run ./...

vulncheck: ## known vulnerabilities in what we depend on
	$(GO) run golang.org/x/vuln/cmd/govulncheck@v1.9.0 ./...

counts: ## what the placement functions cost: AND gates and depth among 8, 16 and 32 providers
	@$(GO) run ./internal/placement/counts

fmt:
	gofmt -w cmd deploy internal testdata

image: ## the image; CONTAINER=podman or buildah builds it as well
	mkdir -p $(BIN)/image/linux/$(ARCH)
	cp LICENSE $(BIN)/image
	CGO_ENABLED=0 GOOS=linux GOARCH=$(ARCH) $(GO) build -ldflags '$(LDFLAGS)' -o $(BIN)/image/linux/$(ARCH)/angler ./cmd/angler
	$(CONTAINER) build --platform linux/$(ARCH) --build-arg TARGETPLATFORM=linux/$(ARCH) -f deploy/image/Dockerfile -t $(IMAGE) $(BIN)/image

packages: ## what a release has, below dist, but the images and signatures; the tools that it needs take minutes to build
	GOBIN=$(BIN)/tools $(GO) install github.com/goreleaser/goreleaser/v2@v2.16.0
	GOBIN=$(BIN)/tools $(GO) install github.com/anchore/syft/cmd/syft@v1.52.0
	PATH="$(BIN)/tools:$$PATH" goreleaser release --snapshot --clean --skip=docker,sign

man: build ## manual pages, below bin/man
	$(BIN)/angler docs man --dir $(BIN)/man

clean:
	rm -rf $(BIN)

# Everything a developer or CI runs. CI calls nothing else.

GO ?= go
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
FUZZTIME ?= 10s
TEST_TIMEOUT ?= 30m
PLATFORMS := linux/arm64 darwin/arm64 windows/amd64 freebsd/amd64

# Every product file has to build without cgo; only the race detector needs it.
export CGO_ENABLED := 0

SILICON_FOR ?= 60m
SILICON_SEED ?= $(shell date +%s)

.PHONY: help build run test check fmt-check vet staticcheck generate-check cross race fuzz silicon silicon-record boot bench bench-fs \
	opinions guest golden fmt systems

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## build bin/gov86, one static file; with a window where pkg-config finds sdl2
	@if pkg-config --exists sdl2 2>/dev/null; then \
		CGO_ENABLED=1 $(GO) build -trimpath -tags sdl -o bin/gov86 ./cmd/gov86; \
	else \
		$(GO) build -trimpath -o bin/gov86 ./cmd/gov86; \
	fi

run: build ## boot the embedded guest; ARGS='--fs dir' adds flags
	@./bin/gov86 run $(ARGS)

test: ## run every test, and say which were skipped and why; boots real guests
	$(GO) run ./internal/gotest -timeout $(TEST_TIMEOUT) ./...

check: fmt-check vet staticcheck generate-check cross ## what review runs: format, vet, house rules, cross-builds
	$(GO) test ./internal/house

fmt-check:
	@files=$$(gofmt -l .); test -z "$$files" || { echo "not gofmt'ed; run make fmt:"; echo "$$files"; exit 1; }

vet:
	$(GO) vet ./...

staticcheck:
	$(GO) run $(STATICCHECK) ./...

generate-check:
	$(GO) generate ./...
	@git diff --exit-code --stat -- '*.go' || { echo "go generate changed the files above"; exit 1; }

cross:
	@for p in $(PLATFORMS); do \
		echo "build $$p"; GOOS=$${p%/*} GOARCH=$${p#*/} $(GO) build -o /dev/null ./cmd/gov86 || exit 1; \
		GOOS=$${p%/*} GOARCH=$${p#*/} $(GO) vet ./... || exit 1; \
	done

race: ## run the tests under the race detector; needs gcc
	CGO_ENABLED=1 $(GO) test -race -timeout 90m ./...

fuzz: ## fuzz every fuzz test for FUZZTIME each
	@$(GO) list ./... | while read -r pkg; do \
		$(GO) test -list '^Fuzz' $$pkg | grep '^Fuzz' | while read -r f; do \
			echo "$$pkg $$f"; $(GO) test -run '^$$' -fuzz "^$$f\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 10x $$pkg || exit 1; \
		done || exit 1; \
	done

silicon: ## hold the interpreter against this machine's processor for SILICON_FOR, from SILICON_SEED
	$(GO) test -count=1 -v -timeout 24h -run '^TestTheInterpreterEndsEveryCaseAsTheProcessorDoes$$' ./internal/silicon \
		-silicon.for=$(SILICON_FOR) -silicon.seed=$(SILICON_SEED)

silicon-record: ## record anew what this machine's processor answers
	$(GO) test -count=1 -v -run '^TestRecord$$' ./internal/silicon -silicon.record

boot: ## boot the embedded guest in every way the tests know, verbosely
	$(GO) test -count=1 -v -timeout $(TEST_TIMEOUT) -run '^TestBoot' ./cmd/gov86

systems: ## install Debian on a disk and boot it, and its installer; for minutes, as the superuser
	$(GO) test -count=1 -v -timeout 60m -run '^TestDebian' ./cmd/gov86 -systems

bench: build ## measure against native and QEMU in one run; needs what bench/ says
	$(GO) test -run '^$$' -bench . -benchmem ./...
	$(GO) run ./bench $(ARGS)

bench-fs: build ## measure shared directories against QEMU's virtio-9p; needs what bench/ says
	$(GO) run ./bench -fs $(ARGS)

opinions: ## run the guests of internal/silicon under QEMU and Bochs, where they are installed, against their table
	$(GO) test -count=1 -v -run '^TestOpinions$$' ./internal/silicon/guests

guest: ## rebuild the embedded kernel and initramfs from Debian's sources
	guest/build.sh

golden: ## rewrite the golden files
	@grep -rl --include='*_test.go' 'flag.Bool("update"' . | xargs -r -n 1 dirname | sort -u | \
		xargs -r -n 1 sh -c '$(GO) test "$$0" -update'

fmt: ## format every Go file
	gofmt -w .

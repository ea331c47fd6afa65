# Cordboard. `make help` lists what there is.
SHELL := /bin/bash
.DELETE_ON_ERROR:
GO ?= go
NPM ?= npm
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS := -s -w -X main.version=$(VERSION)
# Real peers of the tests, from Debian.
TEST_PEERS := sip-tester:sipp baresip:baresip linphone-cli:linphone-daemon kamailio:kamailio chromium:chromium python3:python3 python3-aiosmtpd:aiosmtpd iproute2:ip postgresql:postgres
UI_SOURCES := $(shell find web/ui -path web/ui/node_modules -prune -o -path web/ui/dist -prune -o -type f -print 2>/dev/null)
GOTEST := $(GO) test -pgo=off -count=1 -timeout 15m # the profile is for the one binary, not for each test of it

.PHONY: help demo build ui test test-go test-ui test-e2e peers lint fmt interop soak bench bench-call bench-engine bench-record profile fuzz soak-engine mutants schema prompts clean
.DEFAULT_GOAL := help

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

demo: build ## build everything and run the server with sample customers, agents and live calls
	@bin/cordboard demo

build: bin/cordboard ## build bin/cordboard, the one binary

bin/cordboard: web/ui/dist/index.html FORCE
	@mkdir -p bin
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o $@ ./cmd/cordboard

FORCE:

ui: web/ui/dist/index.html ## build the desktop into web/ui/dist

web/ui/node_modules/.installed: web/ui/package-lock.json
	cd web/ui && $(NPM) ci --no-audit --no-fund --loglevel=error
	@touch $@

web/ui/dist/index.html: web/ui/node_modules/.installed $(UI_SOURCES)
	cd web/ui && $(NPM) run --silent build

test: peers test-ui test-go test-e2e ## everything: desktop, Go with the race detector, end to end with real peers

test-ui: web/ui/dist/index.html ## the desktop's own tests, in jsdom and in headless Chromium
	cd web/ui && $(NPM) test --silent && $(NPM) run --silent test:browser

# SQLite is C made Go, with its own memory and locks: the race detector finds nothing in it and makes it 26 times slower.
RACE := -race -gcflags=modernc.org/...=-race=false

test-go: web/ui/dist/index.html ## go vet and go test -race
	$(GO) vet -pgo=off ./...
	$(GOTEST) $(RACE) $$($(GO) list ./... | grep -v /internal/e2e)

test-e2e: build peers ## the built binary against SIPp, baresip and Chromium
	$(GOTEST) ./cmd/cordboard/internal/e2e

SOAK_MINUTES ?= 60
SOAK_FLAGS ?=

soak: build ## half the rated load and a fault every 20 s, for SOAK_MINUTES; SOAK_FLAGS=-postgres for the other store, '-reloads 1000 -cps 50 -agents 130' for reloads, -overload for three times the rated load
	$(GO) build -trimpath -o bin/soak ./cmd/cordboard/internal/soak
	@bin/soak -cordboard bin/cordboard -minutes $(SOAK_MINUTES) $(SOAK_FLAGS)

# A Debian 11 with Asterisk 16, for interop: a folder of 400 MB, made once, entered with chroot.
ASTERISK ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/cordboard/asterisk-bullseye

interop: build peers $(ASTERISK)/usr/sbin/asterisk ## calls through Asterisk 16, in front and as the phones' registrar (as root)
	CORDBOARD_ASTERISK=$(ASTERISK) $(GOTEST) ./cmd/cordboard/internal/interop

$(ASTERISK)/usr/sbin/asterisk:
	@[ "$$(id -u)" = 0 ] || { echo "make interop works as root: it makes and enters $(ASTERISK)"; exit 1; }
	@command -v debootstrap >/dev/null || { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends debootstrap >/dev/null; }
	rm -rf --one-file-system $(ASTERISK).part && mkdir -p $(dir $(ASTERISK)) # a try that was ended may have left its /proc mounted there
	eval "$$(apt-config shell http_proxy Acquire::http::Proxy)"; export http_proxy; \
	debootstrap --variant=minbase --include=asterisk bullseye $(ASTERISK).part http://deb.debian.org/debian
	mv $(ASTERISK).part $(ASTERISK)

peers: ## the programs the tests talk to, installed when this user may
	@missing=(); for p in $(TEST_PEERS); do command -v "$${p#*:}" >/dev/null || [ -x "/usr/sbin/$${p#*:}" ] || compgen -G "/usr/lib/postgresql/*/bin/$${p#*:}" >/dev/null || missing+=("$${p%%:*}"); done; \
	if [ $${#missing[@]} -gt 0 ]; then \
	  if [ "$$(id -u)" = 0 ]; then apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$${missing[@]}" >/dev/null; \
	  elif sudo -n true 2>/dev/null; then sudo apt-get update -qq && sudo DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$${missing[@]}" >/dev/null; \
	  else echo "The tests need real peers. Install them with:  sudo apt-get install --no-install-recommends $${missing[*]}"; exit 1; fi; \
	fi

lint: ## go vet, golangci-lint, gofmt
	$(GO) vet ./...
	$(GO) run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0 run
	@unformatted=$$(gofmt -l $$(git ls-files '*.go')); [ -z "$$unformatted" ] || { echo "gofmt: $$unformatted"; exit 1; }

fmt: ## gofmt
	gofmt -w $$(git ls-files '*.go')

bench: bench-call bench-engine bench-record ## every benchmark: lines "bench: NAME VALUE UNIT", and bin/bench-*.json

bench-call: build ## the price of a call, beside Kamailio (BENCHFLAGS="-runs 1" for a quick look)
	$(GO) build -trimpath -o bin/bench-b2bua ./cmd/cordboard/internal/bench/b2bua
	$(GO) build -trimpath -o bin/bench-call ./cmd/cordboard/internal/bench/call
	bin/bench-call -json bin/bench-call.json $(BENCHFLAGS)
	$(GO) build -trimpath -o bin/bench-music ./cmd/cordboard/internal/bench/music
	bin/bench-music -json bin/bench-music.json

bench-engine: ## what a routing decision costs in a large centre
	@mkdir -p bin
	$(GO) run ./cmd/cordboard/internal/bench/engine -json bin/bench-engine.json $(BENCHFLAGS)

bench-record: ## a million customers: import and look-up on each store (BENCHFLAGS="-customers 100000" for a quick look)
	@mkdir -p bin
	$(GO) build -trimpath -o bin/bench-record ./cmd/cordboard/internal/bench/record
	bin/bench-record -json bin/bench-record.json $(BENCHFLAGS)

profile: web/ui/dist/index.html ## measure anew what the compiler is told of the hot paths: cmd/cordboard/default.pgo
	@mkdir -p bin
	$(GO) build -trimpath -o bin/bench-b2bua ./cmd/cordboard/internal/bench/b2bua
	$(GO) build -trimpath -o bin/bench-call ./cmd/cordboard/internal/bench/call
	dir=$$(mktemp -d) && trap 'rm -rf "$$dir"' EXIT && \
	CGO_ENABLED=0 $(GO) build -tags bench -trimpath -o "$$dir/cordboard" ./cmd/cordboard && \
	bin/bench-call -cordboard "$$dir/cordboard" -parts cpu -servers cordboard -runs 1 -length 40s -profile cmd/cordboard/default.pgo

ENGINE_EVENTS ?= 10000000

soak-engine: ## ENGINE_EVENTS random events decided by the engine and by the reference that looks at everything (some 5 minutes)
	$(GO) test -pgo=off -count=1 -timeout 60m -v ./routing/reference -run TestDecidesTheSame -events $(ENGINE_EVENTS)

mutants: ## faults planted in the engine, one at a time: which test finds each (some 3 minutes)
	$(GO) test -pgo=off -count=1 -timeout 60m -v ./routing/reference -run TestMutants -mutants

fuzz: ## every fuzz target for 20 s each
	@for p in $$(grep -rl --include='*_test.go' '^func Fuzz' . | xargs -n1 dirname | sort -u); do \
	  for f in $$(grep -ho '^func Fuzz[A-Za-z0-9_]*' $$p/*_test.go | cut -c6-); do \
	    echo "$$p $$f"; $(GO) test $$p -run '^$$' -fuzz "^$$f$$" -fuzztime 20s || exit 1; done; done

schema: ## make the routing document's JSON Schema anew from its guide
	$(GOTEST) ./configs -run '^TestSchemaIsTheGuides$$' -update-schema

prompts: ## make the music and the announcements anew
	$(GO) run ./sip/media/internal/prompts

clean: ## remove what was built
	rm -rf bin web/ui/dist/* web/ui/node_modules

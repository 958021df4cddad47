# Everything a person does with this repository. `make` lists it.

PREFIX ?= /usr/local
DESTDIR ?=
SWIFT_TEST = scripts/run-tests
SEEDS ?= 1000
FROM ?= 1
FUZZ_SECONDS ?= 60

.DEFAULT_GOAL := help
.PHONY: help setup build test lint demo simulate simulate-postgresql simulate-daemons mutate system-test kill-test benchmark benchmark-callbacks benchmark-import \
	benchmark-pages benchmark-polling benchmark-postgresql benchmark-scale browser-test cluster-test cluster-test-long fuzz hostile monitoring-test test-asan test-tsan soak docs release install tour \
	uninstall deb package-test clean fault-test compare-stores

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-20s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## install what the build needs and is missing (SQLite and libpq, through apt), and show the Swift version
	@scripts/setup

build: setup ## build the programs into .build/debug
	@scripts/build

test: setup ## build and run the tests, which start a PostgreSQL of their own
	@scripts/postgres-need
	@$(SWIFT_TEST) --skip '^EndToEndTests\.'
	@# Real programs, which are waited for: not beside hundreds of tests that compute.
	@$(SWIFT_TEST) --skip-build --filter '^EndToEndTests\.'
	@echo '==> all tests passed'

lint: ## check the format, the conventions, the documentation's links, the promises' tests and the mutations' texts
	@swift format lint --strict --recursive --parallel Sources Tests Benchmarks migrations scripts Package.swift
	@scripts/check-conventions
	@scripts/check-guarantees
	@scripts/mutate --check

compare-stores: ## play the schema's cases on SQLite and on a PostgreSQL of its own, and what several sessions do at once on that
	@scripts/compare-stores
	@scripts/race-postgresql

demo: ## run 24 jobs through promptd against a stand-in for the provider: no account, no money
	@scripts/demo

tour: setup ## run every command of docs/tour.md
	@scripts/build
	@scripts/tour

simulate: setup ## run SEEDS (1000) seeds, from FROM (1), of engine and ledger in a world of trouble, and check what they promise
	@scripts/build -c release --scratch-path .build-release --product promptd-simulate
	@.build-release/release/promptd-simulate --seeds $(SEEDS) --from $(FROM)

simulate-postgresql: setup ## run SEEDS (1000) seeds, from FROM (1), on PostgreSQL, of which it starts a server of its own
	@scripts/postgres-need
	@scripts/build -c release --scratch-path .build-release --product promptd-simulate
	@.build-release/release/promptd-simulate --store postgresql --seeds $(SEEDS) --from $(FROM)

simulate-daemons: setup ## run SEEDS (1000) seeds, from FROM (1), of two to four daemons on a PostgreSQL of its own
	@scripts/postgres-need
	@scripts/build -c release --scratch-path .build-release --product promptd-simulate
	@.build-release/release/promptd-simulate --store several --seeds $(SEEDS) --from $(FROM)

mutate: setup ## break promptd on purpose, in one place at a time, and check that the simulation notices
	@scripts/mutate

system-test: ## run the slow tests: real programs, killed, cut off, out of disk
	@scripts/setup strace nginx
	@PROMPTD_SYSTEM_TESTS=1 $(SWIFT_TEST) --filter SystemTests
	@PROMPTD_SYSTEM_TESTS=1 $(SWIFT_TEST) --filter ClaimScaleTests
	@echo '==> all system tests passed'

hostile: ## run honest jobs beside an evil provider, evil media, evil rows and idle connections, all at once
	@scripts/setup
	@PROMPTD_SYSTEM_TESTS=1 $(SWIFT_TEST) --filter EverythingAtOnceTests
	@echo '==> the hostile test passed'

browser-test: ## open each page of the dashboard in Chromium, beside real programs, and take screenshots
	@scripts/setup chromium python3
	@scripts/apt-need libvips-tools
	@scripts/build
	@scripts/browser-test

monitoring-test: ## check metrics, alerts and dashboard against real programs and a real Prometheus: 2 minutes
	@scripts/setup prometheus
	@scripts/build
	@scripts/monitoring-test

kill-test: ## kill the daemon 500 times during 1,000 jobs, and check every task: 5 to 15 minutes
	@scripts/setup
	@PROMPTD_SYSTEM_TESTS=1 PROMPTD_TEST_KILLS=$${PROMPTD_TEST_KILLS:-500} PROMPTD_TEST_JOBS=$${PROMPTD_TEST_JOBS:-1000} \
		$(SWIFT_TEST) --filter KillTests
	@echo '==> the kill test passed'

fuzz: setup ## let libFuzzer look for bytes that end a parser: FUZZ_SECONDS (60) for each of sixteen
	@scripts/fuzz $(FUZZ_SECONDS)

test-asan: setup ## run the tests under AddressSanitizer, in a build of their own
	@scripts/postgres-need
	@ASAN_OPTIONS=detect_leaks=0 $(SWIFT_TEST) --sanitize=address --scratch-path .build-asan --skip '^EndToEndTests\.'

test-tsan: setup ## run the tests under ThreadSanitizer, in a build of their own
	@scripts/postgres-need
	@scripts/test-tsan --skip '^EndToEndTests\.'

benchmark: release ## build for release and measure throughput, pickup and idle cost
	@scripts/build -c release --static-swift-stdlib --scratch-path .build-release --product client-benchmark
	@PROMPTD_BIN_DIR=$(CURDIR)/dist Benchmarks/throughput/run
	@PROMPTD_BIN_DIR=$(CURDIR)/dist scripts/measure-pickup

benchmark-scale: release ## measure claims, memory, start and status with 5,000,000 queued jobs beside 10,000
	@PROMPTD_BIN_DIR=$(CURDIR)/dist Benchmarks/scale/run

benchmark-pages: release ## measure each page of the dashboard, and searches, with 5,000,000 jobs
	@PROMPTD_BIN_DIR=$(CURDIR)/dist Benchmarks/pages/run

benchmark-import: release ## measure promptctl import beside the sqlite3 shell's .import
	@PROMPTD_BIN_DIR=$(CURDIR)/dist Benchmarks/import/run

benchmark-postgresql: release ## measure one, two and four daemons on a PostgreSQL of its own, beside procrastinate and pgmq
	@scripts/postgres-need
	@scripts/build -c release --static-swift-stdlib --scratch-path .build-release --product client-benchmark
	@PROMPTD_BIN_DIR=$(CURDIR)/dist Benchmarks/postgresql/run

soak: release ## run a day's jobs in 20 minutes and watch that memory, descriptors, threads and log stay flat
	@PROMPTD_BIN_DIR=$(CURDIR)/dist Benchmarks/soak/run

benchmark-callbacks: release ## build for release and measure how soon a callback is in the ledger
	@PROMPTD_BIN_DIR=$(CURDIR)/dist Benchmarks/callback/run

benchmark-polling: setup ## compare the learnt polling with fixed schedules in a simulation, and draw docs/polling.svg
	@scripts/build -c release --scratch-path .build-release --product polling-benchmark
	@.build-release/release/polling-benchmark docs/polling.svg

release: setup ## build for release, with the Swift runtime inside, into dist/
	@scripts/build -c release --static-swift-stdlib --scratch-path .build-release --product promptd-multicall
	@scripts/dist

install: ## install dist/ below PREFIX (/usr/local), with unit, completions and documentation; DESTDIR for packagers
	@PREFIX='$(PREFIX)' DESTDIR='$(DESTDIR)' scripts/install

uninstall: ## remove what install put there; database, media and settings stay
	@PREFIX='$(PREFIX)' DESTDIR='$(DESTDIR)' scripts/install --remove

deb: release ## build the Debian package, dist/promptd_VERSION_ARCHITECTURE.deb
	@scripts/deb

package-test: ## check dist/'s Debian package, and run it on a Debian that boots, reboots and upgrades: 5 minutes, as root
	@scripts/deb-check
	@scripts/package-test

fault-test: ## try the faults of a machine (disks, clock, network, memory, power) with the programs of `make build`: 8 minutes, as root
	@scripts/fault-test

cluster-test: ## kill, cut off and freeze three daemons on two PostgreSQL servers, with the programs of `make build`: 30 minutes, as root
	@scripts/postgres-need
	@scripts/apt-need iproute2 util-linux
	@scripts/cluster-test

cluster-test-long: ## the same, until daemons were killed 500 times: two hours
	@scripts/postgres-need
	@scripts/apt-need iproute2 util-linux
	@scripts/cluster-test --kills 500 --failovers 8 --limit 14400

docs: setup ## make the reference of PromptQueue with docc, into .build/docs
	@scripts/docs

clean: ## remove what was built, and the demo's directory
	@rm -rf .build .build-* dist .demo

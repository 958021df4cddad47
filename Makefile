# Everything a person does with this repository. `make` lists it.

PREFIX ?= /usr/local
DESTDIR ?=
SWIFT_TEST = swift test --disable-xctest
SEEDS ?= 1000
FROM ?= 1

.DEFAULT_GOAL := help
.PHONY: help setup build test lint demo simulate mutate system-test benchmark release install uninstall clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## install what the build needs and is missing (SQLite, through apt), and show the Swift version
	@scripts/setup

build: setup ## build the programs into .build/debug
	@scripts/build

test: setup ## build and run the tests
	@$(SWIFT_TEST)
	@echo '==> all tests passed'

lint: ## check the format, the conventions and the documentation's links
	@swift format lint --strict --recursive --parallel Sources Tests migrations Package.swift
	@scripts/check-conventions

demo: ## run 24 jobs through promptd against a stand-in for the provider: no account, no money
	@scripts/demo

simulate: setup ## run SEEDS (1000) seeds, from FROM (1), of engine and ledger in a world of trouble, and check what they promise
	@scripts/build --product promptd-simulate
	@.build/debug/promptd-simulate --seeds $(SEEDS) --from $(FROM)

mutate: setup ## break promptd on purpose, in one place at a time, and check that the simulation notices
	@scripts/mutate

system-test: ## run the slow tests: real programs, killed, cut off, out of disk
	@scripts/setup strace
	@PROMPTD_SYSTEM_TESTS=1 $(SWIFT_TEST) --filter SystemTests
	@PROMPTD_SYSTEM_TESTS=1 $(SWIFT_TEST) --filter ClaimScaleTests
	@echo '==> all system tests passed'

benchmark: release ## build for release and measure throughput, pickup and idle cost
	@PROMPTD_BIN_DIR=$(CURDIR)/dist Benchmarks/throughput/run
	@PROMPTD_BIN_DIR=$(CURDIR)/dist scripts/measure-pickup

release: setup ## build for release, with the Swift runtime inside, into dist/
	@scripts/build -c release --static-swift-stdlib --scratch-path .build-release
	@scripts/dist

install: ## install dist/ below PREFIX (/usr/local), with unit, completions and documentation; DESTDIR for packagers
	@PREFIX='$(PREFIX)' DESTDIR='$(DESTDIR)' scripts/install

uninstall: ## remove what install put there; database, media and settings stay
	@PREFIX='$(PREFIX)' DESTDIR='$(DESTDIR)' scripts/install --remove

clean: ## remove what was built, and the demo's directory
	@rm -rf .build .build-release dist .demo

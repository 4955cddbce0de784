# What there is to make. `make demo` and `make test` install what they need
# from Debian 12 and run as root; the rest expects it to be there.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.PHONY: help build unit flags lint measure rpm repo previous image acceptance acceptance-all scenario test test-all demo \
	bench capacity crash kickstart faults diagnosis diagnoses fuzz clean

VERSION := $(shell sed -n 's/^Version:[[:space:]]*//p' packaging/wsprovision.spec)
export CGO_ENABLED := 0
GOTOOL := go tool -modfile=go.tools.mod
FUZZTIME ?= 30s
# A line for each scenario, what failed and what was skipped, the ten slowest. ksvalidator is pykickstart's, which Debian 12
# has not: the kickstart sample is held against a list of commands instead.
SUMMARY := go run ./packaging/acceptance/summary -may-skip TestKickstartFile/ksvalidator

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 16 | sed 's/VERSION/$(VERSION)/; s/FUZZTIME/$(FUZZTIME)/'

build: ## the agent, as it is shipped: dist/wsprovision
	packaging/build.sh $(VERSION)

# These move much data, or run a step at thousands of points, all in one goroutine. The race detector finds nothing in that,
# and makes it take ten times as long.
PLAIN := TestCrash|TestCrashAcrossBoots|TestConverge|TestLabelsSurviveAPowerCut|TestUpgradeFrom100|TestNoPackageState|$\
	TestHostileReport|TestHostileLargeFile|TestHostileTooLarge|TestHostileMarshalled
PLAIN_IN = $(shell grep -rlwE 'func ($(PLAIN))' --include=*_test.go provision | xargs -n 1 dirname | sort -u)

unit: ## tests that need no machine: the crash matrix whole, everything else with -race
	CGO_ENABLED=1 go test -race -p 4 -skip '^($(PLAIN))$$' -json ./... | $(SUMMARY)
	go test -count=1 -run '^($(PLAIN))$$' -json $(addprefix ./,$(PLAIN_IN)) | $(SUMMARY)

flags: ## the tests that need no machine under go's other flags
	for flag in -short -cover -shuffle=on -count=2; do echo "== go test $$flag"; go test $$flag -json ./... | $(SUMMARY); done

lint: ## formatting, vet, staticcheck, code that nothing calls, module files
	@unformatted=$$(gofmt -l $$(git ls-files '*.go')); \
	  if [ -n "$$unformatted" ]; then echo "gofmt -w these:" $$unformatted; exit 1; fi
	go mod verify
	go vet ./... && go vet -tags acceptance,crash,long,diagnosis ./...
	$(GOTOOL) staticcheck ./... && $(GOTOOL) staticcheck -tags acceptance,crash,long,diagnosis ./packaging/... ./cmd/...
	@dead=$$($(GOTOOL) deadcode ./cmd/... && $(GOTOOL) deadcode -tags acceptance,crash,long,diagnosis -test ./...); \
	  if [ -n "$$dead" ]; then echo "nothing calls these: delete them"; echo "$$dead"; exit 1; fi

measure: ## how the code stands beside what it is held to: packages, files, types, lines, what the tests of cmd cover
	go run ./packaging/measure -cover

rpm: ## dist/wsprovision-VERSION-1.el7.x86_64.rpm and its src.rpm
	rm -f dist/*.rpm
	packaging/rpm.sh $(RPMFLAGS) $(VERSION)

repo: rpm ## a signed yum repository in dist/repo: make repo KEY=FINGERPRINT BASEURL=https://… (KEY=trial makes a key)
	packaging/repo.sh $(KEY) $(BASEURL)

previous: ## the package of 1.0.0, which a scenario upgrades from, built from its commit unless it is there
	packaging/acceptance/previous.sh

image: ## the acceptance machine, cached by its recipe
	packaging/acceptance/image.sh

acceptance: rpm previous image ## our RPM on the machine: the scenarios of make test
	go test -json -tags acceptance -count=1 -timeout 70m ./packaging/acceptance/ | $(SUMMARY)

acceptance-all: rpm previous image ## every scenario, every row of the tables, and the installer's long ones
	go test -json -tags acceptance,long -count=1 -timeout 4h ./packaging/acceptance/ -args -all-rows | $(SUMMARY)

scenario: ## one scenario on the machine: make scenario RUN=TestUnchanged
	@test -n '$(RUN)' || { echo 'say which: make scenario RUN=TestUnchanged'; exit 2; }
	$(MAKE) rpm image
	go test -tags acceptance,long -count=1 -timeout 3h -v -run '$(RUN)' ./packaging/acceptance/

test: ## everything that a change has to pass
	packaging/host.sh
	$(MAKE) --jobs=2 image lint unit diagnoses rpm previous RPMFLAGS=--twice
	go test -json -tags acceptance -count=1 -timeout 70m ./packaging/acceptance/ | $(SUMMARY)

# What make test leaves out is in here, too; fuzzing is short.
ALL := lint unit flags diagnoses acceptance-all capacity crash fuzz

test-all: ## everything there is, with its time: before an issue is ended
	packaging/host.sh
	@for part in $(ALL); do \
	  echo "== make $$part"; begun=$$SECONDS; $(MAKE) $$part FUZZTIME=10s RPMFLAGS=--twice; \
	  times+="$$(printf '%6d s  make %s' $$((SECONDS - begun)) $$part)"$$'\n'; \
	done; printf 'all of it passed:\n%s' "$$times"

demo: ## plan, apply, the 101 and the unchanged second apply, on a machine of its own
	packaging/host.sh
	$(MAKE) --jobs=2 image rpm
	go run ./packaging/acceptance/demo

bench: build rpm image ## the agent against the tutorial's commands, as ratios in one run
	go run ./packaging/acceptance/bench

capacity: rpm image ## 20 000 WebSockets on a machine of its own with more memory, against what the stock nginx.conf holds
	go run ./packaging/acceptance/capacity

crash: image ## killed at every point where the host changes, and powered off at a sample of them
	go run ./packaging/acceptance/crash

kickstart: rpm image ## the installer's long scenarios: kernel without SELinux, late backend, mirror down, twenty power cuts
	go test -tags acceptance,long -count=1 -timeout 3h -v -run 'TestKickstart|TestImageBuilding|TestPlaces' ./packaging/acceptance/

faults: rpm image ## every row of the fault matrix; FAULTS.md is written anew
	go test -tags acceptance -count=1 -timeout 2h -v -run TestFaults ./packaging/acceptance/ -args -all-rows -update-table

diagnosis: rpm image ## every cause that verify tells; make test has one for each of its codes
	go test -tags acceptance -count=1 -timeout 2h -v -run TestDiagnosis ./packaging/acceptance/ -args -all-rows

diagnoses: ## what verify says in situations that people report, with nginx in namespaces; UPDATE=yes writes DIAGNOSES.md
	go test -tags diagnosis -count=1 -parallel 6 -timeout 10m ./packaging/diagnosis/ $(if $(UPDATE),-args -update-table)

fuzz: ## every fuzz target for FUZZTIME
	@for pkg in $$(go list ./...); do \
	  for target in $$(go test -list '^Fuzz' $$pkg | grep ^Fuzz || true); do \
	    echo "== $$pkg $$target"; go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) $$pkg; \
	  done; done

clean: ## dist/; the machine's image stays in its cache
	rm -rf dist

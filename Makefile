# Every target works on a machine with nothing but Go and make, over each Go module below this
# directory; what cannot be run for want of a JVM, Docker or a C compiler is listed at the end.
.DEFAULT_GOAL := help
.PHONY: help run test lint surface fmt fuzz cross integration golden keystores mutants model bench bench-report bench-micro archives clean

help: ## print this list
	@sed -nE 's/^([a-z-]+):.*## (.*)/\1\t\2/p' Makefile | while IFS="$$(printf '\t')" read -r t d; do printf '  make %-13s %s\n' "$$t" "$$d"; done

run: ## send a real file to a real Kafka if one can be had, else to the embedded broker, and check what arrived; KEEP=1 keeps the broker, or the topic on a cluster of yours
	@KEEP="$(KEEP)" sh scripts/run.sh

test: ## everything: format, lint, unit tests, a short fuzz, cross builds, integration; lists what was not run
	@sh scripts/test.sh all

lint: ## format, vet, staticcheck, and what is exported
	@sh scripts/test.sh lint

surface: ## record anew what the packages export that others may use (testdata/surface)
	@go test -count=1 -run TestTheSurface ./internal/archtest -args -update
	@git --no-pager diff --stat -- testdata/surface || :

fmt: ## gofmt every module
	@sh scripts/test.sh fmt

fuzz: ## a short run of every fuzz target
	@sh scripts/test.sh fuzz

cross: ## build without cgo for the other platforms
	@sh scripts/test.sh cross

integration: ## the tests against a real Kafka alone
	@sh scripts/test.sh integration

keystores: ## make the key stores that tests read anew (needs a JDK, Maven and OpenSSL 3)
	@sh scripts/keystores.sh

golden: ## record the golden vectors again from Kafka's own client (needs a JDK and Maven)
	@sh scripts/golden.sh

mutants: ## apply each patch of testdata/mutants and demand a failing test
	@sh scripts/mutants.sh

model: ## drive the sender core through 100,000 random histories against a model of the brokers
	@go test -run 'TestModel$$' -v -timeout 10m ./sender -args -model.count=100000

bench: ## side by side with other producers; BENCH='-quick -scenarios a,e' and so on
	@sh scripts/bench.sh $(BENCH)

bench-report: ## the same, and write bench/REPORT.md and its chart
	@sh scripts/bench.sh report $(BENCH)

bench-micro: ## the benchmarks of each package, with their allocations
	@sh scripts/bench.sh micro

archives: ## build the command line for five platforms and pack each into dist/, with SHA256SUMS
	@go -C tools run ./archives -to ../dist

clean: ## remove what was built here
	@rm -rf bin dist .notrun .steps

#!/bin/sh
# The checks of this repository. `sh scripts/test.sh all` is `make test`; the other words are its parts.
# With CI=true the integration suite runs on every version and kind that is promised, and anything
# left unrun is a failure. IN_TURN=true has one step run after the other, as a single core has it anyhow.
set -eu
. "$(dirname "$0")/lib.sh"
. scripts/integration.sh

FUZZ_RUNS=${FUZZ_RUNS:-4000} # of each fuzz target
# What is built besides. The first differs from where tests run in the system and in the size of a word; all modules are built for
# it. The second is a further system on another processor. The third is Linux on that, where system calls are lacking that it has
# elsewhere. Linux with 32 bits is where the 32-bit tests run.
CROSS=${CROSS:-'windows/386 darwin/arm64 linux/arm64'}

check_format() {
  find . -name '*.go' -not -path '*/testdata/*' -not -path './.git/*' -exec gofmt -l {} + >"$scratch/unformatted"
  [ ! -s "$scratch/unformatted" ] || { say 'not gofmt-ed (make fmt):'; cat "$scratch/unformatted"; return 1; }
}

format() { find . -name '*.go' -not -path '*/testdata/*' -not -path './.git/*' -exec gofmt -w {} +; }

each_module() {
  if [ ! -f "$scratch/modules" ]; then
    for module in $(modules); do
      if packages "$module"; then say "$module"; fi
    done >"$scratch/modules"
  fi
  for module in $(cat "$scratch/modules"); do
    (cd "$module" && "$@") || return
  done
}

staticcheck() {
  go -C tools build -o "$scratch/staticcheck" honnef.co/go/tools/cmd/staticcheck
  each_module "$scratch/staticcheck" ./...
}

# A patch that no longer applies guards nothing. That each is caught takes minutes: make mutants.
mutants_apply() {
  for patch in testdata/mutants/*.patch; do
    git apply --check "$patch" || { say "$patch does not apply any more"; return 1; }
  done
}

# modules_here downloads what is not here yet, without a line for each.
modules_here() { each_module quietly go list -deps -test ./...; }

lint() {
  quick_checks
  static_checks
}

quick_checks() {
  usual='2 s, and a minute or two the first time' step 'modules' modules_here
  usual='1 s' step 'format' check_format
}

static_checks() {
  usual='1 to 4 min' step 'vet' each_module go vet ./...
  usual='1 to 4 min' step 'staticcheck' staticcheck
  usual='3 s' step 'exported names are as recorded' quietly go test -count=1 -run Surface ./internal/archtest
  usual='3 s' step 'mutants still apply' mutants_apply
  usual='10 s, and some minutes the first time' step 'modules build for others' sh scripts/release.sh check
}

# The race detector needs cgo, and so a C compiler with its headers.
can_race() { CGO_ENABLED=1 go build -race -o /dev/null runtime/cgo >/dev/null 2>&1; }

# The modules that are released with the root one: mechanisms, the command that has them, metrics for Prometheus, and
# OpenTelemetry. What a machine lacks for their tests is noted there.
apart='sasl/gssapi sasl/mskiam epistleprom epistleotel cmd/epistle/full/epistle'

each_apart() {
  for module in $apart; do
    (cd "$module" && noting "$@") || return
  done
}

# What each run of tests is given: vet is a step of its own, with more than the go command asks of it here, and a package
# that takes minutes alone may take several times as long beside others.
flags='-vet=off -timeout 30m'

# noting runs a command whose tests note what they cannot be run without. internal/notrun says what the round is for.
noting() { NOTRUN_FILE=$notrun NOTRUN_ROUND=$began "$@"; }

# shellcheck disable=SC2086
unit() {
  # Package producer takes longest, and is begun first.
  race=
  if can_race; then
    race='env CGO_ENABLED=1'
    usual='5 to 9 min' step 'unit tests, race detector' $race go test $flags -race ./producer ./...
  else
    not_run 'race detector' 'no C compiler, or this platform has none'
    usual='2 min' step 'unit tests, without the race detector' go test $flags ./producer ./...
  fi
  usual='5 s' step 'batches without assembly' go test $flags -tags purego ./accumulator
  # The figures of the benchmarks are worth what these tests are: that the sink counts, and that the drivers do.
  usual='30 s' step 'tests of the benchmarks' go -C bench test $flags ./...
  usual='30 s' step 'tests of the examples' $race go -C examples test $flags ${race:+-race} ./...
  usual='3 s' step 'tests of the tools' go -C tools test $flags ./...
  prepared
  usual='3 s' step 'completion in shells' noting $race go test $flags ${race:+-race} -run 'Shells|BashCompletes' ./cmd/epistle/internal/app
  usual='1 min' step 'tests of GSSAPI, AWS_MSK_IAM, Prometheus, OpenTelemetry and the full command' each_apart $race go test $flags ${race:+-race} ./...
}

# An amd64 Linux runs 32-bit programs as they are; elsewhere the cross build is all there is.
# shellcheck disable=SC2086
unit32() {
  if [ "$(go env GOHOSTOS)/$(go env GOHOSTARCH)" = linux/amd64 ]; then
    usual='2 to 4 min' step 'unit tests, 32 bit' env CGO_ENABLED=0 GOARCH=386 go test $flags -short ./...
  fi
}

# A number of runs, not a time: a fuzzer that is cut off by the clock on a busy machine calls that a failure.
fuzz() {
  find . -name '*_test.go' -not -path '*/testdata/*' -exec grep -E '^func Fuzz[A-Za-z0-9_]*\(.*\*testing\.F\)' /dev/null {} + |
    sed -E 's#^(.*)/[^/]*:func ([A-Za-z0-9_]*).*#\1 \2#' | sort >"$scratch/fuzz"
  count=$(wc -l <"$scratch/fuzz")
  [ "$count" -gt 0 ] || { say 'no fuzz target was found'; return 1; }
  for package in $(cut -d ' ' -f 1 "$scratch/fuzz" | uniq); do
    fuzz_package "$package" || return
  done
  say "$count targets, $FUZZ_RUNS runs each"
}

# fuzz_package PACKAGE runs the targets of a package with one test binary: to make it takes longer than a run. The inputs that
# were of interest are where `go test -fuzz` has them.
fuzz_package() {
  go -C "$1" test -vet=off -c -fuzz . -o "$scratch/fuzz.test" . || return
  inputs=$(go env GOCACHE)/fuzz/$(go -C "$1" list .) || return
  for target in $(awk -v package="$1" '$1 == package { print $2 }' "$scratch/fuzz"); do
    (cd "$1" && "$scratch/fuzz.test" -test.run '^$' -test.fuzz "^$target\$" -test.fuzztime "${FUZZ_RUNS}x" -test.fuzzminimizetime 10x \
      -test.fuzzcachedir "$inputs") >"$scratch/fuzz.log" 2>&1 </dev/null || { cat "$scratch/fuzz.log"; return 1; }
  done
}

# The modules apart hold nothing that is for one platform alone. Vet compiles the tests, too.
cross() {
  for platform in $CROSS; do build_for "$platform" go build ./... || return; done
  build_for "${CROSS%% *}" go vet ./... || return
  each_apart build_for "${CROSS%% *}" go build -o /dev/null ./...
}

build_for() {
  build_platform=$1
  shift
  env CGO_ENABLED=0 GOOS="${build_platform%/*}" GOARCH="${build_platform#*/}" "$@"
}

# builds is what compiles and looks, and runs no test.
builds() {
  static_checks
  usual='1 to 4 min' step 'cross builds' cross
}

# further_tests are those that neither need brokers nor the race detector.
further_tests() {
  unit32
  usual='1 to 3 min' step 'fuzz' fuzz
}

# all runs everything, side by side where there is room for that.
all() {
  quick_checks
  if side_by_side; then
    beside_each_other
  else
    builds
    unit
    further_tests
    integration
  fi
  summary
}

# beside_each_other has the unit tests begin, which use most of the cores. The suites come after them: they wait for brokers
# most of the time, and go by the clock. Further tests run beside these and give way to them. What only compiles has what all
# others leave, from the beginning on.
beside_each_other() {
  alone='sh scripts/test.sh beside'
  set -- -meanwhile "nice -n 19 $alone builds" "$alone unit" -then "nice -n 10 $alone further_tests"
  for part in $(integration_parts); do set -- "$@" "$alone $part"; done
  run_jobs "$@"
}

# side_by_side says whether parts do not only get in each other's way. A part of integration has three brokers at most, which need
# 2.5 GB, and what compiles or is a test under the race detector needs 5 GB.
side_by_side() {
  [ "${IN_TURN:-}" != true ] && [ "$(cores)" -gt 1 ] &&
    { [ ! -r /proc/meminfo ] || awk -v parts="$(integration_parts | wc -l)" '/^MemTotal:/ { exit $2 < 5000000 + 2500000 * parts }' /proc/meminfo; }
}

cores() { nproc 2>/dev/null || getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1; }

# beside PART runs one of them.
beside() {
  # Linux weighs sessions against each other, and niceness only within one, unless it is told how nice the session is. That of a
  # terminal is left alone.
  if [ "${OWN_SESSION:-}" = true ] && [ -w /proc/self/autogroup ]; then { nice >/proc/self/autogroup; } 2>/dev/null || :; fi
  "$1"
}

# summary PART ends a run with what was not run of it; in CI that list has to be empty. Without PART it was everything.
summary() {
  forget
  [ -n "${1:-}" ] || say "── all: $(took)"
  if [ -s "$notrun" ]; then
    left_out
    if [ "${CI:-}" = true ]; then
      say 'In CI nothing may be left unrun.'
      return 1
    fi
  elif [ -z "${1:-}" ]; then
    say 'Everything was run.'
  fi
  if [ -n "${1:-}" ]; then
    say "That was $1 alone; make test runs everything."
  else
    besides
  fi
}

# left_out lists what was not run: a reason once, with all that it kept from running.
left_out() {
  say 'Not run:'
  sort -u "$notrun" | awk '
    { what = $0; sub(/: .*/, "", what); why = substr($0, length(what) + 3) }
    !(why in list) { order[++n] = why; list[why] = what; next }
    { list[why] = list[why] ", " what }
    END { for (i = 1; i <= n; i++) printf "  %s\n    because: %s\n", list[order[i]], order[i] }'
}

# besides says what there is besides, for those who have changed something that it is for.
besides() {
  [ "${CI:-}" != true ] || return 0
  say 'CI runs besides (CI=true make test): the integration tests in Docker with Kafka 4.4.0, and on the JVM those of security,'
  say '  telemetry and metrics with 4.4.0, of security, faults and transactions with 3.9.1, and of sending and reading with 4.0.1.'
  say 'By hand alone: make mutants, make model, make bench.'
}

[ "${1:-}" = beside ] || : >"$notrun"
case ${1:-all} in
  lint) lint ;;
  fmt) format ;;
  fuzz) usual='1 to 3 min' step 'fuzz' fuzz; summary fuzz ;;
  cross) usual='1 to 2 min' step 'cross builds' cross; summary 'cross builds' ;;
  integration) integration; summary integration ;;
  all) all ;;
  beside) beside "$2" ;;
  *) say "test.sh: no such part: $1"; exit 2 ;;
esac

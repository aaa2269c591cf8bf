#!/bin/sh
# Measurements. `sh scripts/bench.sh` is `make bench`: producers side by side, see bench/README.md; further arguments are
# for bench/cmd/compare. `report` also writes bench/REPORT.md and its chart; `micro` runs the benchmarks of the packages.
set -eu
. "$(dirname "$0")/lib.sh"

compare() {
  go build -C bench -o ../bin/bench/ ./cmd/compare
  bin/bench/compare -source bench -bin bin/bench "$@"
}

micro() {
  for module in $(modules); do
    if packages "$module"; then
      step "benchmarks of $module" go -C "$module" test -run '^$' -bench . -benchmem "$@" ./...
    fi
  done
}

case ${1:-} in
  micro) shift; micro "$@" ;;
  report) shift; compare -report "$@" ;;
  *) compare "$@" ;;
esac

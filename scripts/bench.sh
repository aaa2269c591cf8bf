#!/bin/sh
# Runs the benchmarks of every module that has any.
set -eu
. "$(dirname "$0")/lib.sh"

for module in $(modules); do
  if packages "$module"; then
    step "benchmarks of $module" go -C "$module" test -run '^$' -bench . -benchmem ./...
  fi
done

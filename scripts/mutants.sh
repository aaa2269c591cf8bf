#!/bin/sh
# Applies each patch of testdata/mutants, one at a time, to a copy of the tree and demands that the
# tests which it names turn red. What a patch is for, and its tests, stand above the diff:
#
#	Promise: I2, a retried batch goes before every younger one
#	Test: ./sender TestRetriedBatchGoesFirst
#
# The second word of Test is a pattern for `go test -run`, all tests of the package if it is missing.
# A patch that no longer applies, or does not compile, proves nothing and is a failure too. Words on the
# command line choose the patches with such a word in their name.
set -eu
. "$(dirname "$0")/lib.sh"

copy=$scratch/tree
mkdir "$copy"
tar -c --exclude=./.git --exclude=./bin . | tar -x -C "$copy"

# mutant PATCH tries one and says what came of it.
mutant() {
  set -- "$1" $(sed -n 's/^Test: *//p' "$1" | head -n 1)
  patch=$1
  package=${2:-}
  [ -n "$package" ] || { say "$patch: no line Test:"; return 1; }
  (cd "$copy" && git apply --whitespace=nowarn "$patch") || { say "$patch: does not apply"; return 1; }
  verdict=0
  if ! (cd "$copy" && go test -run '^$' "$package") >"$scratch/log" 2>&1; then
    say "$patch: does not compile"
    tail -n 5 "$scratch/log"
    verdict=1
  elif (cd "$copy" && go test -count=1 -timeout 120s -run "${3:-.}" "$package") >"$scratch/log" 2>&1; then
    say "SURVIVED $(basename "$patch"): $package ${3:-} stays green"
    verdict=1
  else
    say "killed   $(basename "$patch"): $(sed -nE 's/^ *--- FAIL: ([^ ]+).*/\1/p' "$scratch/log" | tail -n 1)"
  fi
  (cd "$copy" && git apply --whitespace=nowarn -R "$patch")
  return "$verdict"
}

tried=0 bad=0
for patch in "$root"/testdata/mutants/*.patch; do
  [ -f "$patch" ] || break
  chosen=$([ $# -gt 0 ] || echo yes)
  for word; do case $(basename "$patch") in *"$word"*) chosen=yes ;; esac; done
  [ -n "$chosen" ] || continue
  tried=$((tried + 1))
  mutant "$patch" || bad=$((bad + 1))
done
say "── $tried mutants, $bad of them not killed: $(($(date +%s) - began)) s"
[ "$bad" -eq 0 ] && [ "$tried" -gt 0 ]

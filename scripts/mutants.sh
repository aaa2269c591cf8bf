#!/bin/sh
# Each patch of testdata/mutants breaks one promise, which its first line names. This applies them one
# at a time to a copy of the tree, runs the tests of the package that the patch names, and demands that
# they fail. Names of patches as arguments: only these.
#
# A patch begins with:
#   # The promise that it breaks.
#   # test: ./sender            the package whose tests must fail
#   # run: TestScripts          which of them to run; without it, all
set -eu
. "$(dirname "$0")/lib.sh"

copy=$scratch/tree

# The copy is the tree as it is, with what git does not know yet and without what it ignores.
copy_tree() {
  mkdir "$copy"
  git ls-files -co --exclude-standard | while IFS= read -r file; do
    [ ! -e "$file" ] || printf '%s\n' "$file"
  done >"$scratch/files"
  tar -cf - -T "$scratch/files" | tar -xf - -C "$copy"
}

header() { sed -nE "s/^# $2: *//p" "$1" | head -n 1; }

# module_of PACKAGE prints the directory of the module that a package is in, as ./sender is in "." and ./sasl/gssapi in itself.
module_of() {
  module_dir=$1
  while [ "$module_dir" != . ] && [ ! -f "$copy/$module_dir/go.mod" ]; do module_dir=$(dirname "$module_dir"); done
  printf '%s\n' "$module_dir"
}

# tests PACKAGE RUN… runs a package's tests in the copy. -trimpath makes the build cache serve any copy.
tests() {
  module=$(module_of "$1")
  (cd "$copy/$module" && go test -short -failfast -vet=off -trimpath -timeout 60s -p 1 ${2:+-run "$2"} "$(inside "$module" "$1")")
}

# inside MODULE PACKAGE prints a package as its module calls it.
inside() {
  case $2 in "$1") printf '.\n' ;; *) printf './%s\n' "${2#"$1"/}" ;; esac
}

# unharmed demands that the tests pass without any patch, so that a red one means the patch.
unharmed() {
  cat "$@" | sed -nE 's/^# test: *//p' | sort -u >"$scratch/packages"
  while read -r package; do
    module=$(module_of "$package")
    printf '%s %s\n' "$module" "$(inside "$module" "$package")"
  done <"$scratch/packages" >"$scratch/inside"
  for module in $(cut -d ' ' -f 1 "$scratch/inside" | sort -u); do
    # shellcheck disable=SC2046
    (cd "$copy/$module" && go test -short -vet=off -trimpath -p 1 $(awk -v module="$module" '$1 == module { print $2 }' "$scratch/inside")) || return
  done
}

try() {
  patch=$1
  package=$(header "$patch" test)
  if [ -z "$package" ]; then say 'names no package'; return 1; fi
  if ! git -C "$copy" apply "$patch" 2>"$scratch/apply"; then
    say "DOES NOT APPLY: $(head -n 1 "$scratch/apply")"
    return 1
  fi
  status=0
  tests "$package" "$(header "$patch" run)" >"$scratch/log" 2>&1 || status=$?
  git -C "$copy" apply -R "$patch"
  if grep -qE '\[(build|setup) failed\]' "$scratch/log"; then
    say "DOES NOT COMPILE: $(grep -m 1 -E '^[^ #]+\.go:' "$scratch/log" || true)"
    return 1
  fi
  if [ "$status" -eq 0 ]; then say "SURVIVED in $package"; return 1; fi
  say "caught by $(sed -nE 's/^ *--- FAIL: ([^ ]+).*/\1/p; s/^(panic: .*)/\1/p; s/^(fatal error: .*)/\1/p' "$scratch/log" | tail -n 1)"
}

cd "$root"
patches=
if [ $# -eq 0 ]; then
  patches=$(find "$root/testdata/mutants" -name '*.patch' | sort)
else
  for name; do patches="$patches $root/testdata/mutants/${name%.patch}.patch"; done
fi
step 'copy of the tree' copy_tree
# git apply must not take the copy for a part of a repository around it.
export GIT_CEILING_DIRECTORIES="$scratch"
# shellcheck disable=SC2086
step 'tests without a mutant' unharmed $patches

tried=0 bad=0
for patch in $patches; do
  tried=$((tried + 1))
  verdict=$(try "$patch") || bad=$((bad + 1))
  printf '%-44s %s\n' "$(basename "$patch" .patch)" "$verdict"
done
say "$tried mutants, $bad of them not caught, $(($(date +%s) - began)) s"
[ "$bad" -eq 0 ]

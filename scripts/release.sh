#!/bin/sh
# What a release needs. The modules of this repository that others import are released together, with one version:
#
#   sh scripts/release.sh check          they build for others, as the working tree is (make lint does this)
#   sh scripts/release.sh set VERSION    write VERSION where the modules require one another
#   sh scripts/release.sh VERSION        check all that a release needs, and print how to tag it
#
# Nothing is tagged and nothing is pushed here. docs/releasing.md has the steps.
set -eu
. "$(dirname "$0")/lib.sh"

path=github.com/epistle-kafka/epistle
private='bench integration tools' # modules that nobody imports have no tags

# released lists the directories of the modules that have tags, the root first.
released() {
  for module in $(modules); do
    module=${module#./}
    case " $private " in *" ${module%%/*} "*) ;; *) printf '%s\n' "$module" ;; esac
  done
}

# required MODULE prints the version of the root module that a module requires, nothing if it requires none.
required() { sed -nE "s#^(require)?[[:space:]]*$path (v[^ ]+).*#\\2#p" "$1/go.mod"; }

# requiring lists the modules that require the root module.
requiring() {
  for module in $(modules); do
    if [ -n "$(required "$module")" ]; then printf '%s\n' "$module"; fi
  done
}

# one_version prints the version that all of them require, or which they are.
one_version() {
  for module in $(requiring); do required "$module"; done | sort -u >"$scratch/versions"
  if [ "$(wc -l <"$scratch/versions")" -ne 1 ]; then
    say 'The modules require different versions of the root module (sh scripts/release.sh set VERSION):' >&2
    for module in $(requiring); do say "  $module: $(required "$module")" >&2; done
    return 1
  fi
  cat "$scratch/versions"
}

# imports MODULE prints a program that imports all packages of a module that others can import.
imports() {
  printf 'package main\n\n'
  go -C "$1" list -f '{{if ne .Name "main"}}{{.ImportPath}}{{end}}' ./... | grep -v -e '/internal/' -e '/internal$' -e '^$' |
    sed 's/.*/import _ "&"/'
  printf '\nfunc main() {}\n'
}

# builds_for_others builds a program beside the repository for each released module, without a replace: from a proxy that
# has the modules as a tag would. Other modules come from the cache that is here, and are checked against go.sum.
builds_for_others() {
  version=$1
  # shellcheck disable=SC2046
  go -C tools run ./modproxy -version "$version" -to "$scratch/proxy" $(released | sed "s#^#$root/#; s#/\\.\$##")
  cache=$(go env GOMODCACHE)/cache/download
  proxy=$(go env GOPROXY)
  for module in $(released); do
    name=$path${module:+/$module}
    name=${name%/.}
    program=$scratch/program/$(printf '%s' "$module" | tr / -)
    mkdir -p "$program"
    imports "$module" >"$program/main.go"
    cp "$module/go.sum" "$program/go.sum"
    printf 'module program\n\ngo 1.26.0\n\nrequire %s %s\n' "$name" "$version" >"$program/go.mod"
    if ! quietly env GOFLAGS='-mod=mod -modcacherw -trimpath' GOWORK=off GOSUMDB=off GOMODCACHE="$scratch/cache" \
      GOPROXY="file://$scratch/proxy,file://$cache,$proxy" go -C "$program" build -o /dev/null .; then
      say "A program that requires $name $version, and has no replace, does not build."
      return 1
    fi
    say "  $name $version builds for others"
  done
}

check() {
  version=$(one_version)
  builds_for_others "$version"
}

set_version() {
  well_formed "$1"
  for module in $(requiring); do
    go mod edit -require="$path@$1" "$module/go.mod"
    say "  ${module#./}/go.mod requires $1"
  done
}

well_formed() {
  printf '%s\n' "$1" | grep -Eqx 'v(0|1)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)(-[0-9A-Za-z.-]+)?' ||
    { say "$1 is no version such as v0.2.0 or v0.2.0-rc.1 (from v2 on the modules' paths would have to change)"; return 1; }
}

# tags lists the tags of a version: a module below the root has its directory in front.
tags() {
  for module in $(released); do
    case $module in .) printf '%s\n' "$1" ;; *) printf '%s/%s\n' "$module" "$1" ;; esac
  done
}

faults=0
fault() { say "✗ $*"; faults=$((faults + 1)); }

release() {
  version=$1
  well_formed "$version"
  [ -z "$(git status --porcelain)" ] || fault 'the working tree has changes: commit them first'
  grep -Eqx "## $(printf '%s' "$version" | sed 's/\./\\./g')( .*)?" CHANGELOG.md || fault "CHANGELOG.md has no section ## $version"
  ! grep -qx '## Unreleased' CHANGELOG.md || fault "CHANGELOG.md has a section ## Unreleased: name it ## $version"
  found=$(one_version) || { fault 'one version is needed'; found=; }
  if [ -n "$found" ] && [ "$found" != "$version" ]; then
    fault "the modules require $found of the root module: sh scripts/release.sh set $version"
  fi
  for tag in $(tags "$version"); do
    if git rev-parse -q --verify "refs/tags/$tag" >/dev/null; then fault "there is a tag $tag: a version is never given twice"; fi
  done
  builds_for_others "$version" || faults=$((faults + 1))
  if [ "$faults" -gt 0 ]; then say "$faults faults: not ready."; return 1; fi
  say "Ready. After a green CI of $(git rev-parse --short HEAD), with all tags fetched:"
  for tag in $(tags "$version"); do say "  git tag -a $tag -m '$tag'"; done
  say "  git push --atomic origin $(tags "$version" | tr '\n' ' ')"
}

case ${1:-} in
  check) check ;;
  set) set_version "${2:?usage: release.sh set VERSION}" ;;
  v*) release "$1" ;;
  *) say 'usage: release.sh check | set VERSION | VERSION'; exit 2 ;;
esac

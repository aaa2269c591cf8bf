#!/bin/sh
# What a release needs. The modules of this repository that others import are released together, with one version:
#
#   sh scripts/release.sh check          they build for others, as the working tree is (make lint does this)
#   sh scripts/release.sh set VERSION    write VERSION where the modules require one another, and where the library says its own
#   sh scripts/release.sh VERSION        check all that a release needs, and print how to tag it
#
# Nothing is tagged and nothing is pushed here. docs/releasing.md has the steps.
set -eu
. "$(dirname "$0")/lib.sh"

path=github.com/epistle-kafka/epistle
private='bench examples integration tools'  # modules that nobody imports have no tags
commands='cmd/epistle/full/epistle' # modules that people get by go install, which refuses one with a replace

# released lists the directories of the modules that have tags, the root first.
released() {
  for module in $(modules); do
    module=${module#./}
    case " $private " in *" ${module%%/*} "*) ;; *) printf '%s\n' "$module" ;; esac
  done
}

# is_command MODULE says whether it is one of those.
is_command() { case " $commands " in *" $1 "*) ;; *) return 1 ;; esac }

# required MODULE prints which released modules of this repository a module requires, a line for each: path and version.
required() {
  sed -nE "s#^(require)?[[:space:]]*($path(/[^ ]+)?) (v[^ ]+).*#\\2 \\4#p" "$1/go.mod" |
    grep -vE "^$path/($(printf '%s' "$private" | tr ' ' '|'))[/ ]" || :
}

# requiring lists the modules that require others of this repository.
requiring() {
  for module in $(modules); do
    if [ -n "$(required "$module")" ]; then printf '%s\n' "$module"; fi
  done
}

# one_version prints the version that all of them require, or which they are.
one_version() {
  for module in $(requiring); do required "$module"; done | sed 's/.* //' | sort -u >"$scratch/versions"
  if [ "$(wc -l <"$scratch/versions")" -ne 1 ]; then
    say 'The modules require different versions of one another (sh scripts/release.sh set VERSION):' >&2
    for module in $(requiring); do required "$module" | sed "s#^#  $module: #" >&2; done
    return 1
  fi
  cat "$scratch/versions"
}

# packages_of MODULE KIND lists the packages of a module that others can import, for KIND ne, or those that they can install, for eq.
packages_of() { go -C "$1" list -f "{{if $2 .Name \"main\"}}{{.ImportPath}}{{end}}" ./... | grep -v -e '/internal/' -e '/internal$' -e '^$' || :; }

# imports MODULE prints a program that imports all packages of a module that others can import, nothing if there are none.
imports() {
  packages_of "$1" ne >"$scratch/importable"
  [ -s "$scratch/importable" ] || return 0
  printf 'package main\n\n'
  sed 's/.*/import _ "&"/' "$scratch/importable"
  printf '\nfunc main() {}\n'
}

# offer VERSION writes the released modules into a proxy, as tags would offer them.
offer() {
  for module in $(released); do
    replaces=
    if is_command "$module"; then replaces=-noreplace; fi
    go -C tools run ./modproxy -version "$1" -to "$scratch/proxy" $replaces "$root/${module#.}"
  done
}

# outside FLAGS PROXY COMMAND… runs the go command with no go.mod of the repository in reach. Its modules are those of offer;
# others come from the cache that is here, and what is not there from PROXY.
outside() {
  outside_flags=$1 outside_proxy=$2
  shift 2
  quietly env GOFLAGS="$outside_flags -modcacherw -trimpath" GOWORK=off GOSUMDB=off GOMODCACHE="$scratch/cache" GOBIN="$scratch/bin" \
    GOPROXY="file://$scratch/proxy,file://$(go env GOMODCACHE)/cache/download,$outside_proxy" go "$@"
}

# builds_for_others builds a program beside the repository for each released module, without a replace, and installs the programs
# of the module itself. What the former takes of others is checked against go.sum.
builds_for_others() {
  version=$1
  offer "$version"
  for module in $(released); do
    name=$path${module:+/$module}
    name=${name%/.}
    program=$scratch/program/$(printf '%s' "$module" | tr / -)
    mkdir -p "$program"
    imports "$module" >"$scratch/main.go"
    [ ! -s "$scratch/main.go" ] || cp "$scratch/main.go" "$program"
    cp "$module/go.sum" "$program/go.sum"
    printf 'module program\n\ngo 1.26.0\n\nrequire %s %s\n' "$name" "$version" >"$program/go.mod"
    commands_here=$(packages_of "$module" eq)
    # shellcheck disable=SC2086
    if ! outside -mod=mod "$(go env GOPROXY)" -C "$program" build -o /dev/null ./... $commands_here; then
      say "A program that requires $name $version, and has no replace, does not build."
      return 1
    fi
    say "  $name $version builds for others"
    for command in $commands_here; do
      # The line above has brought all that is needed: off keeps the go command from asking for modules named like the command.
      if ! outside '' off -C "$program" install "$command@$version"; then
        say "go install $command@$version fails."
        return 1
      fi
      say "  go install $command@$version works"
    done
  done
}

check() {
  version=$(one_version)
  builds_for_others "$version"
}

set_version() {
  well_formed "$1"
  for module in $(requiring); do
    for name in $(required "$module" | sed 's/ .*//'); do go mod edit -require="$name@$1" "$module/go.mod"; done
    say "  ${module#./}/go.mod requires $1"
  done
  rewrite producer/producer.go "s/^const Version = .*/const Version = \"${1#v}\"/"
  rewrite testdata/surface/producer.txt "s/^const Version untyped string = .*/const Version untyped string = \"${1#v}\"/"
  say "  producer.Version is ${1#v}"
}

# rewrite FILE COMMAND has sed change a file in place, as every sed can.
rewrite() {
  sed "$2" "$1" >"$scratch/rewritten"
  cat "$scratch/rewritten" >"$1"
}

well_formed() {
  printf '%s\n' "$1" | grep -Eqx 'v(0|1)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)(-[0-9A-Za-z.-]+)?' ||
    { say "$1 is no version such as v0.2.0 or v0.2.0-rc.1 (from v2 on the modules' paths would have to change)"; return 1; }
}

# tags VERSION MODULE… lists the tags of a version: a module below the root has its directory in front.
tags() {
  tags_version=$1
  shift
  for module; do
    case $module in .) printf '%s\n' "$tags_version" ;; *) printf '%s/%s\n' "$module" "$tags_version" ;; esac
  done
}

# commit_without_replace MODULE VERSION makes a commit that differs from HEAD in the go.mod of the module alone, which is the one
# that was built above. It prints its hash. Nothing refers to it before there is a tag.
commit_without_replace() {
  (
    blob=$(git hash-object -w "$scratch/proxy/$path/$1/@v/$2.mod")
    export GIT_INDEX_FILE="$scratch/index"
    git read-tree HEAD
    git update-index --cacheinfo "100644,$blob,$1/go.mod"
    git commit-tree "$(git write-tree)" -p HEAD -m "$1: $2, without replace: go install would refuse it"
  )
}

# tagging VERSION prints the commands that tag.
tagging() {
  for module in $(released); do
    tag=$(tags "$1" "$module")
    at=
    if is_command "$module"; then at=" $(commit_without_replace "$module" "$1")"; fi
    say "  git tag -a $tag -m '$tag'$at"
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
    fault "the modules require $found of one another: sh scripts/release.sh set $version"
  fi
  grep -qxF "const Version = \"${version#v}\"" producer/producer.go || fault "producer.Version is another: sh scripts/release.sh set $version"
  # shellcheck disable=SC2046
  all=$(tags "$version" $(released))
  for tag in $all; do
    if git rev-parse -q --verify "refs/tags/$tag" >/dev/null; then fault "there is a tag $tag: a version is never given twice"; fi
  done
  builds_for_others "$version" || faults=$((faults + 1))
  if [ "$faults" -gt 0 ]; then say "$faults faults: not ready."; return 1; fi
  say "Ready. After a green CI of $(git rev-parse --short HEAD), with all tags fetched:"
  tagging "$version"
  say "  git push --atomic origin $(printf '%s ' $all)"
}

case ${1:-} in
  check) check ;;
  set) set_version "${2:?usage: release.sh set VERSION}" ;;
  v*) release "$1" ;;
  *) say 'usage: release.sh check | set VERSION | VERSION'; exit 2 ;;
esac

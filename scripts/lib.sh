# Shared by the scripts of this directory, which run from the repository's root under a POSIX sh.

cd "$(dirname "$0")/.."
root=$PWD
began=$(date +%s)
notrun=$root/.notrun
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP

say() { printf '%s\n' "$*"; }

# step NAME COMMAND… runs the command and prints what it cost. A failure ends the script.
step() {
  step_name=$1
  shift
  say "── $step_name"
  step_began=$(date +%s)
  step_status=0
  "$@" || step_status=$?
  step_took=$(($(date +%s) - step_began))
  if [ "$step_status" -ne 0 ]; then
    say "── $step_name: FAILED after $step_took s (status $step_status)"
    exit "$step_status"
  fi
  say "── $step_name: $step_took s"
}

# modules lists the directories that hold a module, the root first.
modules() {
  find . -name go.mod -not -path '*/testdata/*' -not -path './.git/*' | sed 's#/go.mod$##' | sort
}

# packages MODULE says whether the module holds any package yet. A module that cannot be listed does:
# whatever is run over it then says what is wrong.
packages() {
  packages_list=$(cd "$1" && go list ./... 2>&1) || return 0
  case $packages_list in '' | *'matched no packages'*) return 1 ;; esac
}

# not_run WHAT WHY puts a line on the list that `make test` ends with.
not_run() { printf '%s: %s\n' "$1" "$2" >>"$notrun"; }

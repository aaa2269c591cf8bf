# Shared by the scripts of this directory, which run from the repository's root under a POSIX sh.

cd "$(dirname "$0")/.."
root=$PWD
began=${RUN_BEGAN:-$(date +%s)}
notrun=$root/.notrun
scratch=$(mktemp -d)
child= # what runs beside this shell, and ends with it
trap 'rm -rf "$scratch"' EXIT
trap 'end 130' INT
trap 'end 143' TERM
trap 'end 129' HUP

end() {
  if [ -n "$child" ]; then
    kill "$child" 2>/dev/null || :
    wait "$child" || :
  fi
  exit "$1"
}

say() { printf '%s\n' "$*"; }

# duration SECONDS writes a time as people do.
duration() {
  if [ "$1" -lt 100 ]; then printf '%d s' "$1"; else printf '%d min %d s' $(($1 / 60)) $(($1 % 60)); fi
}

# took is how long this has run, with what it was called from.
took() { duration $(($(date +%s) - began)); }

alive_every=20 # seconds

# alive FILE says every alive_every seconds that what runs quietly goes on, with its last line, until the file is gone or the
# shell. It is not killed: a shell may lose a signal that comes right after its start.
alive() {
  alive_began=$(date +%s)
  alive_next=$alive_every
  while sleep 1 >/dev/null 2>&1 && [ -e "$1" ] && kill -0 $$ 2>/dev/null; do
    alive_took=$(($(date +%s) - alive_began))
    [ "$alive_took" -ge "$alive_next" ] || continue
    alive_last=$(tail -n 1 "$scratch/quietly" 2>/dev/null || :)
    say "   $(duration "$alive_took") so far${alive_last:+: $alive_last}"
    alive_next=$((alive_took + alive_every))
  done
}

# quietly runs a command and shows what it says only if it fails; while it runs, that it does.
quietly() {
  : >"$scratch/quietly"
  quietly_runs=$(mktemp "$scratch/runs.XXXXXX")
  alive "$quietly_runs" &
  quietly_status=0
  "$@" >"$scratch/quietly" 2>&1 || quietly_status=$?
  rm -f "$quietly_runs"
  [ "$quietly_status" -ne 0 ] || return 0
  grep -v '^go: downloading ' "$scratch/quietly" || :
  return 1
}

# What steps took the last time, a line for each: seconds, tab, name. The last line of a name counts: parts that run side by
# side add theirs at the same time.
steps=$root/.steps

# usually NAME says what a step takes, as it did here the last time, or else as usual is set by the script.
usually() {
  usually_last=
  [ ! -f "$steps" ] || usually_last=$(awk -F '\t' -v name="$1" '$2 == name { print $1 }' "$steps" | tail -n 1)
  if [ -n "$usually_last" ]; then
    printf ' (%s the last time)' "$(duration "$usually_last")"
  elif [ -n "${usual:-}" ]; then
    printf ' (usually %s)' "$usual"
  fi
}

# remember NAME SECONDS keeps what a step took.
remember() {
  { printf '%s\t%s\n' "$2" "$1" >>"$steps"; } 2>/dev/null || : # a tree that is read only has no memory
}

# forget keeps the last line of each step. No other script may run beside it.
forget() {
  [ -w "$steps" ] || return 0
  awk -F '\t' '{ took[$2] = $0 } END { for (name in took) print took[name] }' "$steps" | sort -t "$(printf '\t')" -k 2 >"$scratch/steps"
  cp "$scratch/steps" "$steps"
}

# cpu sets cpu to how many seconds of it the commands took that this shell has waited for. In a pipe, or in $(…), times would
# tell of another shell.
cpu() {
  times >"$scratch/times"
  cpu=$(awk 'NR == 2 { for (i = 1; i <= 2; i++) { split($i, t, /[ms]/); sum += 60 * t[1] + t[2] } printf "%d\n", sum }' "$scratch/times")
}

# step NAME COMMAND… runs the command; it prints what it usually takes, before, and what it took. $usual says that of
# a first run. A failure ends the script. tools/jobs knows a step by these lines.
step() {
  step_name=$1
  shift
  say "── $step_name …$(usually "$step_name")"
  usual=
  step_began=${RUN_BEGAN:-$(date +%s)}
  cpu
  step_cpu=$cpu
  step_status=0
  "$@" || step_status=$?
  step_took=$(($(date +%s) - step_began))
  if [ "$step_status" -ne 0 ]; then
    say "── $step_name: FAILED after $(duration "$step_took") (status $step_status)"
    exit "$step_status"
  fi
  remember "$step_name" "$step_took"
  cpu
  step_cpu=$((cpu - step_cpu))
  say "── $step_name: $(duration "$step_took")$([ "$step_took" -lt 10 ] || printf ', %s of CPU' "$(duration "$step_cpu")")"
}

# run_jobs ARGUMENT… is tools/jobs, which gets the signals that end this shell.
run_jobs() {
  go -C tools build -o "$scratch/jobs" ./jobs
  "$scratch/jobs" "$@" &
  child=$!
  wait "$child"
  child=
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

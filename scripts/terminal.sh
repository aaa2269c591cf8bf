#!/bin/sh
# Makes docs/terminal.md anew, out of sessions at a real terminal (tmux) with a real Kafka in a container,
# whose broker is killed and started again. Needs tmux, Docker, and a few minutes.
set -eu
. "$(dirname "$0")/lib.sh"

page=docs/terminal.md
pane=epistle-terminal-$$
trap 'tmux kill-session -t "$pane" 2>/dev/null; [ -z "${keeper:-}" ] || kill -INT "$keeper" 2>/dev/null; rm -rf "$scratch"' EXIT

# shot prints what is on the terminal, with the shell's prompt as $.
shot() { tmux capture-pane -p -J -t "$pane" | sed -e 's#/tmp/tmp[.][A-Za-z0-9]*/#/tmp/#g' -e "s#$root/##g" -e 's/[[:space:]]*$//' | sed -e :a -e '/^\n*$/{$d;N;ba' -e '}'; }

# text TITLE… writes a paragraph, block prints a shot as one.
text() { printf '%s\n' "$@" >>"$page"; }
block() { { printf '\n```console\n'; shot; printf '```\n\n'; } >>"$page"; }

type_in() { tmux send-keys -t "$pane" "$1" Enter; }
fresh() {
  type_in clear
  sleep 1
  tmux clear-history -t "$pane"
}

# await TEXT waits until it is on the terminal.
await() {
  for _ in $(seq 180); do
    if shot | grep -qF -- "$1"; then return 0; fi
    sleep 1
  done
  say "not on the terminal within three minutes: $1"
  shot
  exit 1
}

step 'Kafka' sh -c 'setsid make run KEEP=1 >"$0" 2>&1 & for _ in $(seq 300); do grep -q "stays until" "$0" && exit; sleep 1; done; cat "$0"; exit 1' "$scratch/run"
keeper=$(pgrep -f 'bin/withkafka -- sh scripts/run.sh real' | head -n 1)
broker=$(sed -n 's/^The broker at \(.*\) stays until.*/\1/p' "$scratch/run")
container=$(docker ps --filter "publish=${broker##*:}" --format '{{.ID}}')
[ -n "$container" ] || { say "the Kafka at $broker is in no container"; exit 1; }
bin/epistle produce -q -b "$broker" -t orders /dev/null

# What the sessions leave here is theirs.
leftover() { rm -f again.txt again.txt.reasons first.go; }
leftover

tmux new-session -d -s "$pane" -x 120 -y 40 "cd '$root' && PS1='\$ ' exec sh"
mkdir -p docs
: >"$page"
text '# At a terminal' '' \
  'Sessions as they were, with Kafka 4.4.0 in a container. `scripts/terminal.sh` makes this page anew.' '' \
  '## The broker is killed, and comes back' '' \
  'A program writes an order every 50 ms. After some seconds the broker is killed (`docker kill`), and 15 seconds later started again.' \
  'While it is away:'
cat >"$scratch/orders.sh" <<'END'
i=0; while [ $i -lt 600 ]; do i=$((i + 1)); echo "order $i"; sleep 0.05; done
END
fresh
type_in "sh $scratch/orders.sh | bin/epistle produce -b $broker -t orders --failed-to again.txt"
await 'acknowledged'
sleep 4
docker kill "$container" >/dev/null
sleep 12
block
docker start "$container" >/dev/null
text 'And at the end. Nothing was lost, nothing is there twice, and `again.txt` was not left behind:'
await ' failed in '
block


text '## There is no broker' '' 'It is waited for, up to `max.block.ms`, and why is told at once.'
fresh
docker kill "$container" >/dev/null
sleep 1
type_in "seq 3 | bin/epistle produce -b $broker -t orders -X max.block.ms=5000"
await 'nothing was read or sent'
block

text '## The first program of the README, without a broker' '' 'As it stands there, on a machine where nobody listens on port 9092.'
fresh
awk '/^```go$/ { on = 1; next } /^```$/ { if (on) exit } on' README.md >"$scratch/first.go"
cp "$scratch/first.go" first.go
type_in 'go run first.go; echo "exit status $?"'
await 'exit status 1'
sleep 1
block

text '## make run' '' 'The second run on a machine: modules and Kafka were there already.'
kill -INT "$keeper" 2>/dev/null || :
keeper=
fresh
type_in 'make run'
await 'bin/epistle help'
sleep 1
block
leftover
say "$page is made: $(took)"

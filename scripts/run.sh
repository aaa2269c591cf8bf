#!/bin/sh
# The main job: a real file goes through the producer, and another client checks what arrived. On a
# real Kafka where one can be had, else on the broker that is built in. With KEEP=1 the Kafka that was
# started for it stays until Ctrl-C; on a cluster that was there before, the topic stays.
set -eu
. "$(dirname "$0")/lib.sh"

unavailable=69 # withkafka's status where no Kafka can be had

total() { say "── make run: $(took) in all, $1"; }

embedded() {
  say "── No real Kafka: $1."
  say '   The broker that is built in takes its place.'
  bin/epistle demo --quiet
  total 'on the broker that is built in'
  say 'To try now, from this directory:'
  say '  bin/epistle demo -X acks=0'
  say '  bin/epistle help'
}

# cleanup leaves nothing on a cluster that is somebody else's.
cleanup() {
  [ "${theirs:-}" = yes ] && [ "${made:-}" = yes ] || return 0
  made=
  bin/readback -b "$KAFKA_BOOTSTRAP" -t "$topic" -timeout 1m -remove ||
    say "── Topic $topic is still on your cluster; its deletion failed for the reason above."
}

# real runs inside withkafka, which has set KAFKA_BOOTSTRAP.
real() {
  topic=epistle-run-$$-$(date +%s)
  theirs=no made=
  [ "$KAFKA_BOOTSTRAP" != "${RUN_BOOTSTRAP:-}" ] || theirs=yes
  trap 'cleanup; rm -rf "$scratch"' EXIT
  say "── There is a Kafka at $KAFKA_BOOTSTRAP, after $(took) so far."
  say '── Sending a file to it, and comparing offsets'
  made=yes
  bin/epistle demo --quiet -b "$KAFKA_BOOTSTRAP" -t "$topic" --file-out "$scratch/lines"
  say '── Another client (franz-go) reads the topic and compares each record with the file'
  bin/readback -b "$KAFKA_BOOTSTRAP" -t "$topic" -K : "$scratch/lines"
  if [ "$theirs" = yes ] && [ -n "${KEEP:-}" ]; then
    made=
    say "── Topic $topic stays on your cluster (KEEP). To delete it:"
    say "  bin/readback -b $KAFKA_BOOTSTRAP -t $topic -timeout 1m -remove"
  fi
  cleanup
  total "on a real Kafka at $KAFKA_BOOTSTRAP"
  if [ "$theirs" = yes ] || [ -n "${KEEP:-}" ]; then
    say 'To try now, from this directory'"$([ "$theirs" = yes ] || printf ' in another terminal')"':'
    say "  bin/epistle produce -b $KAFKA_BOOTSTRAP -t readme README.md"
    say "  bin/readback -b $KAFKA_BOOTSTRAP -t readme README.md"
    say "  bin/epistle perf -b $KAFKA_BOOTSTRAP -t load -n 100000"
    [ "$theirs" = no ] || say 'They make the topics readme and load there.'
  else
    say 'The broker has ended with this. To try now, from this directory:'
    say '  make run KEEP=1      # the same, and the broker stays until Ctrl-C'
    say '  bin/epistle demo     # on a broker that is built in'
    say '  bin/epistle help'
  fi
  if [ "$theirs" = no ] && [ -n "${KEEP:-}" ]; then
    say "The broker at $KAFKA_BOOTSTRAP stays until you press Ctrl-C here."
    trap 'say "── Stopping the broker"; exit 0' INT TERM
    while :; do sleep 1; done
  fi
}

if [ "${1:-}" = real ]; then
  real
  exit
fi

say '── Building the programs; the first time their modules are downloaded, which takes a minute or two'
quietly go build -o bin/ ./cmd/epistle
if ! quietly go build -C integration -o "$root/bin/" ./cmd/withkafka ./cmd/readback; then
  embedded 'the program that starts one cannot be built here'
  exit
fi
if [ -n "${KAFKA_BOOTSTRAP:-}" ]; then
  say "── Connecting to your cluster at $KAFKA_BOOTSTRAP (KAFKA_BOOTSTRAP)"
else
  say '── Starting a Kafka, in a container or on the JVM: some 20 s; the first time it is downloaded, which takes minutes'
fi
status=0
RUN_BEGAN=$began RUN_BOOTSTRAP=${KAFKA_BOOTSTRAP:-} bin/withkafka -- sh scripts/run.sh real || status=$?
case $status in
  "$unavailable") embedded 'none can be had on this machine, for the reasons above' ;;
  *) exit "$status" ;;
esac

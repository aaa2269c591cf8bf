#!/bin/sh
# The main job: a real file goes through the producer, and another client checks what arrived. On a
# real Kafka where one can be had, else on the broker that is built in.
set -eu
. "$(dirname "$0")/lib.sh"

unavailable=69 # withkafka's status where no Kafka can be had

embedded() {
  say "No real Kafka: $1. The embedded broker takes its place."
  bin/epistle demo
  say "── done in $(($(date +%s) - began)) s, on the embedded broker"
}

# real runs inside withkafka, which has set KAFKA_BOOTSTRAP.
real() {
  topic=epistle-run-$$-$began
  bin/epistle demo -b "$KAFKA_BOOTSTRAP" -t "$topic" --file-out "$scratch/lines"
  say '── readback: another client compares the topic with the file'
  bin/readback -b "$KAFKA_BOOTSTRAP" -t "$topic" -K : "$scratch/lines"
  say "── done in $(($(date +%s) - began)) s, on a real Kafka at $KAFKA_BOOTSTRAP"
}

if [ "${1:-}" = real ]; then
  real
  exit
fi

go build -o bin/ ./cmd/epistle
if ! go build -C integration -o "$root/bin/" ./cmd/withkafka ./cmd/readback; then
  embedded 'withkafka cannot be built here'
  exit
fi
status=0
bin/withkafka -- sh scripts/run.sh real || status=$?
case $status in
  "$unavailable") embedded 'none can be had on this machine, for the reasons above' ;;
  *) exit "$status" ;;
esac

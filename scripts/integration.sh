# The tests against a real Kafka, for test.sh.

# suite KIND VERSION TESTS PACKAGE… runs the integration tests whose names match, on a Kafka of that kind
# ("" = the first that works) and version.
suite() {
  suite_kind=$1 suite_version=$2 suite_tests=$3
  shift 3
  # shellcheck disable=SC2086
  NOTRUN_FILE=$notrun KAFKA_KIND=$suite_kind KAFKA_VERSION=$suite_version \
    go -C integration test $flags -count=1 -p 1 -run "$suite_tests" "$@"
}

# integration_parts lists what can run side by side: each part has brokers of its own.
integration_parts() {
  if [ "${CI:-}" = true ]; then printf 'in_docker\non_jvm\n'; else printf 'on_first\n'; fi
}

integration() {
  for part in $(integration_parts); do "$part"; done
}

# on_first runs everything on the first Kafka that can be had.
on_first() {
  if ! packages integration; then
    not_run 'integration' 'the module has no packages yet'
    return
  fi
  usual='5 to 10 min, and more the first time, when Kafka is downloaded' step 'integration' suite "${KAFKA_KIND:-}" "${KAFKA_VERSION:-}" . ./...
}

# in_docker runs what one cluster of containers at a time is enough for, and what takes brokers of the JVM: containers have no
# listeners but one and no plugins, and what is about those runs there. So does what runs Java's client beside.
in_docker() {
  [ -z "${PREPARED:-}" ] || usual='2 s, and some minutes the first time' step "Docker's engine, with Kafka" prepared
  # shellcheck disable=SC2046
  usual='5 to 10 min' step 'integration: Docker, 4.4.0, all but security, telemetry and metrics' suite docker 4.4.0 . $(go -C integration list ./... | grep -v -e '/security$' -e '/telemetry$' -e '/metrics$')
  usual='2 min' step 'integration: JVM, 4.4.0, security, telemetry and metrics' suite jvm 4.4.0 . ./security ./telemetry ./metrics
  usual='1 min' step 'integration: JVM, 3.9.1, security' suite jvm 3.9.1 . ./security
  usual='1 min' step 'integration: JVM, 4.0.1, send and read' suite jvm 4.0.1 '^TestSendAndRead' .
}

# on_jvm runs what kills brokers on a Kafka that is older. With 4.4.0 that ran in Docker: what the JVM adds there is how a
# process is killed, and that is the same with 3.9.1.
on_jvm() {
  usual='6 min' step 'integration: JVM, 3.9.1, faults and transactions' suite jvm 3.9.1 '^(TestFault|TestTransactions$)' ./faults ./transactions
}

# prepared waits until CI has what it makes ready beside the first steps, and takes the variables that tell where that is:
# the file PREPARED has them, and is there once all is ready.
prepared() {
  [ -n "${PREPARED:-}" ] || return 0
  until [ -f "$PREPARED" ]; do sleep 1; done
  . "$PREPARED"
}

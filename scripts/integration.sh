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

# integration_parts lists what can run side by side: each part has brokers of its own. One after the other is as good.
integration_parts() {
  if [ "${CI:-}" = true ]; then printf 'faults_in_docker\nothers_in_docker\non_jvm\n'; else printf 'on_first\n'; fi
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

# Containers have no listeners but one and no plugins, and what is about those runs on the JVM. So does the test that has Java's
# client beside ours: it needs Maven's jars anyway. Nothing is lost by that: the image has the same release of Kafka on a JVM as
# Maven does, so a listener asks for the same and answers with the same words. What Docker adds is the way there, by forwarded
# ports, and the tests of faults go that way. A listener that proves who one is needs files (stores, keytabs, krb5.conf), and its
# broker a way back to the test's token endpoint and KDC: with containers a test would be about mounts and bridges.
#
# The parts take about the same time. Maven resolves a version for one of them at a time: on_jvm is the first to need 4.4.0 and
# 3.9.1.

faults_in_docker() {
  docker_ready
  usual='6 to 8 min' step 'integration: Docker, 4.4.0, faults' suite docker 4.4.0 . ./faults
  usual='1 min' step 'integration: JVM, 3.9.1, security' suite jvm 3.9.1 . ./security
  usual='15 s' step 'integration: JVM, 4.0.1, send and read' suite jvm 4.0.1 '^TestSendAndRead' .
}

others_in_docker() {
  docker_ready
  # shellcheck disable=SC2046
  usual='6 to 8 min' step 'integration: Docker, 4.4.0, all but faults, security, telemetry and metrics' suite docker 4.4.0 . \
    $(go -C integration list ./... | grep -v -e '/faults$' -e '/security$' -e '/telemetry$' -e '/metrics$')
}

# on_jvm runs also what kills brokers on a Kafka that is older. With 4.4.0 that runs in Docker: what the JVM adds there is how a
# process is killed, and that is the same with 3.9.1.
on_jvm() {
  usual='3 to 4 min' step 'integration: JVM, 4.4.0, security, telemetry and metrics' suite jvm 4.4.0 . ./security ./telemetry ./metrics
  usual='6 to 8 min' step 'integration: JVM, 3.9.1, faults and transactions' suite jvm 3.9.1 '^(TestFault|TestTransactions$)' ./faults ./transactions
}

docker_ready() {
  [ -z "${PREPARED:-}" ] || usual='2 s, and some minutes the first time' step "Docker's engine, with Kafka" prepared
}

# prepared waits until CI has what it makes ready beside the first steps, and takes the variables that tell where that is:
# the file PREPARED has them, and is there once all is ready.
prepared() {
  [ -n "${PREPARED:-}" ] || return 0
  until [ -f "$PREPARED" ]; do sleep 1; done
  . "$PREPARED"
}

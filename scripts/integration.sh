# The tests against a real Kafka, for test.sh.

# suite KIND VERSION TESTS runs the integration tests whose names match, on a Kafka of that kind
# ("" = the first that works) and version.
suite() {
  NOTRUN_FILE=$notrun KAFKA_KIND=$1 KAFKA_VERSION=$2 \
    go -C integration test -count=1 -p 1 -timeout 20m -run "$3" ./...
}

integration() {
  if ! packages integration; then
    not_run 'integration' 'the module has no packages yet'
  elif [ "${CI:-}" = true ]; then
    step 'integration: Docker, 4.4.0, everything' suite docker 4.4.0 .
    step 'integration: JVM, 4.4.0, faults' suite jvm 4.4.0 '^TestFault'
    step 'integration: JVM, 3.9.1, faults and transactions' suite jvm 3.9.1 '^(TestFault|TestTransactions$)'
    step 'integration: JVM, 4.0.1, send and read' suite jvm 4.0.1 '^TestSendAndRead'
  else
    step 'integration' suite "${KAFKA_KIND:-}" "${KAFKA_VERSION:-}" .
  fi
}

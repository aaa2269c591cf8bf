# The tests against a real Kafka, for test.sh.

# suite KIND VERSION TESTS PACKAGE… runs the integration tests whose names match, on a Kafka of that kind
# ("" = the first that works) and version.
suite() {
  suite_kind=$1 suite_version=$2 suite_tests=$3
  shift 3
  NOTRUN_FILE=$notrun KAFKA_KIND=$suite_kind KAFKA_VERSION=$suite_version \
    go -C integration test -count=1 -p 1 -timeout 20m -run "$suite_tests" "$@"
}

integration() {
  if ! packages integration; then
    not_run 'integration' 'the module has no packages yet'
  elif [ "${CI:-}" = true ]; then
    # Containers have no listeners but one: what is about others runs on the JVM.
    # shellcheck disable=SC2046
    usual='5 to 10 min' step 'integration: Docker, 4.4.0, all but security' suite docker 4.4.0 . $(go -C integration list ./... | grep -v '/security$')
    usual='1 min' step 'integration: JVM, 4.4.0, security' suite jvm 4.4.0 . ./security
    usual='1 min' step 'integration: JVM, 3.9.1, security' suite jvm 3.9.1 . ./security
    usual='5 min' step 'integration: JVM, 4.4.0, faults' suite jvm 4.4.0 '^TestFault' ./...
    usual='6 min' step 'integration: JVM, 3.9.1, faults and transactions' suite jvm 3.9.1 '^(TestFault|TestTransactions$)' ./faults ./transactions
    usual='1 min' step 'integration: JVM, 4.0.1, send and read' suite jvm 4.0.1 '^TestSendAndRead' .
  else
    usual='5 to 10 min, and more the first time, when Kafka is downloaded' step 'integration' suite "${KAFKA_KIND:-}" "${KAFKA_VERSION:-}" . ./...
  fi
}

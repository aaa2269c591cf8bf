// Package kafka gives a test or a command a real Apache Kafka: one broker or several, by the first of
// these that works, unless KAFKA_KIND names one of them:
//
//   - bootstrap: the cluster that KAFKA_BOOTSTRAP names, which is never killed or reconfigured;
//   - docker: containers of apache/kafka, through testcontainers-go;
//   - jvm: processes of this machine, with Kafka's own jars, which Maven resolves once and which are
//     then kept in the user's cache directory.
//
// KAFKA_VERSION chooses the version, 4.4.0 by default. Everything listens on 127.0.0.1 alone, on ports
// chosen before the first start, so that a broker comes back at its old address.
//
// Every broker is a voter of the controller quorum as well, so of three any one may be gone. What runs
// here ends with the process that started it, whatever ended that: see [reaper].
//
// The package is no client: what the cluster holds is read and changed through package reader.
package kafka

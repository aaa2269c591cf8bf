#!/bin/sh
# Records the golden data again from the classes of Kafka's own client. Needs a JDK and Maven.
set -eu
. "$(dirname "$0")/lib.sh"

VERSION=4.4.0

cat >"$scratch/pom.xml" <<EOP
<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
  <groupId>local</groupId><artifactId>golden</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>$VERSION</version></dependency>
  </dependencies></project>
EOP

# java_program DIRECTORY CLASS ARGUMENT… compiles the directory's sources and runs one of them.
java_program() {
  sources=$1
  class=$2
  shift 2
  javac -nowarn -encoding UTF-8 -cp "$scratch/jars/*" -d "$scratch/$class" "$sources"/*.java >&2
  java -Dfile.encoding=UTF-8 -cp "$scratch/$class:$scratch/jars/*" "$class" "$@" 2>"$scratch/java.log" ||
    { cat "$scratch/java.log" >&2; return 1; }
}

messages() { java_program protocol/testdata/java/golden Golden protocol/testdata/golden; }
batches() { java_program protocol/testdata/java/batches Batches protocol/testdata/batches; }
error_codes() { java_program protocol/testdata/java/errorcodes ErrorCodes >"$scratch/out" && cp "$scratch/out" protocol/testdata/errorcodes/errorcodes.txt; }
murmur2() { java_program partition/testdata Murmur2Vectors >"$scratch/out" && cp "$scratch/out" partition/testdata/murmur2.txt; }
producer_vectors() { java_program producer/testdata/java ProducerVectors producer/testdata; }
login_vectors() { java_program producer/testdata/java LoginVectors producer/testdata; }

step "jars of kafka-clients $VERSION" mvn -q -B -f "$scratch/pom.xml" dependency:copy-dependencies -DoutputDirectory="$scratch/jars"
step 'messages' messages
step 'record batches' batches
step 'error codes' error_codes
step 'murmur2' murmur2
step 'producer settings' producer_vectors
step 'logins and config providers' login_vectors

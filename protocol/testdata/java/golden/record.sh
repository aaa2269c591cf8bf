#!/bin/sh
# Records the golden vectors again: record.sh [DIRECTORY]. Needs JDK 17 and Maven; leaves files in target/ and DIRECTORY only.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=${1:-$here/../../golden}
mkdir -p "$here/target" "$out"
out=$(cd "$out" && pwd)
cd "$here"
mvn -q -B dependency:build-classpath -Dmdep.outputFile=target/classpath
classpath=$(cat target/classpath)
rm -rf target/classes
javac -Xlint:all -Werror --release 17 -proc:none -d target/classes -cp "$classpath" *.java
java -cp "target/classes:$classpath" Golden "$out"

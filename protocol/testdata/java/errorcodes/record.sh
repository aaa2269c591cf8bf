#!/bin/sh
# Records testdata/errorcodes again: record.sh [DIRECTORY]. Needs JDK 17 and Maven; leaves files in target/ and DIRECTORY only.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=${1:-$here/../../errorcodes}
mkdir -p "$here/target" "$out"
out=$(cd "$out" && pwd)
cd "$here"
mvn -q -B -f ../golden/pom.xml dependency:build-classpath -Dmdep.outputFile="$here/target/classpath"
classpath=$(cat target/classpath)
rm -rf target/classes
javac -Xlint:all -Werror --release 17 -proc:none -d target/classes -cp "$classpath" ErrorCodes.java
java -cp "target/classes:$classpath" ErrorCodes >"$out/errorcodes.txt"

package kafka

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// jars is the directory with Kafka's jars of one version. Maven fills it on the first call, into the
// user's cache, where it stays.
func (o Options) jars(ctx context.Context) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, "epistle-integration", "kafka-"+o.Version)
	if _, err := os.Stat(filepath.Join(dir, "kafka_2.13-"+o.Version+".jar")); err == nil {
		return dir, nil
	}
	maven, err := exec.LookPath("mvn")
	if err != nil {
		return "", unavailable("Kafka's jars are not in %s, and there is no Maven to fetch them", dir)
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return "", err
	}
	// Filled beside and renamed, so that two at once do not see each other's halves.
	filling, err := os.MkdirTemp(filepath.Dir(dir), "filling-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(filling)
	if err := os.WriteFile(filepath.Join(filling, "pom.xml"), fmt.Appendf(nil, pom, o.Version), 0o644); err != nil {
		return "", err
	}
	o.logf("Maven resolves the jars of Kafka %s, once", o.Version)
	began := time.Now()
	defer o.keepTelling("Maven resolves the jars")()
	cmd := exec.CommandContext(ctx, maven, "-q", "-B", "-f", filepath.Join(filling, "pom.xml"),
		"dependency:copy-dependencies", "-DoutputDirectory="+filepath.Join(filling, "jars"))
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", unavailable("Maven cannot resolve Kafka %s: %w: %s", o.Version, err, tail(string(out), 5))
	}
	o.logf("%s holds them after %s", dir, time.Since(began).Round(100*time.Millisecond))
	if err := os.Rename(filepath.Join(filling, "jars"), dir); err != nil && !errors.Is(err, os.ErrExist) {
		return "", err
	}
	return dir, nil
}

// pom names what a broker needs. Without a binding of slf4j a broker that cannot start says nothing.
const pom = `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
  <groupId>local</groupId><artifactId>kafka-broker</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>%s</version></dependency>
    <dependency><groupId>org.apache.logging.log4j</groupId><artifactId>log4j-slf4j-impl</artifactId><version>2.25.4</version></dependency>
  </dependencies>
</project>
`

// log4j writes everything of interest to standard output.
const log4j = `<Configuration status="warn">
  <Appenders><Console name="out"><PatternLayout pattern="[%d] %p %m (%c)%n"/></Console></Appenders>
  <Loggers><Root level="info"><AppenderRef ref="out"/></Root></Loggers>
</Configuration>
`

// JavaClient returns a java program and the class path of Kafka's own client, of version or the default.
func JavaClient(ctx context.Context, version string) (java, classpath string, err error) {
	if version == "" {
		version = DefaultVersion
	}
	if java, err = findJava(); err != nil {
		return "", "", err
	}
	jars, err := Options{Version: version, Log: io.Discard}.jars(ctx)
	if err != nil {
		return "", "", err
	}
	return java, filepath.Join(jars, "*"), nil
}

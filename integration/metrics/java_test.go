package metrics

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/integration/kafka"
	"github.com/epistle-kafka/epistle/producer"
)

// javas is Java's producer, in a process of its own that testdata/Client.java describes.
type javas struct {
	in      io.Writer
	answers chan string // its lines; closed when it has ended
	stderr  *strings.Builder
}

// log4j writes warnings to standard error: standard output has the answers.
const log4j = `<Configuration status="error">
  <Appenders><Console name="err" target="SYSTEM_ERR"><PatternLayout pattern="[%d] %p %m (%c)%n"/></Console></Appenders>
  <Loggers><Root level="warn"><AppenderRef ref="err"/></Root></Loggers>
</Configuration>
`

// startJava compiles and starts it. Where there is no JDK the test is put on the list of those not run. It ends with the test.
func startJava(t *testing.T, file string) *javas {
	t.Helper()
	javac, err := exec.LookPath("javac")
	if home := os.Getenv("JAVA_HOME"); home != "" && err != nil {
		javac, err = exec.LookPath(filepath.Join(home, "bin", "javac"))
	}
	if err != nil {
		kafka.NotRun(t, "there is no javac to compile a program with Java's producer with")
	}
	java, jars, err := kafka.JavaClient(t.Context(), kafka.DefaultVersion)
	if errors.Is(err, kafka.ErrUnavailable) {
		kafka.NotRun(t, err.Error())
	}
	do(t, err)
	classes := t.TempDir()
	compile := exec.CommandContext(t.Context(), javac, "-nowarn", "-encoding", "UTF-8", "-cp", jars, "-d", classes, "testdata/Client.java")
	if out, err := compile.CombinedOutput(); err != nil {
		t.Fatalf("javac: %v\n%s", err, out)
	}
	c := &javas{answers: make(chan string, 1000), stderr: new(strings.Builder)}
	logging := filepath.Join(classes, "log4j2.xml")
	do(t, os.WriteFile(logging, []byte(log4j), 0o600))
	cmd := exec.Command(java, "-Xmx256m", "-XX:+UseSerialGC", "-Dlog4j2.configurationFile="+logging, "-cp", classes+string(os.PathListSeparator)+jars, "Client", file)
	cmd.Stderr = c.stderr
	in, err := cmd.StdinPipe()
	do(t, err)
	c.in = in
	out, err := cmd.StdoutPipe()
	do(t, err)
	do(t, cmd.Start())
	read := make(chan struct{})
	go func() { // ends with the process
		for lines := bufio.NewScanner(out); lines.Scan(); {
			c.answers <- lines.Text()
		}
		close(c.answers)
		close(read)
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		for range c.answers { // nobody wants them any more
		}
		<-read
		_ = cmd.Wait() // it says that it was killed
		if t.Failed() {
			t.Logf("Java says:\n%s", c.stderr)
		}
	})
	return c
}

// tell has it do something, and returns the lines of its answer.
func (c *javas) tell(ctx context.Context, words ...string) (lines []string, err error) {
	if _, err := io.WriteString(c.in, strings.Join(words, "\t")+"\n"); err != nil {
		return nil, fmt.Errorf("Java has ended: %w", err)
	}
	for {
		select {
		case line, ok := <-c.answers:
			switch {
			case !ok:
				return nil, fmt.Errorf("Java has ended in %s", words[0])
			case line == "done":
				return lines, nil
			}
			lines = append(lines, line)
		case <-ctx.Done():
			return nil, fmt.Errorf("Java's answer to %s did not come: %w", words[0], context.Cause(ctx))
		}
	}
}

func (c *javas) name() string { return java }

func (c *javas) open(ctx context.Context, settings map[string]string) error {
	words := []string{"open"}
	for _, key := range slices.Sorted(maps.Keys(settings)) {
		words = append(words, key+"="+settings[key])
	}
	_, err := c.tell(ctx, words...)
	return err
}

func (c *javas) send(ctx context.Context, topic string, first, last int64) error {
	_, err := c.tell(ctx, "send", topic, fmt.Sprint(first), fmt.Sprint(last))
	return err
}

func (c *javas) flush(ctx context.Context) (acknowledged, failed int64, err error) {
	lines, err := c.tell(ctx, "flush")
	if err != nil {
		return 0, 0, err
	}
	_, err = fmt.Sscan(strings.Join(lines, " "), &acknowledged, &failed)
	return acknowledged, failed, err
}

// metrics returns what Java gives once it has all of its memory back: it calls back, and lets flush return, before it frees a
// batch. Memory that has not come back within ten seconds is lost.
func (c *javas) metrics(ctx context.Context) (all []producer.JavaMetric, err error) {
	for range 200 {
		if all, err = c.metricsNow(ctx); err != nil {
			return nil, err
		}
		o := outcome{metrics: all}
		if o.read(ofProducer, "buffer-available-bytes").sum == bufferMemory {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	return all, nil
}

func (c *javas) metricsNow(ctx context.Context) (all []producer.JavaMetric, err error) {
	lines, err := c.tell(ctx, "metrics")
	for _, line := range lines {
		words := strings.Split(line, "\t")
		if len(words) != 5 {
			return nil, fmt.Errorf("what is this line: %q", line)
		}
		m := producer.JavaMetric{Group: words[1], Name: words[2], Tags: map[string]string{}}
		for pair := range strings.SplitSeq(strings.Trim(words[3], "{}"), ", ") {
			if key, value, ok := strings.Cut(pair, "="); ok {
				m.Tags[key] = value
			}
		}
		if m.Value, err = strconv.ParseFloat(words[4], 64); err != nil {
			return nil, err
		}
		if !math.IsNaN(m.Value) { // an average of nothing
			all = append(all, m)
		}
	}
	return all, err
}

func (c *javas) close(ctx context.Context) error {
	_, err := c.tell(ctx, "close")
	return err
}

package telemetry

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/integration/kafka"
)

// A push is what the receiver has written of one.
type push struct {
	client, instance string
	last             bool
	size             int // bytes, decompressed
	resource         []string
	points           []point
}

// A point is one value of it. Times are since 1970.
type point struct {
	name, kind, attributes string
	value                  float64
	start, at              time.Duration
}

// A site is a broker with a receiver of metrics.
type site struct {
	*kafka.Cluster
	directory string // where the receiver writes
	classes   string // where the classes of testdata are
	java      string
	classpath string // of those classes, with Kafka's
}

// open starts a broker of the JVM with the receiver. Where there is none, or no compiler, the test is put on the list of those
// not run.
func open(t *testing.T) *site {
	t.Helper()
	if kind := os.Getenv("KAFKA_KIND"); kind != "" && kind != "jvm" {
		kafka.NotRun(t, "the receiver of metrics is a class in the broker, which "+kind+" does not get here")
	}
	javac, err := exec.LookPath("javac")
	if home := os.Getenv("JAVA_HOME"); home != "" && err != nil {
		javac, err = exec.LookPath(filepath.Join(home, "bin", "javac"))
	}
	if err != nil {
		kafka.NotRun(t, "there is no javac to compile the receiver of metrics with")
	}
	// The receiver's interfaces are those of 4.4, so no older Kafka will do.
	java, jars, err := kafka.JavaClient(t.Context(), kafka.DefaultVersion)
	if errors.Is(err, kafka.ErrUnavailable) {
		kafka.NotRun(t, err.Error())
	} else if err != nil {
		t.Fatal(err)
	}
	s := &site{directory: t.TempDir(), classes: t.TempDir(), java: java}
	sources, err := filepath.Glob("testdata/*.java")
	if err != nil || len(sources) == 0 {
		t.Fatalf("no sources: %v", err)
	}
	s.classpath = s.classes + string(os.PathListSeparator) + jars
	compile := exec.CommandContext(t.Context(), javac, append([]string{"-nowarn", "-encoding", "UTF-8", "-cp", jars, "-d", s.classes}, sources...)...)
	if out, err := compile.CombinedOutput(); err != nil {
		t.Fatalf("javac: %v\n%s", err, out)
	}
	s.Cluster = kafka.New(t, kafka.Options{
		Version: kafka.DefaultVersion, ClassPath: []string{s.classes}, JVM: []string{"-Dreceiver.directory=" + s.directory},
		Config: map[string]string{"metric.reporters": "Receiver"},
	})
	return s
}

// pushes returns what has come from a client so far, the oldest first.
func (s *site) pushes(t *testing.T, client string) (all []push) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(s.directory, "*.txt"))
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(files)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		p, err := parse(string(text))
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		if p.client == client {
			all = append(all, p)
		}
	}
	return all
}

// await returns the pushes of a client once done says that there are enough.
func (s *site) await(t *testing.T, client string, done func([]push) bool) []push {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for {
		all := s.pushes(t, client)
		if done(all) {
			return all
		}
		select {
		case <-ctx.Done():
			t.Fatalf("after a minute there are %d pushes of %s, and some are missing", len(all), client)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func parse(text string) (p push, err error) {
	for line := range strings.Lines(text) {
		words := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		switch {
		case words[0] == "push" && len(words) == 6:
			p.client, p.instance, p.last = words[1], words[2], words[3] == "true"
			p.size, err = strconv.Atoi(words[5])
		case words[0] == "resource" && len(words) == 2:
			p.resource = append(p.resource, words[1])
		case words[0] == "point" && len(words) == 7:
			var start, at int64
			q := point{name: words[1], kind: words[2], attributes: words[3]}
			q.value, err = strconv.ParseFloat(words[4], 64)
			if err == nil {
				start, err = strconv.ParseInt(words[5], 10, 64)
			}
			if err == nil {
				at, err = strconv.ParseInt(words[6], 10, 64)
			}
			q.start, q.at = time.Duration(start), time.Duration(at)
			p.points = append(p.points, q)
		default:
			err = fmt.Errorf("what is this line: %q", line)
		}
		if err != nil {
			return p, err
		}
	}
	return p, nil
}

// of returns the values of a metric, by their attributes.
func (p *push) of(name string) map[string]float64 {
	values := map[string]float64{}
	for _, q := range p.points {
		if q.name == name {
			values[q.attributes] += q.value
		}
	}
	return values
}

// sum is the value of a metric over all pushes and all attributes.
func sum(pushes []push, name string) (total float64) {
	for i := range pushes {
		for _, v := range pushes[i].of(name) {
			total += v
		}
	}
	return total
}

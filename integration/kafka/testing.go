package kafka

import (
	"context"
	"errors"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
)

// openTimeout bounds what a test waits for its cluster, downloads included.
const openTimeout = 10 * time.Minute

// shared is the cluster of one broker that the tests of a process share, or why there is none.
var shared = sync.OnceValues(func() (*Cluster, error) {
	ctx, cancel := context.WithTimeout(context.Background(), openTimeout)
	defer cancel()
	return Open(ctx, Options{})
})

// Shared is a cluster of one broker that all tests of the process share; it starts with the first
// call and ends with the process. A test uses topics of its own there, and leaves the broker and its
// configuration as they are. Where no Kafka can be had the test is put on the list of those not run.
func Shared(t testing.TB) *Cluster {
	t.Helper()
	c, err := shared()
	need(t, err)
	t.Cleanup(func() { showLogs(t, c) })
	return c
}

// New starts a cluster for this test alone, which may kill its brokers, and ends it with the test.
// Where none can be had, an existing cluster of KAFKA_BOOTSTRAP included, the test is put on the list
// of those not run.
func New(t testing.TB, o Options) *Cluster {
	t.Helper()
	o.Own = true
	ctx, cancel := context.WithTimeout(t.Context(), openTimeout)
	defer cancel()
	c, err := Open(ctx, o)
	need(t, err)
	t.Cleanup(func() {
		showLogs(t, c)
		if err := c.Close(); err != nil {
			t.Errorf("end the cluster: %v", err)
		}
	})
	return c
}

// need ends the test if there is no cluster: as not run if none can be had, as failed otherwise.
func need(t testing.TB, err error) {
	t.Helper()
	if errors.Is(err, ErrUnavailable) {
		NotRun(t, err.Error())
	}
	if err != nil {
		t.Fatal(err)
	}
}

// notRun guards the file that NOTRUN_FILE names, within this process.
var notRun sync.Mutex

// NotRun ends a test that cannot be run here, and says so: in the test's output, and in a line of the
// file that NOTRUN_FILE names, of which `make test` prints what is in it at its end. It is for what
// the machine or the cluster lacks, never for what fails.
func NotRun(t testing.TB, why string) {
	t.Helper()
	if name := os.Getenv("NOTRUN_FILE"); name != "" {
		if err := appendLine(name, t.Name()+": "+oneLine.Replace(why)); err != nil {
			t.Fatalf("not run (%s), and that cannot be noted: %v", why, err)
		}
	}
	t.Skip("not run: " + why)
}

// oneLine joins reasons, which have a line each.
var oneLine = strings.NewReplacer(":\n  ", ": ", "\n  ", "; ", "\n", " ")

func appendLine(name, line string) error {
	notRun.Lock()
	defer notRun.Unlock()
	f, err := os.OpenFile(name, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = f.WriteString(line + "\n")
	return errors.Join(err, f.Close())
}

// showLogs puts what the brokers have warned of under a failed test.
func showLogs(t testing.TB, c *Cluster) {
	if !t.Failed() || !c.CanKill() {
		return
	}
	for i := range c.Brokers() {
		var warnings strings.Builder
		for line := range strings.Lines(c.Logs(i)) {
			if !strings.Contains(line, "] INFO ") {
				warnings.WriteString(line)
			}
		}
		t.Logf("the last warnings of broker %d:\n%s", i, tail(warnings.String(), 40))
	}
}

package kafka

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/internal/notrun"
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

// NotRun ends a test that cannot be run here, and has it on the list with which `make test` ends.
func NotRun(t testing.TB, why string) {
	t.Helper()
	notrun.Skip(t, why)
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

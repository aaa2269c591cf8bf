package security

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/integration/kafka"
	"github.com/epistle-kafka/epistle/integration/reader"
	"github.com/epistle-kafka/epistle/producer"
)

// patience is how long anything here may take on a machine that is busy with other things.
const patience = 2 * time.Minute

// soon is a context that ends with the test or when patience does.
func soon(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

// do ends the test if there is an error.
func do(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// need is do; but what cannot be had here puts the test on the list of those not run.
func need(t *testing.T, err error) {
	t.Helper()
	if errors.Is(err, kafka.ErrUnavailable) {
		kafka.NotRun(t, err.Error())
	}
	do(t, err)
}

// tool runs one of the programs by which stores are made. Where it is missing the test is put on the list of those not run.
func tool(t *testing.T, name string, args ...string) {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		kafka.NotRun(t, "there is no "+name)
	}
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s %q: %v\n%s", name, args, err, out)
	}
}

// A change is what a test sets besides the defaults.
type change = func(*producer.Config)

// start makes a producer of a listener. It is closed with the test.
func (s *site) start(t *testing.T, listener string, changes ...change) *producer.Producer {
	t.Helper()
	cfg := producer.DefaultConfig(s.Listener(0, listener))
	for _, f := range changes {
		f(&cfg)
	}
	p, err := producer.New(cfg)
	do(t, err)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := p.Close(ctx); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return p
}

// topic makes a topic of one partition, which is deleted with the test.
func (s *site) topic(t *testing.T) string {
	t.Helper()
	admin, err := reader.NewAdmin(s.Bootstrap())
	do(t, err)
	t.Cleanup(admin.Close)
	legal := strings.NewReplacer("/", "-", "_", "-", " ", "-", "#", "-", ",", "-")
	name := fmt.Sprintf("%s-%d", legal.Replace(t.Name()), time.Now().UnixNano())
	do(t, admin.CreateTopic(soon(t), name, 1, -1, nil))
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if _, err := admin.Client().DeleteTopic(ctx, name); err != nil {
			t.Logf("topic %s stays: %v", name, err)
		}
	})
	return name
}

// delivers demands that records arrive by a listener, each once and in order, as another client reads them by plaintext.
func (s *site) delivers(t *testing.T, listener string, changes ...change) *producer.Producer {
	t.Helper()
	topic, p, ctx := s.topic(t), s.start(t, listener, changes...), soon(t)
	const count = 200
	failed := make(chan error, count)
	for n := range count {
		p.SendFunc(ctx, producer.Record{Topic: topic, Value: fmt.Append(nil, n)}, func(_ producer.RecordMetadata, err error) { failed <- err })
	}
	do(t, p.Flush(ctx))
	for range count {
		do(t, <-failed)
	}
	s.holds(t, topic, count)
	return p
}

// holds demands that a topic has the numbers below count, each once and in order.
func (s *site) holds(t *testing.T, topic string, count int) {
	t.Helper()
	next := 0
	err := reader.Stream(soon(t), s.Bootstrap(), topic, reader.Options{}, func(r *reader.Record) error {
		if got := string(r.Value); got != fmt.Sprint(next) {
			return fmt.Errorf("offset %d has record %s, want %d", r.Offset, got, next)
		}
		next++
		return nil
	})
	do(t, err)
	if next != count {
		t.Fatalf("the topic has %d records, want %d", next, count)
	}
}

// trusting verifies brokers by the authority that has issued their certificates.
func (s *site) trusting(cfg *producer.Config) {
	cfg.TLSFiles = &producer.TLSFiles{TrustStore: s.authority.Path("authority.pem")}
}

// Package transactions_test runs transactions on one real broker, in the protocol that its transaction.version asks for,
// and has an independent client that reads committed records only compare what is visible with what was said.
package transactions_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/integration/kafka"
	"github.com/epistle-kafka/epistle/integration/reader"
	"github.com/epistle-kafka/epistle/producer"
)

// patience is how long anything here may take on a machine that is busy with other things.
const patience = 2 * time.Minute

// A site is a cluster, and what tests ask of it besides transactions.
type site struct {
	cluster *kafka.Cluster
	admin   *reader.Admin
}

func newSite(t *testing.T, c *kafka.Cluster) *site {
	t.Helper()
	admin, err := reader.NewAdmin(c.Bootstrap())
	do(t, err)
	t.Cleanup(admin.Close)
	return &site{c, admin}
}

// version is the level of transaction.version that the cluster has finalised.
func (s *site) version(t *testing.T) int16 {
	t.Helper()
	features, err := s.admin.Features(soon(t), transactionVersion)
	do(t, err)
	for _, f := range features {
		return f.Finalised
	}
	t.Fatal("the cluster has no brokers")
	return 0
}

const transactionVersion = "transaction.version"

// newProtocol says whether transactions are in that of KIP-890.
func (s *site) newProtocol(t *testing.T) bool { return s.version(t) >= 2 }

// topics makes topics of three partitions that nobody else uses, and deletes them with the test.
func (s *site) topics(t *testing.T, n int) []string {
	t.Helper()
	var names []string
	for i := range n {
		name := fmt.Sprintf("%s-%d", unique(t), i)
		do(t, s.admin.CreateTopic(soon(t), name, 3, -1, nil))
		names = append(names, name)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if _, err := s.admin.Client().DeleteTopics(ctx, names...); err != nil {
			t.Logf("topics %v stay: %v", names, err)
		}
	})
	return names
}

// unique is a name that no other test or run uses: of a topic, a group or a transactional id.
func unique(t *testing.T) string {
	legal := func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '-':
			return r
		}
		return '-'
	}
	return fmt.Sprintf("%s-%d", strings.Map(legal, t.Name()), time.Now().UnixNano())
}

// make makes a producer, which is closed with the test. It has not called InitTransactions.
func (s *site) make(t *testing.T, id string, change ...func(*producer.Config)) *producer.Producer {
	t.Helper()
	cfg := producer.ExactlyOnce(id, strings.Split(s.cluster.Bootstrap(), ",")...)
	for _, f := range change {
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
		if n := p.Stats().BufferedBytes; n != 0 {
			t.Errorf("after Close %d bytes of buffer.memory are in use, want 0", n)
		}
	})
	return p
}

// start makes a producer that is ready for its first transaction.
func (s *site) start(t *testing.T, change ...func(*producer.Config)) *producer.Producer {
	t.Helper()
	p := s.make(t, unique(t), change...)
	do(t, p.InitTransactions(soon(t)))
	return p
}

// soon is a context that ends with the test or when patience does.
func soon(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

// await asks again until there is nothing lacking, which what is told says.
func await(t *testing.T, lacking func(context.Context) string) {
	t.Helper()
	for ctx := soon(t); ; {
		what := lacking(ctx)
		if what == "" {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("%v: %s", ctx.Err(), what)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func do(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// failure is the TransactionError in err, or the end of the test.
func failure(t *testing.T, call string, err error) *producer.TransactionError {
	t.Helper()
	var found *producer.TransactionError
	if !errors.As(err, &found) {
		t.Fatalf("%s: the error is %v (%T), want a TransactionError in it", call, err, err)
	}
	return found
}

// expectFenced demands the error that is final.
func expectFenced(t *testing.T, call string, err error) {
	t.Helper()
	if !errors.Is(err, producer.ErrFenced) {
		t.Fatalf("%s: the error is %v, want ErrFenced in it", call, err)
	}
	if next := failure(t, call, err).Next; next != producer.NextNewProducer {
		t.Errorf("%s: what to do next is %q, want %q: %v", call, next, producer.NextNewProducer, err)
	}
}

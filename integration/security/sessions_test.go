package security

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/sasl"
)

// underLoad is how long each producer sends: some sessions.
const underLoad = 6 * shortSession

// Sessions end while a producer is sending, again and again, and its records do not notice: none fails, none is doubled, and
// they keep their order.
func TestSessionsEndUnderLoad(t *testing.T) {
	t.Parallel()
	s := broker(t)
	for _, c := range []struct {
		name, listener string
		login          change
	}{
		{"PLAIN", onShort, by(sasl.Plain("alice", password))},
		{"SCRAM-SHA-512", onShort, by(sasl.ScramSHA512("alice", password))},
		{"OAUTHBEARER", onTokens, s.byTokens(fmt.Sprintf("/token?life=%v", shortSession))}, // the token's life is the session's
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s.sessionsEnd(t, c.listener, c.login, underLoad, 4)
		})
	}
}

// sessionsEnd demands that records do not notice how sessions end while they are sent for that long, that often at least.
func (s *site) sessionsEnd(t *testing.T, listener string, login change, long time.Duration, often int64) {
	t.Helper()
	topic, p, ctx := s.topic(t), s.start(t, listener, login), soon(t)
	count, failed := load(ctx, p, topic, long)
	do(t, p.Flush(ctx))
	if err := failed.Load(); err != nil {
		t.Errorf("a record failed: %v", *err)
	}
	stats := p.Stats()
	t.Logf("%d records, %d re-authentications, %d retried", count, stats.Reauthentications, stats.Retried)
	if stats.Failed > 0 || stats.Acknowledged != int64(count) || stats.LastError != nil {
		t.Errorf("the counters are %+v, want %d sent and acknowledged", stats, count)
	}
	if stats.Reauthentications < often {
		t.Errorf("%d re-authentications in %v, in sessions of %v", stats.Reauthentications, long, shortSession)
	}
	s.holds(t, topic, count)
}

// load sends numbers, a few each millisecond, for that long. It returns how many, and the first error of a record.
func load(ctx context.Context, p *producer.Producer, topic string, long time.Duration) (count int, failed *atomic.Pointer[error]) {
	failed = &atomic.Pointer[error]{}
	callback := func(_ producer.RecordMetadata, err error) {
		if err != nil {
			failed.CompareAndSwap(nil, &err)
		}
	}
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for began := time.Now(); time.Since(began) < long; <-tick.C {
		p.SendFunc(ctx, producer.Record{Topic: topic, Value: fmt.Append(nil, count)}, callback)
		count++
	}
	return count, failed
}

package sender

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/protocol"
	"github.com/epistle-kafka/epistle/sasl"
	"github.com/epistle-kafka/epistle/txn"
	"github.com/epistle-kafka/epistle/wire"
)

// A window has what came in this slot and in the one before.
func TestWindowsForget(t *testing.T) {
	now := time.Unix(0, 0)
	s := slots{began: now}
	var r rate
	var l level
	check := func(after time.Duration, perSecond, avg, most float64, some bool) {
		t.Helper()
		now = time.Unix(0, 0).Add(after)
		s.pass(now)
		if got := r.perSecond(&s, now); got != perSecond {
			t.Errorf("after %v: %v a second, want %v", after, got, perSecond)
		}
		if got := l.window(&s); got != (Window{avg, most, some}) {
			t.Errorf("after %v: %+v, want %v, %v, %v", after, got, avg, most, some)
		}
	}
	add := func(n int64) {
		r.add(s.number, n)
		l.add(s.number, float64(n))
	}
	check(0, 0, 0, 0, false)
	add(30)
	add(60)
	check(0, 3, 45, 60, true)
	check(15*time.Second, 2, 45, 60, true)
	check(30*time.Second, 3, 45, 60, true) // a slot of its own, and nothing in it yet
	add(-90)
	check(30*time.Second, 0, 0, 60, true)
	check(60*time.Second, -3, -90, -90, true)
	check(10*time.Minute, 0, 0, 0, false)
	add(30)
	check(10*time.Minute+30*time.Second, 1, 30, 30, true)
}

// A value belongs to the first bucket whose bound it does not exceed.
func TestBuckets(t *testing.T) {
	for _, tt := range []struct {
		scale  Scale
		put    func(*Histogram)
		bucket int
	}{
		{Times, func(h *Histogram) { h.time(-time.Second, 1) }, 0},
		{Times, func(h *Histogram) { h.time(0, 1) }, 0},
		{Times, func(h *Histogram) { h.time(122070, 1) }, 0}, // a bound is 122,070.3125 ns
		{Times, func(h *Histogram) { h.time(122071, 1) }, 1},
		{Times, func(h *Histogram) { h.time(time.Millisecond, 1) }, 4},
		{Times, func(h *Histogram) { h.time(1953125, 1) }, 4}, // and this one, too: 1/512 s
		{Times, func(h *Histogram) { h.time(1953126, 1) }, 5},
		{Times, func(h *Histogram) { h.time(time.Second, 1) }, 13},
		{Times, func(h *Histogram) { h.time(time.Second+1, 1) }, 14},
		{Times, func(h *Histogram) { h.time(128*time.Second, 1) }, 20},
		{Times, func(h *Histogram) { h.time(128*time.Second+1, 1) }, 21},
		{Times, func(h *Histogram) { h.time(math.MaxInt64, 1) }, 21},
		{Bytes, func(h *Histogram) { h.size(1) }, 0},
		{Bytes, func(h *Histogram) { h.size(64) }, 0},
		{Bytes, func(h *Histogram) { h.size(65) }, 1},
		{Bytes, func(h *Histogram) { h.size(16 << 20) }, 18},
		{Bytes, func(h *Histogram) { h.size(16<<20 + 1) }, 19},
		{Records, func(h *Histogram) { h.records(1) }, 0},
		{Records, func(h *Histogram) { h.records(2) }, 1},
		{Records, func(h *Histogram) { h.records(3) }, 2},
		{Records, func(h *Histogram) { h.records(65537) }, 17},
		{Ratios, func(h *Histogram) { h.ratio(1, 1000) }, 0},
		{Ratios, func(h *Histogram) { h.ratio(5, 100) }, 0},
		{Ratios, func(h *Histogram) { h.ratio(51, 1000) }, 1},
		{Ratios, func(h *Histogram) { h.ratio(100, 100) }, 19},
		{Ratios, func(h *Histogram) { h.ratio(110, 100) }, 21},
		{Ratios, func(h *Histogram) { h.ratio(300, 100) }, 22},
	} {
		var h Histogram
		tt.put(&h)
		if h.Count != 1 || h.Buckets[tt.bucket] != 1 {
			t.Errorf("%+v, want it in bucket %d", h, tt.bucket)
		}
		b := Bounds(tt.scale)
		if h.Sum > 0 && (tt.bucket < len(b) && h.Sum > b[tt.bucket] || tt.bucket > 0 && h.Sum <= b[tt.bucket-1]) {
			t.Errorf("%v is in bucket %d of %v", h.Sum, tt.bucket, b)
		}
	}
}

// Around each bound, a time is counted where its value in seconds belongs.
func TestTimesAroundBounds(t *testing.T) {
	bounds := Bounds(Times)
	for _, bound := range bounds {
		near := time.Duration(bound * float64(time.Second))
		for d := near - 2; d <= near+2; d++ {
			var h Histogram
			h.time(d, 1)
			want, _ := slices.BinarySearch(bounds, d.Seconds())
			if h.Buckets[want] != 1 {
				t.Errorf("%v is counted in %v, want bucket %d", d, h.Buckets, want)
			}
		}
	}
}

// Whatever else is inside an error, it is counted as what matters most.
func TestReasons(t *testing.T) {
	disconnected := &wire.Error{Stage: wire.StageRequest, Err: fmt.Errorf("%w: %w", wire.ErrClosed, io.EOF)}
	for want, err := range map[string]error{
		"":                     nil,
		"timeout":              fmt.Errorf("%w: %w", ErrDeliveryTimeout, &stuck{err: protocol.NotEnoughReplicas}),
		"closed":               fmt.Errorf("%w: %w", ErrClosed, ErrDeliveryTimeout),
		"too_large":            fmt.Errorf("refused: %w", protocol.MessageTooLarge),
		"authorization":        &IdentityError{Err: protocol.ClusterAuthorizationFailed},
		"authentication":       &wire.Error{Stage: wire.StageSASL, Err: &sasl.RefusedError{Err: protocol.SaslAuthenticationFailed}},
		"fenced":               &txn.Error{Err: txn.ErrFenced},
		"aborted":              fmt.Errorf("%w: %w", txn.ErrAborted, ErrDeliveryTimeout),
		"disconnected":         disconnected,
		"canceled":             context.Canceled,
		"topic_recreated":      fmt.Errorf("%w: %w", ErrTopicRecreated, disconnected),
		"cluster_replaced":     ErrClusterReplaced,
		"partition_gone":       ErrPartitionGone,
		"producer_id_taken":    errStranger,
		"UNSUPPORTED_VERSION":  &wire.UnsupportedVersionError{},
		"NOT_ENOUGH_REPLICAS":  fmt.Errorf("retries are used up: %w", protocol.NotEnoughReplicas),
		"other":                errors.Join(errWhole, protocol.ErrorCode(12345)),
		"UNKNOWN_SERVER_ERROR": protocol.UnknownServerError,
	} {
		if got := Reason(err); got != want {
			t.Errorf("%v is counted as %q, want %q", err, got, want)
		}
	}
	if got := Reason(&wire.Error{Stage: wire.StageRequest, Err: wire.ErrTimeout}); got != "timeout" {
		t.Errorf("no answer within request.timeout is counted as %q", got)
	}
}

// A transaction is counted once, when it has ended.
func TestTransactionsAreCountedOnce(t *testing.T) {
	var n txnCounts
	for _, m := range []struct {
		before, now txn.State
		outcome     txn.Outcome
	}{
		{txn.Ready, txn.InTransaction, txn.Open},
		{txn.InTransaction, txn.Committing, txn.Open},
		{txn.Committing, txn.Ready, txn.Open}, // committed
		{txn.Ready, txn.InTransaction, txn.Open},
		{txn.Committing, txn.CommitUnreported, txn.Open}, // committed
		{txn.CommitUnreported, txn.Ready, txn.Open},
		{txn.InTransaction, txn.Failed, txn.Open},
		{txn.Failed, txn.Aborting, txn.Open},
		{txn.Aborting, txn.AbortingByEpoch, txn.Open},
		{txn.AbortingByEpoch, txn.AbortUnreported, txn.Open}, // aborted
		{txn.AbortUnreported, txn.InTransaction, txn.Open},
		{txn.InTransaction, txn.Orphaned, txn.Aborted}, // aborted
		{txn.Orphaned, txn.AbortingOrphan, txn.Aborted},
		{txn.AbortingOrphan, txn.Fatal, txn.Aborted},
		{txn.Committing, txn.Fatal, txn.Unknown}, // unknown
		{txn.Ready, txn.Fatal, txn.Open},
	} {
		n.moved(m.before, m.now, m.outcome)
	}
	if want := (txnCounts{committed: 2, aborted: 2, unknown: 1}); n != want {
		t.Errorf("got %+v, want %+v", n, want)
	}
}

// A batch that was given to a connection which ended before a byte of it was written goes out again. It is none that was sent
// again, and none that was sent twice.
func TestARecordIsSentOnce(t *testing.T) {
	b := newBench(nil)
	for _, command := range []string{
		"topic t a 1/0", "want t", "append t-0 a", "ok 1.1", "append t-0 b", "hangup 1 unwritten", "+1s", "ok 1.3",
	} {
		b.run(strings.Fields(command))
	}
	m := b.c.measure()
	if m.All.Sent != 2 || m.All.Acknowledged != 2 || m.All.Retried != 0 || len(m.Retries) != 0 {
		t.Errorf("%+v, want 2 records that were sent once:\n%s", m.All, strings.Join(b.out, "\n"))
	}
	if sent, retried := b.c.published.sent.Load(), b.c.published.retried.Load(); sent != 2 || retried != 0 {
		t.Errorf("Stats has %d sent and %d retried, want 2 and 0", sent, retried)
	}
}

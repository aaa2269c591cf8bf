package telemetry

import (
	"slices"
	"strings"
	"time"

	"github.com/epistle-kafka/epistle/protocol"
)

const (
	// usualInterval is between two pushes where the broker has not said otherwise, or says what is none.
	usualInterval = 5 * time.Minute
	// leastInterval is the shortest that Kafka lets its administrators set.
	leastInterval = 100 * time.Millisecond
	// usualMost is Kafka's telemetry.max.bytes, unless it was changed.
	usualMost = 1 << 20
	// mostBytes bounds a push whatever the broker takes.
	mostBytes = 4 << 20
)

// A subscription is what a broker wants. It never changes once it is made.
type subscription struct {
	id     int32
	every  time.Duration
	codecs []int8 // that the broker takes, its favourite first
	most   int    // bytes of a push, compressed and not
	delta  bool   // counters as differences, else as they are
	all    bool   // metrics of any name
	wanted []string
}

func subscriptionOf(resp *protocol.GetTelemetrySubscriptionsResponse) *subscription {
	s := &subscription{
		id: resp.SubscriptionID, every: max(resp.PushInterval, leastInterval), codecs: resp.AcceptedCompressionTypes,
		most: min(int(resp.TelemetryMaxBytes), mostBytes), delta: resp.DeltaTemporality, wanted: resp.RequestedMetrics,
	}
	if resp.PushInterval <= 0 {
		s.every = usualInterval
	}
	if s.most <= 0 {
		s.most = usualMost
	}
	s.all = slices.Contains(s.wanted, "") || slices.Contains(s.wanted, "*")
	return s
}

// nothing reports whether no metric is wanted.
func (s *subscription) nothing() bool { return len(s.wanted) == 0 }

// wants reports whether a metric of that name is wanted: what a broker asks for is the beginning of names.
func (s *subscription) wants(name string) bool {
	return s.all || slices.ContainsFunc(s.wanted, func(prefix string) bool { return strings.HasPrefix(name, prefix) })
}

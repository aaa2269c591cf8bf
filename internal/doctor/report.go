package doctor

import (
	"crypto/tls"
	"time"
)

// Verdict is what a check has come to.
type Verdict string

// The verdicts.
const (
	OK      Verdict = "ok"
	Notice  Verdict = "notice"  // works, and deserves a look
	Failed  Verdict = "failed"  // a producer with these settings fails here, or may
	Skipped Verdict = "skipped" // was not done: the text says why
)

// Stage is a step on the way of a record.
type Stage string

// The stages, in their order.
const (
	Resolve      Stage = "resolve"
	Dial         Stage = "dial"
	TLS          Stage = "tls"
	Versions     Stage = "versions"
	SASL         Stage = "sasl"
	Metadata     Stage = "metadata"
	Brokers      Stage = "brokers"
	RoundTrip    Stage = "round-trip"
	Topic        Stage = "topic"
	Rights       Stage = "rights"
	Settings     Stage = "settings"
	Idempotence  Stage = "idempotence"
	Transactions Stage = "transactions"
	Record       Stage = "record"
	Clock        Stage = "clock"
)

// Check is one stage of one server, broker or topic.
type Check struct {
	Stage   Stage
	Of      string // what it is about: an address, a broker, a topic; "": the cluster
	Verdict Verdict
	Took    time.Duration
	Text    string // what was found, or what has failed
	Advice  string // what to do; "" where there is nothing to be done
	Err     error  // what has failed, nil where it was judged by what was found
}

// Report is all that was found.
type Report struct {
	Checks      []Check
	Interrupted error // why the caller's ctx ended before the last stage; nil: it did not
	Took        time.Duration

	ClusterID  string
	Controller int32 // -1: unknown
	Servers    []Server
	Brokers    []Server
	Topics     []TopicState
	Landed     *Landed // the test record; nil: none was written
}

// Healthy reports whether no stage has failed, and none is missing because of an interruption.
func (r *Report) Healthy() bool { return r.FirstFailure() == nil && r.Interrupted == nil }

// FirstFailure returns the check that failed first, nil if none did.
func (r *Report) FirstFailure() *Check {
	for i := range r.Checks {
		if r.Checks[i].Verdict == Failed {
			return &r.Checks[i]
		}
	}
	return nil
}

// Server is a bootstrap server, or a broker at the address that it advertises.
type Server struct {
	ID        int32 // -1: a bootstrap server
	Addr      string
	Rack      string
	Reached   bool     // a connection was made, and a request answered
	Addresses []string // what the name leads to, "" if that was not looked up
	Remote    string   // where the connection led

	Software string // what it speaks like; "" if it did not get so far
	Lacks    []string
	Features map[string]int16 // the levels that are finalised

	TLS     *tls.ConnectionState // nil: plaintext, or it did not get so far
	Session time.Duration        // that SASL has granted; 0: without an end

	RoundTrips []time.Duration // in the order of measuring
	Median     time.Duration   // of these
}

// TopicState is what was found of a topic.
type TopicState struct {
	Name       string
	Exists     bool
	MayWrite   *bool // nil: not told
	Settings   map[string]string
	Partitions []PartitionState
}

// PartitionState is a partition of it.
type PartitionState struct {
	Partition int32
	Leader    int32 // -1: none
	Replicas  int
	InSync    int
	End       int64 // the offset of the next record; -1: not known
}

// Landed is where the test record is.
type Landed struct {
	Topic     string
	Partition int32
	Offset    int64
	Timestamp time.Time     // the record's own, or the broker's
	Sent      time.Time     // when it was handed over
	Took      time.Duration // from then to its acknowledgement
}

package producer

import (
	"crypto/x509"
	"fmt"
	"time"
)

// Diagnosis is what Diagnose has found. It is the caller's.
type Diagnosis struct {
	Checks      []Check       // in the order of the way that a record goes
	Interrupted error         // why ctx ended before the last check; nil: it did not
	Took        time.Duration // all of it

	ClusterID  string            // "" if no broker has told it
	Controller int32             // the broker that is said to be it; -1: unknown. Clusters with KRaft name any broker
	Servers    []DiagnosedBroker // those of bootstrap.servers, in their order
	Brokers    []DiagnosedBroker // those that the cluster advertises, at most 200
	Topics     []DiagnosedTopic  // those that were asked about
	Record     *DiagnosedRecord  // the test record; nil: none was written
}

// Healthy reports whether nothing has failed, and nothing is missing because ctx has ended.
func (d *Diagnosis) Healthy() bool { return d.FirstFailure() == nil && d.Interrupted == nil }

// FirstFailure returns the check that failed first: what is to be put right. It is nil if none did.
func (d *Diagnosis) FirstFailure() *Check {
	for i := range d.Checks {
		if d.Checks[i].Verdict == VerdictFailed {
			return &d.Checks[i]
		}
	}
	return nil
}

// Check is one stage of one server, broker or topic.
type Check struct {
	Stage   CheckStage
	Of      string // what it is about: an address, a broker, a topic; "": the cluster
	Verdict Verdict
	Took    time.Duration
	Text    string // what was found, what has failed, or why nothing was done
	Advice  string // what to do; "" if nothing is to be done
	Err     error  // what has failed, such as a *BrokerError; nil if the verdict is one on what was found
}

// String is one line, with what to do.
func (c Check) String() string {
	text := fmt.Sprintf("%s: %s", c.Stage, c.Verdict)
	if c.Of != "" {
		text = fmt.Sprintf("%s of %s: %s", c.Stage, c.Of, c.Verdict)
	}
	text += ": " + c.Text
	if c.Advice != "" {
		text += " (" + c.Advice + ")"
	}
	return text
}

// Verdict is what a check has come to.
type Verdict string

// The verdicts.
const (
	VerdictOK      Verdict = "ok"
	VerdictNotice  Verdict = "notice"  // it works, and deserves a look
	VerdictFailed  Verdict = "failed"  // a producer with this Config fails here, or will when it gets there
	VerdictSkipped Verdict = "skipped" // nothing was done: the text says why
)

// CheckStage is a stage of the way that a record goes.
type CheckStage string

// The stages, in their order.
const (
	CheckResolve      CheckStage = "resolve"      // a bootstrap server's name to addresses
	CheckDial         CheckStage = "dial"         // TCP
	CheckTLS          CheckStage = "tls"          // the handshake, and the certificates of the server
	CheckVersions     CheckStage = "versions"     // what the broker is, and what it lacks
	CheckSASL         CheckStage = "sasl"         // the login
	CheckMetadata     CheckStage = "metadata"     // which cluster it is, and who is in it
	CheckBrokers      CheckStage = "brokers"      // whether each broker can be reached where it advertises that it is
	CheckRoundTrip    CheckStage = "round-trip"   // how long each takes to answer
	CheckTopic        CheckStage = "topic"        // whether it exists, and whether each partition has a leader that answers
	CheckRights       CheckStage = "rights"       // whether this client may write to the topic
	CheckSettings     CheckStage = "settings"     // those of the topic
	CheckIdempotence  CheckStage = "idempotence"  // whether this client may write idempotently
	CheckTransactions CheckStage = "transactions" // whether it may use the transactional id
	CheckRecord       CheckStage = "record"       // a test record
	CheckClock        CheckStage = "clock"        // this machine's and the broker's
)

// DiagnosedBroker is a bootstrap server, or a broker at the address that it advertises.
type DiagnosedBroker struct {
	ID        int32 // -1: a bootstrap server
	Addr      string
	Rack      string   // "" if it has none
	Reached   bool     // there was a connection, and an answer by the broker that was meant
	Addresses []string // what the name of a bootstrap server leads to; nil if it was not looked up
	Remote    string   // where the connection led; "" if there was none

	Software string           // what it speaks like, such as "Apache Kafka 4.4 or newer"; "" if it did not get so far
	Lacks    []string         // what newer brokers have, in words
	Features map[string]int16 // the levels of the features that the cluster has finalised

	TLS     *DiagnosedTLS // nil: plaintext, or it did not get so far
	Session time.Duration // that SASL has granted; 0: without an end

	RoundTrips []time.Duration // in the order of measuring; nil: none was
	Median     time.Duration   // of these
}

// DiagnosedTLS is what a server has shown in the TLS handshake.
type DiagnosedTLS struct {
	Version      string                 // such as "TLS 1.3"
	CipherSuite  string                 // by its name
	Verified     bool                   // the chain was verified
	Certificates []DiagnosedCertificate // as the server has sent them, its own first
}

// DiagnosedCertificate is one certificate.
type DiagnosedCertificate struct {
	Subject, Issuer     string
	Names               []string // of hosts, and their addresses
	NotBefore, NotAfter time.Time
	Certificate         *x509.Certificate // all of it
}

// DiagnosedTopic is what was found of a topic.
type DiagnosedTopic struct {
	Name       string
	Exists     bool
	MayWrite   *bool             // whether this client may write to it; nil: it was not told
	Settings   map[string]string // those that a producer meets, by Kafka's names; nil: they may not be read
	Partitions []DiagnosedPartition
}

// DiagnosedPartition is a partition of it.
type DiagnosedPartition struct {
	Partition int32
	Leader    int32 // -1: none
	Replicas  int
	InSync    int
	EndOffset int64 // of the next record; -1: not known
}

// DiagnosedRecord is where the test record is, and how long it took.
type DiagnosedRecord struct {
	RecordMetadata
	Took time.Duration // from the call to the acknowledgement
}

package producer

import (
	"crypto/x509"
	"fmt"
	"time"
)

// Diagnosis is what Diagnose has found. It belongs to the caller.
type Diagnosis struct {
	Checks      []Check       // in the order of the way that a record goes
	Interrupted error         // why ctx ended before the last check; nil: it did not
	Took        time.Duration // the time of all checks

	ClusterID  string            // "" if no broker has told it
	Controller int32             // id of the broker that is named as controller; -1: not known. With KRaft that may be any broker
	Servers    []DiagnosedBroker // those of bootstrap.servers, in their order
	Brokers    []DiagnosedBroker // those that the cluster advertises, at most 200
	Topics     []DiagnosedTopic  // those of DiagnoseTopics
	Record     *DiagnosedRecord  // the test record; nil: none was written
}

// Healthy reports whether nothing has failed, and nothing is missing because ctx has ended.
func (d *Diagnosis) Healthy() bool { return d.FirstFailure() == nil && d.Interrupted == nil }

// FirstFailure returns the check that failed first, which is what to put right. It returns nil if none failed.
func (d *Diagnosis) FirstFailure() *Check {
	for i := range d.Checks {
		if d.Checks[i].Verdict == VerdictFailed {
			return &d.Checks[i]
		}
	}
	return nil
}

// Check is the result of one stage, for one server, broker or topic.
type Check struct {
	Stage   CheckStage
	Of      string // what was checked: an address, a broker, a topic; "": the cluster
	Verdict Verdict
	Took    time.Duration
	Text    string // what was found, what has failed, or why nothing was done
	Advice  string // what to do; "" if nothing is to be done
	Err     error  // what has failed, such as a *BrokerError; nil if nothing failed, but something is wrong with what was found
}

// String returns one line, with what to do.
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

// Verdict is the result of a check in a word.
type Verdict string

// The verdicts.
const (
	VerdictOK      Verdict = "ok"
	VerdictNotice  Verdict = "notice"  // it works, and deserves a look
	VerdictFailed  Verdict = "failed"  // a producer with this Config fails here, or will when it gets there
	VerdictSkipped Verdict = "skipped" // nothing was done: Text says why
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
	CheckRoundTrip    CheckStage = "round-trip"   // how long each broker takes to answer
	CheckTopic        CheckStage = "topic"        // whether the topic exists, and each partition has a leader that answers
	CheckRights       CheckStage = "rights"       // whether this client may write to the topic
	CheckSettings     CheckStage = "settings"     // the settings of the topic
	CheckIdempotence  CheckStage = "idempotence"  // whether this client may write idempotently
	CheckTransactions CheckStage = "transactions" // whether this client may use the transactional id
	CheckRecord       CheckStage = "record"       // the test record of DiagnoseSend
	CheckClock        CheckStage = "clock"        // this machine's clock beside the broker's
)

// DiagnosedBroker is a bootstrap server, or a broker at the address that it advertises.
type DiagnosedBroker struct {
	ID        int32 // -1: a bootstrap server
	Addr      string
	Rack      string   // "" if it has none
	Reached   bool     // there was a connection, and the broker that was meant has answered
	Addresses []string // what the name of a bootstrap server leads to; nil if it was not looked up
	Remote    string   // where the connection led; "" if there was none

	Software string           // what the broker seems to be, such as "Apache Kafka 4.4 or newer"; "": not known
	Lacks    []string         // what newer brokers have and this one lacks, in words
	Features map[string]int16 // the levels of the features that the cluster has finalised

	TLS     *DiagnosedTLS // nil: plaintext, or there was no handshake
	Session time.Duration // how long the session is that SASL has granted; 0: without an end

	RoundTrips []time.Duration // in the order of measuring; nil: none was measured
	Median     time.Duration   // the median of RoundTrips
}

// DiagnosedTLS is what a server has shown in the TLS handshake.
type DiagnosedTLS struct {
	Version      string                 // such as "TLS 1.3"
	CipherSuite  string                 // the suite's name
	Verified     bool                   // the chain was verified
	Certificates []DiagnosedCertificate // as the server has sent them, its own first
}

// DiagnosedCertificate is a certificate that a server has shown.
type DiagnosedCertificate struct {
	Subject, Issuer     string
	Names               []string // names and addresses of hosts
	NotBefore, NotAfter time.Time
	Certificate         *x509.Certificate // the whole certificate
}

// DiagnosedTopic is what Diagnose has found of a topic.
type DiagnosedTopic struct {
	Name       string
	Exists     bool
	MayWrite   *bool             // whether this client may write to the topic; nil: the broker did not say
	Settings   map[string]string // the settings that concern a producer, by Kafka's names; nil: this client may not read them
	Partitions []DiagnosedPartition
}

// DiagnosedPartition is a partition of a DiagnosedTopic.
type DiagnosedPartition struct {
	Partition int32
	Leader    int32 // id of a broker; -1: none
	Replicas  int
	InSync    int
	EndOffset int64 // offset of the next record; -1: not known
}

// DiagnosedRecord says where the test record is, and how long it took.
type DiagnosedRecord struct {
	RecordMetadata
	Took time.Duration // from the call to the acknowledgement
}

package producer

import (
	"context"
	"crypto/tls"
	"time"

	"github.com/epistle-kafka/epistle/internal/doctor"
	"github.com/epistle-kafka/epistle/protocol"
	"github.com/epistle-kafka/epistle/wire"
)

// DiagnoseOption changes what Diagnose does.
type DiagnoseOption func(*diagnoseOptions)

type diagnoseOptions struct {
	topics []string
	within time.Duration
	send   bool
	told   func(Check)
}

// DiagnoseTopics has Diagnose look at these topics, too: at their leaders, the right to write to them, and their settings.
func DiagnoseTopics(topics ...string) DiagnoseOption {
	return func(o *diagnoseOptions) { o.topics = append(o.topics, topics...) }
}

// DiagnoseWithin bounds all stages together. The default is 30 s, for which 0 or less also stands.
func DiagnoseWithin(d time.Duration) DiagnoseOption {
	return func(o *diagnoseOptions) { o.within = d }
}

// DiagnoseSend has Diagnose write one record to the first of DiagnoseTopics. Its key is "epistle-doctor", and its value says
// what it is. It is written as the Config says, but in no transaction, whatever TransactionalID is: to use the id would shut
// out who uses it. Interceptors are not told of it.
func DiagnoseSend() DiagnoseOption { return func(o *diagnoseOptions) { o.send = true } }

// DiagnoseTold has Diagnose call f with each check as it ends, on the goroutine of the caller. f must not block.
func DiagnoseTold(f func(Check)) DiagnoseOption { return func(o *diagnoseOptions) { o.told = f } }

// defaultWithin bounds a diagnosis.
const defaultWithin = 30 * time.Second

// Diagnose goes the way that a producer with this Config goes, stage by stage. It says of each stage how it went, and what to
// do about what is wrong: names, connections, TLS, versions, SASL, metadata, the addresses that brokers advertise, leaders,
// rights, settings that hurt. It makes its connections as a producer does, with the same TLS, SASL and DialContext, so it fails
// where a producer would.
//
// Diagnose changes nothing in the cluster that the start of a producer would not change. It creates no topic. It writes a
// record only if DiagnoseSend asks for that. It takes one producer id (InitProducerId), as each idempotent producer does that
// starts. With a TransactionalID it asks the coordinator to abort a transaction of a producer that cannot exist (EndTxn): the
// coordinator says whether this client may use the id, and refuses. A producer that has the id goes on.
//
// Diagnose returns when the last stage has ended, when DiagnoseWithin has passed, or soon after ctx has ended. The Diagnosis
// has what is known by then. Each stage of a connection, and each request, may take SocketConnectionSetupTimeout, or
// RequestTimeout if that is less. Diagnose may be called concurrently. Nothing that it returns holds a secret.
//
// The error is a *ConfigError, as New returns it, or an *InvalidTopicError; then nothing was tried. What keeps a producer from
// working is not an error of Diagnose: the Diagnosis tells it.
func Diagnose(ctx context.Context, cfg Config, options ...DiagnoseOption) (*Diagnosis, error) {
	o := diagnoseOptions{within: defaultWithin}
	for _, option := range options {
		option(&o)
	}
	if o.within <= 0 {
		o.within = defaultWithin
	}
	if err := cfg.checkOrigin(); err != nil {
		return nil, err
	}
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	for _, name := range o.topics {
		if err := checkTopic(name); err != nil {
			return nil, err
		}
	}
	files := cfg // openTLS sees to TLS
	certificates, _, err := files.openTLS()
	if err != nil {
		return nil, err
	}
	settings := files.wireConfig()
	settings.RequestTimeout = min(cfg.RequestTimeout, cfg.SocketConnectionSetupTimeout)
	if certificates != nil {
		settings.Certificates = certificates.Prepare
	}
	live := &doctor.Live{
		Wire:   &settings,
		Bounds: wire.Bounds{Connect: cfg.SocketConnectionSetupTimeout, Stage: settings.RequestTimeout},
		Record: func(ctx context.Context, topic string) (doctor.Landed, error) { return sendTestRecord(ctx, cfg, topic) },
	}
	var told func(doctor.Check)
	if o.told != nil {
		told = func(c doctor.Check) { o.told(outwardCheck(c)) }
	}
	return outwardReport(doctor.Run(ctx, live, cfg.doctorOptions(&o, files.TLS != nil), told)), nil
}

// doctorOptions returns the settings that are judged.
func (c *Config) doctorOptions(o *diagnoseOptions, overTLS bool) doctor.Options {
	mechanism := ""
	if c.SASL != nil {
		mechanism = c.SASL.Name()
	}
	return doctor.Options{
		Bootstrap: c.BootstrapServers, Topics: o.topics, Send: o.send, Within: o.within,
		Acks: int16(c.Acks), Idempotent: c.EnableIdempotence,
		TransactionalID: c.TransactionalID, TransactionTimeout: c.TransactionTimeout,
		MaxRequestSize: c.MaxRequestSize, BatchSize: c.BatchSize, Codec: protocol.Codec(c.Compression),
		AutoCreate: c.AllowAutoTopicCreation, MaxVersions: c.maxVersions(),
		ClusterCheck: c.MetadataClusterCheck && c.MetadataRecoveryStrategy == RecoveryRebootstrap,
		TLS:          overTLS, Mechanism: mechanism, OwnDialer: c.DialContext != nil,
	}
}

// sendTestRecord writes a record with a producer of its own, outside of any transaction.
func sendTestRecord(ctx context.Context, cfg Config, topic string) (doctor.Landed, error) {
	cfg.TransactionalID, cfg.exactlyOnce, cfg.Interceptors, cfg.Logger = "", false, nil, nil
	p, err := New(cfg)
	if err != nil {
		return doctor.Landed{}, err
	}
	defer p.Close(ctx)
	if err := p.LoadTopics(ctx, topic); err != nil {
		return doctor.Landed{}, err
	}
	sent := time.Now()
	md, err := p.SendSync(ctx, Record{Topic: topic, Key: []byte(doctor.Key), Value: []byte(doctor.Text(sent))})
	if err != nil {
		return doctor.Landed{}, err
	}
	return doctor.Landed{
		Topic: md.Topic, Partition: md.Partition, Offset: md.Offset, Timestamp: md.Timestamp, Sent: sent, Took: time.Since(sent),
	}, nil
}

func outwardCheck(c doctor.Check) Check {
	return Check{
		Stage: CheckStage(c.Stage), Of: c.Of, Verdict: Verdict(c.Verdict), Took: c.Took, Text: c.Text, Advice: c.Advice, Err: outward(c.Err),
	}
}

// outwardReport returns the report as callers get it.
func outwardReport(r *doctor.Report) *Diagnosis {
	d := &Diagnosis{
		Interrupted: r.Interrupted, Took: r.Took, ClusterID: r.ClusterID, Controller: r.Controller,
		Servers: outwardBrokers(r.Servers), Brokers: outwardBrokers(r.Brokers),
	}
	for _, c := range r.Checks {
		d.Checks = append(d.Checks, outwardCheck(c))
	}
	for _, t := range r.Topics {
		topic := DiagnosedTopic{Name: t.Name, Exists: t.Exists, MayWrite: t.MayWrite, Settings: t.Settings}
		for _, p := range t.Partitions {
			topic.Partitions = append(topic.Partitions, DiagnosedPartition{
				Partition: p.Partition, Leader: p.Leader, Replicas: p.Replicas, InSync: p.InSync, EndOffset: p.End,
			})
		}
		d.Topics = append(d.Topics, topic)
	}
	if l := r.Landed; l != nil {
		d.Record = &DiagnosedRecord{RecordMetadata{Topic: l.Topic, Partition: l.Partition, Offset: l.Offset, Timestamp: l.Timestamp}, l.Took}
	}
	return d
}

func outwardBrokers(servers []doctor.Server) (brokers []DiagnosedBroker) {
	for _, s := range servers {
		brokers = append(brokers, DiagnosedBroker{
			ID: s.ID, Addr: s.Addr, Rack: s.Rack, Reached: s.Reached, Addresses: s.Addresses, Remote: s.Remote,
			Software: s.Software, Lacks: s.Lacks, Features: s.Features, TLS: diagnosedTLS(s.TLS), Session: s.Session,
			RoundTrips: s.RoundTrips, Median: s.Median,
		})
	}
	return brokers
}

func diagnosedTLS(state *tls.ConnectionState) *DiagnosedTLS {
	if state == nil {
		return nil
	}
	shown := &DiagnosedTLS{
		Version: tls.VersionName(state.Version), CipherSuite: tls.CipherSuiteName(state.CipherSuite), Verified: len(state.VerifiedChains) > 0,
	}
	for _, cert := range state.PeerCertificates {
		c := DiagnosedCertificate{
			Subject: cert.Subject.String(), Issuer: cert.Issuer.String(), Names: append([]string(nil), cert.DNSNames...),
			NotBefore: cert.NotBefore, NotAfter: cert.NotAfter, Certificate: cert,
		}
		for _, ip := range cert.IPAddresses {
			c.Names = append(c.Names, ip.String())
		}
		shown.Certificates = append(shown.Certificates, c)
	}
	return shown
}

// Package epistleotel gives a producer OpenTelemetry's traces and metrics. It is a module of its own, so that only who needs it
// downloads OpenTelemetry.
//
//	cfg := producer.DefaultConfig("localhost:9092")
//	if err := epistleotel.Instrument(&cfg); err != nil { … }
//	p, err := producer.New(cfg)
//
// Names and attributes are those of the messaging conventions, version 1.43.0 of the semantic conventions, in which they have
// the status of development: they may change with a later version of this module, and CHANGELOG.md then says how.
//
// # Spans
//
//	create orders   PRODUCER  for each record, from the call of Send until its outcome; a child of the span in Send's ctx
//	send orders     CLIENT    for each attempt to send a batch, from when it was handed to a connection until its answer; a
//	                          trace of its own, with links to the spans of up to 128 of its records
//	commit, abort   CLIENT    for each transaction, from when its end was asked for until the outcome; a trace of its own
//
// The context of a record's span goes with the record, in headers, as the propagator writes it: W3C's traceparent and
// tracestate as a rule. It is written before the record is measured, once, and a record that is sent again keeps it. If a
// record has such headers already, as one that is passed on, these stay as they are: there is no create span then, and the send
// span has a link to the context that they name.
//
// WithoutBatchSpans leaves out what is told of batches. Then the span of a record is its send span, named so.
//
// A span that has failed has error.type, and the status says why. Its epistle.written says whether the record, or the batch, is
// in the log: yes, no, or maybe. Of a transaction it says whether that was committed.
//
// # Metrics
//
//	messaging.client.operation.duration   histogram, s           a batch, from when its first record came to its outcome
//	messaging.client.sent.messages        counter, {message}     records that were sent, once each, by how they ended
//
// They are taken by the batch, and cost a record nothing. The duration is recorded in the context of a sampled record of the
// batch, if there is one, so that exemplars lead to traces. A record that was not taken is in no batch, and a batch that was
// not sent to any broker has no sent messages.
//
// # Cost
//
// Each record costs a span, sampled or not, and headers: some microseconds, and about 70 bytes on the wire. WithSampledParentsOnly
// spares that for all records but those within a sampled span, and WithoutSpans for all. The exporter must not block: use a batch
// span processor, as OpenTelemetry's SDK advises for production. Sampling is the tracer provider's.
package epistleotel

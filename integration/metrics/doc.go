// Package metrics compares what a producer counts with what brokers got, and with what Java's producer counts beside it: both
// send the same records to a real Kafka, and meet the same faults. It has tests alone, which write the tables of
// docs/metrics.md.
package metrics

// Package perf is the command that makes load and measures it: what kafka-producer-perf-test does, with what a record costs in
// CPU and memory besides.
//
// Its own part in these costs is small. A record's key and value are parts of random bytes that were made beforehand, and
// nothing is allocated for a record. Latency is measured for a sample of the records. Each record of the sample has a callback
// that knows when the record was meant to be sent. These callbacks are made beforehand and used again.
//
// With transactions the goroutines send one transaction's share of the schedule, end, and begin anew after the commit.
package perf

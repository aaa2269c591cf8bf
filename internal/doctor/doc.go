// Package doctor finds out what keeps a producer from sending: it goes the way that a producer goes, stage by stage, and says of
// each how it went, what is wrong with it and what to do.
//
// [Run] does the stages, over a [Transport], which is the library's own connections or a script. What is a trouble, and what is
// said of it, is decided by the functions of the files judge_*.go, which know nothing but their arguments.
//
// # What is done to the cluster
//
// Nothing that a user would not want. Metadata never creates a topic. One producer id is taken, as each start of a producer
// takes one. Where a transactional id is set, its coordinator is looked up, which creates the internal topic of transactions
// where nobody has used one before; and it is asked to abort a transaction under a producer id that nobody has. The coordinator
// first looks whether the client may use the transactional id, and then refuses, so that neither a transaction nor a running
// producer is touched. A record is written only if that is asked for.
//
// # Bounds
//
// Each attempt to connect has the bounds of [wire.DialWithin], each request the transport's, and all of it together
// Settings.Within. At most eight servers are looked at at a time, at most 200 brokers in all. Nothing outlives Run but what a
// Transport leaves behind.
package doctor

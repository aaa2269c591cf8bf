// Package idempotent numbers the batches of each partition, so that a broker can tell a batch that it has already from one that
// it lacks.
//
// It has the arithmetic and the rules of producer ids, epochs and sequence numbers, and nothing else: no request, no clock, no
// goroutine. The sender loop owns all of it.
//
// # Epochs belong to partitions
//
// A broker keeps the state of a producer by partition. So each partition takes a new epoch on its own, at sequence 0, when it
// needs one: after a batch that took numbers has ended and was not written, or may not have been. The other partitions go on as
// they were. A common new epoch for all of them would be a licence to duplicate: batches that may be written already would be
// written again under it.
//
// # Producer ids belong to clusters
//
// In the cluster that gave a producer id nobody else has it, so a partition may raise its epoch without asking. In another
// cluster somebody else may have the same id, with any epoch and any sequence, and what we send under it could be taken for a
// duplicate of the other's. So a partition whose log may be another one than before abandons its id, and waits for one that is
// given after that.
//
// # One at a time until proven
//
// A broker without state for a producer takes any first sequence (pitfall 1). With several batches in flight to such a
// partition, the first can be refused and the second taken. The first can then never be written in its place. So a partition
// has one batch in flight until its first acknowledgement. The same holds again after whatever could mean that the broker's
// state is gone: a failed answer, a change of leader or of topic id, a long idle time. A broker that leads again under another
// leader epoch is another leader.
//
// # Compatibility
//
// This package is package producer's own. Its names are exported for the other packages of this module, and promise nothing to
// anybody else: any version may change or remove them. What a program may rely on is in package producer.
package idempotent

// Package accumulator holds the records that wait to be sent: a queue of batches for each partition, within a bound on memory.
//
// It is not a sender: it knows no broker, no sequence number and no retry. It starts no goroutine and reads no clock. The time
// comes in as an argument.
//
// # Who owns what
//
// Callers of Send append to a [Queue] under its own lock. The lock is held for one append, for a run of records that fit one
// chunk, or for one drain, and never while anything blocks. [Memory] bounds what is held, and has a lock of its own. The two
// locks are never held together. An append that fits the open batch's last chunk takes the queue's lock alone
// ([Queue.TryAppend]). One that does not fit reserves what it lacks, with no lock held, and then looks again, since the batch
// may be gone by then ([Queue.Append]). Where it has to wait for memory, the caller says how, and for how long. Of several
// callers that need memory for one queue, one waits with Memory, and the others wait for that one.
//
// The sender loop does not inspect queues. A queue sends it a [HeadChange] when a batch becomes the oldest, and when the oldest
// is ready. The change has all that the loop needs. The drain tells it of the next batch. So the processor that runs the loop
// need not fetch a queue's memory from the processor that appends.
//
// The CRC-32C of the records is computed while they are appended, every few KiB. Later, and on another processor, their bytes
// would have to be fetched again. A compressed batch is summed where it was compressed. The header comes last, and its sum is
// joined to that of the records.
//
// A [Batch] is bytes, and an [Outcome] is what becomes of its records. Both belong to the queue until the batch is drained.
// From then on they belong to the sender loop, which alone resolves records. The bytes lie in chunks. A chunk is a part of a
// block, and blocks are cut from large slabs of memory. A batch has holders: its outcome, and each request in which a
// connection may still write the bytes. When the last of them drops it, its chunks are given back, and the batch is used again.
// A batch that is split gives back its own bytes. Its pieces share its outcome.
//
// Futures point to the outcome, so they keep neither bytes nor a batch. An outcome ends in one order ([Outcome.End]): bytes,
// futures, callbacks, groups. Futures do not wait for callbacks, which the completion goroutine runs. While callbacks wait,
// their bytes still count. An outcome that no future keeps is used again.
//
// # Size
//
// batch.size is the size at which a batch is worth sending at once. It is no bound: while its partition cannot be drained, the
// open batch goes on growing, up to the cap. So a far or busy broker gets fewer and larger requests. A topic that refuses a
// batch as too large lowers its cap, and what waits already is split to the cap before it is sent. A minute after the last
// refusal one larger batch is tried, and the cap grows with what is taken. What the pieces of one batch show beyond that
// batch's own refusal is no lesson until another batch confirms it. What is refused meanwhile is split to it at once (type
// lesson). A batch is also sealed once its first record is older than the seal age, so that no record joins a batch that is
// about to expire.
//
// # Compatibility
//
// This package is package producer's own. Its names are exported for the other packages of this module, and promise nothing to
// anybody else: any version may change or remove them. What a program may rely on is in package producer.
package accumulator

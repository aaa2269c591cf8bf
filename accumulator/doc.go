// Package accumulator holds the records that wait to be sent: a queue of
// batches for each partition, within a bound on memory.
//
// It is not a sender: it knows no broker, no sequence number and no retry. It
// starts no goroutine and reads no clock; the time comes in as an argument.
//
// # Who owns what
//
// Callers of Send append to a [Queue] under its own lock, which is held for
// one append, a run of records that fit one chunk, or one drain, and never while
// anything blocks. Memory is bounded by [Memory], which has a lock of its own;
// the two are never held together. An append that fits the open batch's last
// chunk takes the queue's lock alone ([Queue.TryAppend]). One that does not
// reserves what it lacks, with no lock held, and looks again, since the batch may
// be gone by then ([Queue.Append]). Where that has to be waited for, the caller
// says how, and for how long. Of those who wait for memory for one queue, one
// alone waits with Memory, the others for that one.
//
// The sender loop hears of a queue by a [Note], when a batch becomes its oldest
// and when that one is ready, with all that it has to know of it; and by the
// drain, of the next. So it need not look into a queue, whose memory would have
// to come from the processor of those who append, and go back.
//
// Records are summed (CRC-32C) while they are appended, every few KiB, since
// later, on another processor, their bytes would have to be fetched again; those
// of a compressed batch where they were compressed. The header comes last, and
// its sum is joined with theirs.
//
// A [Batch] is bytes, and an [Outcome] is what becomes of its records. Both belong
// to the queue until the batch is drained, and then to the sender loop, which alone
// resolves. The bytes live in chunks, parts of common blocks, which large slabs of
// memory are cut into. They are given back, and the batch is used again, when the
// last holder drops it: the outcome, and each request in which a connection may
// still write the bytes. A batch that is cut gives back its own bytes, and its
// pieces have its outcome, each a part of it.
//
// Futures point to the outcome, and so keep no bytes and no batch. It ends in one
// order ([Outcome.End]): bytes, futures, callbacks, groups; but futures do not wait
// for callbacks, which the completion goroutine runs, and while these wait, the bytes
// count. An outcome that no future keeps is used again.
//
// # Size
//
// batch.size is the size at which a batch is worth sending at once, not the
// size at which it is cut. While its partition cannot be drained the open
// batch goes on growing, up to the cap; so a far or busy broker gets fewer
// and larger requests. What a topic refuses as too large lowers its cap, and what
// waits already is cut to it before it is sent. A minute after the last refusal
// one batch is tried that is larger, and the cap grows with what is taken. What
// the pieces of one batch tell beyond its own refusal is no lesson until another
// batch has confirmed it, but what is refused meanwhile is cut to it at once
// (type lesson). A batch is also sealed once its first record is older
// than the seal age, so that no record joins a batch that is about to expire.
//
// # Compatibility
//
// This package is package producer's own. Its names are exported for the other packages of this module, and promise nothing
// to anybody else: any version may change or remove them. What a program may rely on is in package producer.
package accumulator

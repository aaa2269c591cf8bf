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
// chunk takes the queue's lock alone. One that does not is told how much room it
// needs, reserves it (and may wait for it) with no lock held, and looks again,
// since the batch may be gone by then. Of those who wait for memory for one
// queue, one alone waits with Memory, the others for its turn to end: see
// [Queue.Turn].
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
// A [Batch] belongs to its queue until it is drained. From then on it belongs
// to the sender loop, which alone resolves it. Its bytes live in [Chunk]s, parts
// of common blocks, which large slabs of memory are cut into. They are given back
// when the last holder drops them: the loop (or the completion goroutine, for a
// batch with callbacks) and, while a connection may still write the bytes, that
// connection. The Batch itself is used again when it has ended, if no future knows
// it.
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

// Package produce is the command that sends a record for each line of its input.
//
// One goroutine reads and sends. What it reads stays in blocks, until every line of a block has its outcome. Only then it is
// known that none of them has to be handed back. Lines that are handed back are written in the order in which they were read,
// and hold their block until it is their turn. The number of blocks is bounded, so that a partition that gets nowhere stops the
// reading and does not fill the memory.
//
//	input ── reader ──► line ── SendFunc ──► outcome ── block free ──► reader
//	            waits for a free block           └── undelivered: the line and its reason
//
// The outcomes come on the producer's completion goroutine, or on the reading goroutine for lines that were never admitted.
//
// With transactions a second goroutine sends, so that a transaction can end while the first waits for input. A line's outcome
// is then that of its transaction, and all blocks of the open one are held.
//
//	input ── reader ──► line ── chan ──► add: Begin, SendFunc ──► end: Commit or Abort ──► outcome of each of its lines
package produce

// # The log
//
// The core tells what changes as news: see type news. It counts what repeats itself where the state is, and gathers what
// happens to many partitions in one step, so that lines are few. A line goes to a desk, which never blocks, and from there to
// the user's handler on the log's goroutine. The handler is never called by the loop, by a caller, by a connection or under a
// lock. Without a logger there is no news, and nothing is put together for it. docs/log.md lists all lines.
//
// # Metrics
//
// What is counted is the loop's, in plain numbers: a batch is counted where it is given to a connection, where it is
// acknowledged, and where it fails; a request where it is sent and where it ends; a connection where it is made and where it is
// over. Nothing is counted per record, or on the path of Send. Whoever wants to see the numbers asks the loop, which makes a
// copy in a step of its own. So this works whatever the cluster does. When the loop has ended, callers read the numbers
// themselves, one at a time. What does not happen on the loop is counted where it happens: bytes by connections
// (wire.Counters), waits and refusals by those who wait or are refused (callers), callbacks by the goroutine that runs them.
// The loop takes samples of these when a window of Java's rates ends.
//
// # Hooks
//
// A hook is the user's code, and is told of batches, connections, leaders, epochs and transactions while that happens. It is
// called by the loop, on the loop's own goroutine alone: where there are hooks, callers do no steps (see stepInline), since one
// may hold a lock that a hook waits for. Hooks that say that they wait for none are called in callers' steps, too. The loop
// holds no lock then, and its state is complete, so a hook may ask what anybody may ask. Without hooks there is a comparison
// with nil where something happens to a batch, and nothing per record. A hook is told that a batch has ended before its
// records' outcome goes to the completion goroutine.
//
// # Metrics for brokers
//
// Brokers may subscribe to metrics of their clients (KIP-714). Package internal/telemetry knows what is due when; the pusher
// sends it. It must never be felt: a producer whose brokers subscribe to nothing asks once in five minutes, one whose brokers
// have no receiver never.
//
//   - It connects to nobody, but for a caller of ClientInstanceID. Where there is no control connection, it waits for one.
//   - It sends on control connections that have nothing to do, about a second after the first was made at the earliest, and
//     never on those of Produce. What is sent behind a push on the same connection waits for the push's answer, as behind any
//     request. Metadata, and what any broker can answer, go to others then (R3).
//   - What goes wrong with it is told to the log, and to nobody else.
//   - Close waits for the last push, up to a second, when all records are done.
package sender

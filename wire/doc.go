// Package wire is one connection to one broker: requests go out in the order of [Conn.Send], pipelined, at most
// Config.MaxInFlight of them unanswered, and each ends by one call of its Done.
//
// It resolves and dials the address, speaks TLS, negotiates versions (ApiVersions) and authenticates (SASL). It watches
// over time: requests that get no answer, a broker that throttles, a connection that nobody uses. It does not retry,
// reconnect, choose brokers or know what a request means: that is the business of package sender.
//
// # Goroutines
//
// A connection has two, both started by Dial when it succeeds:
//
//   - writeLoop takes calls that wait, encodes them and writes them.
//   - readLoop reads response frames and decodes each into the oldest call in flight.
//
// [Conn.Close] ends both, whoever calls it: the user, a loop that meets an error, the timer. Close marks the connection
// as closing, so that Send takes nothing more, and closes the socket; the loops then return from whatever they were
// waiting for. The last of them to end resolves all that is left, calls onClose, and closes the channel Closed.
// After a failed write the socket is closed a moment later, so that readLoop can take what was answered before.
// Send itself writes a small call for which nothing is in the way, so that writeLoop need not be woken for it; see below.
// The connection's one timer (request timeouts, idle close) runs a function on a goroutine of the runtime; that
// function does nothing but look and call Close. Before it condemns a call it gives readLoop a bounded look at what already
// lies in the socket: see look.
//
// While it authenticates itself again it has a third, renew: see below.
//
// Dial itself works on its caller's goroutine, and leaves none behind when it fails, but for a function of the user's that does
// not return: a DialContext, or a mechanism of SASL.
//
// # Who owns a call
//
//	caller ── Send ──► waiting ──► group ──────────► in flight ──────────► Done
//	            │      (mutex)     writeLoop          readLoop
//	            │                  encodes, writes    frame, decode
//	            └─ direct ───────► group
//	                               Send encodes, writes what goes at once
//
// Send hands the call over: until Done its fields belong to the connection. A call leaves the group for the in-flight
// queue only after the write has returned that read its bytes, and only a call in that queue can be answered. A call
// that expects no answer (acks=0) is done at that point. Everything else — a timeout, an error, Close — closes the
// socket, waits until writeLoop has come back from its write, and resolves the calls after that. So when Done runs,
// nothing of the connection refers to the request or its bytes, and they may be reused: a broker's early answer, a write
// that hangs for minutes, or a socket that ignores being closed can delay Done, but never make it come too soon.
//
// One at a time has the turn to encode and write, the group being its: writeLoop, or a Send that writes directly. The
// latter takes it only if nobody has it, nothing waits and the broker does not throttle, and makes one attempt that does
// not wait for the socket. What that leaves, writeLoop writes before anything else. writeLoop does not end while a Send has
// the turn, so that all that was said above holds for a direct write as well; and as no call is done by the write alone
// that is written directly, and none resolved by the Send that meets an error, Done is never called inside Send.
//
// The answer's frame belongs to readLoop, which reads the next into its memory if the response refers to nothing of it
// (protocol.SelfContained). The response is the caller's: it may come with another call, to be read into again. Then a
// Produce call costs no allocation.
//
// # Sessions
//
// A broker may let a client in for a while only (KIP-368). After that it hangs up on any request but the first of an
// authentication, so a connection authenticates itself again before: renew begins when 85 to 95 % of the session have passed.
//
//	renew ── Begin, first Next ──► wants the turn ──► turnRenew ──► SaslHandshake, SaslAuthenticate … ──► turnFree
//	          calls go on           no other write     in flight is      each is a call in flight, which
//	                                begins             nothing           readLoop answers
//
// What may take time, the way to a token, comes first, while calls go on. Then renew waits for the turn like anybody else, but
// nobody else gets it meanwhile: what was sent is answered, what is sent waits, and its timeout does not run. So each answer
// belongs to the oldest call in flight, as ever, and nothing is lost, doubled or overtaken. renew itself encodes and writes
// while it has the turn. Nothing of this is on the way of a call where sessions have no end, but a look at a field under a lock
// that is held anyway; where they have one, a look at the clock.
//
// Where the session is over, nothing is written before the authentication, whatever the clock has done meanwhile; a broker
// takes that at any time. A connection that was not used since the last one does not begin by itself: its next call comes
// first to it. A failure to get credentials, and a broker that wants to be asked later, leave the session as it was, and are
// tried again until its end. All else ends the connection, with that as the reason.
//
// Done is called by writeLoop (no answer expected, version not supported), by readLoop (answered), or by the last loop
// to end (all else), renew counting as one. The slot that the call took is free before Done is called.
//
// # Waiting between attempts
//
// DialWithin makes one attempt, and bounds each of its stages by itself. The bound of connecting Kafka lengthens with each
// attempt in a row that timed out (KIP-601): backoff.Policy{Base: setup timeout, Max: setup timeout max, Jitter:
// 0.2}.Delay(attempts, r). The wait between attempts (KIP-144) is another such policy. Both belong to the caller, who knows
// the attempts, and may make several at a time.
//
// # Compatibility
//
// This package is package producer's own. Its names are exported for the other packages of this module, and promise nothing
// to anybody else: any version may change or remove them. What a program may rely on is in package producer.
package wire

// Package wire is one connection to one broker: requests go out in the order of [Conn.Send], pipelined, at most
// Config.MaxInFlight of them unanswered, and each ends by one call of its Done.
//
// It resolves and dials the address, speaks TLS, negotiates versions (ApiVersions) and authenticates (SASL). It keeps time: for
// requests that get no answer, a broker that throttles, a connection that nobody uses. It does not retry, reconnect, choose
// brokers or know what a request means. That is up to package sender.
//
// # Goroutines
//
// A connection has two, both started by Dial when it succeeds:
//
//   - writeLoop takes calls that wait, encodes them and writes them.
//   - readLoop reads response frames and decodes each into the oldest call in flight.
//
// [Conn.Close] ends both. The user calls it, or a loop that meets an error, or the timer. It marks the connection as closing,
// so that Send takes nothing more, and closes the socket. The loops then return from whatever they wait for. The last of them
// to end resolves all calls that are left, calls onClose, and closes the channel Closed. After a failed write the socket is
// closed a moment later, so that readLoop can take what was answered before.
//
// Send itself writes a small call if nothing is in its way, so that writeLoop need not be woken for it; see below. The
// connection has one timer, for request timeouts and the idle close. It runs a function on a goroutine of the runtime, which
// only looks what is overdue and calls Close. Before it gives up a call it lets readLoop take what already lies in the socket,
// for a bounded time: see look.
//
// While it authenticates itself again it has a third, renew: see below.
//
// Dial works on its caller's goroutine. It leaves none behind when it fails, unless a function of the user's does not return: a
// DialContext, or a mechanism of SASL.
//
// # Who owns a call
//
//	caller ── Send ──► waiting ──► group ──────────► in flight ──────────► Done
//	            │      (mutex)     writeLoop          readLoop
//	            │                  encodes, writes    frame, decode
//	            └─ direct ───────► group
//	                               Send encodes, writes what goes at once
//
// Send hands the call over: until Done its fields belong to the connection. A call moves from the group to the in-flight queue
// only after the write that read its bytes has returned. Only a call in that queue can be answered. A call that expects no
// answer (acks=0) is done at that point. Everything else, be it a timeout, an error or Close, closes the socket, waits until
// writeLoop has come back from its write, and resolves the calls after that. So when Done runs, nothing of the connection
// refers to the request or its bytes, and they may be reused (pitfall 11). An early answer, a write that hangs for minutes, or
// a socket that ignores being closed can delay Done, but never make it come too soon.
//
// The writer and the group have one owner at a time (type writerOwner), which encodes and writes: writeLoop, or a Send that
// writes directly. Send takes them only if nobody has them, no call waits, and the broker does not throttle. It makes one
// attempt, which does not wait for the socket. writeLoop writes what that leaves before anything else. writeLoop does not end
// while a Send owns the writer, so all that is said above holds for a direct write as well. A direct write does not finish its
// call, and a Send that meets an error resolves none. So Done is never called inside Send.
//
// The answer's frame belongs to readLoop. It reads the next frame into the same memory if the response refers to nothing of it
// (protocol.SelfContained). The response belongs to the caller, who may pass it again with another call. Then a Produce call
// allocates nothing.
//
// # Sessions
//
// A broker may let a client in only for a while (KIP-368). After that it hangs up on any request but the first one of an
// authentication. So the connection authenticates itself again before that: renew begins when 85 to 95 % of the session have
// passed.
//
//	renew ── Begin, first Next ──► wants the writer ► ownerRenew ──► SaslHandshake, SaslAuthenticate … ──► ownerNone
//	          calls go on           no other write     in flight is      each is a call in flight, which
//	                                begins             nothing           readLoop answers
//
// Getting credentials may take time, so it comes first, while calls go on. Then renew waits for the writer, and nobody else
// gets it meanwhile. What was sent is answered. What is sent now waits, and its timeout does not run. So each answer belongs to
// the oldest call in flight, as always, and nothing is lost, doubled or overtaken. renew itself encodes and writes while it
// owns the writer. Where sessions have no end, a call pays for this by a look at a field under a lock that is held anyway;
// where they have one, by a look at the clock.
//
// Once the session is over, nothing is written before the authentication, even if the process stood still meanwhile. A broker
// takes an authentication at any time. A connection that was not used since the last one does not begin by itself: its next
// call makes it begin. A failure to get credentials, and a broker that wants to be asked later, leave the session as it was,
// and the attempt is repeated until the session ends. Any other failure ends the connection, with that as the reason.
//
// Done is called by writeLoop (no answer is expected, or the version is not supported), by readLoop (answered), or by the last
// goroutine of the connection to end (everything else). The call's slot is free before Done is called.
//
// # Waiting between attempts
//
// DialWithin makes one attempt, and bounds each of its stages by itself. Kafka lengthens the bound of connecting with each
// attempt in a row that timed out (KIP-601): backoff.Policy{Base: setup timeout, Max: setup timeout max, Jitter:
// 0.2}.Delay(attempts, r). The wait between attempts (KIP-144) is another such policy. Both belong to the caller, who knows the
// attempts, and may make several at a time.
//
// # Compatibility
//
// This package is package producer's own. Its names are exported for the other packages of this module, and promise nothing to
// anybody else: any version may change or remove them. What a program may rely on is in package producer.
package wire

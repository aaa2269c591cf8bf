// Package sender turns batches into produce requests, and the brokers' answers into the outcome of records. It is the only
// package that knows the accumulator, the cluster's metadata, the connections and the sequence numbers at once.
//
// # The loop
//
// The loop owns all delivery state: which batch is in flight where, what waits for a retry, sequence numbers, backoff,
// deadlines. Callers append to the accumulator's queues and connections move bytes; both tell the loop by its inbox, which
// never blocks them. Its steps are done one at a time, by whoever has its turn. That is its own goroutine, but for a record
// that may go at once, without linger or since somebody waits for it: then the caller does the step itself if nobody else has
// the turn, since to wake a goroutine on another processor takes longer than all that is to be done. A step waits for nothing,
// so neither does the caller.
//
// The core of the loop has no clock and does no I/O: it is driven by step(now) and by events that carry what happened, and what
// it wants done goes out through a small interface. So a script or a seed can drive it.
//
//	Send ──► accumulator queue ─(change)─► loop: refresh ─► ready list of the leader
//	                                          │
//	                                 drain, number, compress (in parallel)
//	                                          │
//	                                    connection ──► broker
//	                                          │
//	loop: answered ◄──────────────────────────┘
//	   delivered │ again (front of the queue, by order) │ split │ failed
//	   ▼
//	futures are let go; callbacks run on the completion goroutine
//
// A step costs what is ready, not what exists. Each node has a ready list, and one heap has the next deadline of each partition
// that has work (or an earlier one that has been met). Idle partitions are in neither. The loop does not look at queues: it is
// told when the oldest batch of one has changed or was drained. A batch whose linger is about to end goes along with those that
// go, so that many partitions with few records each make few requests. Requests and batches are used again when they have
// ended, so a steady load allocates nothing. A small request is written in the step itself, if its connection takes it at once;
// all others by the connection's goroutine.
//
// A batch is bytes, and what becomes of its records is its outcome: futures point to that, and the pieces of a batch that was
// split have it in common. A request holds the bytes while its connection may write them. When the outcome is known of all
// records it ends, in one order whatever has happened to them: see core.finish and accumulator.Outcome.End. From then on the
// loop uses neither it nor its batches, save a batch that a request still holds.
//
// Whoever has waited in vain asks the loop why: what the batch waits for, and the last failure that stood in its way
// (Sender.Why). A ping is a request of its own to whichever broker can be asked, and shares nothing with what is remembered. A
// node's health is written by the loop, at dials, answers and failures, and read by anyone.
//
// # The map
//
// The core is made of parts. Each part is a type that owns its fields: everybody else uses its methods. A part's own methods
// are in the file of its name. What the core does with it, and with others, is in the files whose names begin alike.
//
//	file                     types                        what it answers
//
//	sender, config, errors   Sender, Config, Stats        What can be called, and what comes back?
//	loop, crash, clock       Sender.step, inbox, Clock    Who does the next step, and when?
//	events                   event                        What can happen outside of the loop?
//	core                     core, effects                Which parts has the core, and what does it want done?
//	core_step                                             What is done in a step, and in which order?
//	pause                    pause                        Has the process stood still?
//	flush                                                 What do Flush and Close wait for, and what do they end?
//	fifo                     fifo                         How does a list use its memory again?
//
//	topics, topic            topics, topic                Which topics are there?
//	partition                partition                    What does the loop know of a partition?
//	topic_learn                                           What if a topic is new, or has changed?
//	topic_again                                           What if a topic was made again, or the whole cluster?
//	topic_forget                                          What if a topic is idle?
//
//	schedule                 schedule                     Which partitions must be refreshed, and when?
//	schedule_refresh                                      What may be sent of a partition, and what has expired?
//	schedule_early                                        What goes along with others, before it is due?
//	schedule_alarms          alarms                       Which alarm comes next?
//
//	requests, request        requests, request            Which produce requests are there?
//	request_build                                         How is a request filled, and when is it sent?
//	request_take                                          Which batch of a partition goes into it, if any may?
//	request_pool             pool                         Which requests and deliveries are used again?
//	packers                  packers                      Who compresses batches?
//	request_answer                                        What does an answer mean for each batch of a request?
//
//	delivery                 delivery                     What does the loop know of a batch?
//	delivery_judge           attempt, verdict             What becomes of a batch after an attempt?
//	delivery_outcome                                      How is a batch sent again, split, or ended?
//	delivery_reject                                       What if some of its records are at fault?
//	delivery_doubt           doubt                        What if it may be written, and goes on in parts?
//	completions              completions                  Who runs the callbacks?
//
//	identity                 identity                     Which producer id is there, and who waits for one?
//	identity_ask                                          How is one asked for?
//	identity_numbers                                      Which numbers does a batch get, and when a new epoch?
//	identity_retired         retired                      What of the numbers of a topic that was forgotten?
//	identity_doubt                                        When is an id given up?
//	identity_stamps          stamps                       Is a success somebody else's?
//	manager                  manager, ordinary            What differs with a transactional id?
//	transactor               transactor                   Which transactional request is sent next?
//	transactor_calls         txnCall                      What do callers of transactional methods wait for?
//	transactor_batches                                    Which batches may be sent, and what if one fails?
//	transactor_close                                      What becomes of a transaction when Close is called?
//	transactor_search        search                       Who has taken over from a silent coordinator?
//	transactor_speech        speech                       Which protocol do the brokers offer?
//
//	nodes                    nodes                        Which brokers are there, and who is asked first?
//	node, link               node, link                   What is known of a broker, and of a connection to it?
//	node_connect             dial                         When is a connection made, and what when it ends?
//	node_move                former                       What if a broker is at another address?
//	node_reception           reception                    Who turns us away?
//	node_credentials                                      What keeps a mechanism from having credentials?
//	node_unsure              likeness                     Is this the cluster that was here before?
//	node_silent                                           Who says nothing?
//	node_throttle            ThrottleError                Who wants to be left alone?
//	node_offers              offerError                   Who lacks a request?
//	node_health              Broker, health               How has a broker been of late?
//
//	questions, question      questions, question          What was any broker asked that knows it?
//	question_ask                                          Who is asked, and when?
//	question_ping            ping                         Is there a broker that answers?
//	pusher, pusher_calls     pusher                       When do brokers hear of our metrics, and which of them?
//	lookup, lookup_calls     lookups                      Which topics are looked up, and who waits?
//	why, hindrance           stuck                        What does a caller wait for?
//
//	metrics, metrics_count                                What is counted, and where?
//	metrics_window           rate, level, Histogram       How much of it came of late, and how is it spread?
//	metrics_callers, metrics_callbacks                    What do callers wait for, and how long do callbacks take?
//	metrics_reason                                        What is a failure counted as?
//	metrics_read             Metrics                      How does anybody see it?
//	metrics_health           Health                       Can records be delivered now?
//
//	news, gather, spell, shortage, trouble                What is told to the log?
//	pusher_news                                           What of the metrics that are pushed?
//	headline, pace, desk     headline, pace, desk         How, how often, and on whose goroutine?
//	hooks, hooks_batch       Hooks, hooks                 What are the user's hooks told, of a batch?
//	hooks_broker                                          Of a connection, and of a request?
//	hooks_transaction        toldTransaction              Of a transaction?
//
// # Transactions
//
// Package txn knows where the transaction stands; the loop asks it on each step which requests are due, sends them, and tells
// it of the answers. Which of the two protocols a transaction is in is settled when it begins.
//
// All in which a producer with a transactional id and one without differ is in the transaction manager (type manager), of which
// there are two: transactor and ordinary. The core asks its manager, and never which of the two it has.
//
//	BeginTransaction ──► txn ──► Transaction.Number, which each record carries
//	Send ─────► queue ──► admitted? ──► drain: as any batch, marked transactional
//	                        │ no (old protocol)
//	                        └► AddPartitionsToTxn, then refresh
//	CommitTransaction ──► no linger ──► all acknowledged ──► EndTxn ──► the caller
//	a record fails ──► txn is Failed: the queue is swept, only an abort is left
//
// A record belongs to the transaction that was open when Send looked: a batch holds records of one alone, and what comes late
// to one that ends fails. The producer id and epoch are txn's, and a partition adopts them with its first batch of a
// transaction; a gap in its sequence, which outside a transaction gives it a new epoch, has the whole producer get one before
// the next. Calls only wait: what they began goes on when their ctx ends, and the next call of the same kind takes it up.
//
// # Waits
//
// No call waits for longer than a setting allows, whatever the cluster does, and even if its ctx has no end. Calls of
// transactions, look-ups and waits for memory are bounded by max.block. Flush is bounded by delivery.timeout, since every
// record has its outcome by then. Close has delivery.timeout from when it was called: then it gives up a transaction that has
// not ended. That harms nothing. If nobody asked for its commit, the coordinator aborts it when transaction.timeout has passed.
// If somebody did, only the coordinator knows how it ends, and Close says so. Callbacks belong to the user: one that runs for
// longer than max.block is awaited no more.
//
// A look-up belongs to the loop, not to the caller who began it. It goes on when the caller has left, until there is an answer,
// or until nobody has asked for the topic for metadata.max.idle. That a partition is lacking is never stated on the word of an
// old answer: the topic is asked for again first, once a backoff, for as long as the caller may wait.
//
// The error that ends a wait has the end of ctx, or the setting, and what was waited for: the last failure, and the request
// that has no answer yet. It is the loop that is asked for that, when the wait ends, so that nothing is told which was true
// before: see core.hindrance, transactor.obstacle and core.stuck.
//
// # Recovery
//
// After an outage nothing may wait for the end of what began during it: a socket that was opened then may never be served,
// whatever becomes of the broker behind it. So beside what is silent a fresh attempt is made.
//
// R1. Each stage of an attempt to connect has a bound of its own. To open the socket that is socket.connection.setup.timeout,
// which grows with the attempts in a row that have timed out, and with nothing else. TLS and ApiVersions each have what an
// answer may take, request.timeout, if that is less.
//
// R2. Beside an attempt of which nothing is heard another begins. They are apart by the reconnect backoff and by the link's
// patience, which is four times what the last success took, but 250 ms at least and 1 s at most. The first to get through ends
// the others. A link has at most four: the elder, which has all of its bounds, so that a slow broker is reached in the end; and
// three that give way after 2, 4 and 8 times the time between two, so that one of them is young at any time. When one lane of a
// node gets through, the other, if it is still at it, begins a fresh attempt at once; and so do those of all other nodes,
// whatever backoff they are in, when there was no connection at all before.
//
// R3. A link is silent when something on it is unanswered and nothing has come for four times its longest pause of late, but
// for 250 ms at least; for 1 s if nothing ever came, or if that is less. While a leader's link is silent, or being dialled for
// longer than its patience, metadata is asked for, at metadata's own pace (retry.backoff), of another broker if there is one.
// While a coordinator is silent, another broker is asked for the coordinator. And what any broker can answer is asked of up to
// two others beside a silent one: the first answer counts.
//
// R4. A silent connection is closed at once when metadata names another leader for a partition that has a batch in flight
// there, or another broker is named as the coordinator. That is safe against every broker, since any network may close any
// connection at any time: the batches are of unknown outcome then, and are retried unchanged, under their numbers, on the new
// leader, which knows what its log has. They go there after the close, not before (I2). A broker that is not silent answers by
// itself that it leads no more, so it is left to. Without idempotence a retry may write twice what the old leader had passed on
// to the new one, as it may after request.timeout: at least once is what is promised there.
//
// R5. A refusal (package sasl: a broker's word that it does not let this client in, or a final error of its own) is not retried
// like a lost connection: a server of accounts may lock one that fails too often. After a refusal the broker is not dialled for
// 1 s, doubled up to 30 s with each in a row, and neither is any other; with the latter it doubles only while there is no
// connection at all, so that one broker that is set up wrongly holds up nobody else for long. Then one attempt is made at a
// time. An attempt that presents credentials has shown that the other end is there: nothing is begun beside it for 3 s, since a
// refusal is held back on purpose, and to be refused twice is worse than to wait. Credentials are got anew for each attempt.
// Who was never let in by anybody waits for nothing: all that wait are told at once, nothing goes on by itself, and the next
// call makes the next attempt, when it may be made. Who was let in before keeps its records until delivery.timeout: what was
// right once may be so again. Credentials that cannot be had for now are a failed attempt like any other; what is in their way
// is told to whoever asks, and to the log, while they are waited for.
//
// # What a broker recognises
//
// For each producer and partition a broker keeps the last five batches that it has appended, by their first and last number
// (Kafka 0.11: the last one). One of these that comes again is a duplicate. Anything else must begin with the number that comes
// next, or is refused. So a batch that may be written is recognised only as long as four at most were appended after it. Those
// that were acknowledged since count too, and of a batch that was split each piece counts. Hence the bound of I2: on the span
// from the oldest unresolved batch to the newest that was sent, not on how many of them are unresolved. A broker that knows no
// Produce newer than version 3 is one of Kafka 0.11, and has one batch in flight.
//
// # A batch in doubt that is refused for good
//
// One answer is lost, and the next says that the batch is too large, or names records at fault. Brokers look at that before
// they look whether they have the batch, so the first attempt may be written all the same, or may still be on its way. The
// batch goes on in parts (type doubt):
//
//   - Split: the pieces keep the numbers of their records.
//   - Rejected records: what is left takes the batch's first numbers, without a gap. The numbers left over go to nobody, so
//     that what is behind begins a new epoch when all parts have their outcome.
//
// This is why nothing is written twice, and nothing is lost. Say the batch had the numbers s to e. The first part begins with s
// and ends before e.
//
//   - The batch is in the log: s is not the number that comes next, and no batch that the broker remembers has the first part's
//     first and last number. So the part is refused. It fails as one that may be written, and its numbers go to no other
//     records. Kafka 1.0 and 1.1 may call it a duplicate instead, if all that they remember is younger: then its records are in
//     the log, as they are among the batch's.
//   - The batch is not in the log: the first part is in sequence, and is taken. From then on s has gone, so that no attempt of
//     the batch can be taken that is still on its way, nor any that was numbered behind numbers left over. Nothing of these is
//     in doubt any more. The records at fault learn with the first part that they are not in the log, and never before.
//   - The log was cut back, or comes from a copy: a broker knows producers by its log, so the two agree. A broker that has kept
//     the log and forgotten the producer, after producer.id.expiration.ms, doubles a batch that is retried unchanged as well.
//
// Only an answer that the part was written proves that, and only where batches have numbers. Without numbers parts stay in
// doubt. They also do where nothing is sent under the batch's first number: all its records are at fault, or the first is too
// large by itself. In a transaction a batch is only split, since records at fault lose the transaction anyway.
//
// # What a broker offers
//
// A broker says once, when a connection is made, which versions it speaks, and one byte of that may have changed on the way. An
// impossible range is refused in the handshake, which is made again after the reconnect backoff. Where the answer offers no
// version of a request that we need, the connection is closed, and the next one asks again. The request is made again
// meanwhile. If three connections in a row say the same, the broker lacks it: what needs it fails at once, with an error that
// says so, until a connection offers it and an answer has come. Each such failure closes the connection, too, at the pace of
// the reconnect backoff, so that an upgrade is noticed. That is safe against every broker: the request was not written. A
// coordinator that lacks what ends a transaction is never asked for that, since no transaction is begun. So each refusal to
// begin one closes its connection, too. And one that offers only the old EndTxn while a new one is in doubt is asked by that,
// which cannot say what became of a commit, only after three connections in a row have offered no other.
//
// # Goroutines
//
//	loop         started by New, ended by Close; everything above, but for the
//	             steps that callers do
//	completions  started by New, ended by the loop's end; runs users' callbacks,
//	             in order per partition; a slow one holds up no I/O
//	compressors  up to GOMAXPROCS, started when compression is set, ended by Close;
//	             each gives way when a request is complete
//	dials        up to four for each connection being made, ended by success or deadline;
//	             a DialContext of the user's has one of its own, which may be left behind
//	connections  two for each, and one while it authenticates itself again, see package wire
//	metrics      one while a push of metrics is made, which runs functions of the
//	             user's; Close leaves it behind if they do not return
//	log          started by New if there is a logger, ended by Close, which waits a
//	             second for it at most; calls the user's handler
//
// Their number depends neither on partitions nor on records.
//
// # Invariants
//
//	I1  A connection has at most max.in.flight unanswered requests.
//	I2  With idempotence, or with one in flight, a partition's batches are
//	    written in order, a retried one before every younger one. A partition
//	    has unresolved batches on one connection only, and is drained to a new
//	    leader only when the old connection's answers are in or it is closed.
//	    Nothing is drained to a topic that was made again before all that was
//	    drained to the one before has come back.
//	    From the oldest unresolved batch to the newest sent there are at most
//	    5, resolved or not. Without either, order may break on retry.
//	I3  A batch gets producer id, epoch and sequence when drained, and its bytes
//	    never change after that. It is unresolved until a definite answer,
//	    whether in flight or queued for a retry. A partition takes a new epoch,
//	    or producer id, on its own, at sequence 0, once it has no unresolved
//	    batch save those of which every attempt was definitely refused: only
//	    these are numbered anew. A batch with an attempt of unknown outcome is
//	    retried unchanged, or goes on in parts within its numbers, or fails as
//	    one that may be written.
//	I4  Every future resolves exactly once, within 10 ms of delivery.timeout
//	    after admission at the latest, whatever network, broker or callbacks do.
//	    After a pause of the process, answers come before timeouts: see below.
//	I5  Reserved bytes are every chunk of batches that are unresolved, that a
//	    connection can still write, or whose callbacks have not begun; zero
//	    after Close.
//	I6  A batch that may be on the broker is never reported as not written, and
//	    its sequence never goes to other records.
//	I7  In a transaction nothing is written to a partition before it belongs to
//	    the transaction (in the new protocol the broker adds it with the first
//	    Produce); a commit never succeeds after one of its records failed.
//
// And one batch in flight per partition until its first acknowledgement: see package idempotent.
//
// # Topics that are idle
//
// A topic that nothing was sent to for metadata.max.idle is forgotten: by metadata, by the loop, and by those who send, whose
// queues are refused with ErrForgotten. Whoever was about to append looks the topic up again. It is kept while a batch is
// unresolved or a transaction is open.
//
// What the broker remembers of the topic's partitions stays, so their numbers must not be used again (I6). The loop keeps one
// number in their place: the newest epoch, under the present producer id, of any partition that was forgotten. A partition that
// is met later begins with the epoch after it, at sequence 0. That is right for every broker: one that remembers the old epoch
// takes a newer one at 0, and one that remembers nothing takes any. In the old protocol of transactions the epoch is the whole
// producer's, so it gets a new one before the next transaction.
//
// # A process that stood still
//
// A process that was stopped, or a machine that was paused, goes on with timers that have gone off and with answers in its
// sockets. What the answers say is evidence, what the clock says is a guess. So evidence goes first, for a moment:
//
//   - A connection whose call is overdue gives its reader a look at what already lies in the socket, for 100 ms at most, before
//     it closes. It does the same when a write fails. What comes after the look counts no more, so that bytes that drip in
//     postpone nothing.
//   - A loop that comes more than 10 ms later than its timer was to ring judges no deadline that came in the pause until 100 ms
//     have passed. If it stands still again before they have, the deadlines of both wait for another 100 ms, up to three times
//     in a row.
//
// This is safe against every broker. A look only takes answers that the broker has given, as happens without a pause. Meanwhile
// nothing is written that would not be written otherwise. An expired batch is not sent again, and a batch that is sent again
// goes out later, not earlier. The wait is bounded, and what comes in it does not begin it anew. I4 holds, save that its 10 ms
// do not count the pause and that moment.
//
// It is no cure for all: a broker forgets a producer id that was idle for its producer.id.expiration (1 day). A pause that is
// longer than that, with answers that were lost, can write a batch twice.
//
// # Compatibility
//
// This package is package producer's own. Its names are exported for the other packages of this module, and promise nothing to
// anybody else: any version may change or remove them. What a program may rely on is in package producer.
package sender

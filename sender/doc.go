// Package sender turns batches into produce requests, and the brokers' answers into the outcome of records. It is the only
// package that knows the accumulator, the cluster's metadata, the connections and the sequence numbers at once.
//
// # The loop
//
// The loop owns all delivery state: which batch is in flight where, what waits for a retry, sequence numbers, backoff,
// deadlines. Callers append to the accumulator's queues, and connections move bytes. Both tell the loop by its inbox, which
// never blocks them. One step runs at a time, usually on the loop's goroutine. A caller whose record may go at once, because
// there is no linger or somebody waits for it, runs the step itself if no other step is in progress: waking a goroutine on
// another processor takes longer than the step. A step waits for nothing, so neither does the caller.
//
// The core of the loop has no clock and does no I/O: step(now) and events that carry what happened drive it, and what it wants
// done goes out through a small interface. So a script or a seed can drive it.
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
// A step costs what is ready, not what exists. Each node has a ready list. One heap has an entry for each partition with work,
// at its next deadline or earlier; an early entry is moved when it comes up. Idle partitions are in neither. The loop does not
// inspect queues: a queue tells it when its oldest batch has changed. A batch whose linger is about to end goes along when
// others are sent, so that many partitions with few records each make few requests. Requests and batches are used again when
// they have ended, so a steady load allocates nothing. A small request is written in the step itself, if its connection takes
// it at once, and all others by the connection's goroutine.
//
// A batch is bytes. What becomes of its records is its outcome, to which futures point. The pieces of a batch that was split
// share it. A request holds the bytes while its connection may write them. Once all its records have ended the outcome ends,
// always in the same order: see core.finish and accumulator.Outcome.End. From then on the loop uses neither the outcome nor its
// batches, except a batch that a request still holds.
//
// Whoever has waited in vain asks the loop why: what the batch waits for, and the last failure that stood in its way
// (Sender.Why). A ping is a request of its own to any broker that can be asked: no answer that is remembered will do. The loop
// writes a node's health at dials, answers and failures, and anyone reads it.
//
// # The map
//
// The core is made of parts. Each part is a type that owns its fields, and everything else uses its methods. A part's own
// methods are in the file of its name. What the core does with it, and with others, is in the files whose names begin alike.
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
//	node_unsure              likeness                     Is this the cluster that was here before, and whose are its topics?
//	node_silent                                           Who says nothing?
//	node_throttle            ThrottleError, quietTimes    Who wants to be left alone, and for how long did they?
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
//	hooks_transaction        reportedTransaction          Of a transaction?
//
// # Transactions
//
// Package txn knows where the transaction stands. On each step the loop asks it which requests are due, sends them, and tells
// it of the answers. There are two protocols, and the one of a transaction is settled when it begins.
//
// Whatever differs between a producer with a transactional id and one without is in the transaction manager (type manager).
// There are two of them: transactor and ordinary. The core asks its manager, and never which of the two it has.
//
//	BeginTransaction ──► txn ──► Transaction.Number, which each record carries
//	Send ─────► queue ──► admitted? ──► drain: as any batch, marked transactional
//	                        │ no (old protocol)
//	                        └► AddPartitionsToTxn, then refresh
//	CommitTransaction ──► no linger ──► all acknowledged ──► EndTxn ──► the caller
//	a record fails ──► txn is Failed: the queue is swept, only an abort is left
//
// A record belongs to the transaction that was open when Send looked, and fails if it comes too late for that. A batch holds
// records of one transaction alone. The producer id and epoch are txn's, and a partition adopts them with its first batch of a
// transaction. Outside a transaction a partition with a gap in its sequence takes a new epoch. In one, the whole producer gets
// a new epoch before the next transaction. Calls only wait: what they began goes on when their ctx ends, and the next call of
// the same kind takes it up.
//
// # Waits
//
// No call waits for longer than a setting allows, whatever the cluster does, and even if its ctx has no end. Calls of
// transactions, look-ups and waits for memory are bounded by max.block. Flush is bounded by delivery.timeout, since every
// record has its outcome by then. Close has delivery.timeout from when it was called: then it gives up a transaction that has
// not ended. That harms nothing. If nobody asked for its commit, the coordinator aborts it when transaction.timeout has passed.
// If somebody did, only the coordinator knows how it ends, and Close says so. Callbacks belong to the user: no call waits for
// one that runs for longer than max.block.
//
// A look-up belongs to the loop, not to the caller who began it. It goes on when the caller has left, until there is an answer,
// or until nobody has asked for the topic for metadata.max.idle. No old answer proves that a partition does not exist: the
// topic is asked for again first, once a backoff, for as long as the caller may wait.
//
// The error that ends a wait says whether ctx or a setting ended it, and what was waited for: the last failure, and the request
// that has no answer yet. The loop is asked for that when the wait ends, so that nothing is said which is no longer true: see
// core.hindrance, transactor.obstacle and core.stuck. Most of the wait may have been for a broker that had asked to be sent
// nothing. Then the error says that, too, though it is over: what stands in the way in the end has used up little of the time.
//
// # Recovery
//
// After an outage nothing may wait for the end of what began during it: a socket that was opened then may never be served,
// whatever becomes of the broker behind it. So a fresh attempt is made beside a silent one.
//
// R1. Each stage of an attempt to connect has a bound of its own. Opening the socket has socket.connection.setup.timeout, which
// grows with each attempt in a row that times out, and with nothing else. TLS and ApiVersions each have the same, or
// request.timeout if that is less.
//
// R2. Another attempt begins beside a silent one. The gap between two is the reconnect backoff or the link's patience,
// whichever is longer. The patience is four times what the last success took, at least 250 ms and at most 1 s. The first to get
// through ends the others. A link has at most four: the elder, which has all of its bounds, so that a slow broker is reached in
// the end; and three that give way after 2, 4 and 8 gaps, so that one of them is young at any time. When one lane of a node
// gets through and the other is still connecting, the other begins a fresh attempt at once. If there was no connection at all
// before, so do the links of all other nodes, whatever backoff they are in.
//
// R3. A link is silent when something on it is unanswered and nothing has come for four times its longest recent pause, at
// least 250 ms and at most 1 s; for 1 s if nothing ever came. While a leader's link is silent, or has been dialled for longer
// than its patience, metadata is asked for, of another broker if there is one, at metadata's own pace (retry.backoff). While a
// coordinator is silent, another broker is asked who the coordinator is. A request that any broker can answer goes to up to two
// others beside a silent one, and the first answer counts.
//
// R4. A silent connection is closed at once when metadata names another leader for a partition that has a batch in flight
// there, or another broker is named as the coordinator. That is safe against every broker, since any network may close any
// connection at any time. The outcome of the batches is unknown then, and they are retried unchanged, under their numbers, on
// the new leader, which knows what its log has. They go there after the close, not before (I2). A broker that is not silent is
// left to answer that it leads no more. Without idempotence a retry may write again what the old leader had passed on to the
// new one, as after request.timeout: only at least once is promised there.
//
// R5. A refusal is a broker's word that it does not let this client in, or a final error of the mechanism (package sasl). It is
// not retried like a lost connection, since an account may be locked after too many failures. After a refusal the broker is not
// dialled for 1 s, doubled up to 30 s with each refusal in a row. Neither is any other broker, but for these the wait doubles
// only while there is no connection at all: one broker that is set up wrongly holds up nobody else for long. Then one attempt
// is made at a time. An attempt that presents credentials has shown that the other end is there. No attempt begins beside it
// for 3 s: brokers hold a refusal back on purpose, and being refused twice is worse than waiting. Each attempt gets credentials
// anew. If no broker ever let the client in, all that waits fails at once, no attempt is made without a call, and the next call
// makes the next one when that is allowed. If one did, records are kept until delivery.timeout: what was right once may be
// right again. Credentials that cannot be had for now are a failed attempt like any other. While they are awaited, callers that
// ask are told what is in the way, and so is the log.
//
// R6. What has taken one connection has probably taken those beside it, and one that is idle does not show that. So one
// silence is paid for once. When request.timeout ends a connection, the other one to the same broker is closed, too, if nothing
// has come on it since, and no batch is in flight there. A control connection is closed also if it is silent. When the bootstrap
// servers are asked anew, idle connections to them are closed first, but for one that has answered within five seconds, and
// since a connection was last lost. Nothing is in flight on an idle connection. A request on a control connection is asked
// again, as after R4. Batches in flight are left to their own time: it may be replicas that hold up their answer. That a request
// about metrics has no answer closes nothing else.
//
// # What a broker recognises
//
// For each producer and partition a broker keeps the last five batches that it has appended, by their first and last number
// (Kafka 0.11: the last one). One of these that comes again is a duplicate. Anything else must begin with the number that comes
// next, or is refused. So a batch that may be written is recognised only as long as four at most were appended after it. Those
// that were acknowledged since count too, and so does each piece of a batch that was split. So I2 bounds the span from the
// oldest unresolved batch to the newest that was sent, and not how many of them are unresolved. A broker that knows no Produce
// newer than version 3 runs Kafka 0.11, and is sent one batch of a partition at a time.
//
// # A batch in doubt that is refused for good
//
// The answer to one attempt is lost, and the next answer says that the batch is too large, or names records at fault. Brokers
// check that before they check whether they have the batch. So the first attempt may be written all the same, or may still be
// on its way. The batch goes on in parts (type doubt):
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
//   - The batch is not in the log: the first part is in sequence, and is taken. From then on s is used up. So no attempt of the
//     batch that is still on its way can be taken, nor any batch that was numbered behind numbers left over. None of these is
//     in doubt any more. The records at fault learn with the first part that they are not in the log, and never before.
//   - The log was truncated, or comes from a copy: a broker knows producers by its log, so the two agree. A broker that has
//     kept the log and forgotten the producer, after producer.id.expiration.ms, doubles a batch that is retried unchanged as
//     well.
//   - The topic was made again before the first part came, and the producer has yet to learn it: the new log takes the part,
//     and proves nothing about the old one. A request that names its topic by id (Produce 13) reaches the old log alone. After
//     any older one the doubt is open again when the topic turns out to be another, and what is left fails as what may be
//     written. A success that comes after that ends no doubt. When the cluster is another one, ids prove nothing either, since
//     it may be a copy that has them. Nor does a success while the partition has abandoned its producer id, and waits for the
//     next: nobody knows yet whose log it is.
//
// Only an answer that the part was written proves that, and only where batches have numbers. Without numbers parts stay in
// doubt. They also do where nothing is sent under the batch's first number, because all its records are at fault or the first
// is too large by itself. In a transaction a batch is only split, since records at fault lose the transaction anyway.
//
// # What a broker offers
//
// A broker says once, when a connection is made, which versions it speaks, and one byte of that may have changed on the way. An
// impossible range is refused in the handshake, which is made again after the reconnect backoff. Where the answer offers no
// version of a request that we need, the connection is closed, and the next one asks again. The request is made again
// meanwhile. If three connections in a row say the same, the broker lacks it: what needs it fails at once, with an error that
// says so, until a connection offers it and an answer has come. Each such failure closes the connection, too, at the pace of
// the reconnect backoff, so that an upgrade is noticed. That is safe against every broker: the request was not written. A
// coordinator that lacks what ends a transaction is never sent such a request, since no transaction begins. So each refusal to
// begin one closes its connection, too. The old EndTxn cannot say what became of a commit that is in doubt under the new one.
// It is sent only after three connections in a row have offered no other.
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
//	credentials  at most one for each source of tokens, while one is fetched, and one
//	             for each set of TLS files, while they are read again; both within a
//	             bound, see package sasl and internal/tlsconf
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
// A topic that nothing was sent to for metadata.max.idle is forgotten: by metadata, by the loop, and by those who send: their
// queues refuse records with ErrForgotten. Whoever was about to append looks the topic up again. A topic is kept while a batch
// of it is unresolved or a transaction is open.
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
//   - A call whose max.block, or the deadline of whose ctx, is found to have passed more than 10 ms ago waits for another 100 ms
//     for what it was called for (package internal/overdue).
//
// This is safe against every broker. A look only takes answers that the broker has given, as happens without a pause. Meanwhile
// nothing is written that would not be written otherwise. An expired batch is not sent again, and a batch that is sent again
// goes out later, not earlier. The wait is bounded, and what comes in it does not begin it anew. I4 holds, except that its 10
// ms do not count the pause and that moment.
//
// One danger is left: a broker forgets a producer id that was idle for its producer.id.expiration (1 day). A pause that is
// longer than that, with answers that were lost, can write a batch twice.
//
// # Compatibility
//
// This package is package producer's own. Its names are exported for the other packages of this module, and promise nothing to
// anybody else: any version may change or remove them. What a program may rely on is in package producer.
package sender

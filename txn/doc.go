// Package txn is the state of a transactional producer: where its transaction stands, what its caller may do, and which request
// is due next. It sends nothing, reads no clock and starts no goroutine: the sender loop owns it, asks [Txn.Next] what to send,
// and tells it what came of that.
//
// # The states
//
//	Uninitialized ──InitTransactions──► Initializing ──identity──► Ready ◄──identity── Renewing
//	      ▲                                  │                      │ │                   ▲
//	      └──────────── refused ─────────────┘                      │ └─ Begin, if a new ─┘
//	                                                          Begin │    epoch is needed
//	                                                                ▼
//	         ┌───────────────────── Abort ─────────────────── InTransaction
//	         │                                                 │      │ Commit
//	         │                                       a failure │      ▼
//	         │                                                 │  Committing ──EndTxn──► Ready, CommitUnreported
//	         │                                                 ▼      │
//	         │   ┌──────────────────── Abort ─────────────── Failed ◄─┘ a failure before EndTxn
//	         ▼   ▼
//	       Aborting ────────────────────────────────────────────EndTxn──► Ready, AbortUnreported
//	           └──where EndTxn cannot end it──► AbortingByEpoch ──identity──► the same
//
//	Any state goes to Fatal when the producer is fenced or can be of no more use, and none leaves it. On the way there an
//	open transaction can be an orphan (see below):
//
//	       any in which a transaction is open ──► Orphaned ──Abort──► AbortingOrphan ──EndTxn──► Fatal, OrphanUnreported
//	                                                 ▲                   │       └─refused for good──► Fatal
//	                                                 └──refused for now──┘
//
// A transaction may end after the call that asked for the end was left. It is then in one of the states whose names end in
// Untold, and the next call of the same kind is told. No transaction begins before a commit has been told. An abort that nobody
// asks for again is forgotten.
//
// Two tables are the whole of it: the moves in state.go, and in reply.go what each call is told at once in each state. The
// tests print both to testdata. A move that the first table lacks is a bug of ours and panics. A call that the second refuses
// gets a [StateError]. A broker whose answer is impossible ends the producer, with an [Error]. Beside the state there is what
// is known of the transaction, such as whether an EndTxn may have taken effect: one value, which begins anew with each
// transaction (type transaction).
//
// # Two protocols
//
// The protocol of a transaction is settled when it begins. It is the new one if the feature transaction.version is finalised at
// 2, and every broker that was heard offers all of its requests. The finalised level alone does not say what a proxy lets
// through. The old protocol works on the same cluster, as it does for old clients. If a coordinator lacks what the old one
// needs as well, the call that begins says so.
//
//	old (0 and 1)     AddPartitionsToTxn before the first Produce to a partition, at most 11;
//	                  AddOffsetsToTxn before TxnOffsetCommit, at most 4; EndTxn, at most 4.
//	new (2, KIP-890)  Produce 12 and later adds partitions, TxnOffsetCommit 5 and later offsets;
//	                  EndTxn 5 gives the epoch, or a new producer id, for the next transaction.
//
// The epoch is raised before the first transaction of the new protocol after the old. In the old protocol it is raised after an
// abort that left a gap in some partition's sequence (KIP-360), and after an EndTxn without an answer, which may still arrive. So
// may a request that adds something. If that had no answer, and no other had a success, the abort itself takes a new epoch. The
// answer to EndTxn does not tell whether the coordinator had heard of the transaction: if nothing is open, it is a success after
// an abort, and INVALID_TXN_STATE after a commit.
//
// # Hidden requests
//
// Each new connection can offer other requests, also in the middle of a transaction. Where a node no longer offers a request of
// the new protocol, those of the old one take its place, and mean the same to the coordinator: AddPartitionsToTxn for a
// Produce, AddOffsetsToTxn and an older TxnOffsetCommit for offsets, an older EndTxn. The older EndTxn leaves the epoch as it
// was, and a late Produce of the new protocol would begin another transaction under it. So a new epoch is asked for before the
// next transaction.
//
// If a newer EndTxn may have been done already, the older one is sent all the same, so that nothing stays open. If that is
// refused for the epoch or the producer id, either the newer one was done, or another producer has taken over. An abort is done
// in both cases, and the coordinator is asked for the next epoch. A commit is Unknown. A newer EndTxn is never sent after an
// older one that may have been done: it would be one for the next transaction.
//
// # Orphans
//
// A setting or a permission that is found to be wrong in the middle of a transaction ends the producer. The transaction is open
// then, and whoever reads committed records waits for it. So Abort and Close ask for its end all the same. If that is refused
// for the same reason, Abort says so and can be called again; Close says so, and ends. An EndTxn that was refused is asked for
// again in the same way, but as an abort, since its producer is of no more use. A commit that may have been done is left to the
// coordinator (see below).
//
// # What is certain
//
// A commit that was sent and not answered has taken effect or has not. It is asked again, under the same id and epoch, until
// the coordinator tells. Nothing is aborted meanwhile, and a producer that can ask no more says Unknown. A transaction whose
// commit was never asked for can only be aborted: by us, by the coordinator's timeout, or by the next producer of the
// transactional id.
//
// # A fresh producer id
//
// Where epochs have run out, EndTxn gives another producer id at once, and the coordinator takes it when the transaction is
// complete. Until then it does not know the id, and it looks at the id before anything else: it answers
// INVALID_PRODUCER_ID_MAPPING, or PRODUCER_FENCED to a request for a new epoch. Neither means that anybody was fenced. So the
// request is repeated as it is, with the same id and epoch, and never as one without an id, which would fence whoever has taken
// over. That is safe with every broker. If somebody has taken over, the id or its epoch is another one by then, so the repeated
// request changes nothing and gets the same answer, which counts after delivery.timeout. The same holds where the id is lost
// for good, as in a cluster that was made again under its old cluster id. The answer counts at once if the coordinator has
// taken anything under the fresh id.
//
// A new epoch is asked for only if some partition needs it. A partition whose numbers belong to an older identity than the
// producer's adopts the producer's at sequence 0 with its next batch, whatever has become of its numbers.
//
// # Fenced
//
// Fenced is final. PRODUCER_FENCED or INVALID_PRODUCER_EPOCH from the coordinator ends the producer, and each call is told so.
// In the answer to a Produce, INVALID_PRODUCER_EPOCH may only mean that the transaction has timed out, so it can be aborted
// first.
//
// # Compatibility
//
// This package is package producer's own. Its names are exported for the other packages of this module, and promise nothing to
// anybody else: any version may change or remove them. What a program may rely on is in package producer.
package txn

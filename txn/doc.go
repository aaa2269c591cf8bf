// Package txn is the state of a transactional producer: where its transaction stands, what its caller may do, and which
// request is due next. It sends nothing, reads no clock and starts no goroutine: the sender loop owns it, asks [Txn.Next]
// what to send, and tells it what came of that.
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
//	         │                                                 │  Committing ──EndTxn──► Ready, CommitUntold
//	         │                                                 ▼      │
//	         │   ┌──────────────────── Abort ─────────────── Failed ◄─┘ a failure before EndTxn
//	         ▼   ▼
//	       Aborting ────────────────────────────────────────────EndTxn──► Ready, AbortUntold
//	           └──where EndTxn cannot end it──► AbortingByEpoch ──identity──► the same
//
//	Any state goes to Fatal when the producer is fenced or can be of no more use, and none leaves it. On the way there an
//	open transaction can be an orphan (see below):
//
//	       any in which a transaction is open ──► Orphaned ──Abort──► AbortingOrphan ──EndTxn──► Fatal, OrphanUntold
//	                                                 ▲                   │       └─refused for good──► Fatal
//	                                                 └──refused for now──┘
//
// A transaction that ends while nobody waits for that is in one of the states whose names end in Untold: the call that asked
// for the end was left, and the next of its kind is told. No transaction begins before a commit has been told; an abort that
// nobody asks for again is forgotten.
//
// Two tables are all there is of it: the moves in state.go, and in reply.go what each call is told at once in each state. The
// tests print both to testdata. A move that the one lacks is a bug of ours and panics. A caller who asks for one is refused by
// the other, with a [StateError]. A broker whose answer is impossible ends the producer, with an [Error]. Beside the state there
// is what is known of the transaction, as whether an EndTxn may have taken effect: one value, which begins anew with each (type
// transaction).
//
// # Two protocols
//
// Which protocol a transaction is in is settled when it begins: the new one if the feature transaction.version is finalised at 2
// and every broker that was heard offers all of its requests. What is finalised says nothing of what a proxy lets through. The
// old one works on the same cluster, as it does for old clients; if a coordinator lacks what the old one needs as well, the call
// that begins says so.
//
//	old (0 and 1)     AddPartitionsToTxn before the first Produce to a partition, at most 11;
//	                  AddOffsetsToTxn before TxnOffsetCommit, at most 4; EndTxn, at most 4.
//	new (2, KIP-890)  Produce 12 and later adds partitions, TxnOffsetCommit 5 and later offsets;
//	                  EndTxn 5 gives the epoch, or a new producer id, for the next transaction.
//
// From the old to the new the epoch is raised before the first new transaction, and so it is in the old after an abort that
// left a gap in some partition's sequence (KIP-360), or of which the coordinator had not heard, and after an EndTxn without
// an answer, which may come late.
//
// # Hidden requests
//
// What a connection offers can change with each, in the middle of a transaction, too. A request of the new protocol that its
// node no longer offers gives way to those of the old one, which mean the same to the coordinator: AddPartitionsToTxn for a
// Produce, AddOffsetsToTxn and an older TxnOffsetCommit for offsets, an older EndTxn. The latter leaves the epoch as it was, and
// a late Produce of the new protocol would begin another transaction under it, so a new epoch is asked for before the next. If a
// newer EndTxn may have been done already, the older is sent all the same, so that nothing stays open. Its refusal, for the epoch
// or the producer id, then says less than elsewhere: the newer was done, or somebody has taken over. An abort is done in both
// cases, and the coordinator is asked for the next epoch. A commit is Unknown. The other way round is never taken: a newer EndTxn
// after an older that was done would be one for the next transaction.
//
// # Orphans
//
// A setting or a permission that is found to be wrong in the middle ends the producer. The transaction is open then, and whoever
// reads committed records waits for it. So Abort and Close ask for its end all the same. If that is refused for the same reason,
// Abort says so and can be called again; Close says so, and ends. An EndTxn that was refused is asked for again in the same way,
// but as an abort: its producer is of no more use. A commit that may have been done is left to the coordinator (see below).
//
// # What is certain
//
// A commit that was sent and not answered has taken effect or has not. It is asked again, under the same id and epoch,
// until the coordinator tells; nothing is aborted meanwhile, and a producer that can ask no more says Unknown. What was
// never asked to be committed can only be aborted: by us, by the coordinator's timeout, or by the next producer of the
// transactional id.
//
// # A fresh producer id
//
// Where epochs have run out, EndTxn gives another producer id at once, and the coordinator takes it when the transaction is
// complete. Until then it does not know who asks, and looks at the id before anything else: it answers
// INVALID_PRODUCER_ID_MAPPING, and PRODUCER_FENCED to who asks for a new epoch. Neither means that anybody was fenced, so the
// request is repeated as it is, with the same id and epoch: never as one that knows none, which would fence whoever has taken
// over. That is safe with every broker: where somebody has, the id or its epoch is another one by then, so that the repeated
// request changes nothing and gets the same answer, which counts after delivery.timeout. So it does where the id is lost for
// good, as in a cluster that was made again under its old cluster id. It counts at once if the coordinator has taken anything
// under the fresh id.
//
// A new epoch is asked for only if some partition needs it. One whose numbers belong to an older identity than the producer's
// adopts that at 0 with its next batch, whatever has become of its numbers.
//
// # Fenced
//
// Fenced is final: the coordinator's PRODUCER_FENCED, or INVALID_PRODUCER_EPOCH, ends the producer and is told on each
// call. The latter in the answer to a Produce may only mean that the transaction has timed out, so it can be aborted first.
//
// # Compatibility
//
// This package is package producer's own. Its names are exported for the other packages of this module, and promise nothing
// to anybody else: any version may change or remove them. What a program may rely on is in package producer.
package txn

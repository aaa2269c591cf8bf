// # Whose numbers they are
//
// A producer id belongs to the cluster that gave it. In that cluster nobody else has it. So whatever its logs have under our
// id, epoch and sequence is ours. A partition may raise the epoch on its own after a gap, since nobody else has numbers under
// it.
//
// In another cluster somebody else may have the same id, with any epoch. The brokers there can take what we send for a
// duplicate of what the other has sent. Then they acknowledge it, and it is in no log. So a partition raises the epoch only of
// an id that this cluster gave. In each of these cases it abandons its id, and waits for one that is given later:
//
//   - Metadata names another cluster id. All partitions abandon theirs. What was being asked of the old cluster is not used.
//   - Metadata names another topic id. The topic's partitions abandon theirs: the cluster may have been made again, and have
//     kept its cluster id.
//   - A broker calls our epoch old (INVALID_PRODUCER_EPOCH), outside of transactions. Only the owner of an id raises its epoch,
//     and no partition sends an older epoch after a newer. So somebody else has the id. All partitions with that id abandon it.
//   - A broker calls a batch a duplicate of which every attempt has a known outcome: none was written. All partitions with that
//     id abandon it. The batch fails as one that may be written, since a proxy could have sent it twice. From then on, and
//     after an epoch that was called old, no duplicate under that id is believed: it may be the other's, also where the batch
//     is in doubt. Such a batch fails as one that may be written. A success can show that somebody else has the id, too. Where
//     a topic's answers have no time of append, one that has a time is about an older batch. Each broker is judged by its own
//     answers, since a change of message.timestamp.type does not reach all at once. A broker that has given a time against its
//     habit is trusted again when it has left out the time eight times as often as before. So a lasting disagreement raises
//     ever fewer doubts. A batch that was in flight when the cluster turned out to be another one may have reached that on a
//     connection that outlived the former. Its answer is judged by the former one's habit.
//   - A broker refuses a sequence in a topic without an id. Nothing says then that the log is still the same.
//   - Touch with the cluster was lost, and afterwards no topic has the id that it had. A cluster that is wiped loses all
//     connections, whatever ids it keeps. But we notice the end of one before that of another, and of one that is half open we
//     notice none. So touch is lost when a connection is made after one has ended, and no other has answered a request that was
//     sent after that end. Then nothing that has numbers, and nothing of a transaction, is sent on that connection, or on one
//     that is made later, until an answer to Metadata has told which topics there are. An answer to what was asked before
//     connections were lost tells nothing, since it may be the former cluster's, and metadata is asked again. If one topic has
//     kept its id, all goes on as before. That none has, only an answer shows that was asked for all topics. A topic that is
//     learned while the answer is awaited need not be in it, and its id shows nothing: it may be the other cluster's.
//
// An answer may describe no topic that had an id: it calls each unknown, gives another error or no partitions, or leaves it
// out. A broker that has just started, and has not caught up, says the same as one of another cluster. So the answer shows
// nothing, and metadata is asked again, with its backoff. Until an answer describes one of these topics, nothing is sent that
// the doubt holds up. Records in doubt keep their numbers meanwhile, and no younger record overtakes them: that is why the id
// is not given up for an error that passes. These topics may be gone for good, and records of new ones wait. So this has a
// bound: request.timeout, or a quarter of delivery.timeout if that is less, counted from the first such answer. A time between
// two of them counts as a quarter of the bound at most. It may be an outage, which shows nothing, either. So at least five such
// answers come first, and each brings the end nearer, however often connections are lost. After that the cluster counts as
// another one. This is no less safe than an answer that shows it (see below): to take our own cluster for another one costs
// order, and a transactional producer, and no more. Where there is no topic with an id to tell by, or a broker describes one
// without its id, there is nothing to wait for, and the producer id is given up at once. Another cluster id tells at once, too.
//
// If no topic has kept its id, the answer need not describe each topic. A topic that it does not describe may have yet to be
// made again, and be named by another id then. So it is withheld on all connections until an answer describes it: nothing of it
// is sent that may be written, and nothing of a transaction, whose producer id stays. What was never sent goes out under the
// new id. Metadata goes on asking for the topic, and what is withheld has its outcome by delivery.timeout (I4). An answer to
// what was asked before connections were lost describes nothing, since it may be the former cluster's. A topic without an id
// cannot be told from another one of its name. Where the ids of others say that the cluster is another one, it is taken for
// another one, too. Where no topic has an id, it goes on once it is described.
//
// All this is safe with every broker. What may be written keeps its numbers. It is sent again, unchanged, to the same log, or
// it fails as one that may be written (I3, I6). It is never sent to the log of another topic or cluster. What was numbered and
// never sent is numbered anew. A new id has no state in any log, so nothing under it is taken for a duplicate. It does not
// fence the old id, and need not: what is still on its way under that was reported as one that may be written, before anything
// went out under the new id. It can be written late, behind what is new, where the cluster is the same after all. A broker that
// is told the name of a topic, and not its id, writes it behind what is new.
//
// A cluster that begins to give ids from the start can give one that we had. Its epoch is then raised above all that we have
// used with it, so that nothing of ours has its numbers. A cluster that was restored from a copy, with its allocator and its
// ids, shows itself by refused epochs and sequences alone. README names that as a limit.
//
// The id of a transactional producer comes from its coordinator. In another cluster the coordinator knows nothing of it. So the
// producer ends when metadata names another cluster id, and when touch was lost and no topic has kept its id. A topic that is
// made again under an open transaction loses what the transaction has written there. Only an abort is left then.
//
// A connection belongs to a node at its address, in one cluster. When metadata names another address or another cluster, the
// next request goes over a new connection. What is in flight on the old one is still awaited. Brokers that disagree about an
// address are followed more and more slowly. So are brokers that disagree about the cluster's id, as two clusters behind one
// name do: when one change comes soon after another, metadata is not asked for a while. But each answer that does come is taken
// as a whole, with all that follows from a new id. So nothing that was numbered for one cluster is acknowledged for the other.
//
// News ends the backoff of whatever it is about: a partition that has another leader or another topic, or that waited for a
// producer id. Brokers that contradict each other always have news. So it ends a partition's backoff a few times only, and then
// not until the partition has had a success.
package sender

// Package metadata knows what the cluster looked like last, and when to ask again.
//
// A [Cluster] is told what is wanted ([Cluster.Want], [Cluster.Touch], [Cluster.RequestUpdate]). It says what to ask and when
// ([Cluster.Next]), and which node to ask ([Cluster.Prefer]). It turns answers ([Cluster.Answer], [Cluster.Failed],
// [Cluster.Hint]) into the next [Snapshot] and into [Changes]. It starts no goroutine, reads no clock and sends nothing. The
// sender loop owns the Cluster, and nobody else may call its methods. Snapshots are immutable and go to everybody.
//
// What it promises:
//
//   - Only topics that somebody wants or produces to are asked for, by few requests: all that is due goes into one. At most
//     four for some topics are in flight, and one for all. No two of the four ask for the same topic. So a new topic waits for
//     no answer that is about others, and no broker is asked more often for the same.
//   - A topic's partitions never become fewer while its topic id stays the same, and leader epochs do not go back: the view of a
//     broker that lags behind changes nothing. Only if nobody confirms an epoch for ten seconds, and two brokers know an older
//     one, is that believed: otherwise one wrong epoch would keep a partition from its leader for good. A new id starts from
//     nothing, and an id that was replaced does not come back on the word of a broker or two that lag behind (KIP-516). Brokers
//     that send no topic ids give no such protection against a topic made anew.
//   - A topic never seen fails within bounded time, on the word of two brokers, and the answer is remembered for a moment. A
//     topic once seen does not fail here, whatever a broker says of it later: its records wait for their delivery timeout.
//     Denial is the one exception that is reported, and even that keeps the data.
//   - When no broker that it knows answers, it forgets them all and asks for the bootstrap servers (KIP-899, KIP-1102).
//
// # Compatibility
//
// This package is package producer's own. Its names are exported for the other packages of this module, and promise nothing to
// anybody else: any version may change or remove them. What a program may rely on is in package producer.
package metadata

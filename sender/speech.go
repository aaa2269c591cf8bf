package sender

import (
	"github.com/epistle-kafka/epistle/protocol"
	"github.com/epistle-kafka/epistle/wire"
)

// A speech is what a broker's last connection has offered of the requests of transactions. What the cluster has finalised
// says nothing of that: what is between us and the broker may know less, for one broker or for all, and from one connection
// to the next.
type speech struct {
	heard bool
	isNew bool // all that the new protocol needs
	adds  bool // AddPartitionsToTxn, which the old one needs
	ends  bool // EndTxn
}

// What the new protocol begins with.
const (
	firstNewProduce      = lastVersionOldTxn + 1
	firstNewOffsetCommit = 5
	firstNewEndTxn       = 5
)

var (
	produceKey       = new(protocol.ProduceRequest).API().Key
	addPartitionsKey = new(protocol.AddPartitionsToTxnRequest).API().Key
	offsetCommitKey  = new(protocol.TxnOffsetCommitRequest).API().Key
	endTxnKey        = new(protocol.EndTxnRequest).API().Key
)

// hear notes what a new connection to n offers.
func (c *core) hear(n *node, which lane, cn conn) {
	atLeast := func(key, version int16) bool { // one that is not offered at all is no reason to speak the other protocol
		newest, ok := cn.Version(key)
		return !ok || newest >= version
	}
	adds := atLeast(produceKey, firstNewProduce)
	n.links[which].adds = adds
	s := speech{heard: true, isNew: adds && atLeast(endTxnKey, firstNewEndTxn) && atLeast(offsetCommitKey, firstNewOffsetCommit)}
	_, s.adds = cn.Version(addPartitionsKey)
	_, s.ends = cn.Version(endTxnKey)
	n.speech = s
	c.noteFeatures(cn.Features())
}

// speak chooses the protocol of the next transaction: the new one if it is finalised, and if every broker that was heard
// offers all of it, and the old one else, as an old client would on the same cluster. It returns why none can be begun.
func (c *core) speak() error {
	level := c.txn.finalized
	for _, n := range c.order {
		if n.id >= 0 && n.speech.heard && !n.speech.isNew {
			level = min(level, 1)
		}
	}
	c.txn.SetLevel(level)
	why := c.unspoken(level)
	c.txn.SetUnspoken(why)
	return why
}

// speakAgain is speak for who begins a transaction. What the coordinator lacks may have been lost on the way: see unsupported.
// Nothing that is lacking is ever sent, so nothing would close the connection that said so. It is closed here, at the pace of
// the reconnect backoff, and the next one is asked. The caller is told at once, and may try again.
func (c *core) speakAgain() {
	id, known := c.txn.Coordinator()
	n := c.nodes[id]
	if c.speak() == nil || !known || n == nil || !c.txn.CanBegin() || n.askAgain.After(c.now) {
		return
	}
	n.askAgain = c.now.Add(c.cfg.Reconnect.Max)
	if l := &n.links[control]; l.conn != nil {
		l.conn.Close(errOffer)
		l.conn, l.busy = nil, 0
	}
	c.connect(n, control)
}

// unspoken is why no transaction can be begun at a level: its coordinator lacks what ends one, or what the old protocol begins
// one with.
func (c *core) unspoken(level int16) error {
	id, known := c.txn.Coordinator()
	n := c.nodes[id]
	var lacks protocol.API
	switch {
	case !known || n == nil || !n.speech.heard:
		return nil
	case !n.speech.ends:
		lacks = new(protocol.EndTxnRequest).API()
	case level < 2 && !n.speech.adds:
		lacks = new(protocol.AddPartitionsToTxnRequest).API()
	default:
		return nil
	}
	return &lackError{c.brokerName(id), &wire.UnsupportedVersionError{API: lacks.Name, Min: lacks.Min, Max: lacks.Max}}
}

// A lackError says that a coordinator, or what is in front of it, lacks a request that every transaction needs.
type lackError struct {
	broker string
	err    error
}

func (e *lackError) Error() string {
	return "no transaction could be ended by " + e.broker + ", the coordinator, or what is between: " + e.err.Error()
}

func (e *lackError) Unwrap() error { return e.err }

package sender

import (
	"github.com/epistle-kafka/epistle/protocol"
	"github.com/epistle-kafka/epistle/wire"
)

// A speech is what a broker's last connection has offered of the requests of transactions. What the cluster has finalised says
// nothing about that: a proxy between us and the broker may know less, for one broker or for all, and from one connection to
// the next.
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
func (t *transactor) hear(n *node, which lane, cn conn) {
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
	t.noteFeatures(cn.Features())
}

// askFeatures asks n again what the cluster has finalised: it may be upgraded, or downgraded, while this producer runs.
func (t *transactor) askFeatures(n *node) {
	c := t.c
	l := &n.links[control]
	if l.conn == nil || l.busy >= c.cfg.MaxInFlight {
		return
	}
	w := &c.cfg.Wire
	req := &protocol.ApiVersionsRequest{ClientSoftwareName: w.SoftwareName, ClientSoftwareVersion: w.SoftwareVersion, NodeID: -1}
	c.ask(n, req, new(protocol.ApiVersionsResponse), func(c *core, _ *node, call *wire.Call) {
		resp := call.Response.(*protocol.ApiVersionsResponse)
		if call.Err != nil || resp.ErrorCode != protocol.NoError {
			return
		}
		levels := map[string]int16{}
		for _, f := range resp.FinalizedFeatures {
			levels[f.Name] = f.MaxVersionLevel
		}
		t.noteFeatures(resp.FinalizedFeaturesEpoch, levels)
	})
}

// noteFeatures takes a broker's word for what is finalised, unless a newer one is known.
func (t *transactor) noteFeatures(epoch int64, levels map[string]int16) {
	defer func() { _ = t.speak() }() // whoever begins a transaction is told why none can be
	if epoch < t.features {
		return
	}
	t.features = epoch
	t.finalized = levels["transaction.version"]
}

// speak chooses the protocol of the next transaction: the new one if it is finalised and every broker that was heard offers all
// of it; otherwise the old one, as an old client would on the same cluster. It returns why none can be begun.
func (t *transactor) speak() error {
	c := t.c
	level := t.finalized
	for _, n := range c.nodes.all() {
		if n.id >= 0 && n.speech.heard && !n.speech.isNew {
			level = min(level, 1)
		}
	}
	t.SetLevel(level)
	why := t.unspoken(level)
	t.SetUnspoken(why)
	return why
}

// speakAgain is speak for a call that begins a transaction. What the coordinator lacks may have been lost on the way: see
// unsupported. A request that is lacking is never sent, so nothing else closes the connection that said so. It is closed here,
// at the pace of the reconnect backoff, and the next one is asked. The caller is told at once, and may try again.
func (t *transactor) speakAgain() {
	c := t.c
	id, known := t.Coordinator()
	n := c.nodes.of(id)
	if t.speak() == nil || !known || n == nil || !t.CanBegin() || n.askAgain.After(c.now) {
		return
	}
	n.askAgain = c.now.Add(c.cfg.Reconnect.Max)
	if l := &n.links[control]; l.conn != nil {
		l.conn.Close(errOffer)
		l.conn, l.busy = nil, 0
	}
	c.connect(n, control)
}

// unspoken returns why no transaction can be begun at a level: its coordinator lacks what ends one, or what the old protocol
// begins one with.
func (t *transactor) unspoken(level int16) error {
	c := t.c
	id, known := t.Coordinator()
	n := c.nodes.of(id)
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
	return &lackError{c.nodes.name(id), &wire.UnsupportedVersionError{API: lacks.Name, Min: lacks.Min, Max: lacks.Max}}
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

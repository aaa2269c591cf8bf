package doctor

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"net"
	"slices"
	"strconv"

	"github.com/epistle-kafka/epistle/protocol"
	"github.com/epistle-kafka/epistle/wire"
)

// mayWrite is the stage Rights: whether the client may write to the topic, as Metadata has told.
func (r *run) mayWrite(t *topic) {
	if t.found == nil || t.found.ErrorCode != protocol.NoError {
		r.withoutTopic(Rights, t)
		return
	}
	const write = 1 << 4 // AclOperation.WRITE
	ops := t.found.TopicAuthorizedOperations
	if ops == protocol.NoAuthorizedOperations || ops == 0 {
		r.skip(Rights, t.of, "the broker does not tell what this client may do")
		return
	}
	may := ops&write != 0
	t.state.MayWrite = &may
	c := Check{Stage: Rights, Of: t.of, Verdict: OK, Text: "this client may write to it"}
	if !may {
		c = codeCheck(c, "it may be seen, but not be written to", protocol.TopicAuthorizationFailed)
		c.Advice = "grant this client WRITE on the topic: kafka-acls.sh --add --operation Write --topic " + t.name + " --allow-principal User:…"
	}
	r.add(c)
}

// withoutTopic notes a stage that needs a topic that there is not.
func (r *run) withoutTopic(stage Stage, t *topic) {
	if t.found != nil && t.found.ErrorCode == protocol.UnknownTopicOrPartition && !r.over() {
		r.skip(stage, t.of, "the topic does not exist")
		return
	}
	r.blocked(stage, t.of)
}

// idempotence is the stage of that name: it asks for a producer id, as each start of a producer does.
func (r *run) idempotence() {
	link := r.anyLink()
	switch {
	case !r.o.Idempotent:
		r.skip(Idempotence, "", "enable.idempotence is false")
		return
	case r.o.TransactionalID != "":
		r.skip(Idempotence, "", "the transactional id has its own right")
		return
	case link == nil || r.over():
		r.blocked(Idempotence, "")
		return
	}
	began := r.t.Now()
	code, err := r.again(func() (protocol.ErrorCode, error) {
		resp := new(protocol.InitProducerIDResponse)
		if err := link.Ask(r.ctx, &protocol.InitProducerIDRequest{ProducerID: -1, ProducerEpoch: -1}, resp); err != nil {
			return protocol.NoError, err
		}
		return resp.ErrorCode, nil
	})
	c := Check{Stage: Idempotence, Took: r.since(began), Verdict: OK,
		Text: "this client may write idempotently: a producer id was given, as to each producer that starts"}
	const idempotentWrite = 1 << 12 // AclOperation.IDEMPOTENT_WRITE
	if r.rights&idempotentWrite != 0 {
		c.Text += "; it has IDEMPOTENT_WRITE on the cluster"
	}
	switch {
	case err != nil:
		c.Verdict, c.Err, c.Text, c.Advice = Failed, err, wholeTextOf(err), adviceOf(err)
	case code == protocol.ClusterAuthorizationFailed:
		c = codeCheck(c, "InitProducerId", code)
		c.Advice = "grant this client WRITE on the topic, or IDEMPOTENT_WRITE on the cluster where brokers are older than 2.8; or set enable.idempotence=false, which may write a record twice after a retry"
	case code != protocol.NoError:
		c = codeCheck(c, "InitProducerId", code)
		c.Advice = "look at the brokers' logs, and try again: no idempotent producer can start"
	}
	r.add(c)
}

// anyLink is a connection to some broker that answers, nil if there is none.
func (r *run) anyLink() Link {
	for _, id := range slices.Sorted(maps.Keys(r.brokers)) {
		if b := r.brokers[id]; b.about.Reached {
			return b.link
		}
	}
	for _, s := range r.servers {
		if s.link != nil && s.about.Reached {
			return s.link
		}
	}
	return nil
}

// nobody is a producer id that no cluster gives to anybody: they count from 0.
const nobody = math.MaxInt64

// transactions is the stage of that name. The coordinator is asked to abort a transaction of a producer that there is not: whether
// the client may use the transactional id comes first, and then it refuses. InitProducerId would say it, too, and shut out who
// uses the id.
func (r *run) transactions() {
	id := r.o.TransactionalID
	link := r.anyLink()
	of := "transactional id " + protocol.Quoted(id)
	switch {
	case id == "":
		r.skip(Transactions, "", "no transactional.id is set")
		return
	case link == nil || r.over():
		r.blocked(Transactions, of)
		return
	}
	began := r.t.Now()
	node, addr, code, err := r.coordinator(link, id)
	c := Check{Stage: Transactions, Of: of}
	if err == nil && code == protocol.NoError {
		code, err = r.askCoordinator(node, addr, id)
		if code == protocol.NoError && err == nil {
			c.Text = fmt.Sprintf("this client may use it; broker %d coordinates it", node)
		}
	}
	c.Took = r.since(began)
	r.add(judgeTransactions(c, code, err, r.o, r.settings["transaction.max.timeout.ms"]))
}

// coordinator finds out who coordinates a transactional id.
func (r *run) coordinator(link Link, id string) (node int32, addr string, code protocol.ErrorCode, err error) {
	code, err = r.again(func() (protocol.ErrorCode, error) {
		resp := new(protocol.FindCoordinatorResponse)
		err := link.Ask(r.ctx, &protocol.FindCoordinatorRequest{
			Key: id, CoordinatorKeys: []string{id}, KeyType: protocol.CoordinatorKeyTransaction,
		}, resp)
		if err != nil {
			return protocol.NoError, err
		}
		at := protocol.Coordinator{NodeID: resp.NodeID, Host: resp.Host, Port: resp.Port, ErrorCode: resp.ErrorCode}
		if len(resp.Coordinators) > 0 {
			at = resp.Coordinators[0]
		}
		node, addr = at.NodeID, net.JoinHostPort(at.Host, strconv.Itoa(int(at.Port)))
		return at.ErrorCode, nil
	})
	return node, addr, code, err
}

// known are the answers to who may use the id, and is not the producer that has it.
var known = []protocol.ErrorCode{
	protocol.InvalidProducerIDMapping, protocol.InvalidProducerEpoch, protocol.ProducerFenced, protocol.InvalidTxnState, protocol.ConcurrentTransactions,
}

// askCoordinator returns NoError if the client may use the id.
func (r *run) askCoordinator(node int32, addr, id string) (protocol.ErrorCode, error) {
	link := Link(nil)
	if b := r.brokers[node]; b != nil && b.about.Reached && b.about.Addr == addr {
		link = b.link
	} else {
		var err error
		if link, err = r.t.Connect(r.ctx, addr, node, r.takenFor(), func(wire.Passed) {}); err != nil {
			return protocol.NoError, err
		}
		r.links = append(r.links, link)
	}
	code, err := r.again(func() (protocol.ErrorCode, error) {
		resp := new(protocol.EndTxnResponse)
		if err := link.Ask(r.ctx, &protocol.EndTxnRequest{TransactionalID: id, ProducerID: nobody}, resp); err != nil {
			return protocol.NoError, err
		}
		return resp.ErrorCode, nil
	})
	if slices.Contains(known, code) {
		code = protocol.NoError
	}
	return code, err
}

// judgeTransactions says whether the transactional id can be used. most is the brokers' transaction.max.timeout.ms, "" where that
// is not known.
func judgeTransactions(c Check, code protocol.ErrorCode, err error, o *Options, most string) Check {
	c.Verdict = OK
	switch {
	case err != nil:
		c.Verdict, c.Err, c.Text, c.Advice = Failed, err, wholeTextOf(err), adviceOf(err)
		if errors.As(err, new(*wire.UnsupportedVersionError)) {
			c.Advice = "use brokers that know transactions (Kafka 0.11 or newer)"
		}
		return c
	case code == protocol.TransactionalIDAuthorizationFailed:
		c = codeCheck(c, "this client may not use it", code)
		c.Advice = "grant this client DESCRIBE and WRITE on the transactional id: kafka-acls.sh --add --operation Write --operation Describe --transactional-id …"
		return c
	case code != protocol.NoError:
		c = codeCheck(c, "its coordinator", code)
		c.Advice = "look at the brokers' logs, and at the replicas of __transaction_state: without a coordinator no transaction begins"
		return c
	}
	if n, err := strconv.ParseInt(most, 10, 64); err == nil && o.TransactionTimeout.Milliseconds() > n {
		c = codeCheck(c, fmt.Sprintf("transaction.timeout.ms is %d, and the brokers' transaction.max.timeout.ms is %d", o.TransactionTimeout.Milliseconds(), n), protocol.InvalidTransactionTimeout)
		c.Advice = "lower transaction.timeout.ms, or raise that of the brokers"
	}
	return c
}

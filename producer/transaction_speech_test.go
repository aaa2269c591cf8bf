package producer_test

import (
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/protocol"
)

// A proxy is something between the producer and a cluster that has transaction.version 2: it hides versions of requests from
// all, or from those who connect to one broker, as from the next connection on.
type proxy struct {
	c      *brokertest.Cluster
	nodes  int32
	broker atomic.Int32 // that it is in front of; 0: all
	hides  atomic.Pointer[map[int16]int16]
}

// nothing is the newest version of a request that a proxy does not know at all.
const nothing = -1

func newProxy(c *brokertest.Cluster, nodes int32) *proxy {
	p := &proxy{c: c, nodes: nodes}
	c.On(brokertest.ApiVersions).Always().Do(brokertest.Edit(func(r *brokertest.Request, resp protocol.Response) {
		answer, ok := resp.(*protocol.ApiVersionsResponse)
		hides := p.hides.Load()
		if only := p.broker.Load(); !ok || hides == nil || only != 0 && only != r.Broker {
			return
		}
		answer.APIKeys = slices.DeleteFunc(answer.APIKeys, func(v protocol.ApiVersion) bool {
			newest, hidden := (*hides)[v.APIKey]
			return hidden && newest == nothing
		})
		for i := range answer.APIKeys {
			if newest, hidden := (*hides)[answer.APIKeys[i].APIKey]; hidden {
				answer.APIKeys[i].MaxVersion = min(answer.APIKeys[i].MaxVersion, newest)
			}
		}
	}))
	return p
}

// hide has the proxy know an API up to a version, and everybody connect anew.
func (p *proxy) hide(versions map[int16]int16) {
	p.hides.Store(&versions)
	for id := range p.nodes {
		p.c.CutConnections(id+1, false)
	}
}

// oldRequests is each way in which a proxy can lack a part of the new protocol.
var oldRequests = map[string]map[int16]int16{
	"EndTxn":          {brokertest.EndTxn: 4},
	"TxnOffsetCommit": {brokertest.TxnOffsetCommit: 4},
	"Produce":         {brokertest.Produce: 11},
	"all of them":     {brokertest.EndTxn: 4, brokertest.TxnOffsetCommit: 4, brokertest.Produce: 11},
}

// unlikely demands that no request came in a version that the proxy does not know.
func (p *proxy) unlikely(t *testing.T) {
	t.Helper()
	for _, r := range p.c.Requests() {
		if newest, hidden := (*p.hides.Load())[r.APIKey]; hidden && r.Version > newest {
			t.Errorf("API %d came in version %d, and the proxy knows it up to %d", r.APIKey, r.Version, newest)
		}
	}
}

// Where the requests of the new protocol are missing, the old one is spoken, as an old client does on the same cluster.
func TestTheOldProtocolWhereTheNewIsHidden(t *testing.T) {
	for name, versions := range oldRequests {
		for _, broker := range []int32{0, 2} {
			t.Run(fmt.Sprint(name, "/", broker), func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					c := speeches[0].cluster(t, brokertest.Brokers(3))
					c.MoveCoordinator("tx", 2)
					c.MoveCoordinator("g", 2)
					if err := c.MoveLeader("t", 0, 2); err != nil {
						t.Fatal(err)
					}
					proxy := newProxy(c, 3)
					proxy.broker.Store(broker)
					proxy.hide(versions)
					p := uninitialised(t, c)
					story(t, c, p)
					if broker == 0 {
						proxy.unlikely(t)
					}
				})
			})
		}
	}
}

// A proxy comes, or goes, in the middle of a transaction: the transaction ends as its caller wants, and the next one is
// whole.
func TestTheNewProtocolIsHiddenInTheMiddle(t *testing.T) {
	for name, versions := range oldRequests {
		for way, end := range map[string]func(*testing.T, *producer.Producer){"commit": commit, "abort": abort} {
			for _, comes := range []bool{true, false} {
				t.Run(fmt.Sprint(name, "/", way, "/comes ", comes), func(t *testing.T) {
					bubble(t, func(t *testing.T) {
						c := speeches[0].cluster(t, brokertest.Brokers(3), brokertest.Topic("u", 3))
						proxy := newProxy(c, 3)
						before, after := map[int16]int16{}, versions
						if !comes {
							before, after = after, before
						}
						proxy.hide(before)
						p := transactional(t, c)
						begin(t, p)
						send(t, p, record("a"))
						proxy.hide(after)
						time.Sleep(time.Second)
						c.ForgetRequests()
						send(t, p, record("b")) // to a partition that is part of it
						for i := range int32(3) {
							if _, err := p.SendSync(t.Context(), producer.Record{Topic: "u", Partition: producer.OnPartition(i), Value: fmt.Append(nil, "c", i)}); err != nil {
								t.Fatal(err)
							}
						}
						if err := p.SendOffsetsToTransaction(t.Context(), offsets(1), groupG); err != nil {
							t.Fatal(err)
						}
						first, _ := c.Transaction("tx")
						end(t, p)
						proxy.unlikely(t)
						want := map[string]string{"commit": "a b", "abort": ""}[way]
						wantVisible(t, c, want)
						if got := groupOffset(c); (got == 1) != (way == "commit") {
							t.Errorf("the group's offset is %d after %s", got, way)
						}
						transaction(t, p, "next")
						if next, _ := c.Transaction("tx"); next.Epoch <= first.Epoch && comes {
							t.Errorf("the next transaction has epoch %d after %d, want a newer one: what is late of the new protocol would begin one", next.Epoch, first.Epoch)
						}
						soundLog(t, c)
					})
				})
			}
		}
	}
}

// A cluster that has no request to end a transaction says so before any record of it is sent.
func TestBeginSaysThatNoProtocolCanBeSpoken(t *testing.T) {
	for name, versions := range map[string]map[int16]int16{
		"no EndTxn":                             {brokertest.EndTxn: nothing},
		"an old EndTxn, no AddPartitionsToTxn":  {brokertest.EndTxn: 4, brokertest.AddPartitionsToTxn: nothing},
		"an old Produce, no AddPartitionsToTxn": {brokertest.Produce: 11, brokertest.AddPartitionsToTxn: nothing},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				c := speeches[0].cluster(t)
				proxy := newProxy(c, 1)
				proxy.hide(versions)
				p := transactional(t, c)
				err := p.BeginTransaction(t.Context())
				wantTold(t, "BeginTransaction", err, openFix)
				if err == nil || !errors.As(err, new(*producer.TransactionError)) {
					t.Errorf("BeginTransaction says %v", err)
				}
				proxy.hide(nil) // it is put right
				if _, err := p.Partitions(t.Context(), "t"); err != nil {
					t.Fatal(err)
				}
				time.Sleep(10 * time.Minute)
				transaction(t, p, "a")
				wantVisible(t, c, "a")
			})
		})
	}
}

// A setting or a permission that is found to be wrong in the middle of a transaction leaves nothing open: consumers would
// wait until it has timed out.
func TestAMisfitIsAborted(t *testing.T) {
	offsetsOf := func(t *testing.T, p *producer.Producer) error {
		return p.SendOffsetsToTransaction(t.Context(), offsets(1), groupG)
	}
	for name, f := range map[string]struct {
		hide map[int16]int16
		api  int16
		code protocol.ErrorCode
	}{
		"TxnOffsetCommit is hidden":         {api: brokertest.TxnOffsetCommit, hide: map[int16]int16{brokertest.TxnOffsetCommit: nothing}},
		"offsets are not authorised":        {api: brokertest.TxnOffsetCommit, code: protocol.TransactionalIDAuthorizationFailed},
		"groups are not authorised":         {api: brokertest.AddOffsetsToTxn, code: protocol.TransactionalIDAuthorizationFailed},
		"records are not authorised":        {api: brokertest.Produce, code: protocol.TransactionalIDAuthorizationFailed},
		"the cluster is not authorised":     {api: brokertest.Produce, code: protocol.ClusterAuthorizationFailed},
		"a version that was offered is not": {api: brokertest.TxnOffsetCommit, code: protocol.UnsupportedVersion},
		"partitions are not authorised":     {api: brokertest.AddPartitionsToTxn, code: protocol.TransactionalIDAuthorizationFailed},
	} {
		for _, way := range []string{"AbortTransaction", "Close", "Transact", "commit, then abort"} {
			t.Run(name+"/"+way, func(t *testing.T) {
				inEachProtocol(t, func(t *testing.T, s speech) {
					if s.lacks(f.api) {
						return
					}
					c := s.cluster(t, brokertest.Topic("u", 1))
					proxy := newProxy(c, 1)
					p := transactional(t, c)
					misfit := func() error {
						if f.hide != nil {
							proxy.hide(f.hide)
							time.Sleep(time.Second)
						} else {
							c.On(f.api).Always().Do(brokertest.Error(f.code))
						}
						if f.api == brokertest.Produce || f.api == brokertest.AddPartitionsToTxn {
							_, err := p.SendSync(t.Context(), producer.Record{Topic: "u", Value: []byte("x")})
							return err
						}
						return offsetsOf(t, p)
					}
					if way == "Transact" {
						err := p.Transact(t.Context(), func(tx *producer.Tx) error {
							tx.SendSync(t.Context(), record("a"))
							_ = misfit()
							return nil
						})
						wantTold(t, "Transact", err, abortedFix)
					} else {
						begin(t, p)
						send(t, p, record("a"))
						if err := misfit(); err == nil {
							t.Fatal("nobody is told")
						}
					}
					switch way {
					case "commit, then abort":
						wantTold(t, "CommitTransaction", p.CommitTransaction(t.Context()), abortedFix)
						abort(t, p)
					case "AbortTransaction":
						abort(t, p)
					case "Close":
						if err := p.Close(t.Context()); err != nil {
							t.Error(err)
						}
					}
					if tx, _ := c.Transaction("tx"); tx.State != brokertest.StateCompleteAbort {
						t.Errorf("the coordinator says %v, want that the transaction was aborted", tx.State)
					}
					wantVisible(t, c, "")
					if err := p.Close(t.Context()); err != nil {
						t.Error(err)
					}
				})
			})
		}
	}
}

package producer_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/protocol"
)

func named(id string) func(*producer.Config) { return func(cfg *producer.Config) { cfg.ClientID = id } }

// identities returns how many InitProducerId requests a client has made.
func identities(c *brokertest.Cluster, clientID string) (n int) {
	for _, r := range asked(c, brokertest.InitProducerID) {
		if r.ClientID == clientID {
			n++
		}
	}
	return n
}

// wantFenced demands that every call says so at once, and that nothing is tried to heal it (pitfall 18).
func wantFenced(t *testing.T, c *brokertest.Cluster, p *producer.Producer, clientID string) {
	t.Helper()
	synctest.Wait() // a record is told its outcome a moment before the producer is
	before, at := identities(c, clientID), time.Now()
	for range 3 {
		for what, call := range map[string]func(context.Context) error{
			"InitTransactions": p.InitTransactions, "BeginTransaction": p.BeginTransaction,
			"CommitTransaction": p.CommitTransaction, "AbortTransaction": p.AbortTransaction,
			"SendOffsetsToTransaction": func(ctx context.Context) error {
				return p.SendOffsetsToTransaction(ctx, offsets(1), groupG)
			},
			"Send":     func(ctx context.Context) error { _, err := p.SendSync(ctx, record("zombie")); return err },
			"TrySend":  func(context.Context) error { return p.TrySend(record("zombie"), nil) },
			"Transact": func(ctx context.Context) error { return p.Transact(ctx, func(*producer.Tx) error { return nil }) },
		} {
			err := call(t.Context())
			var failure *producer.TransactionError
			if !errors.Is(err, producer.ErrFenced) || !errors.As(err, &failure) || failure.Next != producer.NextNewProducer {
				t.Errorf("%s of a fenced producer says %v, want ErrFenced, and that a new producer is needed", what, err)
			}
		}
	}
	if took := time.Since(at); took != 0 {
		t.Errorf("the calls of a fenced producer took %v, want nothing", took)
	}
	time.Sleep(time.Minute)
	if n := identities(c, clientID) - before; n != 0 {
		t.Errorf("a fenced producer has asked for an identity %d times", n)
	}
}

// Two producers have one id. Whatever the older one does next, it is told at its next call to the coordinator, at the latest
// by its abort; nothing of its transaction is to be seen, and the newer one does not suffer.
func TestTheNewerProducerFencesTheOlder(t *testing.T) {
	for name, next := range map[string]func(t *testing.T, p *producer.Producer) error{
		"commit": func(t *testing.T, p *producer.Producer) error { return p.CommitTransaction(t.Context()) },
		"abort":  func(t *testing.T, p *producer.Producer) error { return p.AbortTransaction(t.Context()) },
		"offsets": func(t *testing.T, p *producer.Producer) error {
			return p.SendOffsetsToTransaction(t.Context(), offsets(1), groupG)
		},
		"a record to the same partition": func(t *testing.T, p *producer.Producer) error {
			_, err := p.SendSync(t.Context(), record("zombie"))
			return err
		},
		"a record to another partition": func(t *testing.T, p *producer.Producer) error {
			_, err := p.SendSync(t.Context(), producer.Record{Topic: "u", Value: []byte("zombie")})
			return err
		},
	} {
		for _, open := range []bool{true, false} {
			t.Run(name, func(t *testing.T) {
				inEachProtocol(t, func(t *testing.T, s speech) {
					c := s.cluster(t, brokertest.Topic("u", 1), brokertest.Brokers(2))
					older := transactional(t, c, named("older"))
					begin(t, older)
					if open {
						send(t, older, record("lost"))
					}
					newer := transactional(t, c, named("newer"))
					err := next(t, older)
					switch {
					case !open && (name == "commit" || name == "abort"):
						wantTold(t, "the end of an empty transaction", err, ok) // nobody was asked
						begin(t, older)
						_, _ = older.SendSync(t.Context(), record("zombie"))
						err = older.AbortTransaction(t.Context())
					case errors.Is(err, producer.ErrFenced):
						if strings.HasPrefix(name, "a record") {
							err = older.AbortTransaction(t.Context())
						}
					case err == nil:
						t.Error("the older producer is told that all is well")
					default:
						// What a partition's leader says of the epoch is not final: the coordinator is asked.
						wantTold(t, "CommitTransaction", older.CommitTransaction(t.Context()), openAbort)
						err = older.AbortTransaction(t.Context())
					}
					wantTold(t, "the older producer's last call", err, abortedNew)
					wantFenced(t, c, older, "older")
					transaction(t, newer, "kept")
					wantVisible(t, c, "kept")
					if got := visibleIn(c, "u", 0); got != "" || groupOffset(c) != -1 {
						t.Errorf("of the older producer %q and offset %d are to be seen", got, groupOffset(c))
					}
					if err := older.Close(t.Context()); err != nil {
						t.Errorf("Close of a fenced producer: %v", err)
					}
					soundLog(t, c)
				})
			})
		}
	}
}

// Old brokers say INVALID_PRODUCER_EPOCH where newer ones say PRODUCER_FENCED: from the coordinator it means the same.
func TestFencedByTheOlderCode(t *testing.T) {
	for _, api := range []int16{brokertest.AddPartitionsToTxn, brokertest.AddOffsetsToTxn, brokertest.TxnOffsetCommit, brokertest.EndTxn} {
		for _, code := range []protocol.ErrorCode{protocol.InvalidProducerEpoch, protocol.ProducerFenced} {
			bubble(t, func(t *testing.T) {
				c := speeches[1].cluster(t)
				p := transactional(t, c, named("older"))
				c.On(api).Do(brokertest.Error(code))
				begin(t, p)
				_, err := p.SendSync(t.Context(), record("a"))
				if err == nil {
					err = p.SendOffsetsToTransaction(t.Context(), offsets(1), groupG)
				}
				if err == nil {
					err = p.CommitTransaction(t.Context())
				}
				if !errors.Is(err, producer.ErrFenced) || !isCode(err, code) {
					t.Errorf("API %d, %v: %v is told, want ErrFenced and the code", api, code, err)
				}
				wantFenced(t, c, p, "older")
			})
		}
	}
}

// PRODUCER_FENCED is final in the answer to a Produce, too.
func TestFencedByALeader(t *testing.T) {
	inEachProtocol(t, func(t *testing.T, s speech) {
		c := s.cluster(t)
		p := transactional(t, c, named("older"))
		begin(t, p)
		c.On(brokertest.Produce).Do(brokertest.Error(protocol.ProducerFenced))
		if _, err := p.SendSync(t.Context(), record("a")); !isCode(err, protocol.ProducerFenced) {
			t.Errorf("the record is told %v", err)
		}
		wantFenced(t, c, p, "older")
	})
}

// A transaction outlives transaction.timeout, and the coordinator aborts it (KIP-588). In the new protocol its producer can
// abort it, too, and go on; in the old one it is fenced. In either nothing of it is to be seen.
func TestATransactionTimesOut(t *testing.T) {
	for name, c := range map[string]struct {
		do       func(t *testing.T, p *producer.Producer) error
		new, old string
	}{
		"commit": {func(t *testing.T, p *producer.Producer) error { return p.CommitTransaction(t.Context()) }, abortedNew, abortedNew},
		"abort":  {func(t *testing.T, p *producer.Producer) error { return p.AbortTransaction(t.Context()) }, ok, abortedNew},
		"a record, then abort": {func(t *testing.T, p *producer.Producer) error {
			_, err := p.SendSync(t.Context(), record("late"))
			if err == nil || producer.MayBeWritten(err) {
				t.Errorf("a record of a transaction that has timed out is told %v", err)
			}
			wantTold(t, "CommitTransaction", p.CommitTransaction(t.Context()), openAbort)
			return p.AbortTransaction(t.Context())
		}, ok, abortedNew},
	} {
		t.Run(name, func(t *testing.T) {
			inEachProtocol(t, func(t *testing.T, s speech) {
				cluster := s.cluster(t)
				p := transactional(t, cluster, named("slow"))
				begin(t, p)
				send(t, p, record("early"))
				time.Sleep(longerThanAnyTx)
				want := c.old
				if s.isNew {
					want = c.new
				}
				err := c.do(t, p)
				wantTold(t, "the end", err, want)
				if want == ok {
					transaction(t, p, "next")
					wantVisible(t, cluster, "next")
				} else {
					wantVisible(t, cluster, "")
					if errors.Is(err, producer.ErrFenced) {
						wantFenced(t, cluster, p, "slow")
					}
				}
				soundLog(t, cluster)
			})
		})
	}
}

// The error of a fenced producer says so in words, too.
func TestWhatAFencedProducerSays(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := speeches[0].cluster(t)
		p := transactional(t, c)
		begin(t, p)
		send(t, p, record("a"))
		transactional(t, c)
		err := p.CommitTransaction(t.Context())
		for _, word := range []string{"CommitTransaction", `"tx"`, "the producer is fenced", "nothing of the transaction will be visible", "make a new producer"} {
			if err == nil || !strings.Contains(err.Error(), word) {
				t.Errorf("the error is %v, want %q in it", err, word)
			}
		}
	})
}

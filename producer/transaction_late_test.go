package producer_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/partition"
	"github.com/epistle-kafka/epistle/producer"
)

// lateRecord sends a record from another goroutine, which is admitted to the open transaction, and reaches its batch only
// once the channel is closed.
func lateRecord(t *testing.T, p *producer.Producer) <-chan error {
	told := make(chan error, 1)
	go func() {
		_, err := p.SendSync(t.Context(), producer.Record{Topic: "t", Value: []byte("late")})
		told <- err
	}()
	synctest.Wait()
	return told
}

// A record is sent by one goroutine while another ends the transaction. It is part of the transaction or it fails as not
// written: it is never written beside it (I7), and the transaction does not suffer from it.
func TestARecordThatComesTooLate(t *testing.T) {
	for _, when := range []string{"while EndTxn is under way", "after the end", "in the next transaction"} {
		for _, how := range []string{"commit", "abort"} {
			t.Run(when+"/"+how, func(t *testing.T) {
				inEachProtocol(t, func(t *testing.T, s speech) {
					c := s.cluster(t)
					goOn := make(chan struct{})
					p := transactional(t, c, func(cfg *producer.Config) {
						cfg.Partitioner = partition.Func(func(partition.Record, *partition.Topic) (int32, error) {
							<-goOn
							return 0, nil
						})
					})
					begin(t, p)
					send(t, p, record("a"))
					late := lateRecord(t, p)
					c.On(brokertest.EndTxn).Do(brokertest.Pass().Delayed(time.Second))
					ended := make(chan error, 1)
					go func() {
						if how == "commit" {
							ended <- p.CommitTransaction(t.Context())
						} else {
							ended <- p.AbortTransaction(t.Context())
						}
					}()
					time.Sleep(500 * time.Millisecond)
					if when != "while EndTxn is under way" {
						wantTold(t, "the end", <-ended, ok)
						ended <- nil
					}
					want := []string{"c"}
					if how == "commit" {
						want = []string{"a", "c"}
					}
					if when == "in the next transaction" {
						begin(t, p)
					}
					close(goOn)
					err := <-late
					if err == nil || producer.MayBeWritten(err) {
						t.Errorf("the late record is told %v, want that it is not written", err)
					}
					if how == "commit" && errors.Is(err, producer.ErrTransactionAborted) {
						t.Errorf("the late record is told %v, and its transaction was not aborted", err)
					}
					wantTold(t, "the end", <-ended, ok)
					if when == "in the next transaction" {
						send(t, p, record("b"))
						commit(t, p)
						want = slices.Insert(want, len(want)-1, "b")
					}
					transaction(t, p, "c")
					wantVisible(t, c, strings.Join(want, " "))
					if slices.Contains(logged(c), "late") {
						t.Error("the late record is in the log")
					}
					soundLog(t, c)
				})
			})
		}
	}
}

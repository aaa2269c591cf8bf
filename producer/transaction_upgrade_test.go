package producer_test

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/protocol"
)

// spoken demands that the requests since the last look are those of one protocol, and forgets them.
func spoken(t *testing.T, c *brokertest.Cluster, what string, isNew bool) {
	t.Helper()
	counts := map[int16]int{}
	for _, r := range c.Requests() {
		counts[r.APIKey]++
		good := true
		switch r.APIKey {
		case brokertest.Produce:
			good = r.Version >= 12 == isNew
		case brokertest.EndTxn:
			good = r.Version >= 5 == isNew
		case brokertest.TxnOffsetCommit:
			good = r.Version >= 5 == isNew
		case brokertest.AddPartitionsToTxn, brokertest.AddOffsetsToTxn:
			good = !isNew
		}
		if !good {
			t.Errorf("%s: API %d came in version %d", what, r.APIKey, r.Version)
		}
	}
	if counts[brokertest.Produce] == 0 || counts[brokertest.EndTxn] == 0 || counts[brokertest.TxnOffsetCommit] == 0 {
		t.Errorf("%s: the requests are %v, want some of each", what, counts)
	}
	if !isNew && (counts[brokertest.AddPartitionsToTxn] == 0 || counts[brokertest.AddOffsetsToTxn] == 0) {
		t.Errorf("%s: the requests are %v, want partitions and offsets to be added", what, counts)
	}
	c.ForgetRequests()
}

// Each protocol is spoken as a whole.
func TestVersionsOfEachProtocol(t *testing.T) {
	inEachProtocol(t, func(t *testing.T, s speech) {
		c := s.cluster(t)
		p := transactional(t, c)
		for i, end := range []func(*testing.T, *producer.Producer){commit, abort} {
			begin(t, p)
			send(t, p, record(fmt.Sprint(i)))
			if err := p.SendOffsetsToTransaction(t.Context(), offsets(1), groupG); err != nil {
				t.Fatal(err)
			}
			end(t, p)
			spoken(t, c, s.name, s.isNew)
		}
	})
}

// The cluster is upgraded and downgraded under a running producer. A transaction that is open ends in the protocol that it
// began in; the next one speaks the other. The first new one after an old one has a new epoch, so that what is late of the
// old cannot harm it.
func TestTheFeatureChanges(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := speeches[1].cluster(t)
		p := transactional(t, c, func(cfg *producer.Config) { cfg.MetadataMaxAge = time.Second })
		var want string
		last := int16(-1)
		level := int16(1)
		for i, next := range []int16{1, 2, 2, 1, 1, 2, 1, 2} {
			begin(t, p)
			send(t, p, record(fmt.Sprint(i, "a")))
			tx, _ := c.Transaction("tx")
			switch {
			case level == 2 && tx.Epoch <= last:
				t.Errorf("transaction %d has epoch %d after %d, want a higher one: it is of the new protocol", i, tx.Epoch, last)
			case level == 1 && last >= 0 && tx.Epoch < last:
				t.Errorf("transaction %d has epoch %d after %d", i, tx.Epoch, last)
			}
			last = tx.Epoch
			if err := c.SetFeature("transaction.version", next); err != nil {
				t.Fatal(err)
			}
			time.Sleep(5 * time.Second)
			send(t, p, record(fmt.Sprint(i, "b")))
			if err := p.SendOffsetsToTransaction(t.Context(), offsets(int64(i)), groupG); err != nil {
				t.Fatal(err)
			}
			commit(t, p)
			want = fmt.Sprintf("%s %d%s %d%s", want, i, "a", i, "b")
			spoken(t, c, fmt.Sprint("transaction ", i), level == 2)
			level = next
		}
		wantVisible(t, c, want[1:])
		soundLog(t, c)
	})
}

// A broker that is behind says what was finalised earlier: the highest epoch counts.
func TestAnOldWordOnFeatures(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := speeches[0].cluster(t, brokertest.Brokers(2))
		p := transactional(t, c, func(cfg *producer.Config) { cfg.MetadataMaxAge = time.Second })
		c.On(brokertest.ApiVersions).Always().Do(brokertest.Edit(func(_ *brokertest.Request, resp protocol.Response) {
			r := resp.(*protocol.ApiVersionsResponse)
			r.FinalizedFeaturesEpoch--
			r.FinalizedFeatures = slices.DeleteFunc(slices.Clone(r.FinalizedFeatures), func(f protocol.FinalizedFeature) bool { return f.Name == "transaction.version" })
		}))
		for i := range 3 {
			begin(t, p)
			send(t, p, record(fmt.Sprint(i)))
			if err := p.SendOffsetsToTransaction(t.Context(), offsets(1), groupG); err != nil {
				t.Fatal(err)
			}
			commit(t, p)
			spoken(t, c, fmt.Sprint(i), true)
			c.CutConnections(1, false)
			time.Sleep(5 * time.Second)
		}
		wantVisible(t, c, "0 1 2")
	})
}

// The new epoch that an upgrade needs is asked for under the old one: asking as nobody would fence. Its answer can be lost.
func TestTheEpochBeforeTheFirstNewTransaction(t *testing.T) {
	for name, fault := range map[string]*brokertest.Action{
		"answered": brokertest.Pass(), "answer lost": brokertest.HandleThenDrop(), "lost": brokertest.Drop(),
		"concurrent": brokertest.Error(protocol.ConcurrentTransactions), "loading": brokertest.AppendThenError(protocol.CoordinatorLoadInProgress),
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				c := speeches[1].cluster(t)
				p := transactional(t, c, func(cfg *producer.Config) { cfg.MetadataMaxAge = time.Second })
				transaction(t, p, "old")
				before, _ := c.Transaction("tx")
				if err := c.SetFeature("transaction.version", 2); err != nil {
					t.Fatal(err)
				}
				time.Sleep(5 * time.Second)
				c.ForgetRequests()
				c.On(brokertest.InitProducerID).Do(fault)
				transaction(t, p, "new")
				for _, r := range asked(c, brokertest.InitProducerID) {
					if m := r.Message.(*protocol.InitProducerIDRequest); m.ProducerID != before.ProducerID || m.ProducerEpoch != before.Epoch {
						t.Errorf("the epoch is asked for as %d/%d, want %d/%d", m.ProducerID, m.ProducerEpoch, before.ProducerID, before.Epoch)
					}
				}
				if n := c.Count(brokertest.InitProducerID); n == 0 {
					t.Error("no epoch was asked for")
				}
				wantVisible(t, c, "old new")
				soundLog(t, c)
			})
		})
	}
}

// BeginTransaction that waits for the epoch is bounded, says so, and can be called again.
func TestBeginThatWaitsForAnEpoch(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := speeches[1].cluster(t)
		p := transactional(t, c, func(cfg *producer.Config) { cfg.MetadataMaxAge = time.Second })
		transaction(t, p, "old")
		if err := c.SetFeature("transaction.version", 2); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Second)
		c.On(brokertest.InitProducerID).Do(brokertest.Pass().Delayed(10 * time.Second))
		wantTold(t, "BeginTransaction", p.BeginTransaction(within(t, time.Second)), openRetry)
		wantTold(t, "CommitTransaction", p.CommitTransaction(t.Context()), refused)
		wantTold(t, "AbortTransaction", p.AbortTransaction(t.Context()), refused)
		_, err := p.SendSync(t.Context(), record("x"))
		if told(err) != refused {
			t.Errorf("a record is told %v, want that no transaction is open", err)
		}
		synctest.Wait()
		transaction(t, p, "new")
		wantVisible(t, c, "old new")
	})
}

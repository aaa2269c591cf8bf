package brokertest

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/epistle-kafka/epistle/protocol"
)

// In both protocols, what is committed is seen, what is aborted is not, what is open holds up what comes after it, and markers
// take offsets.
func TestReadersSeeWholeTransactions(t *testing.T) {
	for name, versions := range map[string]struct{ produce, end int16 }{"old": {11, 4}, "new": {13, 5}} {
		t.Run(name, func(t *testing.T) {
			c := New(t, InMemory(), Topic("t", 1))
			k := transact(t, c, 1, "tx")
			begin := func() {
				if versions.end < 5 {
					k.must("AddPartitionsToTxn", k.add("t", 0))
				}
			}
			sequence := int32(0)
			write := func(values ...string) {
				t.Helper()
				begin()
				k.must("Produce", k.write(versions.produce, "t", sequence, values...))
				sequence += int32(len(values))
			}
			end := func(commit bool) {
				t.Helper()
				k.must("EndTxn", k.end(versions.end, commit))
				if versions.end >= 5 {
					sequence = 0
				}
			}
			write("a", "b")
			wantOffset(t, dial(t, c, 1).produce(c, "t", plainBatch("plain")), 2)
			wantCommitted(t, c, "t", "")
			if lso, end := c.LastStableOffset("t", 0), c.EndOffset("t", 0); lso != 0 || end != 3 {
				t.Errorf("last stable offset %d, end %d, want 0 and 3", lso, end)
			}
			wantState(t, c, "tx", StateOngoing)
			end(true)
			wantState(t, c, "tx", StateCompleteCommit)
			wantCommitted(t, c, "t", "a b plain")
			write("c")
			end(false)
			write("d")
			end(true)
			wantCommitted(t, c, "t", "a b plain d")
			if got, want := values(c, "t", 0), "[a b plain c d]"; got != want {
				t.Errorf("the log has %s, want %s", got, want)
			}
			if lso, end := c.LastStableOffset("t", 0), c.EndOffset("t", 0); lso != 8 || end != 8 {
				t.Errorf("last stable offset %d, end %d, want both 8: five records and three markers", lso, end)
			}
			if err := c.Verify(func(r Record) string { return string(r.Value) }); err != nil {
				t.Error(err)
			}
		})
	}
}

// A group's offsets are committed with the transaction, or not at all, and only for who belongs to the group.
func TestOffsetsGoWithTheTransaction(t *testing.T) {
	c := New(t, InMemory(), Topic("in", 1), Topic("out", 1))
	k := transact(t, c, 1, "tx")
	c.SetGroup("g", 3, "m")
	at := TopicPartition{"in", 0}
	for i, commit := range []bool{false, true} {
		k.wants("TxnOffsetCommit, old generation", k.commitOffset(5, "g", "in", 2, "m"), protocol.IllegalGeneration)
		k.wants("TxnOffsetCommit, stranger", k.commitOffset(5, "g", "in", 3, "x"), protocol.UnknownMemberID)
		k.must("TxnOffsetCommit", k.commitOffset(6, "g", "in", 3, "m"))
		k.must("Produce", k.write(13, "out", 0, fmt.Sprint(i)))
		if got := c.GroupOffsets("g"); len(got) != 0 {
			t.Fatalf("before the end %v is committed, want nothing", got)
		}
		if got := c.PendingOffsets("g")[at].Offset; got != 7 {
			t.Errorf("pending offset %d, want 7", got)
		}
		k.must("EndTxn", k.end(5, commit))
		if got, ok := c.GroupOffsets("g")[at]; ok != commit || ok && got.Offset != 7 {
			t.Errorf("after commit %t the group has offset %d (%t)", commit, got.Offset, ok)
		}
		if got := c.PendingOffsets("g"); len(got) != 0 {
			t.Errorf("after the end %v is pending", got)
		}
	}
	wantCommitted(t, c, "out", "1")
}

// A second producer with the same ID fences the first, which learns it by whatever it does next; nothing of its transaction is
// seen.
func TestSecondProducerFencesTheFirst(t *testing.T) {
	c := New(t, InMemory(), Topic("t", 1))
	first := transact(t, c, 1, "tx")
	first.must("Produce", first.write(13, "t", 0, "lost"))
	second := &txnClient{client: dial(t, c, 1), c: c, id: "tx"}
	second.wants("InitProducerId", second.init(time.Minute), protocol.ConcurrentTransactions)
	second.must("InitProducerId", second.init(time.Minute))
	first.wants("Produce", first.write(13, "t", 1, "zombie"), protocol.InvalidProducerEpoch)
	first.wants("AddPartitionsToTxn", first.add("t", 0), protocol.ProducerFenced)
	first.wants("EndTxn", first.end(5, true), protocol.ProducerFenced)
	second.must("Produce", second.write(13, "t", 0, "kept"))
	second.must("EndTxn", second.end(5, true))
	wantCommitted(t, c, "t", "kept")
	if err := c.Verify(nil); err != nil {
		t.Error(err)
	}
}

// In a bubble, hours pass at once: a transaction that is too old is aborted when anybody looks, and its producer's epoch is
// gone.
func TestTransactionsTimeOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := New(t, InMemory(), Topic("t", 1))
		k := transact(t, c, 1, "tx")
		k.must("Produce", k.write(13, "t", 0, "late"))
		time.Sleep(time.Minute)
		wantState(t, c, "tx", StateOngoing)
		time.Sleep(time.Millisecond)
		c.ExpireTransactions()
		if got := wantState(t, c, "tx", StateCompleteAbort); got.Epoch != k.epoch+1 {
			t.Errorf("epoch %d after the time-out, want %d", got.Epoch, k.epoch+1)
		}
		if end := c.EndOffset("t", 0); end != 2 {
			t.Errorf("the log ends at %d, want 2: a record and a marker", end)
		}
		k.wants("Produce", k.write(13, "t", 1, "later"), protocol.InvalidProducerEpoch)
		k.wants("EndTxn", k.end(5, true), protocol.InvalidTxnState)
		k.must("EndTxn, abort", k.end(5, false)) // and so it has the epoch again
		k.must("Produce", k.write(13, "t", 0, "again"))
		k.must("EndTxn", k.end(5, true))
		wantCommitted(t, c, "t", "again")
	})
}

// A coordinator that is slow to write markers has its producer wait.
func TestNextTransactionWaitsForMarkers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := New(t, InMemory(), Topic("t", 1), MarkerDelay(time.Second))
		k := transact(t, c, 1, "tx")
		k.must("Produce", k.write(13, "t", 0, "a"))
		k.must("EndTxn", k.end(5, true))
		wantState(t, c, "tx", StatePrepareCommit)
		wantCommitted(t, c, "t", "")
		for _, version := range []int16{12, 13} {
			k.wants("Produce", k.write(version, "t", 0, "b"), protocol.ConcurrentTransactions)
		}
		k.wants("Produce of the old protocol", k.write(11, "t", 0, "b"), protocol.NotEnoughReplicas)
		k.wants("AddPartitionsToTxn", k.add("t", 0), protocol.ConcurrentTransactions)
		k.wants("TxnOffsetCommit", k.commitOffset(5, "g", "t", -1, ""), protocol.ConcurrentTransactions)
		k.wants("InitProducerId", k.init(time.Minute), protocol.ConcurrentTransactions)
		time.Sleep(time.Second)
		wantCommitted(t, c, "t", "a")
		c.HoldMarkers(true)
		k.must("Produce", k.write(13, "t", 0, "b"))
		k.must("EndTxn", k.end(5, false))
		time.Sleep(time.Hour)
		wantState(t, c, "tx", StatePrepareAbort)
		k.epoch--
		k.wants("EndTxn again", k.end(5, false), protocol.ConcurrentTransactions)
		k.wants("EndTxn otherwise", k.end(5, true), protocol.InvalidTxnState)
		c.HoldMarkers(false)
		wantState(t, c, "tx", StateCompleteAbort)
		k.must("EndTxn again", k.end(5, false))
	})
}

// Markers wait for leaders, and a transaction outlives the brokers that it is about.
func TestTransactionsOutliveBrokers(t *testing.T) {
	c := New(t, InMemory(), Brokers(2), Topic("t", 1))
	c.MoveCoordinator("tx", 2)
	k := transact(t, c, 2, "tx")
	k.must("AddPartitionsToTxn", k.add("t", 0))
	leader := &txnClient{client: dial(t, c, 1), c: c, id: "tx", producer: k.producer}
	leader.must("Produce", leader.write(11, "t", 0, "a"))
	if err := c.MoveLeader("t", 0, -1); err != nil {
		t.Fatal(err)
	}
	k.must("EndTxn", k.end(4, true))
	if got := wantState(t, c, "tx", StatePrepareCommit); len(got.Partitions) != 1 || got.Partitions[0] != (TopicPartition{"t", 0}) {
		t.Errorf("the transaction has still to end %v, want t-0", got.Partitions)
	}
	k.wants("EndTxn again", k.end(4, true), protocol.ConcurrentTransactions)
	c.StopBroker(2)
	if got := c.Coordinator("tx"); got != 1 {
		t.Errorf("the coordinator is %d, want 1", got)
	}
	k = &txnClient{client: dial(t, c, 1), c: c, id: "tx", producer: k.producer}
	k.wants("EndTxn again", k.end(4, true), protocol.ConcurrentTransactions)
	if err := c.MoveLeader("t", 0, 1); err != nil {
		t.Fatal(err)
	}
	k.must("EndTxn again", k.end(4, true))
	wantCommitted(t, c, "t", "a")
	if err := c.StartBroker(2); err != nil {
		t.Fatal(err)
	}
	k.wants("EndTxn, the coordinator is back", k.end(4, true), protocol.NotCoordinator)
	c.MoveCoordinator("tx", 1)
	k.must("EndTxn, moved here", k.end(4, true))
}

// The level of transaction.version changes under connected clients, with an epoch by which they can tell which answer is newer;
// the coordinator itself then fences as the level says.
func TestFeatureChangesAtRunTime(t *testing.T) {
	c := New(t, InMemory(), Topic("t", 1), Feature("transaction.version", 1))
	k := transact(t, c, 1, "tx")
	level := func() (int64, int16) {
		resp := ask(k.client, 4, &protocol.ApiVersionsRequest{ClientSoftwareName: "test", ClientSoftwareVersion: "1"}, &protocol.ApiVersionsResponse{})
		for _, f := range resp.FinalizedFeatures {
			if f.Name == "transaction.version" {
				return resp.FinalizedFeaturesEpoch, f.MaxVersionLevel
			}
		}
		return resp.FinalizedFeaturesEpoch, 0
	}
	before, first := level()
	for _, want := range []int16{2, 0, 1} {
		if err := c.SetFeature("transaction.version", want); err != nil {
			t.Fatal(err)
		}
		if epoch, got := level(); got != want || epoch <= before {
			t.Errorf("after level %d, epoch %d: level %d, epoch %d, want level %d and a higher epoch", first, before, got, epoch, want)
		} else {
			before, first = epoch, got
		}
	}
	if c.SetFeature("transaction.version", 3) == nil || c.SetFeature("no.such.feature", 1) == nil {
		t.Error("a level or feature that there is not was set")
	}
}

// Scripted errors of the transactional requests take no effect, or do so in secret.
func TestFaultsOfTransactions(t *testing.T) {
	c := New(t, InMemory(), Topic("t", 1), Topic("u", 1))
	k := transact(t, c, 1, "tx")
	for _, api := range []int16{AddPartitionsToTxn, AddOffsetsToTxn, TxnOffsetCommit, EndTxn} {
		c.On(api).Do(Error(protocol.CoordinatorLoadInProgress))
	}
	k.wants("AddPartitionsToTxn", k.add("t", 0), protocol.CoordinatorLoadInProgress)
	offsets := ask(k.client, 4, &protocol.AddOffsetsToTxnRequest{TransactionalID: k.id, ProducerID: k.producer.id, ProducerEpoch: k.epoch, GroupID: "g"}, &protocol.AddOffsetsToTxnResponse{})
	k.wants("AddOffsetsToTxn", offsets.ErrorCode, protocol.CoordinatorLoadInProgress)
	k.wants("TxnOffsetCommit", k.commitOffset(5, "g", "t", -1, ""), protocol.CoordinatorLoadInProgress)
	k.wants("EndTxn", k.end(5, true), protocol.CoordinatorLoadInProgress)
	wantState(t, c, "tx", StateEmpty)

	c.On(AddPartitionsToTxn).Topic("u").Do(Error(protocol.TopicAuthorizationFailed))
	k.must("AddPartitionsToTxn of another topic", k.add("t", 0))
	k.wants("AddPartitionsToTxn", k.add("u", 0), protocol.TopicAuthorizationFailed)
	k.must("Produce", k.write(11, "t", 0, "a"))
	c.On(EndTxn).Do(AppendThenError(protocol.RequestTimedOut))
	k.wants("EndTxn", k.end(4, true), protocol.RequestTimedOut)
	wantCommitted(t, c, "t", "a")
	k.must("EndTxn again", k.end(4, true))
	if n := c.PendingFaults(); n != 0 {
		t.Errorf("%d faults left, want none", n)
	}
	if got := c.Count(EndTxn); got != 3 {
		t.Errorf("%d EndTxn were counted, want 3", got)
	}
}

// Two transactions write a group's offset: what was written last counts, whichever is committed last.
func TestLaterOffsetIsNotOverwritten(t *testing.T) {
	c := New(t, InMemory(), Topic("in", 1))
	first, second := transact(t, c, 1, "first"), transact(t, c, 1, "second")
	c.SetGroup("g", 1, "m")
	first.must("TxnOffsetCommit", first.commitOffset(5, "g", "in", 1, "m"))
	m := &protocol.TxnOffsetCommitRequest{
		TransactionalID: "second", GroupID: "g", ProducerID: second.producer.id, ProducerEpoch: second.epoch, GenerationIDOrMemberEpoch: -1,
		Topics: []protocol.TxnOffsetCommitTopic{{Name: "in", Partitions: []protocol.TxnOffsetCommitPartition{{CommittedOffset: 9}}}},
	}
	resp := ask(second.client, 5, m, &protocol.TxnOffsetCommitResponse{})
	second.must("TxnOffsetCommit", resp.Topics[0].Partitions[0].ErrorCode)
	second.must("EndTxn", second.end(5, true))
	first.must("EndTxn", first.end(5, true))
	if got := c.GroupOffsets("g")[TopicPartition{"in", 0}].Offset; got != 9 {
		t.Errorf("the group has offset %d, want 9", got)
	}
}

// A partition does not forget a producer whose transaction is open, however old it is.
func TestOpenTransactionIsNotForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := New(t, InMemory(), Topic("t", 1), ProducerIDExpiration(time.Second))
		k := transact(t, c, 1, "tx")
		k.must("Produce", k.write(13, "t", 0, "a"))
		time.Sleep(2 * time.Second)
		k.must("Produce", k.write(13, "t", 0, "a")) // a duplicate
		k.must("Produce", k.write(13, "t", 1, "b"))
		if got := c.LastStableOffset("t", 0); got != 0 {
			t.Errorf("last stable offset %d, want 0", got)
		}
		k.must("EndTxn", k.end(5, true))
		wantCommitted(t, c, "t", "a b")
	})
}

// What a partition had seen of a producer before it could append it counts for that epoch alone.
func TestNewEpochForgetsWhatCouldNotBeAppended(t *testing.T) {
	c := New(t, InMemory(), Topic("t", 1))
	k := transact(t, c, 1, "tx")
	k.wants("Produce before AddPartitionsToTxn", k.write(11, "t", 0, "a"), protocol.TransactionAbortable)
	k = transact(t, c, 1, "tx")
	k.must("AddPartitionsToTxn", k.add("t", 0))
	k.must("Produce", k.write(11, "t", 4, "a"))
}

// Kafka 3.9 believes the epoch of whoever writes into an open transaction, and can then not end it.
func TestOldBrokerHangsAfterForeignEpoch(t *testing.T) {
	c := New(t, InMemory(), Kafka3_9(), Topic("t", 1))
	k := transact(t, c, 1, "tx")
	k.must("AddPartitionsToTxn", k.add("t", 0))
	k.must("Produce", k.write(11, "t", 0, "a"))
	k.epoch++
	k.must("Produce, newer epoch", k.write(11, "t", 0, "b"))
	k.epoch--
	k.must("EndTxn", k.end(4, true))
	wantState(t, c, "tx", StatePrepareCommit)
	k.wants("EndTxn again", k.end(4, true), protocol.ConcurrentTransactions)
	wantCommitted(t, c, "t", "")
}

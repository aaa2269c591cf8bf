package producer_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/protocol"
)

// TestTransactionHistories is TestFaultHistories for an application that writes in transactions, does what each error says
// may be done next, and makes a new producer where it must: what read_committed consumers see afterwards has to be what the
// calls have said, whole transactions, with their offsets.
func TestTransactionHistories(t *testing.T) {
	eachSeed(t, "-history.seed", *historySeed, fewer(*historyCount/2, 10), runTxHistory)
}

func runTxHistory(t *testing.T, seed uint64) {
	synctest.Test(t, func(t *testing.T) {
		h := newTxHistory(t, seed)
		h.run()
		h.check()
	})
}

// A txHistory is one run of it.
type txHistory struct {
	t          *testing.T
	rand       *rand.Rand
	speech     speech
	c          *brokertest.Cluster
	p          *producer.Producer
	change     func(*producer.Config)
	brokers    int
	partitions int32
	calm       chan struct{}
	txs        []*txRun
	producers  int
}

// A txRun is what the application knows of one transaction.
type txRun struct {
	n       int
	records []*txRecord
	offsets bool // the group's offset n was to be part of it
	outcome producer.TransactionOutcome
}

// A txRecord is one record of it. It is the callback's until the transaction has ended, and the producer was closed or
// says so.
type txRecord struct {
	value     string
	partition int32
	outcomes  int
	err       error
}

func newTxHistory(t *testing.T, seed uint64) *txHistory {
	r := rand.New(rand.NewPCG(seed, 3))
	h := &txHistory{
		t: t, rand: r, speech: speeches[r.IntN(len(speeches))], brokers: 1 + r.IntN(3), partitions: int32(1 + r.IntN(3)),
		calm: make(chan struct{}),
	}
	options := []brokertest.Option{brokertest.Seed(seed), brokertest.Brokers(h.brokers), brokertest.Topic("out", int(h.partitions))}
	if r.IntN(2) == 0 {
		options = append(options, brokertest.Delay(time.Duration(r.IntN(20))*time.Millisecond))
	}
	if r.IntN(3) == 0 {
		options = append(options, brokertest.MarkerDelay(time.Duration(r.IntN(300))*time.Millisecond))
	}
	h.c = h.speech.cluster(t, options...)
	batch, linger, block := []int{0, 200, 16384}[r.IntN(3)], r.IntN(3), []time.Duration{500 * time.Millisecond, 5 * time.Second, time.Minute}[r.IntN(3)]
	inFlight, delivery := 1+r.IntN(5), []time.Duration{2100 * time.Millisecond, 10 * time.Second, time.Minute}[r.IntN(3)]
	timeout, age := []time.Duration{3 * time.Second, time.Minute}[r.IntN(2)], time.Duration(1+r.IntN(10))*time.Second
	h.change = func(cfg *producer.Config) {
		cfg.BatchSize, cfg.Linger = batch, time.Duration(linger*5)*time.Millisecond
		cfg.MaxInFlightRequestsPerConnection = inFlight
		cfg.RequestTimeout, cfg.DeliveryTimeout, cfg.MaxBlock = 2*time.Second, delivery, block
		cfg.TransactionTimeout, cfg.MetadataMaxAge = timeout, age
	}
	h.renew()
	return h
}

// renew closes the producer, if there is one, and makes another with the same id.
func (h *txHistory) renew() {
	if h.p != nil {
		ctx, cancel := context.WithTimeout(context.Background(), time.Duration(h.rand.IntN(3000))*time.Millisecond)
		_ = h.p.Close(ctx) // it may be told that there was no time; what it has said before counts
		cancel()
		if n := h.p.Stats().BufferedBytes; n != 0 {
			h.t.Errorf("after Close %d bytes are reserved, want 0", n)
		}
	}
	h.age()
	h.producers++
	h.p = uninitialised(h.t, h.c, h.change)
	for {
		err := h.p.InitTransactions(h.t.Context())
		if err == nil {
			return
		}
		if h.next(err) != producer.NextRetryCall {
			h.t.Fatalf("InitTransactions of producer %d: %v", h.producers, err)
		}
	}
}

// next is what a transactional call's error says may be done.
func (h *txHistory) next(err error) producer.NextStep {
	var failure *producer.TransactionError
	if !errors.As(err, &failure) {
		h.t.Fatalf("a call in its place fails with %v, want a TransactionError", err)
	}
	return failure.Next
}

func (h *txHistory) run() {
	chaos := rand.New(rand.NewPCG(h.rand.Uint64(), 4))
	go h.chaos(chaos)
	for left := 3; left > 0; {
		if h.isCalm() {
			left--
		}
		h.transaction()
		if h.rand.IntN(3) == 0 {
			time.Sleep(time.Duration(h.rand.IntN(500)) * time.Millisecond)
		}
	}
	if last := h.txs[len(h.txs)-1]; last.outcome != producer.OutcomeCommitted {
		h.t.Errorf("when all is calm a transaction is %v, want it committed", last.outcome)
	}
	if err := h.p.Close(h.t.Context()); err != nil {
		h.t.Error(err)
	}
	time.Sleep(longerThanAnyTx)
	h.c.ExpireTransactions()
}

// transaction runs one.
func (h *txHistory) transaction() {
	tx := &txRun{n: len(h.txs), outcome: producer.OutcomeAborted}
	for {
		err := h.p.BeginTransaction(h.t.Context())
		if err == nil {
			break
		}
		if h.next(err) != producer.NextRetryCall {
			h.renew()
		}
	}
	h.txs = append(h.txs, tx)
	for i := range h.rand.IntN(12) {
		rec := &txRecord{value: fmt.Sprintf("%d/%d", tx.n, i), partition: h.rand.Int32N(h.partitions)}
		tx.records = append(tx.records, rec)
		h.p.SendFunc(h.t.Context(), producer.Record{Topic: "out", Partition: producer.OnPartition(rec.partition), Value: []byte(rec.value)},
			func(_ producer.RecordMetadata, err error) { rec.outcomes++; rec.err = err })
		if h.rand.IntN(6) == 0 && !h.isCalm() { // it may take longer than transaction.timeout
			time.Sleep(time.Duration(h.rand.IntN(1000)) * time.Millisecond)
		}
	}
	if h.rand.IntN(3) == 0 {
		tx.offsets = true
		// Whatever it says, the end of the transaction tells.
		err := h.p.SendOffsetsToTransaction(h.t.Context(), offsets(int64(tx.n)), groupG)
		if err != nil && h.next(err) == producer.NextNewProducer {
			h.renew()
			return
		}
	}
	h.end(tx, h.isCalm() || h.rand.IntN(6) > 0)
}

// isCalm reports whether nothing more goes wrong.
func (h *txHistory) isCalm() bool {
	select {
	case <-h.calm:
		return true
	default:
		return false
	}
}

// end commits or aborts a transaction, and does what errors say until it knows the outcome or has given up.
func (h *txHistory) end(tx *txRun, committing bool) {
	for tries := 0; ; tries++ {
		call := h.p.AbortTransaction
		if committing {
			call = h.p.CommitTransaction
		}
		err := call(h.t.Context())
		if err == nil {
			tx.outcome = producer.OutcomeAborted
			if committing {
				tx.outcome = producer.OutcomeCommitted
			}
			return
		}
		next := h.next(err)
		var failure *producer.TransactionError
		errors.As(err, &failure)
		tx.outcome = failure.Outcome
		switch {
		case next == producer.NextAbort:
			committing = false
		case next != producer.NextRetryCall || tries > 3 && h.rand.IntN(4) == 0:
			h.renew()
			return
		}
	}
}

// chaos makes things go wrong for a while.
func (h *txHistory) chaos(r *rand.Rand) {
	defer close(h.calm)
	coordinators := []int16{brokertest.FindCoordinator, brokertest.InitProducerID, brokertest.AddPartitionsToTxn, brokertest.AddOffsetsToTxn, brokertest.TxnOffsetCommit, brokertest.EndTxn, brokertest.EndTxn}
	codes := []protocol.ErrorCode{
		protocol.CoordinatorNotAvailable, protocol.NotCoordinator, protocol.CoordinatorLoadInProgress, protocol.ConcurrentTransactions, protocol.RequestTimedOut,
	}
	leaders := []protocol.ErrorCode{protocol.NotLeaderOrFollower, protocol.NotEnoughReplicas, protocol.CorruptMessage, protocol.UnknownTopicOrPartition}
	for range 4 + r.IntN(14) {
		broker := int32(1 + r.IntN(h.brokers))
		api := coordinators[r.IntN(len(coordinators))]
		code := codes[r.IntN(len(codes))]
		plain, after := brokertest.Error(code), brokertest.AppendThenError(code)
		if r.IntN(3) == 0 {
			api = brokertest.Produce
			plain = brokertest.Error(leaders[r.IntN(len(leaders))])
			after = brokertest.AppendThenError([]protocol.ErrorCode{protocol.NotEnoughReplicasAfterAppend, protocol.RequestTimedOut}[r.IntN(2)])
		}
		if api == brokertest.FindCoordinator {
			plain, after = brokertest.Error(protocol.CoordinatorNotAvailable), brokertest.Error(protocol.CoordinatorLoadInProgress)
		}
		on := h.c.On(api).Skip(r.IntN(3)).Times(1 + r.IntN(3))
		switch r.IntN(16) {
		case 0, 1:
			on.Do(plain)
		case 2:
			on.Do(after)
		case 3:
			on.Do(brokertest.Drop())
		case 4, 5:
			on.Do(brokertest.HandleThenDrop())
		case 6:
			on.Do(brokertest.HandleThenSwallow())
		case 7:
			on.Do(brokertest.Pass().Delayed(time.Duration(r.IntN(4000)) * time.Millisecond))
		case 8:
			h.c.CutConnections(broker, r.IntN(2) == 0)
		case 9:
			h.c.StopBroker(broker)
			time.Sleep(time.Duration(r.IntN(3000)) * time.Millisecond)
			if err := h.c.StartBroker(broker); err != nil {
				h.t.Error(err)
			}
		case 10:
			h.c.Pause(broker)
			time.Sleep(time.Duration(r.IntN(4000)) * time.Millisecond)
			h.c.Resume(broker)
		case 11:
			h.c.MoveCoordinator([]string{"tx", "g"}[r.IntN(2)], broker)
		case 12:
			h.c.HoldMarkers(true)
			time.Sleep(time.Duration(r.IntN(2000)) * time.Millisecond)
			h.c.HoldMarkers(false)
		case 13:
			if h.speech.name != "3.9" {
				if err := h.c.SetFeature("transaction.version", int16(1+r.IntN(2))); err != nil {
					h.t.Error(err)
				}
			}
		case 14:
			h.usurp(r)
		case 15:
			if h.brokers > 1 {
				_ = h.c.MoveLeader("out", r.Int32N(h.partitions), broker)
			}
		}
		if r.IntN(2) == 0 {
			h.more(r)
		}
		time.Sleep(time.Duration(r.IntN(1500)) * time.Millisecond)
	}
	h.c.ClearFaults()
	if err := h.c.SetMinISR("out", 1); err != nil {
		h.t.Error(err)
	}
}

// usurp lets another producer take the id, and leave again.
func (h *txHistory) usurp(r *rand.Rand) {
	p := uninitialised(h.t, h.c)
	ctx, cancel := context.WithTimeout(h.t.Context(), 10*time.Second)
	defer cancel()
	_ = p.Transact(ctx, func(tx *producer.Tx) error {
		tx.Send(ctx, producer.Record{Topic: "t", Value: []byte("usurper")})
		if r.IntN(2) == 0 {
			return errors.New("enough")
		}
		return nil
	})
	_ = p.Close(ctx)
}

// check compares what can be read with what was told.
func (h *txHistory) check() {
	if err := h.c.Verify(func(r brokertest.Record) string { return "" }); err != nil {
		h.t.Errorf("the log: %v", err)
	}
	seen, written := map[string]int{}, map[string]bool{}
	for part := range h.partitions {
		lastTx, lastRec := -1, -1
		for _, r := range h.c.Committed("out", part) {
			seen[string(r.Value)]++
			var n, i int
			fmt.Sscanf(string(r.Value), "%d/%d", &n, &i)
			if n < lastTx || n == lastTx && i <= lastRec {
				h.t.Errorf("record %s is behind record %d/%d (I2)", r.Value, lastTx, lastRec)
			}
			lastTx, lastRec = n, i
		}
		for _, r := range h.c.Records("out", part) {
			written[string(r.Value)] = true
		}
	}
	offset := int64(-1)
	for _, tx := range h.txs {
		visible := 0
		for _, rec := range tx.records {
			visible += seen[rec.value]
			if seen[rec.value] > 1 {
				h.t.Errorf("record %s is to be seen %d times", rec.value, seen[rec.value])
			}
			switch {
			case rec.outcomes != 1:
				h.t.Errorf("record %s has %d outcomes, want 1 (I4)", rec.value, rec.outcomes)
			case rec.err != nil && tx.outcome == producer.OutcomeCommitted:
				h.t.Errorf("record %s failed, and its transaction is committed (I7): %v", rec.value, rec.err)
			case rec.err != nil && written[rec.value] && !producer.MayBeWritten(rec.err):
				h.t.Errorf("record %s is in the log, and its error says that it is not: %v (I6)", rec.value, rec.err)
			}
		}
		all := len(tx.records)
		switch {
		case tx.outcome == producer.OutcomeCommitted && visible != all:
			h.t.Errorf("transaction %d was said to be committed, and %d of its %d records are to be seen", tx.n, visible, all)
		case tx.outcome == producer.OutcomeUnknown && visible != 0 && visible != all:
			h.t.Errorf("of transaction %d %d of %d records are to be seen", tx.n, visible, all)
		case (tx.outcome == producer.OutcomeAborted || tx.outcome == producer.OutcomeOpen) && visible != 0:
			h.t.Errorf("transaction %d was said to be %v, and %d of its records are to be seen", tx.n, tx.outcome, visible)
		}
		if tx.offsets && (tx.outcome == producer.OutcomeCommitted || visible > 0) {
			offset = int64(tx.n)
		} else if tx.offsets && tx.outcome == producer.OutcomeUnknown && all == 0 && groupOffset(h.c) == int64(tx.n) {
			offset = int64(tx.n)
		}
	}
	if got := groupOffset(h.c); got != offset {
		h.t.Errorf("the group's offset is %d, want %d, that of the last committed transaction with one", got, offset)
	}
}

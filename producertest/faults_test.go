package producertest_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/epistle-kafka/epistle/internal/double"
	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/producertest"
	"github.com/epistle-kafka/epistle/protocol"
)

// Each error that a test asks for reaches the program as a producer's would: with the type, the topic, and whether the record may
// be in the log.
func TestErrorsAsAsked(t *testing.T) {
	p := producertest.New(t, producertest.Topic("orders", 3))
	rec := producer.Record{Topic: "orders", Key: []byte("customer-7"), Value: []byte("12.50")}
	outcome := func() error { _, err := p.SendSync(t.Context(), rec); return err }

	p.FailNth(2, producertest.MayBeWritten(producer.ErrDeliveryTimeout))
	p.FailNth(3, errOwn)
	p.RejectNth(4, producer.ErrBufferFull)
	stop := p.FailOn(func(rec producer.Record) error {
		if string(rec.Value) == "0" {
			return producertest.NotWritten(protocol.InvalidRecord)
		}
		return nil
	})
	if err := outcome(); err != nil {
		t.Errorf("the first: %v", err)
	}
	err := outcome()
	sent, ok := errors.AsType[*producer.SendError](err)
	if !ok || sent.Topic != "orders" || sent.Partition != 1 || !sent.MayBeWritten || !errors.Is(err, producer.ErrDeliveryTimeout) {
		t.Errorf("the second: %v, want what may be written to orders-1", err)
	}
	if err := outcome(); !errors.Is(err, errOwn) || producer.MayBeWritten(err) {
		t.Errorf("the third: %v, want what is not written", err)
	}
	err = outcome()
	if _, ok := errors.AsType[*producer.AdmissionError](err); !ok || !errors.Is(err, producer.ErrBufferFull) {
		t.Errorf("the fourth: %v, want one that was not taken", err)
	}
	rec.Value = []byte("0")
	if err := outcome(); !errors.Is(err, protocol.InvalidRecord) {
		t.Errorf("by the rule: %v", err)
	}
	stop()
	stop = p.RejectOn(func(producer.Record) error { return producer.ErrTopicNotLoaded })
	if err := p.TrySend(rec, nil); !errors.Is(err, producer.ErrTopicNotLoaded) {
		t.Errorf("by the other rule: %v", err)
	}
	stop()
	if err := outcome(); err != nil {
		t.Errorf("without rules: %v", err)
	}
	if n := p.PendingFaults(); n != 0 {
		t.Errorf("%d faults have not come, want 0", n)
	}
}

func TestCallsThatFail(t *testing.T) {
	p := producertest.New(t, producertest.Manual())
	for _, call := range []producertest.Call{
		producertest.CallFlush, producertest.CallClose, producertest.CallLoadTopics, producertest.CallPartitions, producertest.CallPing,
	} {
		p.FailCall(call, errOwn)
	}
	if n := p.PendingFaults(); n != 5 {
		t.Errorf("%d faults are to come, want 5", n)
	}
	_, partitions := p.Partitions(t.Context(), "one")
	for what, err := range map[string]error{"LoadTopics": p.LoadTopics(t.Context(), "one"), "Partitions": partitions, "Ping": p.Ping(t.Context())} {
		if !errors.Is(err, errOwn) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if err := p.Ping(t.Context()); err != nil {
		t.Errorf("Ping again: %v", err)
	}
	p.Send(t.Context(), one("a"))
	flush, ok := errors.AsType[*producer.FlushError](p.Flush(t.Context()))
	if !ok || !errors.Is(flush, errOwn) || flush.Waiting.MayBeWritten != 1 {
		t.Errorf("Flush: %v", flush)
	}
	closed, ok := errors.AsType[*producer.CloseError](p.Close(t.Context()))
	if !ok || !errors.Is(closed, errOwn) || closed.Lost.MayBeWritten != 1 || !p.Closed() {
		t.Errorf("Close: %v", closed)
	}
}

// An answer to BeginTransaction has to be asked for, which a producer does after some failures alone.
func TestABeginThatIsRefused(t *testing.T) {
	p := producertest.New(t, producertest.Transactional("tx"))
	p.FailCall(producertest.CallBeginTransaction, protocol.TransactionalIDAuthorizationFailed)
	failed, ok := errors.AsType[*producer.TransactionError](p.Transact(t.Context(), func(*producer.Tx) error { t.Error("it runs"); return nil }))
	if !ok || failed.Next != producer.NextFixConfiguration {
		t.Errorf("Transact: %v", failed)
	}
	p.LoseAnswer(producertest.CallBeginTransaction)
	failed, ok = errors.AsType[*producer.TransactionError](p.BeginTransaction(t.Context()))
	if !ok || failed.Next != producer.NextRetryCall {
		t.Errorf("BeginTransaction: %v", failed)
	}
	if err := p.BeginTransaction(t.Context()); err != nil {
		t.Errorf("again: %v", err)
	}
}

// A commit that has nothing to commit asks nobody, unless it is to be answered.
func TestACommitOfNothingCanFail(t *testing.T) {
	p := producertest.New(t, producertest.Transactional("tx"))
	nothing := func(*producer.Tx) error { return nil }
	p.FailCall(producertest.CallCommitTransaction, protocol.TransactionAbortable)
	if err := p.Transact(t.Context(), nothing); err == nil {
		t.Error("the commit succeeds")
	}
	if err := p.Transact(t.Context(), nothing); err != nil {
		t.Errorf("the next: %v", err)
	}
	if got, want := p.Transactions(), (producertest.Transactions{Initialized: true, Committed: 1, Aborted: 1}); got != want {
		t.Errorf("Transactions are %+v, want %+v", got, want)
	}
	if err := p.BeginTransaction(t.Context()); err != nil || !p.Transactions().Open {
		t.Errorf("BeginTransaction: %v, open %v", err, p.Transactions().Open)
	}
	if n := double.Open.Load(); n != 1 {
		t.Errorf("%d doubles have a transaction open, want 1", n)
	}
	if err := p.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if n := double.Open.Load(); n != 0 {
		t.Errorf("after Close %d doubles have a transaction open, want 0", n)
	}
}

// A test may end while a transaction is open. Those after it are none the worse for that.
func TestADoubleEndsWithItsTest(t *testing.T) {
	t.Run("that leaves a transaction open", func(t *testing.T) {
		p := producertest.New(t, producertest.Transactional("tx"))
		for _, err := range []error{p.InitTransactions(t.Context()), p.BeginTransaction(t.Context())} {
			if err != nil {
				t.Fatal(err)
			}
		}
	})
	if n := double.Open.Load(); n != 0 {
		t.Errorf("%d doubles have a transaction open, want 0", n)
	}
}

func TestHistory(t *testing.T) {
	p := producertest.New(t, producertest.Transactional("tx"), producertest.DefaultPartitions(2))
	key := []byte("k")
	want := func(what string, sent []producertest.Sent, want string) {
		t.Helper()
		var all []string
		for _, s := range sent {
			all = append(all, fmt.Sprintf("%s:%v", s.Record.Value, s.State))
		}
		if got := strings.Join(all, " "); got != want {
			t.Errorf("%s has %q, want %q", what, got, want)
		}
	}
	_ = p.Transact(t.Context(), func(tx *producer.Tx) error {
		tx.Send(t.Context(), producer.Record{Topic: "a", Key: key, Value: []byte("1")})
		tx.Send(t.Context(), producer.Record{Topic: "b", Key: key, Value: []byte("2")})
		key[0] = '#'
		return nil
	})
	_ = p.Transact(t.Context(), func(tx *producer.Tx) error {
		tx.Send(t.Context(), producer.Record{Topic: "a", Value: []byte("3")})
		return errOwn
	})
	_ = p.Transact(t.Context(), func(tx *producer.Tx) error {
		tx.Send(t.Context(), producer.Record{Topic: "a", Value: []byte("4")})
		want("what is uncommitted", p.Uncommitted("a"), "4:uncommitted")
		_ = tx.TrySend(producer.Record{Topic: "a b"}, nil)
		p.FailNth(1, errOwn)
		tx.Send(t.Context(), producer.Record{Topic: "a", Value: []byte("5")})
		return nil
	})
	want("what is committed", p.Committed(), "1:committed 2:committed")
	want("what is committed in b", p.Committed("b"), "2:committed")
	want("what is uncommitted", p.Uncommitted(), "")
	want("all", p.History(), "1:committed 2:committed 3:aborted 4:aborted :refused 5:failed")
	first := p.History()[0]
	if string(first.Record.Key) != "k" || first.Transaction != 1 || first.Metadata.Partition != 0 || first.Record.Timestamp.IsZero() {
		t.Errorf("the first is %+v", first)
	}
	first.Record.Key[0] = '#'
	if string(p.History()[0].Record.Key) != "k" {
		t.Error("what a test does to a record is done to the double's")
	}
	p.Clear()
	want("all, when it is cleared", p.History(), "")
	p.AddPartitions("a", 3)
	if n, err := p.Partitions(t.Context(), "a"); n != 3 || err != nil {
		t.Errorf("a has %d partitions, %v", n, err)
	}
	_ = p.Transact(t.Context(), func(tx *producer.Tx) error {
		tx.Send(t.Context(), producer.Record{Topic: "a", Partition: producer.OnPartition(0)})
		return nil
	})
	if md := p.Committed()[0].Metadata; md.Offset == 0 {
		t.Errorf("offsets begin anew: %+v", md)
	}
}

// Records without a key go to the partitions in turn.
func TestRecordsWithoutAKey(t *testing.T) {
	p := producertest.New(t, producertest.Topic("orders", 3))
	for i := range int32(6) {
		if md, err := p.SendSync(t.Context(), producer.Record{Topic: "orders"}); err != nil || md.Partition != i%3 {
			t.Errorf("record %d: %+v, %v, want partition %d", i, md, err, i%3)
		}
	}
}

func TestWhatElseAProducerTells(t *testing.T) {
	p := producertest.New(t, producertest.Manual())
	p.EditStats(func(s *producer.Stats) { s.LastError = errOwn })
	p.SetBrokers(producer.BrokerStats{ID: 1, Connected: true})
	p.Send(t.Context(), one("a"))
	if s := p.Stats(); s.LastError != errOwn || s.InFlight != 1 || s.BufferedBytes == 0 || s.Sent != 1 {
		t.Errorf("Stats are %+v", s)
	}
	if b := p.Brokers(); len(b) != 1 || !b[0].Connected {
		t.Errorf("Brokers are %+v", b)
	}
}

// What makes no sense ends the test, or says so.
func TestMisuse(t *testing.T) {
	plain, tx := producertest.New(t), producertest.New(t, producertest.Transactional("tx"))
	for want, f := range map[string]func(){
		"FailNext is given no error":            func() { plain.FailNext(nil) },
		"NotWritten is given no error":          func() { _ = producertest.NotWritten(nil) },
		"FailNth of record 0: the next is 1":    func() { plain.FailNth(0, errOwn) },
		"RejectNth of record -1: the next is 1": func() { plain.RejectNth(-1, errOwn) },
		"New takes Transactional":               func() { plain.FailCall(producertest.CallCommitTransaction, protocol.ProducerFenced) },
		"Fence of a double without":             func() { plain.Fence() },
		"LoseAnswer has none come":              func() { tx.FailCall(producertest.CallCommitTransaction, errOwn) },
		"it can have [InitTransactions":         func() { tx.FailCall("Commit", errOwn) },
		"only what asks a coordinator":          func() { tx.LoseAnswer(producertest.CallFlush) },
		`JSON("{")`:                             func() { producertest.AnyRecord().JSON("{") },
	} {
		func() {
			defer func() {
				if got := fmt.Sprint(recover()); !strings.HasPrefix(got, "producertest: ") || !strings.Contains(got, want) {
					t.Errorf("the panic is %q, want %q in it", got, want)
				}
			}()
			f()
		}()
	}
	for want, opts := range map[string][]producertest.Option{
		"a topic has 1 partition at least": {producertest.Topic("a", 0)},
		"is not a topic name":              {producertest.Topic("a b", 1)},
		"DefaultPartitions(0)":             {producertest.DefaultPartitions(0)},
		"Delivery(-1ns)":                   {producertest.Delivery(-1)},
		"BufferRecords(-1)":                {producertest.BufferRecords(-1)},
		"Delivery and Manual contradict":   {producertest.Manual(), producertest.Delivery(1)},
		"TransactionTimeout":               {producertest.Config(func() producer.Config { c := producer.ExactlyOnce("a", "b:1"); c.TransactionTimeout = -1; return c }())},
	} {
		if _, err := producertest.Start(opts...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Start says %v, want %q in it", err, want)
		}
	}
}

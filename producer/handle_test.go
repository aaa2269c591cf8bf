package producer_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/protocol"
)

// A topic's handle sends as the producer does: same partitions, same outcomes.
func TestATopicsHandle(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 5))
		p := start(t, c)
		topic := p.Topic("t") // before anything is known of it
		if topic.Name() != "t" {
			t.Errorf("its name is %q, want t", topic.Name())
		}
		key := []byte("customer")
		want, err := p.SendSync(t.Context(), producer.Record{Topic: "t", Key: key, Value: []byte("a")})
		if err != nil {
			t.Fatal(err)
		}
		var outcomes []error
		done := func(md producer.RecordMetadata, err error) {
			if err == nil && (md.Topic != "t" || md.Partition != want.Partition) {
				err = fmt.Errorf("it went to %s-%d", md.Topic, md.Partition)
			}
			outcomes = append(outcomes, err)
		}
		topic.SendFunc(t.Context(), key, []byte("b"), done)
		if err := topic.TrySend(key, []byte("c"), done); err != nil {
			t.Error(err)
		}
		topic.SendFunc(t.Context(), key, []byte("d"), nil)
		f := topic.Send(t.Context(), key, nil)
		md, err := topic.SendSync(t.Context(), key, []byte("f"))
		if err != nil || md.Partition != want.Partition || md.Offset != 5 {
			t.Errorf("SendSync: %+v, %v; want offset 5 of partition %d", md, err, want.Partition)
		}
		if md, err := f.Wait(t.Context()); err != nil || md.Offset != 4 {
			t.Errorf("Send: %+v, %v; want offset 4", md, err)
		}
		if err := p.Flush(t.Context()); err != nil || len(outcomes) != 2 || errors.Join(outcomes...) != nil {
			t.Errorf("Flush: %v, and callbacks with %v; want two without error", err, outcomes)
		}
		var values []string
		for _, r := range c.Records("t", want.Partition) {
			values = append(values, string(r.Value))
		}
		if got := strings.Join(values, ","); got != "a,b,c,d,,f" {
			t.Errorf("the log holds %s, want a,b,c,d,,f", got)
		}
	})
}

// A handle follows its topic: into being, and to more partitions.
func TestATopicsHandleFollowsTheTopic(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
		p := start(t, c, func(cfg *producer.Config) { cfg.MetadataMaxAge, cfg.Linger = time.Second, 0 })
		topic := p.Topic("t")
		for range 3 { // a handle looks its topic up when it has to, and remembers it
			if _, err := topic.SendSync(t.Context(), nil, []byte("a")); err != nil {
				t.Fatal(err)
			}
		}
		if err := c.AddPartitions("t", 8); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Second)
		seen := map[int32]bool{}
		for i := range 100 {
			md, err := topic.SendSync(t.Context(), fmt.Append(nil, "key", i), nil)
			if err != nil {
				t.Fatal(err)
			}
			seen[md.Partition] = true
		}
		if len(seen) < 6 {
			t.Errorf("100 keys went to the partitions %v, want most of 8", seen)
		}
	})
}

// What a handle cannot send fails as with the producer, and says which topic.
func TestATopicsHandleRefuses(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
		p := start(t, c)
		bad := p.Topic("no such name!")
		var invalid *producer.InvalidTopicError
		if _, err := bad.SendSync(t.Context(), nil, nil); !errors.As(err, &invalid) {
			t.Errorf("SendSync: %v, want an InvalidTopicError", err)
		}
		var md producer.RecordMetadata
		bad.SendFunc(t.Context(), nil, nil, func(m producer.RecordMetadata, err error) {
			if md = m; !errors.As(err, &invalid) {
				t.Errorf("SendFunc: %v, want an InvalidTopicError", err)
			}
		})
		if md.Topic != "no such name!" || md.Partition != -1 {
			t.Errorf("its callback was told of %+v", md)
		}
		if err := p.Topic("t").TrySend(nil, nil, nil); !errors.Is(err, producer.ErrTopicNotLoaded) {
			t.Errorf("TrySend to a topic not looked up: %v, want ErrTopicNotLoaded", err)
		}
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := p.Topic("t").Send(ended, nil, nil).Wait(t.Context()); !errors.Is(err, context.Canceled) {
			t.Errorf("Send with an ended ctx: %v, want its cause", err)
		}
	})
}

// Interceptors see what a handle sends, and may change it.
func TestATopicsHandleWithInterceptors(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
		stamp := &stamping{}
		p := start(t, c, func(cfg *producer.Config) { cfg.Interceptors = []producer.Interceptor{stamp} })
		topic := p.Topic("t")
		if _, err := topic.SendSync(t.Context(), nil, []byte("a")); err != nil {
			t.Fatal(err)
		}
		topic.SendFunc(t.Context(), nil, []byte("b"), nil)
		if err := topic.TrySend(nil, []byte("c"), nil); err != nil {
			t.Fatal(err)
		}
		if err := p.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, r := range c.Records("t", 0) {
			if len(r.Headers) != 1 || r.Headers[0].Key != "stamp" {
				t.Errorf("record %q has the headers %v, want the interceptor's", r.Value, r.Headers)
			}
		}
		if stamp.acknowledged != 3 {
			t.Errorf("it was told of %d acknowledgements, want 3", stamp.acknowledged)
		}
	})
}

type stamping struct{ acknowledged int }

func (s *stamping) OnSend(_ context.Context, rec *producer.Record) error {
	rec.Headers = append(rec.Headers, producer.Header{Key: "stamp"})
	return nil
}

func (s *stamping) OnAcknowledgement(_ context.Context, ack producer.Acknowledgement) {
	if ack.Err == nil {
		s.acknowledged++
	}
}

// In a transaction a handle's records are part of it.
func TestATopicsHandleInATransaction(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
		p := start(t, c, func(cfg *producer.Config) { cfg.TransactionalID = "handle" })
		topic := p.Topic("t")
		if err := p.InitTransactions(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := topic.SendSync(t.Context(), nil, nil); err == nil {
			t.Error("a record outside any transaction was taken")
		}
		if err := p.BeginTransaction(t.Context()); err != nil {
			t.Fatal(err)
		}
		f := topic.Send(t.Context(), nil, []byte("a"))
		if err := p.AbortTransaction(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := f.Wait(t.Context()); !errors.Is(err, producer.ErrTransactionAborted) {
			t.Errorf("its record: %v, want ErrTransactionAborted", err)
		}
	})
}

// A handle of a Tx is for that transaction alone: what comes after its end is refused, also while another one is open.
func TestAHandleOfATransactionEndsWithIt(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
		p := start(t, c, func(cfg *producer.Config) { cfg.TransactionalID = "handle" })
		var kept *producer.Topic
		if err := p.Transact(t.Context(), func(tx *producer.Tx) error {
			kept = tx.Topic("t")
			kept.Send(t.Context(), nil, []byte("a"))
			kept.SendAllFunc(t.Context(), []producer.KeyValue{{Value: []byte("b")}, {Key: []byte("k"), Value: []byte("c")}}, nil)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		refused := func(when string) {
			t.Helper()
			var state *producer.TransactionStateError
			if _, err := kept.SendSync(t.Context(), nil, []byte("late")); !errors.As(err, &state) {
				t.Errorf("%s: SendSync: %v, want a TransactionStateError", when, err)
			}
			told := 0
			kept.SendAllFunc(t.Context(), []producer.KeyValue{{Value: []byte("late")}, {Value: []byte("late")}}, func(_ producer.RecordMetadata, err error) {
				if told++; !errors.As(err, &state) {
					t.Errorf("%s: SendAllFunc: %v, want a TransactionStateError", when, err)
				}
			})
			if told != 2 {
				t.Errorf("%s: SendAllFunc: %d of 2 records have an outcome", when, told)
			}
			// Without a callback nothing keeps them out of the batch that is open, but that they are late.
			kept.SendAllFunc(t.Context(), []producer.KeyValue{{Value: []byte("late")}, {Value: []byte("late")}}, nil)
		}
		refused("after the commit")
		if err := p.Transact(t.Context(), func(tx *producer.Tx) error {
			tx.Topic("t").Send(t.Context(), nil, []byte("d"))
			refused("in the next transaction")
			return nil
		}); err != nil {
			t.Errorf("the next transaction: %v", err)
		}
		wantVisible(t, c, "a b c d")
	})
}

// One function that serves many records is told of each its own outcome, also
// where the broker refuses some in the middle.
func TestOneCallbackForManyRecords(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
		if err := c.SetCompacted("t", true); err != nil {
			t.Fatal(err)
		}
		p := start(t, c)
		warm(t, p, "t")
		var got []string
		done := func(md producer.RecordMetadata, err error) {
			switch {
			case err == nil:
				got = append(got, fmt.Sprint(md.Offset))
			case errors.Is(err, protocol.InvalidRecord) && md.Offset == -1:
				got = append(got, "bad")
			default:
				t.Errorf("%+v, %v", md, err)
			}
		}
		topic := p.Topic("t")
		for i := range 10 {
			var key []byte
			if i != 4 && i != 7 {
				key = []byte("k")
			}
			topic.SendFunc(t.Context(), key, fmt.Append(nil, i), done)
		}
		if err := p.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		if text := strings.Join(got, " "); text != "0 1 2 3 bad 4 5 bad 6 7" {
			t.Errorf("the callbacks were told %s, want 0 1 2 3 bad 4 5 bad 6 7", text)
		}
	})
}

// Names that share a place among the near topics are not taken for each other.
func TestManyTopics(t *testing.T) {
	bubble(t, func(t *testing.T) {
		const n = 60
		options := []brokertest.Option{brokertest.InMemory()}
		for i := range n {
			options = append(options, brokertest.Topic(fmt.Sprintf("t%02d-x", i), 1)) // one length, one last letter
		}
		c := brokertest.New(t, options...)
		p := start(t, c)
		for range 2 {
			for i := range n {
				name := fmt.Sprintf("t%02d-x", i)
				if md, err := p.SendSync(t.Context(), producer.Record{Topic: name, Value: []byte(name)}); err != nil || md.Topic != name {
					t.Fatalf("%s: %+v, %v", name, md, err)
				}
			}
		}
		for i := range n {
			name := fmt.Sprintf("t%02d-x", i)
			records := c.Records(name, 0)
			if len(records) != 2 || string(records[0].Value) != name {
				t.Errorf("%s holds %d records, want its own two", name, len(records))
			}
		}
	})
}

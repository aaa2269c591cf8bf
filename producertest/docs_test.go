package producertest_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/producertest"
	"github.com/epistle-kafka/epistle/protocol"
)

// The rest of this file but its last test is shown by docs/testing.md and README.md, word for word.

// Orders tells of each order that is placed.
type Orders struct {
	Events producer.Sender
}

// Place returns when the order is in the log. An error says whether it may be there all the same.
func (o *Orders) Place(ctx context.Context, customer, amount string) error {
	_, err := o.Events.SendSync(ctx, producer.Record{Topic: "orders", Key: []byte(customer), Value: []byte(amount)})
	switch {
	case err == nil:
		return nil
	case producer.MayBeWritten(err):
		return fmt.Errorf("ask before placing it again: %w", err)
	}
	return fmt.Errorf("the order was not placed: %w", err)
}

func TestPlace(t *testing.T) {
	events := producertest.New(t, producertest.Topic("orders", 3))
	orders := &Orders{Events: events}
	if err := orders.Place(t.Context(), "customer-7", "12.50"); err != nil {
		t.Fatal(err)
	}
	events.Expect(t, "orders", producertest.Key("customer-7").Value("12.50"))
}

func TestPlaceTellsWhatIsNotKnown(t *testing.T) {
	events := producertest.New(t)
	orders := &Orders{Events: events}

	events.FailNth(1, producertest.MayBeWritten(producer.ErrDeliveryTimeout))
	err := orders.Place(t.Context(), "customer-7", "12.50")
	if !errors.Is(err, producer.ErrDeliveryTimeout) || !strings.HasPrefix(err.Error(), "ask before") {
		t.Errorf("Place: %v", err)
	}

	events.FailNth(1, producertest.NotWritten(protocol.TopicAuthorizationFailed)) // a broker's answer
	events.RejectNth(2, producer.ErrBufferFull)                                   // the producer's own: the record is not taken
	for range 2 {
		if err := orders.Place(t.Context(), "customer-7", "12.50"); err == nil || !strings.HasPrefix(err.Error(), "the order was not") {
			t.Errorf("Place: %v", err)
		}
	}
}

func TestAnOrderThatIsSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		events := producertest.New(t, producertest.Delivery(3*time.Second))
		orders := &Orders{Events: events}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := orders.Place(ctx, "customer-7", "12.50"); !errors.Is(err, producer.ErrOutcomeUnknown) {
			t.Errorf("Place: %v", err)
		}
		time.Sleep(3 * time.Second)
		events.Expect(t, "orders", producertest.Value("12.50")) // it was placed all the same
	})
}

func TestCallbacksOneByOne(t *testing.T) {
	events := producertest.New(t, producertest.Manual())
	var placed []string
	for _, id := range []string{"a", "b", "c"} {
		events.SendFunc(t.Context(), producer.Record{Topic: "orders", Value: []byte(id)}, func(_ producer.RecordMetadata, err error) {
			if err == nil {
				placed = append(placed, id)
			}
		})
	}
	events.CompleteNext()
	events.FailNext(producertest.NotWritten(protocol.InvalidRecord))
	if got := strings.Join(placed, " "); got != "a" || events.Pending() != 1 {
		t.Errorf("placed: %s, and %d records wait", got, events.Pending())
	}
	events.CompleteAll()
}

// Bill sends an invoice and an entry of the audit, both or none.
func Bill(ctx context.Context, p producer.Transactor, customer, invoice string) error {
	return p.Transact(ctx, func(tx *producer.Tx) error {
		tx.Send(ctx, producer.Record{Topic: "invoices", Key: []byte(customer), Value: []byte(invoice)})
		tx.Send(ctx, producer.Record{Topic: "audit", Key: []byte(customer), Value: []byte("billed")})
		return nil
	})
}

func TestBillIsAllOrNothing(t *testing.T) {
	p := producertest.New(t, producertest.Transactional("billing-1"))
	p.FailNth(2, producertest.NotWritten(protocol.TopicAuthorizationFailed))
	var failed *producer.TransactionError
	if err := Bill(t.Context(), p, "customer-7", "12.50"); !errors.As(err, &failed) || failed.Outcome != producer.OutcomeAborted {
		t.Errorf("Bill: %v", err)
	}
	p.ExpectNone(t)

	p.LoseAnswer(producertest.CallCommitTransaction)
	if err := Bill(t.Context(), p, "customer-7", "12.50"); !errors.As(err, &failed) || failed.Outcome != producer.OutcomeUnknown {
		t.Errorf("Bill: %v", err)
	}
	if err := p.CommitTransaction(t.Context()); err != nil { // takes it up again, and finds the answer
		t.Error(err)
	}
	p.Expect(t, "invoices", producertest.Key("customer-7").Value("12.50"))
}

// Traced adds a header to each record. All else is the producer's inside.
type Traced struct {
	producer.Interface
}

func (p Traced) header(rec producer.Record) producer.Record {
	rec.Headers = append(rec.Headers[:len(rec.Headers):len(rec.Headers)], producer.Header{Key: "trace", Value: []byte("t1")})
	return rec
}

func (p Traced) Send(ctx context.Context, rec producer.Record) producer.Future {
	return p.Interface.Send(ctx, p.header(rec))
}

func (p Traced) SendFunc(ctx context.Context, rec producer.Record, done producer.Callback) {
	p.Interface.SendFunc(ctx, p.header(rec), done)
}

func (p Traced) SendSync(ctx context.Context, rec producer.Record) (producer.RecordMetadata, error) {
	return p.Interface.SendSync(ctx, p.header(rec))
}

func (p Traced) TrySend(rec producer.Record, done producer.Callback) error {
	return p.Interface.TrySend(p.header(rec), done)
}

func (p Traced) Topic(name string) *producer.Topic { return producer.NewTopic(p, name) }

func TestTraced(t *testing.T) {
	inside := producertest.New(t)
	p := Traced{inside}
	p.Topic("orders").SendFunc(t.Context(), nil, []byte("12.50"), nil)
	inside.Expect(t, "orders", producertest.Value("12.50").Header("trace", "t1"))
}

// onBrokers is one on a cluster in the process.
func onBrokers(t *testing.T) (producer.Interface, *brokertest.Cluster) {
	kafka := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("orders", 3))
	cfg := producer.DefaultConfig(kafka.Bootstrap()...)
	cfg.DialContext = kafka.DialContext
	p, err := producer.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close(context.Background()) })
	return p, kafka
}

func TestPlaceWhileALeaderMoves(t *testing.T) {
	events, kafka := onBrokers(t)
	kafka.On(brokertest.Produce).Do(brokertest.Error(protocol.NotLeaderOrFollower)) // the producer tries again
	orders := &Orders{Events: events}
	if err := orders.Place(t.Context(), "customer-7", "12.50"); err != nil {
		t.Fatal(err)
	}
	if err := kafka.Verify(nil); err != nil {
		t.Error(err)
	}
}

func TestPlaceWhileABrokerIsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		events, kafka := onBrokers(t) // of one broker, whose id is 1
		orders := &Orders{Events: events}
		if err := orders.Place(t.Context(), "customer-7", "12.50"); err != nil {
			t.Fatal(err)
		}

		kafka.StopBroker(1) // as if its process were killed: its connections are cut, and its log stays
		back := time.AfterFunc(30*time.Second, func() {
			if err := kafka.StartBroker(1); err != nil {
				t.Error(err)
			}
		})
		if err := orders.Place(t.Context(), "customer-7", "13.00"); err != nil {
			t.Errorf("Place, with a broker that comes back: %v", err)
		}

		kafka.StopBroker(1)
		if err := orders.Place(t.Context(), "customer-7", "99.00"); !errors.Is(err, producer.ErrDeliveryTimeout) {
			t.Errorf("Place, with a broker that stays away: %v", err) // after delivery.timeout.ms, two minutes of fake time
		}
		back.Reset(time.Second)
		if err := orders.Place(t.Context(), "customer-7", "14.00"); err != nil {
			t.Errorf("Place, after that: %v", err)
		}
		if err := kafka.Verify(nil); err != nil { // nothing is there twice, or out of order
			t.Error(err)
		}
	})
}

// What the pages show of Go is in this file, and what needs a real Kafka in one of the module of those tests.
func TestThePagesShowWhatIsTested(t *testing.T) {
	source := margin(t, "docs_test.go") + margin(t, "../integration/send/docs_test.go")
	for page, least := range map[string]int{"../docs/testing.md": 9, "../README.md": 1} {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		blocks := 0
		for _, block := range regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(string(text), -1) {
			code := regexp.MustCompile(`(?m)^\t+`).ReplaceAllString(block[1], "")
			ours := page != "../README.md" || strings.Contains(code, "producertest.") && !strings.HasPrefix(code, "package ")
			if !ours {
				continue
			}
			if blocks++; !strings.Contains(source, "\n"+code) {
				t.Errorf("%s shows what no test compiles:\n%s", page, block[1])
			}
		}
		if blocks < least {
			t.Errorf("%s shows %d pieces of Go, want %d at least", page, blocks, least)
		}
	}
}

// margin is a file whose lines begin at the margin.
func margin(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return regexp.MustCompile(`(?m)^\t+`).ReplaceAllString(string(text), "")
}

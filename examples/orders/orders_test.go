package orders_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	_ "modernc.org/sqlite"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/examples/orders"
	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/producertest"
	"github.com/epistle-kafka/epistle/protocol"
)

// client is what the service needs of a producer.
type client interface {
	orders.Relay
	producer.Monitor
}

// start makes a service over a database of its own.
func start(t *testing.T, p client) *orders.Service {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(t.TempDir(), "orders.db")+"?_pragma=busy_timeout(5000)")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	log := slog.New(slog.DiscardHandler)
	outbox, err := orders.NewOutbox(t.Context(), db, p, "orders", log)
	if err != nil {
		t.Fatal(err)
	}
	s, err := orders.NewService(t.Context(), db, outbox, p, log)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// place posts an order and returns the status.
func place(s *orders.Service, body string) int {
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/orders", strings.NewReader(body)))
	return w.Code
}

func order(customer string, n int) string {
	return fmt.Sprintf(`{"customer":%q,"item":"tea %d","cents":1250}`, customer, n)
}

// An order is answered when it is kept, and its event is sent with the customer as its key.
func TestAnOrderIsTold(t *testing.T) {
	kafka := producertest.New(t, producertest.Topic("orders", 3), producertest.Transactional("relay"))
	s := start(t, kafka)
	if code := place(s, order("customer-7", 1)); code != http.StatusAccepted {
		t.Fatalf("answered %d", code)
	}
	if n, err := s.Outbox.SendPage(t.Context()); n != 1 || err != nil {
		t.Fatalf("%d events sent, %v", n, err)
	}
	kafka.Expect(t, "orders", producertest.Key("customer-7").Value(`{"customer":"customer-7","item":"tea 1","cents":1250}`).Header("event-id", "1"))
	if n, err := s.Outbox.Waiting(t.Context()); n != 0 || err != nil {
		t.Errorf("%d events wait, %v", n, err)
	}
}

func TestOrdersThatMakeNoSense(t *testing.T) {
	s := start(t, producertest.New(t, producertest.Transactional("relay")))
	for _, body := range []string{``, `{`, `{}`, `{"customer":"c","item":"i","cents":0}`, `"` + strings.Repeat("x", 1<<17) + `"`} {
		if code := place(s, body); code != http.StatusBadRequest {
			t.Errorf("%.40s: answered %d", body, code)
		}
	}
	if n, err := s.Outbox.Waiting(t.Context()); n != 0 || err != nil {
		t.Errorf("%d events wait, %v", n, err)
	}
}

// While Kafka is away orders are taken all the same. Their events are sent later, all of them, in their order.
func TestKafkaIsAway(t *testing.T) {
	kafka := producertest.New(t, producertest.Topic("orders", 1), producertest.Transactional("relay"))
	s := start(t, kafka)
	for i := range 3 {
		if code := place(s, order("customer-7", i)); code != http.StatusAccepted {
			t.Fatalf("answered %d", code)
		}
	}
	kafka.FailNth(2, producertest.NotWritten(producer.ErrDeliveryTimeout))
	if n, err := s.Outbox.SendPage(t.Context()); n != 0 || err == nil {
		t.Fatalf("%d events sent, %v, though one of them has failed", n, err)
	}
	if got := kafka.Committed("orders"); len(got) != 0 {
		t.Fatalf("%d events can be seen of a page that has failed", len(got))
	}
	if n, err := s.Outbox.SendPage(t.Context()); n != 3 || err != nil {
		t.Fatalf("%d events sent, %v", n, err)
	}
	var ids []string
	for _, e := range kafka.Committed("orders") {
		ids = append(ids, string(e.Record.Headers[0].Value))
	}
	if want := []string{"1", "2", "3"}; !slices.Equal(ids, want) {
		t.Errorf("events %q, want %q", ids, want)
	}
}

// The answer to a commit is lost, or its request is. Events are sent once all the same, and the relay goes on.
func TestACommitIsNotAnswered(t *testing.T) {
	for name, lose := range map[string]func(*producertest.Producer){
		"the answer is lost":  func(p *producertest.Producer) { p.LoseAnswer(producertest.CallCommitTransaction) },
		"the request is lost": func(p *producertest.Producer) { p.LoseRequest(producertest.CallCommitTransaction) },
	} {
		t.Run(name, func(t *testing.T) {
			kafka := producertest.New(t, producertest.Topic("orders", 1), producertest.Transactional("relay"))
			s := start(t, kafka)
			place(s, order("customer-7", 1))
			lose(kafka)
			if n, err := s.Outbox.SendPage(t.Context()); n != 0 || err == nil {
				t.Fatalf("%d events sent, %v, though nobody knows", n, err)
			}
			place(s, order("customer-7", 2))
			for _, step := range []string{"the page that is in doubt", "the next one"} {
				if n, err := s.Outbox.SendPage(t.Context()); n != 1 || err != nil {
					t.Fatalf("%s: %d events sent, %v", step, n, err)
				}
			}
			if got := kafka.Committed("orders"); len(got) != 2 {
				t.Errorf("%d events can be seen, want 2", len(got))
			}
			if n, err := s.Outbox.Waiting(t.Context()); n != 0 || err != nil {
				t.Errorf("%d events wait, %v", n, err)
			}
		})
	}
}

// A commit that has been left is taken up again. If a record has failed meanwhile it is aborted, and its events are sent in
// another transaction.
func TestACommitThatWasLeftFails(t *testing.T) {
	kafka := producertest.New(t, producertest.Topic("orders", 1), producertest.Transactional("relay"), producertest.Manual())
	s := start(t, kafka)
	place(s, order("customer-7", 1))
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if n, err := s.Outbox.SendPage(ctx); n != 0 || !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("%d events sent, %v, though the record waits", n, err)
	}
	kafka.FailNext(producertest.NotWritten(protocol.InvalidRecord))
	if n, err := s.Outbox.SendPage(t.Context()); n != 0 || !errors.Is(err, protocol.InvalidRecord) {
		t.Fatalf("%d events sent, %v, though one of them has failed", n, err)
	}
	sent := make(chan error, 1)
	go func() {
		_, err := s.Outbox.SendPage(t.Context())
		sent <- err
	}()
	for kafka.Pending() == 0 {
		select {
		case err := <-sent:
			t.Fatalf("no event is sent: %v", err)
		case <-time.After(time.Millisecond):
		}
	}
	kafka.CompleteAll()
	if err := <-sent; err != nil {
		t.Fatal(err)
	}
	if got := kafka.Committed("orders"); len(got) != 1 {
		t.Errorf("%d events can be seen, want 1", len(got))
	}
}

// A relay whose id another instance has taken ends: two of them would send everything twice.
func TestAnotherInstanceTakesOver(t *testing.T) {
	kafka := producertest.New(t, producertest.Transactional("relay"))
	s := start(t, kafka)
	place(s, order("customer-7", 1))
	kafka.Fence()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := s.Outbox.Run(ctx); !errors.Is(err, producer.ErrFenced) {
		t.Errorf("the relay ends with %v, want that it is fenced", err)
	}
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/alive", nil))
	if w.Code != http.StatusInternalServerError {
		t.Errorf("alive: %d, though only a new producer helps", w.Code)
	}
}

// The same service on a cluster in the process, with the real producer: answers are lost, and leaders move.
func TestOnACluster(t *testing.T) {
	c := brokertest.New(t, brokertest.Brokers(3), brokertest.Topic("orders", 3))
	c.On(brokertest.Produce).Times(2).Do(brokertest.HandleThenDrop())
	c.On(brokertest.EndTxn).Do(brokertest.Error(protocol.CoordinatorLoadInProgress))
	p, err := producer.New(producer.ExactlyOnce("relay", c.Bootstrap()...))
	if err != nil {
		t.Fatal(err)
	}
	s := start(t, p)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Outbox.Run(ctx) }()
	const many = 200
	for i := range many {
		if code := place(s, order(fmt.Sprintf("customer-%d", i%7), i)); code != http.StatusAccepted {
			t.Fatalf("answered %d", code)
		}
	}
	for {
		n, err := s.Outbox.Waiting(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("the relay ends with %v", err)
	}
	if err := p.Close(t.Context()); err != nil {
		t.Error(err)
	}
	got := 0
	for partition := range int32(3) {
		got += len(c.Committed("orders", partition))
	}
	if got != many {
		t.Errorf("%d events can be seen, want %d", got, many)
	}
}

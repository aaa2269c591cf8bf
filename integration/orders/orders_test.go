package orders

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/integration/kafka"
	"github.com/epistle-kafka/epistle/integration/reader"
)

// patience is how long anything here may take on a machine that is busy with other things.
const patience = 2 * time.Minute

// The customers, each of whom sends one order after the other.
const customers = 8

// An order that was answered with 202 is in Kafka once the service has stopped on request: once, and in the order in which its
// customer has sent them. Orders come until the last moment.
func TestItStopsUnderLoad(t *testing.T) {
	s := newService(t)
	s.start()
	s.relays()
	l := s.load(300)
	s.signal(syscall.SIGTERM)
	l.end()
	if err := s.wait(); err != nil {
		t.Errorf("the service ends with %v, want success", err)
	}
	events := s.events()
	l.kept(events)
	l.inOrder(events)
	if n := len(events); n > len(l.accepted)+len(l.unknown) {
		t.Errorf("%d events of %d orders", n, len(l.accepted)+len(l.unknown))
	}
}

// An order that was answered with 202 reaches Kafka though the service is killed: the next one sends what was left. Only what was
// sent and not deleted comes twice, with the same event-id.
func TestItIsKilledUnderLoad(t *testing.T) {
	s := newService(t)
	s.start()
	l := s.load(300)
	s.signal(syscall.SIGKILL)
	l.end()
	if err := s.wait(); err == nil {
		t.Error("the service was killed, and has ended with success")
	}
	s.start()
	s.relays()
	for _, probe := range []string{"alive", "ready"} {
		s.get(probe)
	}
	if text := s.get("metrics"); !strings.Contains(text, "kafka_producer_transactions_total") {
		t.Errorf("its metrics are\n%s", text)
	}
	s.signal(syscall.SIGTERM)
	if err := s.wait(); err != nil {
		t.Errorf("the service ends with %v, want success", err)
	}
	l.kept(s.events())
}

// An event is one of the topic's, as another client reads it.
type event struct {
	ID       string // its header
	Customer string `json:"customer"`
	Item     string `json:"item"`
}

// events is what consumers see: committed records, in the order of each customer, whose key has one partition.
func (s *service) events() (all []event) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	do(s.t, reader.Stream(ctx, s.kafka.Bootstrap(), s.topic, reader.Options{Committed: true}, func(r *reader.Record) error {
		var e event
		if err := json.Unmarshal(r.Value, &e); err != nil {
			return err
		}
		if string(r.Key) != e.Customer || len(r.Headers) != 1 || r.Headers[0].Key != "event-id" {
			return fmt.Errorf("an event with key %s, value %s, headers %v", r.Key, r.Value, r.Headers)
		}
		if e.Customer == "first" { // see relays
			return nil
		}
		e.ID = string(r.Headers[0].Value)
		all = append(all, e)
		return nil
	}))
	return all
}

// A load is what customers send, each from a goroutine, until the service takes no more.
type load struct {
	t    *testing.T
	all  sync.WaitGroup
	stop context.CancelFunc

	mu       sync.Mutex // guards the following
	accepted map[string]bool
	unknown  map[string]bool // sent, and not answered
	others   map[int]int     // other answers than 202, by their status
}

// load begins one, and returns once that many orders were taken.
func (s *service) load(least int) *load {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	l := &load{t: s.t, stop: cancel, accepted: map[string]bool{}, unknown: map[string]bool{}, others: map[int]int{}}
	enough := make(chan struct{})
	for customer := range customers {
		l.all.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				if !l.place(ctx, s.url("orders"), fmt.Sprintf("customer-%d", customer), fmt.Sprintf("%d-%06d", customer, n), least, enough) {
					return
				}
			}
		})
	}
	select {
	case <-enough:
	case <-ctx.Done():
		l.mu.Lock()
		defer l.mu.Unlock()
		s.t.Fatalf("%d orders were taken, want %d; other answers: %v", len(l.accepted), least, l.others)
	}
	return l
}

// place sends an order, and says whether the service is there still.
func (l *load) place(ctx context.Context, url, customer, item string, least int, enough chan struct{}) bool {
	body := fmt.Sprintf(`{"customer":%q,"item":%q,"cents":1250}`, customer, item)
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		panic(err)
	}
	response, err := http.DefaultClient.Do(request)
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil {
		l.unknown[item] = true
		return false
	}
	_, _ = io.Copy(io.Discard, response.Body) // the status says it all
	_ = response.Body.Close()
	if response.StatusCode != http.StatusAccepted {
		l.others[response.StatusCode]++
		return true
	}
	if l.accepted[item] = true; len(l.accepted) == least {
		close(enough)
	}
	return true
}

// end waits until the service takes no more.
func (l *load) end() {
	l.t.Helper()
	l.all.Wait()
	l.stop()
	if len(l.others) > 0 {
		l.t.Errorf("other answers than 202, by their status: %v", l.others)
	}
	l.t.Logf("%d orders were taken, %d were not answered", len(l.accepted), len(l.unknown))
}

// kept demands each order that was taken, and no event of one that was not sent. What comes twice has the same id.
func (l *load) kept(events []event) {
	l.t.Helper()
	ids, items := map[string]string{}, map[string]string{}
	for _, e := range events {
		if !l.accepted[e.Item] && !l.unknown[e.Item] {
			l.t.Errorf("there is an event of %s, which nobody has sent", e.Item)
		}
		if item, ok := ids[e.ID]; ok && item != e.Item {
			l.t.Errorf("event %s is of %s and of %s", e.ID, item, e.Item)
		}
		if id, ok := items[e.Item]; ok && id != e.ID {
			l.t.Errorf("order %s has the events %s and %s", e.Item, id, e.ID)
		}
		ids[e.ID], items[e.Item] = e.Item, e.ID
	}
	lost := maps.Clone(l.accepted)
	for _, e := range events {
		delete(lost, e.Item)
	}
	if len(lost) > 0 {
		l.t.Errorf("%d of %d orders were taken and are not in Kafka: %q", len(lost), len(l.accepted), slices.Sorted(maps.Keys(lost)))
	}
}

// inOrder demands each order once, and those of a customer as they were sent.
func (l *load) inOrder(events []event) {
	l.t.Helper()
	last := map[string]string{}
	for _, e := range events {
		if e.Item <= last[e.Customer] {
			l.t.Errorf("%s comes after %s", e.Item, last[e.Customer])
		}
		last[e.Customer] = e.Item
	}
}

func do(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// newService builds the command, and makes a topic for it.
func newService(t *testing.T) *service {
	t.Helper()
	c := kafka.Shared(t)
	s := &service{t: t, kafka: c, topic: fmt.Sprintf("%s-%d", t.Name(), time.Now().UnixNano()), dir: t.TempDir()}
	s.build()
	admin, err := reader.NewAdmin(c.Bootstrap())
	do(t, err)
	t.Cleanup(admin.Close)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	do(t, admin.CreateTopic(ctx, s.topic, 3, -1, nil))
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if _, err := admin.Client().DeleteTopic(ctx, s.topic); err != nil {
			t.Logf("topic %s stays: %v", s.topic, err)
		}
	})
	return s
}

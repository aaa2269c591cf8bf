package producer_test

import (
	"context"
	"encoding/binary"
	"errors"
	"log/slog"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/protocol"
)

// Stories of records, transactions and interceptors.

func init() {
	logStories["a topic is made again"] = func(t *testing.T, j *journal) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 3))
		p := start(t, c, j.logs, patiently)
		underLoad(t, p, time.Second)
		if err := c.RecreateTopic("t"); err != nil {
			t.Fatal(err)
		}
		underLoad(t, p, 10*time.Second)
		if l := j.one(t, slog.LevelWarn, "topic was made again"); l.word("topic") != "t" {
			t.Errorf("got %v, want topic t", l)
		}
	}

	logStories["numbers that are left behind"] = func(t *testing.T, j *journal) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
		p := start(t, c, j.logs, patiently)
		underLoad(t, p, time.Second)
		c.On(brokertest.Produce).Do(brokertest.Error(protocol.OutOfOrderSequenceNumber))
		underLoad(t, p, 10*time.Second)
		j.one(t, slog.LevelInfo, "epoch renewed")
	}

	logStories["memory is used up"] = func(t *testing.T, j *journal) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1), brokertest.Topic("big", 1))
		p := start(t, c, j.logs, patiently, func(cfg *producer.Config) { cfg.BufferMemory = 1 << 20 })
		warm(t, p, "t", "big")
		c.Pause(1)
		for range 8 {
			p.Send(t.Context(), producer.Record{Topic: "big", Value: make([]byte, 100_000)})
		}
		sent := make(chan bool)
		go func() {
			for range 40 {
				p.Send(t.Context(), producer.Record{Topic: "t", Value: make([]byte, 10_000)})
			}
			close(sent)
		}()
		time.Sleep(10 * time.Second)
		if l := j.one(t, slog.LevelWarn, "buffer.memory is used up"); l.word("topic") != "big" {
			t.Errorf("got %v, want that topic big has it", l)
		}
		c.Resume(1)
		<-sent
		underLoad(t, p, 20*time.Second)
		if l := j.one(t, slog.LevelInfo, "buffer.memory has room again"); l.num("count") < 1 || l.lasted() < 9*time.Second {
			t.Errorf("got %v, want how many waited, and for how long", l)
		}
	}

	logStories["records fail"] = func(t *testing.T, j *journal) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 3))
		p := start(t, c, j.logs, patiently)
		warm(t, p, "t")
		c.DenyWrite("t")
		underLoad(t, p, time.Minute)
		if err := p.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute) // what is held back is told
		underLoad(t, p, 10*time.Millisecond)
		time.Sleep(time.Minute)
		var records int64
		lines := j.of("records failed")
		for _, l := range lines {
			records += l.num("records")
			if l.level != slog.LevelError || !strings.Contains(l.word("err"), "TOPIC_AUTHORIZATION_FAILED") {
				t.Errorf("got %v, want why, as an error", l)
			}
		}
		if failed := p.Stats().Failed; records != failed || len(lines) > 10 {
			t.Errorf("the log has %d failed records in %d lines, want all %d in 10 at most", records, len(lines), failed)
		}
	}

	logStories["the program aborts a transaction"] = func(t *testing.T, j *journal) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
		p := start(t, c, j.logs, patiently, func(cfg *producer.Config) { cfg.TransactionalID, cfg.Linger = "id", time.Minute })
		declined := errors.New("declined")
		err := p.Transact(t.Context(), func(tx *producer.Tx) error {
			tx.SendFunc(t.Context(), record("a"), nil)
			tx.SendFunc(t.Context(), record("b"), nil)
			return declined
		})
		if !errors.Is(err, declined) {
			t.Fatal(err)
		}
		synctest.Wait()
		if l := j.one(t, slog.LevelInfo, "records of an aborted transaction"); l.num("records") != 2 || l.word("reason") != "aborted" {
			t.Errorf("got %v, want the two records that were not sent", l)
		}
		j.none(t, "records failed")
	}

	logStories["the cluster gives no producer id"] = func(t *testing.T, j *journal) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
		c.On(brokertest.InitProducerID).Times(3).Do(brokertest.Error(protocol.ClusterAuthorizationFailed))
		p := start(t, c, j.logs, patiently)
		underLoad(t, p, 10*time.Second)
		if lines := j.of("no producer id"); len(lines) == 0 || len(lines) > 3 || lines[0].level != slog.LevelWarn {
			t.Errorf("got %v", lines)
		}
	}

	// A broker that has just started puts a producer id off for a moment, which nobody needs to be told.
	logStories["the cluster puts a producer id off"] = func(t *testing.T, j *journal) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
		c.On(brokertest.InitProducerID).Times(2).Do(brokertest.Error(protocol.CoordinatorLoadInProgress))
		p := start(t, c, j.logs, patiently)
		underLoad(t, p, 10*time.Second)
		if lines := j.of("no producer id"); len(lines) != 0 {
			t.Errorf("got %v, want nothing", lines)
		}
	}

	logStories["transactions fail"] = func(t *testing.T, j *journal) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
		coordinators := c.On(brokertest.FindCoordinator).Always().Do(brokertest.Error(protocol.CoordinatorNotAvailable))
		transactional := func(cfg *producer.Config) { cfg.TransactionalID = "id" }
		p := start(t, c, j.logs, patiently, transactional)
		ready := make(chan error)
		go func() { ready <- p.InitTransactions(t.Context()) }()
		time.Sleep(20 * time.Second)
		if l := j.one(t, slog.LevelWarn, "transactional request is held up"); !strings.Contains(l.word("err"), "COORDINATOR_NOT_AVAILABLE") {
			t.Errorf("got %v, want why", l)
		}
		coordinators.Stop()
		if err := <-ready; err != nil {
			t.Fatal(err)
		}
		transact := func() error {
			return p.Transact(t.Context(), func(tx *producer.Tx) error { tx.Send(t.Context(), record("x")); return nil })
		}
		if err := transact(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		if err := transact(); err != nil {
			t.Fatal(err)
		}
		j.one(t, slog.LevelInfo, "transactional request came through")
		j.none(t, "transaction failed")
		c.On(brokertest.Produce).Do(brokertest.Error(protocol.InvalidRecord))
		if err := transact(); err == nil {
			t.Fatal("a transaction is committed whose record was refused")
		}
		if l := j.one(t, slog.LevelWarn, "transaction failed"); !strings.Contains(l.word("err"), "INVALID_RECORD") {
			t.Errorf("got %v, want why", l)
		}
		other := start(t, c, patiently, transactional)
		if err := other.InitTransactions(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := transact(); !errors.Is(err, producer.ErrFenced) {
			t.Fatalf("got %v, want that it is fenced", err)
		}
		synctest.Wait()
		j.one(t, slog.LevelError, "producer can send no more")
	}

	logStories["a broker throttles"] = func(t *testing.T, j *journal) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 3))
		p := start(t, c, j.logs, patiently)
		underLoad(t, p, time.Second)
		c.Throttle(brokertest.Produce, 200*time.Millisecond)
		underLoad(t, p, 100*time.Second)
		c.Throttle(brokertest.Produce, 0)
		underLoad(t, p, 20*time.Second)
		if lines := j.of("broker throttles this client"); len(lines) != 3 || lines[0].at > 2*time.Second || lines[2].num("count") < 100 {
			t.Errorf("got %v, want a line when it begins and one after 30 and 90 s, with counts", lines)
		}
		if l := j.one(t, slog.LevelInfo, "broker throttles no longer"); l.num("count") < 100 || l.lasted() < 99*time.Second {
			t.Errorf("got %v, want how often, and for how long", l)
		}
		j.few(t, 10)
	}

	logStories["a connection hides its socket"] = func(t *testing.T, j *journal) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 3))
		p := start(t, c, j.logs, patiently, func(cfg *producer.Config) {
			cfg.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
				conn, err := c.DialContext(ctx, network, addr)
				return struct{ net.Conn }{conn}, err
			}
		})
		underLoad(t, p, time.Second)
		j.one(t, slog.LevelInfo, "not all of a socket can be had of what DialContext returned")
	}

	logStories["an answer has bytes left over"] = func(t *testing.T, j *journal) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 3))
		p := start(t, c, j.logs, patiently, func(cfg *producer.Config) {
			cfg.DialContext = tamper(c, func(key, _ int16, frame []byte) []byte {
				if key == brokertest.Metadata {
					frame = append(frame, 0)
					binary.BigEndian.PutUint32(frame, uint32(len(frame)-4))
				}
				return frame
			})
		})
		underLoad(t, p, time.Second)
	}

	logStories["interceptors fail"] = func(t *testing.T, j *journal) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
		p := start(t, c, j.logs, patiently, func(cfg *producer.Config) { cfg.Interceptors = []producer.Interceptor{bad{}} })
		underLoad(t, p, 10*time.Second)
		if err := p.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, text := range []string{"an interceptor failed; the record goes on as it was before it", "an interceptor panicked"} {
			if n := len(j.of(text)); n < 1 || n > 6 {
				t.Errorf("the log has %q %d times, want it counted", text, n)
			}
		}
	}

	logStories["a broker is older"] = func(t *testing.T, j *journal) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1), brokertest.Versions(brokertest.ApiVersions, 0, 2))
		p := start(t, c, j.logs, patiently)
		underLoad(t, p, time.Second)
	}
}

// bad is an interceptor that fails.
type bad struct{}

func (bad) OnSend(_ context.Context, _ *producer.Record) error { return errors.New("no") }
func (bad) OnAcknowledgement(context.Context, producer.Acknowledgement) {
	panic("no")
}

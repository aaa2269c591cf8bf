package producer_test

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/protocol"
)

// Stories of brokers, topics and leaders.

// underLoad sends a record each 10 ms for d.
func underLoad(t *testing.T, p *producer.Producer, d time.Duration) {
	t.Helper()
	for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		p.Send(t.Context(), producer.Record{Topic: "t", Value: []byte("x")})
	}
}

// patiently is a producer that waits for longer than a story lasts.
func patiently(cfg *producer.Config) {
	cfg.DeliveryTimeout, cfg.MaxBlock, cfg.TransactionTimeout = time.Hour, time.Hour, 10*time.Minute
}

func looksOften(cfg *producer.Config) { cfg.MetadataMaxAge = 5 * time.Second }

func init() {
	logStories["a calm day"] = func(t *testing.T, j *journal) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 3))
		p := start(t, c, j.logs)
		underLoad(t, p, 20*time.Minute/100)
		time.Sleep(20 * time.Minute) // connections are closed as idle
		underLoad(t, p, time.Second)
		if err := p.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		j.one(t, slog.LevelInfo, "producer id given")
		j.one(t, slog.LevelInfo, "closing")
		j.one(t, slog.LevelInfo, "closed")
		j.few(t, 7)
	}

	logStories["a broker is down for two minutes under load"] = func(t *testing.T, j *journal) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 3))
		p := start(t, c, j.logs, patiently)
		underLoad(t, p, time.Second)
		c.StopBroker(1)
		underLoad(t, p, 2*time.Minute)
		if err := c.StartBroker(1); err != nil {
			t.Fatal(err)
		}
		underLoad(t, p, 10*time.Second)
		if l := j.one(t, slog.LevelWarn, "connection lost"); l.at > 2*time.Second {
			t.Errorf("told late: %v", l)
		}
		tries := j.of("cannot connect")
		if len(tries) != 3 || tries[0].at > 2*time.Second || tries[2].num("attempts") < 50 {
			t.Errorf("the log has %d lines about attempts, want 3: at once, and twice how many there were: %v", len(tries), tries)
		}
		back := j.of("connected")
		if l := back[len(back)-1]; l.num("attempts") < 50 || l.lasted() < 2*time.Minute {
			t.Errorf("the end does not tell of what it ends: %v", l)
		}
		j.few(t, 12)
	}

	logStories["the only broker is away, so that the bootstrap servers are asked anew"] = func(t *testing.T, j *journal) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 3))
		p := start(t, c, j.logs, patiently)
		underLoad(t, p, time.Second)
		c.Break(1, brokertest.Refusing)
		underLoad(t, p, 10*time.Second)
		l := j.one(t, slog.LevelWarn, "asking the bootstrap servers anew")
		if err := l.word("err"); !strings.Contains(err, "broker 1") || !strings.Contains(err, "connection refused") {
			t.Errorf("the line names %q as the cause, want that the broker cannot be reached: %v", err, l)
		}
		c.Mend(1)
		underLoad(t, p, 10*time.Second)
		if back := j.of("connected"); back[len(back)-1].at < l.at {
			t.Errorf("the log does not tell the end: %v", j)
		}
	}

	logStories["thousands of partitions are sent again"] = func(t *testing.T, j *journal) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 2000))
		p := start(t, c, j.logs, patiently)
		warm(t, p, "t")
		refused := c.On(brokertest.Produce).Always().Do(brokertest.Error(protocol.NotEnoughReplicas))
		for i := range int32(2000) {
			p.Send(t.Context(), producer.Record{Topic: "t", Partition: producer.OnPartition(i), Value: []byte("x")})
		}
		time.Sleep(40 * time.Second)
		refused.Stop()
		if err := p.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		begun := j.of("sending again")
		if len(begun) != 2 || begun[0].level != slog.LevelWarn || begun[1].num("batches") < 10_000 || !strings.Contains(begun[0].word("err"), "NOT_ENOUGH_REPLICAS") {
			t.Errorf("want a line when it begins and one after 30 s, with counts and the cause: %v", begun)
		}
		synctest.Wait()
		over := j.one(t, slog.LevelInfo, "sending again is over")
		if over.lasted() < 40*time.Second || over.num("records") < 10_000 {
			t.Errorf("the end does not tell of what it ends: %v", over)
		}
		j.few(t, 8)
	}

	logStories["leaders move"] = func(t *testing.T, j *journal) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Brokers(3), brokertest.Topic("t", 300))
		p := start(t, c, j.logs, patiently, looksOften)
		underLoad(t, p, time.Second)
		for i := range int32(300) {
			if id, _ := c.Leader("t", i); id == 1 {
				if err := c.MoveLeader("t", i, 2); err != nil {
					t.Fatal(err)
				}
			}
		}
		underLoad(t, p, 10*time.Second)
		var moved int64
		lines := j.of("leader moved")
		for _, l := range lines {
			moved += max(l.num("partitions"), 1)
			if l.num("from") != 1 || l.num("to") != 2 || l.level != slog.LevelInfo {
				t.Errorf("got %v, want from 1 to 2", l)
			}
		}
		if moved != 100 || len(lines) > 2 { // one may be named by an answer, before metadata
			t.Errorf("the log has %d partitions that moved in %d lines, want 100 in 2 at most", moved, len(lines))
		}
		j.few(t, 10)
	}

	logStories["a partition has no leader"] = func(t *testing.T, j *journal) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 3))
		p := start(t, c, j.logs, patiently, looksOften)
		underLoad(t, p, time.Second)
		rule := c.On(brokertest.Metadata).Topic("t").Always().Do(brokertest.Edit(func(_ *brokertest.Request, resp protocol.Response) {
			m := resp.(*protocol.MetadataResponse)
			for i := range m.Topics {
				for k := range m.Topics[i].Partitions {
					if part := &m.Topics[i].Partitions[k]; part.PartitionIndex == 2 {
						part.ErrorCode, part.LeaderID = protocol.LeaderNotAvailable, -1
					}
				}
			}
		}))
		c.On(brokertest.Produce).Do(brokertest.Error(protocol.NotLeaderOrFollower))
		underLoad(t, p, 10*time.Second)
		if l := j.one(t, slog.LevelWarn, "no leader"); l.word("topic") != "t" || l.num("partition") != 2 {
			t.Errorf("got %v, want partition 2 of t", l)
		}
		rule.Stop()
		underLoad(t, p, 10*time.Second)
		j.one(t, slog.LevelInfo, "there is a leader again")
	}

	logStories["a topic does not come"] = func(t *testing.T, j *journal) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("u", 1))
		rule := c.On(brokertest.Metadata).Always().Do(brokertest.Edit(func(_ *brokertest.Request, resp protocol.Response) {
			m := resp.(*protocol.MetadataResponse)
			for i := range m.Topics {
				m.Topics[i].ErrorCode = protocol.LeaderNotAvailable
			}
		}))
		p := start(t, c, j.logs, patiently)
		loaded := make(chan error)
		go func() { loaded <- p.LoadTopics(t.Context(), "u") }()
		time.Sleep(4 * time.Second)
		j.none(t, "topic does not come")
		time.Sleep(4 * time.Second)
		if l := j.one(t, slog.LevelWarn, "topic does not come"); !strings.Contains(l.word("err"), "LEADER_NOT_AVAILABLE") {
			t.Errorf("got %v, want why", l)
		}
		rule.Stop()
		if err := <-loaded; err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		j.one(t, slog.LevelInfo, "topic has come")
	}

	logStories["a partition does not come"] = func(t *testing.T, j *journal) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 2))
		p := start(t, c, j.logs, patiently)
		sendAll := func(ctx context.Context) (err error) {
			_, err = p.SendSync(ctx, producer.Record{Topic: "t", Partition: producer.OnPartition(3)})
			return err
		}
		ctx, cancel := context.WithTimeout(t.Context(), 7*time.Second)
		defer cancel()
		if err := sendAll(ctx); err == nil {
			t.Fatal("a record has got into a partition that is not there")
		}
		if l := j.one(t, slog.LevelWarn, "partition does not come"); l.word("topic") != "t" || l.num("partitions") != 2 {
			t.Errorf("got %v, want topic t and its two partitions", l)
		}
		time.Sleep(10 * time.Second)
		j.none(t, "partition has come") // nobody waits any more

		sent := make(chan error)
		go func() { sent <- sendAll(t.Context()) }()
		time.Sleep(7 * time.Second)
		c.AddPartitions("t", 4)
		if err := <-sent; err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		j.one(t, slog.LevelInfo, "partition has come")
		j.none(t, "topic does not come")
	}
}

func init() {
	logStories["a broker is behind a firewall for two minutes"] = func(t *testing.T, j *journal) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 3))
		p := start(t, c, j.logs, patiently)
		underLoad(t, p, time.Second)
		c.Pause(1)
		underLoad(t, p, 2*time.Minute)
		if l := j.of("broker is silent"); len(l) == 0 || l[0].at > 10*time.Second || l[0].level != slog.LevelWarn || l[0].num("in_flight") == 0 {
			t.Errorf("got %v, want that it is told within seconds", l)
		}
		c.Resume(1)
		underLoad(t, p, 10*time.Second)
		j.few(t, 20)
	}

	logStories["a broker does not answer for ten seconds"] = func(t *testing.T, j *journal) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 3))
		p := start(t, c, j.logs, patiently)
		underLoad(t, p, time.Second)
		release := make(chan struct{})
		c.On(brokertest.Produce).Do(brokertest.Pass().Held(release))
		underLoad(t, p, 10*time.Second)
		close(release)
		underLoad(t, p, 10*time.Second)
		j.one(t, slog.LevelWarn, "broker is silent")
		if l := j.one(t, slog.LevelInfo, "broker answers again"); l.lasted() < 5*time.Second {
			t.Errorf("got %v, want for how long it did not", l)
		}
	}

	logStories["the cluster is made again"] = func(t *testing.T, j *journal) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 3))
		p := start(t, c, j.logs, patiently)
		underLoad(t, p, time.Second)
		c.MakeAgain(brokertest.Again{})
		underLoad(t, p, 10*time.Second)
		if l := j.one(t, slog.LevelError, "the cluster is another one"); l.word("cluster") != c.ClusterID() {
			t.Errorf("got %v, want its id", l)
		}
		j.none(t, "topic was made again")
	}

	logStories["a cluster that has started anew knows no topic yet"] = func(t *testing.T, j *journal) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 3))
		p := start(t, c, j.logs, patiently)
		underLoad(t, p, time.Second)
		c.On(brokertest.Metadata).Times(1000).Do(brokertest.Error(protocol.UnknownTopicOrPartition))
		c.CutConnections(1, true)
		underLoad(t, p, 10*time.Second)
		if l := j.one(t, slog.LevelWarn, "it is not known which cluster this is"); l.at > 2*time.Second || !strings.Contains(l.word("err"), "UNKNOWN_TOPIC_OR_PARTITION") {
			t.Errorf("got %v, want what the broker says, at once", l)
		}
		j.none(t, "it is known which cluster this is")
		c.ClearFaults()
		underLoad(t, p, 2*time.Second)
		if l := j.one(t, slog.LevelInfo, "it is known which cluster this is"); l.lasted() < 9*time.Second || !l.attrs["same"].Bool() {
			t.Errorf("got %v, want that it is the same, after 10 s", l)
		}
		j.one(t, slog.LevelInfo, "producer id given")
	}

	logStories["connecting takes its time"] = func(t *testing.T, j *journal) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 3))
		c.Pause(1)
		p := start(t, c, j.logs, patiently)
		loaded := make(chan error)
		go func() { loaded <- p.LoadTopics(t.Context(), "t") }()
		time.Sleep(9 * time.Second)
		if l := j.one(t, slog.LevelWarn, "cannot connect"); !strings.Contains(l.word("err"), "still connecting") {
			t.Errorf("got %v, want that it still tries", l)
		}
		c.Resume(1)
		if err := <-loaded; err != nil {
			t.Fatal(err)
		}
	}
}

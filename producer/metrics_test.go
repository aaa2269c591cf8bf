package producer_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/protocol"
)

// A run with every kind of fault: what the producer has counted is what the brokers got, to the record and the byte.
func TestMetricsAgreeWithWhatBrokersGot(t *testing.T) {
	for _, codec := range []producer.Compression{producer.NoCompression, producer.Zstd} {
		t.Run(codec.String(), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				c := brokertest.New(t, brokertest.InMemory(), brokertest.Brokers(2), brokertest.KeepRequests(100_000),
					brokertest.Topic("calm", 4), brokertest.Topic("small", 1), brokertest.Topic("stuck", 1))
				if err := c.SetTopicMaxBytes("small", 2000); err != nil {
					t.Fatal(err)
				}
				var wire meter
				p := start(t, c, wire.of(c), func(cfg *producer.Config) {
					cfg.Compression, cfg.MaxInFlightRequestsPerConnection = codec, 1 // what is written behind a split nobody has seen
					cfg.DeliveryTimeout, cfg.RequestTimeout, cfg.Linger = 20*time.Second, 5*time.Second, 20*time.Millisecond
				})
				warm(t, p, "calm", "small", "stuck")
				for _, fault := range []*brokertest.Action{
					brokertest.Error(protocol.NotEnoughReplicas), brokertest.HandleThenDrop(), brokertest.Drop(),
					brokertest.Throttled(2 * time.Second), brokertest.AppendThenError(protocol.NotEnoughReplicasAfterAppend),
					brokertest.HandleThenSwallow(), brokertest.Error(protocol.NotLeaderOrFollower),
				} {
					rule := c.On(brokertest.Produce).Topic("calm").Skip(1).Do(fault)
					for i := range 400 {
						p.SendFunc(t.Context(), producer.Record{Topic: "calm", Key: fmt.Append(nil, i), Value: make([]byte, 100)}, nil)
					}
					if err := p.Flush(t.Context()); err != nil {
						t.Fatal(err)
					}
					time.Sleep(3 * time.Second)
					for i := range 20 {
						p.SendFunc(t.Context(), producer.Record{Topic: "calm", Key: fmt.Append(nil, i), Value: []byte("x")}, nil)
						time.Sleep(50 * time.Millisecond)
					}
					rule.Stop()
				}
				for i := range 40 { // 40 kB, of which the topic takes 2 at a time
					p.SendFunc(t.Context(), producer.Record{Topic: "small", Value: noise(i, 1000)}, nil)
				}
				if err := p.Flush(t.Context()); err != nil {
					t.Fatal(err)
				}
				swallows := c.On(brokertest.Produce).Topic("stuck").Always().Do(brokertest.Swallow())
				for range 7 {
					p.SendFunc(t.Context(), producer.Record{Topic: "stuck", Value: []byte("x")}, nil)
				}
				if err := p.Flush(t.Context()); err != nil {
					t.Fatal(err)
				}
				swallows.Stop()
				time.Sleep(time.Minute)
				agrees(t, c, p, &wire)
				m := p.Metrics()
				if of := topicOf(t, m, "stuck"); of.Failed != 7 || of.MayBeWritten != 7 || of.BatchesExpired == 0 || of.Acknowledged != 0 {
					t.Errorf("the topic whose answers are lost: %+v, want 7 records that failed, and may be written", of)
				}
				if of := topicOf(t, m, "small"); of.BatchesSplit == 0 || of.Acknowledged != 40 {
					t.Errorf("the topic of small batches: %+v, want some that were split, and all 40 acknowledged", of)
				}
				reasons := map[string]int64{}
				for _, r := range m.Retries {
					reasons[r.Reason] += r.Batches
				}
				for _, reason := range []string{"NOT_ENOUGH_REPLICAS", "NOT_ENOUGH_REPLICAS_AFTER_APPEND", "disconnected", "timeout", "too_large"} {
					if reasons[reason] == 0 {
						t.Errorf("no retries because of %s in %v", reason, reasons)
					}
				}
				if m.Throttles == 0 || m.ThrottleTime < 2*time.Second {
					t.Errorf("%d throttles of %v, want 2 s at least", m.Throttles, m.ThrottleTime)
				}
				if err := p.Close(t.Context()); err != nil {
					t.Fatal(err)
				}
				agrees(t, c, p, &wire)
			})
		})
	}
}

// agrees holds Metrics against the brokers, the connections and Stats.
func agrees(t *testing.T, c *brokertest.Cluster, p *producer.Producer, wire *meter) {
	t.Helper()
	synctest.Wait()
	m, s := p.Metrics(), p.Stats()
	var sum producer.RecordMetrics
	logs := int64(0)
	for _, of := range m.Topics {
		records, batches, bytes := batchesOf(c, of.Topic)
		if of.Sent+of.Retried != records || of.Batches != batches || of.Bytes != bytes {
			t.Errorf("%s: %d+%d records in %d batches of %d bytes; brokers got %d in %d of %d",
				of.Topic, of.Sent, of.Retried, of.Batches, of.Bytes, records, batches, bytes)
		}
		var written int64
		for i := range c.Partitions(of.Topic) {
			written += int64(len(c.Records(of.Topic, int32(i))))
		}
		if of.MayBeWritten == 0 && of.Acknowledged != written {
			t.Errorf("%s: %d records acknowledged, and %d in the log", of.Topic, of.Acknowledged, written)
		}
		logs += of.Acknowledged
		sum.Sent, sum.Retried, sum.Batches, sum.Bytes = sum.Sent+of.Sent, sum.Retried+of.Retried, sum.Batches+of.Batches, sum.Bytes+of.Bytes
		sum.Acknowledged, sum.Failed, sum.MayBeWritten = sum.Acknowledged+of.Acknowledged, sum.Failed+of.Failed, sum.MayBeWritten+of.MayBeWritten
		sum.RawBytes, sum.BatchesSplit, sum.BatchesExpired = sum.RawBytes+of.RawBytes, sum.BatchesSplit+of.BatchesSplit, sum.BatchesExpired+of.BatchesExpired
	}
	if m.Records != sum {
		t.Errorf("all topics: %+v, and their sum is %+v", m.Records, sum)
	}
	if r := m.Records; r.Sent != s.Sent || r.Retried != s.Retried || r.Acknowledged != s.Acknowledged || r.Failed != s.Failed ||
		r.MayBeWritten != s.MayBeWritten || r.Bytes != s.BytesSent || m.InFlight != s.InFlight || m.Throttles != s.Throttles || m.ThrottleTime != s.ThrottleTime {
		t.Errorf("Metrics has %+v, and Stats %+v", r, s)
	}
	if m.BatchBytes.Count != uint64(sum.Batches) || m.BatchBytes.Sum != float64(sum.Bytes) || m.BatchRecords.Sum != float64(sum.Sent+sum.Retried) {
		t.Errorf("histograms of %d batches, %v bytes, %v records, want %+v", m.BatchBytes.Count, m.BatchBytes.Sum, m.BatchRecords.Sum, sum)
	}
	var written, read, failed, retried int64
	for _, b := range m.Brokers {
		written, read = written+b.BytesWritten, read+b.BytesRead
	}
	if written != wire.written.Load() || read != wire.read.Load() {
		t.Errorf("%d bytes written and %d read, and the connections have moved %d and %d", written, read, wire.written.Load(), wire.read.Load())
	}
	for _, f := range m.Failures {
		failed += f.Records
	}
	for _, r := range m.Retries {
		retried += r.Records
	}
	if failed != sum.Failed || retried != sum.Retried {
		t.Errorf("%d failures and %d retries by their reasons, want %d and %d", failed, retried, sum.Failed, sum.Retried)
	}
	produce := sentOf(m, "Produce")
	if got := int64(c.Count(brokertest.Produce)); produce.Sent != got || produce.Sent != produce.Answered+produce.Failed+produce.InFlight {
		t.Errorf("Produce: %+v, and brokers got %d", produce, got)
	}
	if n := m.Connections; n.Created-n.Closed != n.Open || n.Created != wire.dials.Load() {
		t.Errorf("connections: %+v, and %d were dialled", n, wire.dials.Load())
	}
}

// What was compressed counts twice: as it was, and as it is written.
func TestBytesBeforeAndAfterCompression(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
		p := start(t, c, func(cfg *producer.Config) { cfg.Compression = producer.LZ4 })
		send(t, p, record(strings.Repeat("a", 10_000)))
		m := p.Metrics()
		_, _, bytes := batchesOf(c, "t")
		if r := m.Records; r.Bytes != bytes || r.Bytes > 1000 || r.RawBytes < 10_000 || r.RawBytes > 10_100 {
			t.Errorf("%d bytes before and %d after; brokers got %d", r.RawBytes, r.Bytes, bytes)
		}
		ratio := float64(m.Records.Bytes) / float64(m.Records.RawBytes)
		if got := m.CompressionRatio; got.Count != 1 || got.Sum != ratio {
			t.Errorf("the ratio is %v of %d batches, want %v", got.Sum, got.Count, ratio)
		}
		if got := javas(m)["producer-metrics compression-rate-avg"]; got != ratio {
			t.Errorf("Java's compression-rate-avg is %v, want %v", got, ratio)
		}
	})
}

// Rates, averages and maxima are of the last 30 to 60 s; then they are forgotten.
func TestWindowsPass(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
		began := time.Now()
		p := start(t, c)
		warm(t, p, "t")
		c.On(brokertest.Produce).Do(brokertest.Pass().Delayed(700 * time.Millisecond))
		send(t, p, record("a"))
		until := func(d time.Duration) map[string]float64 {
			time.Sleep(d - time.Since(began))
			return javas(p.Metrics())
		}
		all := until(10 * time.Second)
		if rate, want := all["producer-metrics record-send-rate"], 1/40.0; rate != want {
			t.Errorf("after 10 s: %v records a second, want %v: the window before counts as a whole", rate, want)
		}
		if most := all["producer-metrics request-latency-max"]; most != 700 {
			t.Errorf("after 10 s the slowest request took %v ms, want 700", most)
		}
		send(t, p, record("b"))
		all = until(59 * time.Second)
		if rate, want := all["producer-topic-metrics t record-send-rate"], 2/59.0; rate != want {
			t.Errorf("after 59 s: %v records a second, want %v", rate, want)
		}
		if most, avg := all["producer-node-metrics node-1 request-latency-max"], all["producer-node-metrics node-1 request-latency-avg"]; most != 700 || avg != 350 {
			t.Errorf("after 59 s the slowest request took %v ms, the average is %v; want 700 and 350", most, avg)
		}
		all = until(61 * time.Second)
		if most, some := all["producer-metrics request-latency-max"]; some {
			t.Errorf("after 61 s the slowest request of late took %v ms; want nothing, since there was none", most)
		}
		if rate := all["producer-metrics record-send-rate"] + all["producer-metrics outgoing-byte-rate"]; rate != 0 {
			t.Errorf("after 61 s the rates are %v, want 0", rate)
		}
		if total := all["producer-metrics record-send-total"]; total != 2 {
			t.Errorf("%v records in all, want 2", total)
		}
	})
}

// Each part of a record's time is where it was spent.
func TestWhereTheTimeGoes(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
		p := start(t, c, func(cfg *producer.Config) { cfg.Linger = 100 * time.Millisecond })
		c.On(brokertest.Metadata).Topic("t").Do(brokertest.Pass().Delayed(2 * time.Second))
		c.On(brokertest.Produce).Do(brokertest.Pass().Delayed(700 * time.Millisecond))
		f := p.Send(t.Context(), record("a"))
		time.Sleep(time.Second)
		if _, err := f.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		m := p.Metrics()
		near := func(what string, h producer.Histogram, n uint64, seconds float64) {
			t.Helper()
			if h.Count != n || h.Sum < seconds-1e-6 || h.Sum > seconds+1e-3 {
				t.Errorf("%s: %v s of %d, want %v of %d", what, h.Sum, h.Count, seconds, n)
			}
		}
		near("admission", m.AdmissionWait, 1, 2)
		near("queue", m.QueueTime, 1, 0.1)
		near("flight", m.InFlightTime, 1, 0.7)
		near("delivery", m.DeliveryTime, 1, 0.8)
		near("throttle", m.ThrottleWait, 0, 0)
		if m.Metadata.Waits != 1 || m.Metadata.WaitTime < 2*time.Second || m.Metadata.Age <= 0 || m.Metadata.Refreshes == 0 {
			t.Errorf("metadata: %+v, want one wait of 2 s", m.Metadata)
		}

		c.On(brokertest.Produce).Do(brokertest.Throttled(5 * time.Second))
		send(t, p, record("b"))
		send(t, p, record("c"))
		m = p.Metrics()
		near("under throttle", m.ThrottleWait, 1, 5)
		c.On(brokertest.Produce).Times(2).Do(brokertest.Error(protocol.NotEnoughReplicas))
		send(t, p, record("d"))
		if again := p.Metrics(); again.QueueTime.Count != 4 || again.InFlightTime.Count != 6 || again.DeliveryTime.Count != 4 {
			t.Errorf("4 batches, of which one was written 3 times: %d were in a queue, %d in flight, %d delivered; want 4, 6 and 4",
				again.QueueTime.Count, again.InFlightTime.Count, again.DeliveryTime.Count)
		}
		if b := m.Brokers[len(m.Brokers)-1]; b.Throttles != 1 || b.ThrottleTime != 5*time.Second {
			t.Errorf("the broker: %+v, want a throttling of 5 s", b)
		}
	})
}

// Who waits for room is counted while it waits, and its wait when it is over; and so is who gives up.
func TestWaitsForMemory(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
		p := start(t, c, func(cfg *producer.Config) {
			cfg.BufferMemory, cfg.BatchSize, cfg.MaxBlock = 64<<10, 16<<10, 3*time.Second
		})
		warm(t, p, "t")
		release := make(chan struct{})
		c.On(brokertest.Produce).Do(brokertest.Pass().Held(release))
		p.Send(t.Context(), record(strings.Repeat("a", 40_000)))
		synctest.Wait()
		ended := make(chan error)
		wait := func() {
			go func() {
				_, err := p.Send(t.Context(), record(strings.Repeat("b", 40_000))).Wait(t.Context())
				ended <- err
			}()
			time.Sleep(time.Second)
		}
		wait()
		if b := p.Metrics().Buffer; b.Waiters != 1 || b.Waits != 0 || b.Bytes < 40_000 || b.Limit != 64<<10 {
			t.Errorf("while one waits: %+v", b)
		}
		if err := <-ended; !errors.Is(err, producer.ErrBufferFull) {
			t.Fatalf("got %v, want ErrBufferFull", err)
		}
		if err := p.TrySend(record(strings.Repeat("b", 40_000)), nil); !errors.Is(err, producer.ErrBufferFull) {
			t.Fatalf("got %v, want ErrBufferFull", err)
		}
		wait()
		close(release)
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
		m := p.Metrics()
		if b := m.Buffer; b.Waiters != 0 || b.Waits != 2 || b.WaitTime != 4*time.Second || b.Exhausted != 2 {
			t.Errorf("after two waits: %+v, want 3 s and 1 s, and two records refused", b)
		}
		if m.AdmissionWait.Count != 2 || m.AdmissionWait.Sum != 4 {
			t.Errorf("admission: %d waits of %v s, want 2 of 4", m.AdmissionWait.Count, m.AdmissionWait.Sum)
		}
		if want := []producer.RefusalMetrics{{Reason: "buffer_full", Records: 2}}; fmt.Sprint(m.Refusals) != fmt.Sprint(want) {
			t.Errorf("refusals: %v, want %v", m.Refusals, want)
		}
		if all := javas(m); all["producer-metrics record-error-total"] != 2 || all["producer-metrics buffer-exhausted-total"] != 2 {
			t.Errorf("Java's record-error-total and buffer-exhausted-total: %v and %v, want 2",
				all["producer-metrics record-error-total"], all["producer-metrics buffer-exhausted-total"])
		}
	})
}

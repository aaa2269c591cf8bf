package faults_test

import (
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/epistle-kafka/epistle/integration/kafka"
	"github.com/epistle-kafka/epistle/producer"
)

// TestFaultOneBroker takes the only broker away under load, in every way, and gives it back. With the
// default settings the users of the producer never notice.
func TestFaultOneBroker(t *testing.T) {
	c := kafka.New(t, kafka.Options{})
	for _, fault := range []struct {
		name string
		do   func(*testing.T, *kafka.Cluster)
	}{
		{"killed and shut down", oneGone},
		{"killed, without idempotence", oneGoneWithoutIdempotence},
		{"killed, with little memory", oneGoneLittleMemory},
		{"frozen past request.timeout", oneFrozen},
		{"frozen past delivery.timeout", oneFrozenForLong},
		{"down at the start", oneDownAtStart},
	} {
		if !t.Run(fault.name, func(t *testing.T) { fault.do(t, c) }) {
			return // the broker may be in any state
		}
	}
}

func oneGone(t *testing.T, c *kafka.Cluster) {
	s := newSite(t, c, 3, 1, nil)
	l := s.load(s.config())
	for _, end := range []func(int) error{c.Kill, c.Stop} {
		do(t, end(0))
		l.backlog(warm)
		s.restart(0)
		l.progress(warm)
	}
	s.exactlyOnce(l, s.config().DeliveryTimeout)
}

// oneGoneWithoutIdempotence shows what is left of the promises with less than acks=all.
func oneGoneWithoutIdempotence(t *testing.T, c *kafka.Cluster) {
	leader := newSite(t, c, 3, 1, nil)
	acksLeader := leader.config()
	acksLeader.Acks, acksLeader.EnableIdempotence = producer.AcksLeader, false
	acksLeader.MaxInFlightRequestsPerConnection = 1
	one := leader.load(acksLeader)
	none := newSite(t, c, 3, 1, nil)
	acksNone := producer.AtMostOnce(servers(c)...)
	zero := none.load(acksNone)

	do(t, c.Kill(0))
	one.backlog(warm)
	leader.restart(0)
	one.progress(warm)
	survived := none.written()
	zero.await("records of acks=0 in the log again", func() bool { return none.written() >= survived+warm })

	// acks=1: as long as the leader keeps its log nothing that was acknowledged is lost, and with one
	// request in flight the order holds. What was sent again may be there twice.
	records := one.finish()
	noErrors(t, records)
	inTime(t, records, acksLeader.DeliveryTimeout)
	found := compare(records, leader.read())
	t.Logf("acks=1: %d records, %d of them twice", len(records), len(found.duplicated))
	found.duplicated = nil
	found.demandClean(t)

	// acks=0: records are lost without a word, but none is there twice, and the others are in order.
	records = zero.finish()
	inTime(t, records, acksNone.DeliveryTimeout) // they wait for the broker, like all others
	for _, r := range records {
		if r.err == nil && r.md.Offset != -1 {
			t.Fatalf("%v: an offset that nobody can know, want -1", r)
		}
	}
	found = compare(records, none.read())
	t.Logf("acks=0: %d records, %d failed, %d lost", len(records), zero.failed(), len(found.lost))
	found.lost = nil
	found.demandClean(t)
}

// oneGoneLittleMemory sends more during an outage than buffer.memory holds: Send waits, TrySend
// refuses, and the bound holds at every moment.
func oneGoneLittleMemory(t *testing.T, c *kafka.Cluster) {
	s := newSite(t, c, 3, 1, nil)
	cfg := s.config()
	cfg.BufferMemory = 256 << 10
	l := newLoad(t, s.topic, "key", cfg)
	l.padding = " " + strings.Repeat("x", 4<<10)
	most := watchMemory(t, l.producer)
	l.run()
	l.progress(warm)

	do(t, c.Kill(0))
	l.await("records wait for the broker", func() bool { return l.producer.Stats().BufferedBytes >= 64<<10 })
	l.await("TrySend refuses a record for want of memory", func() bool {
		// It would take nearly all of the memory, of which the load holds a part until the broker is back.
		err := l.producer.TrySend(producer.Record{Topic: s.topic, Value: make([]byte, 240<<10)}, nil)
		if err == nil {
			t.Error("TrySend found 240 KiB of room; the test meant the load to have filled the memory")
		}
		return errors.Is(err, producer.ErrBufferFull)
	})
	l.backlog(keysOfLoad) // every sender waits in Send
	s.restart(0)
	s.exactlyOnce(l, cfg.DeliveryTimeout)
	if got := most(); got > cfg.BufferMemory || got < cfg.BufferMemory/2 {
		t.Errorf("at most %d bytes were buffered, want more than half of buffer.memory and never above it: %d", got, cfg.BufferMemory)
	}
}

// watchMemory looks at BufferedBytes all the time; the function that it returns ends that and says
// the most that was seen.
func watchMemory(t *testing.T, p *producer.Producer) func() int64 {
	stop, seen := make(chan struct{}), make(chan int64, 1)
	go func() {
		var most int64
		for {
			select {
			case <-stop:
				seen <- most
				return
			case <-t.Context().Done():
				seen <- most
				return
			case <-time.After(200 * time.Microsecond):
				most = max(most, p.Stats().BufferedBytes)
			}
		}
	}()
	return func() int64 { close(stop); return <-seen }
}

// oneFrozen has the broker stand still for longer than a request may take, with every connection open.
// When it goes on it finds the first attempts in its sockets as well as the second ones.
func oneFrozen(t *testing.T, c *kafka.Cluster) {
	s := newSite(t, c, 3, 1, nil)
	cfg := s.config()
	cfg.RequestTimeout = time.Second
	l := s.load(manyBatches(cfg))
	for range 2 {
		do(t, c.Pause(0))
		time.Sleep(3 * cfg.RequestTimeout)
		do(t, c.Resume(0))
		l.progress(warm)
	}
	s.exactlyOnce(l, cfg.DeliveryTimeout)
}

// oneFrozenForLong has the broker stand still for longer than a record may take. Each record then ends
// in time, and says truly whether it may be in the log; the records after the freeze are delivered,
// under a new epoch wherever one with a number had been given up.
func oneFrozenForLong(t *testing.T, c *kafka.Cluster) {
	s := newSite(t, c, 3, 1, nil)
	cfg := s.config()
	cfg.RequestTimeout, cfg.DeliveryTimeout = time.Second, 3*time.Second
	l := s.load(manyBatches(cfg))
	do(t, c.Pause(0))
	frozen := time.Now()
	l.await("records of the freeze failed", func() bool { return l.failed() >= warm })
	if took := time.Since(frozen); took > cfg.DeliveryTimeout+5*time.Second {
		t.Errorf("the first records of the freeze failed after %s, want about %s", took, cfg.DeliveryTimeout)
	}
	do(t, c.Resume(0))
	l.progress(2 * warm)
	records := l.finish()
	inTime(t, records, cfg.DeliveryTimeout)
	s.clean(records)

	maybe := 0
	for _, r := range records {
		if r.err == nil {
			continue
		}
		if !errors.Is(r.err, producer.ErrDeliveryTimeout) {
			t.Fatalf("%v: want delivery.timeout", r)
		}
		var sent *producer.SendError
		if errors.As(r.err, &sent); sent == nil || (sent.Attempts > 0) != producer.MayBeWritten(r.err) {
			t.Fatalf("%v: MayBeWritten is %t; it may be in the log if it was sent, and only then", r, producer.MayBeWritten(r.err))
		}
		if sent.Attempts > 0 {
			maybe++
		}
	}
	if maybe == 0 {
		t.Error("no record that failed had been sent: the freeze was not felt")
	}
	s.newEpochs(l)
	t.Logf("%d records, %d failed, %d of them after they were sent; %s for the slowest",
		len(records), l.failed(), maybe, slowest(records).Round(time.Millisecond))
}

// newEpochs demands that epochs only rise in each partition, by one producer ID, and that they did.
func (s *site) newEpochs(l *load) {
	s.t.Helper()
	raised := false
	for partition, records := range s.read() {
		for i, r := range records {
			if i == 0 {
				continue
			}
			before := records[i-1]
			if r.ProducerID != before.ProducerID || r.ProducerEpoch < before.ProducerEpoch {
				s.t.Errorf("partition %d: producer %d/%d at offset %d after %d/%d", partition,
					r.ProducerID, r.ProducerEpoch, r.Offset, before.ProducerID, before.ProducerEpoch)
			}
			raised = raised || r.ProducerEpoch > before.ProducerEpoch
		}
	}
	if !raised {
		s.t.Error("no partition took a new epoch, though records with numbers were given up")
	}
}

// oneDownAtStart begins without any broker, and with a bootstrap list whose first server never comes.
func oneDownAtStart(t *testing.T, c *kafka.Cluster) {
	s := newSite(t, c, 3, 1, nil)
	do(t, c.Kill(0))

	impatient := s.config()
	impatient.MaxBlock = 500 * time.Millisecond
	short := newLoad(t, s.topic, "impatient", impatient)
	short.send(short.keys[0])
	refused := short.records[0]
	var admission *producer.AdmissionError
	if !errors.As(refused.err, &admission) || !errors.Is(refused.err, producer.ErrMaxBlock) || producer.MayBeWritten(refused.err) {
		t.Errorf("without a broker Send ended with %v, want that it was not taken within max.block", refused.err)
	}
	if text := refused.err.Error(); !strings.Contains(text, "refused") || !strings.Contains(text, c.Address(0)) {
		t.Errorf("the error is %q, want the broker and why it cannot be reached in it", text)
	}

	cfg := producer.DefaultConfig(deadAddress(t), c.Address(0))
	l := newLoad(t, s.topic, "key", cfg)
	if err := l.producer.TrySend(producer.Record{Topic: s.topic}, nil); !errors.Is(err, producer.ErrTopicNotLoaded) {
		t.Errorf("TrySend without a broker gave %v, want %v", err, producer.ErrTopicNotLoaded)
	}
	l.run()
	l.backlog(keysOfLoad)
	s.restart(0)
	l.progress(warm)
	records := l.finish()
	noErrors(t, records)
	s.clean(append(records, refused))
}

// deadAddress is one of this machine where nobody listens.
func deadAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	do(t, err)
	defer listener.Close()
	return listener.Addr().String()
}

// TestFaultProducerStateExpires has the broker forget an idle producer, as it does after a day by
// default. What is sent afterwards is delivered as if nothing had been.
func TestFaultProducerStateExpires(t *testing.T) {
	c := kafka.New(t, kafka.Options{Config: map[string]string{
		"producer.id.expiration.ms":                "1500",
		"producer.id.expiration.check.interval.ms": "250",
	}})
	s := newSite(t, c, 3, 1, nil)
	l := s.load(s.config())
	for range 2 {
		l.finish()
		if !eventually(t, patience, func() bool { return s.producers() == 0 }) {
			t.Fatalf("the broker still remembers %d producers", s.producers())
		}
		l.run()
		l.progress(warm)
	}
	records := l.finish()
	noErrors(t, records)
	s.clean(records)
}

// producers is how many producers the brokers remember, counted by partition.
func (s *site) producers() int {
	s.t.Helper()
	var topics kadm.TopicsSet
	topics.Add(s.topic, 0, 1, 2)
	described, err := s.admin.Client().DescribeProducers(s.t.Context(), topics)
	do(s.t, err)
	n := 0
	for _, topic := range described {
		for _, p := range topic.Partitions {
			do(s.t, p.Err)
			n += len(p.ActiveProducers)
		}
	}
	return n
}

package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/epistle-kafka/epistle/bench/driver"
	"github.com/epistle-kafka/epistle/protocol"
)

const maxRequest = 1 << 20 // bytes

// A target is where the records of a partition go.
type target struct {
	broker    *broker
	partition int32
	local     int   // its index among the broker's partitions
	sequence  int32 // of the next batch
}

// A broker is one connection and the requests for it.
type broker struct {
	conn    net.Conn
	version int16 // of Produce

	clientID   string
	producerID int64
	targets    []*target
	enough     int // bytes of a request that is to be sent

	building *request
	free     chan *request
	inFlight chan *request
	failed   chan error // what ended the reader

	correlation int32
	scratch     []byte
	bufs        [][]byte
	produce     protocol.ProduceRequest
	chunks      [][1][]byte
}

// A request is the batches of one, and the buffers that they are built in.
type request struct {
	batches []batch // by index of the broker's partitions
	touched []int   // which have records
	size    int     // bytes of records
	due     []time.Duration
}

// append returns the size of the batch that the record went to.
func (b *broker) append(t *target, key, value []byte) int {
	r := b.building
	batch := &r.batches[t.local]
	if batch.count == 0 {
		batch.open()
		r.touched = append(r.touched, t.local)
	}
	before := len(batch.buf)
	batch.append(key, value)
	r.size += len(batch.buf) - before
	return len(batch.buf)
}

// send writes the request that is being built, once there is a place in flight for it.
func (b *broker) send(l *limit) error {
	r := b.building
	var next *request // there is one more than may be in flight: with it in hand, r may go
	select {
	case next = <-b.free:
	case err := <-b.failed:
		return err
	}
	now := time.Now().UnixMilli()
	partitions := b.produce.Topics[0].Partitions[:0]
	for i, local := range r.touched {
		t, batch := b.targets[local], &r.batches[local]
		count := batch.count
		if err := batch.seal(l.packer, b.producerID, t.sequence, now); err != nil {
			return err
		}
		batch.count = 0
		t.sequence = (t.sequence + count) & (1<<31 - 1)
		b.chunks[i][0] = batch.buf
		partitions = append(partitions, protocol.ProducePartition{Index: t.partition, Records: b.chunks[i][:]})
	}
	b.produce.Topics[0].Partitions = partitions
	b.correlation++
	h := protocol.RequestHeader{Version: b.version, CorrelationID: b.correlation, ClientID: &b.clientID}
	b.scratch, b.bufs, _ = protocol.FrameRequest(b.scratch[:0], b.bufs[:0], h, &b.produce)
	b.inFlight <- r
	bufs := net.Buffers(b.bufs)
	if _, err := bufs.WriteTo(b.conn); err != nil {
		return err
	}
	b.building = next
	return nil
}

// finish sends what is left and returns when all is answered.
func (b *broker) finish(l *limit) error {
	if b.building.size > 0 {
		if err := b.send(l); err != nil {
			return err
		}
	}
	var idle []*request
	for range cap(b.free) - 1 { // all but the one that is being built
		select {
		case r := <-b.free:
			idle = append(idle, r)
		case err := <-b.failed:
			return err
		}
	}
	for _, r := range idle {
		b.free <- r
	}
	return nil
}

// readAnswers ends the oldest request in flight with each answer.
func (b *broker) readAnswers(l *limit) {
	in := bufio.NewReaderSize(b.conn, 64<<10)
	var resp protocol.ProduceResponse
	var frame []byte
	for r := range b.inFlight {
		if err := readAnswer(in, &frame, b.version, &resp); err != nil {
			b.failed <- err
			return
		}
		for _, t := range resp.Topics {
			for _, p := range t.Partitions {
				if p.ErrorCode != protocol.NoError {
					b.failed <- fmt.Errorf("partition %d: %w", p.Index, p.ErrorCode)
					return
				}
			}
		}
		now := time.Since(l.began)
		for _, due := range r.due {
			l.latency.Add((now - due).Microseconds())
		}
		r.touched, r.due, r.size = r.touched[:0], r.due[:0], 0
		b.free <- r
	}
}

func readAnswer(in io.Reader, frame *[]byte, version int16, resp protocol.Response) error {
	var size [4]byte
	if _, err := io.ReadFull(in, size[:]); err != nil {
		return err
	}
	n := int(binary.BigEndian.Uint32(size[:]))
	if cap(*frame) < n {
		*frame = make([]byte, n)
	}
	if _, err := io.ReadFull(in, (*frame)[:n]); err != nil {
		return err
	}
	_, err := protocol.DecodeResponse((*frame)[:n], version, resp)
	return err
}

// ask sends one request and reads its answer.
func ask(c net.Conn, version int16, req protocol.Request, resp protocol.Response) error {
	id := "limit"
	frame := protocol.AppendRequest(nil, protocol.RequestHeader{Version: version, ClientID: &id}, req)
	if _, err := c.Write(frame); err != nil {
		return err
	}
	var answer []byte
	return readAnswer(c, &answer, version, resp)
}

// connect finds the leaders of the topic's partitions and opens a connection to each. Versions are those that every Kafka from
// 2.8 on has; names, not ids, tell the topic.
func (l *limit) connect() error {
	boot, err := net.Dial("tcp", strings.Split(l.o.Bootstrap, ",")[0])
	if err != nil {
		return err
	}
	defer boot.Close()
	var identity protocol.InitProducerIDResponse
	if err := ask(boot, 4, &protocol.InitProducerIDRequest{ProducerID: -1, ProducerEpoch: -1, TransactionTimeout: time.Minute}, &identity); err != nil {
		return err
	}
	req := &protocol.MetadataRequest{Topics: []protocol.MetadataRequestTopic{{Name: &l.o.Topic}}, AllowAutoTopicCreation: true}
	var cluster protocol.MetadataResponse
	if err := ask(boot, 9, req, &cluster); err != nil {
		return err
	}
	if len(cluster.Topics) != 1 || cluster.Topics[0].ErrorCode != protocol.NoError {
		return fmt.Errorf("topic %s cannot be looked up: %v", l.o.Topic, cluster.Topics)
	}
	dial := (&net.Dialer{}).DialContext
	if n := l.o.Set.Int("send.buffer.bytes", 0); n > 0 {
		dial = driver.DialWithBuffer(n)
	}
	byNode := map[int32]*broker{}
	for _, node := range cluster.Brokers {
		c, err := dial(context.Background(), "tcp", net.JoinHostPort(node.Host, fmt.Sprint(node.Port)))
		if err != nil {
			return err
		}
		b := &broker{conn: c, version: 9, clientID: l.o.ClientID, producerID: identity.ProducerID}
		byNode[node.NodeID] = b
		l.brokers = append(l.brokers, b)
	}
	l.partitions = make([]target, len(cluster.Topics[0].Partitions))
	for _, p := range cluster.Topics[0].Partitions {
		b := byNode[p.LeaderID]
		if b == nil {
			return fmt.Errorf("partition %d has no leader", p.PartitionIndex)
		}
		l.partitions[p.PartitionIndex] = target{broker: b, partition: p.PartitionIndex, local: len(b.targets)}
		b.targets = append(b.targets, &l.partitions[p.PartitionIndex])
	}
	for _, b := range l.brokers {
		b.start(l)
	}
	return nil
}

func (b *broker) start(l *limit) {
	b.enough = min(l.o.Batch*len(b.targets), maxRequest-(64+100*len(b.targets)))
	b.chunks = make([][1][]byte, len(b.targets))
	b.produce = protocol.ProduceRequest{Acks: -1, Timeout: 30 * time.Second, Topics: []protocol.ProduceTopic{{Name: l.o.Topic}}}
	// One more than in flight: it is built meanwhile.
	b.free = make(chan *request, l.o.InFlight+1)
	b.inFlight = make(chan *request, l.o.InFlight)
	b.failed = make(chan error, 1)
	for range l.o.InFlight + 1 {
		b.free <- &request{batches: make([]batch, len(b.targets))}
	}
	b.building = <-b.free
	go b.readAnswers(l)
}

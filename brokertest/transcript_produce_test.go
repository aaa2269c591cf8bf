package brokertest

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"
	"time"

	"github.com/epistle-kafka/epistle/protocol"
)

// produceTo sends bytes as the records of one partition, and notes the answer under a title.
func (c *conversation) produceTo(title, topic string, index int32, version, acks int16, records []byte) {
	c.t.Helper()
	m := &protocol.ProduceRequest{Acks: acks, Timeout: 10 * time.Second, Topics: []protocol.ProduceTopic{{
		Name: topic, TopicID: c.ids[topic], Partitions: []protocol.ProducePartition{{Index: index, Records: [][]byte{records}}},
	}}}
	c.produceRequest(title, version, m)
}

func (c *conversation) produceRequest(title string, version int16, m *protocol.ProduceRequest) {
	c.t.Helper()
	resp := &protocol.ProduceResponse{}
	if !c.try(version, m, resp) {
		c.notef("%s: %s", title, c.lost)
		return
	}
	for _, t := range resp.Topics {
		for _, p := range t.Partitions {
			c.notef("%s: %s offset %d time %s start %d message %s leader %t endpoints %d", title, p.ErrorCode.Name(), p.BaseOffset,
				c.when(p.LogAppendTime), p.LogStartOffset, text(p.ErrorMessage), p.CurrentLeader.LeaderID >= 0, len(resp.NodeEndpoints))
			for _, e := range p.RecordErrors {
				c.notef("  record %d: %s", e.BatchIndex, text(e.Message))
			}
		}
	}
}

// then is a time that tests give their batches: constant in the transcript, and recent.
func (c *conversation) then() time.Time { return c.began.Add(-time.Minute) }

// when tells a timestamp of this conversation so that it is the same in another.
func (c *conversation) when(ms int64) string {
	switch now := time.Now().UnixMilli(); {
	case ms == c.then().UnixMilli():
		return "of the batch"
	case ms >= c.began.UnixMilli()-1000 && ms <= now+1000:
		return "now"
	}
	return fmt.Sprint(ms)
}

func (c *conversation) plain(values ...string) batch {
	b := plainBatch(values...)
	b.at = c.then()
	return b
}

func (c *conversation) produces() {
	ok := c.plain("a", "b").bytes(c.t)
	for v := int16(3); v <= 13; v++ {
		c.produceTo(fmt.Sprintf("v%d", v), "plain", 0, v, -1, ok)
	}
	for v := range int16(3) {
		m := c.tryFrame(rawFrame(Produce, v, 0xff, 0xff, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0), 3, &protocol.ProduceResponse{})
		c.notef("v%d: answered %t", v, m)
	}
	c.produceTo("acks=1", "plain", 0, 13, 1, ok)
	c.produceTo("acks=2", "plain", 0, 13, 2, ok)
	c.produceTo("acks=-2", "plain", 0, 13, -2, ok)
	c.produceTo("acks=2, and a bad batch", "plain", 0, 13, 2, []byte{1, 2, 3})

	c.ids["missing"] = protocol.UUID{1, 2, 3}
	for _, v := range []int16{7, 9, 12, 13} {
		c.produceTo(fmt.Sprintf("no such topic v%d", v), "missing", 0, v, -1, ok)
		c.produceTo(fmt.Sprintf("no such partition v%d", v), "plain", 7, v, -1, ok)
		c.produceTo(fmt.Sprintf("partition -1 v%d", v), "plain", -1, v, -1, ok)
	}
	c.produceTo("no such topic, and a bad batch", "missing", 0, 13, -1, []byte{1})
	c.produceTo("illegal name", "bad name", 0, 12, -1, ok)

	c.produceTo("201 bytes where 200 are allowed", "small", 0, 13, -1, c.sized(201))
	c.produceTo("200 bytes", "small", 0, 13, -1, c.sized(200))
	c.produceTo("too few replicas", "safe", 0, 13, -1, ok)
	c.produceTo("too few replicas, acks=1", "safe", 0, 13, 1, ok)
	c.produceTo("time of append", "appendtime", 0, 13, -1, ok)

	c.produceZero("acks=0", "plain", ok)
	c.produceZero("acks=0, bad CRC", "plain", corrupt(ok))
	c.produceZero("acks=0, no such topic", "missing", ok)

	c.produceRequest("no topics", 13, &protocol.ProduceRequest{Acks: -1, Timeout: time.Second})
}

// sized is a batch of that many bytes.
func (c *conversation) sized(bytes int) []byte {
	for n := range bytes {
		if b := c.plain(string(make([]byte, n))).bytes(c.t); len(b) == bytes {
			return b
		}
	}
	panic("no batch has that size")
}

// produceZero sends a batch with acks=0, and notes whether the connection lives on.
func (c *conversation) produceZero(title, topic string, records []byte) {
	c.t.Helper()
	c.next++
	c.conn.Write(protocol.AppendRequest(nil, protocol.RequestHeader{Version: 13, CorrelationID: c.next}, &protocol.ProduceRequest{
		Timeout: time.Second, Topics: []protocol.ProduceTopic{{
			Name: topic, TopicID: c.ids[topic], Partitions: []protocol.ProducePartition{{Records: [][]byte{records}}},
		}},
	}))
	c.notef("%s: connection lives on %t", title, c.try(12, &protocol.MetadataRequest{Topics: []protocol.MetadataRequestTopic{}}, &protocol.MetadataResponse{}))
}

func corrupt(b []byte) []byte {
	b = append([]byte(nil), b...)
	b[len(b)-1] ^= 1
	return b
}

// reseal returns a batch changed by f, with a CRC that fits.
func reseal(b []byte, f func(b []byte)) []byte {
	b = append([]byte(nil), b...)
	f(b)
	binary.BigEndian.PutUint32(b[17:], crc32.Checksum(b[21:], castagnoli))
	return b
}

func (c *conversation) badBatches() {
	send := func(title string, records []byte) {
		c.t.Helper()
		c.produceTo(title, "plain", 0, 13, -1, records)
	}
	changed := func(title string, f func(h *protocol.BatchHeader)) {
		c.t.Helper()
		b := c.plain("a", "b")
		b.change = f
		send(title, b.bytes(c.t))
	}
	ok := c.plain("a", "b").bytes(c.t)
	send("empty", []byte{})
	send("three bytes", []byte{1, 2, 3})
	send("header alone", ok[:61])
	send("cut short", ok[:len(ok)-1])
	send("one byte more", append(append([]byte(nil), ok...), 0))
	send("twenty zeros more", append(append([]byte(nil), ok...), make([]byte, 20)...))
	send("two batches", append(append([]byte(nil), ok...), ok...))
	send("bad CRC", corrupt(ok))
	send("magic 1", reseal(ok, func(b []byte) { b[16] = 1 }))
	send("magic 3", reseal(ok, func(b []byte) { b[16] = 3 }))
	send("length 10", reseal(ok, func(b []byte) { binary.BigEndian.PutUint32(b[8:], 10) }))
	send("length 20", reseal(ok, func(b []byte) { binary.BigEndian.PutUint32(b[8:], 20) }))
	send("codec 5", reseal(ok, func(b []byte) { b[22] = 5 }))
	send("says it is gzip", reseal(ok, func(b []byte) { b[22] = 1 }))
	changed("base offset 5", func(h *protocol.BatchHeader) { h.BaseOffset = 5 })
	changed("leader epoch 9", func(h *protocol.BatchHeader) { h.PartitionLeaderEpoch = 9 })
	changed("count 3 of 2", func(h *protocol.BatchHeader) { h.Count, h.LastOffsetDelta = 3, 2 })
	changed("count 1 of 2", func(h *protocol.BatchHeader) { h.Count, h.LastOffsetDelta = 1, 0 })
	changed("count 0", func(h *protocol.BatchHeader) { h.Count, h.LastOffsetDelta = 0, -1 })
	changed("count and last offset differ", func(h *protocol.BatchHeader) { h.LastOffsetDelta = 7 })
	changed("control", func(h *protocol.BatchHeader) { h.Control = true })
	changed("time of append set", func(h *protocol.BatchHeader) { h.LogAppendTime = true })
	changed("producer without sequence", func(h *protocol.BatchHeader) { h.ProducerID, h.ProducerEpoch = 5, 0 })
	changed("producer without epoch", func(h *protocol.BatchHeader) { h.ProducerID, h.BaseSequence = 5, 0 })
	changed("transactional without ID", func(h *protocol.BatchHeader) { h.Transactional = true })
	changed("wrong latest time", func(h *protocol.BatchHeader) { h.MaxTimestamp += 1e6 })
	changed("no time", func(h *protocol.BatchHeader) { h.BaseTimestamp, h.MaxTimestamp = -1, -1 })
	changed("time -5", func(h *protocol.BatchHeader) { h.BaseTimestamp, h.MaxTimestamp = -5, -5 })

	c.badRecords()
}

// badRecords are in batches that look sound.
func (c *conversation) badRecords() {
	send := func(title string, records []byte) {
		c.t.Helper()
		c.produceTo(title, "plain", 0, 13, -1, records)
	}
	record := func(o int32) []byte {
		r := protocol.Record{OffsetDelta: o, Value: []byte("x")}
		return r.Append(nil, r.BodySize())
	}
	send("offsets 1, 0", c.raw(protocol.CodecNone, 2, record(1), record(0)))
	send("offsets 1, 0, in gzip", c.raw(protocol.CodecGzip, 2, record(1), record(0)))
	send("bytes after the records", c.raw(protocol.CodecNone, 1, record(0), []byte{0}))
	send("record with a header of no key", c.raw(protocol.CodecNone, 1, []byte{2 * 8, 0, 0, 0, 1, 1, 2, 1, 1}))
	for _, codec := range []protocol.Codec{protocol.CodecGzip, protocol.CodecSnappy, protocol.CodecLZ4, protocol.CodecZstd} {
		b := c.plain("a", "b", "c")
		b.codec = codec
		c.produceTo(codec.String(), "plain", 0, 13, -1, b.bytes(c.t))
		c.produceTo(codec.String()+" v6", "plain", 0, 6, -1, b.bytes(c.t))
	}

	keyless := c.plain("a", "b")
	keyless.keyless = true
	for _, v := range []int16{7, 8, 13} {
		c.produceTo(fmt.Sprintf("no key v%d", v), "compacted", 0, v, -1, keyless.bytes(c.t))
	}
	old := plainBatch("a")
	old.at = time.UnixMilli(1)
	c.produceTo("old", "plain", 0, 13, -1, old.bytes(c.t))
	// Its text has the broker's clock in it.
	for _, b := range []batch{{at: c.then()}, {at: c.began.Add(3 * time.Hour)}} {
		b.pid, b.epoch, b.sequence, b.values = -1, -1, -1, []string{"a", "b"}
		topic := "recent"
		if b.at.After(c.began) {
			topic = "plain"
		}
		resp := &protocol.ProduceResponse{}
		c.try(12, produceRequestTo(topic, b.bytes(c.t)), resp)
		p := resp.Topics[0].Partitions[0]
		c.notef("time off by %v: %s start %d message %s, %d record errors", b.at.Sub(c.began), p.ErrorCode.Name(), p.LogStartOffset, text(p.ErrorMessage), len(p.RecordErrors))
	}
}

func produceRequestTo(topic string, records []byte) *protocol.ProduceRequest {
	return &protocol.ProduceRequest{Acks: -1, Timeout: time.Second, Topics: []protocol.ProduceTopic{{
		Name: topic, Partitions: []protocol.ProducePartition{{Records: [][]byte{records}}},
	}}}
}

// raw is a batch of records that are given as bytes.
func (c *conversation) raw(codec protocol.Codec, count int32, records ...[]byte) []byte {
	z, err := protocol.NewCompressor(codec, protocol.LevelDefault)
	if err != nil {
		c.t.Fatal(err)
	}
	var all []byte
	for _, r := range records {
		all = append(all, r...)
	}
	if codec != protocol.CodecNone {
		if all, err = z.Compress(nil, [][]byte{all}); err != nil {
			c.t.Fatal(err)
		}
	}
	h := protocol.BatchHeader{
		Length: int32(49 + len(all)), PartitionLeaderEpoch: -1, Codec: codec, LastOffsetDelta: count - 1, Count: count,
		BaseTimestamp: c.then().UnixMilli(), MaxTimestamp: c.then().UnixMilli(), ProducerID: -1, ProducerEpoch: -1, BaseSequence: -1,
	}
	b := append(make([]byte, 61), all...)
	h.Put(b)
	protocol.PutBatchCRC([][]byte{b})
	return b
}

func (c *conversation) sequences() {
	send := func(title string, pid int64, epoch int16, sequence int32, n int) {
		c.t.Helper()
		b := batch{pid: 1_000_000 + pid, epoch: epoch, sequence: sequence, values: make([]string, n), at: c.then()}
		c.produceTo(title, "sequences", 0, 13, -1, b.bytes(c.t))
	}
	send("first at 7", 1, 0, 7, 2)
	send("then at 9", 1, 0, 9, 1)
	send("again at 7", 1, 0, 7, 2)
	send("again at 9", 1, 0, 9, 1)
	send("at 7 with one record", 1, 0, 7, 1)
	send("a gap", 1, 0, 11, 1)
	send("next at 10", 1, 0, 10, 1)
	send("epoch 1 at 11", 1, 1, 11, 1)
	send("epoch 1 at 0", 1, 1, 0, 1)
	send("epoch 1 at 0 again", 1, 1, 0, 1)
	send("epoch 0 at 11", 1, 0, 11, 1)
	send("epoch 0 at 10, a duplicate once", 1, 0, 10, 1)
	send("epoch 3 at 0", 1, 3, 0, 1)
	for i := range int32(7) {
		send(fmt.Sprintf("producer 2 at %d", i), 2, 0, i, 1)
	}
	send("producer 2 at 2 again", 2, 0, 2, 1)
	send("producer 2 at 1 again", 2, 0, 1, 1)
	send("producer 2 at 2 and 3 in one", 2, 0, 2, 2)
	send("producer 3 near the end", 3, 0, math.MaxInt32-1, 2)
	send("producer 3 at 0", 3, 0, 0, 2)
	send("producer 3 at 0 again", 3, 0, 0, 2)
	send("producer 4 across the end", 4, 5, math.MaxInt32-1, 4)
	send("producer 4 across the end again", 4, 5, math.MaxInt32-1, 4)
	send("producer 4 at 2", 4, 5, 2, 1)
	dup := batch{pid: 1_000_005, values: []string{"a"}, at: c.then()}
	c.produceTo("time of append", "appendtime", 0, 13, -1, dup.bytes(c.t))
	c.produceTo("time of append, again", "appendtime", 0, 13, -1, dup.bytes(c.t))
}

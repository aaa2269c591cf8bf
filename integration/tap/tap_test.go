package tap

import (
	"encoding/binary"
	"io"
	"net"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// A broker that answers each request, and counts those to produce.
type broker struct {
	net.Listener
	produced atomic.Int64
}

func newBroker(t *testing.T) *broker {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	do(t, err)
	t.Cleanup(func() { _ = l.Close() }) // it serves nobody any more
	b := &broker{Listener: l}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go b.serve(conn)
		}
	}()
	return b
}

func (b *broker) serve(conn net.Conn) {
	defer conn.Close()
	for {
		var size [4]byte
		if _, err := io.ReadFull(conn, size[:]); err != nil {
			return
		}
		frame := make([]byte, binary.BigEndian.Uint32(size[:]))
		if _, err := io.ReadFull(conn, frame); err != nil {
			return
		}
		answer := append([]byte(nil), frame[4:8]...) // the correlation id
		if binary.BigEndian.Uint16(frame) == uint16(kmsg.Produce) {
			b.produced.Add(1)
			r := kmsg.NewPtrProduceResponse()
			r.SetVersion(version)
			topic, partition := kmsg.NewProduceResponseTopic(), kmsg.NewProduceResponseTopicPartition()
			topic.Topic, topic.Partitions = "orders", append(topic.Partitions, partition)
			r.Topics = append(r.Topics, topic)
			answer = r.AppendTo(append(answer, 0))
		}
		if _, err := conn.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(answer))), answer...)); err != nil {
			return
		}
	}
}

const version = 11 // of Produce

// patience is how long anything here may take.
const patience = 15 * time.Second

func do(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// A session is a connection of a client's.
type session struct {
	*testing.T
	*net.TCPConn
	correlation int32
	wrote       int64
}

func dial(t *testing.T, w *Wire) *session {
	t.Helper()
	conn, err := net.Dial("tcp", w.Bootstrap()[0])
	do(t, err)
	t.Cleanup(func() { _ = conn.Close() }) // the test may have closed it
	do(t, conn.SetReadDeadline(time.Now().Add(patience)))
	return &session{T: t, TCPConn: conn.(*net.TCPConn)}
}

func (s *session) ask(r kmsg.Request) {
	s.Helper()
	s.correlation++
	frame := kmsg.NewRequestFormatter(kmsg.FormatterClientID("client")).AppendRequest(nil, r, s.correlation)
	n, err := s.Write(frame)
	do(s.T, err)
	s.wrote += int64(n)
}

// produce sends a batch of three records, of 100 bytes in all, that has this sequence.
func (s *session) produce(sequence int32) {
	s.Helper()
	batch := make([]byte, 100)
	binary.BigEndian.PutUint32(batch[atLength:], 100-12)
	binary.BigEndian.PutUint32(batch[atSequence:], uint32(sequence))
	binary.BigEndian.PutUint32(batch[atRecords:], 3)
	r := kmsg.NewPtrProduceRequest()
	r.SetVersion(version)
	r.Acks = -1
	topic, partition := kmsg.NewProduceRequestTopic(), kmsg.NewProduceRequestTopicPartition()
	partition.Records = batch
	topic.Topic, topic.Partitions = "orders", append(topic.Partitions, partition)
	r.Topics = append(r.Topics, topic)
	s.ask(r)
}

func (s *session) metadata() {
	s.Helper()
	r := kmsg.NewPtrMetadataRequest()
	r.SetVersion(9)
	s.ask(r)
}

// answer reads one, and its size with the length.
func (s *session) answer() int64 {
	s.Helper()
	var size [4]byte
	_, err := io.ReadFull(s, size[:])
	do(s.T, err)
	n, err := io.CopyN(io.Discard, s, int64(binary.BigEndian.Uint32(size[:])))
	do(s.T, err)
	return 4 + n
}

// ends demands the end of the connection, and nothing before it, and closes it.
func (s *session) ends() {
	s.Helper()
	if rest, err := io.ReadAll(s); err != nil || len(rest) > 0 {
		s.Errorf("%d bytes come before the end, %v", len(rest), err)
	}
	do(s.T, s.Close())
}

func start(t *testing.T) (*Wire, *broker) {
	t.Helper()
	b, w := newBroker(t), New()
	w.Front(b.Addr().String())
	t.Cleanup(func() { _ = w.Close() }) // its connections may have ended
	return w, b
}

// await waits until something is so.
func await(t *testing.T, what string, so func() bool) {
	t.Helper()
	for began := time.Now(); !so(); time.Sleep(time.Millisecond) {
		if time.Since(began) > patience {
			t.Fatalf("%v have passed, and the test waits for %s", patience, what)
		}
	}
}

// settled is what was counted once the client is seen to have closed its connections.
func settled(t *testing.T, w *Wire) *Counts {
	t.Helper()
	await(t, "the client's connections to be closed", func() bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		return !slices.ContainsFunc(w.conns, func(c *conn) bool { return !c.closed })
	})
	return w.Of("client")
}

// What passes is counted, to the byte, in both directions.
func TestWhatPassesIsCounted(t *testing.T) {
	w, b := start(t)
	s := dial(t, w)
	s.metadata()
	read := s.answer()
	s.produce(0)
	read += s.answer()
	do(t, s.Close())
	c := settled(t, w)
	topic := c.Topics["orders"]
	if c.Written != s.wrote || c.Read != read || c.Requests["Metadata"] != 1 || c.Requests["Produce"] != 1 || c.Answers["Produce"] != 1 || c.Connections != 1 {
		t.Errorf("%+v, want %d bytes written and %d read", c, s.wrote, read)
	}
	if topic.Records != 3 || topic.Batches != 1 || topic.Bytes != 100 || topic.Again != 0 || topic.LoggedRecords != 3 || topic.LoggedBytes != 100 || b.produced.Load() != 1 {
		t.Errorf("%+v", topic)
	}
}

// A request that is cut off does not arrive. What the client has written behind it is counted all the same.
func TestWhatIsCutOffIsCounted(t *testing.T) {
	w, b := start(t)
	w.Strike("client", 0, Cut)
	s := dial(t, w)
	s.produce(0)
	s.produce(3)
	s.metadata()
	s.ends()
	c := settled(t, w)
	if topic := c.Topics["orders"]; c.Written != s.wrote || c.Read != 0 || topic.Records != 6 || topic.LoggedRecords != 0 || c.Requests["Metadata"] != 1 || b.produced.Load() != 0 {
		t.Errorf("%+v, %+v; the broker has %d", c, topic, b.produced.Load())
	}
}

// A request whose answer is lost arrives. When it comes again its records count again, and are in the log once.
func TestWhatComesAgain(t *testing.T) {
	w, b := start(t)
	w.Strike("client", 0, Lose)
	s := dial(t, w)
	s.produce(0)
	s.ends()
	again := dial(t, w)
	again.produce(0)
	again.answer()
	do(t, again.Close())
	c := settled(t, w)
	if topic := c.Topics["orders"]; c.Written != s.wrote+again.wrote || topic.Records != 6 || topic.Again != 3 || topic.LoggedRecords != 3 || b.produced.Load() != 2 || c.Connections != 2 || c.Unanswered != 1 {
		t.Errorf("%+v, %+v; the broker has %d", c, topic, b.produced.Load())
	}
}

// What is swallowed does not arrive, nor does anything behind it, and nothing comes back. Once that is lifted the connection ends.
func TestWhatIsSwallowed(t *testing.T) {
	w, b := start(t)
	w.Silence("client", 0)
	s := dial(t, w)
	s.metadata()
	s.answer()
	s.produce(0)
	s.metadata()
	await(t, "both requests to have come", func() bool { return w.Of("client").Requests["Metadata"] == 2 })
	w.Lift("client")
	if rest, err := io.ReadAll(s); err != nil || len(rest) > 0 {
		t.Errorf("%d bytes come before the end, %v", len(rest), err)
	}
	if n := w.Ending("client"); n != 1 {
		t.Errorf("%d connections end, and the client has yet to close one", n)
	}
	do(t, s.Close())
	next := dial(t, w)
	next.produce(0)
	next.answer()
	do(t, next.Close())
	if c := settled(t, w); c.Topics["orders"].Again != 3 || c.Topics["orders"].LoggedRecords != 3 || b.produced.Load() != 1 {
		t.Errorf("%+v; the broker has %d", c.Topics["orders"], b.produced.Load())
	}
	if n := w.Ending("client"); n != 0 {
		t.Errorf("%d connections end, and the client has closed all", n)
	}
}

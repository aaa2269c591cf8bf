package metrics

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/epistle-kafka/epistle/producer"
)

// A message is what both clients send. The first eight bytes of its value are its number, which each client puts there: number n
// is messages[n%len(messages)].
type message struct {
	partition  int32 // -1: the key's
	timestamp  time.Time
	key, value []byte
}

// What is where among the messages.
const (
	regular    = 64 // the first of them: with keys or partitions, of many sizes
	single     = regular
	largeThere = regular + 1 // too large for the topic "small"
	largeHere  = regular + 2 // too large for max.request.size
	noisy      = regular + 3 // the first of some that no codec makes smaller
	noisyLast  = noisy + 8
	stride     = noisyLast
)

const (
	smallTopic     = 10_000 // max.message.bytes of the topic "small"
	maxRequestSize = 1 << 20
)

// newMessages makes them. Their timestamps are given, so that both clients write the same bytes.
func newMessages() (all []message) {
	now := time.UnixMilli(time.Now().UnixMilli())
	random := rand.NewChaCha8([32]byte{'m'})
	noise := func(size int) []byte {
		b := make([]byte, size)
		random.Read(b)
		return b
	}
	for i := range regular {
		m := message{partition: -1, key: fmt.Appendf(nil, "customer-%d", i), value: []byte(strings.Repeat("tea, two cups; ", 1+i))}
		if i%4 == 3 {
			m.partition, m.key = int32(i%partitions), nil
		}
		all = append(all, m)
	}
	all = append(all, message{value: []byte("a single one")}, message{value: noise(2 * smallTopic)}, message{value: noise(2 * maxRequestSize)})
	for range noisyLast - noisy {
		all = append(all, message{value: noise(3000)})
	}
	for i := range all {
		all[i].timestamp = now.Add(time.Duration(i) * time.Millisecond)
	}
	return all
}

// write puts them where the client in Java finds them: how many, and of each the partition, the time, the key and the value, with
// their lengths.
func write(file string, messages []message) error {
	var b bytes.Buffer
	put := func(v any) { _ = binary.Write(&b, binary.BigEndian, v) } // a Buffer takes all
	put(int32(len(messages)))
	for _, m := range messages {
		put(m.partition)
		put(m.timestamp.UnixMilli())
		for _, text := range [][]byte{m.key, m.value} {
			if text == nil {
				put(int32(-1))
				continue
			}
			put(int32(len(text)))
			put(text)
		}
	}
	return os.WriteFile(file, b.Bytes(), 0o600)
}

// A client is a producer that does what it is told.
type client interface {
	name() string
	open(ctx context.Context, settings map[string]string) error
	send(ctx context.Context, topic string, first, last int64) error // the messages of these numbers, without the last
	flush(ctx context.Context) (acknowledged, failed int64, err error)
	metrics(ctx context.Context) ([]producer.JavaMetric, error)
	close(ctx context.Context) error
}

// ours is the producer of this library.
type ours struct {
	messages             []message
	p                    *producer.Producer
	acknowledged, failed *atomic.Int64 // by the producer's callbacks
}

func (c *ours) name() string { return epistle }

func (c *ours) open(_ context.Context, settings map[string]string) error {
	cfg, _, err := producer.FromMap(settings)
	if err != nil {
		return err
	}
	c.acknowledged, c.failed = new(atomic.Int64), new(atomic.Int64)
	c.p, err = producer.New(cfg)
	return err
}

func (c *ours) send(ctx context.Context, topic string, first, last int64) error {
	acknowledged, failed := c.acknowledged, c.failed
	for n := first; n < last; n++ {
		m := c.messages[n%int64(len(c.messages))]
		value := bytes.Clone(m.value)
		binary.BigEndian.PutUint64(value, uint64(n))
		r := producer.Record{Topic: topic, Key: m.key, Value: value, Timestamp: m.timestamp}
		if m.partition >= 0 {
			r.Partition = producer.OnPartition(m.partition)
		}
		c.p.SendFunc(ctx, r, func(_ producer.RecordMetadata, err error) {
			if err != nil {
				failed.Add(1)
			} else {
				acknowledged.Add(1)
			}
		})
	}
	return nil
}

func (c *ours) flush(ctx context.Context) (acknowledged, failed int64, err error) {
	err = c.p.Flush(ctx)
	return c.acknowledged.Load(), c.failed.Load(), err
}

func (c *ours) metrics(context.Context) ([]producer.JavaMetric, error) {
	return c.p.Metrics().Java(), nil
}

func (c *ours) close(ctx context.Context) error { return c.p.Close(ctx) }

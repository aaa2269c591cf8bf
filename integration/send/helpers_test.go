// Package send_test sends records to one real broker in every way that the producer has, and compares
// what an independent client reads with what was sent and with what the producer said of it.
package send_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/epistle-kafka/epistle/integration/kafka"
	"github.com/epistle-kafka/epistle/integration/reader"
	"github.com/epistle-kafka/epistle/producer"
)

// patience is how long anything here may take on a machine that is busy with other things. What has a
// bound of its own is held to that.
const patience = 2 * time.Minute

// soon is a context that ends with the test or when patience does.
func soon(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

// settings is the default configuration with the changes.
func settings(c *kafka.Cluster, change ...func(*producer.Config)) producer.Config {
	cfg := producer.DefaultConfig(strings.Split(c.Bootstrap(), ",")...)
	for _, f := range change {
		f(&cfg)
	}
	return cfg
}

// start makes a producer with the default configuration and the changes. It is closed with the test.
func start(t *testing.T, c *kafka.Cluster, change ...func(*producer.Config)) *producer.Producer {
	t.Helper()
	p, err := producer.New(settings(c, change...))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := p.Close(ctx); err != nil {
			t.Errorf("Close: %v", err)
		}
		if n := p.Stats().BufferedBytes; n != 0 {
			t.Errorf("after Close %d bytes of buffer.memory are in use, want 0", n)
		}
	})
	return p
}

// admin changes the cluster's topics.
func admin(t *testing.T, c *kafka.Cluster) *reader.Admin {
	t.Helper()
	a, err := reader.NewAdmin(c.Bootstrap())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.Close)
	return a
}

// topicName is a name that no other test or run uses.
func topicName(t *testing.T) string {
	legal := func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '-':
			return r
		}
		return '-'
	}
	return fmt.Sprintf("%s-%d", strings.Map(legal, t.Name()), time.Now().UnixNano())
}

// newTopic makes a topic, which is deleted with the test. Its configuration is given as key, value.
func newTopic(t *testing.T, c *kafka.Cluster, partitions int32, config ...string) string {
	t.Helper()
	configs := make(map[string]string)
	for i := 0; i < len(config); i += 2 {
		configs[config[i]] = config[i+1]
	}
	topic, a := topicName(t), admin(t, c)
	if err := a.CreateTopic(soon(t), topic, partitions, -1, configs); err != nil {
		t.Fatal(err)
	}
	deleteLater(t, a, topic)
	return topic
}

// deleteLater deletes a topic with the test, without waiting until it is gone.
func deleteLater(t *testing.T, a *reader.Admin, topic string) {
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if _, err := a.Client().DeleteTopic(ctx, topic); err != nil {
			t.Logf("topic %s stays: %v", topic, err)
		}
	})
}

// read is what a topic holds.
func read(t *testing.T, c *kafka.Cluster, topic string) map[int32][]*reader.Record {
	t.Helper()
	records, err := reader.Topic(soon(t), c.Bootstrap(), topic, reader.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return records
}

// awaitCount waits until each leader of a topic serves it, and all together that many records. With
// acks=0 nobody says either: a new topic's leader that has not yet heard of it drops what it gets.
func awaitCount(t *testing.T, c *kafka.Cluster, topic string, count int64) {
	t.Helper()
	a := admin(t, c)
	for ctx := soon(t); ; {
		ends, err := a.Client().ListEndOffsets(ctx, topic)
		if err != nil {
			t.Fatal(err)
		}
		total := int64(0)
		ends.Each(func(end kadm.ListedOffset) { total += end.Offset })
		if total >= count && ends.Error() == nil {
			return
		}
		pause(t, ctx, fmt.Sprintf("topic %s holds %d records, want %d; errors: %v", topic, total, count, ends.Error()))
	}
}

// pause lets the cluster get on with what a test waits for, and ends a test that has waited too long.
func pause(t *testing.T, ctx context.Context, lacking string) {
	t.Helper()
	select {
	case <-ctx.Done():
		t.Fatalf("%v: %s", ctx.Err(), lacking)
	case <-time.After(20 * time.Millisecond):
	}
}

// noise is bytes that no codec makes shorter, the same for each seed.
func noise(seed uint64, size int) []byte {
	var key [32]byte
	copy(key[:], fmt.Append(nil, seed))
	b := make([]byte, size)
	rand.NewChaCha8(key).Read(b)
	return b
}

// prose is text that every codec makes shorter.
func prose(n, size int) []byte {
	line := fmt.Sprintf("order %d: 3 apples, 4 pears, 5 plums; ", n)
	return []byte(strings.Repeat(line, size/len(line)+1)[:size])
}

// as is errors.As for tests: the error of type E in err, or the end of the test.
func as[E error](t *testing.T, err error) E {
	t.Helper()
	found, ok := errors.AsType[E](err)
	if !ok {
		t.Fatalf("the error is %v (%T), want a %T in it", err, err, found)
	}
	return found
}

package cli

import (
	"context"
	"errors"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/producer"
)

// A partition that was added a moment ago is waited for, one that nobody adds is refused soon, and who waits is told for what.
func TestAwaitPartition(t *testing.T) {
	const asking = "epistle: topic \"t\" has 2 partitions, numbered from 0, and not partition 2; " +
		"if that was added a moment ago, not every broker knows it yet: asking again until "
	for _, test := range []struct {
		name      string
		most      time.Duration // what is left of max.block.ms
		after     time.Duration // in which something happens
		happens   func(*brokertest.Cluster) error
		takes     [2]time.Duration // at least, at most
		told      bool             // what is waited for
		says      []string         // of the error; nil: there is none
		interrupt bool
	}{
		{name: "it is there soon", most: time.Minute, after: 150 * time.Millisecond, happens: grow, takes: [2]time.Duration{150 * time.Millisecond, 400 * time.Millisecond}},
		{name: "it comes late", most: time.Minute, after: 3 * time.Second, happens: grow, takes: [2]time.Duration{3 * time.Second, 4500 * time.Millisecond}, told: true},
		{name: "it never comes", most: time.Minute, takes: [2]time.Duration{5 * time.Second, 5 * time.Second}, told: true,
			says: []string{`topic "t": partition 2 does not exist: the topic has 2, numbered from 0, still so after 5s`}},
		{name: "max.block.ms is shorter", most: 2 * time.Second, takes: [2]time.Duration{2 * time.Second, 2 * time.Second}, told: true, says: []string{"still so after 2s"}},
		{name: "max.block.ms is very short", most: 300 * time.Millisecond, takes: [2]time.Duration{300 * time.Millisecond, 300 * time.Millisecond}, says: []string{"still so after 300ms"}},
		{name: "max.block.ms has passed", most: -time.Second, says: []string{"the topic has 2, numbered from 0, still so after 0s"}},
		{name: "Ctrl-C", most: time.Minute, after: 2 * time.Second, interrupt: true, takes: [2]time.Duration{2 * time.Second, 2 * time.Second}, told: true, says: []string{"stopped by signal"}},
		{name: "Ctrl-C at once", most: time.Minute, after: 50 * time.Millisecond, interrupt: true, takes: [2]time.Duration{50 * time.Millisecond, 50 * time.Millisecond}, says: []string{"stopped by signal"}},
		{name: "brokers go away", most: time.Minute, after: time.Second, happens: func(c *brokertest.Cluster) error {
			c.Break(1, brokertest.Refusing)
			return nil
		}, takes: [2]time.Duration{5 * time.Second, 5 * time.Second}, told: true, says: []string{"the topic has 2", "still so after 5s; no broker can be reached since "}},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 2))
				p := producerOf(t, c)
				if _, err := p.Partitions(t.Context(), "t"); err != nil {
					t.Fatal(err)
				}
				ctx, cancel := context.WithCancelCause(t.Context())
				defer cancel(nil)
				if test.interrupt {
					time.AfterFunc(test.after, func() { cancel(&Interrupted{syscall.SIGINT}) })
				}
				if test.happens != nil {
					time.AfterFunc(test.after, func() {
						if err := test.happens(c); err != nil {
							t.Error(err)
						}
					})
				}
				env, out := testEnv()
				began := time.Now()
				err := AwaitPartition(ctx, env, p, "t", 2, test.most)
				if took := time.Since(began); took < test.takes[0] || took > test.takes[1] {
					t.Errorf("it took %v, want %v to %v", took, test.takes[0], test.takes[1])
				}
				if told := strings.HasPrefix(out.String(), asking) && strings.Count(out.String(), "\n") == 1; told != test.told || !told && out.Len() > 0 {
					t.Errorf("it says %q, want what it waits for: %v", out, test.told)
				}
				if (err == nil) != (test.says == nil) {
					t.Errorf("error = %v", err)
				}
				for _, text := range test.says {
					if err != nil && !strings.Contains(err.Error(), text) {
						t.Errorf("error = %v, want %q in it", err, text)
					}
				}
				if _, ok := errors.AsType[*Interrupted](err); ok != test.interrupt {
					t.Errorf("error = %v, interrupted: %v", err, test.interrupt)
				}
			})
		})
	}
}

// What a broker refuses is told at once, for what it is.
func TestAwaitPartitionOfATopicThatIsDenied(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 2))
		p := producerOf(t, c)
		if _, err := p.Partitions(t.Context(), "t"); err != nil {
			t.Fatal(err)
		}
		c.DenyTopic("t")
		env, out := testEnv()
		began := time.Now()
		err := AwaitPartition(t.Context(), env, p, "t", 2, time.Minute)
		if err == nil || !strings.Contains(err.Error(), "TOPIC_AUTHORIZATION_FAILED") || time.Since(began) > time.Second || out.Len() > 0 {
			t.Errorf("%v after %v, and it says %q, want at once what the broker says", err, time.Since(began), out)
		}
	})
}

func grow(c *brokertest.Cluster) error { return c.AddPartitions("t", 3) }

func producerOf(t *testing.T, c *brokertest.Cluster) *producer.Producer {
	t.Helper()
	cfg := producer.DefaultConfig(c.Bootstrap()...)
	cfg.DialContext = c.DialContext
	p, err := producer.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { CloseNow(p) })
	return p
}

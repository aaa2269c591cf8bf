package producer_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/producer"
)

// A chooser is a witness of the records whose ctx says so.
type chooser struct {
	witness
	asked int
}

type chosen struct{}

func (c *chooser) WantsRecord(ctx context.Context, topic string) bool {
	c.asked++
	return topic == "t" && ctx.Value(chosen{}) != nil
}

// A hook that chooses hears of the records it has chosen, from their beginning to their end, and is asked once for each. One
// beside it that does not choose hears of all. In the batch, the contexts are those of the records that anybody hears of.
func TestAHookChoosesItsRecords(t *testing.T) {
	bubble(t, func(t *testing.T) {
		for _, beside := range []bool{false, true} {
			c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
			choosing, all := new(chooser), new(witness)
			hooks := []producer.Hook{choosing}
			if beside {
				hooks = []producer.Hook{all, choosing}
			}
			p := start(t, c, watchedBy(hooks...))
			warm(t, p, "t")
			choosing.forget()
			all.forget()
			choosing.asked = 0
			yes := context.WithValue(t.Context(), chosen{}, true)
			topic := p.Topic("t")
			p.Send(yes, record("1"))
			p.Send(t.Context(), record("2"))
			topic.Send(yes, nil, []byte("3"))
			topic.Send(t.Context(), nil, []byte("4"))
			p.SendFunc(yes, producer.Record{Topic: "t", Partition: producer.OnPartition(-1)}, nil)
			if choosing.asked != 5 {
				t.Errorf("the hook was asked %d times for 5 records", choosing.asked)
			}
			topic.SendAllFunc(yes, []producer.KeyValue{{Value: []byte("5")}, {Value: []byte("6")}}, nil)
			topic.SendAllFunc(t.Context(), []producer.KeyValue{{Value: []byte("7")}, {Value: []byte("8")}}, nil)
			if err := p.Flush(t.Context()); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			if choosing.asked != 9 {
				t.Errorf("the hook was asked %d times for 9 records", choosing.asked)
			}
			choosing.want(t, ofRecords, "begun 1", "partitioned 1 0", "begun 3", "partitioned 3 0", "begun", "ended  -1 other false",
				"begun 5", "partitioned 5 0", "begun 6", "partitioned 6 0",
				"ended 1 0 - false", "ended 3 2 - false", "ended 5 4 - false", "ended 6 5 - false")
			told := "acknowledged t-0 8 [1 3 5 6] attempt 1 at 0"
			if beside {
				told = "acknowledged t-0 8 [1 2 3 4 5 6 7 8] attempt 1 at 0"
			}
			choosing.want(t, []string{"acknowledged"}, told)
			if heard := len(all.lines("ended")); beside && heard != 9 {
				t.Errorf("the hook that does not choose was told how %d records ended, want 9", heard)
			}
		}
	})
}

// everyThird is a witness of every third record.
type everyThird struct {
	witness
	asked int
}

func (e *everyThird) WantsRecord(context.Context, string) bool {
	e.asked++
	return e.asked%3 == 0
}

// A hook that chooses is asked once for each record of a SendAllFunc, and hears of those that it has chosen, whatever becomes of
// those in between: they are sent together, with keys or without, need another batch, are too large, or are refused all
// together.
func TestAHookChoosesAmongRecordsOfOneCall(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1), brokertest.AutoCreate(false))
		hook := new(everyThird)
		p := start(t, c, watchedBy(hook))
		warm(t, p, "t")
		hook.forget()
		hook.asked = 0
		const n = 2000
		tooLarge := strings.Repeat("x", 2<<20)
		var want []string
		records := make([]producer.KeyValue, n)
		for i := range records {
			records[i].Value = fmt.Appendf(nil, "%d ", i)
			switch {
			case i%50 == 7:
				records[i].Value = append(records[i].Value, tooLarge...)
			case i%50 > 40:
				records[i].Key = []byte("customer")
			}
			if i%3 == 2 {
				want = append(want, fmt.Sprint(i))
			}
		}
		var got outcomes
		p.Topic("t").SendAllFunc(t.Context(), records, got.of("record"))
		if hook.asked != n {
			t.Errorf("the hook was asked %d times for %d records", hook.asked, n)
		}
		if err := p.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		var begun []string
		for _, line := range hook.lines("begun") {
			begun = append(begun, strings.Fields(line)[1])
		}
		if !slices.Equal(begun, want) {
			t.Errorf("the hook heard of %d records, want the %d that it has chosen: %q", len(begun), len(want), begun)
		}
		if ended := len(hook.lines("ended")); ended != len(want) || len(got.all()) != n {
			t.Errorf("%d records ended for the hook, and %d for the callback, want %d and %d", ended, len(got.all()), len(want), n)
		}
		hook.asked = 0
		p.Topic("missing").SendAllFunc(t.Context(), keyValues("a", "b", "c", "d"), nil)
		if hook.asked != 4 {
			t.Errorf("the hook was asked %d times for 4 records to a topic that is missing", hook.asked)
		}
	})
}

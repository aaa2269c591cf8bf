package producer_test

import (
	"context"
	"reflect"
	"slices"
	"testing"

	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/producertest"
)

// apart are methods of a Producer that no interface has: fmt calls them.
var apart = []string{"Format"}

// Each method of a Producer is in Interface, with the same types, and the double has it, too: a program that takes an Interface lacks
// nothing, and neither does one with an interface of its own.
func TestInterfaceIsAllThatAProducerHas(t *testing.T) {
	all, double := reflect.TypeFor[producer.Interface](), reflect.TypeFor[*producertest.Producer]()
	methods := reflect.TypeFor[*producer.Producer]()
	for m := range methods.Methods() {
		if slices.Contains(apart, m.Name) {
			continue
		}
		if _, ok := all.MethodByName(m.Name); !ok {
			t.Errorf("Producer.%s is in no interface: a program that takes an Interface cannot call it", m.Name)
		}
		if _, ok := double.MethodByName(m.Name); !ok {
			t.Errorf("Producer.%s is not in producertest.Producer", m.Name)
		}
	}
	if n, want := all.NumMethod(), methods.NumMethod()-len(apart); n != want {
		t.Errorf("Interface has %d methods, and a Producer %d", n, want)
	}
}

// A wrapper is what a program puts around a producer, or around a Tx: it counts, and passes on.
type wrapper struct {
	producer.TransactionSender
	sent *int
}

func (w wrapper) Send(ctx context.Context, rec producer.Record) producer.Future {
	*w.sent++
	return w.TransactionSender.Send(ctx, rec)
}

func (w wrapper) SendFunc(ctx context.Context, rec producer.Record, done producer.Callback) {
	*w.sent++
	w.TransactionSender.SendFunc(ctx, rec, done)
}

func (w wrapper) SendSync(ctx context.Context, rec producer.Record) (producer.RecordMetadata, error) {
	*w.sent++
	return w.TransactionSender.SendSync(ctx, rec)
}

func (w wrapper) TrySend(rec producer.Record, done producer.Callback) error {
	*w.sent++
	return w.TransactionSender.TrySend(rec, done)
}

// Whatever is sent by a handle, or by a Tx, that was made of a wrapper goes by way of the wrapper.
func TestHandlesOfWrappers(t *testing.T) {
	p := producertest.New(t, producertest.Transactional("tx"))
	sent, told := 0, 0
	count := func(_ producer.RecordMetadata, err error) {
		if err == nil {
			told++
		}
	}
	err := p.Transact(t.Context(), func(tx *producer.Tx) error {
		tx = producer.NewTx(wrapper{tx, &sent})
		rec := producer.Record{Topic: "t", Value: []byte("by the Tx")}
		tx.Send(t.Context(), rec)
		tx.SendFunc(t.Context(), rec, count)
		if _, err := tx.SendSync(t.Context(), rec); err != nil {
			t.Error(err)
		}
		if err := tx.TrySend(rec, count); err != nil {
			t.Error(err)
		}
		h := tx.Topic("t")
		h.Send(t.Context(), nil, []byte("by the handle"))
		h.SendFunc(t.Context(), nil, []byte("by the handle"), count)
		if md, err := h.SendSync(t.Context(), nil, []byte("by the handle")); err != nil || md.Offset != 6 || h.Name() != "t" {
			t.Errorf("SendSync to %s: %+v, %v", h.Name(), md, err)
		}
		if err := h.TrySend(nil, []byte("by the handle"), count); err != nil {
			t.Error(err)
		}
		h.SendAllFunc(t.Context(), []producer.KeyValue{{Value: []byte("by the handle")}, {Key: []byte("k"), Value: []byte("by the handle")}}, count)
		return tx.SendOffsets(t.Context(), producertest.Offsets{{Topic: "in"}: {Offset: 1}}, producer.ConsumerGroupMetadata{GroupID: "g"})
	})
	if err != nil {
		t.Fatal(err)
	}
	if sent != 10 || told != 6 || len(p.Committed("t")) != 10 {
		t.Errorf("%d records went by the wrapper, %d callbacks came, %d records are there; want 10, 6, 10", sent, told, len(p.Committed("t")))
	}
	p.ExpectOffsets(t, "g", producertest.Offsets{{Topic: "in"}: {Offset: 1}})
}

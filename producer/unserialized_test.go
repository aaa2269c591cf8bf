package producer_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/producer"
)

// counting is the simplest wrapper there is: it embeds what it wraps, and changes nothing.
type counting struct {
	producer.Sender
}

// tracing adds a header to each record.
type tracing struct {
	producer.Sender
}

func (w tracing) Send(ctx context.Context, rec producer.Record) producer.Future {
	rec.Headers = append(slices.Clone(rec.Headers), producer.Header{Key: "trace", Value: []byte{1}})
	return w.Sender.Send(ctx, rec)
}

func (w tracing) SendFunc(ctx context.Context, rec producer.Record, done producer.Callback) {
	rec.Headers = append(slices.Clone(rec.Headers), producer.Header{Key: "trace", Value: []byte{1}})
	w.Sender.SendFunc(ctx, rec, func(md producer.RecordMetadata, err error) { done(md, err) })
}

// encrypting makes records of its own, of the old ones' topic, key and value.
type encrypting struct{ to producer.Sender }

func (w encrypting) made(rec producer.Record) producer.Record {
	return producer.Record{Topic: rec.Topic, Key: rec.Key, Value: append([]byte("secret "), rec.Value...)}
}

func (w encrypting) Send(ctx context.Context, rec producer.Record) producer.Future {
	return w.to.Send(ctx, w.made(rec))
}

func (w encrypting) SendFunc(ctx context.Context, rec producer.Record, done producer.Callback) {
	w.to.SendFunc(ctx, w.made(rec), done)
}

func (w encrypting) SendSync(ctx context.Context, rec producer.Record) (producer.RecordMetadata, error) {
	return w.to.SendSync(ctx, w.made(rec))
}

func (w encrypting) TrySend(rec producer.Record, done producer.Callback) error {
	return w.to.TrySend(w.made(rec), done)
}

// contextless waits as long as it takes: it passes the record on, and no context.
type contextless struct{ producer.Sender }

func (w contextless) Send(_ context.Context, rec producer.Record) producer.Future {
	return w.Sender.Send(context.Background(), rec)
}

func (w contextless) SendFunc(_ context.Context, rec producer.Record, done producer.Callback) {
	if err := w.TrySend(rec, done); err != nil {
		done(producer.RecordMetadata{}, err)
	}
}

// byHandle sends by the handles of topics, as a wrapper does that keeps one for each.
type byHandle struct {
	producer.Sender
	topic func(name string) *producer.Topic
}

func (w byHandle) Send(ctx context.Context, rec producer.Record) producer.Future {
	return w.topic(rec.Topic).Send(ctx, rec.Key, rec.Value)
}

func (w byHandle) SendFunc(ctx context.Context, rec producer.Record, done producer.Callback) {
	w.topic(rec.Topic).SendFunc(ctx, rec.Key, rec.Value, done)
}

func (w byHandle) SendSync(ctx context.Context, rec producer.Record) (producer.RecordMetadata, error) {
	return w.topic(rec.Topic).SendSync(ctx, rec.Key, rec.Value)
}

// manyAtOnce sends by the fastest call of a handle.
type manyAtOnce struct{ byHandle }

func (w manyAtOnce) SendFunc(ctx context.Context, rec producer.Record, done producer.Callback) {
	w.topic(rec.Topic).SendAllFunc(ctx, []producer.KeyValue{{Key: rec.Key, Value: rec.Value}}, done)
}

func handlesOf(s producer.Sender) byHandle {
	return byHandle{s, s.(interface {
		Topic(name string) *producer.Topic
	}).Topic}
}

// Between a Typed and its transaction may be any wrapper. A record that cannot be serialized refuses the commit all the same,
// though nobody has looked at its outcome, and nothing is sent in its place. The wrappers are left no choice by their types:
// a Sender is all that they are known to be.
func TestNoWrapperHidesARecordThatCannotBeSerialized(t *testing.T) {
	unserializable := producer.SerializerFunc[string](func(_ context.Context, dst []byte, _ *producer.Serialization, _ string) ([]byte, error) {
		return dst, errors.New("cannot be written")
	})
	wrappers := map[string]func(producer.Sender) producer.Sender{
		"none":         func(s producer.Sender) producer.Sender { return s },
		"embeds":       func(s producer.Sender) producer.Sender { return counting{s} },
		"embeds twice": func(s producer.Sender) producer.Sender { return &counting{&counting{s}} },
		"changes":      func(s producer.Sender) producer.Sender { return tracing{s} },
		"makes anew":   func(s producer.Sender) producer.Sender { return encrypting{tracing{encrypting{s}}} },
		"no context":   func(s producer.Sender) producer.Sender { return contextless{counting{s}} },
		"by handles":   func(s producer.Sender) producer.Sender { return tracing{handlesOf(s)} },
		"many at once": func(s producer.Sender) producer.Sender { return manyAtOnce{handlesOf(s)} },
	}
	ways := map[string]func(context.Context, *producer.Typed[string, string]) error{
		"Send": func(ctx context.Context, typed *producer.Typed[string, string]) error {
			_, err := typed.Topic("t").Send(ctx, "key", "value").Wait(ctx)
			return err
		},
		"SendFunc": func(ctx context.Context, typed *producer.Typed[string, string]) (err error) {
			calls := 0
			typed.SendFunc(ctx, producer.TypedRecord[string, string]{Topic: "t"}, func(_ producer.RecordMetadata, e error) { err = e; calls++ })
			if calls != 1 {
				return errors.New("not one callback")
			}
			return err
		},
		"SendSync": func(ctx context.Context, typed *producer.Typed[string, string]) error {
			_, err := typed.SendSync(ctx, producer.TypedRecord[string, string]{Topic: "t"})
			return err
		},
	}
	for wrapper, wrap := range wrappers {
		for way, send := range ways {
			t.Run(wrapper+"/"+way, func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
					p := start(t, c, func(cfg *producer.Config) { cfg.TransactionalID = "shop" })
					for to, sender := range map[string]func(tx *producer.Tx) producer.Sender{
						"the Tx":       func(tx *producer.Tx) producer.Sender { return tx },
						"the producer": func(*producer.Tx) producer.Sender { return p },
					} {
						err := p.Transact(t.Context(), func(tx *producer.Tx) error {
							tx.Send(t.Context(), record("before"))
							typed := producer.NewTyped(wrap(sender(tx)), unserializable, unserializable)
							var failed *producer.SerializationError
							if err := send(t.Context(), typed); !errors.As(err, &failed) {
								t.Errorf("by %s: the record's error is %v, want a *SerializationError", to, err)
							}
							return nil
						})
						var failure *producer.TransactionError
						if !errors.As(err, &failure) || failure.Next != producer.NextAbort {
							t.Errorf("by %s: the commit said %v, want a TransactionError with NextAbort", to, err)
						}
					}
					if visible := c.Committed("t", 0); len(visible) != 0 {
						t.Errorf("%d records are visible, want none", len(visible))
					}
					for _, r := range c.Records("t", 0) {
						if string(r.Value) != "before" {
							t.Errorf("%q is in the log, which nobody has sent", r.Value)
						}
					}
				})
			})
		}
	}
}

// laterAnew makes records anew, and sends them when somebody else says so.
type laterAnew struct {
	encrypting
	send chan func()
}

func (w laterAnew) SendFunc(ctx context.Context, rec producer.Record, done producer.Callback) {
	made := w.made(rec)
	w.send <- func() { w.to.SendFunc(ctx, made, done) }
}

// A wrapper may have returned long before it sends the record on.
func TestNoWrapperHidesARecordThatItSendsLater(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
		p := start(t, c, func(cfg *producer.Config) { cfg.TransactionalID = "shop" })
		fail := producer.SerializerFunc[string](func(context.Context, []byte, *producer.Serialization, string) ([]byte, error) {
			return nil, errors.New("no")
		})
		err := p.Transact(t.Context(), func(tx *producer.Tx) error {
			w := laterAnew{encrypting{tx}, make(chan func(), 1)}
			producer.NewTyped(w, producer.StringSerializer{}, fail).Topic("t").SendFunc(t.Context(), "key", "value", nil)
			(<-w.send)()
			return nil
		})
		var failed *producer.SerializationError
		if !errors.As(err, &failed) {
			t.Errorf("Transact says %v, want a *SerializationError", err)
		}
		if n := len(c.Records("t", 0)); n != 0 {
			t.Errorf("%d records are in the log, want none", n)
		}
		if err := p.Transact(t.Context(), func(tx *producer.Tx) error {
			_, err := tx.SendSync(t.Context(), record("next"))
			return err
		}); err != nil {
			t.Errorf("the next transaction: %v", err)
		}
	})
}

// What is no producer of this package is never given a record that was none, as long as no transaction is open: see
// TestTypedSerializationErrors. While one is, it can tell.
func TestAnotherSenderCanTellWhatIsNoRecord(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
		p := start(t, c, func(cfg *producer.Config) { cfg.TransactionalID = "shop" })
		fail := producer.SerializerFunc[string](func(context.Context, []byte, *producer.Serialization, string) ([]byte, error) {
			return nil, errors.New("no")
		})
		file := &keeping{}
		typed := producer.NewTyped(file, producer.StringSerializer{}, fail)
		typed.Topic("t").Send(t.Context(), "key", "value")
		if len(file.kept) != 0 {
			t.Errorf("outside of any transaction it got %v, want nothing", file.kept)
		}
		if err := p.Transact(t.Context(), func(tx *producer.Tx) error {
			typed.Topic("t").Send(t.Context(), "key", "value")
			return nil
		}); err != nil {
			t.Errorf("a transaction that has nothing to do with the record: %v", err)
		}
		for _, rec := range file.kept {
			if rec.Unserialized() == nil {
				t.Errorf("it got %v, and cannot tell that it is no record", rec)
			}
		}
	})
}

// keeping is a Sender that leads to no producer.
type keeping struct {
	producer.Sender
	kept []producer.Record
}

func (k *keeping) Send(_ context.Context, rec producer.Record) producer.Future {
	k.kept = append(k.kept, rec)
	return producer.Future{}
}

// What the caller has said of a record is in the metadata of its refusal, however it was sent.
func TestTheMetadataOfARefusedRecordNamesWhatTheCallerSaid(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 2))
		p := start(t, c, func(cfg *producer.Config) { cfg.MaxRequestSize = 1000 })
		warm(t, p, "t")
		big := make([]byte, 2000)
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		fail := producer.SerializerFunc[string](func(context.Context, []byte, *producer.Serialization, string) ([]byte, error) {
			return nil, errors.New("no")
		})
		typed := producer.NewTyped(p, fail, fail)
		for name, test := range map[string]struct {
			send func(done producer.Callback)
			want int32
		}{
			"too large":       {func(done producer.Callback) { p.SendFunc(t.Context(), on(1, big), done) }, 1},
			"too large, sync": {func(done producer.Callback) { done(p.SendSync(t.Context(), on(1, big))) }, 1},
			"ended":           {func(done producer.Callback) { p.SendFunc(ended, on(1, nil), done) }, 1},
			"no such one":     {func(done producer.Callback) { p.SendFunc(t.Context(), on(7, nil), done) }, 7},
			"unserializable": {func(done producer.Callback) {
				typed.SendFunc(t.Context(), producer.TypedRecord[string, string]{Topic: "t", Partition: producer.OnPartition(1)}, done)
			}, 1},
			"not chosen": {func(done producer.Callback) { p.SendFunc(t.Context(), producer.Record{Topic: "t", Value: big}, done) }, -1},
		} {
			called := false
			test.send(func(md producer.RecordMetadata, err error) {
				called = true
				if err == nil || md.Topic != "t" || md.Partition != test.want || md.Offset != -1 {
					t.Errorf("%s: got %+v, %v, want partition %d of topic t and an error", name, md, err, test.want)
				}
			})
			if !called {
				t.Errorf("%s: no callback", name)
			}
		}
	})
}

func on(partition int32, value []byte) producer.Record {
	return producer.Record{Topic: "t", Partition: producer.OnPartition(partition), Value: value}
}

//go:build unix

package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/epistle-kafka/epistle/producer"
	"github.com/twmb/franz-go/pkg/kgo"
)

// A client is a producer with its defaults.
type client interface {
	// send hands over a record, and calls done with its outcome.
	send(topic string, value []byte, done func(error))
	flush() error
	close() error
}

var clients = []string{"epistle", "franz-go"}

func open(name, bootstrap string) (client, error) {
	addresses := strings.Split(bootstrap, ",")
	switch name {
	case "epistle":
		p, err := producer.New(producer.DefaultConfig(addresses...))
		return &epistle{p}, err
	case "franz-go":
		cl, err := kgo.NewClient(kgo.SeedBrokers(addresses...), kgo.AllowAutoTopicCreation(), kgo.ProducerBatchCompression(kgo.NoCompression()))
		return &franz{cl}, err
	}
	return nil, fmt.Errorf("no client %q", name)
}

// sendAndWait is one record and its acknowledgement.
func sendAndWait(c client, topic string) error {
	done := make(chan error, 1)
	c.send(topic, make([]byte, 100), func(err error) { done <- err })
	return <-done
}

type epistle struct{ p *producer.Producer }

func (e *epistle) send(topic string, value []byte, done func(error)) {
	e.p.SendFunc(context.Background(), producer.Record{Topic: topic, Value: value}, func(_ producer.RecordMetadata, err error) { done(err) })
}
func (e *epistle) flush() error { return e.p.Flush(context.Background()) }
func (e *epistle) close() error { return e.p.Close(context.Background()) }

type franz struct{ cl *kgo.Client }

func (f *franz) send(topic string, value []byte, done func(error)) {
	f.cl.Produce(context.Background(), &kgo.Record{Topic: topic, Value: value}, func(_ *kgo.Record, err error) { done(err) })
}
func (f *franz) flush() error { return f.cl.Flush(context.Background()) }
func (f *franz) close() error { f.cl.Close(); return nil }

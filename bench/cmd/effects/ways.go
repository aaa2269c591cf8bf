package main

import (
	"fmt"
	"time"

	"github.com/epistle-kafka/epistle/producer"
)

// way returns how a goroutine hands records over, and what hands over, or waits for, what is left at the end.
func (l *load) way(name string) (send func(value []byte), rest func()) {
	nothing := func() {}
	all := func(_ producer.RecordMetadata, err error) { l.done(err) }
	n := 0
	closure := func() producer.Callback {
		n++
		id := n // what a program has to know of its record
		return func(_ producer.RecordMetadata, err error) {
			if err != nil {
				err = fmt.Errorf("record %d: %w", id, err)
			}
			l.done(err)
		}
	}
	switch name {
	case "":
		return func(value []byte) { l.topic.SendFunc(l.ctx, nil, value, all) }, nothing
	case "closure":
		return func(value []byte) { l.topic.SendFunc(l.ctx, nil, value, closure()) }, nothing
	case "record":
		return func(value []byte) { l.p.SendFunc(l.ctx, producer.Record{Topic: "load", Value: value}, all) }, nothing
	case "record closure":
		return func(value []byte) { l.p.SendFunc(l.ctx, producer.Record{Topic: "load", Value: value}, closure()) }, nothing
	case "timed":
		return l.sometimes(all), nothing
	case "all":
		return l.several(all)
	case "future":
		return l.futures()
	case "sync":
		return func(value []byte) {
			_, err := l.topic.SendSync(l.ctx, nil, value)
			l.done(err)
		}, nothing
	}
	panic("no way to send is called " + name)
}

// sometimes sends with one function for all, and measures the latency of one record in a stride.
func (l *load) sometimes(all producer.Callback) func(value []byte) {
	n := 0
	return func(value []byte) {
		if n++; n%stride == 0 {
			l.timed(value, time.Now())
			return
		}
		l.topic.SendFunc(l.ctx, nil, value, all)
	}
}

// several hands over a hundred records a call.
func (l *load) several(all producer.Callback) (send func(value []byte), rest func()) {
	group := make([]producer.KeyValue, 0, 100)
	rest = func() {
		l.topic.SendAllFunc(l.ctx, group, all)
		group = group[:0]
	}
	return func(value []byte) {
		if group = append(group, producer.KeyValue{Value: value}); len(group) == cap(group) {
			rest()
		}
	}, rest
}

// futures waits for the oldest when there are many.
func (l *load) futures() (send func(value []byte), rest func()) {
	ring := make([]producer.Future, 1<<14)
	first, n := 0, 0
	wait := func() {
		_, err := ring[first].Wait(l.ctx)
		l.done(err)
		ring[first] = producer.Future{}
		first, n = (first+1)%len(ring), n-1
	}
	send = func(value []byte) {
		if n == len(ring) {
			wait()
		}
		ring[(first+n)%len(ring)] = l.topic.Send(l.ctx, nil, value)
		n++
	}
	return send, func() {
		for n > 0 {
			wait()
		}
	}
}

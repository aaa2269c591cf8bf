package main

import (
	"encoding/binary"
	"io"
	"net"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/bench/driver"
	"github.com/epistle-kafka/epistle/protocol"
)

// The limit program has as many requests in flight as all others, and not one more.
func TestRequestsInFlight(t *testing.T) {
	near, far := net.Pipe()
	defer far.Close()
	l := &limit{o: &driver.Options{InFlight: 3, Batch: 1, Topic: "t"}, began: time.Now()}
	b := &broker{conn: near, version: 9}
	l.partitions = []target{{broker: b}}
	b.targets = []*target{&l.partitions[0]}
	b.start(l)
	go func() {
		for {
			b.append(b.targets[0], nil, []byte("v"))
			if b.send(l) != nil {
				return
			}
		}
	}()
	received := make(chan int32)
	go func() {
		for {
			var head [12]byte
			if _, err := io.ReadFull(far, head[:]); err != nil {
				return
			}
			if _, err := io.CopyN(io.Discard, far, int64(binary.BigEndian.Uint32(head[:]))-8); err != nil {
				return
			}
			received <- int32(binary.BigEndian.Uint32(head[8:]))
		}
	}()
	for range 3 {
		<-received
	}
	for id := int32(1); id <= 3; id++ {
		select {
		case <-received:
			t.Fatal("another request was written, with 3 unanswered")
		case <-time.After(100 * time.Millisecond):
		}
		answer := protocol.AppendResponse(nil, 9, id, &protocol.ProduceResponse{})
		if _, err := far.Write(answer); err != nil {
			t.Fatal(err)
		}
		<-received
	}
	near.Close()
}

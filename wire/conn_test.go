package wire

import (
	"errors"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/epistle-kafka/epistle/protocol"
)

// Five calls are written before the first is answered, in the order of Send, and each gets its own answer.
func TestCallsArePipelinedInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, b, _ := connect(t, testConfig())
		done := make(chan *Call, 5)
		var calls []*Call
		for range 5 {
			calls = append(calls, initID(done))
		}
		send(t, c, calls...)

		var headers []protocol.RequestHeader
		for i := range 5 {
			h, _ := b.want()
			if i > 0 && h.CorrelationID != headers[i-1].CorrelationID+1 {
				t.Errorf("correlation id %d follows %d", h.CorrelationID, headers[i-1].CorrelationID)
			}
			if h.ClientID == nil || *h.ClientID != "test" {
				t.Errorf("client id = %v, want test", h.ClientID)
			}
			headers = append(headers, h)
		}
		for i, h := range headers {
			b.answer(h, &protocol.InitProducerIDResponse{ProducerID: int64(100 + i)})
		}
		for i := range 5 {
			call := <-done
			if call != calls[i] {
				t.Errorf("call %d is not the one that was sent as %d", i, i)
			}
			got := call.Response.(*protocol.InitProducerIDResponse).ProducerID
			if call.Err != nil || got != int64(100+i) || !call.Written || call.Version != 5 {
				t.Errorf("call %d: err %v, producer id %d, written %v, version %d, want nil, %d, true, 5",
					i, call.Err, got, call.Written, call.Version, 100+i)
			}
			if call.RequestSize == 0 || call.ResponseSize == 0 || call.WrittenAt.IsZero() || call.DoneAt.IsZero() {
				t.Errorf("call %d: sizes %d and %d, times %v and %v, want them all set",
					i, call.RequestSize, call.ResponseSize, call.WrittenAt, call.DoneAt)
			}
		}
	})
}

// The bytes of a record batch reach the broker whole and in order, however many chunks they are in.
func TestChunksOfABatchArriveWhole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, b, _ := connect(t, testConfig())
		done := make(chan *Call, 1)
		send(t, c, produce(done, "abc", "", strings.Repeat("x", 100_000), "z"))
		h, req := b.want()
		records := req.(*protocol.ProduceRequest).Topics[0].Partitions[0].Records
		got := string(slices.Concat(records...))
		if want := "abc" + strings.Repeat("x", 100_000) + "z"; got != want {
			t.Errorf("batch of %d bytes, want %d", len(got), len(want))
		}
		b.answer(h, &protocol.ProduceResponse{})
		if call := <-done; call.Err != nil || call.RequestSize < 100_000 {
			t.Errorf("err %v, request size %d", call.Err, call.RequestSize)
		}
	})
}

func TestMoreThanMaxInFlightPanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, b, _ := connect(t, testConfig())
		done := make(chan *Call, 6)
		for range 5 {
			send(t, c, initID(done))
		}
		func() {
			defer func() {
				if recover() == nil {
					t.Error("the sixth call in flight did not panic")
				}
			}()
			c.Send(initID(done))
		}()
		// One answer makes room for one.
		h, _ := b.want()
		b.answer(h, &protocol.InitProducerIDResponse{})
		<-done
		send(t, c, initID(done))
	})
}

// The slot is free when Done runs: Done may send the next call, or the same again.
func TestDoneMaySend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := testConfig()
		cfg.MaxInFlight = 1
		c, b, _ := connect(t, cfg)
		done := make(chan *Call, 1)
		rounds := 0
		call := initID(done)
		call.Done = func(call *Call) {
			if rounds++; rounds == 3 {
				done <- call
				return
			}
			if !c.Send(call) {
				t.Error("Send from Done: got false, want true")
			}
		}
		send(t, c, call)
		for range 3 {
			h, _ := b.want()
			b.answer(h, &protocol.InitProducerIDResponse{})
		}
		if call := <-done; call.Err != nil {
			t.Errorf("third round: %v", call.Err)
		}
	})
}

// Nothing answers acks=0: such a call is done when it is written, and the answers of others are not taken for its own.
func TestCallWithoutAnswerIsDoneWhenWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, b, _ := connect(t, testConfig())
		client := c.sock.(*memConn)
		release := client.hold(false)
		done := make(chan *Call, 3)
		silent, asking := produce(done, "batch"), initID(done)
		silent.Response = nil
		silent.Request.(*protocol.ProduceRequest).Acks = 0
		send(t, c, silent, asking)
		synctest.Wait()
		if len(done) != 0 {
			t.Error("done while the write has not returned")
		}
		release()
		if call := <-done; call != silent || call.Err != nil || !call.Written {
			t.Errorf("silent call: err %v, written %v, want nil, true", call.Err, call.Written)
		}
		b.want()
		h, _ := b.want()
		b.answer(h, &protocol.InitProducerIDResponse{ProducerID: 7})
		if call := <-done; call != asking || call.Err != nil {
			t.Errorf("asking call: err %v", call.Err)
		}
	})
}

// Before runs in the order of Send, with the version of the call, and what it changes is what is written.
func TestBeforeRunsJustBeforeEncoding(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, b, _ := connect(t, testConfig())
		done := make(chan *Call, 2)
		call := produce(done, "x")
		call.MaxVersion = 9
		call.Before = func(version int16) {
			if version != 9 {
				t.Errorf("Before got version %d, want the cap of 9", version)
			}
			call.Request.(*protocol.ProduceRequest).Topics[0].Name = "changed"
		}
		send(t, c, call)
		h, req := b.want()
		if got := req.(*protocol.ProduceRequest).Topics[0].Name; got != "changed" || h.Version != 9 {
			t.Errorf("topic %q in version %d, want changed in 9", got, h.Version)
		}
	})
}

// A version that the broker lacks fails the call and nothing else.
func TestUnsupportedVersionFailsTheCallAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := testConfig()
		_, b := inMemory(t, cfg)
		go func() {
			h, _ := b.want()
			b.answer(h, &protocol.ApiVersionsResponse{APIKeys: []protocol.ApiVersion{
				{APIKey: 0, MinVersion: 99, MaxVersion: 120}, {APIKey: 22, MinVersion: 0, MaxVersion: 3},
			}})
		}()
		c, err := Dial(t.Context(), cfg, Peer{Addr: "kafka:9092", NodeID: -1}, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close(nil)

		done := make(chan *Call, 4)
		unknown := initID(done)
		unknown.Request, unknown.Response = &protocol.EndTxnRequest{}, &protocol.EndTxnResponse{}
		capped := initID(done)
		send(t, c, produce(done, "x"), unknown, capped)
		for _, known := range []bool{true, false} {
			call := <-done
			var unsupported *UnsupportedVersionError
			if !errors.As(call.Err, &unsupported) || unsupported.Known != known || call.Written {
				t.Errorf("got %v, written %v, want an UnsupportedVersionError with Known %v", call.Err, call.Written, known)
			}
		}
		h, _ := b.want()
		if h.Version != 3 {
			t.Errorf("InitProducerId in version %d, want the broker's 3", h.Version)
		}
		b.answer(h, &protocol.InitProducerIDResponse{})
		if call := <-done; call.Err != nil {
			t.Errorf("the call after: %v", call.Err)
		}
		if _, ok := c.Version(0); ok {
			t.Error("Version(Produce): ok, want not")
		}
		if got, ok := c.Version(22); !ok || got != 3 {
			t.Errorf("Version(InitProducerId) = %d, %v, want 3, true", got, ok)
		}
	})
}

// However many close it, a connection ends once: each call is done once, with an error that says whether it may have arrived,
// and onClose comes after all of them.
func TestCloseResolvesEveryCallOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, b, ended := connect(t, testConfig())
		done := make(chan *Call, 10)
		first := initID(done)
		send(t, c, first)
		b.want()
		release := c.sock.(*memConn).hold(false)
		defer release()
		second, third := initID(done), initID(done)
		send(t, c, second)
		synctest.Wait() // the second is being written
		send(t, c, third)

		reason := errors.New("reason")
		var closers sync.WaitGroup
		for range 8 {
			closers.Go(func() { c.Close(reason) })
		}
		closers.Wait()
		<-c.Closed()
		if len(done) != 3 || len(ended) != 1 {
			t.Fatalf("%d calls done and %d ends, want 3 and 1", len(done), len(ended))
		}
		for i, want := range []struct {
			call    *Call
			written bool
		}{{first, true}, {second, true}, {third, false}} {
			call := <-done
			if call != want.call || !errors.Is(call.Err, ErrClosed) || !errors.Is(call.Err, reason) || call.Written != want.written {
				t.Errorf("call %d: err %v, written %v, want closed for the reason, %v", i, call.Err, call.Written, want.written)
			}
		}
		if got := (<-ended).err; got != reason {
			t.Errorf("onClose got %v, want the reason", got)
		}
		if c.Send(initID(done)) {
			t.Error("Send on a closed connection: got true, want false")
		}
		synctest.Wait()
		if len(done) != 0 {
			t.Error("Done was called for a call that Send had refused")
		}
	})
}

// A broker that closes an idle connection does no harm; who holds the connection learns of it.
func TestBrokerClosesIdleConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, b, ended := connect(t, testConfig())
		b.conn.Close()
		if got := (<-ended).err; !errors.Is(got, io.EOF) {
			t.Errorf("onClose got %v, want one that matches io.EOF", got)
		}
		<-c.Closed()
	})
}

// Where a listener wants SASL, the broker hangs up on the first request that is not about that.
func TestHangUpOnFirstRequestHasAHint(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, b, ended := connect(t, testConfig())
		done := make(chan *Call, 1)
		send(t, c, initID(done))
		b.want()
		b.conn.Close()
		call := <-done
		for _, err := range []error{call.Err, (<-ended).err} {
			if !errors.Is(err, io.EOF) || !strings.Contains(err.Error(), "SASL") {
				t.Errorf("got %v, want EOF and a word about SASL", err)
			}
		}
		if !errors.Is(call.Err, ErrClosed) || !strings.Contains(call.Err.Error(), "broker 1 at kafka:9092: request InitProducerId") {
			t.Errorf("call: %v, want closed, and broker, stage and API", call.Err)
		}
	})
}

// Concurrent senders, a broker that answers each: nothing is lost, and under -race nothing is raced for.
func TestManySendersAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := testConfig()
		cfg.MaxInFlight = 16
		c, b, _ := connect(t, cfg)
		go func() {
			for {
				h, _, err := b.read()
				if err != nil {
					return
				}
				b.answer(h, &protocol.InitProducerIDResponse{})
			}
		}()
		var senders sync.WaitGroup
		for range 16 {
			senders.Go(func() {
				done := make(chan *Call, 1)
				call := initID(done)
				for range 50 {
					send(t, c, call)
					if call := <-done; call.Err != nil {
						t.Errorf("call: %v", call.Err)
					}
				}
			})
		}
		senders.Wait()
	})
}

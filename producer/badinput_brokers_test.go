package producer_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/protocol"
)

// badAnswers are what a broker, or something that sits where one should, may
// send. None of it panics, hangs, or costs a record.
var badAnswers = map[string]*brokertest.Action{
	"garbage":              brokertest.Garbage(bytes.Repeat([]byte{0xfe, 0x01, 0x99}, 100)),
	"a short garbage":      brokertest.Garbage([]byte{0x00}),
	"HTTP":                 brokertest.Garbage([]byte("HTTP/1.1 400 Bad Request\r\n\r\n")),
	"half a frame":         brokertest.HalfFrame(),
	"a huge length":        brokertest.FrameLength(1<<31 - 1),
	"a negative length":    brokertest.FrameLength(-5),
	"a length of nothing":  brokertest.FrameLength(0),
	"a large length":       brokertest.FrameLength(50 << 20),
	"a wrong correlation":  brokertest.WrongCorrelationID(),
	"a message cut short":  brokertest.Truncated(3),
	"nothing and a hangup": brokertest.Drop(),
	"nothing at all":       brokertest.Swallow(),
	"a reset":              brokertest.Reset(),
}

func TestBadAnswersCostNothing(t *testing.T) {
	apis := map[string]int16{
		"ApiVersions": brokertest.ApiVersions, "Metadata": brokertest.Metadata,
		"InitProducerId": brokertest.InitProducerID, "Produce": brokertest.Produce,
	}
	for api, key := range apis {
		for name, action := range badAnswers {
			t.Run(api+"/"+name, func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					c := brokertest.New(t, brokertest.InMemory(), brokertest.Brokers(2), brokertest.Topic("t", 4))
					p := start(t, c, func(cfg *producer.Config) { cfg.RequestTimeout, cfg.MaxBlock = 5*time.Second, 90*time.Second })
					c.On(key).Do(action)
					var got outcomes
					for i := range int32(40) {
						p.SendFunc(t.Context(), producer.Record{Topic: "t", Partition: producer.OnPartition(i % 4), Value: fmt.Append(nil, i)}, got.of(fmt.Sprint(i)))
						time.Sleep(10 * time.Millisecond)
					}
					if err := p.Flush(t.Context()); err != nil {
						t.Fatal(err)
					}
					for _, o := range got.all() {
						if o.err != nil {
							t.Errorf("record %s: %v", o.name, o.err)
						}
					}
					if n := c.PendingFaults(); n != 0 {
						t.Errorf("the bad answer was not given")
					}
					if err := c.Verify(func(r brokertest.Record) string { return string(r.Value) }); err != nil {
						t.Error(err)
					}
				})
			})
		}
	}
}

// A code that nobody knows fails the batch that it is for, and nothing else.
func TestAnUnknownErrorCode(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 2))
		p := start(t, c)
		warm(t, p, "t")
		c.On(brokertest.Produce).Topic("t").Partition(0).Do(brokertest.Error(31_000))
		bad := p.Send(t.Context(), record("bad"))
		good := p.Send(t.Context(), producer.Record{Topic: "t", Partition: producer.OnPartition(1)})
		if _, err := good.Wait(t.Context()); err != nil {
			t.Errorf("another partition's record: %v", err)
		}
		_, err := bad.Wait(t.Context())
		if !errors.Is(err, protocol.ErrorCode(31_000)) || !strings.Contains(err.Error(), "31000") || !producer.MayBeWritten(err) {
			t.Errorf("error = %v, want the code 31000, and that it may be written", err)
		}
		send(t, p, record("next"))
	})
}

// A broker may answer for partitions that nobody asked for, and leave out the
// one that was: the batch is sent again, since nobody knows.
func TestAnAnswerForSomethingElse(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
		p := start(t, c)
		warm(t, p, "t")
		c.On(brokertest.Produce).Do(brokertest.Edit(func(_ *brokertest.Request, r protocol.Response) {
			resp := r.(*protocol.ProduceResponse)
			resp.Topics = []protocol.ProduceTopicResponse{{
				Name: "t", TopicID: c.TopicID("t"),
				Partitions: []protocol.ProducePartitionResponse{{Index: 77}, {Index: -1}},
			}, {Name: "u"}}
		}))
		if md := send(t, p, record("a")); md.Offset != -1 && md.Offset != 0 {
			t.Errorf("offset = %d, want 0, or -1 for a duplicate", md.Offset)
		}
		if got := logged(c); len(got) != 1 {
			t.Errorf("the log holds %v, want the record once", got)
		}
	})
}

// A broker that speaks too old a Produce fails the record with an error that
// says so.
func TestATooOldBroker(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1), brokertest.Without(brokertest.Produce))
		p := start(t, c)
		_, err := p.SendSync(t.Context(), record("a"))
		if err == nil || !strings.Contains(err.Error(), "Produce") || producer.MayBeWritten(err) {
			t.Errorf("error = %v, want that there is no Produce", err)
		}
	})
}

// A port that speaks TLS, or HTTP, or nothing: the first Send fails in bounded
// time, with an error that says what the other end seems to be.
func TestPortsOfSomethingElse(t *testing.T) {
	web := answering(t, "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")
	silent := answering(t, "")
	secure := httptest.NewUnstartedServer(http.NotFoundHandler())
	secure.Config.ErrorLog = discardLog()
	secure.StartTLS()
	defer secure.Close()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := ln.Addr().String()
	ln.Close()
	kafka := brokertest.New(t, brokertest.Topic("t", 1))

	tests := []struct {
		name, addr string
		tls        *tls.Config
		want       []string
	}{
		{"TLS", secure.Listener.Addr().String(), nil, []string{"may want TLS"}},
		{"TLS that says so", answering(t, "\x15\x03\x03\x00\x02\x02\x46"), nil, []string{"seems to speak TLS", "set TLS"}},
		{"HTTP", web, nil, []string{"seems to speak HTTP", "no Kafka broker"}},
		{"SSH", answering(t, "SSH-2.0-OpenSSH_9.6\r\n"), nil, []string{"seems to speak SSH"}},
		{"silence", silent, nil, []string{"says nothing"}},
		{"nobody", nobody, nil, []string{"refused", nobody}},
		{"no TLS", kafka.Bootstrap()[0], &tls.Config{InsecureSkipVerify: true}, []string{"TLS"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cfg := producer.DefaultConfig(tt.addr)
			cfg.TLS, cfg.MaxBlock, cfg.SocketConnectionSetupTimeout = tt.tls, time.Second, 300*time.Millisecond
			p, err := producer.New(cfg)
			if err != nil {
				t.Fatal(err)
			}
			defer p.Close(context.Background())
			_, err = p.SendSync(t.Context(), record("a"))
			if err == nil || producer.MayBeWritten(err) {
				t.Fatalf("error = %v, want one, of a record that was not taken", err)
			}
			for _, s := range tt.want {
				if !strings.Contains(err.Error(), s) {
					t.Errorf("error lacks %q: %v", s, err)
				}
			}
		})
	}
}

// answering returns the address of a server that answers each connection's first
// bytes with text, and no more.
func answering(t *testing.T, text string) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				if _, err := conn.Read(make([]byte, 1)); err == nil {
					io.WriteString(conn, text)
					io.Copy(io.Discard, conn) // until the client is gone
				}
			}()
		}
	}()
	return ln.Addr().String()
}

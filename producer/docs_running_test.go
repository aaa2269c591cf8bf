package producer_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"testing"
	"testing/synctest"
	"time"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/producer"
)

// The first two functions are shown by docs/running.md, word for word.

// serve answers requests until stopped ends, and then delivers what their handlers have sent.
func serve(stopped context.Context, server *http.Server, l net.Listener, p producer.Interface) error {
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	var failed error
	select {
	case <-stopped.Done():
	case failed = <-served:
	}
	// stopped has ended, so neither time may be made of it. Both together fit into the grace of the platform, of 30 s here.
	answering, cancel := context.WithTimeout(context.Background(), 8*time.Second)
	defer cancel()
	if err := server.Shutdown(answering); err != nil {
		failed = errors.Join(failed, err, server.Close()) // handlers are left: the contexts of their requests end now
	}
	delivering, cancel := context.WithTimeout(context.Background(), 18*time.Second)
	defer cancel()
	return errors.Join(failed, p.Close(delivering)) // whatever has failed before
}

// placeOrder is the handler of a request that is answered when the order is in the log.
func placeOrder(p producer.Sender) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), 5*time.Second) // less than Shutdown has
		defer cancel()
		_, err := p.SendSync(ctx, producer.Record{Topic: "orders", Value: []byte(r.FormValue("order"))})
		switch {
		case err == nil:
			w.WriteHeader(http.StatusNoContent)
		case producer.MayBeWritten(err):
			http.Error(w, "the order may have been placed: ask before placing it again", http.StatusGatewayTimeout)
		default:
			http.Error(w, "the order was not placed", http.StatusServiceUnavailable)
		}
	}
}

// A service is stopped while its handler waits for a record, and the broker is away. The handler answers, and Close has its own
// time afterwards: the record is delivered if the broker is back within it, and counted if not. All of it fits into 30 s.
func TestAServiceStopsWhileItsBrokerIsAway(t *testing.T) {
	for name, tt := range map[string]struct {
		away    time.Duration // from the stop on
		records int
		takes   time.Duration
	}{
		"back in time": {away: 15 * time.Second, records: 2},
		"too late":     {away: time.Hour, records: 1, takes: 23 * time.Second}, // 5 s of the handler, 18 s of Close
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("orders", 1))
				p := start(t, c)
				pipes := &pipeListener{conns: make(chan net.Conn), closed: make(chan struct{})}
				server := &http.Server{Handler: placeOrder(p)}
				stopped, stop := context.WithCancel(t.Context())
				ended := make(chan error, 1)
				go func() { ended <- serve(stopped, server, pipes, p) }()
				if code := pipes.post(t, "tea"); code != http.StatusNoContent {
					t.Fatalf("answered %d", code)
				}
				c.StopBroker(1)
				answered := make(chan int, 1)
				go func() { answered <- pipes.post(t, "coffee") }()
				synctest.Wait()
				began := time.Now()
				stop()
				time.AfterFunc(tt.away, func() { _ = c.StartBroker(1) })
				if code := <-answered; code != http.StatusGatewayTimeout {
					t.Errorf("answered %d, want that the order may be placed", code)
				}
				err := <-ended
				took := time.Since(began)
				var lost *producer.CloseError
				if errors.As(err, &lost) != (tt.records == 1) || lost != nil && lost.Lost.Total() != 1 {
					t.Errorf("serve: %v", err)
				}
				if tt.takes == 0 && took >= tt.away+3*time.Second || tt.takes != 0 && took.Round(time.Second) != tt.takes {
					t.Errorf("it took %v to stop", took)
				}
				if got := len(c.Records("orders", 0)); got != tt.records {
					t.Errorf("the log has %d records, want %d", got, tt.records)
				}
			})
		})
	}
}

// pipeListener accepts connections in memory, which a bubble needs.
type pipeListener struct {
	conns  chan net.Conn
	closed chan struct{}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error { close(l.closed); return nil }

func (l *pipeListener) Addr() net.Addr { return &net.TCPAddr{} }

// post places an order and returns the status.
func (l *pipeListener) post(t *testing.T, order string) int {
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(context.Context, string, string) (net.Conn, error) {
		here, there := net.Pipe()
		l.conns <- there
		return here, nil
	}}}
	resp, err := client.PostForm("http://orders/", url.Values{"order": {order}})
	if err != nil {
		t.Error(err)
		return 0
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
	return resp.StatusCode
}
